/**
 * The digits that stand for a key. Phones and desks compute them by themselves and people compare
 * them, so that nobody between them puts another key in its place unseen.
 *
 * Twenty digits: whoever would make a second key of the same digits has to make some 10²⁰ of them.
 * Six would take a second.
 */
import type { Schemas } from '../api/types.ts';

const DIGITS = 20;
const GROUP = 4;

/** SHA-256 of the key as a number, its last twenty digits, in groups of four. */
export async function keyDigits(key: Schemas['PublicKey']): Promise<string> {
  const text = new TextEncoder().encode(`yibao/key-digits/v1 ${key}`);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', text));
  const whole = hash.reduce((so_far, byte) => (so_far << 8n) | BigInt(byte), 0n);
  const digits = (whole % 10n ** BigInt(DIGITS)).toString().padStart(DIGITS, '0');
  return digits.match(new RegExp(`.{${GROUP}}`, 'g'))?.join(' ') ?? digits;
}
