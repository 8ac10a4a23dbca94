/**
 * A visit as its provider's desk works on it: the bill, its quote, and the settlement, confirmed on a phone or with the identity card here.
 * Who the patient is, what waits and what was taken stands on the server, and the bill that is being written in this tab:
 * so a page goes on after a reload, and another clerk goes on with it.
 */
import { api, NoAnswer, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { CURRENCY, scaleOf } from '../messages/format.ts';
import { Trying } from '../trying.svelte.ts';
import { billOf, emptyRow, faultsOf, isBlank, rowsOf, type Row } from './bill.ts';
import { act, desk } from './desk.svelte.ts';
import { forgetDraft, keepDraft, keptDraft, type Quoted, type Way } from './drafts.ts';
import { sendSettlement, settleHere } from './settling.ts';
import { Till } from './till.svelte.ts';

export class VisitAtDesk {
  reception = $state.raw<Schemas['Reception']>();
  /** Whether the server was asked, and has no such visit for this organisation. */
  isUnknown = $state(false);
  rows = $state.raw<readonly Row[]>([]);
  way = $state<Way>('phone');
  useAccount = $state(true);
  useFamily = $state(true);
  quoted = $state.raw<Quoted>();
  /** The request that the page shows; another quote puts it out of sight. */
  request = $state.raw<Schemas['Request']>();
  receipt = $state<number>();
  card = $state<Schemas['IdentityDocument']>({ name: '', number: '' });
  /** Whether somebody tried to settle with the card, or to quote the bill: then what is missing is said. */
  cardTouched = $state(false);
  touched = $state(false);
  readonly till: Till;
  readonly trying = new Trying((caught) => {
    // What was quoted holds no more when another settlement came in between.
    if (caught instanceof Problem && caught.code === 'split_outdated') this.quoted = undefined;
    return caught;
  });

  constructor(readonly visit: string) {
    this.till = new Till(visit);
  }

  readonly patient = $derived(this.reception?.patient);
  /** The relative who showed the code: that one is asked, and that one's card pays. */
  readonly proxy = $derived(this.patient?.shown_by);
  readonly day = $derived(this.reception?.subject.admitted ?? '');
  readonly filled = $derived(this.rows.filter((row) => !isBlank(row)));
  readonly bill = $derived(JSON.stringify(billOf(this.rows, CURRENCY)));
  /** Nobody's account pays by the word of a desk. */
  readonly accounts = $derived(
    this.way === 'desk' ? { useAccount: false, useFamily: false } : { useAccount: this.useAccount, useFamily: this.useFamily },
  );
  readonly isStale = $derived(
    this.quoted !== undefined &&
      (this.quoted.bill !== this.bill ||
        this.quoted.useAccount !== this.accounts.useAccount ||
        this.quoted.useFamily !== this.accounts.useFamily),
  );
  readonly hasFaults = $derived(this.filled.some((row) => faultsOf(row, CURRENCY, scaleOf(CURRENCY)).length > 0));
  readonly standing = $derived(this.request?.standing);
  readonly isAsked = $derived(this.standing?.standing === 'waiting');
  readonly isSettled = $derived(this.receipt !== undefined);

  private settled(number: number): void {
    this.receipt = number;
    desk.done(this.visit);
  }

  private ask(): Promise<Schemas['Reception']> {
    return ok(api.GET('/v1/visits/{visit}/reception', { params: { path: { visit: this.visit } } }));
  }

  /** Goes on where this tab, or another clerk's last request, left off. */
  private goOn(found: Schemas['Reception']): void {
    this.request = found.request ?? undefined;
    const sent = found.request?.body;
    const firstDay = found.subject.admitted;
    // What waits for the patient is shown as it was sent, whoever sent it.
    const draft = found.request?.standing.standing === 'waiting' ? undefined : keptDraft(this.visit);
    if (draft) {
      const { rows, way, useAccount, useFamily, quoted } = draft;
      Object.assign(this, { rows, way, useAccount, useFamily, quoted });
    } else if (found.request && sent) {
      this.rows = rowsOf((JSON.parse(found.request.bill) as Schemas['Bill']).lines);
      this.useAccount = sent.use_personal_account;
      this.useFamily = sent.use_family_account ?? false;
    } else this.rows = [emptyRow(firstDay), emptyRow(firstDay), emptyRow(firstDay)];
    this.card = desk.shown.get(this.visit) ?? { name: found.patient?.name ?? '', number: '' };
    const { standing } = found.request ?? {};
    const number = found.settled ?? (standing?.standing === 'settled' ? standing.receipt : undefined);
    if (number != null) this.settled(number);
  }

  load(): Promise<void> {
    return this.trying.load(async () => {
      try {
        const found = await this.ask();
        await this.till.load();
        this.goOn(found);
        this.reception = found;
      } catch (caught) {
        if (!(caught instanceof Problem && caught.code === 'not_found')) throw caught;
        this.isUnknown = true;
        await this.till.load();
      }
    });
  }

  /** Keeps what is being written; what was sent or settled the server has. */
  keep(): void {
    const { reception, rows, way, useAccount, useFamily, quoted, visit } = this;
    if (reception === undefined || rows.length === 0) return;
    if (this.isAsked || this.isSettled) forgetDraft(visit);
    else keepDraft(visit, { rows, way, useAccount, useFamily, quoted });
  }

  async quote(): Promise<void> {
    this.touched = true;
    if (this.filled.length === 0 || this.hasFaults) return;
    await this.trying.run(async () => {
      const asked = { bill: this.bill, ...this.accounts };
      const pays = { use_personal_account: asked.useAccount, use_family_account: asked.useFamily };
      const body = { visit: this.visit, bill: JSON.parse(asked.bill), ...pays };
      this.quoted = { quote: await ok(api.POST('/v1/quotes', { body })), ...asked };
      this.request = undefined;
    });
  }

  async settle(cash: Schemas['CashLeg'] | null): Promise<void> {
    const { quoted, card, way } = this;
    if (quoted === undefined || this.isStale) return;
    this.cardTouched = true;
    if (way === 'desk' && (card.name.trim() === '' || card.number.trim() === '')) return;
    await this.trying.run(async () => {
      if (way === 'desk') await this.here(quoted, cash);
      else this.request = await sendSettlement(this.visit, quoted, cash, this.proxy?.person);
    });
  }

  /** When no answer comes it may be settled all the same: then the visit says so. */
  private async here(asked: Quoted, cash: Schemas['CashLeg'] | null): Promise<void> {
    try {
      this.settled(await settleHere(this.visit, asked, cash, this.card));
    } catch (caught) {
      if (!(caught instanceof NoAnswer)) throw caught;
      const found = await this.ask();
      if (found.settled == null) throw caught;
      this.settled(found.settled);
    }
  }

  async withdraw(): Promise<void> {
    if (this.request === undefined) return;
    const path = { request: this.request.request };
    await this.trying.run(async () => {
      try {
        await ok(api.DELETE('/v1/requests/{request}', { params: { path } }));
      } finally {
        await this.look();
      }
    });
  }

  /** What became of the request. */
  async look(): Promise<void> {
    if (this.request === undefined) return;
    const path = { request: this.request.request };
    this.request = await ok(api.GET('/v1/requests/{request}', { params: { path } }));
    if (this.request.standing.standing === 'settled') this.settled(this.request.standing.receipt);
  }

  async cancel(): Promise<void> {
    await this.trying.run(async () => {
      await act('cancel_visit', { visit: this.visit });
      desk.done(this.visit);
      location.hash = '#/';
    });
  }
}
