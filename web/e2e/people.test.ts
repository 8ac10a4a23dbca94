/** People at the bureau's desk: found, given a wallet, locked and unlocked, a lost phone replaced, an account closed. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { activation, child, findPerson as find } from './bureau.ts';
import { begin, deskPage, enter, idOf, join, launch, receive, shownCode, signDeskIn, url, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** The dialog that asks why. */
const dialog = (desk: Visitor) => desk.page.getByRole('dialog');

/** The desk does something; its dialog is open. */
async function confirm(desk: Visitor, kind: string, reason: string): Promise<void> {
  await dialog(desk).getByLabel(desk.t(`act.reason.${reason}`)).check();
  await dialog(desk).getByRole('button', { name: desk.t(`act.go.${kind}`), exact: true }).click();
}

it('a lost phone: locked on a call, unlocked with the document, and opened anew with a code', async () => {
  const [one, other] = [child(-1), child(-2)];
  const desk = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections', 'clerk');
  await deskPage(desk, 'nav.people');
  await desk.button('premiums.find.go').click();
  await desk.text('premiums.find.number.missing').waitFor();
  await desk.check('desk-people');
  await find(desk, { ...one, name: `${one.name}某` });
  await desk.page.getByRole('alert').waitFor();
  await find(desk, one);
  await desk.text('person.keys.none').waitFor();

  // Without a device, the desk gives a code; with it and the document the person joins.
  await desk.button('person.activation.go').click();
  await desk.text('premiums.find.number.missing').waitFor();
  const code = await activation(desk, one);
  const phone = await Visitor.arrive(browser, { language: 'zh-Hans', passkeys: false }, 'wallet');
  await join(phone, { ...one, activation: code });
  await desk.text('person.key.device').waitFor();
  await desk.check('desk-person');

  // Locked: a reason is needed, and another one than those in the list is said in words.
  await desk.button('act.go.lock_person').click();
  await dialog(desk).getByRole('button', { name: desk.t('act.go.lock_person'), exact: true }).click();
  await dialog(desk).getByText(desk.t('act.reason.missing')).waitFor();
  await confirm(desk, 'lock_person', 'other');
  await dialog(desk).getByText(desk.t('act.words.missing')).waitFor();
  await desk.check('desk-person-lock');
  await dialog(desk).getByLabel(desk.t('act.words'), { exact: true }).fill('电话报失，已核对姓名和号码');
  await confirm(desk, 'lock_person', 'phone_lost');
  await desk.text('person.locked').waitFor();
  await desk.page.getByText('示例市医疗保障事务中心').first().waitFor();
  await desk.check('desk-person-locked');
  await phone.page.getByText(phone.t('home.locked')).first().waitFor();

  // The person reads who did it, and why.
  await phone.tab('tab.settings').click();
  await phone.link('data.title').click();
  await phone.page.getByText('电话报失，已核对姓名和号码').waitFor();
  await phone.check('data-desk-acts');

  // No code for a new phone while one is there, and no new one while it is locked.
  await desk.button('person.key.revoke', { number: '1' }).click();
  await dialog(desk).getByRole('button', { name: desk.t('cancel') }).click();
  await desk.button('person.key.revoke', { number: '1' }).click();
  await confirm(desk, 'revoke_person_key', 'phone_lost');
  await desk.text('person.activation.locked').waitFor();

  // Unlocked for nobody else than the one on the document.
  await desk.button('act.go.unlock_person').click();
  await confirm(desk, 'unlock_person', 'resolved');
  await dialog(desk).getByText(desk.t('premiums.find.number.missing')).waitFor();
  await dialog(desk).getByLabel(desk.t('act.number')).fill(other.number);
  await confirm(desk, 'unlock_person', 'resolved');
  await dialog(desk).locator('[aria-invalid=true]').waitFor();
  await desk.check('desk-person-unlock-wrong');
  await dialog(desk).getByLabel(desk.t('act.number')).fill(one.number);
  await confirm(desk, 'unlock_person', 'resolved');
  await desk.text('act.done.unlock_person').waitFor();
  await desk.button('act.go.lock_person').waitFor();

  const again = await activation(desk, one);
  expect(again).not.toBe(code);
  await desk.check('desk-person-activation');

  // The phone is found again. It forgets its key, and the code that went with it.
  await phone.page.goto(url);
  await phone.button('welcome.other').click();
  await phone.button('welcome.other.yes').click();
  await phone.link('welcome.join').click();
  await phone.field('join.name').fill(one.name);
  await phone.field('join.number').fill(one.number);
  await phone.field('join.activation').fill(code);
  await phone.button('join.next').click();
  await phone.page.getByRole('alert').waitFor();
  await phone.page.goto(url);
  await enter(phone, { ...one, activation: again });
  await desk.text('person.key.device').waitFor();

  // Its new code is known at a hospital; the old one went with the key.
  const hospital = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(hospital, 'hospital-1');
  await receive(hospital, await shownCode(phone), one.name);
  for (const visitor of [phone, hospital, desk]) await visitor.leave();
});

