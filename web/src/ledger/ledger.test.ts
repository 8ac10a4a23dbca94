/** The encodings against the golden values that the Rust source gives. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { toHex } from './borsh.ts';
import * as borsh from './borsh.ts';
import { KINDS, type Body, type KindName } from './kinds.ts';
import { encodeContent, transactionId, type Content } from './transaction.ts';
import * as words from './words.ts';

const vectors = (name: string) =>
  JSON.parse(readFileSync(resolve(fileURLToPath(import.meta.url), '../../../../vectors', name), 'utf8'));

type Vector = {
  kind: string;
  number: number;
  body: unknown;
  body_bytes: string;
  content_bytes: string;
  transaction_id: string;
};
const file: { vectors: Vector[] } = vectors('transactions.json');

describe.each(Object.keys(KINDS) as KindName[])('%s', (name) => {
  const own = file.vectors.filter((vector) => vector.kind === name);

  it('has the bytes and the id of every golden value', async () => {
    expect(own.length).toBeGreaterThanOrEqual(2);
    for (const vector of own) {
      expect(vector.number).toBe(KINDS[name].number);
      const low = (vector.number & 0xff).toString(16).padStart(2, '0');
      const content: Content = {
        chain_id: 'vectors',
        author: 'organisation:bureau',
        idempotency_key: low.repeat(16),
        valid_until: '2026-01-01T01:00:00.000Z',
        kind: name,
        body: vector.body as Body<KindName>,
      };
      expect(toHex(encodeContent(content))).toBe(vector.content_bytes);
      expect(toHex(await transactionId(content))).toBe(vector.transaction_id);
    }
  });
});

describe('what has not the form', () => {
  const encode = <T>(encoder: borsh.Encode<T>, value: unknown) => () => borsh.encode(encoder, value as T);

  it('is an error and never other bytes', () => {
    expect(encode(borsh.amount, 5)).toThrow();
    expect(encode(borsh.amount, '05')).toThrow();
    expect(encode(borsh.amount, '-5')).toThrow();
    expect(encode(borsh.amount, '18446744073709551616')).toThrow();
    expect(encode(borsh.u8, 256)).toThrow();
    expect(encode(borsh.u8, 1.5)).toThrow();
    expect(encode(borsh.bool, 'true')).toThrow();
    expect(encode(borsh.hex(2), 'FFFF')).toThrow();
    expect(encode(borsh.hex(2), 'ff')).toThrow();
    expect(encode(borsh.day, '2026-02-30')).toThrow();
    expect(encode(borsh.instant, '2026-01-01T00:00:00Z')).toThrow();
    expect(encode(borsh.word({ one: 1 }), 'toString')).toThrow();
    expect(encode(borsh.code(2), 'abc')).toThrow();
    expect(encode(borsh.struct<{ a: number }>({ a: borsh.u8 }), { a: 1, b: 2 })).toThrow();
    expect(encode(borsh.struct<{ a: number }>({ a: borsh.u8 }), {})).toThrow();
  });

  it('has its limits where Rust has them', () => {
    expect(toHex(borsh.encode(borsh.amount, '18446744073709551615'))).toBe('ffffffffffffffff');
    expect(toHex(borsh.encode(borsh.day, '1969-12-31'))).toBe('ffffffff');
    expect(toHex(borsh.encode(borsh.option(borsh.u8), null))).toBe('00');
  });
});

describe('words', () => {
  it('have the numbers of the source', () => {
    expect({
      category: words.CATEGORIES,
      item_class: words.ITEM_CLASSES,
      payer: words.PAYERS,
      visit_type: words.VISIT_TYPES,
      hospital_level: words.HOSPITAL_LEVELS,
      place: words.PLACES,
      filing: words.FILINGS,
      network: words.NETWORKS,
      sex: words.SEXES,
      person_class: words.PERSON_CLASSES,
    }).toEqual(vectors('words.json').words);
  });
});
