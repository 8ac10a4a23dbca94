/** Elder mode: on by itself from sixty, off by one tap, and never against what the reader chose. */
import type { Schemas } from '../api/types.ts';
import { preferences } from '../preferences.svelte.ts';

export const ELDER_AGE = 60;

/** The age on a day of whoever has this identity number. */
export function ageOf(number: string, today: Date): number {
  const born = number.slice(6, 14);
  const now = today.toISOString().slice(0, 10).replaceAll('-', '');
  return Math.floor((Number(now) - Number(born)) / 10_000);
}

/** Whether the bureau attested that somebody is at least so old. */
export function isAttestedElder(covers: Schemas['CoverageList']): boolean {
  const facts = covers.coverages.flatMap((one) => one.facts);
  return facts.some(({ age, period }) => {
    const holds = period.from <= covers.today && (!period.to || covers.today <= period.to);
    return holds && age !== undefined && age.from >= ELDER_AGE;
  });
}

/** Switches large type on for somebody who never chose a size. */
export function suggestLargeType(isElder: boolean): void {
  if (isElder && !preferences.hasSize()) preferences.suggest('large');
}
