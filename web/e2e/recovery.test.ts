/** Every phone is lost: a guardian's code, a new phone that asks and waits, somebody who stops it, and the desk that finishes it. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { activation, findPerson, importPeople, numberOf, together } from './bureau.ts';
import { begin, deskPage, join, launch, PIN, shownCode, signDeskIn, Visitor, type Newcomer } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** Two whom the registry has just got. */
const [GRANDMOTHER, DAUGHTER] = [
  { name: '测试祖', number: numberOf(600) },
  { name: '测试女', number: numberOf(601) },
] as const;

/** Both are insured, and the desk has a code for each. */
async function enrolled(): Promise<[Newcomer, Newcomer]> {
  const year = new Date().getFullYear();
  const registry = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(registry, 'bureau', 'nav.objections');
  const head = ['name', 'number', 'scheme', 'from', 'to', 'person_classes'];
  const cover = ['310', `${year}-01-01`, `${year}-12-31`, 'active'];
  await importPeople(registry, [head, ...[GRANDMOTHER, DAUGHTER].map(({ name, number }) => [name, number, ...cover])]);
  await registry.leave();
  const clerk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(clerk, 'bureau', 'nav.objections', 'clerk');
  const known: Newcomer[] = [];
  for (const { name, number } of [GRANDMOTHER, DAUGHTER]) {
    await deskPage(clerk, 'nav.people');
    await findPerson(clerk, { name, number });
    const one = { name, number, activation: '', party: '' };
    known.push({ ...one, activation: await activation(clerk, one) });
  }
  await clerk.leave();
  return known as [Newcomer, Newcomer];
}

/** The rules of the region, by all who govern: as long as it waits, it is stopped in time. */
function rules(waiting_hours: number): void {
  const body = { region: 620100, rules: { guardians_min: 1, waiting_hours } };
  together('bureau', 'set_recovery_rules', body, [['finance', 'online'], ['insurer', 'online']]);
}

/** Names the one whose phone shows a code as a person who is trusted. */
async function trust(phone: Visitor, guardian: Visitor, name: string): Promise<void> {
  const code = await shownCode(guardian);
  await phone.tab('tab.home').click();
  await phone.link('home.tile.lock').click();
  await phone.field('guardian.code').fill(code);
  await phone.button('guardian.find').click();
  await phone.button('guardian.name').click();
  await phone.page.getByText(name).filter({ visible: true }).first().waitFor();
}

/** The guardian's phone gives a code for the one who trusts it. */
async function codeOf(guardian: Visitor, name: string): Promise<string> {
  await guardian.tab('tab.home').click();
  await guardian.link('home.tile.family').click();
  await guardian.button('recovery.help', { name }).click();
  await guardian.button('recovery.help.go').click();
  const code = await guardian.page.getByTestId('recovery-code').innerText();
  return code.replace(/\s/g, '');
}

async function writeWho(phone: Visitor, who: Pick<Newcomer, 'name' | 'number'>, code: string): Promise<void> {
  await phone.link('recover.title').click();
  await phone.field('join.name').fill(who.name);
  await phone.field('join.number').fill(who.number);
  await phone.field('recover.code').fill(code);
  await phone.button('join.next').click();
}

async function agree(guardian: Visitor): Promise<void> {
  await guardian.button('recovery.agree').click();
  await guardian.button('family.yes').click();
  await guardian.text('recovery.ready').waitFor();
}

