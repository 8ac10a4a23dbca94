import { expect, it } from 'vitest';
import { outcomes, pageOf, withNew, type Notice } from './notices.ts';

const WHEN = '2026-01-02T03:04:05.000Z';
const notice = (number: number, more: Partial<Notice> = {}): Notice => ({
  notice: number,
  about: 'request',
  title: 'A title',
  noted: WHEN,
  deliveries: [],
  ...more,
});

it('what is found twice is shown once, the newest in front', () => {
  const first = withNew([], [notice(2), notice(1, { seen: WHEN })]);
  expect(first.map((one) => one.notice)).toEqual([2]);
  const second = withNew(first, [notice(3), notice(2)]);
  expect(second.map((one) => one.notice)).toEqual([3, 2]);
  expect(withNew(second, [notice(3), notice(2)])).toEqual(second);
});

it('what was seen is not said to be tried again', () => {
  const trying = { channel: 'sms', state: 'trying' } as const;
  expect(outcomes(notice(1, { deliveries: [trying] }))).toHaveLength(1);
  const seen = outcomes(notice(1, { seen: WHEN, deliveries: [trying, { channel: 'push', state: 'handed', when: WHEN }] }));
  expect(seen).toHaveLength(2);
  expect(outcomes(notice(1))).toHaveLength(1);
});

it('a notice leads to the page of what it is about', () => {
  expect(['money', 'request', 'toString', ''].map(pageOf)).toEqual(['/history', '/', '/', '/']);
});
