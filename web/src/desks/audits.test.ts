import { expect, it } from 'vitest';
import { isAboutAudits, isGrantable } from './audits.ts';

it('an audit is granted for at most a quarter from today on', () => {
  // In the region it is the first of March already.
  const now = Date.parse('2026-02-28T16:00:00Z');
  expect(isGrantable('2026-03-01', now, 480)).toBe(true);
  expect(isGrantable('2026-05-31', now, 480)).toBe(true);
  expect(isGrantable('2026-06-01', now, 480)).toBe(false);
  expect(isGrantable('2026-02-28', now, 480)).toBe(false);
  expect(isGrantable('2026-02-28', now - 1, 480)).toBe(true);
  expect(isGrantable('', now, 480)).toBe(false);
});

it('what concerns audits is told from what does not', () => {
  expect(isAboutAudits({ events: ['audit_granted'] })).toBe(true);
  expect(isAboutAudits({ events: ['visit_settled'] })).toBe(false);
});
