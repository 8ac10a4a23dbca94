/** Payments to providers: a month, a batch that finance compares and approves, the bank's days, and the provider's statement. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { BINARY, byCommand, data, deskPage, launch, signDeskIn, url, Visitor } from './kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'yibao-payouts-'));
const file = (name: string): string => join(folder, name);

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

const REGION = 620100;
const PROVIDERS = ['clinic-1', 'hospital-1', 'pharmacy-1'];
/** Another story's region may have agreed to pay the bureau next door, whose account is not in this file. */
const WHICH = PROVIDERS.flatMap((provider) => ['--provider', provider]);
const SALT = randomBytes(32).toString('hex');
const HOSPITAL = '6200000000000003';
const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
const [YESTERDAY, BEFORE] = [daysAgo(1), daysAgo(2)];

/** The month before this one in the region. */
function lastMonth(): { readonly year: number; readonly month: number } {
  const now = new Date(Date.now() + 8 * 3_600_000);
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1));
  return { year: first.getUTCFullYear(), month: first.getUTCMonth() + 1 };
}

const ACCOUNTS = `salt = "${SALT}"
[from]
name = "示例市医疗保障事务中心"
number = "6200000000000001"
bank = "102100099996"
${PROVIDERS.map((provider, at) => `[providers.${provider}]\nname = "${provider}"\nnumber = "${6200000000000002 + at}"\nbank = "102100099996"\n`).join('')}`;

const asked = (organisation: string, args: readonly string[]): string[] => [
  ...['clearing', ...args, '--region', String(REGION), '--url', url],
  ...['--key', join(data, organisation, 'keys/online.key'), '--party', `organisation:${organisation}`],
];
/** What an organisation does on the command line, with its file of accounts. */
const clearing = (organisation: string, ...args: string[]): string => execFileSync(BINARY, asked(organisation, args), { stdio: 'pipe', encoding: 'utf8' });
/** The batch's number: another story may have paid before. */
let number = '';
const withAccounts = (): string[] => ['--accounts', file('accounts.toml')];

/** Rules, a budget, a closed month and a proposed batch: what the command line does before anybody looks. */
function propose(): void {
  const rules = { hold_back: '5%', pay_within_days: 30, clear_within_days: 5, source: '演示' };
  byCommand('bureau', 'set_clearing_rules', { region: REGION, rules });
  const { year, month } = lastMonth();
  byCommand('bureau', 'set_provider_budget', { region: REGION, provider: 'hospital-1', year, months: Array(12).fill('100000000') });
  writeFileSync(file('accounts.toml'), ACCOUNTS);
  clearing('bureau', 'close', '--month', `${year}-${String(month).padStart(2, '0')}`, ...WHICH);
  const proposed = clearing('bureau', 'batch', '--on', YESTERDAY, ...WHICH, ...withAccounts());
  number = /^batch (\d+) of/m.exec(proposed)?.[1] ?? '';
  expect(number, proposed).not.toBe('');
}

/** Once for all stories here, whichever comes first. */
let isProposed = false;
function somethingIsPayable(): void {
  if (!isProposed) propose();
  isProposed = true;
}

/** The bank refuses the clinic's payment and pays the others; its day is closed, and the day before with a statement that is wrong. */
function theBankAnswers(): void {
  clearing('bureau', 'export', '--batch', number, '-o', file('order.xml'), ...withAccounts());
  const play = ['clearing', 'play-bank', file('order.xml'), '--day', YESTERDAY, '--reject', `YB${REGION}-${number}-0`, '--out', file('bank')];
  execFileSync(BINARY, play, { stdio: 'pipe' });
  for (const name of ['pain.002.xml', 'camt.053.xml']) clearing('bureau', 'import', file(`bank/${name}`), '--record', ...withAccounts());
  const statement = file('bank/camt.053.xml');
  clearing('bureau', 'day', YESTERDAY, '--statement', statement, '--close', ...withAccounts());
  const wrong = readFileSync(statement, 'utf8').replaceAll(YESTERDAY, BEFORE).replaceAll(`YB${REGION}-${number}-2`, 'GAS-BILL');
  writeFileSync(file('wrong.xml'), wrong);
  const args = asked('bureau', ['day', BEFORE, '--statement', file('wrong.xml'), '--close', ...withAccounts()]);
  expect(spawnSync(BINARY, args, { encoding: 'utf8' }).status).toBe(1);
}

