/**
 * The one encoding that is hashed and signed (https://borsh.io), for the values that the wallet and
 * the desks sign. An encoder takes the JSON form of a value, as the contract has it, and writes its
 * bytes; a value that does not have the form is an error, never other bytes.
 */

export class Writer {
  private bytes = new Uint8Array(256);
  private length = 0;

  private room(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    return start;
  }

  raw(bytes: Uint8Array): void {
    // The room comes first: it may put other, larger bytes in place.
    const start = this.room(bytes.length);
    this.bytes.set(bytes, start);
  }

  /** An unsigned number in little-endian bytes. */
  unsigned(value: bigint, width: 1 | 2 | 4 | 8): void {
    if (value < 0n || value >= 1n << BigInt(width * 8)) throw new RangeError(`${value} does not fit`);
    const start = this.room(width);
    for (let at = 0; at < width; at += 1) {
      this.bytes[start + at] = Number((value >> BigInt(at * 8)) & 0xffn);
    }
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }
}

export type Encode<T> = (value: T, out: Writer) => void;

export function encode<T>(encoder: Encode<T>, value: T): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  encoder(value, out);
  return out.done();
}

const whole = (width: 1 | 2 | 4): Encode<number> => (value, out) => {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is no whole number`);
  out.unsigned(BigInt(value), width);
};

export const u8 = whole(1);
export const u16 = whole(2);
export const u32 = whole(4);

/** Money: whole minor units as text. */
export const amount: Encode<string> = (value, out) => {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]*)$/.test(value)) throw new TypeError(`${value} is no amount`);
  out.unsigned(BigInt(value), 8);
};

export const bool: Encode<boolean> = (value, out) => {
  if (typeof value !== 'boolean') throw new TypeError(`${value} is neither true nor false`);
  out.unsigned(value ? 1n : 0n, 1);
};

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new TypeError('no lower-case hex digits');
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(at * 2, at * 2 + 2), 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** So many bytes, in hex. */
export const hex = (length: number): Encode<string> => (value, out) => {
  const bytes = fromHex(value);
  if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes, not ${length}`);
  out.raw(bytes);
};

/** Bytes in hex, however many. */
export const bytes: Encode<string> = (value, out) => {
  const all = fromHex(value);
  out.unsigned(BigInt(all.length), 4);
  out.raw(all);
};

const utf8 = new TextEncoder();

export const text: Encode<string> = (value, out) => {
  const bytes = utf8.encode(value);
  out.unsigned(BigInt(bytes.length), 4);
  out.raw(bytes);
};

const SCALES: Readonly<Record<string, number>> = { CNY: 2, JPY: 0, USD: 2, EUR: 2 };

/** A currency: its code and how many decimals it has. */
export const currency: Encode<string> = (value, out) => {
  const scale = Object.hasOwn(SCALES, value) ? SCALES[value] : undefined;
  if (scale === undefined) throw new TypeError(`${value} is no currency`);
  out.raw(utf8.encode(value));
  out.unsigned(BigInt(scale), 1);
};

/** A decimal number of at most so many places, as a whole number of the smallest one. */
export const decimal = (places: number): Encode<string> => (value, out) => {
  const match = /^([0-9]+)(?:\.([0-9]+))?$/.exec(value);
  const [, whole = '', fraction = ''] = match ?? [];
  if (match === null || fraction.length > places) throw new TypeError(`${value} is no such number`);
  out.unsigned(BigInt(whole + fraction.padEnd(places, '0')), 8);
};

/** A short ASCII code in a field of fixed width, filled up with zeros. */
export const code = (width: number): Encode<string> => (value, out) => {
  const bytes = utf8.encode(value);
  if (bytes.length === 0 || bytes.length > width) throw new RangeError(`${value} does not fit`);
  const field = new Uint8Array(width);
  field.set(bytes);
  out.raw(field);
};

const DAY_MILLIS = 86_400_000;

/** A day such as `2026-03-31`, as the number of days since 1970. */
export const day: Encode<string> = (value, out) => {
  const millis = Date.parse(`${value}T00:00:00Z`);
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(millis);
  if (!isDay || new Date(millis).toISOString().slice(0, 10) !== value) throw new TypeError(`${value} is no day`);
  out.unsigned(BigInt.asUintN(32, BigInt(millis / DAY_MILLIS)), 4);
};

/** An instant in ISO 8601 with milliseconds, as milliseconds since 1970. */
export const instant: Encode<string> = (value, out) => {
  const millis = Date.parse(value);
  if (Number.isNaN(millis) || new Date(millis).toISOString() !== value) throw new TypeError(`${value} is no instant`);
  out.unsigned(BigInt(millis), 8);
};

/** A word of a closed list, by its number. */
export const word = <W extends string>(numbers: Readonly<Record<W, number>>): Encode<W> => (value, out) => {
  const number = Object.hasOwn(numbers, value) ? numbers[value] : undefined;
  if (number === undefined) throw new TypeError(`${value} is not in the list`);
  out.unsigned(BigInt(number), 1);
};

/** A word of an enumeration, by its place. */
export const variant = <W extends string>(...words: readonly W[]): Encode<W> =>
  word(Object.fromEntries(words.map((one, place) => [one, place])) as Record<W, number>);

export const list = <T>(item: Encode<T>): Encode<readonly T[]> => (values, out) => {
  out.unsigned(BigInt(values.length), 4);
  for (const value of values) item(value, out);
};

export const option = <T>(inner: Encode<T>): Encode<T | null | undefined> => (value, out) => {
  const isThere = value !== null && value !== undefined;
  out.unsigned(isThere ? 1n : 0n, 1);
  if (isThere) inner(value, out);
};

/** A member that may be left out and then has a value of its own. */
export const defaulted = <T>(inner: Encode<T>, otherwise: NoInfer<T>): Encode<T | undefined> => (value, out) =>
  inner(value === undefined ? otherwise : value, out);

type Fields<T> = { readonly [K in keyof T]-?: Encode<T[K]> };

/** The members in the order in which they are written here. A member that is not known is an error. */
export const struct = <T extends object>(fields: Fields<T>): Encode<T> => {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, out) => {
    const unknown = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
    if (unknown !== undefined) throw new TypeError(`${unknown} is not a member`);
    for (const name of names) fields[name](value[name], out);
  };
};
