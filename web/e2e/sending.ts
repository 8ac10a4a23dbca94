/** What the story of a family tries besides: money from wallet to wallet, and a relative who agrees by face. */
import { readFileSync } from 'node:fs';
import { join as joined } from 'node:path';
import { expect } from 'vitest';
import type { Browser } from 'playwright-core';
import { findPerson } from './bureau.ts';
import { byCommand, confirmWithPin, data, deskPage, signDeskIn, Visitor, type Newcomer } from './kit.ts';

const HOUR_MILLIS = 3_600_000;

/** The region's rules, with a night that begins so many hours from now and lasts two. */
function setRules(hoursAhead: number, perDay = 3): void {
  const minuteOf = (hours: number): number => {
    // The region's clock is eight hours ahead of UTC.
    const there = new Date(Date.now() + (hours + 8) * HOUR_MILLIS);
    return there.getUTCHours() * 60 + there.getUTCMinutes();
  };
  byCommand('bureau', 'set_transfer_rules', {
    region: 620100,
    rules: {
      relations: [
        { number: 2, name: 'parent' },
        { number: 3, name: 'child' },
      ],
      transfers_per_day_max: perDay,
      transfer_max: '20000',
      night: { from_minute: minuteOf(hoursAhead), until_minute: minuteOf(hoursAhead + 2) },
      claim_days: 1,
      to_other_regions: true,
      source: 'the story of a family',
    },
  });
}

async function openTransfers(wallet: Visitor): Promise<void> {
  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.family').click();
  await wallet.link('transfer.open').click();
  await wallet.page.getByRole('heading', { level: 1, name: wallet.t('transfer.title') }).waitFor();
}

async function send(wallet: Visitor, yuan: string): Promise<void> {
  await wallet.field('transfer.amount').fill(yuan);
  await wallet.button('transfer.next').click();
  await wallet.page.getByRole('dialog').getByRole('button', { name: wallet.t('transfer.do'), exact: true }).click();
}

/** A father above whose limits his daughter agrees: she refuses once, and agrees the second time. */
async function sendAbove(father: Visitor, daughter: Visitor, [payer, member]: readonly [Newcomer, Newcomer]): Promise<void> {
  await father.tab('tab.home').click();
  await father.link('home.tile.lock').click();
  await father.field('limits.payment').fill('10');
  await father.field('limits.day').fill('5');
  await father.button('limits.set').click();
  await father.text('limits.fault').waitFor();
  await father.field('limits.day').fill('20');
  await father.field('limits.approver').selectOption({ label: member.name });
  await father.button('limits.set').click();
  await father.page.locator('[data-limits]').filter({ hasText: '¥10.00' }).waitFor();
  await father.check('limits-set');

  const openAsked = async (): Promise<void> => {
    await openTransfers(father);
    await send(father, '30');
    await father.button('approval.ask').click();
    await father.text('approval.waits', { name: member.name }).waitFor();
    await daughter.tab('tab.home').click();
    await daughter.link('home.tile.family').click();
    await daughter.text('approval.from', { name: payer.name }).waitFor();
  };
  await openAsked();
  await father.check('limits-waits');
  await daughter.check('limits-asked');
  await daughter.button('approval.refuse').click();
  await father.text('approval.refused').waitFor();
  await father.check('limits-refused');
  await openAsked();
  await daughter.button('approval.agree').click();
  await confirmWithPin(daughter);
  await father.text('transfer.sent', { name: member.name }).waitFor();
}

/** A father, who has money, sends his daughter some; the daughter confirms with a PIN. */
export async function sendMoney(father: Visitor, daughter: Visitor, [payer, member]: readonly [Newcomer, Newcomer]): Promise<void> {
  setRules(12);
  await openTransfers(father);
  // The limits stand there before anything is typed.
  const day = father.page.locator('[data-day]');
  const count = (sent: number): Promise<void> => day.filter({ hasText: `今天已转 ${sent} 笔，每天 3 笔，每笔最多 ¥200.00` }).waitFor();
  await count(0);
  await father.field('relatives.relation', { name: member.name }).selectOption('parent');
  await father.field('transfer.amount').fill('200.01');
  await father.button('transfer.next').click();
  await father.text('transfer.fault.above').waitFor();
  await father.check('transfer-above');
  await father.field('transfer.amount').fill('100');
  await father.button('transfer.next').click();
  await father.page.getByRole('dialog').waitFor();
  await father.check('transfer-ask');
  await father.page.getByRole('dialog').getByRole('button', { name: father.t('transfer.do'), exact: true }).click();
  await father.text('transfer.sent', { name: member.name }).waitFor();
  await count(1);
  await father.check('transfer-sent');

  await openTransfers(daughter);
  await daughter.text('transfer.claim.until').waitFor();
  await daughter.check('transfer-waits');
  await daughter.button('transfer.claim').click();
  await confirmWithPin(daughter);
  await daughter.text('transfer.claim.done').waitFor();
  await daughter.text('transfer.from', { name: payer.name }).waitFor();
  await daughter.check('transfer-claimed');
  // The other phone hears of it by itself.
  await father.text('transfer.past').waitFor();
  await father.page.locator('li').filter({ hasText: '已领取' }).waitFor();

  await send(father, '50');
  await father.button('relatives.takeBack').click();
  await father.text('transfer.back.done').waitFor();
  await father.page.locator('li').filter({ hasText: '已撤回' }).waitFor();
  await sendAbove(father, daughter, [payer, member]);
  await count(3);
  await send(father, '1');
  await father.page.getByText('今天的转账次数已用完', { exact: false }).first().waitFor();
  await father.check('transfer-day-used-up');

  setRules(-1);
  await openTransfers(daughter);
  await daughter.text('transfer.night.now').waitFor();
  await daughter.check('transfer-night');
  // Claiming is for any hour, sending is not.
  await daughter.button('transfer.claim').click();
  await confirmWithPin(daughter);
  await daughter.text('transfer.claim.done').waitFor();
  await send(daughter, '10');
  await confirmWithPin(daughter);
  await daughter.page.getByText('nachts wird kein Geld gesendet', { exact: false }).first().waitFor();
  setRules(12);
}

