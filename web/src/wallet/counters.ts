/**
 * This year's counters, read off a dry run: what a step took of its deductible, and how much of its
 * cap is used. The rules of the plan say it, so nothing here knows a plan.
 */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';

export type Counter = {
  readonly kind: 'deductible' | 'cap';
  /** The step of the plan, in the reader's language. */
  readonly title: string;
  readonly used: string;
  readonly full: string;
  readonly left: string;
};

/** Far above every cap, so that each of them shows itself, and within what a bill may say. */
const ENORMOUS = '100000000000';

const CATEGORIES = {
  outpatient: 'examination',
  emergency: 'examination',
  inpatient: 'treatment',
  pharmacy: 'western_medicine',
  dental: 'dental',
} as const;
export type Care = keyof typeof CATEGORIES;
export const CARES = Object.keys(CATEGORIES) as readonly Care[];

/** What a visit of this kind would come to if it were settled now, all of it within the catalogue. */
export async function planned(
  subject: Omit<Schemas['VisitSubject'], 'visit_type' | 'diagnosis_group'>,
  care: Care,
  minor: string,
  useAccount: boolean,
): Promise<Schemas['Quote']> {
  const key = { service_date: subject.admitted, category: CATEGORIES[care], class: 'A' as const };
  const sums = [{ key, self_paid: '0', over_cap: '0', class_b_share: '0', in_policy: minor }];
  const visit = { ...subject, visit_type: care, diagnosis_group: 0 };
  return ok(
    api.POST('/v1/quotes', { body: { planned: visit, sums, use_personal_account: useAccount } }),
  );
}

/** The counters that a dry run met, each once. */
export function countersOf(quote: Schemas['Quote']): readonly Counter[] {
  const trace = quote.parts.flatMap((part) => part.adjudication.trace);
  // A trace without a payment is explained by what is missing, not by its steps.
  const isPaid = trace.some((entry) => 'paid' in entry.note);
  const steps = isPaid ? (quote.explanation?.steps ?? []) : [];
  let at = -1;
  let last = '';
  const found = new Map<string, Counter>();
  const note = (kind: Counter['kind'], title: string, used: string, full: string): void => {
    const left = BigInt(full) > BigInt(used) ? BigInt(full) - BigInt(used) : 0n;
    found.set(`${kind}/${title}/${full}`, { kind, title, used, full, left: left.toString() });
  };
  for (const entry of trace) {
    const step = `${entry.step}/${entry.slot}`;
    if (step !== last) at += 1;
    last = step;
    const title = steps[at]?.title ?? '';
    const one = entry.note;
    if ('deductible' in one) note('deductible', title, one.deductible.met, one.deductible.full);
    if ('capped' in one) note('cap', title, one.capped.used, one.capped.limit);
    if ('base_capped' in one) note('cap', title, one.base_capped.used, one.base_capped.limit);
  }
  return [...found.values()];
}

/** The counters of an outpatient visit and of a stay. */
export async function thisYear(
  subject: Omit<Schemas['VisitSubject'], 'visit_type' | 'diagnosis_group'>,
): Promise<readonly Counter[]> {
  const quotes = await Promise.all(
    (['outpatient', 'inpatient'] as const).map((care) => planned(subject, care, ENORMOUS, false).then(countersOf, () => [])),
  );
  const all = new Map(quotes.flat().map((one) => [`${one.kind}/${one.title}/${one.full}`, one]));
  return [...all.values()];
}
