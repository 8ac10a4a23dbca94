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

  more = (): Promise<void> =>
    this.trying.run(async () => {
      const page = await settlementsPage(this.after);
      this.rows = [...this.rows, ...page.rows];
      this.after = page.next;
      this.hasMore = page.next !== undefined;
      this.isLoaded = true;
    });

  /** What came since the newest that is shown; the reader keeps the place. */
  renew = async (): Promise<void> => {
    const newest = this.rows[0]?.id;
    const page = await settlementsPage(undefined);
    const isNew = (row: Row): boolean => newest === undefined || row.id > newest;
    this.rows = [...page.rows.filter(isNew), ...this.rows];
  };
}
