/** Payments to providers at the desks of those who pay, approve and are paid. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import * as borsh from '../ledger/borsh.ts';
import { hash, organisation } from '../ledger/forms.ts';
import { sha256 } from '../ledger/transaction.ts';
import { dayText } from '../messages/format.ts';
import { receiptPages } from '../receipts.ts';
import { session } from '../session.svelte.ts';
import { act } from './desk.svelte.ts';
import { t } from './words.ts';

export type Clearing = Schemas['Clearing'];
export type Payout = Schemas['Payout'];
export type StatementList = Schemas['StatementList'];
export type BankDay = Schemas['BankDayStanding'];

export const clearingOf = (region: number): Promise<Clearing> => ok(api.GET('/v1/regions/{region}/clearing', { params: { path: { region } } }));

export async function statementsOf(region: number, provider: string): Promise<StatementList> {
  const path = { region, organisation: provider };
  return ok(api.GET('/v1/regions/{region}/clearing/providers/{organisation}', { params: { path } }));
}

export const payoutOf = (region: number, batch: number): Promise<Payout> =>
  ok(api.GET('/v1/regions/{region}/clearing/batches/{batch}', { params: { path: { region, batch } } }));

/** So many batches from the newest on. */
export async function newestPayouts(region: number, last: number, count: number): Promise<readonly Payout[]> {
  const numbers = Array.from({ length: Math.min(last, count) }, (_, before) => last - before);
  return Promise.all(numbers.map((batch) => payoutOf(region, batch)));
}

/** So many days up to this one, the newest first. */
export async function bankDays(region: number, through: string, count: number): Promise<readonly BankDay[]> {
  const days = Array.from({ length: count }, (_, before) => dayBefore(through, before));
  const url = '/v1/regions/{region}/clearing/days/{day}';
  return Promise.all(days.map((day) => ok(api.GET(url, { params: { path: { region, day } } }))));
}

/** The day so many days before. */
export const dayBefore = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);

export const sumOf = (amounts: readonly string[]): bigint => amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);

/** What is open, or that the other side owes instead: of the two amounts one is zero. */
export const openOrOwed = (open: string, owing: string, shown: (amount: string) => string): string =>
  owing === '0' ? shown(open) : t('payouts.owes', { amount: shown(owing) });

/** Whether something about payments to providers happened. */
export const isAboutPayouts = ({ events }: Pick<Schemas['Receipt'], 'events'>): boolean =>
  events.some((event) => /^(payout_|month_closed|hold_back_|bank_day_|suspense_|clearing_|provider_budget_)/.test(event));

type Proposed = Pick<Schemas['PayoutLine'], 'provider' | 'amount' | 'account'>;
const proposedLines = borsh.list(borsh.struct<Proposed>({ provider: organisation, amount: borsh.amount, account: hash }));

/** The hash of day and lines: the approver signs the one of what is shown, not the one that the gateway says. */
export async function linesHash(batch: { readonly execute_on: string; readonly lines: readonly Proposed[] }): Promise<string> {
  const out = new borsh.Writer();
  borsh.day(batch.execute_on, out);
  proposedLines(batch.lines.map(({ provider, amount, account }) => ({ provider, amount, account })), out);
  return borsh.toHex(await sha256('yibao/payout-lines/v1', out.done()));
}

export type Decision = 'approve' | 'withdraw';

/** Approves exactly these lines, or withdraws the batch. */
export async function decide(decision: Decision, shown: Payout): Promise<void> {
  const { region, batch } = shown;
  if (decision === 'withdraw') await act('withdraw_payout', { region, batch, by: session.id });
  else await act('approve_payout', { region, batch, lines: await linesHash(shown), approver: session.id });
}

/** What the bank said of a line, in words. */
export function wordText(line: Payout['lines'][number]): string {
  switch (line.standing) {
    case 'waiting':
      return t('payouts.word.waiting');
    case 'paid':
      return t('payouts.word.paid', { day: dayText(line.day) });
    case 'failed':
      return t('payouts.word.failed', { reason: line.reason });
    case 'returned':
      return t('payouts.word.returned', { paid: dayText(line.paid), day: dayText(line.day), reason: line.reason });
  }
}

/** Something that happened to a provider's payment. */
export type Movement = {
  readonly id: number;
  readonly time: string;
  readonly what: 'ordered' | 'paid' | 'failed' | 'returned';
  readonly amount: string;
  readonly currency: string;
};

/** From which account to which money moves, by what that means. */
const MOVES: Readonly<Record<string, Movement['what']>> = {
  'provider_payable provider_in_payment': 'ordered',
  'provider_in_payment outside': 'paid',
  'provider_in_payment provider_payable': 'failed',
  'outside provider_payable': 'returned',
};
const KINDS: readonly string[] = ['approve_payout', 'record_payout_results'];

/** What receipts say of payments, in their order. */
export function movementsOf(receipts: readonly Pick<Schemas['Receipt'], 'id' | 'time' | 'kind' | 'outcome' | 'entries'>[]): readonly Movement[] {
  return receipts.flatMap(({ id, time, kind, outcome, entries }) => {
    if (outcome.status !== 'accepted' || !KINDS.includes(kind)) return [];
    return entries.flatMap(({ debit, credit, amount, currency }) => {
      const what = MOVES[`${Object.keys(debit)[0]} ${Object.keys(credit)[0]}`];
      return what === undefined ? [] : [{ id, time, what, amount, currency }];
    });
  });
}

/** The payments among the receipts of this desk since an instant, the newest first. */
export async function paymentsSince(since: string, onstep: (read: number) => void): Promise<readonly Movement[]> {
  const found: Movement[] = [];
  let read = 0;
  for await (const receipts of receiptPages()) {
    found.push(...movementsOf(receipts));
    onstep((read += receipts.length));
    const oldest = receipts.at(-1);
    if (oldest !== undefined && Date.parse(oldest.time) < Date.parse(since)) break;
  }
  return found;
}