/** Goes to a page of payments, and waits for what it has and no other. */
async function turnTo(desk: Visitor, path: string): Promise<void> {
  const mark = path === '#/payouts' ? 'tr[data-provider]' : path.startsWith('#/payouts/batches/') ? 'th.digits' : 'table.wide';
  await desk.page.evaluate((to) => void (location.hash = to), path);
  await desk.page.locator(mark).first().waitFor();
}

async function at(organisation: string, first: string, path: string, key: 'online' | 'clerk' = 'online'): Promise<Visitor> {
  const desk = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(desk, organisation, first, key);
  await turnTo(desk, path);
  return desk;
}

const choose = (desk: Visitor, text: string): Promise<void> =>
  desk.field('payouts.file').setInputFiles({ name: 'accounts.toml', mimeType: 'application/toml', buffer: Buffer.from(text) });

/** Finance looks at the batch with wrong files and with the right one, which stay in its browser. */
async function financeApproves(): Promise<void> {
  const desk = await at('finance', 'nav.plans', `#/payouts/batches/${number}`);
  expect(await desk.page.locator('header').innerText()).toContain(desk.t('title.supervisor'));
  expect(await desk.tab('nav.past').count(), 'no visit concerns finance').toBe(0);
  const sent: string[] = [];
  desk.page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
  await desk.check('desk-payout-finance');
  expect(await desk.button('payouts.approve').count()).toBe(0);

  await choose(desk, ACCOUNTS.replace('[providers.hospital-1]', '[providers.hospital-1'));
  await desk.text('payouts.file.line', { line: '10' }).waitFor();
  await choose(desk, ACCOUNTS.replace(`"${HOSPITAL}"`, HOSPITAL));
  await desk.text('payouts.file.account', { name: 'providers.hospital-1' }).waitFor();
  await desk.check('desk-payout-no-file');
  // One figure of one account: the line is named, and nothing can be approved.
  await choose(desk, ACCOUNTS.replace(HOSPITAL, '6200000000000013'));
  const alert = desk.page.locator('main').getByRole('alert');
  await alert.waitFor();
  expect(await alert.locator('li').allInnerTexts()).toEqual([expect.stringContaining(`YB${REGION}-${number}-1`)]);
  expect(await desk.text('payouts.account.other').count()).toBe(1);
  expect(await desk.button('payouts.approve').count()).toBe(0);
  await desk.check('desk-payout-differs');
  await choose(desk, ACCOUNTS.replace('[providers.clinic-1]', '[providers.clinic-9]'));
  await desk.text('payouts.account.missing').waitFor();
  expect(await desk.button('payouts.approve').count()).toBe(0);
  await choose(desk, ACCOUNTS.replace(SALT, randomBytes(32).toString('hex')));
  await desk.text('payouts.differ.salt').waitFor();
  expect(await alert.locator('li').count()).toBe(3);
  expect(await desk.button('payouts.approve').count()).toBe(0);

  await choose(desk, ACCOUNTS);
  await desk.button('payouts.approve').waitFor();
  await desk.check('desk-payout-agrees');
  await desk.button('payouts.approve').click();
  await desk.text('payouts.done.approve').waitFor();
  await desk.check('desk-payout-approved');
  const said = sent.join('\n');
  expect(said).toContain('/v1/transactions');
  for (const secret of [SALT, HOSPITAL, Buffer.from(HOSPITAL).toString('hex')]) expect(said).not.toContain(secret);
  await desk.leave();
}

