/** Receipts of settlements as rows: what a wallet's history, a desk and a payer list. */
import { api, ok, Problem } from './api/client.ts';
import type { Schemas } from './api/types.ts';
import { CURRENCY } from './messages/format.ts';
import { organisationName } from './organisations.ts';

export type SettledKind = 'visit_settled' | 'visit_refunded' | 'settlement_superseded';

export type Row = {
  readonly id: number;
  /** Empty where this party may not see it: a payer knows its share and not whose visit it was. */
  readonly visit: string;
  readonly time: string;
  readonly day: string;
  readonly hospital: string;
  readonly kind: SettledKind;
  readonly total: string | undefined;
  readonly account: string | undefined;
  readonly self: string | undefined;
  /** The receipt of the settlement that this changed, where this party may see it. */
  readonly of: number | undefined;
  /** What a change gave back of the bill. */
  readonly back: string | undefined;
  /** What this payer pays, and what went back. */
  readonly amounts: ReadonlyMap<string, string>;
  readonly currency: string;
};

const KINDS: Readonly<Record<string, SettledKind>> = {
  settle_visit: 'visit_settled',
  refund_visit: 'visit_refunded',
  supersede_settlement: 'settlement_superseded',
};
const PAGE = 100;
const LARGE_PAGE = 200;

type Facts = { readonly amounts: Map<string, string>; readonly texts: Map<string, string>; readonly currency: string };

function factsOf(receipt: Schemas['Receipt']): Facts {
  const amounts = new Map<string, string>();
  const texts = new Map<string, string>();
  let currency: string = CURRENCY;
  for (const { name, value } of receipt.fields) {
    if (value?.type === 'amount') {
      amounts.set(name, value.value.amount);
      ({ currency } = value.value);
    } else if (typeof value?.value === 'string') {
      texts.set(name, value.value);
    }
  }
  return { amounts, texts, currency };
}

/** Receipts of settlements that others changed, by their transactions: none of them ever becomes another. */
const originals = new Map<string, Promise<Schemas['Receipt'] | undefined>>();

/** The settlement that a change is of. Its receipt says by whom and when care was given; that of the change does not. */
function originalOf(transaction_id: string): Promise<Schemas['Receipt'] | undefined> {
  const known = originals.get(transaction_id);
  if (known !== undefined) return known;
  const asked = ok(api.GET('/v1/transactions/{transaction_id}', { params: { path: { transaction_id } } })).catch((caught: unknown) => {
    originals.delete(transaction_id);
    if (caught instanceof Problem && caught.code === 'not_found') return undefined;
    throw caught;
  });
  originals.set(transaction_id, asked);
  return asked;
}

/** What a receipt did to a settlement; an upheld contest gives all of it back. */
const kindOf = ({ kind, events }: Schemas['Receipt']): SettledKind | undefined =>
  KINDS[kind] ?? (events.includes('visit_refunded') ? 'visit_refunded' : undefined);

async function rowOf(receipt: Schemas['Receipt']): Promise<Row | undefined> {
  const kind = kindOf(receipt);
  if (kind === undefined || receipt.outcome.status !== 'accepted') return undefined;
  const { amounts, texts, currency } = factsOf(receipt);
  const changed = texts.get('original');
  const original = changed === undefined ? undefined : await originalOf(changed);
  for (const [name, text] of original === undefined ? [] : factsOf(original).texts) if (!texts.has(name)) texts.set(name, text);
  const provider = texts.get('provider')?.replace('organisation:', '');
  return {
    id: receipt.id,
    visit: receipt.visit ?? '',
    kind,
    time: receipt.time,
    day: texts.get('service_to') ?? receipt.time.slice(0, 10),
    hospital: provider === undefined ? '' : await organisationName(provider),
    total: amounts.get('total'),
    account: amounts.get('personal_account'),
    self: amounts.get('cash'),
    of: original?.id,
    back: amounts.get('refunded'),
    amounts,
    currency,
  };
}

const receiptsAfter = (after: number | undefined, limit: number) =>
  ok(api.GET('/v1/receipts', { params: { query: { order: 'newest', limit, ...(after === undefined ? {} : { after }) } } }));

type Page = { readonly rows: readonly Row[]; readonly receipts: readonly Schemas['Receipt'][]; readonly next: number | undefined };

/** Settlements from the newest on, so many receipts at a time, with all receipts among which they were. */
export async function settlementsPage(after: number | undefined): Promise<Page> {
  const page = await receiptsAfter(after, PAGE);
  const found = await Promise.all(page.receipts.map(rowOf));
  return { rows: found.filter((row) => row !== undefined), receipts: page.receipts, next: page.next ?? undefined };
}

/** The receipts of whoever is signed in from the newest on, page by page. */
export async function* receiptPages(): AsyncGenerator<readonly Schemas['Receipt'][]> {
  for (let after: number | undefined; ; ) {
    const { receipts, next } = await receiptsAfter(after, LARGE_PAGE);
    yield receipts;
    if (next === undefined || next === null) return;
    after = next;
  }
}

/** All of them: a sum of half of them would be none. */
export async function allReceipts(onstep?: (read: number) => void): Promise<readonly Schemas['Receipt'][]> {
  const all: Schemas['Receipt'][] = [];
  for await (const receipts of receiptPages()) {
    all.push(...receipts);
    onstep?.(all.length);
  }
  return all;
}

/** Whether something about claims for bills that were paid in full happened. */
export const isAboutClaims = ({ events }: Pick<Schemas['Receipt'], 'events'>): boolean => events.some((event) => event.startsWith('claim_'));
