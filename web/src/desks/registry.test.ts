import { expect, it } from 'vitest';
import { readLines, template } from './registry.ts';

it('a registry is read by its heads, with what offices call the schemes', () => {
  const reading = readLines('\uFEFF参保起,姓名,证件号码,险种\n2026-01-01,王芳, 11010519491231002x,职工\n,李强,１１０,\n');
  if (!('lines' in reading)) throw new Error('not read');
  const [one, two] = reading.lines;
  expect(one).toMatchObject({ line: 2, cells: { name: '王芳', number: '11010519491231002X', scheme: '310', from: '2026-01-01', to: '' } });
  expect(two).toMatchObject({ line: 3, cells: { name: '李强', number: '110', scheme: '', from: '' } });
  expect(readLines('name,number,scheme\na,1,390')).toMatchObject({ lines: [{ cells: { scheme: '390' } }] });
  expect(readLines('name,number,scheme\na,1,511')).toMatchObject({ lines: [{ cells: { scheme: '511' } }] });
});

it('what is no registry says what is missing, and too much is not read', () => {
  expect(readLines('')).toEqual({ fault: 'form' });
  expect(readLines('姓名,险种\n王芳,职工')).toEqual({ fault: 'head', column: 'number' });
  const many = `name,number\n${'a,1\n'.repeat(50_001)}`;
  expect(readLines(many)).toEqual({ fault: 'many' });
  expect(readLines(`name,number\n${'a,1\n'.repeat(50_000)}`)).toHaveProperty('lines.length', 50_000);
  // The template is read as it is handed out, once a line is in it.
  const [head] = template();
  expect(readLines(`${head?.join(',')}\n王芳,1,职工,,,,,,`)).toMatchObject({ lines: [{ cells: { name: '王芳' } }] });
});
