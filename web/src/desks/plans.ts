/** Versions of a scheme's plan at the desks of those who make them. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { dayText } from '../messages/format.ts';
import { session } from '../session.svelte.ts';
import { act, desk } from './desk.svelte.ts';
import { t } from './words.ts';

export type Version = Schemas['PlanVersionRow'];
export type Versions = Schemas['PlanVersionList'];
export type Comparison = NonNullable<Schemas['PlanVersionComparison']['comparison']>;
export type Simulation = Schemas['PlanSimulation'];
export type ReadFile = Schemas['ReadPlanFile'];

/** The schemes that are looked for unasked; the national list has more, and a region its own. */
export const SCHEMES = [310, 390] as const;

type Place = { readonly region: number; readonly scheme: number };

export async function versionsOf(place: Place): Promise<Versions> {
  return ok(api.GET('/v1/regions/{region}/schemes/{scheme}/plan-versions', { params: { path: place } }));
}

export async function readFile(region: number, text: string): Promise<ReadFile> {
  return ok(api.POST('/v1/regions/{region}/plan-files', { params: { path: { region } }, body: { text } }));
}

/** Has the node keep the file of a version, so that its words can be shown. */
export async function keepFile({ region, scheme, version }: Place & { readonly version: number }, text: string): Promise<void> {
  const path = { region, scheme, version };
  await ok(api.POST('/v1/regions/{region}/schemes/{scheme}/plan-versions/{version}/file', { params: { path }, body: { text } }));
}

/** Signs a draft of what was read, and keeps its file. */
export async function draftOf({ draft }: ReadFile, text: string): Promise<void> {
  await act('draft_plan', draft);
  await keepFile(draft, text);
}

/** What a version changes; nothing where this node has not the words of both. */
export async function comparisonOf(place: Place, version: number, against?: number): Promise<Schemas['PlanVersionComparison'] | undefined> {
  const params = { path: { ...place, version }, query: against === undefined ? {} : { against } };
  try {
    return await ok(api.GET('/v1/regions/{region}/schemes/{scheme}/plan-versions/{version}/comparison', { params }));
  } catch (caught) {
    if (caught instanceof Problem && caught.code === 'plan_file_missing') return undefined;
    throw caught;
  }
}

/** The last simulation of a version against another one, if there was one at this node. */
export async function simulationOf(place: Place, version: number, against: number): Promise<Simulation | undefined> {
  const params = { path: { ...place, version }, query: { against } };
  try {
    return await ok(api.GET('/v1/regions/{region}/schemes/{scheme}/plan-versions/{version}/simulation', { params }));
  } catch (caught) {
    if (caught instanceof Problem && caught.code === 'not_found') return undefined;
    throw caught;
  }
}

export async function simulate(place: Place, version: number, against: number): Promise<Simulation> {
  const path = { ...place, version };
  return ok(api.POST('/v1/regions/{region}/schemes/{scheme}/plan-versions/{version}/simulations', { params: { path }, body: { against } }));
}

export type Step = 'review' | 'approve' | 'publish' | 'withdraw';

/** Which steps stand open for whoever sits at this desk, and why the next one does not. */
export function stepsFor(one: Version, { approvers, bureau }: Pick<Versions, 'approvers' | 'bureau'>, today: string): { steps: readonly Step[]; waits?: 'same_key' | 'approver' | 'bureau' } {
  const isBureau = session.id === bureau;
  const taken = [one.drafter, one.reviewer].some((step) => step?.key === desk.held?.key);
  const withdraw: readonly Step[] = isBureau && (one.standing !== 'published' || today < one.valid.from) ? ['withdraw'] : [];
  const only = (step: Step, may: boolean, waits: 'approver' | 'bureau'): ReturnType<typeof stepsFor> => {
    if (!may) return { steps: withdraw, waits };
    if (taken && step !== 'publish') return { steps: withdraw, waits: 'same_key' };
    return { steps: [step, ...withdraw] };
  };
  switch (one.standing) {
    case 'drafted':
      return only('review', isBureau, 'bureau');
    case 'reviewed':
      return only('approve', approvers.includes(session.id), 'approver');
    case 'approved':
      return only('publish', isBureau, 'bureau');
    case 'published':
      return { steps: withdraw };
    case 'withdrawn':
      return { steps: [] };
  }
}

/** Takes a step, for exactly the plan that is shown: the ledger compares its hash. */
export async function take(step: Step, { region, scheme }: Place, { version, hash }: Version): Promise<void> {
  const named = { region, scheme, version };
  if (step === 'review') await act('review_plan', { ...named, hash });
  else if (step === 'approve') await act('approve_plan', { ...named, hash, approver: session.id });
  else if (step === 'publish') await act('publish_plan', { ...named, hash });
  else await act('withdraw_plan', named);
}

/** The end of a key, by which people know their keys apart. */
export const keyEnd = (key: string): string => key.slice(-6);

/** Days from the first to the last, or without an end. */
export const daysText = ({ from, to }: { readonly from: string; readonly to?: string | null }): string =>
  to ? `${dayText(from)} – ${dayText(to)}` : t('plans.days.open', { from: dayText(from) });

/** How far a version has come, in words. */
export const standingText = (one: Version): string => t(one.is_today ? 'plans.standing.in_force' : `plans.standing.${one.standing}`);