/** Both find what was sent among what happened, with how it ended; as a table too. */
export async function lookBack(father: Visitor, daughter: Visitor, [payer, member]: readonly [Newcomer, Newcomer]): Promise<void> {
  await father.tab('tab.history').click();
  await father.field('history.kind').selectOption('sent');
  const row = (wallet: Visitor, name: string, end: string) => wallet.page.locator('li').filter({ hasText: name }).filter({ hasText: end });
  await row(father, member.name, '¥100.00').filter({ hasText: '已领取' }).waitFor();
  await row(father, member.name, '¥50.00').filter({ hasText: '已撤回' }).waitFor();
  await father.field('history.filter').fill(payer.name);
  await father.text('history.none').waitFor();
  await father.field('history.filter').fill(member.name);
  await row(father, member.name, '已撤回').waitFor();
  await father.check('history-sent');
  const downloading = father.page.waitForEvent('download');
  await father.button('history.export').click();
  const lines = readFileSync(await (await downloading).path(), 'utf8').trim().split('\r\n');
  // Three were sent; the refused ones were not.
  expect(lines).toHaveLength(4);
  expect(lines.filter((line) => line.includes(`${member.name},转给亲属,100.00,`) && line.includes('已领取'))).toHaveLength(1);
  expect(lines.filter((line) => line.includes(`${member.name},转给亲属,50.00,`) && line.includes('已撤回'))).toHaveLength(1);
  await daughter.tab('tab.history').click();
  await daughter.field('history.kind').selectOption('received');
  await row(daughter, payer.name, '100,00').filter({ hasText: 'angenommen' }).waitFor();
  await daughter.check('history-received');
}

/** Somebody without a phone has money claimed at the bureau's desk, with the document. */
export async function claimAtDesk(browser: Browser, sender: Visitor, receiver: Newcomer): Promise<void> {
  setRules(12, 8);
  await openTransfers(sender);
  await sender.field('transfer.to').selectOption({ label: receiver.name });
  await send(sender, '7');
  await sender.text('transfer.sent', { name: receiver.name }).waitFor();
  const desk = await Visitor.arrive(browser, { language: 'de' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections', 'clerk');
  await deskPage(desk, 'nav.people');
  await findPerson(desk, receiver);
  await desk.text('person.transfers').waitFor();
  await desk.check('desk-transfer-waits');
  await desk.button('act.go.claim_transfer').click();
  const dialog = desk.page.getByRole('dialog');
  await dialog.getByLabel(desk.t('act.reason.asked_by_person')).check();
  await desk.check('desk-transfer-claim');
  await dialog.getByRole('button', { name: desk.t('act.go.claim_transfer'), exact: true }).click();
  await desk.text('person.transfers.none').waitFor();
  // The sender hears of it by itself.
  await sender.page.locator('li').filter({ hasText: receiver.name }).filter({ hasText: '已领取' }).waitFor();
  await desk.leave();
}

/** The trial picture that the simulated authority has of somebody. */
const trialFace = ({ number }: Newcomer) => ({
  name: 'face.jpg',
  mimeType: 'image/jpeg',
  buffer: readFileSync(joined(data, 'identity/faces', `${number}.jpg`)),
});

/** Somebody binds a relative without a phone by the face, after a picture of somebody else. */
export async function bindByFace(wallet: Visitor, other: Newcomer, member: Newcomer): Promise<void> {
  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.family').click();
  await wallet.link('face.title').click();
  // What plays the authority here says so before anything is taken.
  await wallet.text('face.simulated').waitFor();
  await wallet.button('child.next').click();
  await wallet.text('join.name.missing').waitFor();
  await wallet.field('face.name').fill(member.name);
  await wallet.field('join.number').fill(member.number);
  await wallet.field('face.relation').selectOption('child');
  await wallet.check('face-who');
  await wallet.button('child.next').click();
  await wallet.field('face.take').setInputFiles(trialFace(other));
  await wallet.page.getByRole('img').waitFor();
  await wallet.button('face.bind', { name: member.name }).click();
  await wallet.page.getByText('照片与此人不符', { exact: false }).first().waitFor();
  await wallet.text('face.else').waitFor();
  await wallet.check('face-differs');
  await wallet.field('face.again').setInputFiles(trialFace(member));
  await wallet.check('face-picture');
  await wallet.button('face.bind', { name: member.name }).click();
  await wallet.text('face.done.next').waitFor();
  await wallet.check('face-done');
  await wallet.page.getByRole('main').getByRole('link', { name: wallet.t('home.tile.family'), exact: true }).last().click();
  await wallet.text('relatives.ground.face').waitFor();
  await wallet.check('face-bound');
}
