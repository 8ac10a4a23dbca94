/**
 * A bill that a desk sent: what is shown, and the id that is signed. Both come from the same values
 * in this browser; what the gateway says of them is only compared.
 */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { commitBill } from '../ledger/bill.ts';
import { toHex } from '../ledger/borsh.ts';
import { transactionId, type Content } from '../ledger/transaction.ts';
import { organisationName } from '../organisations.ts';
import { network, session } from '../session.svelte.ts';

export type Bill = {
  readonly request: Schemas['Request'];
  readonly quote: Schemas['Quote'] | undefined;
  readonly lines: readonly Schemas['LineItem'][];
  readonly hospital: string;
  readonly visit: Schemas['Visit'];
  /** Whose bill it is, where the reader acts for a relative. */
  readonly actingFor: Schemas['Relative'] | undefined;
  /** What the person signs: the content, and its id. */
  readonly content: Content<'settle_visit'>;
  readonly id: Uint8Array<ArrayBuffer>;
  /** Whether list, sums and request are one bill. */
  readonly agrees: boolean;
  /** Whether the same bill would be split otherwise now, because something was settled in between. */
  readonly changed: boolean;
};

/** Two values of JSON, whatever the order of their members. */
export function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => isSame(one[key as keyof typeof one], other[key as keyof typeof other]));
}

async function contentOf(request: Schemas['Request']): Promise<Content<'settle_visit'>> {
  const { chain_id } = await network();
  return { chain_id, ...request.head, kind: 'settle_visit', body: request.body };
}

export async function loadBill(id: string): Promise<Bill> {
  const request = await ok(api.GET('/v1/requests/{request}', { params: { path: { request: id } } }));
  const { body } = request;
  const bill: Schemas['Bill'] = JSON.parse(request.bill);
  const waits = request.standing.standing === 'waiting';
  const content = await contentOf(request);
  const [visit, hospital, quote, computed, commitment] = await Promise.all([
    ok(api.GET('/v1/visits/{visit}', { params: { path: { visit: request.visit } } })),
    organisationName(request.provider),
    waits
      ? ok(
          api.POST('/v1/quotes', {
            body: {
              visit: request.visit,
              bill,
              use_personal_account: body.use_personal_account,
              use_family_account: body.use_family_account ?? false,
            },
          }),
        )
      : undefined,
    transactionId(content),
    commitBill(request.salt, request.bill, body.sums),
  ]);
  const isOwn = request.patient.person === session.id;
  const isOneBill =
    toHex(computed) === request.request &&
    request.request === id &&
    commitment === body.bill &&
    body.visit === request.visit &&
    (isOwn ? body.consent.form === 'own_key' : body.consent.form === 'proxy' && body.consent.payer === session.id) &&
    visit.subject.person === request.patient.person;
  const isQuoted = quote === undefined || (isSame(quote.sums, body.sums) && isSame(quote.split, body.split));
  const actingFor = isOwn ? undefined : request.patient;
  return { request, quote, lines: bill.lines, hospital, visit, actingFor, content, id: computed, agrees: isOneBill, changed: !isQuoted };
}
