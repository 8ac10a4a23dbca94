/** A desk without a camera says so, and a code that is nobody's stands in the field like a typed one. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, seeing, signDeskIn, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it('a desk that has no camera is told to type', async () => {
  const desk = await Visitor.arrive(browser, { language: 'de' }, 'desks');
  await signDeskIn(desk, 'hospital-1');
  await desk.button('scan.start').click();
  await desk.page.getByRole('status').waitFor();
  await desk.check('desk-scan-none');
  await desk.field('find.code').waitFor();
  await desk.leave();
});

it('what the camera read is looked up, and the camera is off again', async () => {
  const made_up = '12345678901234';
  const phone = await seeing(made_up);
  try {
    const desk = await Visitor.arrive(phone.browser, { language: 'zh-Hans' }, 'desks');
    await signDeskIn(desk, 'hospital-1');
    await desk.button('scan.start').click();
    await desk.page.getByRole('alert').first().waitFor();
    expect(await desk.field('find.code').inputValue()).toBe(made_up);
    await desk.button('scan.start').waitFor();
    expect(await desk.page.locator('video').count()).toBe(0);
    await desk.check('desk-scan-wrong');
    await desk.leave();
  } finally {
    await phone.end();
  }
});
