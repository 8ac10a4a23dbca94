/** What a person does on the ledger alone: a transaction that only they sign. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { authorise } from '../keys/signer.ts';
import { encodeContent, randomHex, transactionId, type Content } from '../ledger/transaction.ts';
import type { Body, KindName } from '../ledger/kinds.ts';
import { toHex } from '../ledger/borsh.ts';
import { network, session } from '../session.svelte.ts';
import { device } from './device.svelte.ts';

const VALIDITY_MILLIS = 3_600_000;

export type Signed = Pick<Schemas['TransactionRequest'], 'authorisations'> & { readonly content: string };

async function sign<K extends KindName>(
  kind: K,
  body: Body<K>,
  key = randomHex(16),
): Promise<Signed & { readonly key: string }> {
  const { chain_id, time } = await network();
  // The ledger's clock counts, and this device's may be wrong: the later of both is used.
  const now = Math.max(Date.now(), Date.parse(time));
  const content: Content<K> = {
    chain_id,
    author: session.party ?? '',
    idempotency_key: key,
    valid_until: new Date(now + VALIDITY_MILLIS).toISOString(),
    kind,
    body,
  };
  const authorisation = await authorise(await device.signer(), await transactionId(content));
  return { content: toHex(encodeContent(content)), authorisations: [authorisation], key: content.idempotency_key };
}

/**
 * A transaction of the person's, signed, for an endpoint that adds to it. Its key against doing it
 * twice is said by whoever needs to know it before.
 */
export async function signedContent<K extends KindName>(kind: K, body: Body<K>, key?: string): Promise<Signed> {
  const { content, authorisations } = await sign(kind, body, key);
  return { content, authorisations };
}

export async function act<K extends KindName>(kind: K, body: Body<K>): Promise<void> {
  const { key, ...signed } = await sign(kind, body);
  await ok(api.POST('/v1/transactions', { params: { header: { 'Idempotency-Key': key } }, body: signed }));
}
