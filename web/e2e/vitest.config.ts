import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
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
