/** Care elsewhere between two bureaus: what is owed, a statement item by item, its answer with a dispute, the dispute's end, and the payment that comes in. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { BINARY, byCommand, data, deskPage, launch, signDeskIn, url, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const [HERE, THERE] = [620100, 610100];
const PAIR = `#/regions/${HERE}/${THERE}`;

async function at(organisation: string, first: string): Promise<Visitor> {
  const desk = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(desk, organisation, first);
  await deskPage(desk, 'nav.regions');
  await desk.page.locator('tr[data-pair]').first().waitFor();
  return desk;
}

/** Goes to the statement between the two, and waits for its items. */
async function openStatement(desk: Visitor): Promise<void> {
  await desk.page.evaluate((to) => void (location.hash = to), PAIR);
  await desk.page.locator('tbody th a').first().click();
  await desk.page.locator('tr[data-item]').first().waitFor();
}

/** What a desk's API says, and not its page. */
const read = (desk: Visitor, path: string): Promise<Record<string, never>> =>
  desk.page.evaluate(async (from) => {
    const { token } = JSON.parse(sessionStorage.getItem('yibao.session') ?? '{}');
    return (await fetch(from, { headers: { authorization: `Bearer ${token}` } })).json();
  }, path);

const standing = async (desk: Visitor): Promise<Readonly<Record<string, string>>> => (await read(desk, `/v1/interregion/${HERE}/${THERE}`)).standing as never;

it('a statement is looked at by both bureaus, agreed to apart from an item, and the dispute is ended', async () => {
  const bureau = await at('bureau', 'nav.objections');
  const owed = bureau.page.locator(`tr[data-pair="${THERE}-owed"]`);
  await owed.getByText(bureau.t('regions.waits'), { exact: true }).waitFor();
  await bureau.check('desk-regions');
  await owed.getByRole('link').click();
  await bureau.text('regions.now').waitFor();
  await bureau.check('desk-regions-pair');

  const neighbour = await at('neighbour', 'nav.objections');
  await openStatement(neighbour);
  await neighbour.text('regions.verified').waitFor();
  await neighbour.text('regions.waits.other').waitFor();
  expect(await neighbour.page.locator('tbody select').count(), 'the region of care disputes nothing').toBe(0);

  await openStatement(bureau);
  await bureau.text('regions.verified').waitFor();
  await bureau.check('desk-regions-statement');
  const downloading = bureau.page.waitForEvent('download');
  await bureau.button('past.export').click();
  const lines = readFileSync(await (await downloading).path(), 'utf8').trim().split('\r\n');
  expect(lines.length - 1).toBe(await bureau.page.locator('tr[data-item]').count());

  const before = await standing(bureau);
  const first = bureau.page.locator('tr[data-item]').filter({ has: bureau.page.locator('select') }).first();
  await first.locator('select').selectOption('wrong_amount');
  const apart = bureau.page.getByRole('button', { name: bureau.t('regions.agree.apart.one', { count: '1' }) });
  await apart.waitFor();
  await bureau.check('desk-regions-dispute');
  await apart.click();
  await bureau.text('regions.done.answered').waitFor();
  const after = await standing(bureau);
  expect(after.open).toBe('0');
  expect(BigInt(after.payable ?? 0) + BigInt(after.disputed ?? 0)).toBe(BigInt(before.open ?? 0));
  await bureau.check('desk-regions-answered');

  // The other bureau has heard of it.
  await neighbour.page.getByText(neighbour.t('regions.reason.wrong_amount')).first().waitFor();
  await neighbour.check('desk-regions-neighbour');
  expect(await neighbour.button('regions.dispute.end').count()).toBe(0);

  await bureau.button('regions.dispute.end').click();
  await bureau.text('regions.done.ended').waitFor();
  const ended = await standing(bureau);
  expect([ended.disputed, ended.open, ended.payable]).toEqual(['0', after.disputed, after.payable]);
  await neighbour.page.getByText(neighbour.t('regions.dispute.ended', { reason: neighbour.t('regions.reason.wrong_amount') })).waitFor();
  // What is payable to the other bureau stands among the payments.
  await deskPage(bureau, 'nav.payouts');
  await bureau.page.locator('tr[data-provider="neighbour"]').waitFor();
  await bureau.leave();
  await neighbour.leave();
});

/** The bureau's file of accounts, and the neighbour's, who salts the references of its own bank. */
const ACCOUNTS = `salt = "${randomBytes(32).toString('hex')}"
[from]
name = "示例市医疗保障事务中心"
number = "6200000000000001"
bank = "102100099996"
[providers.neighbour]
name = "邻市医疗保障事务中心"
number = "6100000000000001"
bank = "102100099996"
`;

