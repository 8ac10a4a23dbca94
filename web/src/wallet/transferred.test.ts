import { expect, it } from 'vitest';
import { TransferBook } from './transferred.ts';

type Read = Parameters<TransferBook['read']>[0][number];

const field = (name: string, type: string, value: unknown) => ({ name, value: { type, value } });

/** A step of the transfer with this letter, 100 yuan from `aa` to `bb`. */
function step(id: number, kind: string, letter: string, sender = 'aa', receiver = 'bb'): Read {
  const fields = [
    field('transfer', 'hash', letter.repeat(64)),
    field('amount', 'amount', { amount: '10000', currency: 'CNY' }),
    field('sender', 'party', `person:${sender}`),
    field('receiver', 'party', `person:${receiver}`),
    field('until', 'timestamp', '2026-01-03T04:00:00Z'),
  ];
  return { id, time: `2026-01-02T04:00:0${id}Z`, kind, outcome: { status: 'accepted' }, fields } as unknown as Read;
}
const now = new Date('2026-01-03T00:00:00Z');

it('what was sent and received stands with how it ended, whichever receipt was read first', () => {
  const book = new TransferBook('aa');
  // The newest first, as a history reads them: the end before the beginning.
  expect(book.read([step(5, 'withdraw_transfer', 'b'), step(4, 'send_transfer', 'b')])).toBe(1);
  expect(book.read([step(3, 'claim_transfer', 'a'), step(2, 'send_transfer', 'a'), step(1, 'send_transfer', 'c', 'cc', 'aa')])).toBe(2);
  const rows = book.rows(now).map(({ id, isMine, other, state, when, amount }) => [id, isMine, other, state, when, amount]);
  expect(rows).toEqual([
    [4, true, 'bb', 'withdrawn', '2026-01-02T04:00:05Z', '10000'],
    [2, true, 'bb', 'claimed', '2026-01-02T04:00:03Z', '10000'],
    [1, false, 'cc', 'waiting', '2026-01-03T04:00:00Z', '10000'],
  ]);
  // Read again, as after something new, nothing is there twice.
  expect(book.read([step(2, 'send_transfer', 'a')])).toBe(0);
});

it('at the end of its term, to the second, it came back without anybody doing anything', () => {
  const book = new TransferBook('aa');
  book.read([step(1, 'send_transfer', 'a')]);
  const state = (instant: string) => book.rows(new Date(instant)).map((one) => one.state);
  expect(state('2026-01-03T03:59:59Z')).toEqual(['waiting']);
  expect(state('2026-01-03T04:00:00Z')).toEqual(['returned']);
});

it('a refused sending and receipts of other things are no transfers', () => {
  const book = new TransferBook('aa');
  const refused = { ...step(1, 'send_transfer', 'a'), outcome: { status: 'rejected', code: 'transfer_at_night', title: '' } } as Read;
  expect(book.read([refused, { ...step(2, 'settle_visit', 'b'), fields: [] }])).toBe(0);
  expect(book.rows(now)).toEqual([]);
});
