/** Every page of a wallet in every language and size, on a narrow screen, by keyboard and offline. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { SIZES } from '../src/preferences.svelte.ts';
import { alike, cut, turnTo } from './holding.ts';
import { join, launch, newcomer, shownCode, url, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const PATHS = ['/', '/code', '/pay', '/history', '/cover', '/plan', '/lock', '/family', '/transfer', '/face', '/child', '/premium', '/settings', '/report', '/inquiries', '/data', '/notices'];

describe('pages are whole in every size at 320 pixels', () => {
  let wallet: Visitor;
  beforeAll(async () => {
    wallet = await Visitor.arrive(browser, { language: 'zh-Hans', width: 320 }, 'wallet');
    await join(wallet, newcomer(13));
  });
  afterAll(() => wallet.leave());

  it.each(LANGUAGES)('in %s', async (language) => {
    await wallet.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await wallet.page.reload();
    for (const size of SIZES) {
      await wallet.page.evaluate((step) => (document.documentElement.dataset.size = step), size);
      for (const path of PATHS) {
        await turnTo(wallet.page, path);
        const name = `narrow${path.replace('/', '-')}-${language}-${size}`;
        await wallet.check(name);
        expect(await cut(wallet.page), `${name}: cut`).toEqual([]);
        expect(await alike(wallet.page), `${name}: the same name`).toEqual([]);
      }
    }
  });

  it('a code is shown without a network, and a lost connection says so', async () => {
    await wallet.page.evaluate(() => localStorage.setItem('yibao.language', 'zh-Hans'));
    await wallet.page.reload();
    await shownCode(wallet);
    await wallet.tab('tab.home').click();
    await wallet.link('home.tile.code').waitFor();
    await wallet.context.setOffline(true);
    expect(await shownCode(wallet)).toMatch(/^\d{14}$/);
    await wallet.tab('tab.history').click();
    await wallet.text('error.offline.title').waitFor();
    await wallet.context.setOffline(false);
    await wallet.button('retry').click();
    await wallet.page.locator('main').getByRole('alert').waitFor({ state: 'detached' });
    wallet.forgiveLostConnection();
  });
});

it('a page is used by keyboard alone, from the skip link on', async () => {
  const wallet = await Visitor.arrive(browser, { language: 'en', isPhone: false }, 'wallet');
  const { page } = wallet;
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.className)).toContain('skip');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await wallet.field('join.name').waitFor();
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('INPUT');
  await wallet.leave();
});

it('pages carry a policy that lets nothing else in', async () => {
  for (const path of ['/', '/desks']) {
    const answer = await fetch(url + path);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:/);
    expect(await answer.text()).not.toMatch(/ style="| on\w+="|<script>/);
  }
});
