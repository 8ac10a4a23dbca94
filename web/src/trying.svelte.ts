/** What a reader waits for: whether it goes on, and what went wrong with it. */

export class Trying {
  busy = $state(false);
  error = $state<unknown>();

  /** `told` says what of a failure is shown: a field may say it already, and then nothing else does. */
  constructor(private readonly told: (caught: unknown) => unknown = (caught) => caught) {}

  /** Something that the reader started: the buttons that would start it again show that it goes on. */
  async run(does: () => Promise<void>): Promise<void> {
    this.busy = true;
    try {
      await this.load(does);
    } finally {
      this.busy = false;
    }
  }

  /** Something that the page fetches by itself: nobody is kept from pressing a button meanwhile. */
  async load(does: () => Promise<void>): Promise<void> {
    this.error = undefined;
    try {
      await does();
    } catch (caught) {
      this.error = this.told(caught);
    }
  }
}
