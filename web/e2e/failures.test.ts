/** What breaks in the middle: the connection, a card without money, two tabs, somebody else's bill. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { atTheDesk, begin, confirmWithPin, launch, newcomers, sendAndOpen, takeAtTill } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** The last newcomer with a card has hardly any money. */
const WITHOUT_MONEY = newcomers().length - (newcomers().length % 2 === 0 ? 2 : 1);

const CONFIRMATIONS = '**/confirmations';

it('a confirmation that never arrived charges nothing, and pressing again pays', async () => {
  const both = await atTheDesk(browser, 8, { language: 'zh-Hans' });
  const { wallet, desk } = both;
  // Timers are made by the clock that moves them.
  await wallet.page.clock.install();
  await wallet.page.reload();
  await sendAndOpen(both);
  await wallet.page.route(CONFIRMATIONS, (route) => route.abort());
  await wallet.button('bill.pay').click();
  await wallet.text('bill.lost.title').waitFor();
  wallet.forgiveLostConnection();
  await wallet.check('bill-lost');
  await desk.text('send.waiting').waitFor();
  await wallet.page.unroute(CONFIRMATIONS);

  // Whoever closes the page finds what came of it at the beginning.
  await wallet.tab('tab.home').click();
  await wallet.link('home.left.open').waitFor();
  await wallet.check('home-left');
  await wallet.link('home.left.open').click();
  await wallet.button('bill.pay').click({ trial: true });
  await wallet.page.route(CONFIRMATIONS, (route) => route.abort());
  await wallet.button('bill.pay').click();
  await wallet.text('bill.lost.title').waitFor();
  wallet.forgiveLostConnection();
  await wallet.page.unroute(CONFIRMATIONS);
  // A node that took the confirmation would have said so by now.
  await wallet.page.clock.fastForward('00:40');
  await wallet.text('bill.uncharged.title').waitFor();
  await wallet.check('bill-uncharged');
  await wallet.button('bill.pay').click();
  await wallet.text('visit.done.good').waitFor();
  await desk.text('send.settled').waitFor();
  await wallet.leave();
  await desk.leave();
});

it('a confirmation whose answer was lost is found out by itself, and nobody else sees the bill', async () => {
  const both = await atTheDesk(browser, 7, { language: 'en', passkeys: false });
  const { wallet, desk } = both;
  await takeAtTill(desk);
  await sendAndOpen(both);
  await wallet.page.route(CONFIRMATIONS, async (route) => {
    await route.fetch();
    await route.abort();
  });
  const bill = new URL(wallet.page.url()).hash;
  await wallet.button('bill.pay').click();
  await confirmWithPin(wallet);
  await wallet.text('visit.done.good').waitFor();
  await desk.text('send.settled').waitFor();

  const other = await atTheDesk(browser, 5, { language: 'en', passkeys: false });
  await other.wallet.page.evaluate((hash) => (location.hash = hash), bill);
  await other.wallet.page.locator('main').getByRole('alert').waitFor();
  expect(await other.wallet.button('bill.pay').count()).toBe(0);
  await other.wallet.check('bill-of-somebody-else');
  wallet.forgiveLostConnection();
  for (const one of [wallet, desk, other.wallet, other.desk]) await one.leave();
});

it('a card without money is told on the phone and at the desk', async () => {
  const both = await atTheDesk(browser, WITHOUT_MONEY, { language: 'de' });
  const { wallet, desk } = both;
  await sendAndOpen(both);
  await wallet.button('bill.pay').click();
  await wallet.text('visit.cash.failed').waitFor();
  await wallet.check('visit-card-refused');
  // Neither does it pay a premium, which stays to be paid.
  await wallet.tab('tab.home').click();
  await wallet.page.getByRole('link', { name: begin(wallet.t('home.tile.premium')) }).click();
  await wallet.page.getByRole('checkbox').check();
  await wallet.button('premium.continue').click();
  await wallet.button('bill.pay').click();
  await wallet.text('premium.failed').waitFor();
  await wallet.page.getByRole('checkbox').waitFor();
  await wallet.check('premium-card-refused');
  await wallet.leave();
  await desk.leave();
});
