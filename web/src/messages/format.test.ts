import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decimal, listText, minorOf, money } from './format.ts';
import { words } from './messages.svelte.ts';

describe('money', () => {
  it('is exact in both directions', () => {
    expect(decimal('452', 'CNY')).toBe('4.52');
    expect(decimal('5', 'CNY')).toBe('0.05');
    expect(decimal('0', 'CNY')).toBe('0.00');
    expect(decimal('300', 'JPY')).toBe('300');
    expect(minorOf('4.52', 'CNY')).toBe('452');
    expect(minorOf('4,5', 'CNY')).toBe('450');
    expect(minorOf('007', 'CNY')).toBe('700');
    expect(minorOf('90071992547409.93', 'CNY')).toBe('9007199254740993');
    for (const wrong of ['', '-1', '1.234', '1e3', '１', 'x']) expect(minorOf(wrong, 'CNY'), wrong).toBeUndefined();
    expect(minorOf('1.5', 'JPY')).toBeUndefined();
  });

  describe('in German', () => {
    beforeAll(() => {
      words.language = 'de';
    });
    afterAll(() => {
      words.language = 'zh-Hans';
    });
    it('is written as its readers write it', () => {
      expect(money('123456', 'CNY').replace(/\s/g, ' ')).toBe('1.234,56 ¥');
      expect(listText(['Blutbild', 'EKG', 'Rezept'])).toBe('Blutbild, EKG und Rezept');
    });
  });
});

it('lists things as the reader’s language does', () => {
  expect(listText(['血常规', '心电图', '处方'])).toBe('血常规、心电图和处方');
});
