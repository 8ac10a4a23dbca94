/** The payment that was confirmed here and whose outcome nobody has seen: kept until somebody has, also when the page is closed. */
import { forget, keep, kept } from '../keys/store.ts';

const NAME = 'under-way';

export const underWay = (): Promise<string | undefined> => kept<string>(NAME);
export const isUnderWay = async (request: string): Promise<boolean> => (await underWay()) === request;
export const nowUnderWay = (request: string): Promise<void> => keep(NAME, request);
export const noLongerUnderWay = (): Promise<void> => forget(NAME);
