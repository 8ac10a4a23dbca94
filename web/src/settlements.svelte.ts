/** Settlements from the newest on, read page by page as the reader asks for more. */
import type { Schemas } from './api/types.ts';
import { settlementsPage, type Row } from './receipts.ts';
import { Trying } from './trying.svelte.ts';

/** Pages that are read before somebody is told that there is nothing yet: settlements may lie behind many other receipts. */
const PAGES = 5;

export class Settlements {
  readonly trying = new Trying();
  rows = $state.raw<readonly Row[]>([]);
  /** Whether there may be more. */
  hasMore = $state(false);
  isLoaded = $state(false);
  private after: number | undefined;
  /** Who reads on waits for whoever does already: each page is read once. */
  private reading: Promise<void> = Promise.resolve();

  /** `others` reads the same receipts for what else is listed with settlements, and says how much it found. */
  constructor(private readonly others: (receipts: readonly Schemas['Receipt'][]) => number = () => 0) {}

  /** The next that there are: pages on which nothing was settled are passed over, a few at a time. */
  more = (): Promise<void> =>
    this.inTurn(async () => {
      if (this.isLoaded && !this.hasMore) return;
      const had = this.rows.length;
      for (let page = 0; page < PAGES; page += 1) {
        const found = await this.read();
        if (!this.hasMore || this.rows.length > had || found > 0) break;
      }
      this.isLoaded = true;
    });

  /** All that there are, for whoever searches or takes them away. */
  all = (): Promise<void> =>
    this.inTurn(async () => {
      while (this.hasMore || !this.isLoaded) {
        await this.read();
        this.isLoaded = true;
      }
    });

  private inTurn(reads: () => Promise<void>): Promise<void> {
    this.reading = this.reading.then(() => this.trying.run(reads));
    return this.reading;
  }

  private async read(): Promise<number> {
    const page = await settlementsPage(this.after);
    const found = this.others(page.receipts);
    this.rows = [...this.rows, ...page.rows];
    this.after = page.next;
    this.hasMore = page.next !== undefined;
    return found;
  }

  /** What came since the newest that is shown; the reader keeps the place. */
  renew = async (): Promise<void> => {
    const page = await settlementsPage(undefined);
    const newest = this.rows[0]?.id;
    this.others(page.receipts);
    const isNew = (row: Row): boolean => newest === undefined || row.id > newest;
    this.rows = [...page.rows.filter(isNew), ...this.rows];
  };
}
