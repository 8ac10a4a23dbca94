import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { keyDigits } from './digits.ts';

it('twenty digits stand for a key, and others for another', async () => {
  const key = `p256:${'01'.repeat(64)}`;
  const one = await keyDigits(key);
  expect(one).toMatch(/^\d{4}( \d{4}){4}$/);
  const hash = createHash('sha256').update(`yibao/key-digits/v1 ${key}`).digest('hex');
  expect(BigInt(one.replaceAll(' ', ''))).toBe(BigInt(`0x${hash}`) % 10n ** 20n);
  expect(await keyDigits(`p256:${'02'.repeat(64)}`)).not.toBe(one);
});
