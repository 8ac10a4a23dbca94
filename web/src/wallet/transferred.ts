/** Money between wallets as a history tells it: read from receipts, which have all of it, whoever is still a relative. */
import type { Schemas } from '../api/types.ts';

type Receipt = Pick<Schemas['Receipt'], 'id' | 'time' | 'kind' | 'outcome' | 'fields'>;
type State = 'waiting' | 'claimed' | 'withdrawn' | 'returned';
type Sent = {
  /** The receipt of the sending. */
  readonly id: number;
  readonly transfer: string;
  readonly time: string;
  /** Whether the reader sent it. */
  readonly isMine: boolean;
  /** The person on the other side. */
  readonly other: string;
  readonly amount: string;
  readonly currency: string;
  readonly until: string;
};
export type Transferred = Sent & { readonly state: State; readonly when: string };

const ENDS: Readonly<Record<string, 'claimed' | 'withdrawn'>> = { claim_transfer: 'claimed', withdraw_transfer: 'withdrawn' };

/** The id in `person:0102…`. */
const personOf = (party: unknown): string => (typeof party === 'string' ? party.replace('person:', '') : '');

/** All transfers of a person of which receipts were read so far, in any order. */
export class TransferBook {
  private readonly sent = new Map<string, Sent>();
  private readonly ends = new Map<string, { readonly state: State; readonly when: string }>();

  constructor(private readonly person: string) {}

  /** Notes what receipts say of transfers; gives how many of them were new. */
  read(receipts: readonly Receipt[]): number {
    const before = this.sent.size;
    for (const receipt of receipts) {
      if (receipt.outcome.status === 'accepted') this.note(receipt);
    }
    return this.sent.size - before;
  }

  /** The newest first, with what became of each by now: what nobody claimed in time came back by itself. */
  rows(now: Date): readonly Transferred[] {
    const standing = ({ transfer, until }: Sent): { readonly state: State; readonly when: string } =>
      this.ends.get(transfer) ?? { state: Date.parse(until) <= now.getTime() ? 'returned' : 'waiting', when: until };
    return [...this.sent.values()].sort((one, other) => other.id - one.id).map((one) => ({ ...one, ...standing(one) }));
  }

  private note({ id, time, kind, fields }: Receipt): void {
    const values = new Map(fields.map(({ name, value }) => [name, value?.value]));
    const transfer = values.get('transfer');
    if (typeof transfer !== 'string') return;
    const end = ENDS[kind];
    if (end !== undefined) this.ends.set(transfer, { state: end, when: time });
    const [sender, receiver] = [personOf(values.get('sender')), personOf(values.get('receiver'))];
    const [amount, until] = [values.get('amount'), values.get('until')];
    if (kind !== 'send_transfer' || typeof amount !== 'object' || typeof until !== 'string') return;
    const isMine = sender === this.person;
    const { currency } = amount;
    this.sent.set(transfer, { id, transfer, time, isMine, other: isMine ? receiver : sender, amount: amount.amount, currency, until });
  }
}

/** The day of an instant by the reader's clock, as `2026-03-31`. */
export function localDay(instant: string): string {
  const time = new Date(instant);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}
