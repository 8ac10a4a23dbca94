import { describe, expect, it } from 'vitest';
import { lastDayBefore } from './days.ts';

describe('the last day before an age', () => {
  it('is the end of the month before', () => {
    expect(lastDayBefore('2014-03-31', 16)).toBe('2030-02-28');
    expect(lastDayBefore('2012-03-01', 16)).toBe('2028-02-29');
  });
  it('goes back into the year before', () => {
    expect(lastDayBefore('2014-01-15', 16)).toBe('2029-12-31');
  });
});
