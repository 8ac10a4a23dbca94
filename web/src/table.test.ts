import { expect, it } from 'vitest';
import { cells, csv, textOf } from './table.ts';

it('cells keep their commas, quotes and line ends, and run nothing', () => {
  const text = csv([
    ['a', 'b,c', 'd"e', 'f\ng'],
    ['=1+1', '12.50', '@x', ''],
  ]);
  expect(text).toBe('\uFEFFa,"b,c","d""e","f\ng"\r\n\'=1+1,12.50,\'@x,\r\n');
});

it('a table is read as a spreadsheet wrote it, with its quotes, marks and letters', async () => {
  expect(cells('a;b\r\n"c;1";"d""e"\r\n\r\nf;')).toEqual([['a', 'b'], ['c;1', 'd"e'], ['f', '']]);
  const utf8 = new Blob([new TextEncoder().encode('姓名')]);
  expect(await textOf(utf8)).toBe('姓名');
  // What Chinese offices' spreadsheets write: GB 18030.
  expect(await textOf(new Blob([new Uint8Array([0xd0, 0xd5, 0xc3, 0xfb])]))).toBe('姓名');
});
