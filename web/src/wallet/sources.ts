/** Where the money for premiums may come from: the bank card, the own account, a relative's account. */
import type { Schemas } from '../api/types.ts';

/** A premium that is about to be paid. */
export type Due = { readonly person: string; readonly name: string; readonly amount: string };

/** Personal accounts that pay all of them. */
export type AccountWay = {
  /** `account`, or the id of the relative whose account pays. */
  readonly value: string;
  /** The relative's name; none for the reader's own account. */
  readonly name: string | undefined;
  /** What is there, or what the limits leave. */
  readonly left: string;
  readonly sources: ReadonlyMap<string, Schemas['PremiumSource']>;
  /** For the own account beside the bank card: what the account pays of the own premium, and what the card does. */
  readonly beside?: { readonly account: string; readonly card: string };
};

/** Why an account that the reader might think of does not pay. */
export type Obstacle =
  | { readonly why: 'low'; readonly left: string }
  | { readonly why: 'granted'; readonly names: readonly string[] }
  | { readonly why: 'limit'; readonly name: string; readonly left: string };

export type Ways = { readonly ways: readonly AccountWay[]; readonly obstacles: readonly Obstacle[] };

export const isForPremiums = ({ terms }: Schemas['AidInForce']): boolean => terms.purpose !== undefined && terms.purpose !== 'care';

/** The reader's own account: for the reader's own premium, and for those whom the reader helps with it. */
function ownAccount(dues: readonly Due[], own: string, available: string, helps: readonly Schemas['AidInForce'][]): Ways {
  const sources = new Map<string, Schemas['PremiumSource']>();
  const obstacles: Obstacle[] = [];
  const missing: string[] = [];
  for (const { person, name, amount } of dues) {
    if (person === own) {
      sources.set(person, { from: 'personal_account' });
      continue;
    }
    const aid = helps.find((one) => one.person === person && isForPremiums(one));
    if (aid === undefined) missing.push(name);
    else if (BigInt(aid.left) < BigInt(amount)) obstacles.push({ why: 'limit', name, left: aid.left });
    else sources.set(person, { from: 'family_account', grant: aid.number });
  }
  if (missing.length > 0) obstacles.push({ why: 'granted', names: missing });
  const total = dues.reduce((sum, one) => sum + BigInt(one.amount), 0n);
  if (BigInt(available) < total) obstacles.unshift({ why: 'low', left: available });
  const way = { value: 'account', name: undefined, left: available, sources };
  return obstacles.length > 0 ? { ways: [], obstacles } : { ways: [way], obstacles };
}

/** The own account pays what it has of the own premium, and the bank card the rest. */
function besideCard(dues: readonly Due[], own: string, available: string): readonly AccountWay[] {
  const mine = dues.find((one) => one.person === own);
  if (mine === undefined || available === '0') return [];
  const total = dues.reduce((sum, one) => sum + BigInt(one.amount), 0n);
  const account = BigInt(available) < BigInt(mine.amount) ? BigInt(available) : BigInt(mine.amount);
  if (account >= total) return [];
  return [{ value: 'both', name: undefined, left: available, sources: new Map(), beside: { account: String(account), card: String(total - account) } }];
}

/** Whose account pays these premiums, besides the bank card; `available` is what the own account has. */
export function accountWays(
  dues: readonly Due[],
  own: string,
  available: string,
  family: Pick<Schemas['Family'], 'helps' | 'helped_by'>,
  hasCard = true,
): Ways {
  const [first] = dues;
  if (first === undefined) return { ways: [], obstacles: [] };
  // Whoever has no money on the account is not told about it.
  const mine = available === '0' ? { ways: [], obstacles: [] } : ownAccount(dues, own, available, family.helps);
  const relatives = dues.every((one) => one.person === own) ? family.helped_by.filter(isForPremiums) : [];
  const isEnough = (one: Schemas['AidInForce']): boolean => BigInt(one.left) >= BigInt(first.amount);
  const theirs = relatives.filter(isEnough).map(({ person, name, left, number }) => ({
    value: person,
    name,
    left,
    sources: new Map([[own, { from: 'family_account' as const, grant: number }]]),
  }));
  const short = relatives.filter((one) => !isEnough(one)).map(({ name, left }) => ({ why: 'limit' as const, name, left }));
  const both = mine.ways.length === 0 && hasCard ? besideCard(dues, own, available) : [];
  return { ways: [...mine.ways, ...both, ...theirs], obstacles: [...mine.obstacles, ...short] };
}
