/** Premiums: a household's in one go, one that goes back, another channel that is quicker, a stranger's. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { byCommand, confirmWithPin, idOf, join, launch, newcomer, shownCode, Visitor, type Newcomer } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** The year that is paid for now. */
const YEAR = new Date().getFullYear() + 1;
const PAYMENTS = '**/premium-payments';

/** What the bank's counter does. */
function atTheBank(kind: 'lock_premium' | 'release_premium', body: object): void {
  byCommand('bank', kind, { season: { region: 620100, scheme: 390, year: YEAR }, ...body });
}

async function openPremiums(wallet: Visitor): Promise<void> {
  await wallet.tab('tab.home').click();
  await wallet.page.getByRole('link', { name: wallet.t('home.tile.premium', { year: String(YEAR) }) }).click();
  await wallet.text('premium.other').waitFor();
}

const choice = (wallet: Visitor, { name }: Newcomer) => wallet.page.getByRole('checkbox', { name: new RegExp(name) });
/** What the page says of somebody who cannot be chosen. */
const standing = (wallet: Visitor, { name }: Newcomer) =>
  wallet.page.locator('section').filter({ has: wallet.page.getByRole('heading', { name, level: 3 }) });

it('a daughter pays for herself and her father in one go, and gives his back', async () => {
  const [daughter, father] = [newcomer(14), newcomer(15)];
  const own = await Visitor.arrive(browser, { language: 'de', size: 'large', passkeys: false }, 'wallet');
  await join(own, father);
  const far = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'wallet');
  await join(far, daughter);
  const code = await shownCode(far);
  await own.link('home.tile.lock').click();
  await own.field('guardian.code').fill(code);
  await own.button('guardian.find').click();
  await own.button('guardian.name').click();
  await confirmWithPin(own);
  await own.text('guardian.since').waitFor();
  await openPremiums(own);
  await own.check('premium-elder');

  await openPremiums(far);
  await far.button('premium.continue').click();
  await far.text('premium.choose.none').waitFor();
  await choice(far, daughter).check();
  await choice(far, father).check();
  await far.page.getByText('¥800.00').waitFor();
  await far.check('premium-choose');
  await far.button('premium.continue').click();
  await far.text('premium.until').waitFor();
  await far.check('premium-check');
  // On the other phone it is seen who pays.
  await standing(own, father).getByText(/示例市医疗保障/).waitFor();
  await own.check('premium-locked-by-family');

  // The connection breaks while paying: what never arrived charges nothing, and pressing again pays.
  await far.page.route(PAYMENTS, (route) => route.abort());
  await far.button('bill.pay').click();
  await far.text('bill.lost.title').waitFor();
  far.forgiveLostConnection();
  await far.check('premium-lost');
  await far.page.unroute(PAYMENTS);
  await far.button('retry').click();
  await far.text('premium.done').waitFor();
  await standing(far, father).getByText(far.t('premium.paid').slice(0, 2)).waitFor();
  await far.check('premium-done');
  const downloading = far.page.waitForEvent('download');
  await standing(far, daughter).getByRole('button', { name: far.t('voucher.pdf') }).click();
  expect((await downloading).suggestedFilename()).toMatch(/^yibao-premium-.*\.pdf$/);
  await standing(own, father).getByText(/^Bezahlt/).waitFor();

  await standing(far, father).getByRole('button', { name: far.t('premium.refund') }).click();
  await far.check('premium-refund-sure');
  await far.page.getByRole('dialog').getByRole('button', { name: far.t('premium.refund') }).click();
  await choice(far, father).waitFor();
  await standing(far, daughter).waitFor();
  await far.check('premium-given-back');
  await own.leave();
  await far.leave();
});

