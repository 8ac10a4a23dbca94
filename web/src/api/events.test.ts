import { afterEach, expect, it, vi } from 'vitest';
import { follow, listen } from './events.ts';
import type { Schemas } from './types.ts';

afterEach(() => vi.unstubAllGlobals());

it('all who listen share one stream, which ends with the last of them', async () => {
  const opened: AbortSignal[] = [];
  let send = (_: string): void => {};
  vi.stubGlobal('fetch', (_: string, { signal }: { signal: AbortSignal }) => {
    opened.push(signal);
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => {
        send = (text) => stream.enqueue(new TextEncoder().encode(text));
      },
    });
    return Promise.resolve(new Response(body));
  });
  const heard: string[] = [];
  const hear = (who: string) => (receipt: Schemas['Receipt']) => void heard.push(`${who} ${receipt.id}`);
  const first = listen(hear('first'));
  const second = listen(hear('second'));
  send('id: 7\nevent: receipt\ndata: {"id":7}\n\n');
  await vi.waitFor(() => expect(heard).toEqual(['first 7', 'second 7']));
  expect(opened).toHaveLength(1);
  first();
  expect(opened[0]?.aborted).toBe(false);
  second();
  expect(opened[0]?.aborted).toBe(true);
});

it('a page that nobody looks at asks for nothing by itself', () => {
  vi.stubGlobal('fetch', () => new Promise(() => {}));
  vi.useFakeTimers();
  const look = vi.fn();
  let may = true;
  window.dispatchEvent(new Event('keydown'));
  const stop = follow(look, { every: 1000, may: () => may });
  vi.advanceTimersByTime(3000);
  expect(look).toHaveBeenCalledTimes(3);
  may = false;
  vi.advanceTimersByTime(1000);
  expect(look).toHaveBeenCalledTimes(3);
  may = true;
  vi.advanceTimersByTime(600_000);
  const before = look.mock.calls.length;
  expect(before).toBeLessThan(3 + 120);
  vi.advanceTimersByTime(600_000);
  expect(look).toHaveBeenCalledTimes(before);
  window.dispatchEvent(new Event('keydown'));
  vi.advanceTimersByTime(1000);
  expect(look).toHaveBeenCalledTimes(before + 1);
  stop();
  vi.advanceTimersByTime(5000);
  expect(look).toHaveBeenCalledTimes(before + 1);
  vi.useRealTimers();
});
