/** The check of vouchers as one file, opened from a disk by a browser without any network. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axe, data, keepPicture, launch } from './kit.ts';

const root = resolve(import.meta.dirname, '../..');
const binary = process.env.YIBAO_BINARY ?? join(root, 'target/release/yibao');
/** A build on a compiler without the target has no program for it inside, and says so. */
const isInside = existsSync(join(root, 'web/public/check-voucher.wasm'));
const folder = mkdtempSync(join(tmpdir(), 'yibao-offline-'));
const file = join(folder, 'verifier.html');
const voucher = join(data, 'voucher.tlog-proof');
const locales = { 'zh-Hans': 'zh-CN', 'zh-Hant': 'zh-TW', en: 'en-GB', de: 'de-DE' };

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

const run = (out: string): { status: number | null; stderr: string } =>
  spawnSync(binary, ['voucher', 'verifier', out, '--trust', join(data, 'trust-policy.txt')], { encoding: 'utf8' });

async function handIn(page: Page, file: string | { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
  // What was found before goes, so that what is waited for is the new finding.
  await page.locator('section').evaluateAll((sections) => sections.forEach((section) => section.remove()));
  await page.locator('#file').setInputFiles(file);
  await page.locator('form > button').click();
  await page.locator('section').waitFor();
}

describe.skipIf(isInside)('without the target', () => {
  it('the command says what is missing', () => {
    const { status, stderr } = run(file);
    expect(status).toBe(2);
    expect(stderr).toContain('make web');
  });
});

describe.runIf(isInside)('one file', () => {
  it('is written once', () => {
    expect(run(file).status).toBe(0);
    expect(run(file).stderr).toContain('exists already');
  });

  it.each(Object.entries(locales))('checks in %s what is handed in, and sends nothing', async (lang, locale) => {
    const context = await browser.newContext({ locale, offline: true, viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) faults.push(`asked ${request.url()}`);
    });
    await page.goto(`file://${file}`);
    await page.locator('h1').waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe(lang);
    expect(await axe(page)).toEqual([]);

    await handIn(page, voucher);
    expect(await page.locator('section.good').count()).toBe(1);
    expect(await page.locator('dl dd').count()).toBeGreaterThan(10);
    expect(await page.locator('dl').textContent()).not.toContain('own_key');
    expect(await axe(page)).toEqual([]);
    keepPicture(`offline-good-${lang}.png`, await page.screenshot({ fullPage: true }));

    const text = readFileSync(voucher, 'utf8');
    const at = text.indexOf('extra ') + 120;
    const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
    await handIn(page, { name: 'changed', mimeType: 'text/plain', buffer: Buffer.from(changed) });
    expect(await page.locator('section.bad').count()).toBe(1);
    await handIn(page, { name: 'scan.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 scanned') });
    expect(await page.locator('section.bad').count()).toBe(1);

    await page.reload();
    await page.locator('summary').click();
    await page.locator('#text').fill(text);
    await page.locator('form > button').click();
    await page.locator('section.good').waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});
