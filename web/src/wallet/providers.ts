/** Where a person may go: the hospitals, clinics and pharmacies of a place. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';

export async function providersOf(region: number): Promise<readonly Schemas['Provider'][]> {
  return (await ok(api.GET('/v1/regions/{region}/providers', { params: { path: { region } } }))).providers;
}

/** A hospital of the place, for rules that ask where care is given. */
export async function firstProvider(region: number): Promise<string | undefined> {
  const all = await providersOf(region);
  return (all.find((one) => one.level !== 'pharmacy') ?? all[0])?.organisation;
}
