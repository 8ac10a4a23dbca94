/** Browsers, people and checks that the stories share. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join as joined, resolve } from 'node:path';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type CDPSession,
  type Locator,
  type Page,
} from 'playwright-core';
import encodeQR from 'qr';
import { expect, inject } from 'vitest';
import type { Language } from '../src/messages/messages.svelte.ts';
import type { Size } from '../src/preferences.svelte.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Where pictures go, when somebody wants to look: `PICTURES=folder make e2e`. */
const PICTURES = process.env.PICTURES;

export const BINARY = process.env.YIBAO_BINARY ?? resolve(import.meta.dirname, '../../target/release/yibao');

/** This worker's own region. */
const region = inject('regions')[Number(process.env.VITEST_POOL_ID) - 1];
if (region === undefined) throw new Error(`worker ${process.env.VITEST_POOL_ID} has no region`);
export const { url, data, push: pushService } = region;

/** A browser; `more` are switches of it, such as a camera. */
export function launch(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...more],
  });
}

export type Newcomer = { readonly name: string; readonly number: string; readonly activation: string; readonly party: string };

export const idOf = ({ party }: Newcomer): string => party.replace('person:', '');

/** What an organisation does by its own key on the command line. */
export function byCommand(organisation: string, kind: string, body: object): void {
  const folder = mkdtempSync(joined(tmpdir(), 'yibao-command-'));
  const file = (name: string): string => joined(folder, name);
  const yibao = (...args: string[]): void => void execFileSync(BINARY, args, { stdio: 'pipe' });
  const party = `organisation:${organisation}`;
  const signed = ['--key', joined(data, organisation, 'keys/online.key'), '--party', party];
  try {
    writeFileSync(file('body.json'), JSON.stringify(body));
    yibao('tx', 'make', kind, '--author', party, '--chain', 'yibao-demo', '--body', file('body.json'), '-o', file('tx'));
    yibao('tx', 'sign', file('tx'), ...signed);
    yibao('tx', 'send', file('tx'), '--url', url, ...signed);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Those who may join: those with a bound bank card stand at even places, those without at odd ones. */
export function newcomers(): readonly Newcomer[] {
  const text = readFileSync(joined(data, 'family/newcomers.toml'), 'utf8');
  return text
    .split('[[newcomer]]')
    .slice(1)
    .map((part) => {
      const value = (name: string): string => new RegExp(`^${name} = "(.*)"$`, 'm').exec(part)?.[1] ?? '';
      return { name: value('name'), number: value('number'), activation: value('activation'), party: value('party') };
    });
}

/** The words of an app in a language as the app shows them: what stands between backticks looks otherwise. */
export function words(language: Language, app: 'wallet' | 'desks'): (key: string, values?: Record<string, string>) => string {
  const read = (file: string): Record<string, string> =>
    JSON.parse(readFileSync(joined(import.meta.dirname, `../../locales/${language}/${file}.json`), 'utf8'));
  const texts = { ...read('web'), ...read(app) };
  return (key, values = {}) => {
    const text = texts[key];
    if (text === undefined) throw new Error(`there is no text ${key}`);
    return text.replaceAll('`', '').replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  };
}

/** The part of a text before its first place: enough to find it by. */
export const begin = (text: string): RegExp => new RegExp(`^${(text.split('{')[0] ?? '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);

export type Device = {
  readonly language: Language;
  /** `unset`: as a browser comes that nobody used yet. */
  readonly size?: Size | 'unset';
  readonly width?: number;
  readonly height?: number;
  /** Whether the browser has passkeys; in-app browsers have none. */
  readonly passkeys?: boolean;
  readonly isPhone?: boolean;
  /** Whether the browser keeps the pages, as phones do; else every story loads them anew. */
  readonly keepsPages?: boolean;
};

/** Room for the bars at the foot of a page, in pixels. */
const BARS = 400;

/** What a browser says in its console that is no fault of ours. */
const HARMLESS = [
  // Chromium suggests RS256 beside ES256; the ledger knows no RSA.
  'publicKey.pubKeyCredParams is missing at least one of the default algorithm identifiers',
];

/** A person's browser: everything that goes wrong in it fails the story. */
export class Visitor {
  readonly faults: string[] = [];
  private authenticator: string | undefined;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly cdp: CDPSession,
    readonly device: Device,
    readonly t: ReturnType<typeof words>,
  ) {}

  static async arrive(browser: Browser, device: Device, app: 'wallet' | 'desks'): Promise<Visitor> {
    const { language, size = 'normal', isPhone = app === 'wallet', passkeys = true } = device;
    const viewport = { width: device.width ?? (isPhone ? 390 : 1280), height: device.height ?? 844 };
    const locale = { 'zh-Hans': 'zh-CN', 'zh-Hant': 'zh-TW', en: 'en-GB', de: 'de-DE' }[language];
    const context = await browser.newContext({
      viewport,
      isMobile: isPhone,
      hasTouch: isPhone,
      locale,
      timezoneId: 'Asia/Shanghai',
      acceptDownloads: true,
    });
    if (!device.keepsPages) await context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'serviceWorker'));
    if (size !== 'unset') await context.addInitScript((chosen) => localStorage.setItem('yibao.size', chosen), size);
    if (!passkeys) await context.addInitScript(() => Reflect.deleteProperty(window, 'PublicKeyCredential'));
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    const visitor = new Visitor(context, page, cdp, device, words(language, app));
    if (passkeys) visitor.authenticator = await giveAuthenticator(cdp);
    visitor.listen();
    await page.goto(app === 'wallet' ? `${url}/` : `${url}/desks`);
    await page.locator('main h1').waitFor();
    return visitor;
  }

  private listen(): void {
    const { page, faults } = this;
    page.on('console', (message) => {
      const isOurs = message.type() === 'error' || message.type() === 'warning';
      // What the gateway refuses is told to the reader; the browser repeats its status.
      const isRefusal = message.text().startsWith('Failed to load resource: the server responded with a status of 4');
      if (isOurs && !isRefusal && !HARMLESS.some((words) => message.text().includes(words))) faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) faults.push(`asked ${request.url()}`);
    });
  }

  /** Whether the phone knows its holder when it asks for a finger or a face. */
  async knowsHolder(isUserVerified: boolean): Promise<void> {
    const { authenticator: authenticatorId } = this;
    if (authenticatorId === undefined) throw new Error('this device has no passkeys');
    await this.cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
  }

  button(key: string, values?: Record<string, string>): Locator {
    const text = this.t(key, values);
    const name = text.includes('{') ? begin(text) : text;
    return this.page.getByRole('button', { name, exact: true });
  }

  link(key: string): Locator {
    return this.page.getByRole('link', { name: this.t(key), exact: true });
  }

  /** One of the main pages. */
  tab(key: string): Locator {
    return this.page.getByRole('navigation').getByRole('link', { name: this.t(key), exact: true });
  }

  field(key: string, values?: Record<string, string>): Locator {
    return this.page.getByLabel(this.t(key, values), { exact: true });
  }

  /** A whole text: half of another one, such as *paid* in *to be paid*, is not it. */
  text(key: string, values?: Record<string, string>): Locator {
    const text = this.t(key, values);
    return this.page.getByText(text.includes('{') ? begin(text) : text, { exact: true }).first();
  }

  /** The page is whole: no violation that axe knows, nothing wider than the screen, nothing said amiss. */
  async check(name: string): Promise<void> {
    const { page } = this;
    await loaded(page);
    await picture(this, name);
    // Before anything is unrolled: a page that is too wide is zoomed out, and then never ends.
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, `${name}: wider than the screen`).toBeLessThanOrEqual(0);
    const violations = await axe(page);
    expect(violations, `${name}: accessibility`).toEqual([]);
    expect(this.faults, `${name}: console`).toEqual([]);
  }

  /** What the browser itself says of a connection that the story cut is no fault of the page. */
  forgiveLostConnection(): void {
    const others = this.faults.filter((fault) => !fault.startsWith('Failed to load resource: net::ERR_'));
    this.faults.splice(0, this.faults.length, ...others);
  }

  async leave(): Promise<void> {
    expect(this.faults).toEqual([]);
    await this.context.close();
  }
}

/** Keeps a picture that the app itself made, when somebody wants to look. */
export function keepPicture(name: string, bytes: Buffer): void {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  writeFileSync(joined(PICTURES, name), bytes);
}

/** What lies under a bar at the foot of the screen is scrolled up before it is used: nothing is hidden meanwhile. */
async function unrolled<T>(page: Page, look: () => Promise<T>): Promise<T> {
  const size = page.viewportSize();
  if (size === null) return look();
  try {
    // A page may still grow, when a picture or a late answer comes into it.
    for (let tall = 0; ; ) {
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      if (height <= tall) break;
      tall = height + BARS;
      await page.setViewportSize({ ...size, height: Math.max(size.height, tall) });
    }
    return await look();
  } finally {
    await page.setViewportSize(size);
  }
}

async function picture(visitor: Visitor, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  const { language, size = 'normal' } = visitor.device;
  const width = visitor.page.viewportSize()?.width;
  await visitor.page.screenshot({ path: joined(PICTURES, `${name}-${language}-${size}-${width}.png`), fullPage: true });
}

async function giveAuthenticator(cdp: CDPSession): Promise<string> {
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return authenticatorId;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type Violation = { id: string; nodes: { html: string; failureSummary?: string }[] };

/** How often a page that changes under the look is looked at again; one with a clock in it never stands still. */
const LOOKS = 6;

export async function axe(page: Page): Promise<string[]> {
  // Evaluated by the debugger: the page's own policy lets no such script in.
  await page.evaluate(AXE);
  for (let looks = 1; ; looks++) {
    const { violations, isStill } = await unrolled(page, () => page.evaluate(look));
    // What comes in under the look, a late answer or a picture, moves the rest: what was seen is of no page that anybody sees.
    if (violations.length === 0 || isStill || looks === LOOKS) return violations;
    await loaded(page);
  }
}

/** Runs in the page. */
async function look(): Promise<{ violations: string[]; isStill: boolean }> {
  const runner = (window as unknown as { axe: { run(options: unknown): Promise<{ violations: Violation[] }> } }).axe;
  let changes = 0;
  const observer = new MutationObserver((seen) => (changes += seen.length));
  observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  const height = document.documentElement.scrollHeight;
  const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = await runner.run({ runOnly });
  const isStill = changes + observer.takeRecords().length === 0 && document.documentElement.scrollHeight === height;
  observer.disconnect();
  const seen = violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html} ${node.failureSummary ?? ''}`));
  return { violations: seen, isStill };
}

