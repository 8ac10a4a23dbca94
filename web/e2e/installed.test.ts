/** The wallet as an app on the phone: it is told of things while it is closed, opens without a network, and its code is good for checking in. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { join, launch, newcomer, receive, signDeskIn, url, Visitor } from './kit.ts';
import { isTold } from './told.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it('an app can be made of it', async () => {
  const wallet = await Visitor.arrive(browser, { language: 'en', keepsPages: true }, 'wallet');
  const { errors, url: manifest } = await wallet.cdp.send('Page.getAppManifest');
  expect(manifest).toBe(`${url}/manifest.webmanifest`);
  expect(errors).toEqual([]);
  const { installabilityErrors } = await wallet.cdp.send('Page.getInstallabilityErrors');
  // A browser that a test drives keeps nothing for good, and says so.
  expect(installabilityErrors.map((one) => one.errorId).filter((id) => id !== 'in-incognito')).toEqual([]);
  await wallet.leave();
});

it('a closed wallet is told of things; without a network it opens, shows its code, and a desk takes it; who does not want that switches it off', async () => {
  const wallet = await Visitor.arrive(browser, { language: 'zh-Hans', keepsPages: true }, 'wallet');
  const person = newcomer(12);
  await join(wallet, person);
  const isKept = (): Promise<void> => wallet.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await isKept();
  const used = await isTold(browser, wallet, person);

  // Off: nothing of the pages is left, and none are kept by the next visit.
  const keeps = (): Promise<number> => wallet.page.evaluate(async () => (await caches.keys()).length);
  await wallet.tab('tab.settings').click();
  await wallet.link('data.title').click();
  const pages = wallet.page.getByRole('switch', { name: wallet.t('data.switch.shell') });
  await pages.uncheck();
  await expect.poll(keeps).toBe(0);
  await wallet.page.reload();
  await pages.waitFor();
  expect(await pages.isChecked()).toBe(false);
  expect(await wallet.page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
  await pages.check();
  await isKept();

  // The code was never looked at: it is at hand because the wallet was signed in.
  await wallet.context.setOffline(true);
  await wallet.page.close();
  const page = await wallet.context.newPage();
  await page.goto(`${url}/#/code`);
  const digits = page.getByTestId('code');
  await digits.waitFor();
  expect(await page.evaluate(() => fetch('/v1/network').then(() => 'answered', () => 'nobody'))).toBe('nobody');
  const shown = async (): Promise<string> => (await digits.innerText()).replace(/\s/g, '');
  // The next one comes within a minute.
  await expect.poll(shown, { timeout: 70_000 }).not.toBe(used);
  const code = await shown();
  expect(code).toMatch(/^\d{14}$/);

  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, 'hospital-1');
  await receive(desk, code, person.name);
  await desk.leave();

  // Of the API nothing is kept.
  const kept = await page.evaluate(async () => {
    const names = await caches.keys();
    const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return all.flat().map((request) => new URL(request.url).pathname);
  });
  expect(kept).toContain('/');
  expect(kept.filter((path) => !/^\/(assets\/.*|icon.*|manifest\.webmanifest)?$/.test(path))).toEqual([]);
  await wallet.context.setOffline(false);
  await wallet.context.close();
});
