/** A bill from the desk to the phone and back, as two people live it. */
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  confirmWithPin,
  join,
  keepPicture,
  launch,
  newcomers,
  openVisit,
  receive,
  shownCode,
  signDeskIn,
  takeAtTill,
  Visitor,
  writeBill,
  type Device,
} from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const ways: { name: string; newcomer: number; phone: Device; desk: Device; cash: 'card' | 'till' }[] = [
  {
    name: 'in Chinese with a passkey and a bound card',
    newcomer: 0,
    phone: { language: 'zh-Hans' },
    desk: { language: 'zh-Hans' },
    cash: 'card',
  },
  {
    name: 'in German with large type and a PIN, paid at the till',
    newcomer: 1,
    phone: { language: 'de', size: 'large', passkeys: false },
    desk: { language: 'de' },
    cash: 'till',
  },
];

/** The bytes of what a button gives as a file of this name. */
async function downloaded(wallet: Visitor, button: string, name: RegExp): Promise<Buffer> {
  const downloading = wallet.page.waitForEvent('download');
  await wallet.button(button).click();
  const file = await downloading;
  expect(file.suggestedFilename()).toMatch(name);
  return readFileSync(await file.path());
}

/** The voucher in each form: all of them hold, or lead to, the same file. */
async function keepVoucher(wallet: Visitor): Promise<void> {
  const file = await downloaded(wallet, 'voucher.file', /\.tlog-proof$/);
  expect(file.toString()).toMatch(/^c2sp\.org\/tlog-proof@v1\n/);
  const sheet = await downloaded(wallet, 'voucher.pdf', /\.pdf$/);
  expect(sheet.subarray(0, 5).toString()).toBe('%PDF-');
  // The log may have grown in between; what stands in it has not.
  expect(sheet.includes(file.subarray(0, file.indexOf('\nindex ')))).toBe(true);
  const picture = await downloaded(wallet, 'voucher.picture', /\.png$/);
  expect(picture.length).toBeGreaterThan(20_000);
  keepPicture(`voucher-${wallet.device.language}.png`, picture);
  const opening = wallet.page.waitForEvent('popup');
  await wallet.button('voucher.print').click();
  const printed = await opening;
  await printed.waitForURL(/^blob:/);
  await printed.close();
}

/** The history as the browser prints it, or keeps it as a PDF: a table, and nothing to press. */
async function onPaper(wallet: Visitor): Promise<void> {
  const { page } = wallet;
  await page.evaluate(() => (window.print = () => document.body.setAttribute('data-printed', '')));
  await wallet.button('history.print').click();
  await page.locator('body[data-printed]').waitFor();
  await page.emulateMedia({ media: 'print' });
  expect(await page.locator('main tbody tr').count()).toBe(await page.locator('main li').count());
  expect(await page.locator('main table').isVisible()).toBe(true);
  expect(await page.locator('main li').first().isVisible()).toBe(false);
  expect(await wallet.button('history.print').isVisible()).toBe(false);
  const sheet = await page.pdf({ format: 'A4' });
  expect(sheet.subarray(0, 5).toString()).toBe('%PDF-');
  keepPicture(`history-${wallet.device.language}.pdf`, sheet);
  await page.emulateMedia({ media: 'screen' });
}

describe.each(ways)('$name', ({ newcomer: place, phone, desk: deskDevice, cash }) => {
  it('a person joins, is received, confirms a bill and keeps the voucher', async () => {
    const newcomer = newcomers()[place];
    if (newcomer === undefined) throw new Error('the region has too few newcomers');
    const wallet = await Visitor.arrive(browser, phone, 'wallet');
    await join(wallet, newcomer, true);
    await wallet.check('home');

    const desk = await Visitor.arrive(browser, deskDevice, 'desks');
    await desk.check('desk-signin');
    await signDeskIn(desk, 'hospital-1');
    await desk.check('desk-find');
    const code = await shownCode(wallet);
    await wallet.check('code');
    await receive(desk, code, newcomer.name);
    await desk.check('desk-patient');
    await openVisit(desk);
    await desk.check('desk-visit');
    await writeBill(desk);
    await desk.check('desk-quote');

    if (cash === 'till') await takeAtTill(desk);
    await desk.button('send.go').click();
    await desk.text('send.waiting').waitFor();
    await desk.check('desk-waiting');

    // The phone hears of it by itself.
    await wallet.tab('tab.home').click();
    await wallet.link('home.waiting.open').click();
    const pay = wallet.button('bill.pay');
    await pay.waitFor();
    await wallet.check('bill');
    await wallet.page.getByText(wallet.t('bill.why')).click();
    await wallet.check('bill-why');
    await pay.click();
    await confirmWithPin(wallet);
    await wallet.text('visit.done.good').waitFor();
    await wallet.text('visit.cash.posted').waitFor();
    await wallet.check('visit-done');
    await desk.text('send.settled').waitFor();
    await desk.check('desk-settled');

    await keepVoucher(wallet);

    await wallet.tab('tab.history').click();
    const entries = wallet.page.locator('main li a');
    await entries.first().waitFor();
    await wallet.check('history');
    await onPaper(wallet);
    await entries.first().click();
    await wallet.button('voucher.pdf').waitFor();
    await wallet.check('visit');
    await wallet.leave();
    await desk.leave();
  });
});
