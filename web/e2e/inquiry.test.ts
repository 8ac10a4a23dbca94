/** What is wrong is said before it is paid, and reported from every page; whom it concerns answers. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { atTheDesk, deskPage, join, launch, newcomer, sendAndOpen, signDeskIn, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const ANSWER = 'Two boxes, one for each month.';

it('a person objects before paying; the desk explains, sends another bill, and that one is paid', async () => {
  const both = await atTheDesk(browser, 10, { language: 'de' });
  const { wallet, desk } = both;
  await sendAndOpen(both);
  await wallet.link('bill.object').click();
  await wallet.button('bill.object.send').click();
  await wallet.text('refund.reason.missing').waitFor();
  await wallet.check('bill-object-faults');
  await wallet.page.getByText(wallet.t('reason.twice'), { exact: true }).click();
  await wallet.page.locator('input[type=checkbox]').nth(1).check();
  await wallet.field('refund.words').fill('Ich habe nur eine Packung.');
  await wallet.check('bill-object');
  await wallet.button('bill.object.send').click();
  await wallet.text('inquiry.due.bill').waitFor();
  await wallet.check('bill-objected');

  // The clerk sees it beside the bill, and in the worklist.
  await desk.text('inquiry.bill.how').waitFor();
  await desk.page.getByText('Ich habe nur eine Packung.').waitFor();
  await desk.check('desk-objected');
  await desk.button('inquiry.send').click();
  await desk.text('objection.why.missing').waitFor();
  await desk.field('inquiry.answer').fill(ANSWER);
  await desk.button('inquiry.send').click();
  await desk.text('inquiry.bill.how').waitFor({ state: 'detached' });
  await wallet.page.getByText(ANSWER).waitFor();
  await wallet.check('bill-explained');
  // The bill was explained, not refused: it can be paid as it is.
  expect(await wallet.button('bill.pay').count()).toBe(1);

  await wallet.link('bill.object').click();
  await wallet.page.getByText(wallet.t('reason.wrong_amount'), { exact: true }).click();
  await wallet.button('bill.object.send').click();
  await desk.text('inquiry.bill.how').waitFor();
  await desk.button('send.withdraw').click();
  await desk.button('send.go').click();
  await desk.text('send.waiting').waitFor();
  await wallet.link('inquiry.replaced.open').click();
  await wallet.button('bill.pay').waitFor();
  await wallet.button('bill.pay').click();
  await wallet.text('visit.done.good').waitFor();
  await wallet.leave();
  await desk.leave();
});

it('wrong data are reported from any page, under a number, and the bureau answers', async () => {
  const wallet = await Visitor.arrive(browser, { language: 'zh-Hant', width: 320, size: 'large' }, 'wallet');
  await join(wallet, newcomer(11));
  for (const tab of ['tab.code', 'tab.history', 'tab.settings', 'tab.home']) {
    await wallet.tab(tab).click();
    await wallet.link('report.link').waitFor();
  }
  await wallet.link('report.link').click();
  await wallet.button('refund.ask').click();
  await wallet.text('report.about.missing').waitFor();
  await wallet.check('report-faults');
  await wallet.page.getByText(wallet.t('report.about.identity'), { exact: true }).click();
  await wallet.field('report.words').fill('我的名字寫錯了。');
  await wallet.check('report');
  await wallet.button('refund.ask').click();
  await wallet.text('inquiry.number').waitFor();
  await wallet.check('report-sent');

  const bureau = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(bureau, 'bureau', 'nav.objections');
  await deskPage(bureau, 'nav.objections');
  // Other people's may wait there, too.
  const report = bureau.page.locator('.notice', { hasText: '我的名字寫錯了。' });
  await report.waitFor();
  await bureau.check('bureau-inquiries');
  await report.getByRole('textbox').fill('已经改正。');
  await report.getByRole('button').click();
  await report.waitFor({ state: 'detached' });

  await wallet.link('inquiries.title').click();
  await wallet.page.getByText('已经改正。').waitFor();
  await wallet.check('inquiries');
  await wallet.leave();
  await bureau.leave();
});
