import { expect, it } from 'vitest';
import type { Schemas } from '../api/types.ts';
import { accountWays, type Due } from './sources.ts';

const OWN = 'a';
const due = (person: string, amount = '40000'): Due => ({ person, name: person.toUpperCase(), amount });

function aid(person: string, left: string, purpose: 'care' | 'premiums' | 'care_and_premiums' = 'care_and_premiums'): Schemas['AidInForce'] {
  const terms = { relation: 1, purpose, visit_types: [], bill_max: left, month_max: left, year_max: left, rank: 0, until: null };
  return { person, name: person.toUpperCase(), number: 7, terms, since: '', month_paid: '0', year_paid: '0', left, uses: [] };
}

const ways = (dues: readonly Due[], available: string, helps: Schemas['AidInForce'][] = [], helped_by: Schemas['AidInForce'][] = []) =>
  accountWays(dues, OWN, available, { helps, helped_by });

it('the own account pays the own premium, down to the last fen', () => {
  const { ways: found, obstacles } = ways([due(OWN)], '40000');
  expect(found.map((one) => [one.value, one.left, one.sources.get(OWN)])).toEqual([['account', '40000', { from: 'personal_account' }]]);
  expect(obstacles).toEqual([]);
  expect(ways([due(OWN)], '39999').obstacles).toEqual([{ why: 'low', left: '39999' }]);
});

it('whoever has nothing on the account is asked nothing about it', () => {
  expect(ways([due(OWN)], '0')).toEqual({ ways: [], obstacles: [] });
  expect(ways([], '90000')).toEqual({ ways: [], obstacles: [] });
});

it('for a relative the own account pays by a grant for premiums, within its limits', () => {
  const both = [due(OWN), due('b')];
  const [way] = ways(both, '80000', [aid('b', '40000')]).ways;
  expect(way?.sources.get('b')).toEqual({ from: 'family_account', grant: 7 });
  expect(ways(both, '79999', [aid('b', '40000')]).obstacles).toEqual([{ why: 'low', left: '79999' }]);
  expect(ways(both, '80000', [aid('b', '39999')]).obstacles).toEqual([{ why: 'limit', name: 'B', left: '39999' }]);
  expect(ways(both, '80000', [aid('b', '40000', 'care')]).obstacles).toEqual([{ why: 'granted', names: ['B'] }]);
});

it("a relative's account pays the own premium and nobody else's", () => {
  const helped = [aid('c', '40000'), aid('d', '100', 'premiums'), aid('e', '90000', 'care')];
  const { ways: found, obstacles } = ways([due(OWN)], '0', [], helped);
  expect(found.map((one) => [one.value, one.name, one.sources.get(OWN)])).toEqual([['c', 'C', { from: 'family_account', grant: 7 }]]);
  expect(obstacles).toEqual([{ why: 'limit', name: 'D', left: '100' }]);
  expect(ways([due(OWN), due('b')], '0', [], helped)).toEqual({ ways: [], obstacles: [] });
});

it('beside a card the own account pays what it has of the own premium', () => {
  const beside = (dues: readonly Due[], available: string, hasCard = true): unknown =>
    accountWays(dues, OWN, available, { helps: [], helped_by: [] }, hasCard).ways.find((one) => one.value === 'both')?.beside;
  expect(beside([due(OWN)], '12345')).toEqual({ account: '12345', card: '27655' });
  // Of a household's the own one at the most, and never all that is paid.
  expect(beside([due(OWN), due('b')], '50000')).toEqual({ account: '40000', card: '40000' });
  expect(beside([due(OWN)], '40000')).toBeUndefined();
  expect(beside([due('b')], '12345')).toBeUndefined();
  expect(beside([due(OWN)], '0')).toBeUndefined();
  expect(beside([due(OWN)], '12345', false)).toBeUndefined();
});
