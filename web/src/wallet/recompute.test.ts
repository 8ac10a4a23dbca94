import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Schemas } from '../api/types.ts';
import { differences } from './recompute.ts';

type Vector = { parts: { adjudication: Schemas['Adjudication'] }[] };
const path = resolve(fileURLToPath(import.meta.url), '../../../../vectors/adjudications.json');
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(path, 'utf8'));
const parts = vectors.map((one) => one.parts.map((part) => part.adjudication)).find((all) => all.length === 1) ?? [];
const [part] = parts;
if (part === undefined) throw new Error('the vectors have no bill of one part');
const { total, self_paid, over_cap, class_b_share, in_policy, deductible, payers, personal_account, cash } = part;
const split = { total, self_paid, over_cap, class_b_share, in_policy, deductible, payers, personal_account, cash };

it('a split is what its parts add up to', () => {
  expect(differences(split, parts)).toEqual([]);
  const twice = (amount: string): string => String(2n * BigInt(amount));
  const doubled = Object.fromEntries(
    Object.entries(split).map(([name, value]) => [
      name,
      typeof value === 'string' ? twice(value) : value.map((one) => ({ ...one, amount: twice(one.amount) })),
    ]),
  ) as Schemas['Split'];
  expect(differences(doubled, [part, part])).toEqual([]);
});

it('each amount that differs is named with both values', () => {
  const more = String(BigInt(cash) + 1n);
  expect(differences({ ...split, cash: more }, parts)).toEqual([{ what: 'cash', said: more, computed: cash }]);
  const [first] = payers;
  if (first === undefined) throw new Error('nobody pays');
  expect(differences({ ...split, payers: payers.slice(1) }, parts)).toEqual([
    { what: first.payer, said: '0', computed: first.amount },
  ]);
});
