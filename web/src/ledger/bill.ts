/** The commitment to an itemised bill that the ledger holds. */
import type { Schemas } from '../api/types.ts';
import * as borsh from './borsh.ts';
import { sums as encodeSums } from './forms.ts';
import { sha256 } from './transaction.ts';

function length(bytes: Uint8Array): Uint8Array {
  const out = new borsh.Writer();
  out.unsigned(BigInt(bytes.length), 8);
  return out.done();
}

/** `SHA-256("yibao/bill/v1" || salt || len(bill) || bill || len(sums) || sums)`. */
export async function commitBill(
  salt: string,
  bill: string,
  sums: Schemas['CategorySums'],
): Promise<string> {
  const billBytes = new TextEncoder().encode(bill);
  const sumBytes = borsh.encode(encodeSums, sums);
  const parts = [borsh.fromHex(salt), length(billBytes), billBytes, length(sumBytes), sumBytes];
  return borsh.toHex(await sha256('yibao/bill/v1', ...parts));
}

/** The commitment to the words of an objection or an answer: `SHA-256("yibao/statement/v1" || salt || words)`. */
export async function commitStatement(salt: string, statement: string): Promise<string> {
  return borsh.toHex(await sha256('yibao/statement/v1', borsh.fromHex(salt), statement));
}
