/** A child under sixteen: documents from the phone, a refusal with its reason, another try, a decision with its last day; then a visit. */
import { readFileSync } from 'node:fs';
import { join as joined } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { byCommand, confirmWithPin, data, deskPage, join, launch, newcomer, openVisit, seeing, signDeskIn, takeAtTill, Visitor, writeBill } from './kit.ts';
import { photograph } from './photograph.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** A made-up child of the region. */
function child(): { name: string; number: string } {
  const text = readFileSync(joined(data, 'family/children.toml'), 'utf8');
  const value = (key: string): string => new RegExp(`^${key} = "(.*)"$`, 'm').exec(text)?.[1] ?? '';
  return { name: value('name'), number: value('number') };
}

async function apply(wallet: Visitor, one: { name: string; number: string }, pages: readonly Buffer[]): Promise<void> {
  await wallet.field('child.name').fill(one.name);
  await wallet.field('join.number').fill(one.number);
  await wallet.button('child.next').click();
  for (const [at, buffer] of pages.entries()) {
    const file = { name: `page-${at + 1}.png`, mimeType: 'image/png', buffer };
    await wallet.field(at === 0 ? 'child.documents.add' : 'child.documents.more').setInputFiles(file);
    await wallet.page.getByRole('img', { name: wallet.t('child.documents.number', { number: String(at + 1) }) }).waitFor();
  }
}

