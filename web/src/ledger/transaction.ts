/** What is signed: a transaction's content, its bytes and its id. */
import type { Schemas } from '../api/types.ts';
import * as borsh from './borsh.ts';
import { sha256 } from './digest.ts';
import { party } from './forms.ts';
import { KINDS, type Body, type KindName } from './kinds.ts';

export { randomHex, sha256 } from './digest.ts';

/** The format version of contents written here. */
const VERSION = 1;

export type Content<K extends KindName = KindName> = {
  readonly chain_id: string;
  readonly author: Schemas['Party'];
  /** 16 random bytes in hex, kept for every further try. */
  readonly idempotency_key: string;
  /** An instant in ISO 8601 with milliseconds. */
  readonly valid_until: string;
  readonly kind: K;
  readonly body: Body<K>;
};

export function encodeContent<K extends KindName>(content: Content<K>): Uint8Array<ArrayBuffer> {
  const out = new borsh.Writer();
  const kind = KINDS[content.kind];
  borsh.u16(VERSION, out);
  borsh.code(32)(content.chain_id, out);
  party(content.author, out);
  borsh.hex(16)(content.idempotency_key, out);
  borsh.instant(content.valid_until, out);
  borsh.u16(kind.number, out);
  const body = borsh.encode(kind.body, content.body);
  borsh.u32(body.length, out);
  out.raw(body);
  return out.done();
}

/** The id, which is what every party signs: it follows from the content and from nothing else. */
export async function transactionId(content: Content): Promise<Uint8Array<ArrayBuffer>> {
  return sha256('yibao/transaction/v1', encodeContent(content));
}
