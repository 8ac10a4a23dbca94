import { describe, expect, it } from 'vitest';
import { Trying } from './trying.svelte.ts';

describe('what a reader waits for', () => {
  it('is busy while it goes on, and says what went wrong until it is tried again', async () => {
    const trying = new Trying();
    let end = (): void => {};
    const going = trying.run(() => new Promise((done) => (end = done)));
    expect(trying.busy).toBe(true);
    end();
    await going;
    expect(trying.busy).toBe(false);

    const fault = new Error('no');
    await trying.run(() => Promise.reject(fault));
    expect([trying.busy, trying.error]).toEqual([false, fault]);
    await trying.run(async () => {});
    expect(trying.error).toBeUndefined();
  });

  it('keeps nobody from pressing a button while the page fetches by itself', async () => {
    const trying = new Trying();
    await trying.load(async () => expect(trying.busy).toBe(false));
    expect(trying.error).toBeUndefined();
  });

  it('is not told twice when a field says it', async () => {
    const seen: unknown[] = [];
    const trying = new Trying((caught) => void seen.push(caught));
    await trying.run(() => Promise.reject('wrong'));
    expect(seen).toEqual(['wrong']);
    expect(trying.error).toBeUndefined();
  });
});
