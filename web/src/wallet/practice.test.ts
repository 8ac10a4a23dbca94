import { expect, it } from 'vitest';
import { BALANCE, begin, BILLS, choose, type Choice, type Play } from './practice.ts';

const played = (...made: readonly Choice[]): Play => made.reduce(choose, begin());

it('each made-up bill adds up, and the play account can pay its part', () => {
  for (const { items, split, wrong } of BILLS) {
    const listed = items.reduce((sum, one) => sum + BigInt(one.amount), 0n);
    const shared = split.payers.reduce((sum, one) => sum + BigInt(one.amount), BigInt(split.personal_account) + BigInt(split.cash));
    expect(split.total).toBe(listed.toString());
    expect(shared).toBe(listed);
    expect(BigInt(split.cash)).toBeGreaterThan(0n);
    expect(wrong === undefined || items.some((one) => one.name === wrong)).toBe(true);
  }
  const both = BILLS.reduce((sum, { split }) => sum + BigInt(split.personal_account), 0n);
  expect(both).toBeLessThan(BigInt(BALANCE));
  expect(BILLS.filter(({ wrong }) => wrong !== undefined)).toHaveLength(1);
});

it('who finds the mistake and tells nothing is charged once', () => {
  const end = played('on', 'on', 'pay', 'pin', 'on', 'object', 'on', 'refuse', 'on');
  expect(end).toMatchObject({ scene: 'end', lessons: ['paid', 'found', 'silent'] });
  expect(end.balance).toBe((BigInt(BALANCE) - BigInt(BILLS[0].split.personal_account)).toString());
});

it('who pays the wrong bill and tells the code hears of both', () => {
  const end = played('on', 'on', 'pay', 'pin', 'on', 'pay', 'pin', 'on', 'tell', 'on');
  expect(end).toMatchObject({ scene: 'end', lessons: ['paid', 'missed', 'told'] });
  expect(end.balance).toBe('19000');
});

it('nothing is charged before the PIN, and what is no choice here does nothing', () => {
  for (const made of [[], ['on'], ['on', 'on'], ['on', 'on', 'pay'], ['on', 'on', 'object'], ['on', 'on', 'pay', 'on']] as const) {
    expect(played(...made).balance).toBe(BALANCE);
  }
  const here = played('on', 'on');
  expect(choose(here, 'pin')).toBe(here);
  expect(choose(here, 'tell')).toBe(here);
  // A question about a right bill is answered, and the bill is there again.
  expect(played('on', 'on', 'object', 'on')).toEqual(here);
  expect(played('on', 'on', 'pay', 'pin', 'on', 'object', 'on', 'refuse', 'on', 'again')).toEqual(begin());
});
