/** A person asks for notices, and is told while the wallet is closed: by the browser, then by text message. */
import { readFileSync } from 'node:fs';
import { join as joined } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { BILL, data, loaded, openVisit, pushService, receive, shownCode, signDeskIn, url, Visitor, writeBill, type Newcomer } from './kit.ts';
import { Subscriber, type Taken } from './pushes.ts';

const PATIENCE = { timeout: 60_000 };
const PHONE = '13900001234';
/** What a notice of a bill says, in the language of the wallet. */
const REQUEST = '有一件事等您确认';
/** A page that is not the wallet's. */
const ELSEWHERE = `${url}/verify`;

/**
 * The browser's maker runs the service to which a browser subscribes; no test may reach it. In its
 * place stands the one of this machine, with keys that the story has.
 */
async function subscribeHere(page: Page, subscriber: Subscriber): Promise<void> {
  const patch = (given: Subscriber['subscription']): void => {
    const KEPT = 'story.push';
    const own = {
      toJSON: () => given,
      unsubscribe: async () => {
        localStorage.removeItem(KEPT);
        return true;
      },
    };
    PushManager.prototype.subscribe = async (options) => {
      const key = new Uint8Array(options?.applicationServerKey as ArrayBuffer);
      if (options?.userVisibleOnly !== true || key.length !== 65 || key[0] !== 4) throw new TypeError('no browser takes this');
      localStorage.setItem(KEPT, 'on');
      return own as unknown as PushSubscription;
    };
    PushManager.prototype.getSubscription = async () =>
      localStorage.getItem(KEPT) === null ? null : (own as unknown as PushSubscription);
  };
  await page.addInitScript(patch, subscriber.subscription);
  await page.evaluate(patch, subscriber.subscription);
}

/** The id under which the debugger knows the wallet's worker. */
async function registrationOf(wallet: Visitor): Promise<string> {
  const found = new Promise<string>((done) => {
    wallet.cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [own] = registrations.filter((one) => one.scopeURL === `${url}/` && !one.isDeleted);
      if (own) done(own.registrationId);
    });
  });
  await wallet.cdp.send('ServiceWorker.enable');
  return found;
}

/** Sends the bill, or another one in its place. */
async function send(desk: Visitor): Promise<void> {
  await desk.button('send.go').click();
  await desk.text('send.waiting').waitFor();
}

/** A hospital asks for the confirmation of a bill. */
async function askedByHospital(browser: Browser, code: string, person: Newcomer): Promise<Visitor> {
  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, 'hospital-1');
  await receive(desk, code, person.name);
  await openVisit(desk);
  await writeBill(desk);
  await send(desk);
  return desk;
}

/** What the simulated provider of text messages would have sent to the phone, the newest last. */
const messages = (): readonly string[] =>
  readFileSync(joined(data, 'bureau/simulated-sms.tsv'), 'utf8').split('\n').filter((line) => line.includes(PHONE));

async function open(wallet: Visitor, path: string): Promise<void> {
  await wallet.page.goto(`${url}/#${path}`);
  await wallet.page.locator('main h1').waitFor();
  await loaded(wallet.page);
}

/** What a switch shows while it is busy is a wish; afterwards it is what came of it. */
async function isSet(control: Locator, on: boolean): Promise<void> {
  await expect.poll(async () => (await control.isEnabled()) && (await control.isChecked()) === on).toBe(true);
}

/** Turns the browser's notices on, which the person has to want first. */
async function turnOn(wallet: Visitor, subscriber: Subscriber): Promise<void> {
  await wallet.context.grantPermissions(['notifications'], { origin: url });
  await subscribeHere(wallet.page, subscriber);
  await open(wallet, '/notices');
  await wallet.check('notices-off');
  await wallet.button('notices.start').click();
  const push = wallet.page.getByRole('switch', { name: wallet.t('notices.push') });
  await push.check();
  await isSet(push, true);
  await wallet.check('notices-on');
}

/** No stranger learns anything from a push or a text message. */
function isDiscreet(text: string, person: Newcomer): void {
  const [, ...lines] = BILL.trim().split('\n');
  const items = lines.map((line) => line.split(',')[1] ?? '');
  for (const secret of [person.name, person.number, '医院', '87.20', ...items]) expect(text).not.toContain(secret);
}

