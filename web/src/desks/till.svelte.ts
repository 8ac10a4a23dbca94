/** What was taken at the till for a visit: the till's book says it, not the page. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { randomHex } from '../ledger/transaction.ts';
import { session } from '../session.svelte.ts';

/** The rail of a provider's own tills. */
export const TILL = 'counter';
/** The clerk who acts at this tab's till. */
const CLERK = 'yibao.desk.clerk';

export const clerkHere = (): string => sessionStorage.getItem(CLERK) ?? '';
export const rememberClerk = (clerk: string): void => sessionStorage.setItem(CLERK, clerk);
export const forgetClerk = (): void => sessionStorage.removeItem(CLERK);

export class Till {
  takings = $state.raw<readonly Schemas['TakingBefore'][]>([]);
  /** What the payer gets back for the money that was just taken. */
  change = $state<string>();
  /** Kept for a second try: the same money is booked once. */
  private readonly salt = randomHex(32);

  constructor(private readonly visit: string) {}

  private get path() {
    return { organisation: session.id, rail: TILL };
  }

  /** Money that lies in a till and that nothing was settled with. */
  get left(): Schemas['TakingBefore'] | undefined {
    return this.takings.find((one) => BigInt(one.given_back) < BigInt(one.amount));
  }

  /** The number of the next try: what was handed back can be used for nothing any more. */
  private get next(): number {
    return this.takings.reduce((next, one) => Math.max(next, one.attempt + 1), 0);
  }

  async load(): Promise<void> {
    const path = { ...this.path, visit: this.visit };
    try {
      const found = await ok(api.GET('/v1/organisations/{organisation}/rails/{rail}/takings/{visit}', { params: { path } }));
      this.takings = found.takings;
    } catch (caught) {
      // An organisation without tills, or a key that may not look into them, has nothing there.
      if (!(caught instanceof Problem && ['not_found', 'scope_not_held'].includes(caught.code))) throw caught;
      this.takings = [];
    }
  }

  async take(clerk: string, due: string, tendered: string): Promise<void> {
    const body = { visit: this.visit, attempt: this.next, clerk, due, tendered, salt: this.salt };
    try {
      const taken = await this.book(body);
      this.change = taken.change;
    } finally {
      // Whatever the answer was, or if none came: what lies there is read off the till's book.
      await this.load();
    }
  }

  /** The leg of a settlement that this money pays. */
  async leg(taken: Schemas['TakingBefore']): Promise<Schemas['CashLeg']> {
    const { attempt, clerk, amount } = taken;
    // The same again is the same payment, and gives its commitment.
    const { authorisation } = await this.book({ visit: this.visit, attempt, clerk, due: amount, tendered: amount, salt: this.salt });
    return { executor: session.id, rail: TILL, kind: 'counter', authorisation };
  }

  private book(body: Schemas['TakingRequest']): Promise<Schemas['TakenMoney']> {
    return ok(api.POST('/v1/organisations/{organisation}/rails/{rail}/takings', { params: { path: this.path }, body }));
  }

  async handBack(taken: Schemas['TakingBefore'], clerk: string, reason: string): Promise<void> {
    const path = { ...this.path, visit: this.visit };
    const body = { attempt: taken.attempt, clerk, reason };
    await ok(api.POST('/v1/organisations/{organisation}/rails/{rail}/takings/{visit}/returns', { params: { path }, body }));
    this.change = undefined;
    await this.load();
  }
}
