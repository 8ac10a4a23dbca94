/** The key of a desk: Ed25519 from a key file of the organisation, kept so that no script reads it. */
import type { Schemas } from '../api/types.ts';
import { fromHex, toHex } from '../ledger/borsh.ts';
import type { Signer } from './signer.ts';

/** The file is no key file of this kind; the reason is one of the messages of the desks. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  constructor(readonly reason: 'form' | 'scheme' | 'browser') {
    super(reason);
  }
}

export type DeskKey = { readonly key: Schemas['PublicKey']; readonly secret: CryptoKey };

/** What stands before the 32 secret bytes in PKCS #8 (RFC 8410). */
const PKCS8_PREFIX = '302e020100300506032b657004220420';

export async function readDeskKey(text: string): Promise<DeskKey> {
  let file: { format?: unknown; scheme?: unknown; secret?: unknown; public?: unknown };
  try {
    file = JSON.parse(text);
  } catch {
    throw new KeyFileError('form');
  }
  const { format, scheme, secret, public: key } = file ?? {};
  if (format !== 'yibao secret key 1' || typeof secret !== 'string' || typeof key !== 'string') {
    throw new KeyFileError('form');
  }
  if (scheme !== 'ed25519' || !/^[0-9a-f]{64}$/.test(secret)) throw new KeyFileError('scheme');
  const bytes = fromHex(PKCS8_PREFIX + secret);
  try {
    return { key, secret: await crypto.subtle.importKey('pkcs8', bytes, 'Ed25519', false, ['sign']) };
  } catch {
    throw new KeyFileError('browser');
  } finally {
    bytes.fill(0);
  }
}

export function deskSigner(party: Schemas['Party'], { key, secret }: DeskKey): Signer {
  return {
    party,
    key,
    async sign(message) {
      return { scheme: 'ed25519', bytes: toHex(new Uint8Array(await crypto.subtle.sign('Ed25519', secret, message))) };
    },
  };
}