/** Nothing on the page is still being loaded; it may load several things at once. */
export async function loaded(page: Page): Promise<void> {
  // What was pressed may still have to turn the page: two frames later the new one is there, and says what it lacks.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await expect.poll(() => page.locator('[data-loading]').count(), { timeout: 30_000 }).toBe(0);
}

export const PIN = '830274';

/** Joins as somebody new, by whatever the browser has. */
export async function join(visitor: Visitor, newcomer: Newcomer, look = false): Promise<void> {
  claim(newcomer);
  await enter(visitor, newcomer, look);
}

/** The same for somebody who had a wallet before. */
export async function enter(visitor: Visitor, newcomer: Newcomer, look = false): Promise<void> {
  const seen = async (name: string): Promise<void> => {
    if (look) await visitor.check(name);
  };
  await seen('welcome');
  await visitor.link('welcome.join').click();
  await visitor.field('join.name').fill(newcomer.name);
  await visitor.field('join.number').fill(newcomer.number);
  await visitor.field('join.activation').fill(newcomer.activation);
  await seen('join-who');
  await visitor.button('join.next').click();
  if (visitor.device.passkeys === false) {
    await visitor.field('join.pin.first').fill(PIN);
    await visitor.field('join.pin.again').fill(PIN);
    await seen('join-pin');
    await visitor.button('join.next').click();
  } else {
    await visitor.button('join.key.make').waitFor();
    await seen('join-passkey');
    await visitor.button('join.key.make').click();
  }
  await visitor.button('join.done.go').waitFor();
  await seen('join-done');
  await visitor.button('join.done.go').click();
  await confirmWithPin(visitor);
  await visitor.link('home.tile.code').waitFor();
}

