/**
 * Premiums as the wallet shows them: whose they are, where each stands, and paying several in one
 * go. Where a premium stands is the server's word alone; what is kept here is whom the reader found
 * by name and number, for as long as the app is open.
 */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { organisationName } from '../organisations.ts';
import { session } from '../session.svelte.ts';
import { signedContent, type Signed } from './act.ts';
import { isForPremiums, type AccountWay } from './sources.ts';
import { EMPLOYEES, seasonOf, type Season } from './season.ts';

/** Somebody whose premium is shown. */
export type Payee = { readonly person: string; readonly name: string; readonly relation: 'self' | 'ward' | 'other' };

class Found {
  private of = $state<string>();
  private list = $state.raw<readonly Payee[]>([]);

  /** Those whom the signed-in person found; of nobody else's finding anything is shown. */
  get payees(): readonly Payee[] {
    return this.of === session.party ? this.list : [];
  }

  add(payee: Payee): void {
    this.list = [...this.payees.filter((one) => one.person !== payee.person), payee];
    this.of = session.party;
  }
}
export const found = new Found();

/** Where a premium stands for a reader. */
export type Standing =
  | { readonly kind: 'payable'; readonly due: Schemas['DueView'] | undefined }
  /** Locked for the reader through this wallet: it is paid next. */
  | { readonly kind: 'ready'; readonly due: Schemas['DueView']; readonly until: string }
  | { readonly kind: 'locked'; readonly isMine: boolean; readonly channel: string; readonly until: string }
  | { readonly kind: 'paying' }
  | { readonly kind: 'paid'; readonly payment: string; readonly from: string }
  | { readonly kind: 'waived'; readonly from: string }
  /** It was paid, and no cover came of it. */
  | { readonly kind: 'uncovered' }
  | { readonly kind: 'going_back'; readonly hasFailed: boolean }
  | { readonly kind: 'closed' | 'unregistered' | 'employee' | 'hidden' };

export type Premium = Payee & {
  readonly standing: Standing;
  readonly details: Schemas['PremiumDetails'] | undefined;
};

const OPEN: ReadonlySet<Standing['kind']> = new Set(['locked', 'paying', 'going_back']);

/** Whether it will soon stand elsewhere. What somebody else pays, nobody is told: it is looked for. */
export const isOpen = (one: Premium): boolean => OPEN.has(one.standing.kind);

