/** Tables for and from a spreadsheet (RFC 4180), with the mark by which Excel knows UTF-8. */
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

/** Cells of a table as spreadsheets and hospital systems write it: quoted, with commas, semicolons or tabs. */
export function cells(text: string): string[][] {
  const first = text.split(/\r?\n/, 1)[0] ?? '';
  const mark = ['\t', ';', ','].find((one) => first.includes(one)) ?? ',';
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === mark) {
      row.push(cell);
      cell = '';
    } else if (character === '\n') {
      rows.push([...row, cell]);
      row = [];
      cell = '';
    } else if (character !== '\r') cell += character;
  }
  if (cell !== '' || row.length > 0) rows.push([...row, cell]);
  return rows.filter((one) => one.some((text) => text.trim() !== ''));
}

/** The text of a file, as spreadsheets of today or of Chinese offices wrote it. */
export async function textOf(file: Blob): Promise<string> {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}
