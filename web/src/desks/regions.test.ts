import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { hashOf, isOver, isVerified, nextMonth, type Item, type StatementItems } from './regions.ts';

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

it('closes month after month, and only what is over', () => {
  expect(nextMonth(undefined, '2026-01-10')).toEqual({ year: 2025, month: 12 });
  expect(nextMonth(undefined, '2026-03-01')).toEqual({ year: 2026, month: 2 });
  expect(nextMonth({ year: 2025, month: 12 }, '2026-03-01')).toEqual({ year: 2026, month: 1 });
  expect(nextMonth({ year: 2026, month: 1 }, '2026-03-01')).toEqual({ year: 2026, month: 2 });
  expect(isOver({ year: 2026, month: 2 }, '2026-02-28')).toBe(false);
  expect(isOver({ year: 2026, month: 2 }, '2026-03-01')).toBe(true);
});
