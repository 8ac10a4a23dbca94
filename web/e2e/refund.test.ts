/** Money that goes back: asked for on the phone and given, refused with the bureau, given at the desk. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { atTheDesk, begin, confirmWithPin, deskPage, launch, sendAndOpen, signDeskIn, takeAtTill, Visitor, type Both } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function pay({ wallet, desk }: Both): Promise<void> {
  await sendAndOpen({ wallet, desk });
  await wallet.button('bill.pay').click();
  await confirmWithPin(wallet);
  await wallet.text('visit.done.good').waitFor();
  await wallet.text('visit.cash.posted').waitFor();
}

it('a line is asked for on the phone, the desk gives it back, and both see what came of it', async () => {
  const both = await atTheDesk(browser, 16, { language: 'zh-Hans' }, { language: 'zh-Hans' });
  const { wallet, desk } = both;
  await pay(both);
  await wallet.link('visit.refund').click();
  await wallet.button('refund.ask').click();
  await wallet.text('refund.lines.missing').waitFor();
  await wallet.check('refund-faults');
  await wallet.page.getByLabel('阿托伐他汀钙片 20mg×28片').check();
  await wallet.field('reason.returned').check();
  await wallet.check('refund');
  await wallet.button('refund.ask').click();
  await wallet.text('refund.state.waiting').waitFor();
  await wallet.check('visit-asked');
  expect(await wallet.link('visit.refund').count()).toBe(0);

  await deskPage(desk, 'nav.objections');
  await desk.page.locator('main li a').first().waitFor();
  await desk.check('desk-objections');
  await desk.page.locator('main li a').first().click();
  await desk.button('refund.quote').click();
  await desk.field('refund.reason').waitFor();
  await desk.button('refund.give').click();
  await desk.text('refund.reason.missing').waitFor();
  await desk.field('refund.reason').fill('药品已退回药房');
  await desk.check('desk-objection');
  await desk.button('refund.give').click();
  await desk.page.getByRole('dialog').getByRole('button', { name: desk.t('refund.give'), exact: true }).click();
  await desk.text('objection.done.given').waitFor();
  await desk.check('desk-objection-done');

  // The phone hears of it by itself.
  await wallet.text('refund.state.upheld').waitFor();
  await wallet.page.getByText('药品已退回药房').first().waitFor();
  await wallet.check('visit-refunded');
  await wallet.tab('tab.history').click();
  await wallet.field('history.kind').selectOption('visit_refunded');
  await wallet.page.locator('main li a').first().waitFor();
  expect(await wallet.page.locator('main li a').count()).toBe(1);
  await wallet.check('history-refunded');
  await wallet.leave();
  await desk.leave();
});

it('a refusal counts when the bureau has signed it, and an error is corrected with a reason, without passkeys and in German', async () => {
  const both = await atTheDesk(browser, 17, { language: 'de', size: 'large', passkeys: false }, { language: 'de' });
  const { wallet, desk } = both;
  await takeAtTill(desk);
  await pay(both);
  await wallet.link('visit.refund').click();
  await wallet.page.getByRole('checkbox').first().check();
  await wallet.field('reason.other').check();
  await wallet.button('refund.ask').click();
  await wallet.text('refund.words.missing').waitFor();
  await wallet.field('refund.words').fill('Ich war nur zur Blutabnahme da.');
  await wallet.button('refund.ask').click();
  await confirmWithPin(wallet);
  await wallet.text('refund.state.waiting').waitFor();

  await deskPage(desk, 'nav.objections');
  await desk.page.locator('main li a').first().click();
  await desk.button('objection.refuse').click();
  await desk.text('objection.why.missing').waitFor();
  await desk.field('objection.why').fill('Die Untersuchung hat stattgefunden.');
  await desk.button('objection.refuse').click();
  await desk.text('objection.done.refused').waitFor();
  await wallet.tab('tab.history').click();
  await wallet.page.locator('main li a').first().click();
  await wallet.text('refund.state.refused').waitFor();
  await wallet.check('visit-refused');

  const bureau = await Visitor.arrive(browser, { language: 'de' }, 'desks');
  await signDeskIn(bureau, 'bureau', 'nav.objections');
  await deskPage(bureau, 'nav.objections');
  await bureau.check('bureau-objections');
  await bureau.page.locator('main li a').first().click();
  await bureau.button('objection.agree').waitFor();
  await bureau.check('bureau-objection');
  await bureau.button('objection.agree').click();
  await bureau.text('objection.done.agreed').waitFor();
  await wallet.text('refund.state.dismissed').waitFor();
  await wallet.check('visit-dismissed');

  // An error is corrected at the desk: two boxes were billed where one was given.
  await deskPage(desk, 'nav.past');
  await desk.page.locator('tbody a').first().click();
  await desk.button('correct.open').click();
  const second = desk.page.getByRole('region', { name: desk.t('correct.title') }).locator('tbody tr').nth(1);
  await second.locator('input').nth(2).fill('1');
  await desk.button('correct.quote').click();
  await desk.text('correct.change').waitFor();
  const total = desk.page.getByRole('row').filter({ has: desk.page.getByRole('rowheader', { name: desk.t('total'), exact: true }) }).last();
  await total.getByText(/−.*26,80/).waitFor();
  await desk.button('correct.go').click();
  await desk.text('act.reason.missing').waitFor();
  await desk.page.getByLabel(desk.t('correct.reason.wrong_lines')).check();
  await desk.field('refund.reason').fill('Zwei Schachteln berechnet, eine gegeben');
  await desk.check('desk-correct');
  await desk.button('correct.go').click();
  await desk.check('desk-correct-sure');
  await desk.button('correct.sure.go').click();
  await desk.text('correct.done').waitFor();
  await desk.check('desk-corrected');
  await wallet.page.reload();
  await wallet.page.getByText('Zwei Schachteln berechnet, eine gegeben').waitFor();
  // Nobody of the patient's side signed it, so it may be contested.
  await wallet.link('contest.title').waitFor();
  await wallet.check('visit-corrected');

  // More than before is open until it is taken at the till.
  await desk.button('correct.open').click();
  await second.locator('input').nth(2).fill('3');
  await desk.button('correct.quote').click();
  await desk.page.getByText(begin(desk.t('correct.cash'))).waitFor();
  await desk.check('desk-correct-more');
  for (const one of [wallet, desk, bureau]) await one.leave();
});

it('a clerk opens a till, gives all of a visit back, hands the money out and closes with a difference', async () => {
  const both = await atTheDesk(browser, 19, { language: 'en', passkeys: false }, { language: 'en' }, 'clerk-9');
  const { wallet, desk } = both;
  await takeAtTill(desk, 'clerk-9');
  await pay(both);

  await deskPage(desk, 'nav.past');
  const downloading = desk.page.waitForEvent('download');
  await desk.button('past.export').click();
  expect((await downloading).suggestedFilename()).toBe('yibao.csv');
  await desk.check('desk-past');
  await desk.page.locator('tbody a').first().click();
  await desk.button('refund.lines.all').click();
  await desk.button('refund.quote').click();
  await desk.field('refund.reason').fill('Entered for the wrong patient');
  await desk.check('desk-past-visit');
  await desk.button('refund.give').click();
  await desk.page.getByRole('dialog').getByRole('button', { name: desk.t('refund.give'), exact: true }).click();
  await desk.text('refund.done').waitFor();
  await desk.text('refund.nothing').waitFor();
  await wallet.page.reload();
  await wallet.text('visit.revised').waitFor();

  // The list says of which settlement it is the refund, and what went back; what stands is nothing.
  const [refunded, office] = [desk.page.locator('tbody tr').first(), await Visitor.arrive(browser, { language: 'en' }, 'desks')];
  await deskPage(desk, 'nav.past');
  await refunded.getByText(begin(desk.t('past.kind.visit_refunded.of'))).waitFor();
  expect(await refunded.locator('td.money').allInnerTexts()).toEqual(['¥0.00', '¥87.20', '¥0.00']);
  await signDeskIn(office, 'bureau', 'nav.objections');
  const there = office.page.locator('tbody tr').filter({ hasText: /Refund of \d+/ }).first();
  await there.getByText('¥87.20').waitFor();
  await there.getByText(/医院/).waitFor();
  await office.check('bureau-past-refund');
  await office.leave();
  await wallet.tab('tab.history').click();
  await wallet.page.getByText(wallet.t('history.back', { amount: '¥87.20' })).first().waitFor();
  await wallet.check('history-refund');

  await deskPage(desk, 'nav.day');
  await desk.field('cash.clerk').fill('clerk-9');
  await desk.button('day.find').click();
  await desk.text('day.expected').waitFor();
  // What the corrected visit of another story gave back is another clerk's to hand out.
  const waiting = desk.page.getByRole('listitem').filter({ hasText: '¥87.20' });
  const out = waiting.getByRole('button', { name: desk.t('day.handout.go'), exact: true });
  await out.waitFor();
  await desk.check('desk-day');
  await out.click();
  await waiting.waitFor({ state: 'detached' });
  await desk.button('day.find').click();
  await desk.field('day.counted').fill('199.00');
  await desk.text('day.short').waitFor();
  await desk.field('day.explanation').fill('a note was torn');
  await desk.button('day.close').click();
  await desk.text('day.closed').waitFor();
  await desk.check('desk-day-closed');
  await wallet.leave();
  await desk.leave();
});
