import { expect, it } from 'vitest';
import { afterDeposits, byDay, pieces } from './stay.ts';

const line = (line_no: number, service_date: string, amount: string, rest: object = {}) => ({ line_no, item_code: `X${line_no}`, service_date, amount, ...rest });

it('lines stand under their day, the latest day first, and each day has its sum', () => {
  const lines = [line(1, '2026-01-06', '300.00'), line(2, '2026-01-08', '0.10'), line(3, '2026-01-06', '0.05'), line(4, '2026-01-07', '20')];
  const days = byDay(lines, 'CNY', undefined);
  expect(days.map(({ day, total, lines }) => [day, total, lines.map((one) => one.line_no)])).toEqual([
    ['2026-01-08', '10', [2]],
    ['2026-01-07', '2000', [4]],
    ['2026-01-06', '30005', [1, 3]],
  ]);
  expect(byDay([], 'CNY', undefined)).toEqual([]);
});

it('a currency without minor units is summed as it is', () => {
  expect(byDay([line(1, '2026-01-06', '1200'), line(2, '2026-01-06', '34')], 'JPY', undefined)[0]?.total).toBe('1234');
});

it('deposits come first, and what is left over comes back', () => {
  expect(afterDeposits('0', '28000')).toEqual({ due: '28000' });
  expect(afterDeposits('30000', '28000')).toEqual({ back: '2000' });
  expect(afterDeposits('28000', '28000')).toEqual({ back: '0' });
});

it('pieces are told where the bill tells them', () => {
  expect(pieces(line(1, '2026-01-06', '300', { quantity: '3', unit_price: '100' }), 'CNY')).toMatch(/^3 × \D*100[.,]00\D*$/);
  expect(pieces(line(1, '2026-01-06', '300'), 'CNY')).toBeUndefined();
  // Finer than a minor unit.
  expect(pieces(line(1, '2026-01-06', '0.05', { quantity: '10', unit_price: '0.005' }), 'CNY')).toBe('10 × 0.005');
});
