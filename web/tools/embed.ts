/**
 * What the Rust build embeds: every built file once more in brotli and gzip, so that the program
 * compresses nothing while it serves.
 */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Files that gain nothing from being compressed again, or are too small to. */
const isCompressible = (name: string): boolean => /\.(html|js|css|svg|json|webmanifest|wasm)$/.test(name);

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

/** Clears what an earlier build left, but the folder itself stays: Cargo watches it. */
function clear(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name !== '.gitignore') rmSync(join(folder, name), { recursive: true });
  }
}

export function embed(folder: string): Plugin {
  return {
    name: 'yibao-embed',
    apply: 'build',
    buildStart() {
      clear(folder);
    },
    closeBundle() {
      for (const path of filesBelow(folder).filter(isCompressible)) {
        const bytes = readFileSync(path);
        const size = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: size }));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}
