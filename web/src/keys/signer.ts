/** Who signs, and with what. */
import type { Schemas } from '../api/types.ts';

export type Signer = {
  readonly party: Schemas['Party'];
  readonly key: Schemas['PublicKey'];
  /** Signs the 32 bytes of an id; a person is asked for finger, face or PIN. */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Schemas['Signature']>;
};

/** The person did not confirm: refused, or waited too long. Nothing was signed. */
export class NotConfirmed extends Error {
  override readonly name = 'NotConfirmed';
}

export async function authorise(signer: Signer, id: Uint8Array<ArrayBuffer>): Promise<Schemas['Authorisation']> {
  return { party: signer.party, key: signer.key, signature: await signer.sign(id) };
}
