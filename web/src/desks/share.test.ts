import { expect, it } from 'vitest';
import type { Schemas } from '../api/types.ts';
import { fundOf, shareDays, sumOf, type Booked } from './share.ts';

const fund = (number: number): Schemas['Account'] => ({ fund: { region: 620100, fund: number } });
const due: Schemas['Account'] = { provider_due: { organisation: 'hospital-1', region: 620100 } };
const entry = (debit: Schemas['Account'], credit: Schemas['Account'], amount: string) => ({ debit, credit, amount, currency: 'CNY' as const });
const booked = (id: number, time: string, kind: string, entries: Booked['entries'], status: 'accepted' | 'rejected' = 'accepted'): Booked => ({
  id,
  time,
  kind,
  outcome: status === 'accepted' ? { status } : { status, code: 'expired', title: '', detail: '' },
  entries,
});

it('a day has what left the own funds on it and what came back, and begins in the region', () => {
  const receipts = [
    booked(5, '2026-01-01T10:00:00Z', 'settle_visit', [entry(fund(4), due, '1000'), entry(fund(1), due, '7000')]),
    booked(6, '2026-01-01T15:59:59Z', 'settle_visit', [entry(fund(4), due, '500')]),
    booked(7, '2026-01-01T16:00:00Z', 'settle_visit', [entry(fund(1), due, '300')]),
    booked(8, '2026-01-01T17:00:00Z', 'settle_visit', [entry(fund(4), due, '9')], 'rejected'),
    booked(9, '2026-01-02T16:30:00Z', 'refund_visit', [entry(due, fund(4), '600'), entry(due, fund(1), '1')]),
    booked(10, '2026-01-02T17:00:00Z', 'supersede_settlement', [entry(due, fund(4), '100'), entry(fund(4), due, '250')]),
    booked(11, '2026-01-02T18:00:00Z', 'pay_provider', [entry(fund(4), due, '77')]),
  ];
  const days = shareDays(receipts, new Set(['620100/4']), 480);
  expect(days).toEqual([
    { day: '2026-01-03', settled: 0, changed: 2, paid: 250n, back: 700n },
    { day: '2026-01-02', settled: 1, changed: 0, paid: 0n, back: 0n },
    { day: '2026-01-01', settled: 2, changed: 0, paid: 1500n, back: 0n },
  ]);
  expect(sumOf(days)).toEqual({ settled: 3, changed: 2, paid: 1750n, back: 700n });
  expect(sumOf([])).toEqual({ settled: 0, changed: 0, paid: 0n, back: 0n });
  expect(fundOf(due)).toBeUndefined();
});
