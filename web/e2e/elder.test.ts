/** Elder mode as somebody of sixty meets it, and the person that one trusts. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { letsASecondDeviceIn } from './device.ts';
import { settlesAfterTheLine } from './edge.ts';
import { confirmWithPin, join, launch, newcomers, shownCode, Visitor } from './kit.ts';
import { followsAStay } from './stay.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** The places that the other stories leave; their people, the oldest first. */
const FREE = [20, 26] as const;
function free(): ReturnType<typeof newcomers> {
  const left = newcomers().slice(...FREE);
  return [...left].sort((one, other) => one.number.slice(6, 14).localeCompare(other.number.slice(6, 14)));
}
function at(place: number): ReturnType<typeof newcomers>[number] {
  const found = free().at(place);
  if (found === undefined) throw new Error('the region has too few newcomers');
  return found;
}

/** Buttons, links and choices on a page that are lower than 60 pixels. */
function smallTargets(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('main button, main a, main select, main input, nav a, header select')]
      .filter((one) => (one.closest('label') ?? one).getBoundingClientRect().height < 59.5)
      .map((one) => one.outerHTML.slice(0, 120)),
  );
}

it('is on by itself from sixty, shows three things first, reads aloud, and one tap turns it off', async () => {
  const elder = at(0);
  expect(Number(elder.number.slice(6, 10))).toBeLessThan(new Date().getFullYear() - 60);
  const wallet = await Visitor.arrive(browser, { language: 'zh-Hans', size: 'unset' }, 'wallet');
  // What the browser would say, since a machine without voices says nothing.
  await wallet.page.evaluate(() => {
    speechSynthesis.speak = (speech) => document.body.setAttribute('data-said', `${speech.lang} ${speech.text}`);
  });
  await join(wallet, elder);
  await wallet.text('elder.on').waitFor();
  const first = await wallet.page.locator('main ul a').allInnerTexts();
  expect(first.slice(0, 3)).toEqual(['home.tile.code', 'home.tile.pay', 'home.tile.help'].map((key) => wallet.t(key)));
  expect(await smallTargets(wallet.page)).toEqual([]);
  await wallet.check('home-elder');
  await wallet.button('read').click();
  const said = (await wallet.page.locator('body').getAttribute('data-said')) ?? '';
  expect(said).toContain('zh-CN');
  expect(said).toContain(wallet.t('home.tile.pay'));
  await wallet.link('home.tile.pay').click();
  await wallet.text('pay.none').waitFor();
  expect(await smallTargets(wallet.page)).toEqual([]);
  await wallet.check('pay-elder');
  await wallet.tab('tab.home').click();
  await wallet.button('elder.off').first().click();
  await wallet.button('elder.go').waitFor();
  await wallet.page.reload();
  await wallet.button('elder.go').waitFor();
  expect(await wallet.text('elder.on').count()).toBe(0);
  await wallet.leave();
});

it('somebody who is trusted is named, locks from afar, is seen at once, and unlocks', async () => {
  const [ward, child] = [at(1), at(-1)];
  const own = await Visitor.arrive(browser, { language: 'de', size: 'large', passkeys: false }, 'wallet');
  await join(own, ward);
  const far = await Visitor.arrive(browser, { language: 'en' }, 'wallet');
  await join(far, child);
  const code = await shownCode(far);
  await own.link('home.tile.lock').click();
  await own.button('guardian.find').click();
  await own.text('guardian.code.missing').waitFor();
  await own.field('guardian.code').fill(code);
  await own.button('guardian.find').click();
  await own.button('guardian.name').waitFor();
  await own.check('guardian-sure');
  await own.button('guardian.name').click();
  await confirmWithPin(own);
  await own.text('guardian.since').waitFor();
  await own.page.getByText(child.name).filter({ visible: true }).first().waitFor();
  await own.check('guardian-named');

  await far.tab('tab.home').click();
  await far.page.reload();
  await far.link('home.tile.family').click();
  await far.button('family.lock', { name: ward.name }).click();
  await far.check('family-sure');
  await far.button('family.yes').click();
  await far.text('family.locked').waitFor();
  await far.check('family-locked');
  // The other phone hears of it by itself, and says who it was.
  await own.page.getByText(own.t('lock.by.guardian')).or(own.page.getByText(child.name)).first().waitFor();
  await own.text('lock.since').waitFor();
  await own.check('locked-by-guardian');
  await far.button('family.unlock', { name: ward.name }).click();
  await far.button('family.yes').click();
  await own.button('lock.now').waitFor();

  // What was agreed to stands among the own data, and ends there.
  await own.tab('tab.settings').click();
  await own.link('data.title').click();
  const agreed = own.page.locator('li').filter({ hasText: own.t('agreed.guardian', { name: child.name }) });
  await agreed.getByRole('button').click();
  await own.check('data-agreed-sure');
  await own.page.getByRole('dialog').getByRole('button', { name: own.t('guardian.remove'), exact: true }).click();
  await confirmWithPin(own);
  await own.text('agreed.ended').waitFor();
  await agreed.waitFor({ state: 'detached' });
  await own.text('agreed.none').waitFor();
  await own.check('data-agreed');
  await own.leave();
  await far.leave();
});

it('before going somewhere one sees the own share, counters and sign-ins, afterwards what a hospital took while its line was cut, a stay day by day, and lets a second device in', async () => {
  const wallet = await Visitor.arrive(browser, { language: 'en' }, 'wallet');
  await join(wallet, at(2));
  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.cover').click();
  await wallet.page.getByText(/deductible met/).first().waitFor();
  await wallet.page.getByText(/ left$/).first().waitFor();
  await wallet.check('cover');
  await wallet.link('home.tile.plan').click();
  await wallet.button('plan.go').click();
  await wallet.text('plan.amount.missing').waitFor();
  await wallet.field('plan.amount').fill('800');
  await wallet.button('plan.go').click();
  await wallet.page.getByRole('heading', { name: wallet.t('plan.result') }).waitFor();
  await wallet.check('plan');
  await wallet.tab('tab.settings').click();
  await wallet.text('sessions.title').waitFor();
  await wallet.check('settings');
  await settlesAfterTheLine(wallet, at(2));
  await followsAStay(wallet, at(2));
  await letsASecondDeviceIn(browser, wallet, at(2).name);
  await wallet.leave();
});
