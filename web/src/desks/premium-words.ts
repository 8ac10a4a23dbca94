/** Premiums in words, as the bureau's desk says them. */
import { schemeName } from './scheme.ts';
import type { Season } from './premium.ts';
import { t } from './words.ts';

export const seasonName = ({ season }: Season): string => t('premiums.season.name', { scheme: schemeName(season.scheme), year: season.year });

/** A class by the name that people know, else by its own. */
export function className(name: string): string {
  return name === 'full' || name === 'subsidised' || name === 'waived' ? t(`premiums.class.${name}`) : name;
}

/** What the gateway says begins small, since it puts it into sentences; here each is one. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
