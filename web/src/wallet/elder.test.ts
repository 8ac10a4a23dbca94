import { expect, it } from 'vitest';
import { ageOf, isAttestedElder } from './elder.ts';

it('an age is full on the birthday and not the day before', () => {
  const number = '11010519661231002X';
  expect(ageOf(number, new Date('2026-12-30T12:00:00Z'))).toBe(59);
  expect(ageOf(number, new Date('2026-12-31T12:00:00Z'))).toBe(60);
});

it('an attested age counts while it holds, and from sixty on only', () => {
  const covers = (from: number, to: string | null) => ({
    today: '2026-03-02',
    running_amounts: [],
    coverages: [
      {
        region: 620100,
        scheme: 310,
        period: { from: '2020-01-01', to: null },
        standing: 'active' as const,
        suspensions: [],
        filings: [],
        slots: [],
        facts: [{ period: { from: '2026-01-01', to }, age: { from, below: 90 }, sex: 'female' as const, person_classes: [] }],
      },
    ],
  });
  expect(isAttestedElder(covers(60, null))).toBe(true);
  expect(isAttestedElder(covers(59, null))).toBe(false);
  expect(isAttestedElder(covers(60, '2026-03-01'))).toBe(false);
});
