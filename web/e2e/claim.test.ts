/**
 * A bill that was paid in full: claimed from the phone, refused with a reason, claimed again, computed
 * and accepted at the bureau's desk, paid out to the card; and the same invoice is never paid twice. Then a bill
 * from Japan in yen: a rate is published, the claim computed with the rate in the why, paid out; a line is taken
 * out at the same rate, and what came back is noted.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { BILL, confirmWithPin, deskPage, join, launch, newcomer, signDeskIn, Visitor } from './kit.ts';
import { photograph } from './photograph.ts';

let browser: Browser;
let wallet: Visitor;
const one = newcomer(24);
beforeAll(async () => {
  browser = await launch();
  wallet = await Visitor.arrive(browser, { language: 'zh-Hans', passkeys: false }, 'wallet');
  await join(wallet, one);
});
afterAll(async () => {
  await wallet.leave();
  await browser.close();
});

/** Yesterday in the region: care that is over. */
const DAY = new Date(Date.now() + 8 * 3_600_000 - 24 * 3_600_000).toISOString().slice(0, 10);
const CODE = '62060121';
const NUMBER = '0007312845';

async function writeClaim(wallet: Visitor, number: string, pages: readonly Buffer[], look = false): Promise<void> {
  const seen = async (name: string): Promise<void> => {
    if (look) await wallet.check(name);
  };
  await wallet.field('claim.provider').fill('西宁市急救中心');
  await wallet.field('claim.from').fill(DAY);
  await seen('claim-care');
  await wallet.button('child.next').click();
  await wallet.field('claim.issuer').fill(CODE);
  await wallet.field('claim.number').fill(number);
  await wallet.field('claim.total', { currency: '人民币' }).fill('87.20');
  await seen('claim-invoices');
  await wallet.button('child.next').click();
  for (const [at, buffer] of pages.entries()) {
    const file = { name: `invoice-${at + 1}.png`, mimeType: 'image/png', buffer };
    await wallet.field(at === 0 ? 'child.documents.add' : 'child.documents.more').setInputFiles(file);
    await wallet.page.getByRole('img', { name: wallet.t('child.documents.number', { number: String(at + 1) }) }).waitFor();
  }
}

const send = async (wallet: Visitor): Promise<void> => {
  await wallet.button('claim.send').click();
  await confirmWithPin(wallet);
};

