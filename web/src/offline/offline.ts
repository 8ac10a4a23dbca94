/**
 * The wallet without a network: a worker keeps the pages, so that the code for checking in is shown
 * wherever the phone is. Nothing of the API is ever kept.
 */
import { remember, remembered } from '../preferences.svelte.ts';

const OFF = 'yibao.offline';
const WORKER = '/sw.js';
/** The empty cache by which the worker knows that pages may be kept: it reads no preferences. */
const MARK = 'yibao';

type Policy = { createScriptURL(url: string): unknown };
type Policies = { createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy };

let policy: Policy | undefined;

/** The worker's address, as a browser wants it that lets no other text become code. */
function address(): string {
  const policies = (window as { trustedTypes?: Policies }).trustedTypes;
  if (policies === undefined) return WORKER;
  policy ??= policies.createPolicy('yibao', {
    createScriptURL: (url) => {
      if (url !== WORKER) throw new TypeError(`${url} is no worker of the wallet`);
      return url;
    },
  });
  return policy.createScriptURL(WORKER) as string;
}

export const canKeepPages = (): boolean => 'serviceWorker' in navigator;

/** Whether the wallet opens without a network. */
export const isOffline = (): boolean => canKeepPages() && remembered(OFF) !== 'off';

/** Starts the worker; it is at work when this is done. */
export async function startWorker(): Promise<ServiceWorkerRegistration> {
  await navigator.serviceWorker.register(address());
  return navigator.serviceWorker.ready;
}

/** Keeps the pages, if the reader lets it. */
export async function keepPages(): Promise<void> {
  if (!isOffline()) return;
  await caches.open(MARK);
  const { active } = await startWorker();
  // One that was at work for notices alone has none.
  active?.postMessage('keep');
}

/** A worker that shows notices stays, without the pages. */
async function showsNotices(worker: ServiceWorkerRegistration): Promise<boolean> {
  return 'pushManager' in worker && (await worker.pushManager.getSubscription()) !== null;
}

export async function setOffline(on: boolean): Promise<void> {
  remember(OFF, on ? undefined : 'off');
  if (!canKeepPages()) return;
  if (on) return keepPages();
  const workers = await navigator.serviceWorker.getRegistrations();
  await Promise.all(workers.map(async (worker) => (await showsNotices(worker)) || worker.unregister()));
  await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
}
