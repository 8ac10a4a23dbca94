/** What payers bear, day by day: an insurer's desk and the bureau's. */
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { importPeople, numberOf, settleWithoutAsking } from './bureau.ts';
import { deskPage, launch, signDeskIn, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const INSURER = 'commercial-ins';
/** Five scans outside the catalogue: of what lies above 20,000 yuan in a year, the supplement pays 60 %. */
const SCANS = [['YX009', 'PET-CT', '5', '7000.00', '35000.00']] as const;
const BORNE = 9_000_00n;

/** Somebody with a commercial supplement is so ill that the insurer bears a part: whoever else of the region reaches its deductible is chance. */
async function fallIll(): Promise<void> {
  const year = new Date().getFullYear();
  const bureau = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(bureau, 'bureau', 'nav.objections');
  const head = ['name', 'number', 'scheme', 'from', 'to', 'person_classes'];
  const row = ['测试重', numberOf(400), '310', `${year}-01-01`, `${year}-12-31`, 'active commercial_supplement'];
  const person = await importPeople(bureau, [head, row]);
  await bureau.leave();
  const hospital = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(hospital, 'hospital-1');
  await settleWithoutAsking(hospital, { person, scheme: 310, visit_type: 'inpatient' }, SCANS, { form: 'identity_card' });
  await hospital.leave();
}

/** Once for all stories here, whichever comes first. */
let ill: Promise<void> | undefined;
const somebodyIsIll = (): Promise<void> => (ill ??= fallIll());

/** The lines of the exported table. */
async function exported(desk: Visitor): Promise<readonly (readonly string[])[]> {
  const downloading = desk.page.waitForEvent('download');
  await desk.button('past.export').click();
  const text = readFileSync(await (await downloading).path(), 'utf8').replace(/^\uFEFF/, '');
  return text.trim().split('\r\n').map((line) => line.split(','));
}

const fen = (text = ''): bigint => BigInt(text.replace('.', ''));

/** What the organisation's own funds say that left them, by the API and not by the page. */
const fundsOf = (desk: Visitor, organisation: string): Promise<readonly { debits: string; credits: string }[]> =>
  desk.page.evaluate(async (owner) => {
    const { token } = JSON.parse(sessionStorage.getItem('yibao.session') ?? '{}');
    const found = [];
    for (let fund = 1; fund < 30; fund += 1) {
      const answer = await fetch(`/v1/regions/620100/funds/${fund}`, { headers: { authorization: `Bearer ${token}` } });
      if (answer.ok) found.push(await answer.json());
    }
    return found.filter((one) => one.owner === owner).map((one) => one.account);
  }, organisation);

it('an insurer sees its settlements, and its share by day adds up to what left its fund', async () => {
  await somebodyIsIll();
  const desk = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(desk, INSURER, 'nav.past');
  await deskPage(desk, 'nav.past');
  await desk.page.locator('tbody tr').first().waitFor();
  await desk.check('desk-insurer-past');
  await deskPage(desk, 'nav.share');
  await desk.page.getByTestId('net').waitFor();
  await desk.check('desk-share');
  const [head, ...lines] = await exported(desk);
  expect(head).toHaveLength(7);
  const [sum, days] = [lines.at(-1) ?? [], lines.slice(0, -1)];
  expect(days.length).toBeGreaterThan(0);
  const total = (column: number): bigint => days.reduce((so_far, line) => so_far + fen(line[column]), 0n);
  expect([total(3), total(4), total(5)]).toEqual([fen(sum[3]), fen(sum[4]), fen(sum[5])]);
  expect(fen(sum[3])).toBeGreaterThanOrEqual(BORNE);
  const funds = await fundsOf(desk, INSURER);
  expect(funds.length).toBeGreaterThan(0);
  expect(funds.reduce((so_far, one) => so_far + BigInt(one.debits), 0n)).toBe(fen(sum[3]));

  // A range of days, and one in which there was nothing.
  const newest = days[0]?.[0] ?? '';
  await desk.field('share.from').fill(newest);
  await desk.page.locator('tbody tr').nth(1).waitFor({ state: 'detached' });
  expect((await exported(desk)).slice(1).map((line) => line[5])).toEqual([days[0]?.[5], days[0]?.[5]]);
  await desk.field('share.to').fill('2000-01-01');
  await desk.text('past.nothing').waitFor();
  await desk.leave();
});

it('the page is whole in every language and narrow, and a hospital has none', async () => {
  await somebodyIsIll();
  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, INSURER, 'nav.past');
  for (const language of LANGUAGES) {
    await desk.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await desk.page.reload();
    await desk.page.evaluate(() => void (location.hash = '#/share'));
    await desk.page.getByTestId('net').waitFor();
    await desk.check(`desk-share-${language}`);
  }
  await desk.page.setViewportSize({ width: 320, height: 844 });
  await desk.page.evaluate(() => (document.documentElement.dataset.size = 'large'));
  await desk.check('desk-share-narrow');
  await desk.leave();
  const hospital = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(hospital, 'hospital-1');
  expect(await hospital.tab('nav.share').count()).toBe(0);
  await hospital.leave();
});
