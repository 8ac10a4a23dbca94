/** The public page that checks vouchers, in a browser that runs no script. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axe, data, keepPicture, launch, url } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const voucher = join(data, 'voucher.tlog-proof');

/** What the page says first: its first finding. */
const finding = (page: Page): Promise<string> => page.locator('section h2').innerText();

/** Without a script on the page nothing may run in it; axe looks at the same HTML where scripts run. */
async function isAccessible(html: string, lang: string): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await page.setContent(html);
  expect(await axe(page), lang).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), lang).toBeLessThanOrEqual(0);
  await context.close();
}

describe.each(['zh-Hans', 'zh-Hant', 'en', 'de'])('in %s', (lang) => {
  it('a stranger checks a voucher as a file and as text, and hears what it does not prove', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) faults.push(`asked ${request.url()}`);
    });
    await page.goto(`${url}/verify?lang=${lang}`);
    await isAccessible(await page.content(), lang);
    keepPicture(`verify-${lang}.png`, await page.screenshot({ fullPage: true }));

    await page.locator('#file').setInputFiles(voucher);
    await page.locator('button').click();
    await page.locator('section.good').waitFor();
    expect(await page.locator('dl dd').count()).toBeGreaterThan(10);
    expect(await page.locator('ul li').count()).toBe(6);
    await isAccessible(await page.content(), lang);
    keepPicture(`verify-good-${lang}.png`, await page.screenshot({ fullPage: true }));

    await page.locator('summary').click();
    await page.locator('#text').fill(readFileSync(voucher, 'utf8'));
    await page.locator('button').click();
    await page.locator('section.good').waitFor();

    await page.locator('#file').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no voucher') });
    await page.locator('button').click();
    await page.locator('section.bad').waitFor();
    expect(await finding(page)).not.toBe('');
    await isAccessible(await page.content(), lang);
    expect(faults).toEqual([]);
    await context.close();
  });
});
