/** What a person asks relatives to agree to, and when they should be asked. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { session } from '../session.svelte.ts';
import { signedContent } from './act.ts';

/** How many days before documents end their end is said. */
export const NOTICE_DAYS = 90;

/** The reader's relatives, and what the region says of them. */
export async function familyAndRules(): Promise<{ family: Schemas['Family']; rules: Schemas['FamilyRules'] }> {
  const family = await ok(api.GET('/v1/persons/{person}/family', { params: { path: { person: session.id } } }));
  const path = { region: Number(family.region) };
  return { family, rules: await ok(api.GET('/v1/regions/{region}/family-rules', { params: { path } })) };
}

/** Asks somebody to agree on the own phone that the reader acts for them. */
export async function askToBind(member: string, relation: number): Promise<void> {
  const body = { payer: session.id, member, relation, agreement: 'own_key' as const };
  const signed = await signedContent('bind_member', body);
  const path = { person: session.id };
  await ok(api.POST('/v1/persons/{person}/family-requests', { params: { path }, body: signed }));
}

/** Whether documents have taken the place of consent and end soon, or ended: it is time for the own consent. */
export function needsConsent(one: Pick<Schemas['BoundRelative'], 'ground' | 'holds' | 'until'>, today: string): boolean {
  if (one.ground !== 'documents') return false;
  if (!one.holds) return true;
  if (!one.until) return false;
  const left = (Date.parse(one.until) - Date.parse(today)) / 86_400_000;
  return left <= NOTICE_DAYS;
}
