/** People without a phone at a hospital's desk. */
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BILL, launch, loaded, newcomer, openShift, openVisit, signDeskIn, takeAtTill, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it('somebody without a phone is found by the identity card, and settled at the desk with a printed voucher', async () => {
  const person = newcomer(3);
  const desk = await Visitor.arrive(browser, { language: 'zh-Hant' }, 'desks');
  await signDeskIn(desk, 'hospital-1');
  await openShift(desk, 'clerk-card');
  await desk.page.getByText(desk.t('find.card'), { exact: true }).click();
  await desk.field('premiums.find.name').fill('王无此人');
  await desk.field('premiums.find.number').fill(person.number);
  await desk.button('premiums.find.go').click();
  await desk.page.getByRole('alert').first().waitFor();
  await desk.field('premiums.find.name').fill(person.name);
  await desk.button('premiums.find.go').click();
  await desk.button('visit.open').waitFor();
  await desk.check('desk-card-found');
  await openVisit(desk);
  await desk.page.getByText(desk.t('bill.upload'), { exact: true }).click();
  await desk.field('bill.upload.text').fill(BILL);
  await desk.button('bill.upload.go').click();
  await desk.button('bill.quote').click();
  await desk.page.getByRole('heading', { name: desk.t('quote.title') }).waitFor();
  await takeAtTill(desk, 'clerk-card');
  await desk.check('desk-card-taken');
  await desk.button('settle.go').click();
  await desk.text('settle.done').waitFor();
  await desk.check('desk-card-settled');
  const downloading = desk.page.waitForEvent('download');
  await desk.button('voucher.sheet').click();
  const sheet = readFileSync(await (await downloading).path());
  expect(sheet.subarray(0, 5).toString()).toBe('%PDF-');
  await desk.page.reload();
  await loaded(desk.page);
  await desk.text('send.receipt').waitFor();
  await desk.leave();
});
