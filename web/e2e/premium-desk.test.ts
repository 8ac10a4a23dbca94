/** A premium season at the bureau's desk: figures, one person with the cause and its remedy, the list by file. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { byCommand, deskPage, idOf, launch, newcomer, signDeskIn, Visitor, type Newcomer } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const YEAR = new Date().getFullYear() + 1;
const SEASON = { region: 620100, scheme: 390, year: YEAR };

/** The desk at the page where somebody is looked up. */
async function openFind(desk: Visitor): Promise<void> {
  await desk.tab('nav.premiums').click();
  await desk.link('premiums.find').click();
  await desk.field('premiums.find.name').waitFor();
}

async function find(desk: Visitor, { name, number }: Pick<Newcomer, 'name' | 'number'>): Promise<void> {
  await desk.field('premiums.find.name').fill(name);
  await desk.field('premiums.find.number').fill(number);
  await desk.button('premiums.find.go').click();
}

/** A number of the table of figures: of all classes, in this column. */
const sumOf = async (desk: Visitor, column: number): Promise<number> =>
  Number((await desk.page.locator('tfoot td').nth(column).locator('strong').first().innerText()).replace(/\D/g, ''));

it('a season is seen with its figures, and a lock that another counter holds is ended for who stands here', async () => {
  const one = newcomer(22);
  const desk = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections');
  await deskPage(desk, 'nav.premiums');
  await desk.text('premiums.figures').waitFor();
  const due = await sumOf(desk, 0);
  expect(due).toBeGreaterThan(0);
  expect(await sumOf(desk, 2)).toBeGreaterThan(due);
  await desk.check('desk-premiums');
  const downloading = desk.page.waitForEvent('download');
  await desk.button('past.export').click();
  expect((await downloading).suggestedFilename()).toBe(`premiums-390-${YEAR}.csv`);

  await openFind(desk);
  await desk.button('premiums.find.go').click();
  await desk.text('premiums.find.number.missing').waitFor();
  await find(desk, { ...one, name: `${one.name}某` });
  await desk.page.getByRole('alert').waitFor();
  await desk.check('desk-premium-nobody');
  await find(desk, one);
  await desk.text('premiums.payable').waitFor();
  await desk.check('desk-premium-payable');

  byCommand('bank', 'lock_premium', { season: SEASON, person: idOf(one), payer: 'organisation:clinic-1', channel: 'bank' });
  await desk.button('premiums.find.go').click();
  await desk.button('premiums.lock.end').waitFor();
  await desk.page.getByText('示例银行').waitFor();
  await desk.check('desk-premium-locked');
  await desk.button('premiums.lock.end').click();
  await desk.check('desk-premium-lock-sure');
  await desk.page.getByRole('dialog').getByRole('button', { name: desk.t('premiums.lock.end') }).click();
  await desk.text('premiums.lock.done').waitFor();
  await desk.text('premiums.payable').waitFor();
  await desk.leave();
});

