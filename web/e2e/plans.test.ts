/** A plan version from its file to publication and back: read, compared, simulated, and signed by one after the other. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { BINARY, data, deskPage, launch, signDeskIn, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const OLD = resolve(import.meta.dirname, '../../plans/lanzhou-resident/2026-01-01.toml');

/** The residents' plan of the year after: more is paid for outpatients at primary level, with the example that shows it. */
function nextYear(): string {
  const changes = [
    ['caps = [{ amount = "130", counts = "outpatient_paid" }', 'caps = [{ amount = "160", counts = "outpatient_paid" }'],
    ['pooled_fund = "25" }, cash = "75", accumulators = [{ id = "outpatient_paid", value = "130" }]', 'pooled_fund = "55" }, cash = "45", accumulators = [{ id = "outpatient_paid", value = "160" }]'],
    ['of which 25 are left of 130', 'of which 55 are left of 160'],
  ] as const;
  return changes.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, readFileSync(OLD, 'utf8').replaceAll('2026', '2027'));
}

const upload = (desk: Visitor, text: string): Promise<void> =>
  desk.field('plans.file').setInputFiles({ name: '2027-01-01.toml', mimeType: 'application/toml', buffer: Buffer.from(text) });

const CAP = { what: '封顶线', when: '本年度门诊统筹已付', before: '130.00元', after: '160.00元' };

/** The cap's row says from what to what. */
async function saysTheChange(desk: Visitor): Promise<void> {
  const row = desk.page.locator('tr').filter({ hasText: CAP.before });
  await row.waitFor();
  expect((await row.innerText()).split(/\s+/)).toEqual([CAP.what, CAP.when, CAP.before, CAP.after]);
}

/** Signs in at another desk, and opens the version there. */
async function at(organisation: string, key: 'online' | 'reviewer', hash: string): Promise<Visitor> {
  const desk = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(desk, organisation, 'nav.plans', key);
  await desk.page.evaluate((to) => void (location.hash = to), hash);
  await desk.text('plans.steps').waitFor();
  return desk;
}

