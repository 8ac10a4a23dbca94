/** What somebody at a desk signs: that this key may not do it is told apart from all else that goes wrong. */
import { Problem } from '../api/client.ts';
import { Trying } from '../trying.svelte.ts';

export class Acting extends Trying {
  /** The key has not the scope for it: another key is needed, and trying again does not help. */
  needsScope = $state(false);

  override async load(does: () => Promise<void>): Promise<void> {
    this.needsScope = false;
    await super.load(async () => {
      try {
        await does();
      } catch (caught) {
        if (!(caught instanceof Problem) || caught.code !== 'organisation_key_scope_missing') throw caught;
        this.needsScope = true;
      }
    });
  }
}
