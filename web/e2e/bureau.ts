/** The bureau's desk: whom it finds, and what organisations do together on the command line. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joined, resolve } from 'node:path';
import { expect } from 'vitest';
import { data, deskPage, url, type Newcomer, type Visitor } from './kit.ts';

const BINARY = process.env.YIBAO_BINARY ?? resolve(import.meta.dirname, '../../target/release/yibao');

/** A key on the command line: an organisation's, by its file. */
type Signer = readonly [organisation: string, key: 'online' | 'clerk'];

/** What an organisation brings by its own key on the command line, and others sign too. */
export function together(author: string, kind: string, body: object, others: readonly Signer[]): void {
  const folder = mkdtempSync(joined(tmpdir(), 'yibao-together-'));
  const file = (name: string): string => joined(folder, name);
  const yibao = (...args: string[]): void => void execFileSync(BINARY, args, { stdio: 'pipe' });
  const by = ([organisation, key]: Signer): string[] => ['--key', joined(data, organisation, `keys/${key}.key`), '--party', `organisation:${organisation}`];
  try {
    writeFileSync(file('body.json'), JSON.stringify(body));
    yibao('tx', 'make', kind, '--author', `organisation:${author}`, '--chain', 'yibao-demo', '--body', file('body.json'), '-o', file('tx'));
    for (const signer of [[author, 'online'] as const, ...others]) yibao('tx', 'sign', file('tx'), ...by(signer));
    yibao('tx', 'send', file('tx'), '--url', url, ...by([author, 'online']));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Somebody of the region who has no device and no letter with a code: one of its children, its stories share them by place. */
export function child(place: number): Newcomer {
  const part = readFileSync(joined(data, 'family/children.toml'), 'utf8').split('[[child]]').slice(1).at(place) ?? '';
  const value = (name: string): string => new RegExp(`^${name} = "(.*)"$`, 'm').exec(part)?.[1] ?? '';
  return { name: value('name'), number: value('number'), activation: '0123456789', party: value('party') };
}

/** Looks somebody up at the bureau's desk. */
export async function findPerson(desk: Visitor, { name, number }: Pick<Newcomer, 'name' | 'number'>): Promise<void> {
  await desk.field('premiums.find.name').fill(name);
  await desk.field('premiums.find.number').fill(number);
  await desk.button('premiums.find.go').click();
}

/** The code that the desk gives whoever shows this document. */
export async function activation(desk: Visitor, { number }: Newcomer): Promise<string> {
  // The page before it has a field of the same name.
  await desk.button('person.activation.go').waitFor();
  await desk.field('act.number').fill(number.toLowerCase());
  await desk.button('person.activation.go').click();
  // What is refused says why here, instead of a story that waits for the code.
  const [code, refused] = [desk.page.getByTestId('activation'), desk.page.getByRole('alert')];
  await code.or(refused).first().waitFor();
  expect(await refused.allInnerTexts()).toEqual([]);
  const digits = (await code.innerText()).replace(/\s/g, '');
  expect(digits).toMatch(/^\d{10}$/);
  return digits;
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** A made-up number of a place that does not exist: the registry's stories take theirs by place. */
export function numberOf(at: number): string {
  const body = `99990219${70 + Math.floor(at / 9_000)}0${1 + (Math.floor(at / 1_000) % 9)}11${String(at % 1_000).padStart(3, '0')}`;
  const sum = WEIGHTS.reduce((so_far, weight, place) => so_far + weight * Number(body[place]), 0);
  return `${body}${'10X98765432'[sum % 11]}`;
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** How a settlement is agreed to without the person. */
export type Consent = { readonly form: string; readonly reason?: string };
/** Who was treated, in which scheme and how. */
type Treated = { readonly person: string; readonly scheme: number; readonly visit_type: string };
/** Code, name, quantity, price and amount. */
type BillLine = readonly [string, string, string, string, string];

/** The first hospital settles today without asking: by identity card, or with the bureau's desk as a witness. */
export async function settleWithoutAsking(
  hospital: Visitor,
  treated: Treated,
  bill_lines: readonly BillLine[],
  consent: Consent,
): Promise<string> {
  const visit = hex(16);
  const admitted = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
  const subject = { ...treated, provider: 'hospital-1', region: 620100, admitted };
  const identification = consent.form === 'identity_card' ? 'identity_document' : 'emergency';
  together('hospital-1', 'check_in', { visit, subject, identification, evidence: hex(32) }, []);
  const lines = bill_lines.map(([item_code, name, quantity, unit_price, amount], at) => ({
    line_no: at + 1, item_code, name, quantity, unit_price, amount, service_date: admitted,
  }));
  const asked = { visit, bill: { currency: 'CNY', lines }, use_personal_account: false };
  const quoted = await hospital.page.evaluate(async (body) => {
    const { token } = JSON.parse(sessionStorage.getItem('yibao.session') ?? '{}');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return (await fetch('/v1/quotes', { method: 'POST', headers, body: JSON.stringify(body) })).json();
  }, asked);
  expect(quoted.split, JSON.stringify(quoted)).toBeDefined();
  const body = { visit, bill: hex(32), sums: quoted.sums, use_personal_account: false, split: quoted.split, consent };
  const witness = consent.form === 'emergency_witness' ? [['bureau', 'clerk'] as const] : [];
  together('hospital-1', 'settle_visit', body, [['bureau', 'online'], ...witness]);
  return visit;
}

/** Imports people by a file of one head and these lines, and says who the last one is on the ledger. */
export async function importPeople(desk: Visitor, rows: readonly (readonly string[])[]): Promise<string> {
  await deskPage(desk, 'nav.people');
  await desk.link('registry.open').click();
  const buffer = Buffer.from(rows.map((row) => row.join(',')).join('\n'));
  await desk.field('premiums.list.file').setInputFiles({ name: 'registry.csv', mimeType: 'text/csv', buffer });
  const count = rows.length - 1;
  const lines = (key: string): string => desk.t(`${key}.${count === 1 ? 'one' : 'other'}`, { count: String(count) });
  await desk.page.getByRole('button', { name: lines('registry.go') }).click();
  await desk.page.getByText(lines('registry.done')).waitFor();
  await deskPage(desk, 'nav.people');
  const [name = '', number = ''] = rows.at(-1) ?? [];
  await findPerson(desk, { name, number });
  await desk.page.waitForURL(/#\/people\/[0-9a-f]{32}$/);
  return desk.page.url().slice(-32);
}
