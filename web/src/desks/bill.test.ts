import { describe, expect, it } from 'vitest';
import { billOf, emptyRow, faultsOf, product, readBill, type Row } from './bill.ts';

const DAY = '2026-03-02';
const row = (values: Partial<Row>): Row => ({ ...emptyRow(DAY), code: 'XY001', amount: '18.60', ...values });

describe('a row', () => {
  it('has its faults named', () => {
    const faults = (values: Partial<Row>) => faultsOf(row(values), 'CNY', 2);
    expect(faults({})).toEqual([]);
    expect(faults({ code: ' ' })).toEqual(['code']);
    expect(faults({ amount: '18.605' })).toEqual(['amount']);
    expect(faults({ amount: '-1' })).toEqual(['amount']);
    expect(faults({ quantity: '0' })).toEqual(['quantity']);
    expect(faults({ quantity: '2', price: '9.30' })).toEqual([]);
    expect(faults({ quantity: '2', price: '9.31' })).toEqual(['price']);
    expect(faults({ day: '2026-13-01' })).toEqual(['day']);
  });

  it('multiplies without losing a cent', () => {
    expect(product('3', '0.335', 2)).toBe('101');
    expect(product('3', '0.334999', 2)).toBe('100');
    expect(product('1000000000', '99999.99', 2)).toBe('9999999000000000');
    expect(product('2', '150', 0)).toBe('300');
    expect(product('x', '1', 2)).toBeUndefined();
  });
});

describe('what is read', () => {
  it('is a table with any of the usual marks, or a bill in JSON', () => {
    const expected = [row({ name: '片, 5mg', quantity: '2', price: '9.30' })];
    const tables = [
      'item_code,name,quantity,unit_price,amount\nXY001,"片, 5mg",2,9.30,18.60\n',
      '\uFEFFITEM_CODE;NAME;QUANTITY;UNIT_PRICE;AMOUNT;SERVICE_DATE\r\nXY001;片, 5mg;2;9.30;18.60;2026-03-02\r\n',
      'item_code\tname\tquantity\tunit_price\tamount\nXY001\t片, 5mg\t2\t9.30\t18.60',
    ];
    for (const table of tables) expect(readBill(table, DAY)).toEqual({ rows: expected });
    const bill = billOf(expected, 'CNY');
    expect(readBill(JSON.stringify(bill), DAY)).toMatchObject({ rows: expected });
  });

  it('is told what it lacks', () => {
    expect(readBill('name,amount\na,1', DAY)).toEqual({ fault: 'head', column: 'item_code' });
    expect(readBill('', DAY)).toEqual({ fault: 'form' });
    expect(readBill('{"lines":[]}', DAY)).toEqual({ fault: 'form' });
    expect(readBill('{', DAY)).toEqual({ fault: 'form' });
  });
});

it('a bill that was read keeps what no column shows, and its numbers', () => {
  const [first, second] = [
    { line_no: 7, item_code: 'A', name: '', service_date: DAY, quantity: '1', amount: '1.00', category: 'western_medicine', programme: 1, slot: 2 },
    { line_no: 1, item_code: 'B', name: '', service_date: DAY, quantity: '1', amount: '2.00' },
  ] as const;
  const read = readBill(JSON.stringify({ currency: 'CNY', lines: [first, second] }), DAY);
  if (!('rows' in read)) throw new TypeError('it was not read');
  expect(billOf(read.rows, 'CNY').lines).toEqual([first, second]);
  // Another item has not the category of the first one; what is added takes a free number.
  const [one, other] = read.rows;
  const changed = billOf([{ ...one!, code: 'C' }, other!, row({})], 'CNY').lines;
  expect(changed.map((line) => line.line_no)).toEqual([7, 1, 2]);
  expect(changed[0]).toEqual({ ...first, item_code: 'C', category: undefined });
});

it('a bill numbers its lines and leaves blank rows out', () => {
  const bill = billOf([row({}), emptyRow(DAY), row({ code: 'B' })], 'CNY');
  expect(bill.lines.map((line) => [line.line_no, line.item_code])).toEqual([
    [1, 'XY001'],
    [2, 'B'],
  ]);
});