it('an account is closed by the registration office with the document, and says what stays', async () => {
  const one = child(-3);
  const desk = await Visitor.arrive(browser, { language: 'de' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections', 'clerk');
  await deskPage(desk, 'nav.people');
  await find(desk, one);
  await desk.button('person.close.go').click();
  await dialog(desk).getByLabel(desk.t('act.number')).fill(one.number);
  await confirm(desk, 'close_person', 'death');
  await dialog(desk).getByText(desk.t('act.scope.attest')).waitFor();
  await desk.check('desk-person-close-scope');
  await desk.leave();

  const office = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(office, 'bureau', 'nav.objections');
  await deskPage(office, 'nav.people');
  await find(office, one);
  await office.button('person.close.go').click();
  const last = dialog(office).getByLabel(office.t('person.close.last'));
  await last.fill(`${new Date().getFullYear() + 1}-01-01`);
  await dialog(office).getByLabel(office.t('act.number')).fill(one.number);
  await confirm(office, 'close_person', 'left_for_good');
  await dialog(office).getByText(office.t('person.close.last.fault')).waitFor();
  await office.check('desk-person-close');
  await last.fill(`${new Date().getFullYear()}-01-01`);
  await confirm(office, 'close_person', 'left_for_good');
  await office.text('person.closed').waitFor();
  await office.page.getByText(begin(office.t('person.closed.lead'))).waitFor();
  expect(await office.button('act.go.lock_person').count()).toBe(0);
  await office.check('desk-person-closed');
  await office.leave();

  // Nobody opens a wallet in that name any more.
  const phone = await Visitor.arrive(browser, { language: 'en' }, 'wallet');
  await phone.link('welcome.join').click();
  await phone.field('join.name').fill(one.name);
  await phone.field('join.number').fill(one.number);
  await phone.field('join.activation').fill(one.activation);
  await phone.button('join.next').click();
  await phone.page.getByRole('alert').waitFor();
  await phone.leave();
});

it('the pages are whole in every language, and used by keyboard alone', async () => {
  const one = child(-4);
  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections', 'clerk');
  for (const language of LANGUAGES) {
    await desk.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await desk.page.reload();
    await desk.page.evaluate((to) => void (location.hash = to), `#/people/${idOf(one)}`);
    await desk.page.locator('main h2').first().waitFor();
    await desk.check(`desk-person-${language}`);
  }
  await desk.page.evaluate(() => localStorage.setItem('yibao.language', 'en'));
  await desk.page.reload();
  // On a narrow screen with large type, too.
  await desk.page.setViewportSize({ width: 320, height: 844 });
  await desk.page.evaluate(() => (document.documentElement.dataset.size = 'large'));
  for (const path of ['/people', '/people/import', `/people/${idOf(one)}`, '/contests']) {
    await desk.page.evaluate((to) => void (location.hash = to), path);
    await desk.page.locator('main h1').waitFor();
    await desk.check(`desk-narrow${path.replaceAll('/', '-').slice(0, 15)}`);
  }
  await desk.page.setViewportSize({ width: 1280, height: 844 });
  await desk.page.reload();
  await deskPage(desk, 'nav.people');
  const { keyboard } = desk.page;
  await desk.field('premiums.find.name').focus();
  await keyboard.type(one.name);
  await keyboard.press('Tab');
  await keyboard.type(one.number);
  await keyboard.press('Enter');
  await desk.button('act.go.lock_person').waitFor();
  await desk.button('act.go.lock_person').focus();
  await keyboard.press('Enter');
  await dialog(desk).waitFor();
  await dialog(desk).getByRole('radio').first().focus();
  await keyboard.press('Space');
  await keyboard.press('Tab');
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await desk.text('person.locked').waitFor();
  await desk.leave();
});
