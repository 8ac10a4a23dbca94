/** Paying is practised with play money, before anybody has joined, in large type on a narrow phone. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** Lines that stick out of the screen. */
const isWide = (visitor: Visitor): Promise<boolean> =>
  visitor.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

async function seen(visitor: Visitor, name: string): Promise<void> {
  await visitor.text('practice.band').waitFor();
  await visitor.check(`practice-${name}`);
  expect(await isWide(visitor), name).toBe(false);
}

it('who looks closely pays one bill and tells nobody anything, and no server hears of it', async () => {
  const elder = await Visitor.arrive(browser, { language: 'zh-Hans', size: 'large', width: 320 }, 'wallet');
  await elder.link('practice.title').click();
  await elder.button('practice.start').waitFor();
  const asked: string[] = [];
  elder.page.on('request', (request) => {
    if (request.url().includes('/v1/')) asked.push(request.url());
  });
  await seen(elder, 'begin');
  await elder.button('practice.start').click();
  await seen(elder, 'code');
  await elder.button('practice.code.on').click();
  await elder.text('practice.bill.0').waitFor();
  await seen(elder, 'bill');
  // Asking about a right bill does no harm.
  await elder.button('bill.object').click();
  await elder.text('practice.explained.lead').waitFor();
  await elder.button('practice.explained.on').click();
  await elder.button('bill.pay', { amount: '¥30.00' }).click();
  await elder.button('practice.pin.go').click();
  await elder.text('practice.pin.six').waitFor();
  await seen(elder, 'pin');
  await elder.field('practice.pin.field').fill('123456');
  await elder.button('practice.pin.go').click();
  await elder.page.getByText('¥250.00').waitFor();
  await seen(elder, 'paid');
  await elder.button('practice.on').click();
  await elder.text('practice.bill.1').waitFor();
  await elder.button('bill.object').click();
  await elder.text('practice.found.title').waitFor();
  await elder.button('practice.on').click();
  await seen(elder, 'call');
  await elder.button('practice.call.refuse').click();
  await elder.text('practice.silent').waitFor();
  await elder.button('practice.on').click();
  await elder.text('practice.end.found').waitFor();
  await seen(elder, 'end');
  expect(asked).toEqual([]);
  await elder.link('practice.leave').click();
  await elder.link('welcome.join').waitFor();
  await elder.leave();
});

it('who pays the wrong bill and reads out the digits is told what to do, by keyboard alone and in German', async () => {
  const elder = await Visitor.arrive(browser, { language: 'de', size: 'large', width: 320 }, 'wallet');
  await elder.page.goto(`${elder.page.url()}#/practice`);
  const press = async (key: string, values?: Record<string, string>): Promise<void> => {
    await elder.button(key, values).focus();
    await elder.page.keyboard.press('Enter');
  };
  await elder.button('practice.start').waitFor();
  await press('practice.start');
  // Whoever goes on is taken along to the next step's heading.
  expect(await elder.page.evaluate(() => document.activeElement?.textContent)).toBe(elder.t('practice.code'));
  await press('practice.code.on');
  await press('bill.pay', { amount: '30,00 ¥' });
  await elder.field('practice.pin.field').fill('111222');
  await elder.page.keyboard.press('Enter');
  await elder.text('practice.paid.lead').waitFor();
  await press('practice.on');
  await press('bill.pay', { amount: '28,00 ¥' });
  await elder.field('practice.pin.field').fill('111222');
  await elder.page.keyboard.press('Enter');
  await elder.text('practice.missed').waitFor();
  await seen(elder, 'missed');
  await press('practice.on');
  await press('practice.call.tell');
  await elder.text('practice.told').waitFor();
  await seen(elder, 'told');
  await press('practice.on');
  await elder.text('practice.end.told').waitFor();
  await press('practice.again');
  await elder.button('practice.start').waitFor();
  await elder.leave();
});
