/**
 * Passkeys: a P-256 key in the phone's own keeper, which asks for finger, face or PIN. What is signed
 * is an assertion whose challenge is the id; the ledger checks it (crates/primitives/src/key.rs).
 */
import type { Schemas } from '../api/types.ts';
import { fromHex, toHex } from '../ledger/borsh.ts';
import { NotConfirmed, type Signer } from './signer.ts';

const ES256 = -7;
const TIMEOUT = 120_000;

/** Whether this browser has passkeys with a check of the person; many in-app browsers have none. */
export async function hasPasskeys(): Promise<boolean> {
  if (typeof PublicKeyCredential === 'undefined' || !navigator.credentials) return false;
  try {
    return await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable();
  } catch {
    return false;
  }
}

/** What a person who holds a phone did not do is no error of ours. */
function asked(error: unknown): never {
  const refusals = ['NotAllowedError', 'AbortError'];
  if (error instanceof DOMException && refusals.includes(error.name)) throw new NotConfirmed(error.message);
  throw error;
}

/** The two numbers of a signature in DER, each in 32 bytes. */
export function rawSignature(der: Uint8Array): Uint8Array {
  const raw = new Uint8Array(64);
  let at = 2;
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0;
    if (der[0] !== 0x30 || der[at] !== 0x02 || length === 0 || length > 33) throw new TypeError('no signature');
    const number = der.subarray(at + 2, at + 2 + length);
    const digits = number.length === 33 ? number.subarray(1) : number;
    raw.set(digits, end - digits.length);
    at += 2 + length;
  }
  if (at !== der.length) throw new TypeError('no signature');
  return raw;
}

/** The point of a P-256 key: the last 64 bytes of its usual form (SPKI, uncompressed). */
const SPKI_BYTES = 91;

export type NewPasskey = { readonly key: Schemas['PublicKey']; readonly credential: string };

export async function createPasskey(
  rpId: string,
  person: string,
  name: string,
): Promise<NewPasskey> {
  const created = await navigator.credentials
    .create({
      publicKey: {
        rp: { id: rpId, name: 'yibao 医保' },
        user: { id: fromHex(person), name, displayName: name },
        // The challenge of a creation is not used: the key counts by what the bureau registers.
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        pubKeyCredParams: [{ type: 'public-key', alg: ES256 }],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        attestation: 'none',
        timeout: TIMEOUT,
      },
    })
    .catch(asked);
  if (!(created instanceof PublicKeyCredential)) throw new NotConfirmed('nothing was created');
  const response = created.response as AuthenticatorAttestationResponse;
  const spki = new Uint8Array(response.getPublicKey() ?? new ArrayBuffer(0));
  if (response.getPublicKeyAlgorithm() !== ES256 || spki.length !== SPKI_BYTES || spki[26] !== 4) {
    throw new TypeError('the passkey has a key of another kind');
  }
  return { key: `p256:${toHex(spki.subarray(27))}`, credential: toHex(new Uint8Array(created.rawId)) };
}

async function assertion(
  rpId: string,
  challenge: Uint8Array<ArrayBuffer>,
  credential: string | undefined,
): Promise<{ person: string | undefined; credential: string; signature: Schemas['Signature'] }> {
  const allowed: PublicKeyCredentialDescriptor[] =
    credential === undefined ? [] : [{ type: 'public-key', id: fromHex(credential) }];
  const found = await navigator.credentials
    .get({
      publicKey: { rpId, challenge, allowCredentials: allowed, userVerification: 'required', timeout: TIMEOUT },
    })
    .catch(asked);
  if (!(found instanceof PublicKeyCredential)) throw new NotConfirmed('nothing was signed');
  const response = found.response as AuthenticatorAssertionResponse;
  const handle = response.userHandle;
  return {
    person: handle === null ? undefined : toHex(new Uint8Array(handle)),
    credential: toHex(new Uint8Array(found.rawId)),
    signature: {
      scheme: 'webauthn',
      authenticator_data: toHex(new Uint8Array(response.authenticatorData)),
      client_data_json: toHex(new Uint8Array(response.clientDataJSON)),
      signature: toHex(rawSignature(new Uint8Array(response.signature))),
    },
  };
}

export function passkeySigner<K extends Schemas['PublicKey'] | undefined>(
  rpId: string,
  party: Schemas['Party'],
  key: K,
  credential: string,
): Omit<Signer, 'key'> & { readonly key: K } {
  return {
    party,
    key,
    sign: async (message) => (await assertion(rpId, message, credential)).signature,
  };
}

/**
 * Which passkey of this site the person chooses, on a device that knows nothing yet. What it signs is
 * random and serves for nothing.
 */
export async function choosePasskey(rpId: string): Promise<{ person: string; credential: string }> {
  const challenge = crypto.getRandomValues(new Uint8Array(32));
  const { person, credential } = await assertion(rpId, challenge, undefined);
  if (person === undefined) throw new TypeError('the passkey does not say whose it is');
  return { person, credential };
}
