import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { budget } from './tools/budget.ts';
import { embed } from './tools/embed.ts';
import { first } from './tools/first.ts';
import { shell } from './tools/shell.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Where `npm run dev` finds a running gateway. */
const gateway = process.env.YIBAO_URL ?? 'http://localhost:8420';

const wallet = here('src/wallet/main.ts');

export default defineConfig({
  plugins: [svelte(), shell('index.html', 'sw.js'), budget('wallet', 45_000), embed(here('dist'))],
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
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { wallet: here('index.html'), desks: here('desks.html'), sw: here('src/offline/worker.ts') },
      // A worker's address stays, or it could not take the place of the one before.
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? '[name].js' : 'assets/[name]-[hash].js'),
        // Few files: on a slow phone each wave of them costs a fifth of a second before anything is seen.
        // What several pages need and the wallet's first picture does not is a wave of its own, after it.
        codeSplitting: {
          groups: [
            { name: first('base', wallet), debugName: 'base', test: /node_modules\/(?!(qr|smol-toml)\/)|src\/(api|design|keys|ledger|messages)\/(?!Qr|Scan)|src\/[^/]+\.ts$|vite\/preload-helper/, minShareCount: 2 },
            { name: first('wallet', wallet), debugName: 'wallet', test: /src\/wallet\/[^/]+$/, minShareCount: 2 },
          ],
        },
      },
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
