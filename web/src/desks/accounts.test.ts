import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { accountTag, compare, readAccounts, readAccountsFile, type Accounts } from './accounts.ts';
import { linesHash } from './payouts.ts';

type Vectors = {
  readonly salt: string;
  readonly accounts: readonly { readonly bank: string; readonly number: string; readonly tag: string }[];
  readonly execute_on: string;
  readonly lines: readonly { readonly provider: string; readonly amount: string; readonly account: string }[];
  readonly lines_hash: string;
};
const vectors: Vectors = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../vectors/payouts.json'), 'utf8'));

const FILE = `# Kept by bureau and finance.
salt = "${vectors.salt}"  # by hand

[from]
name = "示例市医疗保障事务中心"
number = "6200000000000001"
bank = "102100099996"
[providers.clinic-1]
name = 'Clinic "One"'
number = "6200000000000002"
bank = "102100099996"
[ providers . "hospital-1" ]\r
name = "Hospital & S\\u00f6hne #1"\r
bank = "BKCHCNBJ300"\r
number = "6200000000000003" # moved in 2025\r
`;

function read(text: string): Accounts {
  const reading = readAccounts(text);
  if (!('accounts' in reading)) throw new Error(JSON.stringify(reading.fault));
  return reading.accounts;
}

it('accounts have the tags and lines the hash of the golden values', async () => {
  for (const { tag, ...account } of vectors.accounts) expect(await accountTag(vectors.salt, account)).toBe(tag);
  expect(await linesHash(vectors)).toBe(vectors.lines_hash);
  expect(await linesHash({ ...vectors, execute_on: '2026-04-01' })).not.toBe(vectors.lines_hash);
  expect(await linesHash({ ...vectors, lines: vectors.lines.slice(1) })).not.toBe(vectors.lines_hash);
});

it('a file is read as it is written by hand, and every line is compared with it', async () => {
  const accounts = read(FILE);
  expect(accounts.providers.get('hospital-1')).toEqual({ name: 'Hospital & Söhne #1', number: '6200000000000003', bank: 'BKCHCNBJ300' });
  expect(accounts.providers.get('clinic-1')?.name).toBe('Clinic "One"');
  expect([...(await compare(accounts, vectors.lines)).values()]).toEqual([
    { what: 'same', end: '0002' },
    { what: 'same', end: '0003' },
  ]);
  const moved = read(FILE.replace('0000003"', '0000004"'));
  expect([...(await compare(moved, vectors.lines))]).toEqual([
    ['clinic-1', { what: 'same', end: '0002' }],
    ['hospital-1', { what: 'other' }],
  ]);
  const less = read(FILE.slice(0, FILE.indexOf('[ providers')));
  expect((await compare(less, vectors.lines)).get('hospital-1')).toEqual({ what: 'missing' });
  const salted = read(FILE.replace('5a5a', '5a5b'));
  expect([...(await compare(salted, vectors.lines)).values()]).toEqual([{ what: 'other' }, { what: 'other' }]);
});

it('whatever is not understood is an error with its line, and never another account', async () => {
  const fault = (from: string, to: string) => {
    expect(FILE).toContain(from);
    return readAccounts(FILE.replace(from, to));
  };
  expect(fault('[from]', '[from')).toEqual({ fault: { what: 'line', line: 4 } });
  expect(fault('"6200000000000001"', '"\\y36"')).toEqual({ fault: { what: 'line', line: 6 } });
  expect(fault('bank = "102100099996"\n[prov', 'name = "again"\n[prov')).toEqual({ fault: { what: 'line', line: 7 } });
  expect(fault('[ providers . "hospital-1" ]', '[providers.clinic-1]')).toEqual({ fault: { what: 'line', line: 12 } });
  expect(fault('[from]', '[[from]]')).toEqual({ fault: { what: 'account', name: 'from' } });
  expect(fault('number = "6200000000000001"', 'number = 6200000000000001')).toEqual({ fault: { what: 'account', name: 'from' } });
  expect(fault('number = "6200000000000001"', 'iban = "6200000000000001"')).toEqual({ fault: { what: 'unknown', name: 'from.iban' } });
  expect(fault('[providers.clinic-1]', '[providers.Clinic-1]')).toEqual({ fault: { what: 'unknown', name: 'providers.Clinic-1' } });
  expect(fault('salt =', 'other = "1"\nsalt =')).toEqual({ fault: { what: 'unknown', name: 'other' } });
  expect(fault('salt =', 'providers = "1"\nsalt =')).toHaveProperty('fault.what', 'line');
  expect(fault(vectors.salt, vectors.salt.toUpperCase())).toEqual({ fault: { what: 'salt' } });
  expect(fault(vectors.salt, vectors.salt.slice(2))).toEqual({ fault: { what: 'salt' } });
  expect(fault('6200000000000002', '6200 0000 0000 0002')).toEqual({ fault: { what: 'account', name: 'providers.clinic-1' } });
  expect(fault('bank = "BKCHCNBJ300"\r\n', '')).toEqual({ fault: { what: 'account', name: 'providers.hospital-1' } });
  expect(fault('6200000000000001', '')).toEqual({ fault: { what: 'account', name: 'from' } });
  expect(readAccounts(`salt = "${vectors.salt}"`)).toEqual({ fault: { what: 'from' } });
  expect(readAccounts('')).toEqual({ fault: { what: 'salt' } });
  expect(await readAccountsFile(new Blob([new Uint8Array([0xc3, 0x28])]))).toEqual({ fault: { what: 'text' } });
  expect(await readAccountsFile(new Blob([new Uint8Array((4 << 20) + 1)]))).toEqual({ fault: { what: 'large' } });
  expect(await readAccountsFile(new Blob([FILE]))).toHaveProperty('accounts.salt', vectors.salt);
});
