/** The registry at the bureau's desk: who is insured here and by what, from a table. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { tidyNumber } from '../identity.ts';
import { session } from '../session.svelte.ts';
import { draft, signed } from './desk.svelte.ts';
import { batches, byHead, readTable, type Column, type Line, type LineResult, type Reading } from './lists.ts';
import { regionOfDesk } from './region.ts';

type Cells = Schemas['RegistryLine'];
type Name = keyof Cells;
export type RegistryLine = Line<Name>;

const COLUMNS: readonly Column<Name>[] = [
  ['name', '姓名'],
  ['number', '证件号码'],
  ['scheme', '险种'],
  ['from', '参保起'],
  ['to', '参保止'],
  ['benefits_from', '待遇起'],
  ['person_classes', '人员身份'],
  ['unbroken_years', '连续参保年数'],
  ['born', '出生日期'],
];

/** What offices call the schemes. */
const SCHEMES: Readonly<Record<string, string>> = { 职工: '310', 职工基本医疗保险: '310', 居民: '390', 居民基本医疗保险: '390', 城乡居民: '390' };

/** A file to begin with: the heads of the columns. */
export const template = (): readonly (readonly string[])[] => [COLUMNS.map(([, head]) => head)];

export function readLines(text: string): Reading<Name> {
  const reading = readTable(text, COLUMNS, ['name', 'number']);
  if (!('lines' in reading)) return reading;
  const tidy = ({ line, cells }: RegistryLine): RegistryLine => {
    const scheme = cells.scheme ?? '';
    return { line, cells: { ...cells, number: tidyNumber(cells.number), scheme: SCHEMES[scheme] ?? scheme } };
  };
  return { lines: reading.lines.map(tidy) };
}

/** What a line does: it enrols somebody, covers somebody, changes nothing, or was done. */
export type Step = Schemas['RegistryStep'] | 'done';
export type Result = LineResult & { readonly cells: Cells; readonly step?: Step };

async function readBatch(lines: readonly { readonly cells: Cells }[], enter: boolean): Promise<readonly Schemas['ReadRegistryLine'][]> {
  const path = { organisation: session.id };
  const body = { lines: lines.map(({ cells }) => cells), enter };
  const read = await ok(api.POST('/v1/organisations/{organisation}/registry-lists', { params: { path }, body }));
  return read.lines;
}

/** Has every line read by the gateway, and changes nothing; a wrong line stops no other. */
export async function checkLines(lines: readonly RegistryLine[], onstep: (done: number) => void): Promise<readonly Result[]> {
  const first = new Map<string, number>();
  const results: Result[] = [];
  for (const batch of batches(lines)) {
    const read = await readBatch(batch, false);
    for (const [at, { line, cells }] of batch.entries()) {
      const { step, problem } = read[at] ?? {};
      const earlier = first.get(cells.number);
      if (earlier === undefined && step) first.set(cells.number, line);
      const told = { line, name: cells.name, end: cells.number.slice(-4), cells };
      if (earlier !== undefined) results.push({ ...told, twice: earlier });
      else if (step) results.push({ ...told, step });
      else results.push({ ...told, ...(problem ? { problem: byHead(problem, COLUMNS) } : {}) });
    }
    onstep(results.length);
  }
  return results;
}

type Signed = Awaited<ReturnType<typeof signed>>;
/** A transaction that was signed: which lines its rows are, and who they are about. */
type Sending = { readonly signed: Signed; readonly lines: readonly number[]; readonly people: readonly Schemas['IdentityDocument'][] };

const HOUR_MILLIS = 3_600_000;

/**
 * Imports lines in batches. Each batch is read again first, so that a list that was imported in part
 * goes on where it stood; what was signed and not answered is sent again as it is.
 */
export class Import {
  private readonly waiting: (readonly Result[])[];
  private sending: Sending[] = [];
  private isSigned = false;
  /** What became of the lines that were brought so far. */
  readonly done = new Set<number>();
  readonly refused = new Map<number, Schemas['LineProblem']>();
  private region: number | undefined;

  constructor(results: readonly Result[]) {
    this.waiting = [...batches(results)];
  }

  private async sign(batch: readonly Result[]): Promise<void> {
    this.region ??= await regionOfDesk();
    const region = this.region;
    const read = await readBatch(batch, true);
    const rows = batch.map((one, at) => ({ one, read: read[at] }));
    for (const { one, read } of rows) {
      if (read?.step === 'nothing') this.done.add(one.line);
      else if (read?.problem) this.refused.set(one.line, byHead(read.problem, COLUMNS));
    }
    const of = (some: readonly { one: Result }[]): Pick<Sending, 'lines' | 'people'> => ({
      lines: some.map(({ one }) => one.line),
      people: some.map(({ one }) => ({ name: one.cells.name, number: one.cells.number })),
    });
    const persons = rows.flatMap(({ one, read }) => (read?.person ? [{ one, row: read.person }] : []));
    const covers = rows.flatMap(({ one, read }) => (read?.cover ? [{ one, row: read.cover }] : []));
    const sending: Sending[] = [];
    if (persons.length > 0) {
      const content = await draft('import_persons', { region, rows: persons.map(({ row }) => row) }, HOUR_MILLIS);
      sending.push({ signed: await signed(content), ...of(persons) });
    }
    if (covers.length > 0) {
      const content = await draft('import_coverages', { region, rows: covers.map(({ row }) => row) }, HOUR_MILLIS);
      sending.push({ signed: await signed(content), ...of(covers) });
    }
    this.sending = sending;
    this.isSigned = true;
  }

  async go(onstep: (done: number) => void): Promise<void> {
    const path = { organisation: session.id };
    const url = '/v1/organisations/{organisation}/registry-imports';
    for (let batch = this.waiting[0]; batch !== undefined; batch = this.waiting[0]) {
      if (!this.isSigned) await this.sign(batch);
      for (let next = this.sending[0]; next !== undefined; next = this.sending[0]) {
        try {
          const { refused } = await ok(api.POST(url, { params: { path }, body: { ...next.signed, people: [...next.people] } }));
          const why = new Map(refused.map(({ row, problem }) => [row, problem]));
          for (const [at, line] of next.lines.entries()) {
            const problem = why.get(at);
            if (problem === undefined) this.done.add(line);
            else this.refused.set(line, problem);
          }
          this.sending.shift();
        } catch (caught) {
          // What was refused as a whole is read and signed anew; what was not answered is sent again.
          if (caught instanceof Problem) this.isSigned = false;
          throw caught;
        }
      }
      this.isSigned = false;
      this.waiting.shift();
      onstep(this.done.size + this.refused.size);
    }
  }
}
