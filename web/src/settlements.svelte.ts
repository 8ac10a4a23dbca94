/** Settlements from the newest on, read page by page as the reader asks for more. */
import { settlementsPage, type Row } from './receipts.ts';
import { Trying } from './trying.svelte.ts';

export class Settlements {
  readonly trying = new Trying();
  rows = $state.raw<readonly Row[]>([]);
  /** Whether there may be more. */
  hasMore = $state(false);
  isLoaded = $state(false);
  private after: number | undefined;

  /** The next that there are: pages on which nothing was settled are passed over. */
  more = (): Promise<void> =>
    this.trying.run(async () => {
      const had = this.rows.length;
      do await this.read();
      while (this.hasMore && this.rows.length === had);
      this.isLoaded = true;
    });

  /** All that there are, for whoever searches or takes them away. */
  all = (): Promise<void> =>
    this.trying.run(async () => {
      while (this.hasMore || !this.isLoaded) {
        await this.read();
        this.isLoaded = true;
      }
    });

  private async read(): Promise<void> {
    const page = await settlementsPage(this.after);
    this.rows = [...this.rows, ...page.rows];
    this.after = page.next;
    this.hasMore = page.next !== undefined;
  }

  /** What came since the newest that is shown; the reader keeps the place. */
  renew = async (): Promise<void> => {
    const newest = this.rows[0]?.id;
    const page = await settlementsPage(undefined);
    const isNew = (row: Row): boolean => newest === undefined || row.id > newest;
    this.rows = [...page.rows.filter(isNew), ...this.rows];
  };
}
