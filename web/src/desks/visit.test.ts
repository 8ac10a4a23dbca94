// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import type { Schemas } from '../api/types.ts';
import { emptyRow, type Row } from './bill.ts';
import { keptDraft } from './drafts.ts';
import { VisitAtDesk } from './visit.svelte.ts';

const DAY = '2026-01-05';
const LINE: Row = { ...emptyRow(DAY), code: 'ZJ001', name: 'consultation', price: '15.00', amount: '15.00' };
const reception = { visit: 'v', subject: { admitted: DAY } } as Schemas['Reception'];

let visit: VisitAtDesk;
beforeEach(() => {
  sessionStorage.clear();
  visit = new VisitAtDesk('v');
  visit.rows = [LINE, emptyRow(DAY)];
});

/** The visit with a quote for what is written in it now. */
function quoted(): void {
  visit.quoted = { quote: {} as Schemas['Quote'], bill: visit.bill, ...visit.accounts };
}

describe('a quote', () => {
  it('holds for the bill and the accounts that it was asked for, and for nothing else', () => {
    quoted();
    expect(visit.isStale).toBe(false);
    visit.useFamily = false;
    expect(visit.isStale).toBe(true);
    visit.useFamily = true;
    expect(visit.isStale).toBe(false);
    visit.rows = [{ ...LINE, price: '16.00', amount: '16.00' }];
    expect(visit.isStale).toBe(true);
  });

  it('for the phone does not hold at the desk, by whose word no account pays', () => {
    quoted();
    visit.way = 'desk';
    expect(visit.accounts).toEqual({ useAccount: false, useFamily: false });
    expect(visit.isStale).toBe(true);
  });

  it('is not asked for while a line has a fault or there is none, and what is missing is then said', async () => {
    visit.rows = [{ ...LINE, amount: '14.00' }];
    expect(visit.hasFaults).toBe(true);
    await visit.quote();
    expect([visit.touched, visit.quoted, visit.trying.error]).toEqual([true, undefined, undefined]);
    visit.rows = [emptyRow(DAY)];
    expect(visit.filled).toEqual([]);
    await visit.quote();
    expect([visit.quoted, visit.trying.error]).toEqual([undefined, undefined]);
  });
});

it('nothing is settled on a quote that holds no more, nor at the desk before the card was read', async () => {
  quoted();
  visit.useAccount = false;
  await visit.settle(null);
  expect([visit.cardTouched, visit.trying.error]).toEqual([false, undefined]);
  visit.way = 'desk';
  quoted();
  await visit.settle(null);
  expect([visit.cardTouched, visit.receipt, visit.trying.error]).toEqual([true, undefined, undefined]);
});

describe('what is being written', () => {
  it('stays in this tab once the visit is known', () => {
    visit.keep();
    expect(keptDraft('v')).toBeUndefined();
    visit.reception = reception;
    visit.keep();
    expect(keptDraft('v')?.rows).toEqual([LINE, emptyRow(DAY)]);
  });

  it.each(['sent', 'settled'])('is forgotten when it is %s', (what) => {
    visit.reception = reception;
    visit.keep();
    if (what === 'settled') visit.receipt = 7;
    else visit.request = { standing: { standing: 'waiting' } } as Schemas['Request'];
    visit.keep();
    expect(keptDraft('v')).toBeUndefined();
  });
});
