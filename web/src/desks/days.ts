/** Days of the calendar that desks reckon with. */

/**
 * The last day of the month before somebody born on this day reaches an age: it gives the birthday
 * away to nobody who sees it.
 */
export function lastDayBefore(born: string, age: number): string {
  const year = Number(born.slice(0, 4)) + age;
  const month = Number(born.slice(5, 7));
  // Day 0 of a month is the last one of the month before.
  return new Date(Date.UTC(year, month - 1, 0)).toISOString().slice(0, 10);
}

/** The day of an instant, in milliseconds since 1970, in a calendar so many minutes ahead of UTC. */
export const dayOf = (instant: number, offset: number): string => new Date(instant + offset * 60_000).toISOString().slice(0, 10);