it('a wallet comes back on a new phone, and whoever may stop it does so first', async () => {
  const [mother, daughter] = await enrolled();
  const lost = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'wallet');
  await join(lost, mother);
  const trusted = await Visitor.arrive(browser, { language: 'en' }, 'wallet');
  await join(trusted, daughter);

  // She is named as a person who is trusted, by the code on her phone.
  await trust(lost, trusted, daughter.name);

  // A code is asked for after a call; a wrong one says nothing about anybody.
  const given = await codeOf(trusted, mother.name);
  expect(given).toMatch(/^\d{10}$/);
  await trusted.check('recovery-code');
  await trusted.button('close').click();
  const found = await Visitor.arrive(browser, { language: 'de', passkeys: false }, 'wallet');
  await writeWho(found, mother, '0000000000');
  await found.page.getByRole('alert').first().waitFor();
  await found.check('recover-wrong');
  await found.field('recover.code').fill(given);
  await found.button('join.next').click();
  await found.field('join.pin.first').fill(PIN);
  await found.field('join.pin.again').fill(PIN);
  await found.button('join.next').click();
  await found.text('recover.stage.asked').waitFor();
  const digits = await found.page.getByTestId('digits').innerText();
  await found.check('recover-asked');

  // The lost phone says so at once, and the guardian's phone shows the same number.
  await lost.tab('tab.home').click();
  await lost.text('recovery.own').waitFor();
  await lost.check('home-recovery');
  await trusted.page.getByText(digits).waitFor();
  await trusted.check('family-recovery');
  await agree(trusted);
  await found.text('recover.stage.waiting').waitFor();
  await found.text('recover.until').waitFor();
  await found.check('recover-waiting');

  // The page may be closed meanwhile; the phone knows where it was.
  await found.page.reload();
  await found.text('recover.stage.waiting').waitFor();

  // The desk sees it, and cannot finish it yet; the lost phone, which was only mislaid, stops it.
  const desk = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections', 'clerk');
  await deskPage(desk, 'nav.people');
  await findPerson(desk, mother);
  await desk.page.getByText(begin(desk.t('person.recovery.waiting'))).waitFor();
  await desk.page.getByText(digits).waitFor();
  expect(await desk.button('act.go.complete_recovery').count()).toBe(0);
  await desk.check('desk-recovery-waiting');
  await lost.link('recovery.look').click();
  await lost.button('recovery.stop').click();
  await lost.button('family.yes').click();
  await lost.page.getByText(begin(lost.t('recovery.stopped'))).waitFor();
  await lost.check('lock-recovery-stopped');
  await desk.page.getByText(begin(desk.t('person.recovery.stopped'))).waitFor();
  await found.text('recover.over').waitFor();
  await found.check('recover-over');
  await found.context.close();

  // The other way round, where nothing waits: the desk finishes it with the document, and only the new phone counts.
  rules(0);
  await trust(trusted, lost, mother.name);
  const second = await codeOf(lost, daughter.name);
  const fresh = await Visitor.arrive(browser, { language: 'zh-Hant', size: 'large' }, 'wallet');
  await writeWho(fresh, daughter, second);
  await fresh.button('join.key.make').click();
  await fresh.text('recover.stage.asked').waitFor();
  await agree(lost);
  await fresh.text('recover.stage.ready').waitFor();
  await fresh.check('recover-ready');
  const shown = await fresh.page.getByTestId('digits').innerText();
  expect(shown).toMatch(/^\d{4}( \d{4}){4}$/);
  await deskPage(desk, 'nav.people');
  await findPerson(desk, daughter);
  await desk.button('act.go.complete_recovery').click();
  const dialog = desk.page.getByRole('dialog');
  await dialog.getByText(shown).waitFor();
  await dialog.getByLabel(desk.t('act.reason.asked_by_person')).check();
  await dialog.getByLabel(desk.t('act.number')).fill(mother.number);
  await dialog.getByRole('button', { name: desk.t('act.go.complete_recovery'), exact: true }).click();
  await dialog.locator('[aria-invalid=true]').waitFor();
  await desk.check('desk-recovery-other');
  await dialog.getByLabel(desk.t('act.number')).fill(daughter.number);
  await dialog.getByRole('button', { name: desk.t('act.go.complete_recovery'), exact: true }).click();
  await desk.text('act.done.complete_recovery').waitFor();
  await desk.check('desk-recovery-done');
  await fresh.text('recover.done').waitFor();
  await fresh.check('recover-done');
  await fresh.button('join.done.go').click();
  await fresh.link('home.tile.code').waitFor();
  await fresh.tab('tab.settings').click();
  await fresh.link('data.title').click();
  await fresh.text('data.desk.complete_recovery').waitFor();
  await fresh.check('data-recovery');

  // The old phone is told to begin anew: its key is no longer the person's.
  await trusted.page.reload();
  await trusted.button('welcome.signin').click();
  await trusted.page.getByRole('alert').first().waitFor();
  rules(48);
  await fresh.leave();
  await desk.leave();
  await lost.leave();
  await trusted.context.close();
});

it('in every language the page that asks says what is missing, and a desk helps whoever trusts nobody', async () => {
  for (const language of LANGUAGES) {
    const phone = await Visitor.arrive(browser, { language, width: 320 }, 'wallet');
    await phone.link('recover.title').click();
    await phone.button('join.next').click();
    await phone.text('recover.code.missing').waitFor();
    await phone.text('recover.nobody.lead').waitFor();
    await phone.check('recover');
    await phone.leave();
  }
});