it('a bill paid in full is claimed, refused, claimed again, paid out once, and its invoice is used for ever', async () => {
  await wallet.link('home.tile.claims').click();
  await wallet.text('claims.none').waitFor();
  await wallet.check('claims-none');
  await wallet.link('claims.new').click();
  await wallet.field('claim.provider').waitFor();

  // What is missing is said where it is missing.
  await wallet.button('child.next').click();
  await wallet.text('claim.provider.missing').waitFor();
  await wallet.check('claim-care-faults');
  const invoice = await photograph(wallet, ['医疗门诊收费票据（演练）', `票据代码：${CODE}`, `票据号码：${NUMBER}`, `交款人：${one.name}`, '合计：87.20元']);
  await writeClaim(wallet, NUMBER, [], true);
  await wallet.button('claim.send').click();
  await wallet.text('child.documents.missing').waitFor();
  const file = { name: 'invoice.png', mimeType: 'image/png', buffer: invoice };
  await wallet.field('child.documents.add').setInputFiles(file);
  await wallet.page.getByRole('img').first().waitFor();
  await wallet.field('claim.words').fill('旅途中急诊，医院系统故障，只能全额自费。');
  await wallet.check('claim-photographs');
  await send(wallet);
  await wallet.text('claim.done').waitFor();
  await wallet.check('claim-done');
  await wallet.link('claim.done.see').click();
  await wallet.text('claim.waiting').waitFor();
  await wallet.check('claim-waiting');

  // While it waits, the same invoice gets into no other claim, however its number is written.
  await wallet.page.getByRole('link', { name: wallet.t('claims.title') }).first().click();
  await wallet.link('claims.new').click();
  await writeClaim(wallet, `０００-731 2845`, [invoice]);
  await send(wallet);
  await wallet.page.getByRole('alert').waitFor();
  await wallet.check('claim-claimed');
  await wallet.page.getByRole('link', { name: wallet.t('claims.title') }).first().click();
  await wallet.page.locator('main li a').first().click();
  await wallet.text('claim.waiting').waitFor();

  // The machine's key of the bureau opens no photographs; a clerk's does.
  const machine = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(machine, 'bureau', 'nav.past');
  await deskPage(machine, 'nav.claims');
  await machine.text('applications.clerk').waitFor();
  await machine.leave();
  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.past', 'clerk');
  await deskPage(desk, 'nav.claims');
  await desk.check('desk-claims');
  const row = desk.page.getByRole('main').getByRole('link').filter({ hasText: one.name });
  await row.click();
  const picture = desk.page.getByRole('img', { name: desk.t('application.document', { number: '1' }) });
  await picture.waitFor();
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1800);
  await desk.check('desk-claim');
  await desk.button('claim.refuse').click();
  await desk.text('application.refuse.missing').waitFor();
  await desk.page.getByText(desk.t('claim.reason.documents_missing'), { exact: true }).click();
  await desk.button('claim.refuse').click();
  await desk.text('claim.done.refused').waitFor();

  // The phone hears of it, with what to do; the invoice is free.
  await wallet.text('claim.refused.documents_missing').waitFor();
  await wallet.check('claim-refused');
  await wallet.link('claim.again').click();
  const list = await photograph(wallet, ['费用清单（演练）', ...BILL.trim().split('\n').slice(1)]);
  await writeClaim(wallet, NUMBER, [invoice, list]);
  await send(wallet);
  await wallet.link('claim.done.see').click();
  await wallet.text('claim.waiting').waitFor();

  await desk.link('claims.title').last().click();
  await row.click();
  await desk.page.getByRole('img').nth(1).waitFor();
  // The insurance pays for emergencies wherever they were.
  await desk.field('visit.type').selectOption('emergency');
  await desk.button('bill.quote').click();
  await desk.text('bill.empty').waitFor();
  await desk.page.getByText(desk.t('bill.upload'), { exact: true }).click();
  await desk.field('bill.upload.text').fill(BILL);
  await desk.button('bill.upload.go').click();
  await desk.field('claim.total', { number: '1' }).fill('88.00');
  await desk.button('bill.quote').click();
  await desk.text('claim.difference').waitFor();
  await desk.field('claim.total', { number: '1' }).fill('87.20');
  await desk.text('quote.stale').waitFor();
  await desk.button('bill.quote').click();
  await desk.button('claim.accept').waitFor();
  await desk.check('desk-claim-quote');
  await desk.button('claim.accept').click();
  await desk.text('claim.done.accepted').waitFor();
  await desk.text('claim.payout.done').waitFor();
  await desk.check('desk-claim-accepted');

  await wallet.text('claim.paid').waitFor();
  await wallet.page.getByText(wallet.t('bill.why'), { exact: true }).click();
  await wallet.check('claim-paid');

  // Paid for once.
  await wallet.page.getByRole('link', { name: wallet.t('claims.title') }).first().click();
  await wallet.page.locator('main li a').nth(1).waitFor();
  await wallet.check('claims');
  await wallet.link('claims.new').click();
  await writeClaim(wallet, NUMBER, [invoice]);
  await send(wallet);
  await wallet.page.getByRole('alert').waitFor();
  await wallet.check('claim-used');
  await desk.leave();
});

/** A day of which the demonstration has no rate yet. */
const ABROAD_DAY = new Date(Date.now() + 8 * 3_600_000 - 20 * 86_400_000).toISOString().slice(0, 10);
const YEN_BILL = `item_code,name,quantity,unit_price,amount
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
  const table = `day,currency,per,price,source,correction\n${ABROAD_DAY},JPY,100,4.8123,示例中间价,\n${ABROAD_DAY},JPY,100,4.9,示例中间价,\n${ABROAD_DAY},JPY,3,4.9,示例中间价,\n`;
  await finance.field('rates.many.file').setInputFiles({ name: 'rates.csv', mimeType: 'text/csv', buffer: Buffer.from(table) });
  // One line is published, one is refused because the day has a rate, one says none.
  await finance.page.getByText(`${finance.t('rates.line', { line: '2' })}: ${finance.t('rates.line.done')}`).waitFor();
  await finance.page.getByText(`${finance.t('rates.line', { line: '4' })}: ${finance.t('rates.line.wrong')}`).waitFor();
  await finance.check('desk-rates');
  await finance.leave();

  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.claims').click();
  await wallet.link('claims.new').click();
  await wallet.field('claim.provider').fill('東京中央病院');
  await wallet.field('claim.from').fill(ABROAD_DAY);
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
  await desk.page.getByRole('main').getByRole('link').filter({ hasText: one.name }).first().click();
  await desk.field('visit.type').selectOption('emergency');
  await desk.field('claim.place').fill('392');
  await desk.page.getByText(desk.t('bill.upload'), { exact: true }).click();
  await desk.field('bill.upload.text').fill(YEN_BILL);
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
  expect(await why()).toContain(`12,000日元，按${ABROAD_DAY}的汇率（100日元折4.8123元）折合577.48元`);
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
});
