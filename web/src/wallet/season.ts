/** The season of premiums that a wallet shows. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';

/** Residents pay premiums themselves; what employees contribute goes by their employer. */
const RESIDENTS = 390;
export const EMPLOYEES = 310;
const DAY_MILLIS = 86_400_000;

export type Season = { readonly id: Schemas['SeasonId']; readonly terms: Schemas['PremiumSeason'] };

/** The season of a year, if there is one. */
async function season(region: number, year: number): Promise<Season | undefined> {
  const path = { region, scheme: RESIDENTS, year };
  try {
    const terms = await ok(api.GET('/v1/regions/{region}/schemes/{scheme}/premium-seasons/{year}', { params: { path } }));
    return { id: path, terms };
  } catch (error) {
    if (error instanceof Problem && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** What is paid for now: next year's season as soon as there is one, this year's until then. */
export async function seasonOf(region: number, today: string): Promise<Season | undefined> {
  const year = Number(today.slice(0, 4));
  return (await season(region, year + 1)) ?? (await season(region, year));
}

/** The last day on which a paid premium is given back: the one before cover begins. */
export function lastDayBack({ terms }: Season): string {
  return new Date(Date.parse(`${terms.cover.from}T00:00:00Z`) - DAY_MILLIS).toISOString().slice(0, 10);
}
