/** The region that a desk works in. */
import { api, ok } from '../api/client.ts';
import { organisationNames, organisationOf } from '../organisations.ts';
import { session } from '../session.svelte.ts';

export const regionOfDesk = async (): Promise<number> => Number((await organisationOf(session.id)).region);

/** Minutes by which the region's calendar is ahead of UTC. */
export async function offsetOf(region: number): Promise<number> {
  const { settings } = await ok(api.GET('/v1/regions/{region}', { params: { path: { region } } }));
  return settings.utc_offset_minutes;
}

/** Those whom the region pays by the names that people know: its providers, and others one by one. */
export async function payeeNames(region: number, payees: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const own = await providerNames(region);
  const others = await organisationNames(payees.filter((one) => !own.has(one)));
  return new Map([...own, ...others]);
}

/** The region's providers by the names that people know. */
export async function providerNames(region: number): Promise<ReadonlyMap<string, string>> {
  const { providers } = await ok(api.GET('/v1/regions/{region}/providers', { params: { path: { region } } }));
  return new Map(providers.map((one) => [one.organisation, one.name]));
}
