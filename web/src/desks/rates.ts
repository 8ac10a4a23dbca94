/** Rates of exchange at the desk of who publishes them: one, or a table line by line. */
import { Problem } from '../api/client.ts';
import { RATE_CORRECTIONS } from '../ledger/kinds.ts';
import type { Body } from '../ledger/kinds.ts';
import { act } from './desk.svelte.ts';
import { readTable, type Column, type Reading } from './lists.ts';

export type Rate = Body<'publish_exchange_rate'>;
export type Correction = (typeof RATE_CORRECTIONS)[number];
/** The currencies that the ledger knows. */
export const CURRENCIES: readonly string[] = ['CNY', 'JPY', 'USD', 'EUR'];
export const PERS = ['1', '10', '100', '1000', '10000'] as const;

type Name = 'day' | 'currency' | 'per' | 'price' | 'source' | 'correction';
export type Cells = Readonly<Record<Name, string>>;
export type RateLine = { readonly line: number; readonly cells: Cells };

const COLUMNS: readonly Column<Name>[] = [
  ['day', '日期'],
  ['currency', '货币'],
  ['per', '单位'],
  ['price', '价格'],
  ['source', '来源'],
  ['correction', '更正'],
];

export const readRates = (text: string): Reading<Name> => readTable(text, COLUMNS, ['day', 'currency', 'per', 'price', 'source']);

/** The rate that these cells say; nothing where one of them says none. */
export function rateOf(cells: Cells, publisher: string, pricedIn: string): Rate | undefined {
  const day = cells.day.trim().replaceAll('/', '-');
  const price = cells.price.trim();
  const source = cells.source.trim();
  const correction = RATE_CORRECTIONS.find((one) => one === cells.correction.trim());
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(`${day}T00:00:00Z`));
  const isWhole = isDay && /^\d{1,12}(\.\d{1,6})?$/.test(price) && source !== '' && PERS.some((one) => one === cells.per.trim());
  if (!isWhole || (cells.correction.trim() !== '' && correction === undefined)) return undefined;
  const currency = cells.currency.trim().toUpperCase();
  if (!CURRENCIES.includes(currency)) return undefined;
  return { publisher, currency, priced_in: pricedIn, day, rate: { per: Number(cells.per), price }, source, ...(correction ? { correction } : {}) };
}

/** What became of a line. */
export type LineOutcome = { readonly line: number; readonly words?: string; readonly fault?: 'unreadable' };

/** Publishes line by line; a line that is refused stops no other. */
export async function publishRates(
  lines: readonly RateLine[],
  [publisher, pricedIn]: readonly [string, string],
  onoutcome: (outcome: LineOutcome) => void,
): Promise<void> {
  for (const { line, cells } of lines) {
    const rate = rateOf(cells, publisher, pricedIn);
    if (rate === undefined) {
      onoutcome({ line, fault: 'unreadable' });
      continue;
    }
    try {
      await act('publish_exchange_rate', rate);
      onoutcome({ line });
    } catch (caught) {
      if (!(caught instanceof Problem)) throw caught;
      onoutcome({ line, words: caught.problem.detail || caught.problem.title });
    }
  }
}
