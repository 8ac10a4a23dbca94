/** Fails a build whose page loads more script at once than a slow phone takes. */
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** The scripts that an entry loads before anything is seen, and no later ones: at most so many bytes of gzip. */
export function budget(entry: string, most: number): Plugin {
  return {
    name: 'yibao-budget',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const found = new Map<string, number>();
        const visit = (name: string): void => {
          const file = bundle[name];
          if (found.has(name) || file?.type !== 'chunk') return;
          found.set(name, gzipSync(file.code, { level: 9 }).length);
          file.imports.forEach(visit);
        };
        for (const [name, file] of Object.entries(bundle)) if (file.type === 'chunk' && file.isEntry && file.name === entry) visit(name);
        const all = [...found.values()].reduce((sum, one) => sum + one, 0);
        if (all === 0) throw new Error(`there is no entry \`${entry}\``);
        const list = Array.from(found, ([name, bytes]) => `${name} ${bytes}`).join(', ');
        if (all > most) throw new Error(`\`${entry}\` loads ${all} bytes of script at once, more than ${most}: load pages later (${list})`);
      },
    },
  };
}
