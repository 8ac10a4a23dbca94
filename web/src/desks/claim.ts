/** What a desk reads on the photographs of a claim, and what it signs. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { decimal, minorOf } from '../messages/format.ts';
import { toHex } from '../ledger/borsh.ts';
import { randomHex } from '../ledger/transaction.ts';
import { draft, signed } from './desk.svelte.ts';

export type InvoiceRow = { readonly issuer: string; readonly number: string; readonly total: string };

export const rowOf = (one: Schemas['Invoice'], currency: string): InvoiceRow => ({ ...one, total: decimal(one.total, currency) });

/** The invoices as they were read; nothing where a row is not whole. */
export function invoicesOf(rows: readonly InvoiceRow[], currency: string): readonly Schemas['Invoice'][] | undefined {
  const read = rows.map((row) => ({ issuer: row.issuer.trim(), number: row.number.trim(), total: minorOf(row.total, currency) }));
  const isWhole = read.every((one) => one.issuer !== '' && /[\p{L}\p{N}]/u.test(one.number) && one.total !== undefined && one.total !== '0');
  return isWhole && read.length > 0 ? read.map((one) => ({ ...one, total: one.total ?? '0' })) : undefined;
}

const HOUR_MILLIS = 3_600_000;

/** Accepts a claim as it was computed: what is signed is what the quote gave. */
export async function acceptClaim(claim: string, body: Schemas['AcceptClaim'], review: Schemas['ClaimReview']): Promise<void> {
  const content = await signed(await draft('accept_claim', body, HOUR_MILLIS));
  const path = { claim };
  await ok(api.POST('/v1/claims/{claim}/acceptances', { params: { path }, body: { ...content, review } }));
}

/** Pays out what is owed to the person's bound card. */
export async function payClaim(claim: string): Promise<void> {
  const path = { claim };
  const key = randomHex(16);
  const asked = { idempotency_key: key };
  const { payout } = await ok(api.POST('/v1/claims/{claim}/payout-legs', { params: { path }, body: asked }));
  const body = await signed(await draft('pay_claim', { claim, payout }, HOUR_MILLIS, key));
  await ok(api.POST('/v1/claims/{claim}/payouts', { params: { path }, body }));
}

type Correction = Schemas['ClaimCorrectionReview'];

/** What remains of an accepted claim, and what is signed for it. */
export async function quoteCorrection(claim: string, review: Correction): Promise<Schemas['ClaimCorrectionQuote']> {
  const path = { claim };
  return ok(api.POST('/v1/claims/{claim}/correction-quotes', { params: { path }, body: review }));
}

/** Corrects a claim as it was computed. */
export async function correctClaim(claim: string, body: Schemas['CorrectClaim'], review: Correction): Promise<void> {
  const content = await signed(await draft('correct_claim', body, HOUR_MILLIS));
  const path = { claim };
  await ok(api.POST('/v1/claims/{claim}/corrections', { params: { path }, body: { ...content, review } }));
}

/** The salted hash under which the ledger knows the reference of a payment; the claim's id is its salt, so the same reference is noted once. */
export async function repaymentReference(claim: string, words: string): Promise<string> {
  const bytes = new TextEncoder().encode(`yibao/claim-repayment/v1\n${claim}\n${words.trim()}`);
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}
