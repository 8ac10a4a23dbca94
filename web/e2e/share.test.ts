/** What payers bear, day by day: an insurer's desk and the bureau's. */
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { deskPage, launch, signDeskIn, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const INSURER = 'commercial-ins';

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
  expect(fen(sum[3])).toBeGreaterThan(0n);
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
