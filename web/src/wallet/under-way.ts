/**
 * The payment that was confirmed here and whose outcome nobody has seen: kept until somebody has, also
 * when the page is closed.
 */
import { forget, keep, kept } from '../keys/store.ts';

const NAME = 'under-way';

export type UnderWay = {
  readonly request: string;
  /** When it was confirmed, by this device's clock. */
  readonly since: number;
};

export const underWay = (): Promise<UnderWay | undefined> => kept<UnderWay>(NAME);
export const nowUnderWay = (request: string): Promise<void> => keep(NAME, { request, since: Date.now() });

/** Its outcome is known; another payment's stays. */
export async function noLongerUnderWay(request: string): Promise<void> {
  if ((await underWay())?.request === request) await forget(NAME);
}

/** Whoever has this device next is told nothing of it. */
export const forgetUnderWay = (): Promise<void> => forget(NAME);
