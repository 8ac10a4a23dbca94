/** Money from wallet to wallet: to whom it may go, and what the rules say in words. */
import type { Schemas } from '../api/types.ts';

type Family = Pick<Schemas['Family'], 'members' | 'payers' | 'helps' | 'helped_by'>;
export type Relative = Schemas['Relative'];

/** Everybody who is family here, each once: bound either way round, or one's account helps the other. */
export function receivers({ members, payers, helps, helped_by }: Family): readonly Relative[] {
  const bound = [...members, ...payers].filter((one) => one.holds);
  const all = [...bound, ...helps, ...helped_by].map(({ person, name }): [string, Relative] => [person, { person, name }]);
  return [...new Map(all).values()];
}

/** A minute of the day as `23:00`, in the region's own clock. */
export const minuteText = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** Why an amount cannot be sent, as far as the phone knows; the rules have the last word. */
export function amountFault(
  minor: string | undefined,
  { transfer_max }: Pick<Schemas['TransferRules'], 'transfer_max'>,
  available: string,
): 'none' | 'above' | 'balance' | undefined {
  if (minor === undefined || BigInt(minor) === 0n) return 'none';
  if (BigInt(minor) > BigInt(transfer_max)) return 'above';
  return BigInt(minor) > BigInt(available) ? 'balance' : undefined;
}
