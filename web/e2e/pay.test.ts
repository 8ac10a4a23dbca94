/** A bill from the desk to the phone and back, as two people live it. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  confirmWithPin,
  join,
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
    await wallet.text('visit.done').waitFor();
    await wallet.text('visit.cash.posted').waitFor();
    await wallet.check('visit-done');
    await desk.text('send.settled').waitFor();
    await desk.check('desk-settled');

    const downloading = wallet.page.waitForEvent('download');
    await wallet.button('visit.voucher').click();
    expect((await downloading).suggestedFilename()).toMatch(/\.tlog-proof$/);

    await wallet.tab('tab.history').click();
    const entries = wallet.page.locator('main li a');
    await entries.first().waitFor();
    await wallet.check('history');
    await entries.first().click();
    await wallet.button('visit.voucher').waitFor();
    await wallet.check('visit');
    await wallet.leave();
    await desk.leave();
  });
});
