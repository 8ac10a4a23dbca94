import { afterEach, expect, it, vi } from 'vitest';
import { listen } from './events.ts';
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
