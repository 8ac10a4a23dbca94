import { mount } from 'svelte';
import { speak } from '../messages/messages.svelte.ts';
import { preferences } from '../preferences.svelte.ts';
import { startRouter } from '../router.svelte.ts';
import { resume } from '../session.svelte.ts';
import App from './App.svelte';
import { device } from './device.svelte.ts';
import { dictionaries } from './words.ts';

preferences.apply();
startRouter();
resume();
await Promise.all([speak(preferences.language(), dictionaries), device.load().catch(() => {})]);
const target = document.querySelector('#app');
if (target !== null) mount(App, { target });
/** What opens without a network is kept once everything else is there. */
async function keepPagesLater(): Promise<void> {
  const { keepPages } = await import('../offline/offline.ts');
  await keepPages();
}
if (import.meta.env.PROD) {
  // A browser that keeps nothing opens the wallet with a network only.
  const keep = (): unknown => setTimeout(() => void keepPagesLater().catch(() => {}), 1000);
  if (document.readyState === 'complete') keep();
  else window.addEventListener('load', keep, { once: true });
}
