/** What the wallet says of notices. */
import type { Schemas } from '../api/types.ts';
import { instantText } from '../messages/format.ts';
import { t } from './words.ts';

export type Notice = Schemas['Notice'];
export type About = Notice['about'];

/** The page on which the thing itself stands. */
export const PAGE_OF: Readonly<Record<About, string>> = {
  request: '#/',
  protection: '#/lock',
  money: '#/history',
  family: '#/family',
  answer: '#/inquiries',
};

/** What became of a notice, a line for each way. */
export function outcomes(notice: Notice): string[] {
  const lines = notice.deliveries.map((one) => {
    const when = 'when' in one ? instantText(one.when) : '';
    return t(`notices.${one.channel}.${one.state}`, { when });
  });
  if (notice.seen) lines.unshift(t('notices.seen', { when: instantText(notice.seen) }));
  return lines.length > 0 ? lines : [t('notices.waiting')];
}
