/** What breaks in the middle: the connection, a card without money, two tabs, a bill that is over, somebody else's bill; and no mouse. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { press, tabTo } from './holding.ts';
import {
  atTheDesk,
  begin,
  confirmWithPin,
  launch,
  loaded,
  newcomer,
  newcomers,
  openVisit,
  PIN,
  receive,
  sendAndOpen,
  shownCode,
  signDeskIn,
  takeAtTill,
  url,
  Visitor,
  writeBill,
  type Both,
} from './kit.ts';

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
  await payByKeyboard(other);
  // The answer to the first tab is still lost; what came of it both find out.
  await payInTwoTabs(both, newcomer(7).name);
  wallet.forgiveLostConnection();
  await letItPass(other.wallet, newcomer(5).name);
  for (const one of [wallet, desk, other.wallet, other.desk]) await one.leave();
}, 300_000);

/** A bill at the desk is paid without a finger on the screen: from the tab of the first page to the end. */
async function payByKeyboard({ wallet, desk }: Both): Promise<void> {
  const { page } = wallet;
  await takeAtTill(desk);
  await desk.button('send.go').click();
  await desk.text('send.waiting').waitFor();
  await press(page, wallet.tab('tab.home'));
  await press(page, wallet.link('home.waiting.open'));
  await press(page, wallet.button('bill.pay'));
  await tabTo(page, wallet.field('pin.field'));
  await page.keyboard.type(PIN);
  await page.keyboard.press('Enter');
  await wallet.text('visit.done.good').waitFor();
  await desk.text('send.settled').waitFor();
}

/** How many settlements the history shows; these people have few. */
async function charges(wallet: Visitor): Promise<number> {
  await wallet.tab('tab.home').click();
  await wallet.tab('tab.history').click();
  const entries = wallet.page.locator('main li a');
  await entries.first().waitFor();
  await loaded(wallet.page);
  return entries.count();
}

/** The person is received again, with a code that nobody has seen: one that was used says nothing a second time. */
async function oneMoreVisit(wallet: Visitor, desk: Visitor, name: string): Promise<void> {
  const used = await shownCode(wallet);
  await expect.poll(() => shownCode(wallet), { timeout: 70_000, interval: 1000 }).not.toBe(used);
  await receive(desk, await shownCode(wallet), name);
  await openVisit(desk);
  await writeBill(desk);
  await takeAtTill(desk);
}

/** The next bill is open in two tabs of one browser, and confirmed in both: it is charged once, and both say so. */
async function payInTwoTabs(both: Both, name: string): Promise<void> {
  const { wallet, desk } = both;
  await desk.link('next').click();
  const before = await charges(wallet);
  await oneMoreVisit(wallet, desk, name);
  await sendAndOpen(both);
  const second = await wallet.context.newPage();
  const button = (page: Page, key: string) => page.getByRole('button', { name: key === 'bill.pay' ? begin(wallet.t(key)) : wallet.t(key), exact: true });
  const pin = (page: Page) => page.getByLabel(wallet.t('pin.field'), { exact: true });
  await second.goto(`${url}/`);
  await button(second, 'welcome.signin').click();
  await pin(second).fill(PIN);
  await button(second, 'pin.go').click();
  await second.getByRole('link', { name: wallet.t('home.waiting.open'), exact: true }).click();
  const tabs = [wallet.page, second];
  for (const one of tabs) {
    await button(one, 'bill.pay').click();
    await pin(one).fill(PIN);
  }
  await Promise.all(tabs.map((one) => button(one, 'pin.go').click()));
  for (const one of tabs) await one.getByText(wallet.t('visit.done.good'), { exact: true }).first().waitFor();
  await desk.text('send.settled').waitFor();
  await second.close();
  expect(await charges(wallet), 'one bill, one charge').toBe(before + 1);
}

/** A bill that nobody confirms in time is over on both sides, and nothing is charged. */
async function letItPass(wallet: Visitor, name: string): Promise<void> {
  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  // A desk whose clock is so late, and that heard of the time so long ago, leaves half a minute of its quarter of an hour.
  const late = 14.5 * 60_000;
  await desk.page.evaluate((by) => {
    const now = Date.now;
    Date.now = () => now() - by;
  }, late);
  await desk.page.route('**/v1/network', async (route) => {
    const answer = await route.fetch();
    const network = (await answer.json()) as { time: string };
    await route.fulfill({ response: answer, json: { ...network, time: new Date(Date.parse(network.time) - late).toISOString() } });
  });
  await signDeskIn(desk, 'hospital-1');
  const before = await charges(wallet);
  await oneMoreVisit(wallet, desk, name);
  await sendAndOpen({ wallet, desk });
  await wallet.text('bill.state.over').waitFor({ timeout: 60_000 });
  expect(await wallet.button('bill.pay').count()).toBe(0);
  await wallet.check('bill-over');
  await desk.text('send.over').waitFor();
  await desk.check('desk-bill-over');
  expect(await charges(wallet), 'nothing more was charged').toBe(before);
  await desk.leave();
}

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
