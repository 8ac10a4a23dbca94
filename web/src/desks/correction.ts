/** Correcting a settlement: what another bill comes to, and the transaction that puts it in the place of the first. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { commitBill } from '../ledger/bill.ts';
import { randomHex } from '../ledger/transaction.ts';
import type { Settled } from '../statement.ts';
import { draft, signed } from './desk.svelte.ts';
import type { Kept } from './refund.ts';

const HOUR_MILLIS = 3_600_000;

export type Reason = Schemas['CorrectionReason'];
/** A corrected bill as it is signed. */
export type Corrected = { readonly text: string; readonly sums: Schemas['CategorySums']; readonly split: Schemas['Split'] };

/** The diagnosis groups that a bill names: a corrected one is sorted by the same. */
export function groupsOf(bill: Kept): Pick<Schemas['Bill'], 'diagnosis_groups'> {
  const { diagnosis_groups }: Schemas['Bill'] = bill ? JSON.parse(bill.bill) : {};
  return diagnosis_groups ? { diagnosis_groups } : {};
}

export async function quoteCorrected(visit: string, bill: Schemas['Bill']): Promise<Corrected> {
  const body = { corrected: visit, bill, use_personal_account: false };
  const { sums, split } = await ok(api.POST('/v1/quotes', { body }));
  return { text: JSON.stringify(bill), sums, split };
}

/** A correction by identity card: what was signed and not answered is sent again as it is. */
export class Correction {
  private sent: { readonly said: string; readonly body: Schemas['NewCorrection'] } | undefined;

  constructor(private readonly settled: Settled) {}

  async make({ text, sums, split }: Corrected, reason: Reason, words: string): Promise<number> {
    const said = JSON.stringify([text, split, reason, words]);
    if (this.sent?.said !== said) {
      const salt = randomHex(32);
      const bill = await commitBill(salt, text, sums);
      const original = this.settled.record;
      const consent = { form: 'identity_card' } as const;
      const content = await draft('supersede_settlement', { original, reason, bill, sums, split, cash: null, consent }, HOUR_MILLIS);
      this.sent = { said, body: { ...(await signed(content)), bill: text, salt, words } };
    }
    try {
      const path = { visit: this.settled.visit };
      const { receipt } = await ok(api.POST('/v1/visits/{visit}/corrections', { params: { path }, body: this.sent.body }));
      return receipt.id;
    } catch (caught) {
      if (caught instanceof Problem) this.sent = undefined;
      throw caught;
    }
  }
}

export type Difference = { readonly what: 'share' | 'account' | 'family' | 'cash' | 'total'; readonly was: bigint; readonly is: bigint };

/** What a correction changes for whom; relatives' accounts only where they pay. */
export function differences(before: Schemas['Split'], after: Schemas['Split']): readonly Difference[] {
  const payers = (split: Schemas['Split']): bigint => split.payers.reduce((sum, one) => sum + BigInt(one.amount), 0n);
  const family = [before, after].map((one) => BigInt(one.family_accounts ?? '0')) as [bigint, bigint];
  return [
    { what: 'share', was: payers(before), is: payers(after) },
    { what: 'account', was: BigInt(before.personal_account), is: BigInt(after.personal_account) },
    ...(family[0] + family[1] > 0n ? [{ what: 'family', was: family[0], is: family[1] } as const] : []),
    { what: 'cash', was: BigInt(before.cash), is: BigInt(after.cash) },
    { what: 'total', was: BigInt(before.total), is: BigInt(after.total) },
  ];
}
