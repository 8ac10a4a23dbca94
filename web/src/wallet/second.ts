/** What waits for a second person: what the payer asks, and what the second person is asked. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { authorise } from '../keys/signer.ts';
import { toHex } from '../ledger/borsh.ts';
import type { Body, KindName } from '../ledger/kinds.ts';
import { randomHex, transactionId, type Content } from '../ledger/transaction.ts';
import { network, session } from '../session.svelte.ts';
import { signedContent, type Signed } from './act.ts';
import { device } from './device.svelte.ts';

type Request = Schemas['FamilyRequest'];

type Asked<A> = Omit<Request, 'asked'> & { readonly asked: A };
/** What is asked in the family account. */
export type Matter = Asked<Extract<Request['asked'], { kind: 'bind_member' | 'grant_aid' }>>;
export const isMatter = (one: Request): one is Matter & Request => ['bind_member', 'grant_aid'].includes(one.asked.kind);

/** Whether the ledger lacks the second person and nothing else. */
export const isMissing = (caught: unknown): boolean => caught instanceof Problem && caught.code === 'approval_missing';

/** Does it, or gives what the second person is to be asked. */
export async function actOr<K extends KindName>(kind: K, body: Body<K>): Promise<Signed | undefined> {
  const key = randomHex(16);
  const signed = await signedContent(kind, body, key);
  try {
    await ok(api.POST('/v1/transactions', { params: { header: { 'Idempotency-Key': key } }, body: signed }));
    return undefined;
  } catch (caught) {
    if (isMissing(caught)) return signed;
    throw caught;
  }
}

/** Asks the second person. */
export function ask(signed: Signed): Promise<Request> {
  const path = { person: session.id };
  return ok(api.POST('/v1/persons/{person}/family-requests', { params: { path }, body: signed }));
}

/** Where a question stands: nothing while it waits. */
export async function answerTo(request: string): Promise<'done' | 'refused' | undefined> {
  const path = { person: session.id };
  const { requests } = await ok(api.GET('/v1/persons/{person}/family-requests', { params: { path } }));
  if (requests.some((one) => one.request === request)) return undefined;
  try {
    const receipt = await ok(api.GET('/v1/transactions/{transaction_id}', { params: { path: { transaction_id: request } } }));
    return receipt.outcome.status === 'accepted' ? 'done' : 'refused';
  } catch (caught) {
    if (caught instanceof Problem && caught.code === 'not_found') return 'refused';
    throw caught;
  }
}

/** How much the second person agrees to, in minor units; nothing where no money moves. */
export function amountOf({ asked }: Request): string | undefined {
  switch (asked.kind) {
    case 'settle_visit': {
      const { cash, personal_account } = asked.body.split;
      return String(BigInt(cash) + BigInt(personal_account));
    }
    case 'send_transfer':
      return asked.body.amount;
    case 'pay_premiums':
    case 'pay_premiums_from_accounts':
      return String((asked.body.items as readonly { amount: string }[]).reduce((sum, one) => sum + BigInt(one.amount), 0n));
    default:
      return undefined;
  }
}

/** Agrees; the id is computed from what is shown, and another one is not signed. */
export async function agree(request: Request, mismatch: string): Promise<void> {
  const { chain_id } = await network();
  const { kind, body } = request.asked;
  // Each kind stands with its own body, which the two names do not say together.
  const content = { chain_id, ...request.head, kind, body } as Content<KindName>;
  const id = await transactionId(content);
  if (toHex(id) !== request.request) throw new Error(mismatch);
  const authorisation = await authorise(await device.signer(), id);
  const path = { request: request.request };
  await ok(api.POST('/v1/family-requests/{request}/confirmations', { params: { path }, body: { authorisation } }));
}

export async function drop(request: string): Promise<void> {
  await ok(api.DELETE('/v1/family-requests/{request}', { params: { path: { request } } }));
}