it('a parent applies for a child, is refused with a reason, applies again, and may act for it until it is of age', async () => {
  const parent = newcomer(31);
  const one = child();
  const wallet = await Visitor.arrive(browser, { language: 'zh-Hans', passkeys: false, size: 'large' }, 'wallet');
  await join(wallet, parent);
  await wallet.link('home.tile.family').click();
  await wallet.link('child.title').click();
  await wallet.field('child.name').waitFor();
  await wallet.check('child-who');

  // What cannot be right is said at its field; a stranger's number finds nobody.
  await wallet.field('child.name').fill(one.name);
  await wallet.field('join.number').fill(`${one.number.slice(0, 17)}${one.number.endsWith('1') ? '2' : '1'}`);
  await wallet.button('child.next').click();
  await wallet.text('join.number.check').waitFor();
  await wallet.field('child.name').fill('张某');
  await wallet.field('join.number').fill(one.number);
  await wallet.button('child.next').click();
  await wallet.page.getByRole('alert').waitFor();
  await wallet.check('child-unknown');

  const page = await photograph(wallet, ['户口簿（演练）', `姓名：${one.name}`, '与户主关系：子', `户主：${parent.name}`]);
  await apply(wallet, one, []);
  await wallet.button('child.send').click();
  await wallet.text('child.documents.missing').waitFor();
  const text = { name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') };
  await wallet.field('child.documents.add').setInputFiles(text);
  await wallet.text('child.documents.unreadable').waitFor();
  await wallet.field('child.documents.add').setInputFiles({ name: 'page.png', mimeType: 'image/png', buffer: page });
  await wallet.page.getByRole('img').first().waitFor();
  await wallet.check('child-documents');
  await wallet.button('child.send').click();
  await confirmWithPin(wallet);
  await wallet.text('child.done.told').waitFor();
  await wallet.check('child-sent');
  await wallet.page.getByRole('main').getByRole('link', { name: wallet.t('home.tile.family'), exact: true }).last().click();
  await wallet.text('relatives.applied', { name: one.name }).waitFor();

  // The machine's key of the bureau opens no family's papers; a clerk's does.
  const machine = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(machine, 'bureau', 'nav.past');
  await deskPage(machine, 'nav.applications');
  await machine.text('applications.clerk').waitFor();
  await machine.leave();
  const desk = await Visitor.arrive(browser, { language: 'de' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.past', 'clerk');
  await deskPage(desk, 'nav.applications');
  await desk.check('desk-applications');
  const row = desk.page.getByRole('main').getByRole('link').filter({ hasText: one.name });
  await row.click();
  const picture = desk.page.getByRole('img', { name: desk.t('application.document', { number: '1' }) });
  await picture.waitFor();
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1800);
  await desk.button('application.refuse').click();
  await desk.text('application.refuse.missing').waitFor();
  await desk.page.getByText(desk.t('application.reason.relation_not_proven'), { exact: true }).click();
  await desk.check('desk-application');
  await desk.button('application.refuse').click();
  await desk.text('application.done.refused').waitFor();

  // The phone hears of it, with what to do.
  await wallet.text('relatives.refused.relation_not_proven').waitFor();
  await wallet.check('child-refused');
  await wallet.link('relatives.applyAgain').click();
  await wallet.field('child.name').waitFor();
  await apply(wallet, one, [page, await photograph(wallet, ['出生医学证明（演练）', `新生儿：${one.name}`, `母亲：${parent.name}`])]);
  await wallet.button('child.send').click();
  await confirmWithPin(wallet);
  await wallet.text('child.done.told').waitFor();
  await wallet.page.getByRole('main').getByRole('link', { name: wallet.t('home.tile.family'), exact: true }).last().click();
  await wallet.text('relatives.applied', { name: one.name }).waitFor();

  await desk.link('applications.title').last().click();
  await row.click();
  await desk.page.getByRole('img').nth(1).waitFor();
  const until = await desk.field('application.until').inputValue();
  expect(Number(until.slice(0, 4))).toBeGreaterThanOrEqual(new Date().getFullYear());
  const born = one.number.slice(6, 14);
  const ofAge = `${Number(born.slice(0, 4)) + 16}-${born.slice(4, 6)}-${born.slice(6)}`;
  expect(until < ofAge, `${until} before ${ofAge}`).toBe(true);
  await desk.field('application.until').fill(ofAge);
  await desk.button('application.agree').click();
  await desk.page.getByText(desk.t('application.until.late').split('{')[0] ?? '').waitFor();
  await desk.field('application.until').fill(until);
  await desk.button('application.agree').click();
  await desk.text('application.done.agreed').waitFor();
  await desk.check('desk-application-agreed');

  await wallet.button('relatives.unbind', { name: one.name }).waitFor();
  await wallet.text('relatives.until').waitFor();
  await wallet.check('child-bound');
  await desk.leave();

  // At the hospital: the parent's phone shows the child's code, gets the bill, and confirms it.
  await wallet.page.getByRole('link', { name: wallet.t('relatives.code', { name: one.name }) }).click();
  await wallet.text('code.of.lead', { name: one.name }).waitFor();
  const code = (await wallet.page.getByTestId('code').innerText()).replace(/\s/g, '');
  await wallet.check('child-code');
  const phone = await seeing(code);
  const hospital = await Visitor.arrive(phone.browser, { language: 'en' }, 'desks');
  await signDeskIn(hospital, 'hospital-1');
  await hospital.button('scan.start').click();
  await hospital.page.getByText(one.name).first().waitFor();
  await hospital.text('patient.proxy', { name: parent.name }).waitFor();
  await hospital.check('desk-child');
  await openVisit(hospital);
  await writeBill(hospital);
  // A relative's account would pay all of it.
  await hospital.field('bill.family').uncheck();
  await hospital.button('bill.quote').click();
  await takeAtTill(hospital);
  await hospital.button('send.go').click();
  await hospital.text('send.waiting').waitFor();
  await wallet.tab('tab.home').click();
  await wallet.link('home.waiting.open').click();
  await wallet.text('bill.acting.title', { name: one.name }).waitFor();
  await wallet.check('child-bill');
  await wallet.page.locator('.pay button').click();
  await confirmWithPin(wallet);
  await wallet.text('bill.acted.title', { name: one.name }).waitFor();
  await wallet.check('child-paid');
  await hospital.text('send.settled').waitFor();
  await hospital.leave();
  await phone.end();

  // A bill of the child's that was paid in full: whoever may act claims for the child.
  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.claims').click();
  await wallet.page.getByRole('link', { name: wallet.t('claims.for', { name: one.name }) }).click();
  await wallet.text('claims.none').waitFor();
  const id = /for=([0-9a-f]{32})/.exec(wallet.page.url())?.[1] ?? '';
  await wallet.check('child-claims');
  await wallet.link('claims.new').click();
  await wallet.page.getByRole('heading', { name: wallet.t('claims.newFor', { name: one.name }) }).waitFor();
  const yesterday = new Date(Date.now() + 8 * 3_600_000 - 24 * 3_600_000).toISOString().slice(0, 10);
  await wallet.field('claim.provider').fill('西宁市急救中心');
  await wallet.field('claim.from').fill(yesterday);
  await wallet.button('child.next').click();
  await wallet.field('claim.issuer').fill('62060121');
  await wallet.field('claim.number').fill('0031774402');
  await wallet.field('claim.total', { currency: '人民币' }).fill('58.40');
  await wallet.button('child.next').click();
  const invoice = await photograph(wallet, ['医疗门诊收费票据（演练）', `交款人：${one.name}`, '合计：58.40元']);
  await wallet.field('child.documents.add').setInputFiles({ name: 'invoice.png', mimeType: 'image/png', buffer: invoice });
  await wallet.page.getByRole('img').first().waitFor();
  await wallet.check('child-claim');
  await wallet.button('claim.send').click();
  await confirmWithPin(wallet);
  await wallet.link('claim.done.see').click();
  await wallet.text('claim.waiting').waitFor();
  await wallet.check('child-claim-waiting');
  await wallet.button('claim.withdraw').click();
  await confirmWithPin(wallet);
  await wallet.text('claim.withdrawn').waitFor();

  // Sixteen: once the bureau attests it, documents agree to nothing any more.
  const today = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
  const period = { from: today, to: `${today.slice(0, 4)}-12-31` };
  const facts = { period, age: { from: 16, below: 18 }, sex: 'unstated', person_classes: [] };
  byCommand('bureau', 'attest_facts', { person: id, region: 620100, scheme: 390, facts });
  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.family').click();
  await wallet.page.getByRole('link', { name: wallet.t('consent.open', { name: one.name }) }).click();
  await wallet.text('consent.ended', { name: one.name, age: '16' }).waitFor();
  await wallet.check('consent-ended');
  await wallet.button('relatives.askNow', { name: one.name }).click();
  await confirmWithPin(wallet);
  await wallet.text('relatives.sent', { name: one.name }).waitFor();
  await wallet.check('consent-asked');
  await wallet.leave();
});
