/**
 * Running regions for all stories, one for each worker that runs some: the built program with its
 * embedded pages, a fresh demonstration on a free port. `YIBAO_BINARY` names another program;
 * `YIBAO_URL` with `YIBAO_DATA` a region that runs already, such as a development server in front of
 * one: then one worker runs all.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';
import { servePushes } from './pushes.ts';

export type Region = {
  readonly url: string;
  readonly data: string;
  /** The push service that the region sends to; none for a region that ran already. */
  readonly push: string;
};

declare module 'vitest' {
  interface ProvidedContext {
    /** Each worker's own, by its place. */
    regions: readonly Region[];
  }
}

/** As many as it takes for all the newcomers that the stories use. */
const PEOPLE = '200';

function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolvePort(port));
    });
  });
}

/** Waits for the line that says where the region is served. */
function served(child: ChildProcess): Promise<void> {
  return new Promise((resolveServed, reject) => {
    const said: string[] = [];
    child.once('exit', (code) => reject(new Error(`the program ended with ${code}:\n${said.join('\n')}`)));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        if (line.startsWith('serving on ')) resolveServed();
      });
    }
  });
}

type Running = { readonly region: Region; end(): Promise<void> };

async function begin(): Promise<Running> {
  const root = resolve(import.meta.dirname, '../..');
  const binary = process.env.YIBAO_BINARY ?? join(root, 'target/release/yibao');
  if (!existsSync(binary)) throw new Error(`${binary} is not there; build it with \`make e2e\``);
  const data = mkdtempSync(join(tmpdir(), 'yibao-e2e-'));
  const port = await freePort();
  const folder = join(data, 'demo');
  const pushes = await servePushes();
  const arguments_ = [
    ...['demo', '--people', PEOPLE, '--seed', '1', '--data', folder],
    ...['--listen', `127.0.0.1:${port}`, '--push-service', pushes.url],
  ];
  const child = spawn(binary, arguments_, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  await served(child);
  return {
    region: { url: `http://localhost:${port}`, data: folder, push: pushes.url },
    async end() {
      // A program that ended by itself says nothing more, and must not keep the stories waiting.
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      const ended = hasEnded ? undefined : new Promise((resolveEnd) => child.once('exit', resolveEnd));
      child.kill('SIGTERM');
      await ended;
      pushes.server.close();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { YIBAO_URL: url, YIBAO_DATA: known } = process.env;
  if (url !== undefined && known !== undefined) {
    project.provide('regions', [{ url, data: resolve(known), push: '' }]);
    return async () => {};
  }
  const running = await Promise.all(Array.from({ length: project.config.maxWorkers }, begin));
  project.provide(
    'regions',
    running.map(({ region }) => region),
  );
  return async () => void (await Promise.all(running.map((one) => one.end())));
}
