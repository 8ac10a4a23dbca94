import { expect, it } from 'vitest';
import { keyDigits } from './recovery.ts';

it('six digits stand for a key, and others for another', async () => {
  const one = await keyDigits(`p256:${'01'.repeat(64)}`);
  expect(one).toMatch(/^\d{3} \d{3}$/);
  expect(await keyDigits(`p256:${'01'.repeat(64)}`)).toBe(one);
  expect(await keyDigits(`p256:${'02'.repeat(64)}`)).not.toBe(one);
});