/** A payment outside that the reader may see. */
export async function paymentOf(reference: string): Promise<Schemas['PremiumPayment'] | undefined> {
  try {
    return await ok(api.GET('/v1/premium-payments/{reference}', { params: { path: { reference } } }));
  } catch (error) {
    if (error instanceof Problem && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** Why somebody does not stand on the list. */
async function unlisted(person: string): Promise<Standing> {
  const { coverages } = await ok(api.GET('/v1/persons/{person}/coverages', { params: { path: { person } } }));
  const isEmployee = coverages.some((one) => one.scheme === EMPLOYEES && one.standing === 'active');
  return { kind: isEmployee ? 'employee' : 'unregistered' };
}

async function standingOf(payee: Payee, premium: Schemas['Premium'], own: string): Promise<Standing> {
  const { details, payable } = premium;
  if (details === null || details === undefined) {
    if (payable) return { kind: 'payable', due: undefined };
    return payee.relation === 'other' ? { kind: 'hidden' } : unlisted(payee.person);
  }
  const { standing } = details;
  const due = details.due ?? undefined;
  switch (standing.standing) {
    case 'due':
      return due === undefined ? { kind: 'closed' } : { kind: 'payable', due };
    case 'locked': {
      const { payer, channel, until } = standing;
      const isMine = payer === session.party;
      if (isMine && channel === own && due !== undefined) return { kind: 'ready', due, until };
      return { kind: 'locked', isMine, channel: await organisationName(channel), until };
    }
    case 'paying':
      return { kind: 'paying' };
    case 'paid': {
      const { payment, benefits_from: from } = standing;
      if (!from) return { kind: 'uncovered' };
      return payment ? { kind: 'paid', payment, from } : { kind: 'waived', from };
    }
    case 'going_back':
      return { kind: 'going_back', hasFailed: (await paymentOf(standing.payment))?.status === 'failed' };
  }
}

/** The premium of somebody; `own` is the wallet's channel. */
async function premiumOf({ id }: Season, payee: Payee, own: string): Promise<Premium> {
  const path = { ...id, person: payee.person };
  const url = '/v1/regions/{region}/schemes/{scheme}/premium-seasons/{year}/persons/{person}';
  const premium = await ok(api.GET(url, { params: { path } }));
  return { ...payee, details: premium.details ?? undefined, standing: await standingOf(payee, premium, own) };
}

export type Household = {
  readonly season: Season | undefined;
  readonly premiums: readonly Premium[];
  readonly currency: string;
  readonly today: string;
  readonly cardEnd: string | undefined;
  /** What the reader's personal account has. */
  readonly available: string;
  readonly family: Schemas['Family'];
};

/** The reader, those in the reader's care, those whom the reader helps with it, and whom the reader found. */
export async function loadHousehold(): Promise<Household> {
  const path = { person: session.id };
  const [profile, person, { wards }, { today }, account, family] = await Promise.all([
    ok(api.GET('/v1/persons/{person}/profile', { params: { path } })),
    ok(api.GET('/v1/persons/{person}', { params: { path } })),
    ok(api.GET('/v1/persons/{person}/wards', { params: { path } })),
    ok(api.GET('/v1/persons/{person}/coverages', { params: { path } })),
    ok(api.GET('/v1/persons/{person}/account', { params: { path } })),
    ok(api.GET('/v1/persons/{person}/family', { params: { path } })),
  ]);
  const region = await ok(api.GET('/v1/regions/{region}', { params: { path: { region: person.region } } }));
  const season = await seasonOf(person.region, today);
  const near: readonly Payee[] = [
    { person: session.id, name: profile.name, relation: 'self' },
    ...wards.map((ward) => ({ person: ward.person, name: ward.name, relation: 'ward' as const })),
  ];
  const isNew = ({ person: id }: Pick<Payee, 'person'>): boolean => !near.some((other) => other.person === id);
  const others = found.payees.filter(isNew);
  const helped = family.helps
    .filter((one) => isForPremiums(one) && isNew(one) && !others.some((other) => other.person === one.person))
    .map(({ person: id, name }) => ({ person: id, name, relation: 'other' as const }));
  const load = (payees: readonly Payee[]): Promise<readonly Premium[]> =>
    season === undefined ? Promise.resolve([]) : Promise.all(payees.map((one) => premiumOf(season, one, region.bureau)));
  const [premiums, ofHelped] = await Promise.all([load([...near, ...others]), load(helped)]);
  // Nobody looked for these: they are shown where something can be done or is known.
  const shown = ofHelped.filter((one) => one.standing.kind !== 'hidden');
  const cardEnd = profile.card_last_four ?? undefined;
  const available = account.available ?? '0';
  return { season, premiums: [...premiums, ...shown], currency: region.currency, today, cardEnd, available, family };
}

/** Finds somebody by name and number. */
export async function find({ id }: Season, name: string, number: string): Promise<void> {
  const path = { person: session.id };
  const body = { season: id, name, number };
  const { person } = await ok(api.POST('/v1/persons/{person}/premium-lookups', { params: { path }, body }));
  found.add({ person, name, relation: 'other' });
}

/** Locks for the reader, or takes the reader's own lock over from another channel. */
export async function lock({ id }: Season, person: string): Promise<void> {
  const path = { person: session.id };
  await ok(api.POST('/v1/persons/{person}/premium-locks', { params: { path }, body: { season: id, person } }));
}

export async function release({ id }: Season, person: string): Promise<void> {
  const path = { person: session.id };
  await ok(api.POST('/v1/persons/{person}/premium-releases', { params: { path }, body: { season: id, person } }));
}

export type Item = { readonly person: string; readonly repair_years: number; readonly amount: string };

/** A payment that the reader confirms once: to be sent as often as it takes, and done once. */
export type Confirmed = { readonly signed: Signed; readonly key: string; readonly isFromAccounts: boolean };

/** By the bound card, or by personal accounts. */
export async function confirmed({ id }: Season, items: readonly Item[], way: AccountWay | undefined, key: string): Promise<Confirmed> {
  if (way !== undefined && way.beside === undefined) {
    const paid = items.flatMap((item) => {
      const source = way.sources.get(item.person);
      return source === undefined ? [] : [{ ...item, source }];
    });
    if (paid.length !== items.length) throw new TypeError('an account pays all of them or none');
    const signed = await signedContent('pay_premiums_from_accounts', { season: id, payer: session.id, items: paid }, key);
    return { signed, key, isFromAccounts: true };
  }
  const path = { person: session.id };
  const legs = await ok(api.POST('/v1/persons/{person}/premium-cash-legs', { params: { path }, body: { idempotency_key: key } }));
  const { channel, cash } = legs;
  const payer = session.party ?? '';
  const account = way?.beside?.account ?? '0';
  const parts = items.map((item) => ({ ...item, from_account: item.person === session.id ? account : '0' }));
  const signed = await signedContent('pay_premiums', { season: id, payer, channel, items: parts, cash }, key);
  return { signed, key, isFromAccounts: false };
}

export type Sent = { readonly number: number; readonly payment: string };

export async function send({ signed, key, isFromAccounts }: Confirmed): Promise<Sent> {
  if (isFromAccounts) {
    const header = { 'Idempotency-Key': key };
    const { receipt } = await ok(api.POST('/v1/transactions', { params: { header }, body: signed }));
    return { number: receipt.id, payment: receipt.transaction_id };
  }
  const path = { person: session.id };
  const { receipt } = await ok(api.POST('/v1/persons/{person}/premium-payments', { params: { path }, body: signed }));
  const [ordered] = receipt.effects;
  if (ordered === undefined) throw new TypeError('the payment orders nothing');
  return { number: receipt.id, payment: ordered.reference };
}

/** How many receipts are looked through for the number of an earlier payment. */
const RECEIPTS = 100;

/** The numbers of the reader's payments of late, by their references. */
export async function paymentNumbers(): Promise<ReadonlyMap<string, number>> {
  const query = { order: 'newest' as const, limit: RECEIPTS };
  const { receipts } = await ok(api.GET('/v1/receipts', { params: { query } }));
  return new Map(
    receipts.flatMap((one) => {
      if (one.kind === 'pay_premiums_from_accounts') return [[one.transaction_id, one.id] as const];
      return one.kind === 'pay_premiums' ? one.effects.map((effect) => [effect.reference, one.id] as const) : [];
    }),
  );
}
