/** Organisations by the names that people know. */
import { api, ok } from './api/client.ts';
import type { Schemas } from './api/types.ts';

const found = new Map<string, Promise<Schemas['Organisation']>>();

/** What is public of an organisation; asked for once. */
export function organisationOf(organisation: string): Promise<Schemas['Organisation']> {
  const known = found.get(organisation);
  if (known !== undefined) return known;
  const asked = ok(api.GET('/v1/organisations/{organisation}', { params: { path: { organisation } } }));
  found.set(organisation, asked);
  asked.catch(() => found.delete(organisation));
  return asked;
}

/** The names by which people know these organisations, each asked for once. */
export async function organisationNames(organisations: Iterable<string>): Promise<ReadonlyMap<string, string>> {
  const each = [...new Set(organisations)].map(async (one) => [one, await organisationName(one)] as const);
  return new Map(await Promise.all(each));
}

/** The name by which people know an organisation. */
export async function organisationName(organisation: string): Promise<string> {
  return (await organisationOf(organisation)).name ?? organisation;
}
