/** The family account: bound on two phones, helped with a bill, given back to its source, unbound. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  byCommand,
  confirmWithPin,
  deskPage,
  idOf,
  join,
  launch,
  newcomer,
  openVisit,
  receive,
  sendAndOpen,
  shownCode,
  signDeskIn,
  Visitor,
  writeBill,
} from './kit.ts';
import { bindByFace, claimAtDesk, lookBack, sendMoney } from './sending.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function openFamily(wallet: Visitor): Promise<void> {
  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.family').click();
  await wallet.text('relatives.proxy.lead').waitFor();
}

async function openPremium(wallet: Visitor): Promise<void> {
  const year = String(new Date().getFullYear() + 1);
  await wallet.tab('tab.home').click();
  await wallet.page.getByRole('link', { name: wallet.t('home.tile.premium', { year }) }).click();
  await wallet.text('premium.other').waitFor();
}

it('a father binds his grown-up daughter, helps her with a bill and a premium, has both back, sends her money, she unbinds, and his father agrees by face and has money claimed at a desk', async () => {
  const [payer, member] = [newcomer(27), newcomer(28)];
  const today = new Date();
  byCommand('bureau', 'credit_personal_accounts', {
    region: 620100,
    source: 'outside',
    month: { year: today.getFullYear(), month: today.getMonth() + 1 },
    batch: 9_001,
    rows: [{ person: idOf(payer), amount: '50000' }],
  });
  const father = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'wallet');
  await join(father, payer);
  const daughter = await Visitor.arrive(browser, { language: 'de', passkeys: false }, 'wallet');
  await join(daughter, member);

  const code = await shownCode(daughter);
  await openFamily(father);
  await father.check('family-empty');
  await father.field('guardian.code').fill(code);
  await father.button('guardian.find').click();
  await father.button('relatives.askBind').waitFor();
  await father.field('relatives.relation', { name: member.name }).selectOption('parent');
  await father.check('family-found');
  await father.button('relatives.askBind').click();
  await father.text('relatives.sent').waitFor();

  await openFamily(daughter);
  await daughter.button('relatives.agree').waitFor();
  await daughter.text('relatives.says', { relation: 'Mutter oder Vater' }).waitFor();
  await daughter.check('family-asked');
  await daughter.button('relatives.agree').click();
  await confirmWithPin(daughter);
  await daughter.text('relatives.actsForMe', { name: payer.name }).waitFor();

  // The other phone hears of it by itself; who is bound is helped without being asked again.
  await father.button('relatives.help', { name: member.name }).click();
  await father.button('relatives.help.do').click();
  await father.text('relatives.limit.fault').waitFor();
  await father.field('relatives.limit').fill('300');
  await father.check('family-limit');
  await father.button('relatives.help.do').click();
  await father.text('relatives.iHelp', { name: member.name }).waitFor();
  await father.check('family-helps');

  const desk = await Visitor.arrive(browser, { language: 'de' }, 'desks');
  await signDeskIn(desk, 'hospital-1');
  // A code counts once: the desk is shown the next one.
  await expect.poll(() => shownCode(daughter), { timeout: 70_000, interval: 500 }).not.toBe(code);
  await receive(desk, await shownCode(daughter), member.name);
  await openVisit(desk);
  await writeBill(desk);
  await desk.text('share.family').waitFor();
  await desk.check('desk-family');
  await sendAndOpen({ wallet: daughter, desk });
  await daughter.text('share.family').waitFor();
  await daughter.text('bill.computed.same').waitFor();
  await daughter.check('bill-family');
  await daughter.button('bill.pay.nothing').click();
  await confirmWithPin(daughter);
  await daughter.text('visit.done.good').waitFor();
  await daughter.check('visit-family');
  const meter = father.page.locator('[data-meter]');
  await meter.filter({ hasNotText: '已付 ¥0.00' }).waitFor();

  await deskPage(desk, 'nav.past');
  await desk.page.locator('tbody a').first().click();
  await desk.button('refund.lines.all').click();
  await desk.button('refund.quote').click();
  await desk.field('refund.reason').fill('Doppelt erfasst');
  await desk.check('desk-family-back');
  await desk.button('refund.give').click();
  await desk.page.getByRole('dialog').getByRole('button', { name: desk.t('refund.give'), exact: true }).click();
  await desk.text('refund.done').waitFor();
  await meter.filter({ hasText: '已付 ¥0.00' }).waitFor();

  // More a month, for premiums as well: his account pays hers, and has it back.
  await father.button('relatives.revoke').click();
  await father.button('family.yes').click();
  await father.button('relatives.help', { name: member.name }).click();
  await father.field('relatives.limit').fill('450');
  await father.check('family-purpose');
  await father.button('relatives.help.do').click();
  await meter.filter({ hasText: '¥450.00' }).waitFor();
  await openPremium(daughter);
  await daughter.page.getByRole('checkbox', { name: new RegExp(member.name) }).check();
  await daughter.button('premium.continue').click();
  await daughter.page.getByRole('radio', { name: new RegExp(payer.name) }).check();
  await daughter.text('premium.from.family.left').waitFor();
  await daughter.check('premium-from-family');
  await daughter.button('bill.pay').click();
  await confirmWithPin(daughter);
  await daughter.text('premium.done').waitFor();
  // The choice of the account has the same words until it goes.
  const from = daughter.t('premium.from.family', { name: payer.name });
  await daughter.page.locator('.helper').filter({ hasText: from }).waitFor();
  await daughter.check('premium-paid-by-family');
  await meter.filter({ hasText: '已付 ¥400.00' }).waitFor();
  await daughter.button('premium.refund').click();
  await daughter.page.getByRole('dialog').getByRole('button', { name: daughter.t('premium.refund') }).click();
  await confirmWithPin(daughter);
  await daughter.page.getByRole('checkbox', { name: new RegExp(member.name) }).waitFor();
  await meter.filter({ hasText: '已付 ¥0.00' }).waitFor();

  await sendMoney(father, daughter, [payer, member]);
  await lookBack(father, daughter, [payer, member]);
  await openFamily(father);

  await openFamily(daughter);
  await daughter.button('relatives.unbind', { name: payer.name }).click();
  await daughter.button('family.yes').click();
  await confirmWithPin(daughter);
  await daughter.text('relatives.actsForMe', { name: payer.name }).waitFor({ state: 'detached' });
  // The slot of the month stays used.
  await father.button('relatives.unbind', { name: member.name }).waitFor({ state: 'detached' });
  await father.text('relatives.month.bound', { count: '1', most: '5' }).waitFor();
  await father.check('family-unbound');
  await bindByFace(father, payer, newcomer(29));
  await claimAtDesk(browser, father, newcomer(29));
  for (const one of [father, daughter, desk]) await one.leave();
});
