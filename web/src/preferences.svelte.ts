/** What this browser remembers of how its reader reads. Nothing here says who that is. */
import { LANGUAGES, preferredLanguage, type Language } from './messages/messages.svelte.ts';

export const SIZES = ['normal', 'large', 'largest'] as const;
export type Size = (typeof SIZES)[number];

const LANGUAGE = 'yibao.language';
const SIZE = 'yibao.size';

/** A browser may keep nothing at all; then everything is as at the first visit. */
export function remembered(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Nothing is lost but convenience.
  }
}

const among = <T extends string>(values: readonly T[], value: string | undefined): T | undefined =>
  values.find((one) => one === value);

class Preferences {
  size = $state<Size>(among(SIZES, remembered(SIZE)) ?? 'normal');
  /** Whether the size was set for the reader, who may take it back. */
  isSuggested = $state(false);

  language(): Language {
    return among(LANGUAGES, remembered(LANGUAGE)) ?? preferredLanguage(navigator.languages);
  }

  setLanguage(language: Language): void {
    remember(LANGUAGE, language);
  }

  setSize(size: Size): void {
    this.size = size;
    this.isSuggested = false;
    remember(SIZE, size);
    this.apply();
  }

  /** Sets a size that the reader did not choose; it is not remembered as chosen. */
  suggest(size: Size): void {
    this.size = size;
    this.isSuggested = true;
    this.apply();
  }

  /** Whether the reader ever chose a size. */
  hasSize(): boolean {
    return remembered(SIZE) !== undefined;
  }

  apply(): void {
    document.documentElement.dataset.size = this.size;
  }
}
export const preferences = new Preferences();
