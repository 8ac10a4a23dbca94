/** Tables for a spreadsheet (RFC 4180), with the mark by which Excel knows UTF-8. */
import { download } from './settled.ts';

/** A spreadsheet runs what begins with one of these as a formula; with an apostrophe it stays words. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(text: string): string {
  const plain = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

export function csv(rows: readonly (readonly string[])[]): string {
  return `\uFEFF${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** Hands a table to the reader as a file. */
export async function downloadCsv(name: string, rows: readonly (readonly string[])[]): Promise<void> {
  await download(new Blob([csv(rows)], { type: 'text/csv;charset=utf-8' }), name);
}