async function setPhone(wallet: Visitor): Promise<void> {
  await wallet.page.getByRole('switch', { name: wallet.t('notices.sms') }).check();
  await wallet.button('notices.phone.add').click();
  await wallet.field('notices.phone.number').fill('12345');
  await wallet.button('notices.phone.send').click();
  await wallet.page.getByRole('alert').waitFor();
  await wallet.field('notices.phone.number').fill(PHONE);
  await wallet.button('notices.phone.send').click();
  await wallet.field('notices.phone.code').waitFor();
  await wallet.check('notices-code');
  const [code] = /\d{6}/.exec(messages().at(-1)?.split('\t').at(-1) ?? '') ?? [];
  await wallet.field('notices.phone.code').fill(code ?? '');
  await wallet.button('notices.phone.confirm').click();
  await wallet.text('notices.phone.end', { digits: PHONE.slice(-4) }).waitFor();
}

/** Gives the code that the hospital used: it is good once. */
export async function isTold(browser: Browser, wallet: Visitor, person: Newcomer): Promise<string> {
  const { page } = wallet;
  const subscriber = new Subscriber(pushService);
  await turnOn(wallet, subscriber);
  const registrationId = await registrationOf(wallet);
  const code = await shownCode(wallet);

  // The wallet is closed. What comes is for this browser alone, and says nothing that strangers may not read.
  await page.goto(ELSEWHERE);
  const desk = await askedByHospital(browser, code, person);
  await expect.poll(async () => (await subscriber.taken()).length, PATIENCE).toBe(1);
  const [taken] = (await subscriber.taken()) as [Taken];
  expect(taken.headers['content-encoding']).toBe('aes128gcm');
  expect(taken.headers.authorization).toMatch(/^vapid t=[\w-]+\.[\w-]+\.[\w-]+, k=[\w-]+$/);
  const text = subscriber.read(taken);
  isDiscreet(text, person);
  const { title, about } = JSON.parse(text) as { title: string; about: string };
  expect([title, about]).toEqual([REQUEST, 'request']);

  // The real worker shows it, and says so.
  await wallet.cdp.send('ServiceWorker.deliverPushMessage', { origin: url, registrationId, data: text });
  await open(wallet, '/notices');
  await wallet.page.getByText(/^设备：.* 已送达$/).waitFor();
  const shown = await page.evaluate(async () => {
    const worker = await navigator.serviceWorker.ready;
    return (await worker.getNotifications()).map((one) => ({ title: one.title, data: one.data as unknown }));
  });
  expect(shown).toEqual([{ title, data: { path: '/#/told/request' } }]);
  await page.goto(`${url}/#/told/request`);
  await expect.poll(() => new URL(page.url()).hash).toBe('#/');
  await open(wallet, '/notices');
  await wallet.check('notices');

  // Off on this device, a text message comes instead, to a phone that is shown to be the person's.
  await setPhone(wallet);
  const push = page.getByRole('switch', { name: wallet.t('notices.push') });
  await push.uncheck();
  await isSet(push, false);
  await page.goto(ELSEWHERE);
  const before = messages().length;
  await desk.button('send.withdraw').click();
  await send(desk);
  await expect.poll(() => messages().length, PATIENCE).toBe(before + 1);
  isDiscreet(messages().at(-1) ?? '', person);
  expect((await subscriber.taken()).length).toBe(1);
  await open(wallet, '/notices');
  await wallet.page.getByText(/^短信：.* 已送达$/).waitFor();
  await wallet.check('notices-sms');

  // What the open wallet shows goes nowhere else.
  const count = messages().length;
  await wallet.tab('tab.history').click();
  await desk.button('send.withdraw').click();
  await send(desk);
  await desk.leave();
  await wallet.text('notices.new').waitFor();
  await wallet.check('notices-told');
  await wallet.button('notices.dismiss').click();
  await open(wallet, '/notices');
  await wallet.page.getByText(/^已在钱包里看到：/).first().waitFor();
  expect(messages().length).toBe(count);
  // The phone alone can go.
  await wallet.button('notices.phone.remove').click();
  await wallet.text('notices.phone.none').waitFor();
  await wallet.button('notices.end').click();
  await wallet.button('notices.end.go').click();
  await wallet.button('notices.start').waitFor();
  await wallet.tab('tab.home').click();
  return code;
}
