import { expect, it } from 'vitest';
import { dayBefore, keyOf, readLines, seasonOf, stateOf, type Season } from './premium.ts';

const season = (year: number, from: string, to: string, late_until?: string): Season =>
  ({
    season: { region: 620100, scheme: 390, year },
    terms: { window: { from, to }, cover: { from: `${year}-01-01`, to: `${year}-12-31` }, late_until },
  }) as unknown as Season;

it('a list is read by its heads, of whichever language and order', () => {
  const reading = readLines('\uFEFF缴费类别,姓名,证件号码\nfull,王芳,11010519491231002x\n');
  if (!('lines' in reading)) throw new Error('not read');
  const [one] = reading.lines;
  expect(one?.line).toBe(2);
  expect(one?.cells).toMatchObject({ name: '王芳', number: '11010519491231002X', class: 'full', missed_years: '' });
  expect(readLines('name\tnumber\tclass\tmissed_years\na\t1\tfull\t2')).toMatchObject({ lines: [{ cells: { missed_years: '2' } }] });
});

it('what is no list says what is missing', () => {
  expect(readLines('')).toEqual({ fault: 'form' });
  expect(readLines('name,number,class')).toEqual({ fault: 'form' });
  expect(readLines('name,class\na,full')).toEqual({ fault: 'head', column: 'number' });
});

it('a season is before, open, late or closed, and the open one is shown first', () => {
  const next = season(2027, '2026-09-01', '2026-12-31', '2027-06-30');
  expect(['2026-08-31', '2026-09-01', '2026-12-31', '2027-01-01', '2027-07-01'].map((day) => stateOf(next, day))).toEqual([
    'before',
    'open',
    'open',
    'late',
    'closed',
  ]);
  const last = season(2026, '2025-09-01', '2025-12-31', '2026-06-30');
  const shown = (today: string, key?: string): string | undefined => {
    const found = seasonOf({ today, seasons: [next, last] }, key);
    return found && keyOf(found);
  };
  expect([shown('2026-10-01'), shown('2026-03-01'), shown('2026-10-01', '390-2026'), shown('2026-10-01', '310-2026')]).toEqual([
    '390-2027',
    '390-2026',
    '390-2026',
    undefined,
  ]);
  expect(dayBefore('2027-01-01')).toBe('2026-12-31');
});
