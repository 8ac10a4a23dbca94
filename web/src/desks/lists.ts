/** Lists that offices write: lines of a table, read in batches, with what became of each. */
import type { Schemas } from '../api/types.ts';
import { cells } from '../table.ts';

/** How many lines are read, and rows brought to the ledger, at once. */
export const BATCH = 500;
/** The most lines of a file; longer lists are imported by the command line. */
export const LINES_MAX = 50_000;

/** A column: as programs name it, and as the template does. */
export type Column<Name extends string> = readonly [Name, string];

export type Line<Name extends string> = { readonly line: number; readonly cells: Readonly<Record<Name, string>> };
export type Reading<Name extends string> =
  | { readonly lines: readonly Line<Name>[] }
  | { readonly fault: 'form' | 'many' }
  | { readonly fault: 'head'; readonly column: string };

/** The lines of a table whose first one names the columns, by either name and in any order. */
export function readTable<Name extends string>(text: string, columns: readonly Column<Name>[], needed: readonly Name[]): Reading<Name> {
  const [head, ...rows] = cells(text.replace(/^\uFEFF/, ''));
  if (head === undefined || rows.length === 0) return { fault: 'form' };
  const heads = head.map((one) => one.trim().toLowerCase());
  const places = new Map(columns.map(([column, chinese]) => [column, heads.findIndex((one) => one === column || one === chinese)]));
  const missing = needed.find((column) => (places.get(column) ?? -1) < 0);
  if (missing !== undefined) return { fault: 'head', column: missing };
  if (rows.length > LINES_MAX) return { fault: 'many' };
  const lines = rows.map((row, at) => {
    const read = columns.map(([column]) => [column, row[places.get(column) ?? -1]?.trim() ?? '']);
    return { line: at + 2, cells: Object.fromEntries(read) as Record<Name, string> };
  });
  return { lines };
}

export const batches = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / BATCH) }, (_, at) => all.slice(at * BATCH, (at + 1) * BATCH));

/** What is wrong with a cell, by the head of its column. */
export function byHead(problem: Schemas['LineProblem'], columns: readonly Column<string>[]): Schemas['LineProblem'] {
  const head = columns.find(([column]) => column === problem.field)?.[1];
  return head === undefined ? problem : { ...problem, detail: problem.detail.replace(`\`${problem.field}\``, head) };
}

/** What became of a line. */
export type LineResult = {
  readonly line: number;
  readonly name: string;
  /** The last characters of the number, by which an office tells namesakes apart. */
  readonly end: string;
  readonly problem?: Schemas['LineProblem'];
  /** The earlier line on which the same number stands. */
  readonly twice?: number;
};
