/** A bill as a desk writes or reads it: rows of text, faults by row, and the bill that comes of them. */
import type { Schemas } from '../api/types.ts';
import { minorOf } from '../messages/format.ts';
import { cells } from '../table.ts';

export type Row = {
  readonly code: string;
  readonly name: string;
  readonly quantity: string;
  readonly price: string;
  readonly amount: string;
  readonly day: string;
  /** The line that was read, for what it says besides: nobody writes that here and nobody may lose it. */
  readonly line?: Schemas['LineItem'];
};
/** The keys of messages. */
export type Fault = 'code' | 'amount' | 'quantity' | 'price' | 'day';

export const emptyRow = (day: string): Row => ({ code: '', name: '', quantity: '1', price: '', amount: '', day });

export const isBlank = (row: Row): boolean => row.code === '' && row.name === '' && row.amount === '' && row.price === '';

/** A decimal number as a whole number and its places. */
function exact(text: string): { digits: bigint; places: number } | undefined {
  const match = /^([0-9]{1,15})(?:\.([0-9]{1,6}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, whole = '', fraction = ''] = match;
  return { digits: BigInt(whole + fraction), places: fraction.length };
}

/** Quantity times price in minor units, halves up; `undefined` where one is no number. */
export function product(quantity: string, price: string, scale: number): string | undefined {
  const [one, other] = [exact(quantity), exact(price)];
  if (one === undefined || other === undefined) return undefined;
  const digits = one.digits * other.digits;
  const drop = one.places + other.places - scale;
  if (drop <= 0) return (digits * 10n ** BigInt(-drop)).toString();
  const unit = 10n ** BigInt(drop);
  return ((digits + unit / 2n) / unit).toString();
}

export function faultsOf(row: Row, currency: string, scale: number): readonly Fault[] {
  const faults: Fault[] = [];
  const amount = minorOf(row.amount, currency);
  const quantity = exact(row.quantity);
  if (row.code.trim() === '') faults.push('code');
  if (amount === undefined) faults.push('amount');
  if (quantity === undefined || quantity.digits === 0n) faults.push('quantity');
  if (row.price.trim() !== '' && amount !== undefined) {
    const computed = product(row.quantity, row.price, scale);
    if (computed === undefined || computed !== amount) faults.push('price');
  }
  if (!/^\d{4}-\d{2}-\d{2}$/.test(row.day) || Number.isNaN(Date.parse(`${row.day}T00:00:00Z`))) faults.push('day');
  return faults;
}

/** What no column shows. Another item has another category; programme and slot are of the visit and stay. */
function besides({ code, line }: Row): Partial<Schemas['LineItem']> {
  const { category, programme, slot } = line ?? {};
  return {
    ...(category && line?.item_code === code.trim() ? { category } : {}),
    ...(programme ? { programme } : {}),
    ...(slot ? { slot } : {}),
  };
}

/** The lines of a bill, to be written over. */
export const rowsOf = (lines: readonly Schemas['LineItem'][]): readonly Row[] =>
  lines.map((line) => ({
    code: line.item_code,
    name: line.name ?? '',
    quantity: line.quantity ?? '1',
    price: line.unit_price ?? '',
    amount: line.amount,
    day: line.service_date,
    line,
  }));

export function billOf(rows: readonly Row[], currency: string): Schemas['Bill'] {
  const filled = rows.filter((row) => !isBlank(row));
  const taken = new Set(filled.map((row) => row.line?.line_no));
  let next = 0;
  const free = (): number => {
    do next += 1;
    while (taken.has(next));
    return next;
  };
  const lines = filled.map((row) => ({
    ...besides(row),
    line_no: row.line?.line_no ?? free(),
    item_code: row.code.trim(),
    name: row.name.trim(),
    service_date: row.day,
    quantity: row.quantity.trim(),
    ...(row.price.trim() === '' ? {} : { unit_price: row.price.trim() }),
    amount: row.amount.trim(),
  }));
  return { currency, lines };
}

export type Reading = { readonly rows: readonly Row[] } | { readonly fault: 'form' } | { readonly fault: 'head'; readonly column: string };

function fromJson(value: unknown, day: string): readonly Row[] | undefined {
  const lines = (value as { lines?: unknown } | null)?.lines;
  if (!Array.isArray(lines)) return undefined;
  const text = (member: unknown): string => (typeof member === 'string' || typeof member === 'number' ? String(member) : '');
  // What is no line in the contract's form is refused by the gateway, which names it.
  return rowsOf(
    lines.map((line) => ({
      ...line,
      item_code: text(line?.item_code),
      name: text(line?.name),
      quantity: text(line?.quantity) || '1',
      unit_price: text(line?.unit_price),
      amount: text(line?.amount),
      service_date: text(line?.service_date) || day,
    })),
  );
}

export function readBill(text: string, day: string): Reading {
  const plain = text.replace(/^\uFEFF/, '').trim();
  if (plain.startsWith('{')) {
    try {
      const rows = fromJson(JSON.parse(plain), day);
      return rows === undefined || rows.length === 0 ? { fault: 'form' } : { rows };
    } catch {
      return { fault: 'form' };
    }
  }
  const [head, ...lines] = cells(plain);
  if (head === undefined || lines.length === 0) return { fault: 'form' };
  const names = head.map((name) => name.trim().toLowerCase());
  const missing = ['item_code', 'amount'].find((name) => !names.includes(name));
  if (missing !== undefined) return { fault: 'head', column: missing };
  const rows = lines.map((line) => {
    const cell = (name: string): string => line[names.indexOf(name)]?.trim() ?? '';
    return {
      code: cell('item_code'),
      name: cell('name'),
      quantity: cell('quantity') || '1',
      price: cell('unit_price'),
      amount: cell('amount'),
      day: cell('service_date') || day,
    };
  });
  return { rows };
}
