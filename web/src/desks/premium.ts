/** Premiums at the bureau's desk: the seasons, one person's premium, and the registration list. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { tidyNumber } from '../identity.ts';
import { session } from '../session.svelte.ts';
import { draft, signed } from './desk.svelte.ts';
import { batches, byHead, readTable, type Column, type Line as ListLine, type LineResult, type Reading } from './lists.ts';
import { regionOfDesk } from './region.ts';

export type Season = Schemas['ListedSeason'];
export type Seasons = { readonly today: string; readonly seasons: readonly Season[] };

/** A season's part of the address. */
export const keyOf = ({ season }: Season): string => `${season.scheme}-${season.year}`;

export async function loadSeasons(): Promise<Seasons> {
  const region = await regionOfDesk();
  return ok(api.GET('/v1/regions/{region}/premium-seasons', { params: { path: { region } } }));
}

/** The season of an address; the one that is paid for now where it names none. */
export function seasonOf({ seasons, today }: Seasons, key: string | undefined): Season | undefined {
  if (key !== undefined) return seasons.find((one) => keyOf(one) === key);
  const open = seasons.find((one) => stateOf(one, today) === 'open');
  return open ?? seasons.find((one) => stateOf(one, today) !== 'before') ?? seasons[0];
}

export type State = 'before' | 'open' | 'late' | 'closed';

export function stateOf({ terms }: Season, today: string): State {
  if (today < terms.window.from) return 'before';
  if (today <= (terms.window.to ?? '')) return 'open';
  return terms.late_until && today <= terms.late_until ? 'late' : 'closed';
}

export async function figuresOf({ season: path }: Season): Promise<Schemas['PremiumFigures']> {
  const url = '/v1/regions/{region}/schemes/{scheme}/premium-seasons/{year}/figures';
  return ok(api.GET(url, { params: { path } }));
}

export async function findPremium({ season }: Season, name: string, number: string): Promise<Schemas['FoundPremium']> {
  const path = { organisation: session.id };
  const body = { season, name: name.trim(), number: tidyNumber(number) };
  return ok(api.POST('/v1/organisations/{organisation}/premium-lookups', { params: { path }, body }));
}

/** The last day of a cover that is in the way of a season: the one before it begins. */
export function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}

type Cells = Schemas['PremiumLine'];
type Name = keyof Cells;
export type Line = { readonly line: number; readonly cells: Cells };

/** The heads of the columns: as programs name them, and as the template does. */
const COLUMNS: readonly Column<Name>[] = [
  ['name', '姓名'],
  ['number', '证件号码'],
  ['class', '缴费类别'],
  ['missed_years', '断缴年数'],
  ['newborn_until', '新生儿截止日'],
  ['person_classes', '人员身份'],
  ['born', '出生日期'],
];

/** A file to begin with: the heads and one line that shows how it is filled in. */
export const template = (): readonly (readonly string[])[] => [COLUMNS.map(([, head]) => head)];

export function readLines(text: string): Reading<Name> {
  const reading = readTable(text, COLUMNS, ['name', 'number', 'class']);
  if (!('lines' in reading)) return reading;
  const tidy = ({ line, cells }: ListLine<Name>): ListLine<Name> => ({ line, cells: { ...cells, number: tidyNumber(cells.number) } });
  return { lines: reading.lines.map(tidy) };
}

/** What became of a line. */
export type Result = LineResult & { readonly row?: Schemas['RegisteredPremium']; readonly isRegistered?: boolean };

/** Has every line read by the gateway; a wrong one stops no other. */
export async function checkLines(
  { season }: Season,
  lines: readonly Line[],
  onstep: (done: number) => void,
): Promise<readonly Result[]> {
  const first = new Map<string, number>();
  const results: Result[] = [];
  for (const batch of batches(lines)) {
    const path = { organisation: session.id };
    const body = { season, lines: batch.map(({ cells }) => cells) };
    const read = await ok(api.POST('/v1/organisations/{organisation}/premium-lists', { params: { path }, body }));
    for (const [at, { line, cells }] of batch.entries()) {
      const { row, problem } = read.lines[at] ?? {};
      const earlier = first.get(cells.number);
      // A line that is wrong stands in no other's way.
      if (earlier === undefined && row) first.set(cells.number, line);
      const told = { line, name: cells.name, end: cells.number.slice(-4) };
      if (earlier !== undefined) results.push({ ...told, twice: earlier });
      else if (row) results.push({ ...told, row });
      else results.push({ ...told, ...(problem ? { problem: byHead(problem, COLUMNS) } : {}) });
    }
    onstep(results.length);
  }
  return results;
}

type Signed = Awaited<ReturnType<typeof signed>>;
type Row = Schemas['RegisteredPremium'];

const HOUR_MILLIS = 3_600_000;

/**
 * Registers rows in batches. What was signed and not answered is sent again as it is, so that going
 * on after a lost connection registers nothing twice.
 */
export class Registration {
  private readonly waiting: (readonly Row[])[];
  private current: Signed | undefined;
  readonly refused = new Map<string, Schemas['LineProblem']>();
  readonly registered = new Set<string>();

  constructor(
    private readonly season: Season,
    rows: readonly Row[],
  ) {
    this.waiting = [...batches(rows)];
  }

  async go(onstep: (done: number) => void): Promise<void> {
    const path = { organisation: session.id };
    for (let rows = this.waiting[0]; rows !== undefined; rows = this.waiting[0]) {
      this.current ??= await signed(await draft('register_premiums', { season: this.season.season, rows: [...rows] }, HOUR_MILLIS));
      const url = '/v1/organisations/{organisation}/premium-registrations';
      const { refused } = await ok(api.POST(url, { params: { path }, body: this.current }));
      const why = new Map(refused.map(({ row, problem }) => [row, problem]));
      for (const [at, { person }] of rows.entries()) {
        const problem = why.get(at);
        if (problem === undefined) this.registered.add(person);
        else this.refused.set(person, problem);
      }
      this.current = undefined;
      this.waiting.shift();
      onstep(this.registered.size + this.refused.size);
    }
  }
}
