/** What does not go well: refused, taken back, not confirmed, wrong, locked, pressed twice. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  atTheDesk,
  BILL,
  confirmWithPin,
  deskPage,
  launch,
  newcomer,
  PIN,
  sendAndOpen,
  signDeskIn,
  takeAtTill,
  Visitor,
  writeBill,
  type Both,
} from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** The patient refuses what lies on the phone. */
async function refuse({ wallet, desk }: Both): Promise<void> {
  await wallet.button('bill.refuse').click();
  await wallet.check('bill-refuse');
  await wallet.button('bill.refuse.wrong_bill').click();
  await wallet.text('bill.state.refused').waitFor();
  await wallet.check('bill-refused');
  await desk.text('send.refused').waitFor();
}

it('a wrong bill is refused and its cash handed back; it is taken back by another clerk, and confirmed in the end although pressed twice', async () => {
  const both = await atTheDesk(browser, 2, { language: 'zh-Hant' }, { language: 'en' }, 'clerk-back');
  const { wallet, desk } = both;
  const { name } = newcomer(2);
  await desk.page.getByRole('radio', { name: desk.t('cash.till') }).check();
  await takeAtTill(desk, 'clerk-back');
  await sendAndOpen(both);
  await refuse(both);

  // The page is left and opened again: the bill is there, and so is the money in the till.
  await deskPage(desk, 'nav.day');
  await deskPage(desk, 'nav.receive');
  await desk.page.getByRole('link', { name }).first().waitFor();
  await desk.check('desk-open-visits');
  await desk.page.getByRole('link', { name }).first().click();
  await desk.text('cash.taken').waitFor();
  await desk.page.reload();
  await desk.text('cash.taken').waitFor();
  const first = (visitor: Visitor) => visitor.page.locator('tbody input').first();
  expect(await first(desk).inputValue()).toBe('ZJ001');
  await writeBill(desk, BILL.replace(',2,26.80,53.60', ',1,26.80,26.80'));
  await desk.text('till.left.other').waitFor();
  await desk.button('till.back.go').click();
  await desk.text('till.back.reason.missing').waitFor();
  await desk.check('desk-till-other');
  await desk.field('till.back.reason').fill('two boxes instead of one');
  await desk.button('till.back.go').click();
  await desk.button('send.go').waitFor();

  await sendAndOpen(both);
  const other = await Visitor.arrive(browser, { language: 'de' }, 'desks');
  await signDeskIn(other, 'hospital-1');
  await other.page.getByRole('link', { name }).first().click();
  await other.text('send.waiting').waitFor();
  expect(await first(other).inputValue()).toBe('ZJ001');
  await other.check('desk-other-clerk');
  await other.button('send.withdraw').click();
  await wallet.text('bill.state.withdrawn').waitFor();
  await desk.text('send.withdrawn').waitFor();
  await other.leave();

  await sendAndOpen(both);
  await wallet.button('bill.pay').dblclick();
  await wallet.text('visit.done.good').waitFor();
  await wallet.tab('tab.history').click();
  await wallet.page.locator('main li a').first().waitFor();
  expect(await wallet.page.locator('main li a').count()).toBeGreaterThan(0);
  await desk.text('send.settled').waitFor();
  // Nothing of the bill is left in the browser.
  expect(await desk.page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain('ZJ001');
  await desk.page.reload();
  await desk.text('send.receipt').waitFor();

  await deskPage(desk, 'nav.day');
  await desk.field('cash.clerk').fill('clerk-back');
  await desk.button('day.find').click();
  await desk.page.getByText('two boxes instead of one').waitFor();
  await desk.check('desk-handed-back');
  await wallet.leave();
  await desk.leave();
});

it('a passkey that is not confirmed charges nothing, and the bill can be tried again', async () => {
  const both = await atTheDesk(browser, 4, { language: 'en' });
  const { wallet, desk } = both;
  await sendAndOpen(both);
  await wallet.knowsHolder(false);
  await wallet.button('bill.pay').click();
  await wallet.text('error.unconfirmed.title').waitFor();
  await wallet.check('bill-unconfirmed');
  await wallet.knowsHolder(true);
  await wallet.button('bill.pay').click();
  await wallet.text('visit.done.good').waitFor();
  await desk.text('send.settled').waitFor();
  await wallet.leave();
  await desk.leave();
});

it('somebody else’s number, a wrong code and a wrong PIN are told with what to do', async () => {
  const wallet = await Visitor.arrive(browser, { language: 'en', passkeys: false }, 'wallet');
  const person = newcomer(3);
  await wallet.link('welcome.join').click();
  await wallet.button('join.next').click();
  await wallet.text('join.name.missing').waitFor();
  await wallet.check('join-faults');
  await wallet.field('join.name').fill(person.name);
  await wallet.field('join.activation').fill('0000000000');
  const swapped = person.number.slice(0, 16) + (person.number[17] ?? '') + (person.number[16] ?? '');
  await wallet.field('join.number').fill(swapped);
  await wallet.button('join.next').click();
  await wallet.field('join.number').and(wallet.page.locator('[aria-invalid]')).waitFor();
  await wallet.field('join.number').fill(person.number.toLowerCase());
  await wallet.button('join.next').click();
  await wallet.field('join.activation').and(wallet.page.locator('[aria-invalid]')).waitFor();
  await wallet.check('join-wrong-code');
  await wallet.field('join.name').fill('王无此人');
  await wallet.button('join.next').click();
  await wallet.page.getByText('name and identity number do not belong together').first().waitFor();

  await wallet.field('join.name').fill(person.name);
  await wallet.field('join.activation').fill(person.activation);
  await wallet.button('join.next').click();
  await wallet.field('join.pin.first').fill('123456');
  await wallet.field('join.pin.again').fill('123456');
  await wallet.button('join.next').click();
  await wallet.text('join.pin.simple').waitFor();
  await wallet.field('join.pin.first').fill(PIN);
  await wallet.field('join.pin.again').fill(PIN);
  await wallet.button('join.next').click();
  await wallet.button('join.done.go').click();
  await confirmWithPin(wallet, '111119');
  await wallet.page.getByText('the PIN is wrong').waitFor();
  await wallet.check('pin-wrong');
  await wallet.button('join.done.go').click();
  await confirmWithPin(wallet);
  await wallet.link('home.tile.code').waitFor();
  await wallet.leave();
});

it('a locked wallet pays nothing of its own, and says since when and by whom', async () => {
  const both = await atTheDesk(browser, 6, { language: 'de' });
  const { wallet, desk } = both;
  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.lock').click();
  await wallet.check('lock');
  await wallet.button('lock.now').click();
  await wallet.text('lock.since').waitFor();
  await wallet.check('locked');
  await desk.button('send.go').click();
  await desk.page.getByText('the person is locked').first().waitFor();
  await desk.check('desk-locked');
  await wallet.button('lock.ask').click();
  await wallet.text('lock.asked').waitFor();
  await wallet.tab('tab.home').click();
  await wallet.text('home.locked').waitFor();
  await wallet.check('home-locked');
  await wallet.leave();
  await desk.leave();
});
