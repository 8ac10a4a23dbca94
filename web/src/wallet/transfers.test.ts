import { expect, it } from 'vitest';
import { amountFault, minuteText, receivers } from './transfers.ts';

const bound = (person: string, holds: boolean) =>
  ({ person, name: person, holds, relation: 1, ground: 'own_key', since: '2026-01-01T00:00:00Z' }) as const;

it('money goes to those who are bound today or helped, each once', () => {
  const aid = { person: 'b', name: 'b' } as never;
  const family = { members: [bound('a', true), bound('c', false)], payers: [bound('b', true)], helps: [aid], helped_by: [] };
  expect(receivers(family).map((one) => one.person)).toEqual(['a', 'b']);
});

it('a minute of the day is a clock time', () => {
  expect([0, 360, 1380, 1439].map(minuteText)).toEqual(['00:00', '06:00', '23:00', '23:59']);
});

it('an amount is some, within the limit and within what is there', () => {
  const rules = { transfer_max: '200000' };
  expect(amountFault(undefined, rules, '500000')).toBe('none');
  expect(amountFault('0', rules, '500000')).toBe('none');
  expect(amountFault('200001', rules, '500000')).toBe('above');
  expect(amountFault('200000', rules, '199999')).toBe('balance');
  expect(amountFault('200000', rules, '200000')).toBeUndefined();
});
