/** Everything that is kept about a person and that the person may see, as one file. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { ownInquiries } from '../inquiries.ts';
import { allReceipts } from '../receipts.ts';
import { session } from '../session.svelte.ts';
import { t } from './words.ts';

/** What the file holds, by the names of its members. */
export const CONTENTS = ['profile', 'person', 'coverages', 'account', 'visits', 'receipts', 'inquiries', 'family', 'sessions', 'wards', 'desk_acts'] as const;

/** What is there; nothing where it is not kept here or was never settled. */
async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (caught) {
    if (caught instanceof Problem && (caught.code === 'not_found' || caught.code === 'no_wallet_here')) return undefined;
    throw caught;
  }
}

export type Access = Schemas['BillAccess'] & { readonly visit: string };

/** Which organisations other than its provider were handed a visit's itemised bills. */
export async function accessesTo(visit: string): Promise<Access[]> {
  const path = { visit };
  const list = await ifThere(ok(api.GET('/v1/visits/{visit}/bills', { params: { path } })));
  const all = await Promise.all(
    (list?.commitments ?? []).map((commitment) =>
      ok(api.GET('/v1/visits/{visit}/bills/{commitment}/accesses', { params: { path: { visit, commitment } } })),
    ),
  );
  return all.flatMap(({ accesses }) => accesses.map((one) => ({ visit, ...one })));
}

async function visitOf(visit: string): Promise<object> {
  const params = { params: { path: { visit } } };
  const [what, bill, objections, accesses] = await Promise.all([
    ifThere(ok(api.GET('/v1/visits/{visit}', params))),
    ifThere(ok(api.GET('/v1/visits/{visit}/bill', params))),
    ifThere(ok(api.GET('/v1/visits/{visit}/objections', params))),
    accessesTo(visit),
  ]);
  return { visit, what, bill, objections: objections?.objections ?? [], accesses };
}

/** The file's text. Visits are asked for one after the other: a phone has time, a gateway many phones. */
export async function ownData(now: Date): Promise<string> {
  const params = { params: { path: { person: session.id } } };
  const [profile, person, coverages, account, receipts, inquiries, family, asked, sessions, wards, desk] = await Promise.all([
    ok(api.GET('/v1/persons/{person}/profile', params)),
    ok(api.GET('/v1/persons/{person}', params)),
    ok(api.GET('/v1/persons/{person}/coverages', params)),
    ok(api.GET('/v1/persons/{person}/account', params)),
    allReceipts(),
    ownInquiries(),
    ok(api.GET('/v1/persons/{person}/family', params)),
    ok(api.GET('/v1/persons/{person}/family-requests', params)),
    ok(api.GET('/v1/sessions')),
    ok(api.GET('/v1/persons/{person}/wards', params)),
    ok(api.GET('/v1/persons/{person}/desk-acts', params)),
  ]);
  const visits: object[] = [];
  for (const visit of new Set(receipts.map((one) => one.visit))) if (visit) visits.push(await visitOf(visit));
  const contents = Object.fromEntries(CONTENTS.map((name) => [name, t(`data.export.${name}`)]));
  const about = { made: now.toISOString(), what: t('data.export.what'), contents };
  const others = { family: { ...family, requests: asked.requests }, sessions: sessions.sessions, wards: wards.wards, desk_acts: desk.acts };
  const data = { about, profile, person, coverages, account, visits, receipts, inquiries, ...others };
  return `${JSON.stringify(data, null, 2)}\n`;
}
