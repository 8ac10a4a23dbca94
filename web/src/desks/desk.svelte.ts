/** The desk that this browser is: whose key it holds, and the visits it works on. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { deskSigner, type DeskKey } from '../keys/desk.ts';
import { authorise, type Signer } from '../keys/signer.ts';
import { forget, keep, kept } from '../keys/store.ts';
import { toHex } from '../ledger/borsh.ts';
import type { Body, KindName } from '../ledger/kinds.ts';
import { encodeContent, randomHex, transactionId, type Content } from '../ledger/transaction.ts';
import { network, session } from '../session.svelte.ts';

type Held = DeskKey & { readonly organisation: string };

/** A patient whom this desk received, and the visit it opened. */
export type Received = {
  readonly visit: string;
  readonly patient: Schemas['Patient'];
  readonly subject: Schemas['VisitSubject'];
};

const NAME = 'desk';
const RECEIVED = 'yibao.desk.received';
/** How many visits a desk keeps in sight. */
const RECEIVED_MAX = 20;

class Desk {
  held = $state.raw<Held>();
  /** Names are kept for as long as the tab is open, and no longer. */
  received = $state.raw<readonly Received[]>(JSON.parse(sessionStorage.getItem(RECEIVED) ?? '[]'));

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

  receive(one: Received): void {
    this.received = [one, ...this.received].slice(0, RECEIVED_MAX);
    this.remember();
  }

  done(visit: string): void {
    this.received = this.received.filter((one) => one.visit !== visit);
    this.remember();
  }

  private remember(): void {
    sessionStorage.setItem(RECEIVED, JSON.stringify(this.received));
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
