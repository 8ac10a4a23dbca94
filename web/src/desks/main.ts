import { mount } from 'svelte';
import { speak } from '../messages/messages.svelte.ts';
import { preferences } from '../preferences.svelte.ts';
import { startRouter } from '../router.svelte.ts';
import { resume } from '../session.svelte.ts';
import App from './App.svelte';
import { desk } from './desk.svelte.ts';
import { dictionaries } from './words.ts';

preferences.apply();
startRouter();
resume();
await Promise.all([speak(preferences.language(), dictionaries), desk.load().catch(() => {})]);
const target = document.querySelector('#app');
if (target !== null) mount(App, { target });
