/**
 * The file of bank accounts, which only those have who pay and approve. It is read in this browser and
 * never sent; the ledger has a salted hash of each account, and here both are compared.
 */
import { parse, TomlError, type TomlTable, type TomlValue } from 'smol-toml';
import { fromHex, toHex } from '../ledger/borsh.ts';
import { sha256 } from '../ledger/transaction.ts';

type Account = { readonly name: string; readonly number: string; readonly bank: string };
export type Accounts = { readonly salt: string; readonly providers: ReadonlyMap<string, Account> };

/** Why a file is none, with the line or what it is about. */
export type Fault =
  | { readonly what: 'line'; readonly line: number }
  | { readonly what: 'account' | 'unknown'; readonly name: string }
  | { readonly what: 'salt' | 'from' | 'text' | 'large' };
export type Reading = { readonly accounts: Accounts } | { readonly fault: Fault };

/** Some thousand accounts: as much as the command line reads. */
const FILE_BYTES_MAX = 4 << 20;

const MEMBERS: readonly string[] = ['name', 'number', 'bank'] satisfies readonly (keyof Account)[];

/** A whole account; nothing where something is missing or has another form. */
function accountOf(value: TomlValue | undefined): Account | undefined {
  if (!isTable(value)) return undefined;
  const { name, number, bank } = value;
  const isCode = (text: TomlValue | undefined): text is string => typeof text === 'string' && /^[A-Za-z0-9]{1,34}$/.test(text);
  if (typeof name !== 'string' || !isCode(number) || !isCode(bank)) return undefined;
  const letters = [...name].length;
  return letters >= 1 && letters <= 140 ? { name, number, bank } : undefined;
}

const isTable = (value: TomlValue | undefined): value is TomlTable =>
  typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);

/** What stands in a table and does not belong there, with its path. */
const stranger = (path: string, table: TomlTable, known: (key: string) => boolean): string | undefined => {
  const key = Object.keys(table).find((one) => !known(one));
  return key === undefined ? undefined : `${path}${key}`;
};

/** Reads the text of a file. Whatever else stands in it is an error: it is never read as another account. */
export function readAccounts(text: string): Reading {
  let file: TomlTable;
  try {
    file = parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    if (error instanceof TomlError) return { fault: { what: 'line', line: error.line } };
    throw error;
  }
  const { salt, from, providers = {} } = file;
  if (typeof salt !== 'string' || !/^[0-9a-f]{64}$/.test(salt)) return { fault: { what: 'salt' } };
  if (from === undefined) return { fault: { what: 'from' } };
  const accounts = new Map<string, Account>();
  const all = isTable(providers) ? Object.entries(providers) : [];
  const places: [string, TomlValue][] = [['from', from], ...all.map(([code, value]): [string, TomlValue] => [`providers.${code}`, value])];
  let unknown = stranger('', file, (key) => ['salt', 'from', 'providers'].includes(key));
  if (isTable(providers)) unknown ??= stranger('providers.', providers, (code) => /^[a-z0-9-]+$/.test(code));
  else unknown ??= 'providers';
  for (const [path, value] of places) {
    const account = accountOf(value);
    if (isTable(value)) unknown ??= stranger(`${path}.`, value, (key) => MEMBERS.includes(key));
    if (unknown !== undefined) break;
    if (account === undefined) return { fault: { what: 'account', name: path } };
    if (path !== 'from') accounts.set(path.slice('providers.'.length), account);
  }
  return unknown === undefined ? { accounts: { salt, providers: accounts } } : { fault: { what: 'unknown', name: unknown } };
}

/** Reads a file that somebody chose. */
export async function readAccountsFile(file: Blob): Promise<Reading> {
  if (file.size > FILE_BYTES_MAX) return { fault: { what: 'large' } };
  const bytes = await file.arrayBuffer();
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { fault: { what: 'text' } };
  }
  return readAccounts(text);
}

/** What the ledger says of an account. */
export async function accountTag(salt: string, { bank, number }: Pick<Account, 'bank' | 'number'>): Promise<string> {
  return toHex(await sha256('yibao/bank-account/v1', fromHex(salt), `${bank}/${number}`));
}

/** Whether a line pays to the account that the file has, with the end of its number. */
export type Match = { readonly what: 'same'; readonly end: string } | { readonly what: 'other' | 'missing' };

/** Compares every line with the file, by provider. */
export async function compare(
  { salt, providers }: Accounts,
  lines: readonly { readonly provider: string; readonly account: string }[],
): Promise<ReadonlyMap<string, Match>> {
  const matches = new Map<string, Match>();
  for (const { provider, account } of lines) {
    const own = providers.get(provider);
    if (own === undefined) matches.set(provider, { what: 'missing' });
    else if ((await accountTag(salt, own)) !== account) matches.set(provider, { what: 'other' });
    else matches.set(provider, { what: 'same', end: own.number.slice(-4) });
  }
  return matches;
}