it('who works elsewhere is registered once that cover has ended, and pays nowhere before', async () => {
  const one = newcomer(1);
  const desk = await Visitor.arrive(browser, { language: 'de' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections');
  await openFind(desk);
  await find(desk, one);
  await desk.text('premiums.find.employee').waitFor();
  await desk.check('desk-premium-employee');
  // The record is sent to the tax side, and what stands in its way is the other cover.
  await desk.field('premiums.missed').fill('x');
  await desk.button('premiums.register.go').click();
  await desk.page.getByRole('alert').waitFor();
  await desk.field('premiums.missed').fill('0');
  await desk.button('premiums.register.go').click();
  await desk.page.getByText(desk.t('premiums.register.done').split('{')[0] ?? '').first().waitFor();
  await desk.text('premiums.payable').waitFor();

  // The employer insures the person for the next year as well: two covers cannot be.
  const period = { from: `${YEAR}-01-01`, to: `${YEAR}-12-31` };
  const facts = { period, age: { from: 45, below: 50 }, sex: 'female', person_classes: ['active'] };
  byCommand('bureau', 'enrol_coverage', { person: idOf(one), region: 620100, coverage: { scheme: 310, period, facts } });
  await desk.button('premiums.find.go').click();
  await desk.text('premiums.cover.inTheWay').waitFor();
  await desk.check('desk-premium-elsewhere');
  await desk.page.getByRole('button', { name: desk.t('premiums.cover.end', { scheme: desk.t('scheme.310') }) }).click();
  const dialog = desk.page.getByRole('dialog');
  expect(await dialog.getByLabel(desk.t('premiums.cover.last')).inputValue()).toBe(`${YEAR - 1}-12-31`);
  await dialog.getByLabel(desk.t('premiums.cover.last')).fill('');
  await dialog.locator('button[type=submit]').click();
  await desk.check('desk-premium-cover-sure');
  await dialog.getByLabel(desk.t('premiums.cover.last')).fill(`${YEAR - 1}-12-31`);
  await dialog.locator('button[type=submit]').click();
  await desk.text('premiums.payable').waitFor();
  await desk.check('desk-premium-moved');
  await desk.leave();
});

it('a list is read from a file; what is wrong says so in its line, and all others are registered', async () => {
  const [first, second, third] = [newcomer(21), newcomer(23), newcomer(25)] as const;
  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections');
  await deskPage(desk, 'nav.premiums');
  await desk.text('premiums.figures').waitFor();
  await desk.link('premiums.list').click();
  const downloading = desk.page.waitForEvent('download');
  await desk.button('premiums.list.template').click();
  expect((await downloading).suggestedFilename()).toBe('premiums.csv');
  const upload = async (rows: readonly string[]): Promise<void> => {
    const file = { name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(rows.join('\r\n')) };
    await desk.field('premiums.list.file').setInputFiles(file);
  };
  await upload(['姓名,证件号码', `${first.name},${first.number}`]);
  await desk.page.getByText(desk.t('premiums.list.head', { column: 'class' })).waitFor();
  await upload([
    '姓名,证件号码,缴费类别,断缴年数,人员身份',
    `${first.name},${first.number.toLowerCase()},subsidised,,low_income`,
    `${second.name},${second.number},full,1,`,
    `${first.name},${first.number},full,,`,
    `${third.name}某,${third.number},full,,`,
    `${third.name},${third.number},rich,,`,
  ]);
  await desk.button('premiums.list.register.other').waitFor();
  await desk.page.getByText(desk.t('premiums.list.twice', { line: '2' })).waitFor();
  // The number of a line that is wrong is free for another one, which has a fault of its own.
  await desk.page.getByText(/no such class.*rich/i).waitFor();
  await desk.check('desk-premium-list');
  await desk.page.getByRole('button', { name: desk.t('premiums.list.register.other', { count: '2' }) }).click();
  await desk.page.getByText(desk.t('premiums.list.done.other', { count: '2' })).waitFor();
  await desk.check('desk-premium-list-done');
  const results = desk.page.waitForEvent('download');
  await desk.button('premiums.list.export').click();
  expect((await results).suggestedFilename()).toBe(`premiums-390-${YEAR}-results.csv`);

  // What was registered stands there, in the class of the list.
  await openFind(desk);
  await find(desk, first);
  await desk.page.getByText(desk.t('premiums.class.subsidised')).first().waitFor();
  await desk.leave();
});

it('only a key that attests registers, and that is said', async () => {
  const desk = await Visitor.arrive(browser, { language: 'zh-Hant' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections', 'clerk');
  await deskPage(desk, 'nav.premiums');
  await desk.text('premiums.figures').waitFor();
  await desk.link('premiums.list').click();
  const one = newcomer(21);
  const file = { name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(`name,number,class\n${one.name},${one.number},full`) };
  await desk.field('premiums.list.file').setInputFiles(file);
  await desk.text('premiums.scope').waitFor();
  await desk.check('desk-premium-list-scope');
  await desk.leave();
});

it('the pages are whole in every language, and used by keyboard alone', async () => {
  const one = newcomer(22);
  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections');
  for (const language of LANGUAGES) {
    await desk.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await desk.page.reload();
    for (const path of ['', '/find', '/list']) {
      await desk.page.evaluate((to) => void (location.hash = to), `#/premiums/390-${YEAR}${path}`);
      await desk.page.locator('main h2, main form').first().waitFor();
      await desk.check(`desk-premiums${path.replace('/', '-')}-${language}`);
    }
  }
  await desk.page.evaluate(() => localStorage.setItem('yibao.language', 'en'));
  await desk.page.reload();
  await openFind(desk);
  const { keyboard } = desk.page;
  await desk.field('premiums.find.name').focus();
  await keyboard.type(one.name);
  await keyboard.press('Tab');
  await keyboard.type(one.number);
  await keyboard.press('Enter');
  await desk.text('premiums.payable').waitFor();
  await desk.leave();
});
