import { expect, it } from 'vitest';
import { cardFault, groupedCard, tidyCard } from './card.ts';

it('a number is right when its last digit fits the others', () => {
  // The example in most descriptions of the method has 11 digits; two zeros before it change nothing.
  expect(cardFault('0079927398713')).toBeUndefined();
  for (const last of '012456789') expect(cardFault(`007992739871${last}`)).toBe('check');
  expect(cardFault('9990000000000010'.replace('10', '01'))).toBe('check');
});

it('what is no number, or too short or long, is told apart', () => {
  expect(cardFault('99900000000x')).toBe('digits');
  expect(cardFault('99900000000')).toBe('length');
  expect(cardFault('9'.repeat(20))).toBe('length');
  expect(cardFault('')).toBe('length');
});

it('a number is taken as it is pasted and shown as it is printed', () => {
  expect(tidyCard(' 9990-0000\u00a00000 \uff10\uff11\uff12\uff13')).toBe('9990000000000123');
  expect(groupedCard('9990000000000123')).toBe('9990 0000 0000 0123');
  expect(groupedCard('999000000000012')).toBe('9990 0000 0000 012');
});
