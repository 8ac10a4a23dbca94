/** Contests: somebody's word against a consent that organisations alone gave, and the bureau's decision. */
import { api, ok } from './api/client.ts';
import type { Schemas } from './api/types.ts';

export const CONTEST_REASONS = ['not_me', 'not_asked', 'not_agreed', 'other'] as const;
export type ContestReason = Schemas['ContestReason'];

/** The forms of consent in which nobody of the person's side agreed. */
const BY_OTHERS: ReadonlySet<string> = new Set(['identity_card', 'emergency_witness']);
export const isByOthers = (consent: Schemas['Consent']): boolean => BY_OTHERS.has(consent.form);

export async function contestsOf(visit: string): Promise<readonly Schemas['Contest'][]> {
  return (await ok(api.GET('/v1/visits/{visit}/contests', { params: { path: { visit } } }))).contests;
}
