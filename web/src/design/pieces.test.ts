import { describe, expect, it } from 'vitest';
import { pieces } from './pieces.ts';

describe('pieces', () => {
  it('tells commands from words', () => {
    expect(pieces('Use `yibao clearing`, please')).toEqual([
      { text: 'Use ', isCode: false },
      { text: 'yibao clearing', isCode: true },
      { text: ', please', isCode: false },
    ]);
    expect(pieces('`salt`')).toEqual([{ text: 'salt', isCode: true }]);
    expect(pieces('plain')).toEqual([{ text: 'plain', isCode: false }]);
  });

  it('leaves one backtick alone as it is', () => {
    expect(pieces('5 ` 6')).toEqual([{ text: '5 ` 6', isCode: false }]);
  });
});
