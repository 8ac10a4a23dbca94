import { t } from './words.ts';

/** What people call a scheme. */
export function schemeName(scheme: number): string {
  return scheme === 310 || scheme === 390 ? t(`scheme.${scheme}`) : t('scheme.other', { scheme });
}
