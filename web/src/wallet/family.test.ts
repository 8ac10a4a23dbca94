import { expect, it } from 'vitest';
import { needsConsent, NOTICE_DAYS } from './family.ts';

const one = (holds: boolean, until: string | null, ground: 'documents' | 'own_key' = 'documents') => ({ holds, until, ground });
const day = (ahead: number): string => new Date(Date.parse('2026-03-01') + ahead * 86_400_000).toISOString().slice(0, 10);

it('says so ninety days before documents end, and not a day earlier', () => {
  expect(needsConsent(one(true, day(NOTICE_DAYS + 1)), '2026-03-01')).toBe(false);
  expect(needsConsent(one(true, day(NOTICE_DAYS)), '2026-03-01')).toBe(true);
  expect(needsConsent(one(true, day(0)), '2026-03-01')).toBe(true);
});

it('says so of documents that do not count any more, whatever their last day', () => {
  expect(needsConsent(one(false, day(300)), '2026-03-01')).toBe(true);
});

it('says nothing of whoever agreed in person', () => {
  expect(needsConsent(one(true, null, 'own_key'), '2026-03-01')).toBe(false);
});
