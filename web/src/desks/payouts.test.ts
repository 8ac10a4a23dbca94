import { expect, it } from 'vitest';
import type { Schemas } from '../api/types.ts';
import { dayBefore, isAboutPayouts, movementsOf, sumOf } from './payouts.ts';

type Account = Schemas['Account'];
const books = { organisation: 'hospital-1', region: 620100 };
const due: Account = { provider_due: books };
const payable: Account = { provider_payable: books };
const inPayment: Account = { provider_in_payment: books };
const outside: Account = { outside: 620100 };
const entry = (debit: Account, credit: Account, amount: string) => ({ debit, credit, amount, currency: 'CNY' as const });
const receipt = (id: number, kind: string, entries: ReturnType<typeof entry>[], status: 'accepted' | 'rejected' = 'accepted') => ({
  id,
  time: '2026-01-01T10:00:00.000Z',
  kind,
  entries,
  outcome: status === 'accepted' ? { status } : { status, code: 'expired', title: '', detail: '' },
});

it('a payment is told from its order to the bank’s word, and nothing else is one', () => {
  const receipts = [
    receipt(9, 'record_payout_results', [entry(outside, payable, '30')]),
    receipt(8, 'record_payout_results', [entry(inPayment, outside, '30'), entry(inPayment, payable, '20')]),
    receipt(7, 'approve_payout', [entry(payable, inPayment, '50')]),
    receipt(6, 'approve_payout', [entry(payable, inPayment, '50')], 'rejected'),
    receipt(5, 'close_month', [entry(due, payable, '50')]),
    receipt(4, 'pay_provider', [entry(due, outside, '50')]),
  ];
  const told = movementsOf(receipts).map(({ id, what, amount }) => [id, what, amount]);
  expect(told).toEqual([
    [9, 'returned', '30'],
    [8, 'paid', '30'],
    [8, 'failed', '20'],
    [7, 'ordered', '50'],
  ]);
});

it('days go back over months, and sums are exact', () => {
  expect(dayBefore('2026-03-01', 0)).toBe('2026-03-01');
  expect(dayBefore('2026-03-01', 1)).toBe('2026-02-28');
  expect(dayBefore('2028-03-01', 1)).toBe('2028-02-29');
  expect(sumOf([])).toBe(0n);
  expect(sumOf(['18446744073709551615', '1'])).toBe(18446744073709551616n);
  expect(isAboutPayouts({ events: ['visit_settled', 'payout_approved'] })).toBe(true);
  expect(isAboutPayouts({ events: ['visit_settled', 'plan_approved'] })).toBe(false);
});
