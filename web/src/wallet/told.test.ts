import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import { session } from '../session.svelte.ts';
import type { Notice } from './notices.ts';
import Told from './Told.svelte';

const notice = (number: number): Notice => ({
  notice: number,
  about: 'money',
  title: `title ${number}`,
  noted: '2026-01-02T03:04:05.000Z',
  deliveries: [],
});

/** A gateway that answers when it is told to, and what it was asked. */
const gateway = vi.hoisted(() => ({ asked: [] as string[], notices: [] as unknown[], answer: (): void => {} }));

vi.mock('../api/client.ts', () => ({
  api: {
    GET: async (path: string) => {
      gateway.asked.push(path);
      await new Promise<void>((done) => (gateway.answer = done));
      return { choice: { wechat: false, sms: false }, notices: gateway.notices };
    },
    POST: async (path: string) => void gateway.asked.push(path),
  },
  ok: (answer: Promise<unknown>) => answer,
  openStream: (path: string) => {
    gateway.asked.push(path);
    return new Promise(() => {});
  },
}));

/** Somebody who touched the page a moment ago opens a wallet with these notices. */
async function open(notices: readonly Notice[]): Promise<ReturnType<typeof mount>> {
  Object.assign(gateway, { asked: [], notices });
  session.party = 'person:01';
  window.dispatchEvent(new Event('keydown'));
  const told = mount(Told, { target: document.body });
  await vi.waitFor(() => expect(gateway.asked).toHaveLength(1));
  return told;
}

const seen = (): number => gateway.asked.filter((path) => path.endsWith('/seen')).length;

afterEach(() => {
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

it('what is shown is said once and is seen when somebody looks', async () => {
  const told = await open([5, 4, 3, 2, 1].map(notice));
  gateway.answer();
  await vi.waitFor(() => expect(gateway.asked.at(-1)).toBe('/v1/events'));
  flushSync();
  const lines = [...document.querySelectorAll('li')].map((line) => line.textContent);
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain('title 5');
  expect(document.querySelector('li:last-child a')?.getAttribute('href')).toBe('#/notices');
  expect(seen()).toBe(1);
  await unmount(told);
});

it('what nobody looks at is not seen', async () => {
  const told = await open([notice(1)]);
  const later = Date.now() + 121_000;
  vi.spyOn(Date, 'now').mockReturnValue(later);
  gateway.answer();
  await vi.waitFor(() => expect(gateway.asked.at(-1)).toBe('/v1/events'));
  expect(seen()).toBe(0);
  await unmount(told);
});

it('a wallet that was left meanwhile asks nothing more', async () => {
  const told = await open([notice(1)]);
  await unmount(told);
  gateway.answer();
  await new Promise((done) => setTimeout(done));
  expect(gateway.asked).toHaveLength(1);
});
