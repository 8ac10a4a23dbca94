/** The way back into a wallet without any old device: what the new device keeps while it waits, and the number that is compared. */
import type { Schemas } from '../api/types.ts';
import { forget, keep, kept } from '../keys/store.ts';
import type { Held } from './device.svelte.ts';

const NAME = 'recovery';

/** A recovery that this device asked for. */
export type AskedHere = {
  /** With what it looks how that stands. */
  readonly watch: string;
  /** The wallet that it will hold. */
  readonly held: Held;
};

export const askedHere = (): Promise<AskedHere | undefined> => kept<AskedHere>(NAME);
export const keepAsked = (asked: AskedHere): Promise<void> => keep(NAME, asked);
export const forgetAsked = (): Promise<void> => forget(NAME);

export const keyOf = (held: Held): Schemas['PublicKey'] => (held.kind === 'device' ? held.sealed.key : held.key);

/**
 * Six digits that stand for a key. The new device and the guardians' phones compute them by
 * themselves, so that nobody between them puts another key in its place unseen.
 */
export async function keyDigits(key: Schemas['PublicKey']): Promise<string> {
  const text = new TextEncoder().encode(`yibao/recovery-digits/v1 ${key}`);
  const hash = new DataView(await crypto.subtle.digest('SHA-256', text));
  const digits = String(hash.getUint32(0) % 1_000_000).padStart(6, '0');
  return `${digits.slice(0, 3)} ${digits.slice(3)}`;
}
