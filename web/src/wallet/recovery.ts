/** The way back into a wallet without any old device: what the new device keeps while it waits. */
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