/** The bytes that a simulation on the command line writes for the same settlements, and what it prints. */
function byCommand(text: string): { readonly csv: string; readonly said: string } {
  const folder = mkdtempSync(join(tmpdir(), 'yibao-plan-'));
  try {
    const [file, csv] = [join(folder, '2027-01-01.toml'), join(folder, 'costs.csv')];
    writeFileSync(file, text);
    const said = execFileSync(BINARY, ['simulate-plan', OLD, file, '--data', data, '--csv', csv, '--lang', 'en'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return { csv: readFileSync(csv, 'utf8'), said };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('a version is drafted, simulated, reviewed, approved and published by different keys, and withdrawn', async () => {
  const text = nextYear();
  const drafter = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(drafter, 'bureau', 'nav.objections');
  await deskPage(drafter, 'nav.plans');
  await drafter.text('plans.standing.in_force').waitFor();
  await drafter.check('desk-plans');

  // What is wrong with a file is said with its place; one whose example does not come out is none.
  await upload(drafter, text.replace('kind = "benefit"', 'kynd = "benefit"'));
  await drafter.page.locator('code', { hasText: 'kynd' }).first().waitFor();
  await upload(drafter, text.replace('cash = "45", accumulators', 'cash = "46", accumulators'));
  await drafter.page.getByText('outpatient-community-two-visits').waitFor();
  await drafter.check('desk-plans-wrong');
  await upload(drafter, text);
  await saysTheChange(drafter);
  await drafter.check('desk-plans-read');
  await drafter.button('plans.draft.go').click();
  await drafter.text('plans.steps').waitFor();
  const hash = new URL(drafter.page.url()).hash;
  expect(hash).toMatch(/^#\/plans\/390\/\d+$/);
  await drafter.text('plans.waits.same_key').waitFor();
  expect(await drafter.button('plans.act.review').count()).toBe(0);
  await saysTheChange(drafter);

  // The simulation: the figures of the command line for the same settlements, byte for byte.
  await drafter.button('plans.sim.go').click();
  await drafter.text('plans.sim.same').waitFor();
  await drafter.check('desk-plan-simulated');
  const downloading = drafter.page.waitForEvent('download');
  await drafter.button('past.export').click();
  const exported = readFileSync(await (await downloading).path(), 'utf8');
  const { csv, said } = byCommand(text);
  expect(exported).toBe(csv);
  const shown = await drafter.page.getByText(/^[0-9a-f]{64}$/).allInnerTexts();
  expect(shown).toHaveLength(3);
  for (const one of shown) expect(said).toContain(one);
  expect(await drafter.page.getByTestId('difference-pooled_fund').innerText()).toMatch(/^\+.*[1-9]/);
  expect(await drafter.page.getByTestId('difference-cash').innerText()).toMatch(/^−.*[1-9]/);

  // Another person's key reviews; the approval is the supervising body's; the bureau publishes.
  const reviewer = await at('bureau', 'reviewer', hash);
  await reviewer.text('plans.sim.same').waitFor();
  await reviewer.button('plans.act.review').click();
  await reviewer.text('plans.done.review').waitFor();
  await reviewer.text('plans.waits.approver').waitFor();
  await reviewer.check('desk-plan-reviewed');
  await reviewer.leave();
  const finance = await at('finance', 'online', hash);
  await saysTheChange(finance);
  expect(await finance.button('plans.act.withdraw').count()).toBe(0);
  await finance.button('plans.act.approve').click();
  await finance.text('plans.done.approve').waitFor();
  await finance.text('plans.waits.bureau').waitFor();
  await finance.check('desk-plan-approved');
  await finance.leave();
  // The drafter's page has heard of it.
  await drafter.button('plans.act.publish').click();
  await drafter.text('plans.done.publish').waitFor();
  await drafter.check('desk-plan-published');
  await deskPage(drafter, 'nav.plans');
  await drafter.page.locator(`a[href="${hash}"]`).getByText(drafter.t('plans.standing.published')).waitFor();
  await drafter.page.locator(`a[href="${hash}"]`).click();
  await drafter.button('plans.act.withdraw').click();
  await drafter.check('desk-plan-withdraw');
  await drafter.button('plans.withdraw.yes').click();
  await drafter.text('plans.done.withdraw').waitFor();
  await drafter.leave();
});

it('the pages are whole in every language and narrow, by keyboard, and strangers have none', async () => {
  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, 'finance', 'nav.plans');
  for (const language of LANGUAGES) {
    await desk.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await desk.page.reload();
    for (const [path, mark] of [['', 'a[href="#/plans/390/2"]'], ['/310/2', 'ol li'], ['/390/1', 'ol li']] as const) {
      await desk.page.evaluate((to) => void (location.hash = to), `#/plans${path}`);
      await desk.page.locator(mark).first().waitFor();
      await desk.check(`desk-plans${path.replaceAll('/', '-')}-${language}`);
    }
  }
  await desk.page.setViewportSize({ width: 320, height: 844 });
  await desk.page.evaluate(() => (document.documentElement.dataset.size = 'large'));
  await desk.check('desk-plan-narrow');
  await desk.page.evaluate(() => void (location.hash = '#/plans'));
  await desk.page.locator('a[href="#/plans/390/2"]').waitFor();
  await desk.check('desk-plans-narrow');
  // From the list to a version and back by keyboard alone.
  await desk.page.locator('a[href="#/plans/310/2"]').focus();
  await desk.page.keyboard.press('Enter');
  await desk.page.locator('ol li').first().waitFor();
  await desk.leave();
  const hospital = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(hospital, 'hospital-1');
  expect(await hospital.tab('nav.plans').count()).toBe(0);
  await hospital.leave();
});
