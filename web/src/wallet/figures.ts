/** Amounts of a split by the names that people know. */
import type { Schemas } from '../api/types.ts';
import { words } from '../messages/messages.svelte.ts';
import { t } from './words.ts';

const FIGURES = ['self_paid', 'over_cap', 'class_b_share', 'in_policy', 'deductible'] as const;
type Own = 'total' | 'share.account' | 'share.family' | 'share.self' | `figure.${(typeof FIGURES)[number]}`;
const OWN: Readonly<Record<string, Own>> = {
  total: 'total',
  personal_account: 'share.account',
  family_accounts: 'share.family',
  cash: 'share.self',
  ...Object.fromEntries(FIGURES.map((one) => [one, `figure.${one}` as const])),
};

/** The name of an amount, or of whoever pays it: the explanation's, where it has one. */
export function figureName(what: string, quote: Schemas['Quote'] | undefined): string {
  const told = quote?.explanation?.figures.find((one) => one.figure === what)?.name;
  const own = OWN[what];
  return told ?? (own === undefined ? (words.texts[`payer.${what}`] ?? what) : t(own));
}
