/**
 * A bill's split, computed on this device by the very engine that the ledger runs, and compared with
 * what is to be confirmed. Loaded only where a bill waits.
 */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { toHex } from '../ledger/borsh.ts';
import { ask } from '../program.ts';
import { isSame, loadBill, type Bill } from './bill.ts';

/** An amount that is another one here: what it is, and both values. */
export type Difference = { readonly what: string; readonly said: string; readonly computed: string };

export type Finding =
  | { readonly outcome: 'same' }
  /** What is to be confirmed is not what the rules give; without rows when they give nothing at all. */
  | { readonly outcome: 'differs'; readonly rows: readonly Difference[] }
  /** This device could not compute it; the server's word stands alone. */
  | { readonly outcome: 'unknown' };

type Answer =
  | { readonly outcome: 'computed'; readonly parts: readonly Schemas['Adjudication'][] }
  | { readonly outcome: 'impossible'; readonly why: string };

type Plan = { readonly hash: string; readonly bytes: string };

/** The plan of a part: the one in force on its day, by what the ledger publishes. */
async function planOf({ plan, from }: Schemas['Part']): Promise<Plan> {
  const { region, scheme, version } = plan;
  const [inForce, compiled] = await Promise.all([
    ok(api.GET('/v1/regions/{region}/schemes/{scheme}/plan', { params: { path: { region, scheme }, query: { day: from } } })),
    ok(
      api.GET('/v1/regions/{region}/schemes/{scheme}/plans/{version}/compiled', {
        params: { path: { region, scheme, version } },
        parseAs: 'arrayBuffer',
      }),
    ),
  ]);
  if (inForce.version !== version || inForce.hash !== plan.hash) throw new Differs();
  return { hash: plan.hash, bytes: toHex(new Uint8Array(compiled as ArrayBuffer)) };
}

/** Another plan than the one in force. */
class Differs extends Error {}

async function computed(bill: Bill, quote: Schemas['Quote']): Promise<Answer> {
  const { region, scheme, person } = bill.visit.subject;
  const { parts, sums } = quote;
  // The latest first, as the ledger takes them; a stay may come back to a plan.
  const latest = [...parts].reverse().filter((part, at, all) => all.findIndex((one) => isSame(one.plan, part.plan)) === at);
  const [plans, known] = await Promise.all([
    Promise.all(latest.map(planOf)),
    ok(api.GET('/v1/persons/{person}/coverages', { params: { path: { person } } })),
  ]);
  const running = known.running_amounts.find((one) => one.region === region && one.scheme === scheme);
  const facts = parts.map((part) => part.facts);
  return (await ask('/adjudicate.wasm', { plans, sums, facts, accumulators: running?.accumulators ?? [] })) as Answer;
}

/** An amount by the name of what it is, or amounts by whoever pays them. */
function amounts(name: string, value: string | readonly { readonly amount: string }[] = []): [string, bigint][] {
  if (typeof value === 'string') return [[name, BigInt(value)]];
  // Relatives' accounts are one sum for whoever agrees: whose they are stands in no split.
  const by = (one: object): string => (name === 'family_accounts' ? name : Object.values(one).join(' '));
  return value.map(({ amount, ...rest }) => [by(rest), BigInt(amount)]);
}

/** Where a split is not what the parts add up to. */
export function differences(split: Schemas['Split'], parts: readonly Schemas['Adjudication'][]): Difference[] {
  return (Object.keys(split) as (keyof Schemas['Split'])[]).flatMap((name) => {
    const said = new Map(amounts(name, split[name]));
    const sums = new Map<string, bigint>();
    for (const [what, amount] of parts.flatMap((part) => amounts(name, part[name]))) {
      sums.set(what, (sums.get(what) ?? 0n) + amount);
    }
    const all = [...new Set([...said.keys(), ...sums.keys()])];
    const rows = all.map((what) => ({ what, said: said.get(what) ?? 0n, computed: sums.get(what) ?? 0n }));
    return rows
      .filter((row) => row.said !== row.computed)
      .map((row) => ({ what: row.what, said: String(row.said), computed: String(row.computed) }));
  });
}

async function compare(bill: Bill): Promise<Finding> {
  const { quote } = bill;
  if (quote === undefined) return { outcome: 'unknown' };
  const answer = await computed(bill, quote);
  if (answer.outcome === 'impossible') return { outcome: 'differs', rows: [] };
  const rows = differences(bill.request.body.split, answer.parts);
  const isExplained = isSame(answer.parts, quote.parts.map((part) => part.adjudication));
  return rows.length === 0 && isExplained ? { outcome: 'same' } : { outcome: 'differs', rows };
}

async function look(bill: Bill): Promise<Finding> {
  try {
    return await compare(bill);
  } catch (caught) {
    return caught instanceof Differs ? { outcome: 'differs', rows: [] } : { outcome: 'unknown' };
  }
}

/**
 * Whether this bill is what the rules give. What differs is looked at once more: something may have
 * been settled between one answer and the next.
 */
export async function recompute(bill: Bill): Promise<Finding> {
  const first = await look(bill);
  if (first.outcome !== 'differs') return first;
  const again = await loadBill(bill.request.request).catch(() => bill);
  return again.changed || !again.agrees ? { outcome: 'unknown' } : look(again);
}
