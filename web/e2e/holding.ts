/** Whether a page holds out: magnified, narrow, read by name alone, used by keyboard alone. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** Goes to a page by its address, and waits until the app has turned to it. */
export async function turnTo(page: Page, path: string): Promise<void> {
  await page.evaluate(
    (to) =>
      new Promise<void>((done) => {
        if (location.hash === `#${to}`) return done();
        addEventListener('hashchange', () => requestAnimationFrame(() => done()), { once: true });
        location.hash = to;
      }),
    path,
  );
  await page.locator('main h1').waitFor();
}

/** Words that end at an edge without a way to the rest (a field scrolls by itself), and pieces that lie outside of the screen. */
export function cut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const isHidden = (one: Element): boolean => one.closest('.visually-hidden, .skip, [hidden]') !== null;
    const scrolls = (one: Element | null): boolean =>
      one !== null && (/auto|scroll/.test(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
    const wide = document.documentElement.clientWidth;
    return [...document.querySelectorAll('body *')]
      .filter((one) => one instanceof HTMLElement && one.checkVisibility() && !isHidden(one) && !one.matches('input, select, textarea'))
      .filter((one) => {
        const { left, right, width } = one.getBoundingClientRect();
        const clips = /hidden|clip/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1;
        return clips || (width > 0 && (left < -1 || right > wide + 1) && !scrolls(one));
      })
      .map((one) => one.outerHTML.slice(0, 160));
  });
}

/** Buttons and links of a page that are called the same and do not do the same. */
export function alike(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const names = new Map<string, Set<string>>();
    const twice: string[] = [];
    const all = [...document.querySelectorAll<HTMLElement>('main button, main a[href]')].filter((one) => one.checkVisibility());
    for (const one of all) {
      const described = (one.getAttribute('aria-labelledby') ?? one.id).split(' ').map((id) => document.getElementById(id)?.textContent ?? '');
      const name = one.getAttribute('aria-label') ?? (one.hasAttribute('aria-labelledby') ? described.join(' ') : one.innerText.trim());
      // Two links to one place may be called the same.
      const does = one instanceof HTMLAnchorElement ? one.href : `button ${names.get(name)?.size ?? 0}`;
      const others = names.get(name) ?? new Set();
      if (others.size > 0 && !others.has(does)) twice.push(name);
      names.set(name, others.add(does));
    }
    return twice;
  });
}

/** Goes on with the Tab key until this has the focus, as somebody without a mouse does. */
export async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  for (let steps = 0; steps < 120; steps++) {
    if (await wanted.evaluate((one) => one === document.activeElement)) {
      const outline = await wanted.evaluate((one) => getComputedStyle(one).outlineStyle);
      expect(outline, 'what has the focus is seen').not.toBe('none');
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key does not lead to ${wanted}`);
}

export async function press(page: Page, wanted: Locator): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press('Enter');
}
