/** The registry by file at the bureau's desk: line by line, in an office's own encoding, gone on with after a break. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LANGUAGES } from '../src/messages/messages.svelte.ts';
import { numberOf } from './bureau.ts';
import { deskPage, launch, newcomer, signDeskIn, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const YEAR = new Date().getFullYear();
/** Text as Chinese offices' spreadsheets save it. */
function gb18030(text: string): Buffer {
  const decoder = new TextDecoder('gb18030');
  const known = new Map<string, number[]>();
  for (let high = 0x81; high <= 0xfe; high += 1) {
    for (let low = 0x40; low <= 0xfe; low += 1) if (low !== 0x7f) known.set(decoder.decode(Uint8Array.of(high, low)), [high, low]);
  }
  return Buffer.from([...text].flatMap((one) => (one.charCodeAt(0) < 0x80 ? [one.charCodeAt(0)] : (known.get(one) ?? []))));
}

async function open(desk: Visitor): Promise<void> {
  await deskPage(desk, 'nav.people');
  await desk.link('registry.open').click();
  await desk.field('premiums.list.file').waitFor();
}

async function upload(desk: Visitor, buffer: Buffer): Promise<void> {
  await desk.field('premiums.list.file').setInputFiles({ name: 'registry.csv', mimeType: 'text/csv', buffer });
}

const HEAD = '姓名,证件号码,险种,参保起,参保止,人员身份';
const rowOf = (name: string, number: string, scheme = '职工'): string => `${name},${number},${scheme},${YEAR}-01-01,${YEAR}-12-31,`;

it('a file in the office’s encoding enrols new people; what is wrong says so in its line', async () => {
  const known = newcomer(21);
  const [first, second, third] = [numberOf(0), numberOf(1), numberOf(2)] as const;
  const desk = await Visitor.arrive(browser, { language: 'zh-Hans' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections');
  await open(desk);
  const downloading = desk.page.waitForEvent('download');
  await desk.button('premiums.list.template').click();
  expect((await downloading).suggestedFilename()).toBe('registry.csv');
  await upload(desk, gb18030(`姓名,险种\n测试甲,职工\n`));
  await desk.page.getByText(desk.t('premiums.list.head', { column: 'number' })).waitFor();
  const file = gb18030(
    [
      HEAD,
      rowOf('欧阳测一', first),
      rowOf('测试二', second, '居民'),
      rowOf('欧阳测一', first),
      rowOf(`${known.name}某`, known.number),
      rowOf('测试三', `${third.slice(0, 17)}${third.endsWith('1') ? '2' : '1'}`),
      `测试三,${third},职工,${YEAR}-12-31,${YEAR}-01-01,`,
    ].join('\r\n'),
  );
  await upload(desk, file);
  await desk.page.getByText(desk.t('registry.ready.other', { count: '2' })).first().waitFor();
  await desk.page.getByText(desk.t('premiums.list.twice', { line: '2' })).waitFor();
  await desk.page.getByText(desk.t('premiums.list.wrong.other', { count: '4' })).waitFor();
  await desk.check('desk-registry');

  // The line is cut when the gateway has done it: going on does nothing twice.
  const imports = '**/registry-imports';
  await desk.page.route(imports, async (route) => {
    await route.fetch();
    await route.abort();
  });
  await desk.page.getByRole('button', { name: desk.t('registry.go.other', { count: '2' }) }).click();
  await desk.page.getByRole('alert').waitFor();
  desk.forgiveLostConnection();
  await desk.check('desk-registry-cut');
  await desk.page.unroute(imports);
  await desk.page.getByRole('alert').getByRole('button').click();
  await desk.page.getByText(desk.t('registry.done.other', { count: '2' })).waitFor();
  await desk.check('desk-registry-done');
  const results = desk.page.waitForEvent('download');
  await desk.button('premiums.list.export').click();
  expect((await results).suggestedFilename()).toBe('registry-results.csv');

  // The same file again finds all of it there.
  await desk.page.reload();
  await desk.field('premiums.list.file').waitFor();
  await upload(desk, file);
  await desk.page.getByText(desk.t('registry.known.other', { count: '2' })).waitFor();
  expect(await desk.page.getByRole('button', { name: /^导入/ }).count()).toBe(0);

  // Who was enrolled is a person of the region, covered by what the line said.
  await deskPage(desk, 'nav.people');
  await desk.field('premiums.find.name').fill('测试二');
  await desk.field('premiums.find.number').fill(second);
  await desk.button('premiums.find.go').click();
  await desk.page.getByText(desk.t('scheme.390')).waitFor();
  await desk.page.getByRole('heading', { name: '测试二', level: 1 }).waitFor();
  await desk.leave();
});

it('a long list goes on in batches where it was broken off', async () => {
  const desk = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections');
  await open(desk);
  const file = Buffer.from([HEAD, ...Array.from({ length: 1_100 }, (_, at) => rowOf('测试', numberOf(1_000 + at), '310'))].join('\n'));
  await upload(desk, file);
  await desk.page.getByText(desk.t('registry.ready.other', { count: '1,100' })).first().waitFor();
  // The second batch never gets there, and the tab is closed on it.
  let sent = 0;
  await desk.page.route('**/registry-imports', async (route) => {
    sent += 1;
    await (sent > 1 ? route.abort() : route.continue());
  });
  await desk.page.getByRole('button', { name: desk.t('registry.go.other', { count: '1,100' }) }).click();
  await desk.page.getByRole('alert').waitFor();
  desk.forgiveLostConnection();
  await desk.page.unroute('**/registry-imports');
  await desk.page.reload();
  await desk.field('premiums.list.file').waitFor();
  await upload(desk, file);
  await desk.page.getByText(desk.t('registry.ready.other', { count: '600' })).first().waitFor();
  await desk.page.getByText(desk.t('registry.known.other', { count: '500' })).waitFor();
  await desk.page.getByRole('button', { name: desk.t('registry.go.other', { count: '600' }) }).click();
  await desk.page.getByText(desk.t('registry.done.other', { count: '600' })).waitFor();
  await desk.check('desk-registry-long');
  await desk.leave();
});

it('only the registration office imports, and the page is whole in every language', async () => {
  const desk = await Visitor.arrive(browser, { language: 'zh-Hant' }, 'desks');
  await signDeskIn(desk, 'bureau', 'nav.objections', 'clerk');
  await open(desk);
  await upload(desk, Buffer.from(`name,number\n測試,${numberOf(0)}`));
  await desk.text('registry.scope').waitFor();
  await desk.check('desk-registry-scope');
  for (const language of LANGUAGES) {
    await desk.page.evaluate((chosen) => localStorage.setItem('yibao.language', chosen), language);
    await desk.page.reload();
    await desk.page.locator('main h2').first().waitFor();
    await desk.check(`desk-registry-${language}`);
  }
  await desk.leave();
});
