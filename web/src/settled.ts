/** A settled visit as the wallet shows it. */
import { api, ok } from './api/client.ts';
import type { Schemas } from './api/types.ts';

/** The split of all parts of a settlement together. */
export function splitOf(parts: readonly Schemas['Part'][]): Schemas['Split'] {
  const all = parts.map((part) => part.adjudication);
  const sum = (amounts: readonly string[]): string => amounts.reduce((so_far, one) => so_far + BigInt(one), 0n).toString();
  const payers = new Map<Schemas['Payer'], bigint>();
  for (const { payer, amount } of all.flatMap((one) => one.payers)) {
    payers.set(payer, (payers.get(payer) ?? 0n) + BigInt(amount));
  }
  return {
    total: sum(all.map((one) => one.total)),
    self_paid: sum(all.map((one) => one.self_paid)),
    over_cap: sum(all.map((one) => one.over_cap)),
    class_b_share: sum(all.map((one) => one.class_b_share)),
    in_policy: sum(all.map((one) => one.in_policy)),
    deductible: sum(all.map((one) => one.deductible)),
    payers: Array.from(payers, ([payer, amount]) => ({ payer, amount: amount.toString() })),
    personal_account: sum(all.map((one) => one.personal_account)),
    family_accounts: sum(all.flatMap((one) => one.family_accounts.map((share) => share.amount))),
    cash: sum(all.map((one) => one.cash)),
  };
}

/** How the cash part stands: the worst of its payments counts; nothing is said of one that is no longer due. */
export async function cashStanding(record: Schemas['SettlementRecord']): Promise<'none' | 'pending' | 'posted' | 'failed'> {
  if (splitOf(record.parts).cash === '0') return 'none';
  const effects = await Promise.all(
    record.collected.map((reference) => ok(api.GET('/v1/effects/{reference}', { params: { path: { reference } } }))),
  );
  if (effects.length === 0) return 'none';
  if (effects.some((effect) => effect.status === 'failed')) return 'failed';
  return effects.some((effect) => effect.status === 'pending') ? 'pending' : 'posted';
}

/** Fetches something that only the signed-in party may have, and hands it to the reader as a file. */
export async function download(bytes: Blob, name: string): Promise<void> {
  const address = URL.createObjectURL(bytes);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken the bytes by the next turn of its loop.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
