/** What an organisation's funds bear of settlements, by the day on which it was booked. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { dayOf } from './days.ts';

export type ShareDay = {
  readonly day: string;
  /** Settlements that were new on the day, and those that were refunded or corrected on it. */
  readonly settled: number;
  readonly changed: number;
  /** What the funds paid, and what came back to them. */
  readonly paid: bigint;
  readonly back: bigint;
};

type Receipt = Schemas['Receipt'];
/** The part of a receipt that matters here. */
export type Booked = Pick<Receipt, 'id' | 'kind' | 'time' | 'outcome' | 'entries'>;

const CHANGES: Readonly<Record<string, 'settled' | 'changed'>> = {
  settle_visit: 'settled',
  refund_visit: 'changed',
  supersede_settlement: 'changed',
  decide_contest: 'changed',
  adjust_later_settlements: 'changed',
};

/** A fund by its region and number; nothing for another account. */
export function fundOf(account: Schemas['Account']): string | undefined {
  return 'fund' in account ? `${account.fund.region}/${account.fund.fund}` : undefined;
}

/**
 * Days with what was booked on them, the newest first. What is borne is what left the organisation's
 * own funds, entry by entry: a refund or correction counts with what it moves, on its own day.
 */
export function shareDays(receipts: readonly Booked[], own: ReadonlySet<string>, offsetMinutes: number): readonly ShareDay[] {
  const days = new Map<string, ShareDay>();
  for (const { kind, time, outcome, entries } of receipts) {
    const what = CHANGES[kind];
    if (what === undefined || outcome.status !== 'accepted') continue;
    const moved = (side: 'debit' | 'credit'): bigint =>
      entries.reduce((sum, entry) => (own.has(fundOf(entry[side]) ?? '') ? sum + BigInt(entry.amount) : sum), 0n);
    const day = dayOf(Date.parse(time), offsetMinutes);
    const so_far = days.get(day) ?? { day, settled: 0, changed: 0, paid: 0n, back: 0n };
    days.set(day, { ...so_far, [what]: so_far[what] + 1, paid: so_far.paid + moved('debit'), back: so_far.back + moved('credit') });
  }
  return [...days.values()].sort((one, other) => other.day.localeCompare(one.day));
}

/** Several days together. */
export function sumOf(days: readonly ShareDay[]): Omit<ShareDay, 'day'> {
  const sum = (key: 'paid' | 'back'): bigint => days.reduce((so_far, one) => so_far + one[key], 0n);
  const count = (key: 'settled' | 'changed'): number => days.reduce((so_far, one) => so_far + one[key], 0);
  return { settled: count('settled'), changed: count('changed'), paid: sum('paid'), back: sum('back') };
}

/** Which of the funds in these receipts are an organisation's own: nobody else's are shown to it. */
export async function ownFunds(receipts: readonly Booked[], organisation: string): Promise<ReadonlySet<string>> {
  const named = new Set(receipts.flatMap(({ entries }) => entries.flatMap(({ debit, credit }) => [fundOf(debit), fundOf(credit)])));
  const own = new Set<string>();
  for (const name of named) {
    if (name === undefined) continue;
    const [region = 0, fund = 0] = name.split('/').map(Number);
    try {
      const found = await ok(api.GET('/v1/regions/{region}/funds/{fund}', { params: { path: { region, fund } } }));
      if (found.owner === organisation) own.add(name);
    } catch (caught) {
      if (!(caught instanceof Problem) || caught.code !== 'not_yours') throw caught;
    }
  }
  return own;
}
