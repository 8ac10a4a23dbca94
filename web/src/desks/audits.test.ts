import { expect, it } from 'vitest';
import { isAboutAudits, isGrantable } from './audits.ts';

it('an audit is granted for at most a quarter from today on', () => {
  expect(isGrantable('2026-03-01', '2026-03-01')).toBe(true);
  expect(isGrantable('2026-05-31', '2026-03-01')).toBe(true);
  expect(isGrantable('2026-06-01', '2026-03-01')).toBe(false);
  expect(isGrantable('2026-02-28', '2026-03-01')).toBe(false);
  expect(isGrantable('', '2026-03-01')).toBe(false);
});

it('what concerns audits is told from what does not', () => {
  expect(isAboutAudits({ events: ['audit_granted'] })).toBe(true);
  expect(isAboutAudits({ events: ['visit_settled'] })).toBe(false);
});
