/** What regions advance for each other, at the desks of both bureaus and of whoever supervises one. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import * as borsh from '../ledger/borsh.ts';
import { hash, id, organisation } from '../ledger/forms.ts';
import { sha256 } from '../ledger/transaction.ts';
import { session } from '../session.svelte.ts';
import { act } from './desk.svelte.ts';

export type Interregion = Schemas['Interregion'];
export type PairStanding = Schemas['PairStanding'];
export type RegionPair = Schemas['RegionPairStanding'];
export type StatementItems = Schemas['RegionStatementItems'];
export type Item = StatementItems['items'][number];
export type Disputed = Schemas['DisputedItem'];
export type Month = { readonly year: number; readonly month: number };
type Pair = { readonly insured: number; readonly care: number };

export const REASONS = ['not_entitled', 'wrong_amount', 'duplicate', 'doubtful', 'undocumented'] as const satisfies readonly Schemas['DisputeReason'][];

export const interregionOf = (region: number): Promise<Interregion> => ok(api.GET('/v1/regions/{region}/interregion', { params: { path: { region } } }));

export const pairOf = (path: Pair): Promise<RegionPair> => ok(api.GET('/v1/interregion/{insured}/{care}', { params: { path } }));

/** A statement with all of its items, page by page. */
export async function statementOf(pair: Pair, month: Month): Promise<StatementItems> {
  const path = { ...pair, ...month };
  const url = '/v1/interregion/{insured}/{care}/statements/{year}/{month}';
  const first = await ok(api.GET(url, { params: { path } }));
  const items = [...first.items];
  let { next } = first;
  while (typeof next === 'number') {
    const more: StatementItems = await ok(api.GET(url, { params: { path, query: { after: next } } }));
    items.push(...more.items);
    next = more.next;
  }
  return { ...first, items };
}

const u64: borsh.Encode<number> = (value, out) => borsh.amount(String(value), out);
const itemForm = borsh.struct<Pick<Item, 'number' | 'visit' | 'provider' | 'transaction' | 'amount' | 'is_return' | 'moved'>>({
  number: u64,
  visit: id,
  provider: organisation,
  transaction: hash,
  amount: borsh.amount,
  is_return: borsh.bool,
  moved: borsh.instant,
});

/** The hash over these items, from the one over those before: what is signed is the one of what is shown. */
export async function hashOf({ insured, care, statement, items }: Pick<StatementItems, 'insured' | 'care' | 'items'> & { readonly statement: { readonly before: string } }): Promise<string> {
  let before = statement.before;
  for (const { number, visit, provider, transaction, amount, is_return, moved } of items) {
    const out = new borsh.Writer();
    borsh.u32(insured, out);
    borsh.u32(care, out);
    itemForm({ number, visit, provider, transaction, amount, is_return, moved }, out);
    before = borsh.toHex(await sha256('yibao/region-item/v1', borsh.fromHex(before), out.done()));
  }
  return before;
}

/** Whether the items shown are all of the statement, and come to its sums, its counts and its hash. */
export async function isVerified(shown: StatementItems): Promise<boolean> {
  const { statement, items } = shown;
  const isWhole = items.length === statement.to_item - statement.after_item && items.every(({ number }, at) => number === statement.after_item + 1 + at);
  const sum = (isReturn: boolean): bigint => items.filter((one) => one.is_return === isReturn).reduce((all, { amount }) => all + BigInt(amount), 0n);
  const isSum = sum(false) === BigInt(statement.gross) && sum(true) === BigInt(statement.returned);
  const returns = items.filter((one) => one.is_return).length;
  const isCount = returns === statement.returns && items.length - returns === statement.settlements;
  return isWhole && isSum && isCount && (await hashOf(shown)) === statement.items;
}

/** Agrees to what is shown, apart from these items. */
export async function answer(shown: StatementItems, disputed: readonly Disputed[]): Promise<void> {
  const { insured, care, month } = shown;
  await act('answer_interregion_statement', {
    insured,
    care,
    month,
    items: await hashOf(shown),
    disputed: [...disputed].sort((one, other) => one.number - other.number),
    by: session.id,
  });
}

export const endDispute = ({ insured, care }: Pair, item: number): Promise<void> => act('end_item_dispute', { insured, care, item, by: session.id });

export const closeMonth = ({ insured, care }: Pair, month: Month): Promise<void> => act('close_interregion_month', { care, insured, month });

/** What the own bank booked beside what the other region announced. */
export function difference(announced: string, booked: string): { readonly is: 'same' | 'less' | 'more'; readonly by: bigint } {
  const by = BigInt(booked) - BigInt(announced);
  if (by === 0n) return { is: 'same', by };
  return by < 0n ? { is: 'less', by: -by } : { is: 'more', by };
}

export type Payment = { readonly amount: string; readonly day: string; readonly reference: string; readonly salt: string };

/** Confirms that a payment of the insured region came in; the reference of the own bank counts once. */
export async function confirmPayment({ insured, care }: Pair, { amount, day, reference, salt }: Payment): Promise<void> {
  const hashed = borsh.toHex(await sha256('yibao/bank-reference/v1', borsh.fromHex(salt), reference));
  await act('confirm_region_payment', { care, insured, amount, day, reference: hashed });
}

/** Whether the region has rules by which its batches are paid: without any, the bureau cannot pay another one either. */
export async function hasClearingRules(region: number): Promise<boolean> {
  const { rules } = await ok(api.GET('/v1/regions/{region}/clearing', { params: { path: { region } } }));
  return rules !== undefined && rules !== null;
}

/** The month after the last that was stated, or before the first one the last that is over. */
export function nextMonth(last: Month | null | undefined, today: string): Month {
  const [year, month] = [Number(today.slice(0, 4)), Number(today.slice(5, 7))];
  if (!last) return month === 1 ? { year: year - 1, month: 12 } : { year, month: month - 1 };
  return last.month === 12 ? { year: last.year + 1, month: 1 } : { year: last.year, month: last.month + 1 };
}

/** Whether a month is over on this day. */
export const isOver = ({ year, month }: Month, today: string): boolean => `${year}-${String(month).padStart(2, '0')}` < today.slice(0, 7);

/** The month that the bureau of the region of care may close now, if any: it is over, nothing waits for an answer, and there are items or ended disputes to state. */
export function monthToClose({ standing, today }: Pick<RegionPair, 'standing' | 'today'>): Month | undefined {
  const month = nextMonth(standing.last, today);
  const isSomething = standing.unstated > 0 || standing.open !== '0';
  return isSomething && !standing.waits && isOver(month, today) ? month : undefined;
}

/** Whether this bureau, of the region of care, may agree in the insured region's place: the last day for its answer has passed. */
export const mayAgreeLate = (pair: Pick<RegionPair, 'care_bureau' | 'today'>, { answer, answer_by }: Pick<StatementItems['statement'], 'answer' | 'answer_by'>, bureau: string): boolean =>
  !answer && pair.care_bureau === bureau && answer_by < pair.today;

type Told = Pick<Schemas['Receipt'], 'events'>;

/** Whether a statement between regions was made or answered, or a dispute ended: nothing else changes one. */
export const isAboutStatements = ({ events }: Told): boolean => events.some((event) => /^(interregion_month_|interregion_statement_|item_dispute_)/.test(event));

/** Whether something between regions happened: a statement, rules, or a payment on its way. */
export const isAboutRegions = (told: Told): boolean => isAboutStatements(told) || told.events.some((event) => /^(interregion_rules_|region_payment_|payout_)/.test(event));
