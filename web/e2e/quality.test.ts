/** Desks that are magnified, and pages for whoever wants no motion. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alike, cut, turnTo } from './holding.ts';
import { launch, loaded, signDeskIn, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** At 1280 pixels 200 % leaves 640, and 400 % 320. */
const WIDTHS = [640, 320];

const DESKS = [
  { organisation: 'hospital-1', first: 'nav.receive' },
  { organisation: 'bureau', first: 'nav.past' },
  { organisation: 'finance', first: 'nav.plans' },
] as const;

describe.each(DESKS)('the desk of $organisation', ({ organisation, first }) => {
  it('has nothing cut and nothing beside the screen at 200 and at 400 percent', async () => {
    const desk = await Visitor.arrive(browser, { language: 'de' }, 'desks');
    await signDeskIn(desk, organisation, first);
    const { page } = desk;
    const paths = await page.locator('nav a').evaluateAll((links) => links.map((one) => (one as HTMLAnchorElement).hash));
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 844 });
      for (const path of paths) {
        await turnTo(page, path.replace(/^#/, ''));
        await loaded(page);
        const name = `desk-${organisation}${path.replace(/[#/]+/, '-')}`;
        expect(await cut(page), `${name} at ${width}`).toEqual([]);
        expect(await alike(page), `${name}: the same name`).toEqual([]);
        await desk.check(name);
      }
    }
    await desk.leave();
  });
});

it.each(['reduce', 'no-preference'] as const)('moves nothing for whoever wants no motion: %s', async (reducedMotion) => {
  const wallet = await Visitor.arrive(browser, { language: 'en' }, 'wallet');
  const { page } = wallet;
  await page.emulateMedia({ reducedMotion });
  // A button that is busy for as long as it is looked at.
  let go = (): void => {};
  const looked = new Promise<void>((done) => (go = done));
  await page.route('**/v1/**', async (route) => {
    await looked;
    await route.continue();
  });
  await wallet.button('welcome.signin.here').click();
  await page.locator('.spinner').waitFor();
  const moving = await page.evaluate(() => document.getAnimations().length);
  expect(moving).toBe(reducedMotion === 'reduce' ? 0 : 1);
  go();
  await wallet.context.close();
});
