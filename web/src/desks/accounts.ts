/**
 * The file of bank accounts, which only those have who pay and approve. It is read in this browser and
 * never sent; the ledger has a salted hash of each account, and here both are compared.
 */
import { fromHex, toHex } from '../ledger/borsh.ts';
import { sha256 } from '../ledger/transaction.ts';

type Account = { readonly name: string; readonly number: string; readonly bank: string };
export type Accounts = { readonly salt: string; readonly providers: ReadonlyMap<string, Account> };

/** Why a file is none, with the line or the account. */
export type Fault =
  | { readonly what: 'line' | 'twice'; readonly line: number }
  | { readonly what: 'account'; readonly name: string }
  | { readonly what: 'salt' | 'from' | 'text' | 'large' };
export type Reading = { readonly accounts: Accounts } | { readonly fault: Fault };

/** Some thousand accounts: as much as the command line reads. */
const FILE_BYTES_MAX = 4 << 20;

/** A section: `[from]`, `[providers.CODE]`. */
const SECTION = /^\[\s*(?:from|providers\s*\.\s*(?:"([a-z0-9-]+)"|([a-z0-9-]+)))\s*\]\s*(?:#.*)?$/;
/** A value in double quotes with the escapes that JSON has too, or in single ones as it stands. */
const PAIR = /^([a-z]+)\s*=\s*(?:("(?:[^"\\\u0000-\u001f\u007f]|\\(?:["\\bfnrt]|u[0-9A-Fa-f]{4}))*")|'([^'\u0000-\u001f\u007f]*)')\s*(?:#.*)?$/;
const MEMBERS: readonly string[] = ['name', 'number', 'bank'] satisfies readonly (keyof Account)[];

const fits = ({ name, number, bank }: Partial<Account>): boolean => {
  const letters = [...(name ?? '')].length;
  const isCode = (text = ''): boolean => /^[A-Za-z0-9]{1,34}$/.test(text);
  return letters >= 1 && letters <= 140 && isCode(number) && isCode(bank);
};

/**
 * Reads the part of TOML in which these files are written. Whatever else stands in one is an error
 * with its line: it is never read as another account.
 */
export function readAccounts(text: string): Reading {
  const sections = new Map<string, Map<string, string>>([['', new Map()]]);
  let at = '';
  for (const [place, raw] of text.replace(/^\uFEFF/, '').split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const section = SECTION.exec(line);
    if (section !== null) {
      const code = section[1] ?? section[2];
      at = code === undefined ? 'from' : `providers.${code}`;
      if (sections.has(at)) return { fault: { what: 'twice', line: place + 1 } };
      sections.set(at, new Map());
      continue;
    }
    const [, key = '', quoted, plain = ''] = PAIR.exec(line) ?? [];
    if (!(at === '' ? ['salt'] : MEMBERS).includes(key)) return { fault: { what: 'line', line: place + 1 } };
    const members = sections.get(at);
    if (members?.has(key)) return { fault: { what: 'twice', line: place + 1 } };
    members?.set(key, quoted === undefined ? plain : String(JSON.parse(quoted)));
  }
  const salt = sections.get('')?.get('salt') ?? '';
  if (!/^[0-9a-f]{64}$/.test(salt)) return { fault: { what: 'salt' } };
  if (!sections.has('from')) return { fault: { what: 'from' } };
  const providers = new Map<string, Account>();
  for (const [name, members] of sections) {
    if (name === '') continue;
    const account: Partial<Account> = Object.fromEntries(members);
    if (!fits(account)) return { fault: { what: 'account', name } };
    if (name !== 'from') providers.set(name.slice('providers.'.length), account as Account);
  }
  return { accounts: { salt, providers } };
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
