import { expect, it } from 'vitest';
import { rateOf, readRates } from './rates.ts';

const CELLS = { day: '2026/11/03', currency: 'jpy', per: '100', price: '4.8123', source: '中间价', correction: '' };

it('a line says a rate, or none', () => {
  expect(rateOf(CELLS, 'finance', 'CNY')).toEqual({
    publisher: 'finance',
    currency: 'JPY',
    priced_in: 'CNY',
    day: '2026-11-03',
    rate: { per: 100, price: '4.8123' },
    source: '中间价',
  });
  expect(rateOf({ ...CELLS, correction: 'copied_wrongly' }, 'finance', 'CNY')).toMatchObject({ correction: 'copied_wrongly' });
  for (const wrong of [{ day: '3.11.2026' }, { day: '2026-13-01' }, { per: '3' }, { price: '4,81' }, { price: '4.8123456' }, { source: ' ' }, { correction: 'why not' }, { currency: 'yen' }]) {
    expect(rateOf({ ...CELLS, ...wrong }, 'finance', 'CNY'), JSON.stringify(wrong)).toBeUndefined();
  }
});

it('a table names its columns in either language', () => {
  const reading = readRates('日期,货币,单位,价格,来源\n2026-11-03,JPY,100,4.8123,中间价\n');
  expect(reading).toEqual({ lines: [{ line: 2, cells: { ...CELLS, day: '2026-11-03', currency: 'JPY' } }] });
  expect(readRates('day,price\n1,2\n')).toEqual({ fault: 'head', column: 'currency' });
});
