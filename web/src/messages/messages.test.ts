import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fill, languageOf, LANGUAGES, preferredLanguage } from './messages.svelte.ts';

const locales = resolve(fileURLToPath(import.meta.url), '../../../../locales');
const read = (language: string, file: string): Record<string, string> =>
  JSON.parse(readFileSync(resolve(locales, language, `${file}.json`), 'utf8'));
const places = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

describe.each(['web', 'wallet', 'desks'])('%s.json', (file) => {
  const chinese = read('zh-Hans', file);

  it.each(LANGUAGES)('says in %s what it says in Chinese', (language) => {
    const texts = read(language, file);
    expect(Object.keys(texts)).toEqual(Object.keys(chinese).sort());
    for (const [key, text] of Object.entries(texts)) {
      expect(text.trim(), key).not.toBe('');
      expect(places(text), key).toEqual(places(chinese[key] ?? ''));
    }
  });

  it('is Traditional Chinese where it says so', () => {
    // Characters that only Simplified Chinese writes so, of those that these texts use most.
    const simplified = /[为这个们时会对开关说请发过还钱给从费险医药单号码设换]/g;
    expect(Object.values(chinese).join('')).toMatch(simplified);
    for (const [key, text] of Object.entries(read('zh-Hant', file))) {
      expect(text.match(simplified) ?? [], `${key}: ${text}`).toEqual([]);
    }
  });
});

it('the wallet speaks a family’s language', () => {
  const technical = /ledger|hash|proof|\broot\b|passkey|blockchain|账本|哈希|链上|通行密钥|帳本|雜湊|鏈上|Hauptbuch|Prüfsumme/i;
  for (const language of LANGUAGES) {
    for (const file of ['web', 'wallet']) {
      for (const [key, text] of Object.entries(read(language, file))) expect(text, key).not.toMatch(technical);
    }
  }
});

it('places are filled in, and what has no value stays', () => {
  expect(fill('{a} and {b}', { a: 1 })).toBe('1 and {b}');
});

it('the reader’s language is found among ours', () => {
  expect(languageOf('zh-TW')).toBe('zh-Hant');
  expect(languageOf('zh-Hans-HK')).toBe('zh-Hans');
  expect(languageOf('de-AT')).toBe('de');
  expect(languageOf('fr')).toBeUndefined();
  expect(preferredLanguage(['fr', 'de-CH', 'en'])).toBe('de');
  expect(preferredLanguage([])).toBe('zh-Hans');
});
