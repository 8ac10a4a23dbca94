/** The form of an identity number (GB 11643), checked while it is written. */

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS = '10X98765432';

/** The keys of messages. */
export type NumberFault = 'length' | 'digits' | 'date' | 'check';

/** A number as somebody types it: spaces left out, a small or full-width x made the X that it means. */
export function tidyNumber(text: string): string {
  return text.normalize('NFKC').replace(/\s/g, '').toUpperCase();
}

export function numberFault(number: string): NumberFault | undefined {
  if (number.length !== 18) return 'length';
  if (!/^\d{17}[\dX]$/.test(number)) return 'digits';
  const day = `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`;
  const millis = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(millis) || new Date(millis).toISOString().slice(0, 10) !== day) return 'date';
  const sum = WEIGHTS.reduce((so_far, weight, at) => so_far + weight * Number(number[at]), 0);
  return CHECKS[sum % 11] === number[17] ? undefined : 'check';
}

/** Whether a PIN is one of those that are tried first: one digit, a run, a birthday. */
export function isSimplePin(pin: string, number: string): boolean {
  const steps = Array.from(pin).map((digit, at) => Number(pin[at + 1] ?? digit) - Number(digit));
  const inner = new Set(steps.slice(0, -1));
  const isRun = inner.size === 1 && [-1, 0, 1].includes([...inner][0] ?? 9);
  return isRun || number.includes(pin) || number.slice(8, 14) === pin || /^(\d\d)\1\1$/.test(pin);
}
