/** This browser's own notices: asked for at a tap, and told to nobody but its push service and the bureau. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { forget, keep, kept } from '../keys/store.ts';
import { canKeepPages, startWorker } from '../offline/offline.ts';

const KEPT = 'browser';
type Kept = { readonly person: string; readonly browser: string };

/** `blocked`: the browser's settings forbid it; `none`: it has no notices of its own. */
export type PushStanding = 'on' | 'off' | 'blocked' | 'none';

export function canPush(): boolean {
  return canKeepPages() && 'PushManager' in window && 'Notification' in window;
}

/** The bytes of a text in URL-safe Base64. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/** Whether this browser is told, by what the board says and what it remembers itself. */
export async function pushStanding(person: string, { browsers }: Schemas['NoticeBoard']): Promise<PushStanding> {
  if (!canPush()) return 'none';
  if (Notification.permission === 'denied') return 'blocked';
  const own = await kept<Kept>(KEPT);
  const isTold = own?.person === person && browsers.includes(own.browser);
  const registration = isTold ? await navigator.serviceWorker.getRegistration() : undefined;
  return (await registration?.pushManager.getSubscription()) ? 'on' : 'off';
}

/** Asks the person, then the browser, then the bureau. */
export async function startPush(person: string, key: string): Promise<PushStanding> {
  if ((await Notification.requestPermission()) !== 'granted') return 'blocked';
  const { pushManager } = await startWorker();
  // An earlier subscription may be somebody else's, or for another key, which the browser refuses to mix.
  await (await pushManager.getSubscription())?.unsubscribe();
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
  try {
    const { endpoint, keys } = subscription.toJSON();
    const body = { endpoint: endpoint ?? '', p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' };
    const { browser } = await ok(api.POST('/v1/persons/{person}/browsers', { params: { path: { person } }, body }));
    await keep(KEPT, { person, browser } satisfies Kept);
    return 'on';
  } catch (refused) {
    await subscription.unsubscribe();
    throw refused;
  }
}

export async function stopPush(person: string): Promise<void> {
  const own = await kept<Kept>(KEPT);
  if (own?.person === person) {
    const path = { person, browser: own.browser };
    await ok(api.DELETE('/v1/persons/{person}/browsers/{browser}', { params: { path } }));
  }
  await letGo();
}

/** The browser forgets that it was ever told. */
export async function letGo(): Promise<void> {
  await forget(KEPT);
  const registration = canPush() ? await navigator.serviceWorker.getRegistration() : undefined;
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}
