/**
 * The words that people see, in their language. They lie in `locales/LANGUAGE/`: `web.json` for what
 * both apps say, `wallet.json` and `desks.json` for each. Only the chosen language is loaded. A key
 * that the Chinese file does not have is a type error; a test compares the other languages with it.
 */
import type web from '$locales/zh-Hans/web.json';

export const LANGUAGES = ['zh-Hans', 'zh-Hant', 'en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What each language calls itself. */
export const LANGUAGE_NAMES: Record<Language, string> = {
  'zh-Hans': '简体中文',
  'zh-Hant': '繁體中文',
  en: 'English',
  de: 'Deutsch',
};

/** The locale by which numbers and days are written. */
const LOCALES: Record<Language, string> = { 'zh-Hans': 'zh-CN', 'zh-Hant': 'zh-TW', en: 'en-GB', de: 'de-DE' };

type Texts = Readonly<Record<string, string>>;
export type Dictionaries = Record<Language, () => Promise<readonly Texts[]>>;
export type Values = Readonly<Record<string, string | number>>;

class Words {
  language = $state<Language>('zh-Hans');
  texts = $state.raw<Texts>({});
  locale = $derived(LOCALES[this.language]);
}
export const words = new Words();

/** The language of a tag such as `zh-TW` or `de-AT`. */
export function languageOf(tag: string): Language | undefined {
  const [primary, ...parts] = tag.toLowerCase().split('-');
  if (primary === 'en' || primary === 'de') return primary;
  if (primary !== 'zh') return undefined;
  const isTraditional = parts.some((part) => ['hant', 'tw', 'hk', 'mo'].includes(part));
  return isTraditional && !parts.includes('hans') ? 'zh-Hant' : 'zh-Hans';
}

export function preferredLanguage(tags: readonly string[]): Language {
  return tags.map(languageOf).find((language) => language !== undefined) ?? 'zh-Hans';
}

export async function speak(language: Language, dictionaries: Dictionaries): Promise<void> {
  const parts = await dictionaries[language]();
  words.texts = Object.assign({}, ...parts);
  words.language = language;
  document.documentElement.lang = language;
}

export function fill(text: string, values: Values = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

type Counted<K extends string> = K extends `${infer Base}.other` ? Base : never;

export type Translate<K extends string> = {
  (key: K, values?: Values): string;
  /** The form of a text for a number: `KEY.one` or `KEY.other`. */
  count(key: Counted<K>, count: number, values?: Values): string;
};

/** The translator of an app, by the keys of its dictionaries. */
export function translator<K extends string>(): Translate<K> {
  const translate = (key: string, values?: Values): string => fill(words.texts[key] ?? key, values);
  const count = (key: string, number: number, values?: Values): string => {
    const form = new Intl.PluralRules(words.locale).select(number) === 'one' ? 'one' : 'other';
    return translate(`${key}.${form}`, { count: number, ...values });
  };
  return Object.assign(translate, { count });
}

/** The words of what both apps share. */
export const shared = translator<keyof typeof web>();
