/** What stories photograph. */
import type { Visitor } from './kit.ts';

/** A page of print, as somebody would photograph it: larger than what may be sent. */
export async function photograph(visitor: Visitor, words: readonly string[]): Promise<Buffer> {
  const url = await visitor.page.evaluate((lines) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [2600, 1900];
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('no canvas');
    context.fillStyle = '#f3ead8';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = '#222';
    context.font = '96px "Noto Sans CJK SC", sans-serif';
    lines.forEach((line, at) => context.fillText(line, 200, 300 + at * 200));
    return canvas.toDataURL('image/png');
  }, words);
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}
