/** The desks' words. */
import type desks from '$locales/zh-Hans/desks.json';
import type web from '$locales/zh-Hans/web.json';
import { translator, type Dictionaries } from '../messages/messages.svelte.ts';

export const t = translator<keyof typeof web | keyof typeof desks>();

const both = async (
  ...parts: Promise<{ default: Readonly<Record<string, string>> }>[]
): Promise<readonly Readonly<Record<string, string>>[]> => (await Promise.all(parts)).map((part) => part.default);

export const dictionaries: Dictionaries = {
  'zh-Hans': () => both(import('$locales/zh-Hans/web.json'), import('$locales/zh-Hans/desks.json')),
  'zh-Hant': () => both(import('$locales/zh-Hant/web.json'), import('$locales/zh-Hant/desks.json')),
  en: () => both(import('$locales/en/web.json'), import('$locales/en/desks.json')),
  de: () => both(import('$locales/de/web.json'), import('$locales/de/desks.json')),
};
