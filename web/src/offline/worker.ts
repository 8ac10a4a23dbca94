/**
 * Keeps the wallet's page and what it loads, so that it opens without a network. The page comes from
 * the network first; files whose names carry their hash come from what is kept. Everything else, the
 * API above all, passes by.
 *
 * Shows notices as well, which come encrypted for this browser alone. They say what sort of thing
 * waits, and nothing that a stranger may not read on a locked screen.
 */

/** What the compiler's library for pages does not know of workers. */
type Extendable = { waitUntil(done: Promise<unknown>): void };
type Fetching = Extendable & { readonly request: Request; respondWith(answer: Promise<Response>): void };
type Pushed = Extendable & { readonly data: { json(): Told } | null };
type Said = Extendable & { readonly data: unknown };
type Clicked = Extendable & { readonly notification: { readonly data: { path: string } | null; close(): void } };
type Client = { readonly url: string; focus(): Promise<Client>; navigate(url: string): Promise<Client | null> };
/** What stands in a notice. */
type Told = { readonly reference: string; readonly about: string; readonly title: string; readonly body: string; readonly language: string };
type Scope = {
  addEventListener(type: 'install' | 'activate', listener: (event: Extendable) => void): void;
  addEventListener(type: 'fetch', listener: (event: Fetching) => void): void;
  addEventListener(type: 'message', listener: (event: Said) => void): void;
  addEventListener(type: 'push', listener: (event: Pushed) => void): void;
  addEventListener(type: 'notificationclick', listener: (event: Clicked) => void): void;
  skipWaiting(): Promise<void>;
  readonly registration: { showNotification(title: string, options: object): Promise<void> };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly Client[]>;
    openWindow(url: string): Promise<Client | null>;
  };
  readonly location: Location;
};
const worker = self as unknown as Scope;

/** Filled in by the build (`tools/shell.ts`): a name for this version, and its files. */
const SHELL = { version: '__VERSION__', files: ['__FILES__'] };
const KEPT = `yibao-${SHELL.version}`;
const PAGE = '/';
/** The empty cache by which the page says that pages may be kept (`offline.ts`). */
const MARK = 'yibao';

/** Keeps the pages, if they may be kept and are not. */
async function keepPages(): Promise<void> {
  if (!(await caches.has(MARK)) || (await caches.has(KEPT))) return;
  const cache = await caches.open(KEPT);
  try {
    await cache.addAll(SHELL.files);
  } catch (lost) {
    // A part of the pages would open as if it were all.
    await caches.delete(KEPT);
    throw lost;
  }
}

async function install(): Promise<void> {
  await keepPages();
  await worker.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== KEPT && name !== MARK).map((name) => caches.delete(name)));
  await worker.clients.claim();
}

async function page(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (lost) {
    const kept = await caches.match(PAGE);
    if (kept === undefined) throw lost;
    return kept;
  }
}

async function file(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

async function show({ reference, about, title, body, language }: Told): Promise<void> {
  // The wallet knows the page of what a notice is about (`notices.ts`).
  const data = { path: `/#/told/${encodeURIComponent(about)}` };
  await worker.registration.showNotification(title, { body, lang: language, tag: reference, icon: '/icon-192.png', data });
  // The bureau learns that it was shown here, and tries no other way.
  const told = JSON.stringify({ reference });
  const headers = { 'content-type': 'application/json' };
  await fetch('/v1/notice-arrivals', { method: 'POST', headers, body: told }).catch(() => {});
}

async function open(path: string): Promise<void> {
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const wallet = windows.find(({ url }) => new URL(url).pathname === PAGE);
  if (wallet === undefined) await worker.clients.openWindow(path);
  else await (await wallet.focus()).navigate(path);
}

worker.addEventListener('push', (event) => {
  if (event.data !== null) event.waitUntil(show(event.data.json()));
});
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.path ?? PAGE));
});
worker.addEventListener('message', (event) => {
  if (event.data === 'keep') event.waitUntil(keepPages());
});
worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== worker.location.origin) return;
  if (pathname === PAGE && request.mode === 'navigate') event.respondWith(page(request));
  else if (SHELL.files.includes(pathname) && pathname !== PAGE) event.respondWith(file(request));
});
