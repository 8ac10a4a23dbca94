/** Hashes and random numbers, without the kinds of transactions: what signing in needs, and no more. */
import * as borsh from './borsh.ts';

const utf8 = new TextEncoder();

export async function sha256(...parts: readonly (Uint8Array | string)[]): Promise<Uint8Array<ArrayBuffer>> {
  const out = new borsh.Writer();
  for (const part of parts) out.raw(typeof part === 'string' ? utf8.encode(part) : part);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', out.done()));
}

export function randomHex(bytes: number): string {
  return borsh.toHex(crypto.getRandomValues(new Uint8Array(bytes)));
}
