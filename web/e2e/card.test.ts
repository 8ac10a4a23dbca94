/** A bank card in the wallet: refused in words that help, bound, paying, and let go. */
import { readFileSync } from 'node:fs';
import { join as joined, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { activation, findPerson, importPeople, numberOf } from './bureau.ts';
import { confirmWithPin, data, deskPage, join, launch, openVisit, receive, sendAndOpen, shownCode, signDeskIn, Visitor, writeBill, type Newcomer } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const HOLDER = '测试卡';

/** The number of a card of the demonstration's bank. */
function cardOf(holder: (name: string) => boolean, what: string): string {
  const cards = readFileSync(joined(data, 'family/cards.toml'), 'utf8').split('[[card]]').slice(1);
  const value = (text: string, name: string): string => new RegExp(`^${name} = "(.*)"$`, 'm').exec(text)?.[1] ?? '';
  const found = cards.find((text) => holder(value(text, 'holder')) && value(text, 'what') === what);
  return value(found ?? '', 'number');
}
const own = (what: string): string => cardOf((name) => name === HOLDER, what);

/** What a problem says in English. */
function titleOf(code: string): string {
  const problems = readFileSync(resolve(import.meta.dirname, '../../locales/en/problems.toml'), 'utf8');
  return new RegExp(`^\\[${code}\\]\ntitle = "(.*)"$`, 'm').exec(problems)?.[1] ?? code;
}

/** Somebody whom the registry has just got, with the desk's code. */
async function somebody(): Promise<Newcomer> {
  const year = new Date().getFullYear();
  const number = numberOf(500);
  const registry = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(registry, 'bureau', 'nav.objections');
  const head = ['name', 'number', 'scheme', 'from', 'to', 'person_classes'];
  const id = await importPeople(registry, [head, [HOLDER, number, '310', `${year}-01-01`, `${year}-12-31`, 'active']]);
  await registry.leave();
  const clerk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(clerk, 'bureau', 'nav.objections', 'clerk');
  await deskPage(clerk, 'nav.people');
  await findPerson(clerk, { name: HOLDER, number });
  await clerk.text('person.keys.none').waitFor();
  const one = { name: HOLDER, number, activation: '', party: `person:${id}` };
  const code = await activation(clerk, one);
  await clerk.leave();
  return { ...one, activation: code };
}

async function bind(wallet: Visitor, number: string): Promise<void> {
  await wallet.field('card.number').fill(number);
  await wallet.button('card.bind.go').click();
}

it('a card is refused in words that help, bound by its number alone, pays, and is let go', async () => {
  const person = await somebody();
  const wallet = await Visitor.arrive(browser, { language: 'en', passkeys: false }, 'wallet');
  await join(wallet, person);
  await wallet.page.evaluate(() => void (location.hash = '#/cover'));
  await wallet.link('card.bind').click();
  await wallet.text('card.kept.lead').waitFor();
  await wallet.text('cover.card.none').waitFor();
  await wallet.check('card-none');
  const sent: string[] = [];
  wallet.page.on('request', (request) => sent.push(`${request.method()} ${request.url()} ${request.postData() ?? ''}`));

  const good = own('good');
  const wrong = good.slice(0, -1) + String((Number(good.at(-1)) + 1) % 10);
  await bind(wallet, wrong);
  await wallet.text('card.number.check').waitFor();
  await wallet.check('card-check-digit');
  await bind(wallet, good.slice(0, 9));
  await wallet.text('card.number.length', { found: '9' }).waitFor();
  await bind(wallet, `${good.slice(0, 9)}x${good.slice(10)}`);
  await wallet.text('card.number.digits').waitFor();
  expect(sent.filter((one) => one.includes('/card'))).toEqual([]);

  const refused = [
    [own('expired'), 'card_expired'],
    [own('blocked'), 'bank_card_blocked'],
    [own('empty'), 'card_empty'],
    [cardOf((name) => name !== HOLDER, 'good'), 'card_of_somebody_else'],
    // The example of every description of the method, with zeros before it: no bank here has it.
    ['0079927398713', 'card_unknown'],
  ] as const;
  for (const [number, code] of refused) {
    await bind(wallet, number);
    await wallet.page.getByRole('alert').getByText(titleOf(code)).waitFor();
    await wallet.check(`card-${code.replaceAll('_', '-')}`);
    await wallet.text('cover.card.none').waitFor();
  }

  sent.length = 0;
  await bind(wallet, good);
  await wallet.text('card.done.bound', { digits: good.slice(-4) }).waitFor();
  await wallet.check('card-bound');
  expect(await wallet.field('card.number').inputValue()).toBe('');
  expect(sent.filter((one) => one.includes(good))).toEqual([expect.stringMatching(/^POST [^ ]+\/card \{/)]);
  const kept = await wallet.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(kept).not.toContain(good);

  await wallet.button('card.unbind').click();
  await wallet.check('card-unbind');
  await wallet.page.getByRole('dialog').getByRole('button', { name: wallet.t('card.unbind'), exact: true }).click();
  await wallet.text('card.done.unbound').waitFor();
  await bind(wallet, good);
  await wallet.text('card.done.bound', { digits: good.slice(-4) }).waitFor();

  // It pays the own share of a visit.
  await wallet.tab('tab.code').click();
  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, 'hospital-1');
  await receive(desk, await shownCode(wallet), person.name);
  await openVisit(desk);
  await writeBill(desk);
  await sendAndOpen({ wallet, desk });
  await wallet.page.getByText(wallet.t('bill.pay.how.card')).waitFor();
  await wallet.button('bill.pay').click();
  await confirmWithPin(wallet);
  await wallet.text('visit.done.good').waitFor();
  await desk.leave();

  await wallet.page.evaluate(() => void (location.hash = '#/card'));
  for (const language of LANGUAGES) {
    await wallet.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await wallet.page.reload();
    await wallet.page.locator('form').waitFor();
    await wallet.check(`card-${language}`);
  }
  await wallet.page.setViewportSize({ width: 320, height: 844 });
  await wallet.page.evaluate(() => (document.documentElement.dataset.size = 'large'));
  await wallet.check('card-narrow');
  await wallet.leave();
});
