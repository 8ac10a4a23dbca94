/** What a wallet says of claims: where one stands in a line, and the invoices as they are written. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { CURRENCY, dayText, instantText, minorOf, money, scaleOf } from '../messages/format.ts';
import { session } from '../session.svelte.ts';
import { t } from './words.ts';

/** The most photographs of one claim. */
export const PHOTOGRAPHS_MAX = 8;
/** The most invoices of one claim. */
export const INVOICES_MAX = 16;

export type InvoiceRow = { readonly issuer: string; readonly number: string; readonly total: string };
export const emptyInvoice = (): InvoiceRow => ({ issuer: '', number: '', total: '' });

export type InvoiceFaults = { readonly issuer?: string; readonly number?: string; readonly total?: string };

export function faultsOf(row: InvoiceRow, currency: string): InvoiceFaults {
  const minor = minorOf(row.total, currency);
  return {
    ...(row.issuer.trim() === '' ? { issuer: t('claim.issuer.missing') } : {}),
    ...(/[\p{L}\p{N}]/u.test(row.number) ? {} : { number: t('claim.number.missing') }),
    ...(minor === undefined || minor === '0' ? { total: t(scaleOf(currency) === 0 ? 'claim.total.missing.whole' : 'claim.total.missing') } : {}),
  };
}

export function invoiceOf(row: InvoiceRow, currency: string): Schemas['Invoice'] {
  return { issuer: row.issuer.trim(), number: row.number.trim(), total: minorOf(row.total, currency) ?? '0' };
}

/** What was paid by all invoices together. */
export function sumOf(invoices: readonly Schemas['Invoice'][]): bigint {
  return invoices.reduce((sum, one) => sum + BigInt(one.total), 0n);
}

type Look = 'info' | 'good' | 'caution';

/** Where a claim stands: a heading, what that means, and how it looks. */
export function standingText(standing: Schemas['ClaimState']): { readonly look: Look; readonly title: string; readonly lead: string } {
  switch (standing.state) {
    case 'waiting':
      return {
        look: 'info',
        title: t('claim.waiting'),
        lead: t(standing.is_late ? 'claim.waiting.late' : 'claim.waiting.lead', { day: dayText(standing.until) }),
      };
    case 'withdrawn':
      return { look: 'info', title: t('claim.withdrawn'), lead: t('claim.withdrawn.lead') };
    case 'refused':
      return {
        look: 'caution',
        title: t('claim.refused', { when: instantText(standing.decided) }),
        lead: t(`claim.refused.${standing.reason}`),
      };
    case 'accepted': {
      const amount = money(standing.paid, CURRENCY);
      if (standing.paid === '0' && standing.owed_back === '0') return { look: 'info', title: t('claim.accepted.none'), lead: t('claim.accepted.none.lead') };
      const { payout } = standing;
      if (standing.owed_back !== '0') {
        return { look: 'caution', title: t('claim.owedBack', { amount: money(standing.owed_back, CURRENCY) }), lead: t('claim.owedBack.lead') };
      }
      if (!payout) return { look: 'caution', title: t('claim.owed', { amount }), lead: t('claim.owed.lead') };
      if (payout.status === 'done') {
        const when = instantText(payout.confirmed ?? payout.ordered);
        return { look: 'good', title: t('claim.paid', { amount }), lead: t('claim.paid.lead', { when }) };
      }
      if (payout.status === 'failed') return { look: 'caution', title: t('claim.failed', { amount }), lead: t('claim.failed.lead') };
      return { look: 'good', title: t('claim.paying', { amount }), lead: t('claim.paying.lead', { when: instantText(payout.ordered) }) };
    }
  }
}

/** Somebody for whom the reader claims, and as what. */
export type Claimant = { readonly person: string; readonly name: string; readonly by: Schemas['Actor'] };

/** For whom the reader claims besides: those who trust the reader, and those bound to whom the reader may act. */
export async function othersToClaimFor(): Promise<readonly Claimant[]> {
  const path = { person: session.id };
  const [{ wards }, family] = await Promise.all([
    ok(api.GET('/v1/persons/{person}/wards', { params: { path } })),
    ok(api.GET('/v1/persons/{person}/family', { params: { path } })),
  ]);
  const region = Number(family.region);
  const { rules } = await ok(api.GET('/v1/regions/{region}/claim-rules', { params: { path: { region } } }));
  const guarded = wards.map(({ person, name }) => ({ person, name, by: { guardian: session.id } }));
  const bound = rules?.proxies_claim ? family.members.filter((one) => one.holds && !guarded.some(({ person }) => person === one.person)) : [];
  return [...guarded, ...bound.map(({ person, name }) => ({ person, name: name || t('relatives.somebody'), by: { proxy: session.id } }))];
}

/** As what the reader claims for somebody; nothing where the reader may not. */
export async function claimantFor(person: string): Promise<Claimant | undefined> {
  if (person === session.id) return { person, name: '', by: 'own_key' };
  return (await othersToClaimFor()).find((one) => one.person === person);
}
