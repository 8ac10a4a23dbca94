/** The form of a bank card's number (ISO/IEC 7812), checked while it is written. */

/** The keys of messages. */
export type CardFault = 'digits' | 'length' | 'check';

/** A number as somebody types or pastes it: spaces and hyphens left out, full-width digits made plain. */
export const tidyCard = (text: string): string => text.normalize('NFKC').replace(/[\s-]/g, '');

/** In groups of four, as it stands on the card. */
export const groupedCard = (number: string): string => number.replace(/(\d{4})(?=\d)/g, '$1 ');

export function cardFault(number: string): CardFault | undefined {
  if (!/^\d*$/.test(number)) return 'digits';
  if (number.length < 12 || number.length > 19) return 'length';
  // From the right, every other digit is doubled; the digits of all results add up to a multiple of ten.
  const sum = Array.from(number, Number)
    .reverse()
    .map((digit, at) => (at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2))
    .reduce((so_far, digit) => so_far + digit, 0);
  return sum % 10 === 0 ? undefined : 'check';
}
