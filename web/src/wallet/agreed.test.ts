import { expect, it } from 'vitest';
import { agreedOf } from './agreed.ts';

const relative = { ground: 'own_key' as const, relation: 1, until: null };

it('each thing that holds is listed once, people first, and what holds no more is not', () => {
  const told = {
    person: { guardians: [{ guardian: 'a1', name: '王秀英', period: { from: '2026-01-02', to: null } }] },
    family: {
      payers: [
        { ...relative, person: 'b2', name: '王勇', holds: true, since: '2026-02-03T04:05:06Z' },
        { ...relative, person: 'c3', name: '王强', holds: false, since: '2025-02-03T04:05:06Z' },
      ],
      helps: [],
    },
    profile: { card_last_four: '1234' },
    board: { choice: { sms: true, wechat: false }, phone_end: '88' },
  };
  expect(agreedOf(told)).toEqual([
    { kind: 'guardian', whom: 'a1', name: '王秀英', since: '2026-01-02' },
    { kind: 'proxy', whom: 'b2', name: '王勇', since: '2026-02-03' },
    { kind: 'card', whom: '', name: '1234', since: undefined },
    { kind: 'sms', whom: '', name: '88', since: undefined },
  ]);
});

it('who agreed to nothing reads that', () => {
  const nothing = { person: { guardians: [] }, family: { payers: [], helps: [] }, profile: {}, board: { choice: null } };
  expect(agreedOf(nothing)).toEqual([]);
});
