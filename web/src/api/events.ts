/** Receipts as they are committed: one stream for all who listen, read with the session's token. */
import { isPresent } from '../presence.ts';
import { openStream } from './client.ts';
import type { Schemas } from './types.ts';

/** When to come again after the stream ended, in milliseconds. */
const PAUSE = 2000;

type Listener = { readonly hear: (receipt: Schemas['Receipt']) => void };

const listeners = new Set<Listener>();
let stop: AbortController | undefined;

/** Reads until it is stopped. A stream that breaks off is opened again behind the last receipt that was seen. */
async function run(signal: AbortSignal): Promise<void> {
  let last: string | undefined;

  async function read(): Promise<void> {
    const answer = await openStream('/v1/events', last, signal);
    if (!answer.ok || answer.body === null) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const field = (name: string): string | undefined =>
          event.split('\n').find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1).trim();
        last = field('id') ?? last;
        const data = field('data');
        if (field('event') === 'receipt' && data !== undefined) {
          const receipt = JSON.parse(data) as Schemas['Receipt'];
          for (const listener of [...listeners]) listener.hear(receipt);
        }
      }
    }
  }

  while (!signal.aborted) {
    await read().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Hands over each receipt that concerns the signed-in party from now on. Gives what stops it. */
export function listen(onReceipt: (receipt: Schemas['Receipt']) => void): () => void {
  const listener: Listener = { hear: onReceipt };
  listeners.add(listener);
  if (stop === undefined) {
    stop = new AbortController();
    void run(stop.signal);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    stop?.abort();
    stop = undefined;
  };
}

type Following = {
  /** Whether what this receipt says concerns the page; without it each does. */
  readonly concerns?: (receipt: Schemas['Receipt']) => boolean;
  /** Looks as well after so many milliseconds, again and again, while somebody is there and `may` says so: for what makes no event. */
  readonly every: number;
  readonly may?: () => boolean;
};

/** Looks again whenever something happened. Gives what stops it. */
export function follow(look: () => void, { concerns, every, may }: Following): () => void {
  const timer = setInterval(() => {
    if (isPresent() && (may?.() ?? true)) look();
  }, every);
  const deaf = listen((receipt) => {
    if (concerns?.(receipt) ?? true) look();
  });
  return () => {
    clearInterval(timer);
    deaf();
  };
}
