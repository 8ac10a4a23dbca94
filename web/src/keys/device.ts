/**
 * The key of a device without passkeys: P-256 in this browser, which its own scripts cannot read.
 *
 * It is kept sealed. What opens it is a secret that the gateway gives for the right PIN only, a few
 * wrong ones at the most; the gateway never sees the key, and whoever has the phone without the PIN
 * cannot use it.
 */
import type { Schemas } from '../api/types.ts';
import { fromHex, toHex } from '../ledger/borsh.ts';
import type { Signer } from './signer.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
/** Rounds by which the PIN becomes what the gateway compares: it never gets the PIN itself. */
const ROUNDS = 210_000;

export type SealedKey = {
  readonly key: Schemas['PublicKey'];
  /** By which number the gateway knows the PIN. */
  readonly pin: string;
  readonly salt: string;
  readonly nonce: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
};

/** What stands for a PIN at the gateway. */
export async function pinVerifier(pin: string, salt: string): Promise<string> {
  const base = await crypto.subtle.importKey('raw', new TextEncoder().encode(pin), 'PBKDF2', false, ['deriveBits']);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: fromHex(salt), iterations: ROUNDS };
  return toHex(new Uint8Array(await crypto.subtle.deriveBits(how, base, 256)));
}

async function sealingKey(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', fromHex(secret), 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** A new key, to be sealed once the gateway has given a secret for the PIN. */
export async function newDeviceKey(): Promise<{
  key: Schemas['PublicKey'];
  seal(pin: string, salt: string, secret: string): Promise<SealedKey>;
}> {
  const pair = await crypto.subtle.generateKey(CURVE, true, ['sign']);
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const key = `p256:${toHex(point.subarray(1))}`;
  return {
    key,
    async seal(pin, salt, secret) {
      const bytes = await crypto.subtle.exportKey('pkcs8', pair.privateKey);
      const nonce = crypto.getRandomValues(new Uint8Array(12));
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, await sealingKey(secret), bytes);
      return { key, pin, salt, nonce: toHex(nonce), sealed: new Uint8Array(sealed) };
    },
  };
}

/** The key for as long as the page stays open, with the secret that the PIN gave. */
export async function openDeviceKey(sealed: SealedKey, secret: string, party: Schemas['Party']): Promise<Signer> {
  const nonce = { name: 'AES-GCM', iv: fromHex(sealed.nonce) };
  const bytes = await crypto.subtle.decrypt(nonce, await sealingKey(secret), sealed.sealed);
  const key = await crypto.subtle.importKey('pkcs8', bytes, CURVE, false, ['sign']);
  return {
    party,
    key: sealed.key,
    async sign(message) {
      const raw = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, message);
      return { scheme: 'p256', bytes: toHex(new Uint8Array(raw)) };
    },
  };
}
