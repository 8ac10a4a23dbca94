/**
 * Programs of `crates/browser`: each reads a question and writes an answer, and of a system it has
 * the five calls below and nothing else.
 */
const compiled = new Map<string, Promise<WebAssembly.Module>>();

async function compile(path: string): Promise<WebAssembly.Module> {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: status ${answer.status}`);
  return WebAssembly.compile(await answer.arrayBuffer());
}

/** A program is fetched once, and again when that failed. */
function load(path: string): Promise<WebAssembly.Module> {
  const known = compiled.get(path);
  if (known !== undefined) return known;
  const loading = compile(path);
  compiled.set(path, loading);
  loading.catch(() => compiled.delete(path));
  return loading;
}

/** The streams of one run: where it reads and what it has written. */
class Streams {
  private at = 0;
  private readonly written: string[] = [];
  private readonly decoder = new TextDecoder();
  memory: WebAssembly.Memory | undefined;

  constructor(private readonly input: Uint8Array) {}

  private bytes(place = 0, length?: number): Uint8Array {
    if (this.memory === undefined) throw new Error('the program has no memory yet');
    return new Uint8Array(this.memory.buffer, place, length);
  }

  private view(): DataView {
    return new DataView(this.bytes().buffer);
  }

  /** Moves bytes through each piece of memory that a call names, and says how many it were. */
  private each(vectors: number, count: number, total: number, move: (place: number, length: number) => number): number {
    let moved = 0;
    for (let one = 0; one < count; one++) {
      const place = this.view().getUint32(vectors + 8 * one, true);
      moved += move(place, this.view().getUint32(vectors + 8 * one + 4, true));
    }
    this.view().setUint32(total, moved, true);
    return 0;
  }

  readonly calls = {
    fd_read: (_: number, vectors: number, count: number, total: number): number =>
      this.each(vectors, count, total, (place, length) => {
        const part = this.input.subarray(this.at, this.at + length);
        this.bytes().set(part, place);
        this.at += part.length;
        return part.length;
      }),
    fd_write: (_: number, vectors: number, count: number, total: number): number =>
      this.each(vectors, count, total, (place, length) => {
        this.written.push(this.decoder.decode(this.bytes(place, length), { stream: true }));
        return length;
      }),
    environ_sizes_get: (count: number, size: number): number => {
      this.view().setUint32(count, 0, true);
      this.view().setUint32(size, 0, true);
      return 0;
    },
    environ_get: (): number => 0,
    proc_exit: (code: number): never => {
      throw new Error(`the program ended with ${code}`);
    },
  };

  get output(): string {
    return this.written.join('');
  }
}

/** What the program at this path answers to a question. */
export async function ask(path: string, question: unknown): Promise<unknown> {
  const program = await load(path);
  const streams = new Streams(new TextEncoder().encode(JSON.stringify(question)));
  const { exports } = await WebAssembly.instantiate(program, { wasi_snapshot_preview1: streams.calls });
  if (!(exports.memory instanceof WebAssembly.Memory) || typeof exports._start !== 'function') {
    throw new Error(`${path} is no program`);
  }
  streams.memory = exports.memory;
  exports._start();
  return JSON.parse(streams.output);
}