/** What the hospital's first statement says, by the API and not by the page. */
const statementOf = (desk: Visitor): Promise<Readonly<Record<string, string>>> =>
  desk.page.evaluate(async (region) => {
    const { token } = JSON.parse(sessionStorage.getItem('yibao.session') ?? '{}');
    const answer = await fetch(`/v1/regions/${region}/clearing/providers/hospital-1`, { headers: { authorization: `Bearer ${token}` } });
    return (await answer.json()).statements[0];
  }, REGION);

/** The hospital takes its statement away, and sees what it was paid by its own receipts. */
async function hospitalLooks(): Promise<void> {
  const desk = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(desk, 'hospital-1');
  expect(await desk.tab('nav.payouts').count()).toBe(0);
  await deskPage(desk, 'nav.statements');
  await desk.page.locator('tbody tr').first().waitFor();
  const downloading = desk.page.waitForEvent('download');
  await desk.button('past.export').click();
  const text = readFileSync(await (await downloading).path(), 'utf8').replace(/^\uFEFF/, '');
  const [head = [], line = [], ...more] = text.trim().split('\r\n').map((one) => one.split(','));
  expect([head.length, line.length, more.length]).toEqual([12, 12, 0]);
  const said = await statementOf(desk);
  const fen = line.slice(3, 10).map((cell) => String(BigInt(cell.replace('.', ''))));
  expect(fen).toEqual(['carried', 'settled', 'returned', 'held_back', 'payable', 'owing', 'budget'].map((key) => said[key]));
  expect([line[0], line[10], line[11]]).toEqual([expect.stringMatching(/^\d{4}-\d{2}$/), said.pay_by, 'CNY']);

  await desk.button('statements.payments.go').click();
  const paid = desk.page.locator('tr').filter({ has: desk.page.getByText(desk.t('statements.what.paid'), { exact: true }) });
  await paid.waitFor();
  const amount = `${line[7]?.slice(0, -3).replace(/\B(?=(\d{3})+$)/g, ',')}${line[7]?.slice(-3)}`;
  for (const row of [paid, desk.page.locator('tr').filter({ hasText: desk.t('statements.what.ordered') })]) {
    expect((await row.innerText()).endsWith(amount), `${await row.innerText()} ends with ${amount}`).toBe(true);
  }
  await desk.check('desk-statements');
  await desk.leave();
}

it('a batch is approved against the approver’s own accounts, paid, compared with the bank, and seen by who is paid', async () => {
  somethingIsPayable();
  const bureau = await at('bureau', 'nav.objections', '#/payouts');
  const hospital = bureau.page.locator('tr[data-provider="hospital-1"]');
  expect((await hospital.locator('td').allInnerTexts())[2]).toMatch(/1,000,000\.00/);
  await bureau.text('payouts.command').waitFor();
  await bureau.check('desk-payouts');
  const batch = bureau.page.locator(`a[href="#/payouts/batches/${number}"]`);
  await batch.getByText(bureau.t('payouts.standing.proposed')).waitFor();
  await batch.click();
  await bureau.text('payouts.waits').waitFor();
  expect(await bureau.field('payouts.file').count()).toBe(0);
  expect(await bureau.button('payouts.approve').count()).toBe(0);
  await bureau.check('desk-payout-bureau');

  await financeApproves();
  // The bureau's page has heard of it.
  await bureau.text('payouts.standing.approved').waitFor();
  expect(await bureau.button('payouts.withdraw').count()).toBe(0);
  theBankAnswers();
  await bureau.text('payouts.word.failed', { reason: 'AC04' }).waitFor();
  await bureau.check('desk-payout-answered');
  await deskPage(bureau, 'nav.payouts');
  await bureau.page.locator(`tr[data-day="${YESTERDAY}"]`).getByText(bureau.t('payouts.bank.even')).waitFor();
  const before = bureau.page.locator(`tr[data-day="${BEFORE}"]`);
  await before.getByText(bureau.t('payouts.bank.differs.other', { count: '2', open: '2' })).waitFor();
  const kinds = await bureau.page.locator('table.items tbody th').allInnerTexts();
  const unknown = kinds.findIndex((text) => text.startsWith(bureau.t('payouts.item.kind.unknown_reference')));
  expect(unknown).toBeGreaterThanOrEqual(0);
  byCommand('bureau', 'clear_suspense', { region: REGION, day: BEFORE, item: unknown, resolution: 'not_ours' });
  await before.getByText(bureau.t('payouts.bank.differs.other', { count: '2', open: '1' })).waitFor();
  await bureau.page.locator('table.items').getByText(bureau.t('payouts.item.cleared.not_ours')).waitFor();
  await bureau.check('desk-payouts-days');
  await bureau.leave();
  await hospitalLooks();
});

