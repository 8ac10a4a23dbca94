import { expect, it } from 'vitest';
import { isSame } from './bill.ts';

it('two values are the same whatever the order of their members', () => {
  expect(isSame({ a: [1, { b: '2' }], c: null }, { c: null, a: [1, { b: '2' }] })).toBe(true);
  expect(isSame({ a: 1 }, { a: 1, b: undefined })).toBe(false);
  expect(isSame({ a: 1 }, { b: 1 })).toBe(false);
  expect(isSame(['1', '2'], ['2', '1'])).toBe(false);
  expect(isSame('1', 1)).toBe(false);
});