it('another counter is quicker, is seen with its end, and the phone pays after it let go', async () => {
  const [payer, neighbour] = [newcomer(20), newcomer(24)];
  const wallet = await Visitor.arrive(browser, { language: 'de', passkeys: false }, 'wallet');
  await join(wallet, payer);
  atTheBank('lock_premium', { person: idOf(payer), payer: 'organisation:clinic-1', channel: 'bank' });
  await openPremiums(wallet);
  await wallet.text('premium.break.lead').waitFor();
  await wallet.check('premium-locked');
  atTheBank('release_premium', { person: idOf(payer) });
  await choice(wallet, payer).waitFor();

  // The bank serves the payer at its counter; the payer goes on by phone.
  atTheBank('lock_premium', { person: idOf(payer), payer: payer.party, channel: 'bank' });
  await wallet.button('premium.takeover').waitFor();
  await wallet.check('premium-locked-mine');
  await wallet.button('premium.takeover').click();
  await wallet.text('premium.until').waitFor();

  await wallet.page.getByText(wallet.t('premium.other'), { exact: true }).click();
  await wallet.field('join.name').fill(`${neighbour.name}某`);
  await wallet.field('join.number').fill(neighbour.number);
  await wallet.button('premium.other.find').click();
  await wallet.page.getByText(/dieser Beitrag kann jetzt nicht gezahlt werden/i).waitFor();
  await wallet.check('premium-other-wrong');
  await wallet.field('join.name').fill(neighbour.name);
  await wallet.button('premium.other.find').click();
  await wallet.page.getByText(wallet.t('premium.other.found', { name: neighbour.name })).waitFor();
  await choice(wallet, neighbour).check();
  await wallet.check('premium-other');
  await wallet.button('premium.continue').click();
  await wallet.page.getByText(/800,00/).first().waitFor();
  await wallet.check('premium-check-two');
  // Put off, chosen again, paid.
  await wallet.button('premium.release').click();
  await choice(wallet, payer).check();
  await choice(wallet, neighbour).check();
  await wallet.button('premium.continue').click();
  // The answer gets lost: the page finds out by itself that it is paid.
  let losing = true;
  await wallet.page.route(PAYMENTS, async (route) => {
    const answer = await route.fetch();
    if (!losing) return route.fulfill({ response: answer });
    losing = false;
    await route.abort();
  });
  await wallet.button('bill.pay').click();
  await confirmWithPin(wallet);
  await wallet.text('premium.done').waitFor();
  wallet.forgiveLostConnection();
  await standing(wallet, neighbour).getByText(/^Bezahlt/).waitFor();
  await wallet.check('premium-done-two');
  await wallet.leave();
});

it('missed years are paid as well, and the waiting gets shorter', async () => {
  const late = newcomer(30);
  const season = { region: 620100, scheme: 390, year: YEAR };
  const cover = { from: `${YEAR}-01-01`, to: `${YEAR}-12-31` };
  const facts = { period: cover, age: { from: 18, below: 120 }, sex: 'unstated', person_classes: [] };
  // The bureau pushes this one person's record to the collector.
  byCommand('bureau', 'register_premiums', { season, rows: [{ person: idOf(late), class: 1, missed_years: 2, facts }] });
  const wallet = await Visitor.arrive(browser, { language: 'zh-Hans', size: 'large' }, 'wallet');
  await join(wallet, late);
  await openPremiums(wallet);
  await choice(wallet, late).check();
  await wallet.button('premium.continue').click();
  await wallet.page.getByText('¥400.00').first().waitFor();
  await wallet.check('premium-repair');
  await wallet.page.getByRole('radio', { name: /补缴 2 年/ }).check();
  const paying = wallet.page.getByRole('button', { name: '¥1,200.00' });
  await paying.waitFor();
  await wallet.check('premium-repair-two');
  await paying.click();
  await wallet.text('premium.done').waitFor();
  await wallet.page.getByText('¥1,200.00').first().waitFor();
  await wallet.leave();
});

it('the account pays what it has and the card the rest, and each part goes back to where it came from', async () => {
  const both = newcomer(18);
  const today = new Date();
  byCommand('bureau', 'credit_personal_accounts', {
    region: 620100,
    source: 'outside',
    month: { year: today.getFullYear(), month: today.getMonth() + 1 },
    batch: 9_049,
    rows: [{ person: idOf(both), amount: '12345' }],
  });
  const wallet = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'wallet');
  await join(wallet, both);
  await openPremiums(wallet);
  await choice(wallet, both).check();
  await wallet.button('premium.continue').click();
  const way = wallet.page.getByRole('radio', { name: /个人账户付¥123\.45，尾号\d{4}的银行卡付¥276\.55/ });
  await way.check();
  await wallet.check('premium-both');
  await wallet.button('bill.pay').click();
  await wallet.text('premium.done').waitFor();
  await wallet.page.getByText('其中个人账户¥123.45').waitFor();
  await wallet.check('premium-both-done');
  await standing(wallet, both).getByRole('button', { name: wallet.t('premium.refund') }).click();
  await wallet.page.getByRole('dialog').getByRole('button', { name: wallet.t('premium.refund') }).click();
  // The card's part comes back from the bank, the account's is there at once: all of it can be paid again.
  await choice(wallet, both).waitFor();
  await choice(wallet, both).check();
  await wallet.button('premium.continue').click();
  await way.waitFor();
  await wallet.leave();
});