/** Enters the PIN where the device asks for one. */
export async function confirmWithPin(visitor: Visitor, pin = PIN): Promise<void> {
  if (visitor.device.passkeys !== false) return;
  await visitor.field('pin.field').fill(pin);
  await visitor.button('pin.go').click();
}

/** Signs in with one of an organisation's keys: the machine's, or a clerk's. */
export async function signDeskIn(
  visitor: Visitor,
  organisation: string,
  first = 'nav.receive',
  key: 'online' | 'clerk' | 'reviewer' = 'online',
): Promise<void> {
  await visitor.field('signin.organisation').fill(organisation);
  await visitor.field('signin.file').setInputFiles(joined(data, organisation, `keys/${key}.key`));
  await visitor.button('signin.go').click();
  await visitor.tab(first).waitFor();
}

/** A short film of a phone that is held before the camera, showing this code. */
function film(path: string, digits: string): void {
  const [width, height] = [640, 480];
  const grid = encodeQR(digits, 'raw', { ecc: 'medium', border: 4 });
  const unit = Math.floor(400 / grid.length);
  const [left, top] = [width, height].map((edge) => Math.floor((edge - unit * grid.length) / 2)) as [number, number];
  const luma = Buffer.alloc(width * height, 90);
  for (let y = 0; y < unit * grid.length; y += 1) {
    for (let x = 0; x < unit * grid.length; x += 1) {
      const isDark = grid[Math.floor(y / unit)]?.[Math.floor(x / unit)] ?? false;
      luma[(top + y) * width + left + x] = isDark ? 20 : 230;
    }
  }
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, Buffer.alloc((width * height) / 2, 128)]);
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420\n`);
  writeFileSync(path, Buffer.concat([head, ...Array<Buffer>(10).fill(frame)]));
}

/** A browser before whose camera a phone is held that shows this code; what to do when it is no longer needed. */
export async function seeing(digits: string): Promise<{ readonly browser: Browser; readonly end: () => Promise<void> }> {
  const folder = mkdtempSync(joined(tmpdir(), 'yibao-film-'));
  const path = joined(folder, 'phone.y4m');
  film(path, digits);
  const browser = await launch(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-video-capture=${path}`]);
  const end = async (): Promise<void> => {
    await browser.close();
    rmSync(folder, { recursive: true });
  };
  return { browser, end };
}

