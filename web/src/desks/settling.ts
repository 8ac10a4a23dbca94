/** A settlement that a desk brings: to the patient's phone, or at once for whoever shows the identity card. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { commitBill } from '../ledger/bill.ts';
import { randomHex } from '../ledger/transaction.ts';
import { tidyNumber } from '../identity.ts';
import { draft, signed } from './desk.svelte.ts';
import type { Quoted } from './drafts.ts';

/** For how long a patient is asked, in milliseconds. */
const ASKED_MILLIS = 15 * 60_000;

type Sent = { content: string; authorisations: Schemas['Authorisation'][]; bill: string; salt: string };

async function made(visit: string, quoted: Quoted, cash: Schemas['CashLeg'] | null, consent: Schemas['Consent']): Promise<Sent> {
  const { quote, bill, useAccount, useFamily } = quoted;
  const salt = randomHex(32);
  const content = await draft(
    'settle_visit',
    {
      visit,
      bill: await commitBill(salt, bill, quote.sums),
      sums: quote.sums,
      use_personal_account: useAccount,
      use_family_account: useFamily,
      split: quote.split,
      cash,
      consent,
    },
    ASKED_MILLIS,
  );
  return { ...(await signed(content)), bill, salt };
}

/** Sends it to the patient's phone, or to that of the relative who showed the code. */
export async function sendSettlement(
  visit: string,
  quoted: Quoted,
  cash: Schemas['CashLeg'] | null,
  payer: string | undefined,
): Promise<Schemas['Request']> {
  const consent = payer === undefined ? ({ form: 'own_key' } as const) : ({ form: 'proxy', payer } as const);
  const body = await made(visit, quoted, cash, consent);
  return ok(api.POST('/v1/visits/{visit}/requests', { params: { path: { visit } }, body }));
}

/** Settles it here; gives the receipt's number. */
export async function settleHere(
  visit: string,
  quoted: Quoted,
  cash: Schemas['CashLeg'] | null,
  card: Schemas['IdentityDocument'],
): Promise<number> {
  const body = await made(visit, quoted, cash, { form: 'identity_card' });
  const identity = { name: card.name.trim(), number: tidyNumber(card.number) };
  const { receipt } = await ok(api.POST('/v1/visits/{visit}/settlements', { params: { path: { visit } }, body: { ...body, identity } }));
  return receipt.id;
}
