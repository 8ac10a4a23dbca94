import { expect, it } from 'vitest';
import { isPresent } from './presence.ts';

it('somebody looks who touched the page within two minutes', () => {
  window.dispatchEvent(new Event('keydown'));
  const now = Date.now();
  expect(isPresent(now)).toBe(true);
  expect(isPresent(now + 119_000)).toBe(true);
  expect(isPresent(now + 121_000)).toBe(false);
});