/** Opens one of a desk's main pages. */
export async function deskPage(desk: Visitor, key: string): Promise<void> {
  await desk.tab(key).click();
  await loaded(desk.page);
}

/** A clerk begins: the till has 200 yuan of change. */
export async function openShift(desk: Visitor, clerk: string): Promise<void> {
  await deskPage(desk, 'nav.day');
  await desk.field('cash.clerk').fill(clerk);
  await desk.button('day.find').click();
  await desk.field('day.float').fill('200.00');
  await desk.button('day.open').click();
  await desk.text('day.expected').waitFor();
  await deskPage(desk, 'nav.receive');
}

/** The code that the wallet shows now. */
export async function shownCode(visitor: Visitor): Promise<string> {
  await visitor.tab('tab.code').click();
  return (await visitor.page.getByTestId('code').innerText()).replace(/\s/g, '');
}

export async function receive(desk: Visitor, code: string, name: string): Promise<void> {
  await desk.field('find.code').fill(code);
  await desk.button('find.go').click();
  await desk.page.getByText(name).first().waitFor();
}

/** Takes the cash at the till before the bill is sent. */
export async function takeAtTill(desk: Visitor, clerk = 'clerk-1'): Promise<void> {
  await desk.field('cash.clerk').fill(clerk);
  await desk.button('cash.take').click();
  await desk.text('cash.taken').waitFor();
}

/** What the region's hospital charges in the stories. */
export const BILL = `item_code,name,quantity,unit_price,amount
ZJ001,普通门诊诊查费,1,15.00,15.00
XY003,阿托伐他汀钙片 20mg×28片,2,26.80,53.60
XY001,苯磺酸氨氯地平片 5mg×28片,1,18.60,18.60
`;

export async function openVisit(desk: Visitor): Promise<void> {
  await desk.button('visit.open').click();
  await desk.button('bill.quote').waitFor();
}

export async function writeBill(desk: Visitor, bill = BILL): Promise<void> {
  await desk.page.getByText(desk.t('bill.upload'), { exact: true }).click();
  await desk.field('bill.upload.text').fill(bill);
  await desk.button('bill.upload.go').click();
  // Without the personal account, so that there is something to collect whoever the patient is.
  await desk.field('bill.account').uncheck();
  await desk.button('bill.quote').click();
  await desk.page.getByRole('heading', { name: desk.t('quote.title') }).waitFor();
}

/** A newcomer joins in one story only; the stories share the region, so a file there says who did. */
function claim({ number }: Newcomer): void {
  try {
    writeFileSync(joined(data, `joined-${number}`), '', { flag: 'wx' });
  } catch (cause) {
    throw new Error(`the newcomer with number ${number} is another story's: take a place that is free`, { cause });
  }
}

/** The newcomer at a place; a test uses each but once. */
export function newcomer(place: number): Newcomer {
  const found = newcomers().at(place);
  if (found === undefined) throw new Error('the region has too few newcomers');
  return found;
}

/** The two sides of a counter. */
export type Both = { readonly wallet: Visitor; readonly desk: Visitor };

/** A phone and a desk with an open visit, quoted and ready to be sent by card. */
export async function atTheDesk(
  browser: Browser,
  place: number,
  phone: Device,
  office: Device = { language: 'en' },
  clerk?: string,
): Promise<Both> {
  const wallet = await Visitor.arrive(browser, phone, 'wallet');
  await join(wallet, newcomer(place));
  const desk = await Visitor.arrive(browser, office, 'desks');
  await signDeskIn(desk, 'hospital-1');
  if (clerk !== undefined) await openShift(desk, clerk);
  await receive(desk, await shownCode(wallet), newcomer(place).name);
  await openVisit(desk);
  await writeBill(desk);
  return { wallet, desk };
}

/** Sends the bill and opens it on the phone. */
export async function sendAndOpen({ wallet, desk }: Both): Promise<void> {
  await desk.button('send.go').click();
  await desk.text('send.waiting').waitFor();
  await wallet.tab('tab.home').click();
  await wallet.link('home.waiting.open').click();
  await wallet.button('bill.refuse').waitFor();
}
