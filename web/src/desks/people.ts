/** People at the bureau's desk: whom it found, and what it does for them with a reason. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { tidyNumber } from '../identity.ts';
import type { Body } from '../ledger/kinds.ts';
import { session } from '../session.svelte.ts';
import { draft, signed } from './desk.svelte.ts';

export type ActKind =
  | 'lock_person'
  | 'unlock_person'
  | 'revoke_person_key'
  | 'block_card'
  | 'reset_pin_counter'
  | 'set_payment_limits'
  | 'close_person'
  | 'stop_recovery'
  | 'complete_recovery'
  | 'claim_transfer'
  | 'withdraw_transfer';
export type Reason = Schemas['DeskReason'];

/** The reasons that a desk may have for each act. */
export const REASONS: { readonly [K in ActKind]: readonly Reason[] } = {
  lock_person: ['phone_lost', 'misuse_suspected', 'asked_by_person', 'asked_by_family', 'ordered', 'other'],
  unlock_person: ['resolved', 'asked_by_person', 'ordered', 'other'],
  revoke_person_key: ['phone_lost', 'misuse_suspected', 'asked_by_person', 'asked_by_family', 'ordered', 'other'],
  block_card: ['card_lost', 'misuse_suspected', 'asked_by_person', 'asked_by_family', 'ordered', 'other'],
  reset_pin_counter: ['asked_by_person', 'other'],
  set_payment_limits: ['asked_by_person', 'ordered', 'other'],
  stop_recovery: ['misuse_suspected', 'asked_by_person', 'asked_by_family', 'ordered', 'other'],
  complete_recovery: ['asked_by_person', 'other'],
  claim_transfer: ['asked_by_person', 'other'],
  withdraw_transfer: ['asked_by_person', 'other'],
  close_person: ['death', 'left_for_good', 'asked_by_person', 'ordered', 'other'],
};

/** What the identity authority signs as well, for the one whose document the desk sees. */
export const NEEDS_DOCUMENT: ReadonlySet<ActKind> = new Set(['unlock_person', 'reset_pin_counter', 'set_payment_limits', 'close_person', 'complete_recovery']);

const path = (): { readonly organisation: string } => ({ organisation: session.id });

export async function findPerson(name: string, number: string): Promise<Schemas['FoundPerson']> {
  const body = { name: name.trim(), number: tidyNumber(number) };
  return ok(api.POST('/v1/organisations/{organisation}/person-lookups', { params: { path: path() }, body }));
}

export async function activate(name: string, number: string): Promise<Schemas['Activation']> {
  const body = { name: name.trim(), number: tidyNumber(number) };
  return ok(api.POST('/v1/organisations/{organisation}/activations', { params: { path: path() }, body }));
}

/** All that the bureau's desk sees of somebody. */
export type Seen = {
  readonly profile: Schemas['Profile'];
  readonly row: Schemas['Person'];
  readonly covers: readonly Schemas['Coverage'][];
  readonly account: Schemas['AccountBalance'];
  readonly acts: readonly Schemas['DeskAct'][];
  readonly contestable: readonly Schemas['ContestableVisit'][];
  readonly transfers: Schemas['Transfers'];
};

export async function see(person: string): Promise<Seen> {
  const params = { params: { path: { person } } };
  const [profile, row, { coverages }, account, { acts }, { visits }, transfers] = await Promise.all([
    ok(api.GET('/v1/persons/{person}/profile', params)),
    ok(api.GET('/v1/persons/{person}', params)),
    ok(api.GET('/v1/persons/{person}/coverages', params)),
    ok(api.GET('/v1/persons/{person}/account', params)),
    ok(api.GET('/v1/persons/{person}/desk-acts', params)),
    ok(api.GET('/v1/persons/{person}/contestable-visits', params)),
    ok(api.GET('/v1/persons/{person}/transfers', params)),
  ]);
  return { profile, row, covers: coverages, account, acts, contestable: visits, transfers };
}

type Why = { readonly reason: Reason; readonly words: string; readonly identity?: Schemas['IdentityDocument'] };

const HOUR_MILLIS = 3_600_000;

/**
 * One act of a desk. What was signed and not answered is sent again as it is, so that nothing is
 * done twice after a lost connection; what was refused is signed anew.
 */
export class DeskAct<K extends ActKind> {
  private sent: { readonly said: string; readonly signed: Awaited<ReturnType<typeof signed>> } | undefined;

  constructor(private readonly kind: K) {}

  async do(body: Body<K>, why: Why): Promise<void> {
    const said = JSON.stringify([body, why]);
    if (this.sent?.said !== said) this.sent = { said, signed: await signed(await draft(this.kind, body, HOUR_MILLIS)) };
    try {
      const url = '/v1/organisations/{organisation}/desk-acts';
      await ok(api.POST(url, { params: { path: path() }, body: { ...this.sent.signed, ...why } }));
    } catch (caught) {
      if (caught instanceof Problem) this.sent = undefined;
      throw caught;
    }
  }
}
