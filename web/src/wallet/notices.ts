/** What the wallet says of notices. */
import type { Schemas } from '../api/types.ts';
import { instantText } from '../messages/format.ts';
import { t } from './words.ts';

export type Notice = Schemas['Notice'];
export type About = Notice['about'];

/** The page on which the thing itself stands. */
export const PAGE_OF: Readonly<Record<About, string>> = {
  request: '/',
  protection: '/lock',
  money: '/history',
  family: '/family',
  answer: '/inquiries',
};

/** Where a notice leads that was shown outside the wallet; to the first page from one that nobody knows. */
export const pageOf = (about: string): string => (Object.hasOwn(PAGE_OF, about) ? PAGE_OF[about as About] : '/');

/** What is shown, with what is unseen in front of it, each once. */
export function withNew(shown: readonly Notice[], all: readonly Notice[]): readonly Notice[] {
  const known = new Set(shown.map((one) => one.notice));
  return [...all.filter((one) => !one.seen && !known.has(one.notice)), ...shown];
}

/** What became of a notice, a line for each way. */
export function outcomes(notice: Notice): string[] {
  // What was seen is not tried again.
  const deliveries = notice.deliveries.filter((one) => !(notice.seen && one.state === 'trying'));
  const lines = deliveries.map((one) => {
    const when = 'when' in one ? instantText(one.when) : '';
    return t(`notices.${one.channel}.${one.state}`, { when });
  });
  if (notice.seen) lines.unshift(t('notices.seen', { when: instantText(notice.seen) }));
  return lines.length > 0 ? lines : [t('notices.waiting')];
}
