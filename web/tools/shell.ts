/** Tells the worker which files the wallet needs without a network: its page, and all that it loads. */
import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

type Bundle = Parameters<Extract<NonNullable<Plugin['generateBundle']>, (...all: never[]) => unknown>>[1];

/** Other files of the page, which no script names. */
const BESIDE = ['icon.svg', 'icon-192.png', 'manifest.webmanifest'];

/** The scripts and styles that an entry loads, at once or later. */
function filesOf(bundle: Bundle, entry: string): string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    const file = bundle[name];
    if (found.has(name) || file?.type !== 'chunk') return;
    found.add(name);
    for (const style of (file as { viteMetadata?: { importedCss: Set<string> } }).viteMetadata?.importedCss ?? []) found.add(style);
    for (const next of [...file.imports, ...file.dynamicImports]) visit(next);
  };
  visit(entry);
  return [...found].sort();
}

export function shell(page: string, worker: string): Plugin {
  return {
    name: 'yibao-shell',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const written = bundle[page];
        const script = bundle[worker];
        if (written?.type !== 'asset' || script?.type !== 'chunk') throw new Error(`${page} or ${worker} is not built`);
        const html = String(written.source);
        const entry = /<script[^>]* src="\/([^"]+)"/.exec(html)?.[1] ?? '';
        const styles = [...html.matchAll(/<link rel="stylesheet"[^>]* href="\/([^"]+)"/g)].map((found) => found[1] ?? '');
        const files = [...new Set([...styles, ...filesOf(bundle, entry), ...BESIDE])].map((file) => `/${file}`);
        const version = createHash('sha256').update(html).update(files.join('\n')).digest('hex').slice(0, 16);
        const list = ['/', ...files].map((file) => JSON.stringify(file)).join(',');
        const filled = script.code.replaceAll('__VERSION__', version).replace(/(["'`])__FILES__\1/, list);
        if (/__[A-Z]+__/.test(filled) || !filled.includes(list)) throw new Error(`${worker} is not what it was`);
        script.code = filled;
      },
    },
  };
}
