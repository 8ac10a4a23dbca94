/** What a device keeps while it waits to be let into a wallet: after a loss, or beside another one. */
import type { Schemas } from '../api/types.ts';
import { forget, keep, kept } from '../keys/store.ts';
import type { Held } from './device.svelte.ts';

/** What this device asked for. */
export type AskedHere = {
  /** With what it looks how that stands. */
  readonly watch: string;
  /** The wallet that it will hold. */
  readonly held: Held;
};

const under = (name: string) => ({
  here: (): Promise<AskedHere | undefined> => kept<AskedHere>(name),
  keep: (asked: AskedHere): Promise<void> => keep(name, asked),
  forget: (): Promise<void> => forget(name),
});

/** The way back into a wallet without any old device. */
export const recovering = under('recovery');
/** One more device beside an old one. */
export const joining = under('device');

export const keyOf = (held: Held): Schemas['PublicKey'] => (held.kind === 'device' ? held.sealed.key : held.key);
