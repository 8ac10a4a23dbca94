/** A settlement that organisations alone agreed to: contested on the phone, decided at the bureau's desk. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { activation, child, findPerson, settleWithoutAsking, type Consent } from './bureau.ts';
import { deskPage, idOf, join, launch, loaded, signDeskIn, Visitor, type Device, type Newcomer } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const BILL_LINES = [
  ['ZJ001', '普通门诊诊查费', '1', '15.00', '15.00'],
  ['XY001', '苯磺酸氨氯地平片 5mg×28片', '1', '18.60', '18.60'],
] as const;

/** An outpatient visit of a child. */
const settleFor = (hospital: Visitor, patient: Newcomer, consent: Consent): Promise<string> =>
  settleWithoutAsking(hospital, { person: idOf(patient), scheme: 390, visit_type: 'outpatient' }, BILL_LINES, consent);

/** Somebody who has joined, with a code from the bureau's desk. */
async function patient(clerk: Visitor, one: Newcomer, device: Device): Promise<Visitor> {
  await deskPage(clerk, 'nav.people');
  await findPerson(clerk, one);
  const code = await activation(clerk, one);
  const phone = await Visitor.arrive(browser, device, 'wallet');
  await join(phone, { ...one, activation: code });
  return phone;
}

/** The newest visit of the history. */
async function openNewest(phone: Visitor): Promise<void> {
  await phone.tab('tab.history').click();
  await phone.page.locator('main a[href^="#/visits/"]').first().click();
}

