import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { difference, hashOf, isAboutRegions, isAboutStatements, isOver, isVerified, mayAgreeLate, monthToClose, nextMonth, type Item, type StatementItems } from './regions.ts';

type Vectors = { insured: number; care: number; before: string; items: Item[]; hash: string };
const vectors: Vectors = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../vectors/regions.json'), 'utf8'));

const shown = (items: readonly Item[]): StatementItems => {
  const { insured, care, before, hash } = vectors;
  const sums = { gross: vectors.items[0]?.amount, settlements: 1, returned: vectors.items[1]?.amount, returns: 1 };
  const statement = { after_item: 6, to_item: 8, before, items: hash, ...sums };
  return { insured, care, currency: 'CNY', month: { year: 2026, month: 1 }, adds_up: true, statement, items } as unknown as StatementItems;
};

it('hashes items as the ledger does', async () => {
  expect(await hashOf(shown(vectors.items))).toBe(vectors.hash);
});

it('believes a statement whose items are all there and come to it, and no other', async () => {
  const [first, second] = vectors.items as [Item, Item];
  expect(await isVerified(shown([first, second]))).toBe(true);
  for (const wrong of [[first], [second, first], [first, { ...second, amount: '99' }], [first, { ...second, is_return: false }], [first, { ...second, provider: 'other' }]]) {
    expect(await isVerified(shown(wrong))).toBe(false);
  }
});

it('believes no counts that the items do not come to', async () => {
  const right = shown(vectors.items);
  for (const wrong of [{ settlements: 2 }, { returns: 0 }]) {
    expect(await isVerified({ ...right, statement: { ...right.statement, ...wrong } })).toBe(false);
  }
});

it('closes a month with items or with nothing but the money of an ended dispute', () => {
  const standing = { unstated: 0, open: '0', waits: false, last: { year: 2026, month: 1 } };
  const closes = (change: Partial<typeof standing>, today = '2026-03-01'): unknown => monthToClose({ standing: { ...standing, ...change } as never, today });
  const february = { year: 2026, month: 2 };
  expect(closes({ unstated: 1 })).toEqual(february);
  expect(closes({ open: '3000' })).toEqual(february);
  expect(closes({})).toBeUndefined();
  expect(closes({ open: '3000', waits: true })).toBeUndefined();
  expect(closes({ open: '3000' }, '2026-02-28')).toBeUndefined();
});

it('lets the region of care alone agree for a region that has not answered in time', () => {
  const waits = { answer: null, answer_by: '2026-02-14' };
  const on = (today: string): { care_bureau: string; today: string } => ({ care_bureau: 'care', today });
  expect(mayAgreeLate(on('2026-02-15'), waits, 'care')).toBe(true);
  expect(mayAgreeLate(on('2026-02-14'), waits, 'care')).toBe(false);
  expect(mayAgreeLate(on('2026-02-15'), waits, 'insured')).toBe(false);
  expect(mayAgreeLate(on('2026-02-15'), { ...waits, answer: {} as never }, 'care')).toBe(false);
});

it('looks again at a statement for what changes one, and at a pair for payments too', () => {
  const told = (event: string): boolean[] => [isAboutStatements({ events: [event] }), isAboutRegions({ events: [event] })];
  for (const event of ['interregion_month_closed', 'interregion_statement_answered', 'item_dispute_ended']) expect(told(event)).toEqual([true, true]);
  for (const event of ['region_payment_confirmed', 'payout_answered', 'interregion_rules_set']) expect(told(event)).toEqual([false, true]);
  expect(told('visit_settled')).toEqual([false, false]);
});

it('closes month after month, and only what is over', () => {
  expect(nextMonth(undefined, '2026-01-10')).toEqual({ year: 2025, month: 12 });
  expect(nextMonth(undefined, '2026-03-01')).toEqual({ year: 2026, month: 2 });
  expect(nextMonth({ year: 2025, month: 12 }, '2026-03-01')).toEqual({ year: 2026, month: 1 });
  expect(nextMonth({ year: 2026, month: 1 }, '2026-03-01')).toEqual({ year: 2026, month: 2 });
  expect(isOver({ year: 2026, month: 2 }, '2026-02-28')).toBe(false);
  expect(isOver({ year: 2026, month: 2 }, '2026-03-01')).toBe(true);
});

it('what the own bank booked is held against what the other region announced', () => {
  expect(difference('20000', '20000')).toEqual({ is: 'same', by: 0n });
  expect(difference('20000', '19999')).toEqual({ is: 'less', by: 1n });
  expect(difference('20000', '20150')).toEqual({ is: 'more', by: 150n });
});
