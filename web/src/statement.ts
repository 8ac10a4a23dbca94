/** Objections and their answers, and the bill that they are about. */
import { api, ok, Problem } from './api/client.ts';
import type { Schemas } from './api/types.ts';
import { commitStatement } from './ledger/bill.ts';
import { randomHex } from './ledger/transaction.ts';

export const REASONS = ['not_received', 'returned', 'twice', 'wrong_amount', 'other'] as const;
export type Reason = Schemas['ObjectionReason'];

export type Settled = Extract<Schemas['Visit'], { standing: 'settled' }>;

export async function settledVisit(visit: string): Promise<Settled> {
  const found = await ok(api.GET('/v1/visits/{visit}', { params: { path: { visit } } }));
  if (found.standing !== 'settled') throw new TypeError('the visit is not settled');
  return found;
}

/** The itemised bill of a settlement, where it is kept. */
export async function billOf(visit: string): Promise<(Schemas['VisitBill'] & Pick<Schemas['Bill'], 'lines' | 'currency'>) | undefined> {
  try {
    const kept = await ok(api.GET('/v1/visits/{visit}/bill', { params: { path: { visit } } }));
    const bill: Schemas['Bill'] = JSON.parse(kept.bill);
    return { ...kept, lines: bill.lines, currency: bill.currency };
  } catch (error) {
    if (error instanceof Problem && (error.code === 'not_found' || error.code === 'no_wallet_here')) return undefined;
    throw error;
  }
}

export async function objectionsTo(visit: string): Promise<readonly Schemas['Objection'][]> {
  const path = { visit };
  return (await ok(api.GET('/v1/visits/{visit}/objections', { params: { path } }))).objections;
}

export type Stated = { readonly statement: string; readonly salt: string; readonly commitment: string };

/** Words as they are sent, with the commitment that is signed. */
export async function stated(words: Schemas['ObjectionWords'] | Schemas['AnswerWords'] | Schemas['ContestWords'] | Schemas['DecisionWords']): Promise<Stated> {
  const statement = JSON.stringify(words);
  const salt = randomHex(32);
  return { statement, salt, commitment: await commitStatement(salt, statement) };
}
