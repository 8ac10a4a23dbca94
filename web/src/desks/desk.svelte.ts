/** The desk that this browser is: whose key it holds, and what it keeps of the visits it works on. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { deskSigner, type DeskKey } from '../keys/desk.ts';
import { authorise, type Signer } from '../keys/signer.ts';
import { forget, keep, kept } from '../keys/store.ts';
import { toHex } from '../ledger/borsh.ts';
import type { Body, KindName } from '../ledger/kinds.ts';
import { encodeContent, randomHex, transactionId, type Content } from '../ledger/transaction.ts';
import { network, session } from '../session.svelte.ts';
import { beginDrafts, forgetDraft, forgetDrafts } from './drafts.ts';
import { forgetClerk } from './till.svelte.ts';

type Held = DeskKey & { readonly organisation: string };

const NAME = 'desk';

/** What an identity card that is shown says. */
export type Shown = Schemas['IdentityDocument'];

class Desk {
  held = $state.raw<Held>();
  /** Cards that were shown when a visit was opened: kept nowhere but in this page, and asked for again when it is gone. */
  readonly shown = new Map<string, Shown>();

  async load(): Promise<void> {
    this.held = await kept<Held>(NAME);
  }

  async hold(held: Held): Promise<void> {
    await keep(NAME, held);
    this.held = held;
  }

  async forget(): Promise<void> {
    await forget(NAME);
    this.held = undefined;
  }

  signer(): Signer {
    if (this.held === undefined) throw new TypeError('this desk holds no key');
    return deskSigner(`organisation:${this.held.organisation}`, this.held);
  }

  /** Who works here: nothing of another one is shown, whether that one signed out or the session ended. */
  begin(): void {
    if (this.held !== undefined && beginDrafts(`${this.held.organisation}/${this.held.key}`)) this.forgetPeople();
  }

  private forgetPeople(): void {
    this.shown.clear();
    forgetClerk();
  }

  /** What is settled or cancelled is not worked on any more. */
  done(visit: string): void {
    this.shown.delete(visit);
    forgetDraft(visit);
  }

  leave(): void {
    this.forgetPeople();
    forgetDrafts();
  }
}
export const desk = new Desk();

/** The content of a transaction that this desk brings. */
export async function draft<K extends KindName>(
  kind: K,
  body: Body<K>,
  validMillis: number,
  key = randomHex(16),
): Promise<Content<K>> {
  const { chain_id, time } = await network();
  const now = Math.max(Date.now(), Date.parse(time));
  return {
    chain_id,
    author: session.party ?? '',
    idempotency_key: key,
    valid_until: new Date(now + validMillis).toISOString(),
    kind,
    body,
  };
}

export async function signed(content: Content): Promise<{ content: string; authorisations: Schemas['Authorisation'][] }> {
  const authorisation = await authorise(desk.signer(), await transactionId(content));
  return { content: toHex(encodeContent(content)), authorisations: [authorisation] };
}

const HOUR_MILLIS = 3_600_000;

/** What the desk does alone, such as checking somebody in. */
export async function act<K extends KindName>(kind: K, body: Body<K>): Promise<void> {
  const content = await draft(kind, body, HOUR_MILLIS);
  const header = { 'Idempotency-Key': content.idempotency_key };
  await ok(api.POST('/v1/transactions', { params: { header }, body: await signed(content) }));
}
