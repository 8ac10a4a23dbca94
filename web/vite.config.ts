import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { embed } from './tools/embed.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Where `npm run dev` finds a running gateway. */
const gateway = process.env.YIBAO_URL ?? 'http://localhost:8420';

export default defineConfig({
  plugins: [svelte(), embed(here('dist'))],
  resolve: {
    alias: { $locales: here('../locales') },
    // Components are tested as browsers run them.
    ...(process.env.VITEST ? { conditions: ['browser'] } : {}),
  },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: false,
    // A data: URL of a script or style would not pass the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { wallet: here('index.html'), desks: here('desks.html') },
    },
  },
  server: {
    fs: { allow: [here('.'), here('../locales'), here('../vectors')] },
    proxy: Object.fromEntries(
      ['/v1', '/log', '/health', '/problems', '/verify'].map((path) => [path, { target: gateway }]),
    ),
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
  },
});