it('who was not asked says so on the phone, and the bureau gives all of it back', async () => {
  const one = child(2);
  const clerk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(clerk, 'bureau', 'nav.objections', 'clerk');
  const phone = await patient(clerk, one, { language: 'zh-Hans', passkeys: false });
  const hospital = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(hospital, 'hospital-1');
  await settleFor(hospital, one, { form: 'identity_card' });
  await openNewest(phone);
  await phone.text('contest.by.identity_card').waitFor();
  await phone.check('visit-contestable');
  await phone.link('contest.title').click();
  await phone.button('contest.send').click();
  await phone.text('refund.reason.missing').waitFor();
  await phone.page.getByLabel(phone.t('contest.reason.other')).check();
  await phone.button('contest.send').click();
  await phone.text('refund.words.missing').waitFor();
  await phone.page.getByLabel(phone.t('contest.reason.not_me')).check();
  await phone.field('refund.words').fill('那天我在学校');
  await phone.check('contest');
  await phone.button('contest.send').click();
  const pin = phone.field('pin.field');
  await pin.fill('830274');
  await phone.button('pin.go').click();
  await phone.text('contest.state.waiting').waitFor();
  await phone.check('visit-contested');

  // A clerk's key sees the worklist and does not decide.
  await deskPage(clerk, 'nav.contests');
  await clerk.page.getByText(one.name).waitFor();
  await clerk.check('desk-contests');
  await clerk.page.getByText(one.name).click();
  await clerk.button('contest.decide.go').click();
  await clerk.text('contest.decide.missing').waitFor();
  await clerk.page.getByLabel(clerk.t('contest.decide.upheld')).check();
  await clerk.field('contest.why').fill('照片不是本人');
  await clerk.button('contest.decide.go').click();
  await clerk.text('contest.scope').waitFor();
  await clerk.check('desk-contest-scope');
  await clerk.leave();

  const bureau = await Visitor.arrive(browser, { language: 'de' }, 'desks');
  await signDeskIn(bureau, 'bureau', 'nav.objections');
  await deskPage(bureau, 'nav.contests');
  await bureau.page.getByText(one.name).click();
  await bureau.page.getByText('那天我在学校').waitFor();
  await bureau.page.getByLabel(bureau.t('contest.decide.upheld')).check();
  await bureau.button('contest.decide.go').click();
  await bureau.text('objection.why.missing').waitFor();
  await bureau.check('desk-contest');
  await bureau.field('contest.why').fill('照片不是本人，医院核对有误');
  // The line is cut when it is done: going on decides nothing twice.
  await bureau.page.route('**/decisions', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await bureau.button('contest.decide.go').click();
  await bureau.page.getByRole('alert').waitFor();
  bureau.forgiveLostConnection();
  await bureau.page.unroute('**/decisions');
  await bureau.button('contest.decide.go').click();
  await bureau.text('contest.done.upheld').waitFor();
  await bureau.check('desk-contest-upheld');
  await deskPage(bureau, 'nav.contests');
  // The page of the one contest has the name as well: first it has to be gone.
  await bureau.page.locator('h1').filter({ hasText: bureau.t('contests.title') }).waitFor();
  await loaded(bureau.page);
  expect(await bureau.page.getByText(one.name).count()).toBe(0);
  await phone.text('contest.state.upheld').waitFor();
  await phone.page.getByText('照片不是本人，医院核对有误').waitFor();
  // Nothing is said of money that is no longer due.
  expect(await phone.page.getByText(phone.t('visit.cash.failed')).count()).toBe(0);
  await phone.check('visit-contest-upheld');
  for (const visitor of [phone, hospital, bureau]) await visitor.leave();
});

it('a consent that a witness gave stands where it was right, and is not contested twice', async () => {
  const one = child(3);
  const clerk = await Visitor.arrive(browser, { language: 'zh-Hant' }, 'desks');
  await signDeskIn(clerk, 'bureau', 'nav.objections', 'clerk');
  const phone = await patient(clerk, one, { language: 'de', size: 'large' });
  await clerk.leave();
  const hospital = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(hospital, 'hospital-1');
  const visit = await settleFor(hospital, one, { form: 'emergency_witness', reason: 'unconscious' });
  await openNewest(phone);
  await phone.text('contest.by.emergency_witness').waitFor();
  await phone.link('contest.title').click();
  await phone.page.getByLabel(phone.t('contest.reason.not_asked')).check();
  await phone.button('contest.send').click();
  await phone.text('contest.state.waiting').waitFor();

  const bureau = await Visitor.arrive(browser, { language: 'zh-Hant' }, 'desks');
  await signDeskIn(bureau, 'bureau', 'nav.objections');
  for (const language of LANGUAGES) {
    await bureau.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await bureau.page.reload();
    for (const path of ['', `/${visit}`]) {
      await bureau.page.evaluate((to) => void (location.hash = to), `#/contests${path}`);
      await bureau.page.getByText(one.name).first().waitFor();
      await bureau.check(`desk-contests${path && '-one'}-${language}`);
    }
  }
  // By keyboard alone: the second answer, the reasons, signed.
  const { keyboard } = bureau.page;
  await bureau.page.getByRole('radio').first().focus();
  await keyboard.press('Space');
  await keyboard.press('ArrowDown');
  await keyboard.press('Tab');
  await keyboard.type('送诊时昏迷，家属未到');
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await bureau.page.getByText('送诊时昏迷，家属未到').first().waitFor();
  await phone.text('contest.state.rejected').waitFor();
  expect(await phone.link('contest.title').count()).toBe(0);
  await phone.check('visit-contest-rejected');
  for (const visitor of [phone, hospital, bureau]) await visitor.leave();
});

it('who has no phone contests at the bureau\'s desk, which finds what may be contested and writes the words down', async () => {
  const one = child(1);
  const hospital = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(hospital, 'hospital-1');
  const visit = await settleFor(hospital, one, { form: 'identity_card' });
  await hospital.leave();
  const office = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(office, 'bureau', 'nav.objections');
  await deskPage(office, 'nav.people');
  await findPerson(office, one);
  // Care of the year before may be contested too; this is the newest.
  const contestable = (desk: Visitor) => desk.page.locator(`a[href$="/contests/${visit}"]`);
  await contestable(office).click();
  await office.button('contest.new.go').click();
  await office.text('act.reason.missing').waitFor();
  await office.page.getByLabel(office.t('contest.reason.other')).check();
  await office.text('act.words.missing').waitFor();
  await office.page.getByLabel(office.t('contest.reason.not_me')).check();
  // The registration office has no clerk's key.
  await office.button('contest.new.go').click();
  await office.text('act.scope.clerk').waitFor();
  await office.check('desk-contest-new-scope');
  await office.leave();

  const clerk = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(clerk, 'bureau', 'nav.objections', 'clerk');
  await deskPage(clerk, 'nav.people');
  await findPerson(clerk, one);
  await clerk.text('person.contestable').waitFor();
  await clerk.check('desk-person-contestable');
  const person = clerk.page.url();
  await contestable(clerk).click();
  for (const language of LANGUAGES) {
    await clerk.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await clerk.page.reload();
    await clerk.page.locator('textarea').waitFor();
    await clerk.check(`desk-contest-new-${language}`);
  }
  await clerk.page.evaluate(() => localStorage.setItem('yibao.language', 'zh-Hans'));
  await clerk.page.reload();
  await clerk.page.getByLabel(clerk.t('contest.reason.not_me')).check();
  await clerk.page.locator('textarea').fill('家属称当日孩子在外地');
  await clerk.button('contest.new.go').click();
  await clerk.page.waitForURL(new RegExp(`#/contests/${visit}$`));
  await clerk.page.getByText('家属称当日孩子在外地').waitFor();
  await clerk.page.goto(person);
  await clerk.text('person.contestable').waitFor();
  await loaded(clerk.page);
  expect(await contestable(clerk).count()).toBe(0);
  await clerk.leave();
});
