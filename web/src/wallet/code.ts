/**
 * The rotating code: eight digits for this wallet and six for the minute (RFC 6238 with SHA-256),
 * made here, so that it is shown without a network.
 */
import { api, ok, serverAhead } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { fromHex } from '../ledger/borsh.ts';
import { forget, keep, kept } from '../keys/store.ts';
import { remember, remembered } from '../preferences.svelte.ts';

type Seed = Schemas['CodeSeed'] & {
  readonly person: string;
  /** By how many milliseconds the server's clock was ahead of this device's: codes are of its minutes. */
  readonly ahead?: number;
};
export const KEPT_CODE = 'code';
const OFF = 'yibao.code';

/** Whether this device keeps its code, to show it without a network. */
export const keepsCode = (): boolean => remembered(OFF) !== 'off';
export const setKeepsCode = (on: boolean): void => remember(OFF, on ? undefined : 'off');

/** The code while this page is open. */
let held: Seed | undefined;

export type Shown = { readonly digits: string; readonly until: Date };

async function askSeed(person: string): Promise<Seed> {
  const seed = await ok(api.POST('/v1/persons/{person}/codes', { params: { path: { person } }, body: {} }));
  return { ...seed, person, ahead: serverAhead() ?? 0 };
}

/** What a code is of another key than this device's next one, which the gateway refuses: it goes with the key. */
export async function forgetCode(): Promise<void> {
  held = undefined;
  relatives.clear();
  await forget(KEPT_CODE);
}

/** The time by which a code is shown: the server's as far as it is known, since a phone's clock may be wrong. */
export const codeTime = (seed: Seed): number => Date.now() + (serverAhead() ?? seed.ahead ?? 0);

/** This device's code, asked for once while signed in. */
export async function codeSeed(person: string, isSignedIn: boolean): Promise<Seed | undefined> {
  if (held?.person === person) return held;
  const known = await kept<Seed>(KEPT_CODE);
  if (known?.person === person) return (held = known);
  if (!isSignedIn) return undefined;
  held = await askSeed(person);
  if (keepsCode()) await keep(KEPT_CODE, held);
  return held;
}

const relatives = new Map<string, Seed>();

/** The code of somebody whom this person may act for. It stays in memory: who is unbound shows it no more. */
export async function relativeSeed(person: string): Promise<Seed> {
  const known = relatives.get(person);
  if (known) return known;
  const seed = await askSeed(person);
  relatives.set(person, seed);
  return seed;
}

/** Has the code at hand before somebody needs it where there is no network. */
export async function keepCodeNow(person: string): Promise<void> {
  if (!keepsCode()) return;
  const seed = await codeSeed(person, true);
  if (seed) await keep(KEPT_CODE, { ...seed, ahead: serverAhead() ?? seed.ahead ?? 0 });
}

export async function changingDigits(secret: string, step: number): Promise<string> {
  const key = await crypto.subtle.importKey('raw', fromHex(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(step));
  const tag = new DataView(await crypto.subtle.sign('HMAC', key, counter.buffer));
  const offset = tag.getUint8(tag.byteLength - 1) & 0x0f;
  const word = tag.getUint32(offset) & 0x7fffffff;
  return (word % 1_000_000).toString().padStart(6, '0');
}

export async function shownCode(seed: Seed, now: number): Promise<Shown> {
  const period = seed.period_seconds * 1000;
  const step = Math.floor(now / period);
  return { digits: `${seed.number}${await changingDigits(seed.secret, step)}`, until: new Date((step + 1) * period) };
}

/** Digits in groups that are easily read out. */
export function grouped(digits: string): string {
  return [digits.slice(0, 4), digits.slice(4, 8), digits.slice(8, 11), digits.slice(11)].join(' ');
}
