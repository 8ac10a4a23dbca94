/** A stay in hospital that is not settled: its bill so far, by the day. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { minorOf, money } from '../messages/format.ts';
import { organisationName } from '../organisations.ts';
import { billOf } from '../statement.ts';

export type Line = Schemas['LineItem'] & { readonly why: string | undefined };
export type Day = { readonly day: string; readonly total: string; readonly lines: readonly Line[] };
export type Stay = {
  readonly subject: Schemas['VisitSubject'];
  readonly hospital: string;
  readonly running: Schemas['RunningBill'] | undefined;
  /** What was paid ahead, in minor units. */
  readonly deposits: string;
  /** What it would come to if it were settled now; nothing when that cannot be computed here. */
  readonly quote: Schemas['Quote'] | undefined;
  /** The daily lists, the latest first; nothing where the bill lies elsewhere. */
  readonly days: readonly Day[] | undefined;
};

/** The lines of a bill by the day of the service, the latest day first; a day's lines in the order of the bill. */
export function byDay(lines: readonly Schemas['LineItem'][], currency: string, quote: Schemas['Quote'] | undefined): readonly Day[] {
  const days = new Map<string, Line[]>();
  for (const line of lines) {
    const why = quote?.explanation?.lines.find((one) => one.line_no === line.line_no)?.sentence;
    const day = days.get(line.service_date) ?? [];
    days.set(line.service_date, [...day, { ...line, why }]);
  }
  return [...days]
    .sort(([one], [other]) => (one < other ? 1 : -1))
    .map(([day, charged]) => ({
      day,
      total: charged.reduce((sum, line) => sum + BigInt(minorOf(line.amount, currency) ?? '0'), 0n).toString(),
      lines: charged,
    }));
}

/** What of the deposits comes back, or what of the own share is still to be paid, in minor units. */
export function afterDeposits(deposits: string, cash: string): { readonly back: string } | { readonly due: string } {
  const left = BigInt(deposits) - BigInt(cash);
  return left >= 0n ? { back: left.toString() } : { due: (-left).toString() };
}

/** How many pieces at which price, where the bill says both. */
export function pieces(line: Schemas['LineItem'], currency: string): string | undefined {
  if (line.unit_price == null || line.quantity == null) return undefined;
  const price = minorOf(line.unit_price, currency);
  return `${line.quantity} × ${price === undefined ? line.unit_price : money(price, currency)}`;
}

/** A stay as it is now; `undefined` once it is settled or undone. */
export async function stayOf(visit: string): Promise<Stay | undefined> {
  let found: Schemas['Visit'];
  try {
    found = await ok(api.GET('/v1/visits/{visit}', { params: { path: { visit } } }));
  } catch (error) {
    if (error instanceof Problem && error.code === 'not_found') return undefined;
    throw error;
  }
  if (found.standing !== 'open') return undefined;
  const { subject } = found;
  const running = found.running ?? undefined;
  const deposits = found.deposits.reduce((sum, one) => sum + BigInt(one.amount), 0n).toString();
  const [hospital, bill] = await Promise.all([organisationName(subject.provider), running === undefined ? undefined : billOf(visit)]);
  if (bill === undefined) return { subject, hospital, running, deposits, quote: undefined, days: undefined };
  const body = { visit, bill: JSON.parse(bill.bill) as Schemas['Bill'], use_personal_account: true };
  // The list stands without it.
  const quote = await ok(api.POST('/v1/quotes', { body })).catch((error: unknown) => {
    if (error instanceof Problem) return undefined;
    throw error;
  });
  return { subject, hospital, running, deposits, quote, days: byDay(bill.lines, bill.currency, quote) };
}

export type Listed = Schemas['Stay'] & { readonly hospital: string };

/** The stays of whoever is signed in that are not settled, the newest first. */
export async function staysOf(person: string): Promise<readonly Listed[]> {
  const { stays } = await ok(api.GET('/v1/persons/{person}/stays', { params: { path: { person } } }));
  return Promise.all(stays.map(async (one) => ({ ...one, hospital: await organisationName(one.subject.provider) })));
}