/** The bureau pays the one next door what was agreed: a batch, a second organisation, the bank's own word. On a day that no other story closes. */
function payNextDoor(): void {
  const folder = mkdtempSync(join(tmpdir(), 'yibao-next-door-'));
  const file = (name: string): string => join(folder, name);
  const day = new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10);
  const run = (args: readonly string[]): string => execFileSync(BINARY, args, { stdio: 'pipe', encoding: 'utf8' });
  const as = (organisation: string, ...args: string[]): string =>
    run([
      ...['clearing', ...args, '--region', String(HERE), '--url', url, '--accounts', file('accounts.toml')],
      ...['--key', join(data, organisation, 'keys/online.key'), '--party', `organisation:${organisation}`],
    ]);
  try {
    writeFileSync(file('accounts.toml'), ACCOUNTS);
    const rules = { hold_back: '5%', pay_within_days: 30, clear_within_days: 5, source: '演示' };
    byCommand('bureau', 'set_clearing_rules', { region: HERE, rules });
    const proposed = as('bureau', 'batch', '--on', day, '--provider', 'neighbour');
    const batch = /^batch (\d+) of/m.exec(proposed)?.[1] ?? '';
    expect(batch, proposed).not.toBe('');
    as('finance', 'approve', '--batch', batch);
    as('bureau', 'export', '--batch', batch, '-o', file('order.xml'));
    run(['clearing', 'play-bank', file('order.xml'), '--day', day, '--out', file('bank')]);
    as('bureau', 'import', file('bank/camt.053.xml'), '--record');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('what the other region says it paid is confirmed beside the own bank, in part and whole, each reference once', async () => {
  const neighbour = await at('neighbour', 'nav.objections');
  await neighbour.page.evaluate((to) => void (location.hash = to), PAIR);
  await neighbour.text('regions.payment.none').waitFor();
  payNextDoor();
  // The page hears of it by itself.
  await neighbour.field('regions.payment.amount').waitFor();
  const announced = BigInt((await standing(neighbour)).under_way ?? 0);
  expect(announced > 100n).toBe(true);
  const decimal = (minor: bigint): string => `${minor / 100n}.${String(minor % 100n).padStart(2, '0')}`;
  const amount = neighbour.field('regions.payment.amount');
  expect(await amount.inputValue()).toBe(decimal(announced));
  await neighbour.button('regions.payment.confirm').click();
  await neighbour.text('regions.payment.reference.missing').waitFor();
  await neighbour.text('regions.payment.accounts.missing').waitFor();
  await neighbour.check('desk-region-payment-missing');

  const fill = async (minor: bigint, reference: string): Promise<void> => {
    await amount.fill(decimal(minor));
    await neighbour.field('regions.payment.reference').fill(reference);
    const accounts = { name: 'accounts.toml', mimeType: 'application/toml', buffer: Buffer.from(ACCOUNTS) };
    await neighbour.field('regions.payment.accounts').setInputFiles(accounts);
  };
  // More than was announced is never confirmed; less leaves the rest under way.
  await fill(announced + 1n, 'IN-1');
  await neighbour.text('regions.payment.more').waitFor();
  await neighbour.button('regions.payment.confirm').click();
  await neighbour.check('desk-region-payment-more');
  expect((await standing(neighbour)).under_way).toBe(String(announced));
  await fill(announced - 100n, 'IN-1');
  await neighbour.text('regions.payment.less').waitFor();
  await neighbour.check('desk-region-payment-less');
  await neighbour.button('regions.payment.confirm').click();
  await neighbour.text('regions.payment.done').waitFor();
  expect((await standing(neighbour)).under_way).toBe('100');

  // The same line of the bank again is refused, and another one takes the rest.
  await fill(100n, 'IN-1');
  await neighbour.button('regions.payment.confirm').click();
  await neighbour.page.locator('main').getByRole('alert').first().waitFor();
  await neighbour.check('desk-region-payment-again');
  expect((await standing(neighbour)).under_way).toBe('100');
  await neighbour.field('regions.payment.reference').fill('IN-2');
  await neighbour.button('regions.payment.confirm').click();
  await neighbour.text('regions.payment.none').waitFor();
  expect((await standing(neighbour)).under_way).toBe('0');
  await neighbour.leave();
});

it('the pages are whole in every language and narrow', async () => {
  const bureau = await at('bureau', 'nav.objections');
  await bureau.page.evaluate((to) => void (location.hash = to), `${PAIR}/2001/1`);
  await bureau.text('regions.unknown').waitFor();
  const look = async (as: string): Promise<void> => {
    await bureau.page.evaluate(() => void (location.hash = '#/regions'));
    await bureau.page.locator('tr[data-pair]').first().waitFor();
    await bureau.check(`desk-regions-${as}`);
    await openStatement(bureau);
    await bureau.check(`desk-regions-statement-${as}`);
  };
  for (const language of LANGUAGES) {
    await bureau.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await bureau.page.reload();
    await look(language);
  }
  await bureau.page.setViewportSize({ width: 320, height: 844 });
  await bureau.page.evaluate(() => (document.documentElement.dataset.size = 'large'));
  await look('narrow');
  await bureau.leave();
});
