/** Organisations by the names that people know. */
import { api, ok } from './api/client.ts';

const names = new Map<string, string>();

/** The name by which people know an organisation. */
export async function organisationName(organisation: string): Promise<string> {
  const known = names.get(organisation);
  if (known !== undefined) return known;
  const path = { organisation };
  const found = await ok(api.GET('/v1/organisations/{organisation}', { params: { path } }));
  const name = found.name ?? organisation;
  names.set(organisation, name);
  return name;
}
