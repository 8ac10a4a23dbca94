import { expect, it } from 'vitest';
import { toHex } from '../ledger/borsh.ts';
import { changingDigits, grouped } from './code.ts';

it('digits follow the test vectors of RFC 6238, appendix B', async () => {
  const secret = toHex(new TextEncoder().encode('12345678901234567890123456789012'));
  const cases: [number, string][] = [
    [1, '119246'],
    [0x23523ec, '084774'],
    [0x23523ed, '062674'],
    [0x27bc86aa, '737706'],
  ];
  for (const [step, digits] of cases) expect(await changingDigits(secret, step)).toBe(digits);
});

it('a code is read out in groups', () => {
  expect(grouped('12345678901234')).toBe('1234 5678 901 234');
});