it('a batch is withdrawn by whoever could approve it, and a clerk’s key may not', async () => {
  somethingIsPayable();
  // Of what the first batch left or pays again; it is one for the clinic alone, or the first one itself.
  const clerk = await at('bureau', 'nav.objections', '#/payouts', 'clerk');
  const number = await clerk.page.evaluate(async (region) => {
    const { token } = JSON.parse(sessionStorage.getItem('yibao.session') ?? '{}');
    const answer = await fetch(`/v1/regions/${region}/clearing`, { headers: { authorization: `Bearer ${token}` } });
    return (await answer.json()).last_batch + 1;
  }, REGION);
  clearing('bureau', 'batch', '--on', YESTERDAY, ...WHICH, ...withAccounts());
  await turnTo(clerk, `#/payouts/batches/${number}`);
  await clerk.button('payouts.withdraw').click();
  await clerk.button('payouts.withdraw.yes').click();
  await clerk.text('payouts.scope').waitFor();
  await clerk.check('desk-payout-scope');
  await clerk.leave();
  const finance = await at('finance', 'nav.plans', `#/payouts/batches/${number}`);
  await finance.button('payouts.withdraw').click();
  await finance.check('desk-payout-withdraw');
  await finance.button('payouts.withdraw.yes').click();
  await finance.text('payouts.done.withdraw').waitFor();
  await finance.text('payouts.standing.withdrawn').waitFor();
  await finance.page.evaluate(() => void (location.hash = '#/payouts/batches/999999'));
  await finance.text('payouts.unknown').waitFor();
  await finance.leave();
});

it('the pages are whole in every language and narrow, and by keyboard', async () => {
  somethingIsPayable();
  const bureau = await at('bureau', 'nav.objections', '#/payouts');
  const hospital = await at('hospital-1', 'nav.receive', '#/statements');
  const pages = [
    [bureau, '#/payouts'],
    [bureau, `#/payouts/batches/${number}`],
    [bureau, '#/payouts/providers/hospital-1'],
    [hospital, '#/statements'],
  ] as const;
  const look = async (as: string): Promise<void> => {
    for (const [desk, path] of pages) {
      await turnTo(desk, path);
      await desk.check(`desk-${path.slice(2).replaceAll('/', '-')}-${as}`);
    }
  };
  for (const language of LANGUAGES) {
    for (const desk of [bureau, hospital]) {
      await desk.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
      await desk.page.reload();
    }
    await look(language);
  }
  for (const desk of [bureau, hospital]) {
    await desk.page.setViewportSize({ width: 320, height: 844 });
    await desk.page.evaluate(() => (document.documentElement.dataset.size = 'large'));
  }
  await look('narrow');
  // From the list to a batch by keyboard alone.
  await turnTo(bureau, '#/payouts');
  await bureau.page.locator(`a[href="#/payouts/batches/${number}"]`).focus();
  await bureau.page.keyboard.press('Enter');
  await bureau.page.waitForURL(/#\/payouts\/batches\/1$/);
  await bureau.leave();
  await hospital.leave();
});
