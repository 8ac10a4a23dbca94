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
    // Files share one region on one small machine; within it people do not meet.
    fileParallelism: false,
    // A story waits for events; these end only what hangs.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
