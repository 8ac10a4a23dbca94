import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Stories name languages and sizes as the app does.
  plugins: [svelte()],
  root: import.meta.dirname,
  test: {
    include: ['*.test.ts'],
    environment: 'node',
    globalSetup: './region.ts',
    // Files that one worker runs share its region; within it people do not meet. A story waits for
    // browser and region in turn, so two of them keep a small machine busy.
    maxWorkers: process.env.YIBAO_URL === undefined ? 2 : 1,
    // A story waits for events; these end only what hangs.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
