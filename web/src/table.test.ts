import { expect, it } from 'vitest';
import { csv } from './table.ts';

it('cells keep their commas, quotes and line ends, and run nothing', () => {
  const text = csv([
    ['a', 'b,c', 'd"e', 'f\ng'],
    ['=1+1', '12.50', '@x', ''],
  ]);
  expect(text).toBe('\uFEFFa,"b,c","d""e","f\ng"\r\n\'=1+1,12.50,\'@x,\r\n');
});
