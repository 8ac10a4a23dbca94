/** The bureau's desk: whom it finds, and what organisations do together on the command line. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joined, resolve } from 'node:path';
import { expect } from 'vitest';
import { data, url, type Newcomer, type Visitor } from './kit.ts';

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
  await desk.field('act.number').fill(number.toLowerCase());
  await desk.button('person.activation.go').click();
  const code = (await desk.page.getByTestId('activation').innerText()).replace(/\s/g, '');
  expect(code).toMatch(/^\d{10}$/);
  return code;
}
