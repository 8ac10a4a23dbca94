/** Giving lines back: what remains, what that comes to, and the transactions for it. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { commitBill } from '../ledger/bill.ts';
import { randomHex } from '../ledger/transaction.ts';
import { settledVisit, stated, type billOf, type Settled } from '../statement.ts';
import { draft, signed } from './desk.svelte.ts';

const HOUR_MILLIS = 3_600_000;
const NOTHING: Schemas['Split'] = {
  total: '0',
  self_paid: '0',
  over_cap: '0',
  class_b_share: '0',
  in_policy: '0',
  deductible: '0',
  payers: [],
  personal_account: '0',
  cash: '0',
};
/** The commitment to no bill. */
const NO_BILL = '0'.repeat(64);

export type Kept = Awaited<ReturnType<typeof billOf>>;
/** What remains of a bill after a refund, as it is signed. */
export type Remaining = {
  readonly text: string;
  readonly sums: Schemas['CategorySums'];
  readonly split: Schemas['Split'];
};

/** What remains when these lines go back. */
export async function remainingOf(visit: string, bill: Kept, given: readonly number[]): Promise<Remaining> {
  const lines = bill?.lines.filter((line) => !given.includes(line.line_no)) ?? [];
  if (bill === undefined || lines.length === 0) return { text: '', sums: [], split: NOTHING };
  const whole: Schemas['Bill'] = JSON.parse(bill.bill);
  const rest = { ...whole, lines };
  const body = { remaining: visit, bill: rest, use_personal_account: false };
  const { sums, split } = await ok(api.POST('/v1/quotes', { body }));
  return { text: JSON.stringify(rest), sums, split };
}

/** Gives back what does not remain. */
export async function refund(settled: Settled, { text, sums, split }: Remaining, reason: string): Promise<number> {
  const salt = randomHex(32);
  const bill = text === '' ? NO_BILL : await commitBill(salt, text, sums);
  const content = await draft(
    'refund_visit',
    { original: settled.record, bill, remaining: sums, split, cash: null, consent: null },
    HOUR_MILLIS,
  );
  const path = { visit: settled.visit };
  const body = { ...(await signed(content)), bill: text, salt, reason };
  const { receipt } = await ok(api.POST('/v1/visits/{visit}/refunds', { params: { path }, body }));
  return receipt.id;
}

async function answer(objection: Schemas['Objection'], verdict: Schemas['ObjectionAnswer'], words: string): Promise<void> {
  const { statement, salt, commitment } = await stated({ words });
  const { record } = await settledVisit(objection.visit);
  const content = await draft('answer_objection', { original: record, answer: verdict, statement: commitment }, VALID_MILLIS[verdict]);
  const sent = await signed(content);
  const path = { objection: objection.objection };
  await ok(api.POST('/v1/objections/{objection}/answers', { params: { path }, body: { ...sent, statement, salt } }));
  // A refusal counts when the bureau has signed it too.
  if (verdict === 'dismissed') return;
  const header = { 'Idempotency-Key': content.idempotency_key };
  await ok(api.POST('/v1/transactions', { params: { header }, body: sent }));
}

/** The bureau has six days to look at a refusal. */
const VALID_MILLIS = { upheld: HOUR_MILLIS, dismissed: 6 * 24 * HOUR_MILLIS } as const;

export const uphold = (objection: Schemas['Objection'], words: string): Promise<void> => answer(objection, 'upheld', words);
export const dismiss = (objection: Schemas['Objection'], words: string): Promise<void> => answer(objection, 'dismissed', words);
