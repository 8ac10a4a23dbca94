/**
 * A bill from Japan in yen: a rate is published, claimed from the phone in yen, computed at the desk with the
 * rate in the why, paid out; then a line is taken out at the same rate, and what came back is noted.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { confirmWithPin, deskPage, join, launch, newcomer, signDeskIn, Visitor } from './kit.ts';
import { photograph } from './photograph.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const daysAgo = (days: number): string => new Date(Date.now() + 8 * 3_600_000 - days * 86_400_000).toISOString().slice(0, 10);
/** A day of which the demonstration has no rate yet. */
const DAY = daysAgo(20);
const BILL = `item_code,name,quantity,unit_price,amount
ZJ001,初診料,1,,3000
XY003,アトルバスタチン,1,,9000
`;

it('a bill in yen is converted by the rate of its day, paid out, and corrected at the same rate', async () => {
  const finance = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(finance, 'finance', 'nav.plans');
  await deskPage(finance, 'nav.rates');
  await finance.text('rates.one').waitFor();
  await finance.button('rates.publish').click();
  await finance.text('rates.fault').waitFor();
  const table = `day,currency,per,price,source,correction\n${DAY},JPY,100,4.8123,示例中间价,\n${DAY},JPY,100,4.9,示例中间价,\n${DAY},JPY,3,4.9,示例中间价,\n`;
  await finance.field('rates.many.file').setInputFiles({ name: 'rates.csv', mimeType: 'text/csv', buffer: Buffer.from(table) });
  // One line is published, one is refused because the day has a rate, one says none.
  await finance.page.getByText(`${finance.t('rates.line', { line: '2' })}: ${finance.t('rates.line.done')}`).waitFor();
  await finance.page.getByText(`${finance.t('rates.line', { line: '4' })}: ${finance.t('rates.line.wrong')}`).waitFor();
  await finance.check('desk-rates');
  await finance.leave();

  const one = newcomer(26);
  const wallet = await Visitor.arrive(browser, { language: 'zh-Hans', passkeys: false }, 'wallet');
  await join(wallet, one);
  await wallet.link('home.tile.claims').click();
  await wallet.link('claims.new').click();
  await wallet.field('claim.provider').fill('東京中央病院');
  await wallet.field('claim.from').fill(DAY);
  await wallet.button('child.next').click();
  await wallet.field('claim.currency').selectOption('JPY');
  await wallet.field('claim.issuer').fill('東京中央病院');
  await wallet.field('claim.number').fill('2026-001');
  const total = wallet.page.getByLabel(/日元/);
  await total.fill('12000.50');
  await wallet.button('child.next').click();
  await wallet.text('claim.total.missing.whole').waitFor();
  await total.fill('12000');
  await wallet.check('claim-yen-invoices');
  await wallet.button('child.next').click();
  const buffer = await photograph(wallet, ['領収書（演習）', '東京中央病院', `氏名：${one.name}`, '合計：12,000円']);
  await wallet.field('child.documents.add').setInputFiles({ name: 'receipt.png', mimeType: 'image/png', buffer });
  await wallet.page.getByRole('img').first().waitFor();
  await wallet.check('claim-yen-photographs');
  await wallet.button('claim.send').click();
  await confirmWithPin(wallet);
  await wallet.link('claim.done.see').click();
  await wallet.text('claim.waiting').waitFor();

  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.past', 'clerk');
  await deskPage(desk, 'nav.claims');
  await desk.page.getByRole('main').getByRole('link').filter({ hasText: one.name }).click();
  await desk.field('visit.type').selectOption('emergency');
  await desk.field('claim.place').fill('392');
  await desk.page.getByText(desk.t('bill.upload'), { exact: true }).click();
  await desk.field('bill.upload.text').fill(BILL);
  await desk.button('bill.upload.go').click();
  await desk.button('bill.quote').click();
  await desk.text('converted.title').waitFor();
  await desk.check('desk-claim-yen');
  const main = desk.page.getByRole('main');
  expect(await main.textContent()).toContain('577.48');
  await desk.button('claim.accept').click();
  await desk.text('claim.payout.done').waitFor();

  await wallet.text('claim.paid').waitFor();
  await wallet.text('converted.title').waitFor();
  await wallet.page.getByText(wallet.t('bill.why'), { exact: true }).click();
  const why = (): Promise<string | null> => wallet.page.getByRole('main').textContent();
  expect(await why()).toContain(`12,000日元，按${DAY}的汇率（100日元折4.8123元）折合577.48元`);
  for (const language of LANGUAGES) {
    await wallet.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await wallet.page.reload();
    await wallet.page.locator('summary').first().click();
    await wallet.check(`claim-yen-paid-${language}`);
    expect(await why()).toMatch(/4[.,]8123/);
  }
  await wallet.page.evaluate(() => localStorage.setItem('yibao.language', 'zh-Hans'));
  await wallet.page.reload();

  // The hospital took the medicine back: 3,000 yen remain, at the rate of that day.
  await desk.text('claim.correct').click();
  await desk.page.getByRole('button', { name: desk.t('bill.remove', { line: '2' }) }).click();
  await desk.page.getByText(desk.t('claim.correct.reason.given_back_by_provider'), { exact: true }).click();
  await desk.button('bill.quote').click();
  await desk.button('claim.correct.go').waitFor();
  expect(await main.textContent()).toContain('144.37');
  await desk.check('desk-claim-yen-correction');
  await desk.button('claim.correct.go').click();
  await desk.field('claim.owedBack.amount').waitFor();
  await wallet.page.getByText(/请退回/).first().waitFor();
  await wallet.check('claim-yen-owed');
  await desk.button('claim.owedBack.note').click();
  await desk.text('claim.owedBack.reference.missing').waitFor();
  await desk.field('claim.owedBack.amount').fill('0.01');
  await desk.field('claim.owedBack.reference').fill('IN-1');
  await desk.button('claim.owedBack.note').click();
  await desk.page.waitForFunction(() => (document.querySelector('main')?.textContent ?? '').length > 0);
  await desk.check('desk-claim-yen-owed');
  await desk.leave();
  await wallet.leave();
});
