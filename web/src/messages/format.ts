/** Money, days and instants as the reader writes them. */
import { words } from './messages.svelte.ts';

/**
 * The currency of amounts that an answer gives without one: settlements, bills and keys carry minor
 * units of their region's, and all regions that these pages serve have this one. Where an answer
 * names a currency, that one is used.
 */
export const CURRENCY = 'CNY';

const SCALES: Record<string, number> = { JPY: 0 };

export function scaleOf(currency: string): number {
  return SCALES[currency] ?? 2;
}

/** Whole minor units as a decimal number: `"452"` of CNY is `4.52`. */
export function decimal(minor: string | bigint, currency: string): string {
  const scale = scaleOf(currency);
  const digits = minor.toString().padStart(scale + 1, '0');
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** A decimal number as whole minor units; `undefined` when it is none or has too many places. */
export function minorOf(text: string, currency: string): string | undefined {
  const scale = scaleOf(currency);
  const match = /^([0-9]+)(?:\.([0-9]+))?$/.exec(text.trim().replace(',', '.'));
  const [, whole = '', fraction = ''] = match ?? [];
  if (match === null || fraction.length > scale) return undefined;
  return BigInt(whole + fraction.padEnd(scale, '0')).toString();
}

/** An amount with its currency; of others than the usual one by its code, since yen and yuan have one sign. */
export function money(minor: string | bigint, currency: string): string {
  const format = new Intl.NumberFormat(words.locale, {
    style: 'currency',
    currency,
    currencyDisplay: currency === CURRENCY ? 'narrowSymbol' : 'code',
  });
  // A decimal text is exact where the engine takes one; a wallet's sums fit a number elsewhere.
  return format.format(decimal(minor, currency) as unknown as number);
}

/** A rate of exchange as it is published, such as "100 yen = 4.8123 yuan". */
export function rateText(rate: { readonly per: number; readonly price: string }, from: string, to: string): string {
  const say = (value: string, currency: string): string =>
    new Intl.NumberFormat(words.locale, { style: 'currency', currency, currencyDisplay: 'name', minimumFractionDigits: 0, maximumFractionDigits: 6 }).format(
      // A decimal text is exact where the engine takes one.
      value as unknown as number,
    );
  return `${say(String(rate.per), from)} = ${say(rate.price, to)}`;
}

/** What a currency is called in the reader's language. */
export function currencyName(currency: string): string {
  return new Intl.DisplayNames(words.locale, { type: 'currency' }).of(currency) ?? currency;
}

/** How many, with the marks that the reader's language sets between thousands. */
export function countText(count: number): string {
  return new Intl.NumberFormat(words.locale).format(count);
}

/** Several things in one sentence, as the reader's language lists them. */
export function listText(parts: readonly string[]): string {
  return new Intl.ListFormat(words.locale, { type: 'conjunction' }).format(parts);
}

/** A day such as `2026-03-31`. */
export function dayText(day: string): string {
  const format = new Intl.DateTimeFormat(words.locale, { dateStyle: 'medium', timeZone: 'UTC' });
  return format.format(new Date(`${day}T00:00:00Z`));
}

/** A calendar month. */
export function monthText({ year, month }: { readonly year: number; readonly month: number }): string {
  const format = new Intl.DateTimeFormat(words.locale, { year: 'numeric', month: 'long', timeZone: 'UTC' });
  return format.format(new Date(Date.UTC(year, month - 1)));
}

export function instantText(instant: string): string {
  const format = new Intl.DateTimeFormat(words.locale, { dateStyle: 'medium', timeStyle: 'short' });
  return format.format(new Date(instant));
}

/** The time of day: deadlines are clock times, never countdowns. */
export function clockText(instant: string): string {
  return new Intl.DateTimeFormat(words.locale, { timeStyle: 'short' }).format(new Date(instant));
}
