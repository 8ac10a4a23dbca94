/** The wallet computes a bill again with the ledger's own engine before it may be confirmed. */
import type { Browser, Route } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Schemas } from '../src/api/types.ts';
import { toHex } from '../src/ledger/borsh.ts';
import { transactionId } from '../src/ledger/transaction.ts';
import { atTheDesk, launch, sendAndOpen, takeAtTill, url, type Both, type Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function leave({ wallet, desk }: Both): Promise<void> {
  await wallet.leave();
  await desk.leave();
}

const more = (amount: string): string => String(BigInt(amount) + 100n);

/**
 * A gateway that asks for one yuan more than the rules give, and says so in every one of its answers,
 * so that bill, quote and what is signed agree with each other.
 */
async function askForMore({ context }: Visitor): Promise<void> {
  const { chain_id } = (await (await fetch(`${url}/v1/network`)).json()) as Schemas['NetworkParameters'];
  const real = new Map<string, string>();
  const raised = async (request: Schemas['Request']): Promise<Schemas['Request']> => {
    const { split } = request.body;
    const body = { ...request.body, split: { ...split, cash: more(split.cash), self_paid: more(split.self_paid) } };
    const id = toHex(await transactionId({ chain_id, ...request.head, kind: 'settle_visit', body }));
    real.set(id, request.request);
    return { ...request, body, request: id };
  };
  await context.route('**/v1/persons/*/requests', async (route) => {
    const answer = await route.fetch();
    const { requests } = (await answer.json()) as Schemas['RequestList'];
    await route.fulfill({ response: answer, json: { requests: await Promise.all(requests.map(raised)) } });
  });
  await context.route('**/v1/requests/*', async (route: Route) => {
    const asked = route.request().url();
    const id = asked.slice(asked.lastIndexOf('/') + 1);
    const answer = await route.fetch({ url: asked.replace(id, real.get(id) ?? id) });
    await route.fulfill({ response: answer, json: await raised((await answer.json()) as Schemas['Request']) });
  });
  await context.route('**/v1/quotes', async (route) => {
    const answer = await route.fetch();
    const quote = (await answer.json()) as Schemas['Quote'];
    const add = <T extends { cash: string; self_paid: string }>(one: T): T => ({
      ...one,
      cash: more(one.cash),
      self_paid: more(one.self_paid),
    });
    const parts = quote.parts.map((part) => ({ ...part, adjudication: add(part.adjudication) }));
    await route.fulfill({ response: answer, json: { ...quote, split: add(quote.split), parts } });
  });
}

it('the phone calculates a bill again and comes to the same; without the engine it says whose the amounts are', async () => {
  const both = await atTheDesk(browser, 26, { language: 'zh-Hans' });
  const { wallet } = both;
  const loaded: string[] = [];
  wallet.page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
  await wallet.context.route('**/adjudicate.wasm', (route) => route.fulfill({ status: 404, body: '' }));
  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.code').waitFor();
  // Nothing of it is loaded before a bill waits.
  expect(loaded).not.toContain('/adjudicate.wasm');
  await sendAndOpen(both);
  await wallet.text('bill.computed.unknown').waitFor();
  await wallet.check('bill-not-computed');

  await wallet.context.unroute('**/adjudicate.wasm');
  await wallet.page.reload();
  await wallet.text('bill.computed.same').waitFor();
  await wallet.check('bill-computed');
  expect(loaded).toContain('/adjudicate.wasm');
  await wallet.button('bill.pay').click();
  await wallet.text('visit.done.good').waitFor();
  await leave(both);
});

it('a bill that asks for more than the rules give cannot be confirmed', async () => {
  const both = await atTheDesk(browser, 9, { language: 'de', width: 320, size: 'large' });
  const { wallet, desk } = both;
  await askForMore(wallet);
  await takeAtTill(desk);
  await desk.button('send.go').click();
  await desk.text('send.waiting').waitFor();
  await wallet.tab('tab.home').click();
  await wallet.link('home.waiting.open').click();
  await wallet.text('bill.differs.title').waitFor();
  expect(await wallet.button('bill.pay').count()).toBe(0);
  await wallet.check('bill-differs');
  await leave(both);
});
