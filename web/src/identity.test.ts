import { describe, expect, it } from 'vitest';
import { isSimplePin, numberFault, tidyNumber } from './identity.ts';

describe('an identity number', () => {
  it('is the standard’s own example, and no number with one character changed', () => {
    const number = '11010519491231002X';
    expect(numberFault(number)).toBeUndefined();
    for (let at = 0; at < 17; at += 1) {
      for (const digit of '0123456789') {
        if (number[at] === digit) continue;
        const wrong = number.slice(0, at) + digit + number.slice(at + 1);
        expect(['check', 'date']).toContain(numberFault(wrong));
      }
    }
  });

  it('is told what is wrong with it', () => {
    expect(numberFault('1101051949123100')).toBe('length');
    expect(numberFault('11010519491231002Y')).toBe('digits');
    expect(numberFault('11010519490229002X')).toBe('date');
    expect(numberFault('110105194912310021')).toBe('check');
  });

  it('is read as it is meant', () => {
    expect(tidyNumber(' 110105 19491231 002x ')).toBe('11010519491231002X');
    expect(tidyNumber('１１０１０５１９４９１２３１００２Ｘ')).toBe('11010519491231002X');
  });
});

describe('a PIN', () => {
  it('is not one of those that are tried first', () => {
    const number = '11010519491231002X';
    for (const simple of ['000000', '123456', '987654', '491231', '121212', '231002']) {
      expect(isSimplePin(simple, number), simple).toBe(true);
    }
    for (const good of ['830274', '112358', '246810']) expect(isSimplePin(good, number), good).toBe(false);
  });
});
