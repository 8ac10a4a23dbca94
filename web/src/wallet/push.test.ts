import { expect, it } from 'vitest';
import { bytesOf } from './push.ts';

it('a key in URL-safe Base64 is read byte by byte', () => {
  expect([...bytesOf('-_8A')]).toEqual([0xfb, 0xff, 0x00]);
  expect([...bytesOf('BA')]).toEqual([4]);
});
