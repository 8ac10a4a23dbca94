/**
 * Keeps the wallet's page and what it loads, so that it opens without a network. The page comes from
 * the network first; files whose names carry their hash come from what is kept. Everything else, the
 * API above all, passes by.
 */

/** What the compiler's library for pages does not know of workers. */
type Extendable = { waitUntil(done: Promise<unknown>): void };
type Fetching = Extendable & { readonly request: Request; respondWith(answer: Promise<Response>): void };
type Scope = {
  addEventListener(type: 'install' | 'activate', listener: (event: Extendable) => void): void;
  addEventListener(type: 'fetch', listener: (event: Fetching) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  readonly location: Location;
};
const worker = self as unknown as Scope;

/** Filled in by the build (`tools/shell.ts`): a name for this version, and its files. */
const SHELL = { version: '__VERSION__', files: ['__FILES__'] };
const KEPT = `yibao-${SHELL.version}`;
const PAGE = '/';

async function install(): Promise<void> {
  const cache = await caches.open(KEPT);
  await cache.addAll(SHELL.files);
  await worker.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name)));
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

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== worker.location.origin) return;
  if (pathname === PAGE && request.mode === 'navigate') event.respondWith(page(request));
  else if (SHELL.files.includes(pathname) && pathname !== PAGE) event.respondWith(file(request));
});
