/** Audits at the desks of those who ask for them and of those who grant them. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { PAYERS } from '../ledger/words.ts';
import { download } from '../settled.ts';
import { session } from '../session.svelte.ts';
import { dayOf } from './days.ts';
import { act } from './desk.svelte.ts';
import { t } from './words.ts';

export type Audit = Schemas['Audit'];
export type Audited = Schemas['AuditedSettlement'];
export type Difference = Schemas['AuditDifference'];
export type Terms = Schemas['AuditTerms'];

type Place = { readonly region: number; readonly audit: number };

export const auditsOf = (region: number): Promise<Schemas['AuditList']> => ok(api.GET('/v1/regions/{region}/audits', { params: { path: { region } } }));

export const auditOf = (path: Place): Promise<Audit> => ok(api.GET('/v1/regions/{region}/audits/{audit}', { params: { path } }));

export const sampleOf = (path: Place): Promise<Schemas['AuditSample']> => ok(api.GET('/v1/regions/{region}/audits/{audit}/sample', { params: { path } }));

export const auditedOf = (path: Place & { readonly visit: string }): Promise<Schemas['AuditedDetail']> =>
  ok(api.GET('/v1/regions/{region}/audits/{audit}/sample/{visit}', { params: { path } }));

/** Asks for an audit by the next number of the region. */
export async function ask(region: number, terms: Terms): Promise<number> {
  const audit = (await auditsOf(region)).last + 1;
  await act('ask_audit', { region, audit, auditor: session.id, terms });
  return audit;
}

/** Grants an audit to the end of a day in a calendar so many minutes ahead of UTC. */
export async function grant({ region, audit }: Place, day: string, offset: number): Promise<void> {
  const ends = new Date(Date.parse(`${day}T23:59:59.999Z`) - offset * 60_000).toISOString();
  await act('grant_audit', { region, audit, ends });
}

export const end = ({ region, audit }: Place): Promise<void> => act('end_audit', { region, audit, by: session.id });

/** Hands the evidence to the reader as a file. */
export async function takePack(path: Place): Promise<void> {
  const pack = await ok(api.GET('/v1/regions/{region}/audits/{audit}/pack', { params: { path }, parseAs: 'blob' }));
  await download(pack as Blob, `yibao-audit-${path.audit}.zip`);
}

/** Whether something about audits happened. */
export const isAboutAudits = ({ events }: Pick<Schemas['Receipt'], 'events'>): boolean => events.some((event) => event.startsWith('audit_'));

const isPayer = (what: string): what is Schemas['Payer'] => Object.hasOwn(PAYERS, what);

/** What an amount of a settlement is. */
export function amountName({ what, of }: Pick<Difference, 'what' | 'of'>): string {
  if (isPayer(what)) return t(`payer.${what}`);
  return of ? t('audits.what.running_amount', { of }) : t(`audits.what.${what}` as 'audits.what.total');
}

/** Whether an audit can be granted to this day of a calendar so many minutes ahead of UTC: within a quarter from today on. */
export function isGrantable(day: string, now: number, offset: number): boolean {
  const today = dayOf(now, offset);
  const days = (Date.parse(day) - Date.parse(today)) / 86_400_000;
  return days >= 0 && days <= 91;
}
