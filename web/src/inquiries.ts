/** What somebody asks or reports, and what the organisation that it concerns answers. */
import { api, ok } from './api/client.ts';
import type { Schemas } from './api/types.ts';
import { session } from './session.svelte.ts';

export type Inquiry = Schemas['Inquiry'];

/** How often a page looks whether something was asked or answered, in milliseconds. */
export const PAUSE = 3000;

/** The number as people say it: the year of the inquiry, and its place. */
export const numberText = ({ inquiry, raised }: Inquiry): string =>
  `${raised.slice(0, 4)}-${String(inquiry).padStart(6, '0')}`;

export async function ownInquiries(): Promise<readonly Inquiry[]> {
  const path = { person: session.id };
  return (await ok(api.GET('/v1/persons/{person}/inquiries', { params: { path } }))).inquiries;
}

export async function inquire(body: Schemas['InquiryRequest']): Promise<Inquiry> {
  const path = { person: session.id };
  return ok(api.POST('/v1/persons/{person}/inquiries', { params: { path }, body }));
}

/** Those that wait for the organisation that is signed in, the oldest first. */
export async function waitingInquiries(): Promise<readonly Inquiry[]> {
  const path = { organisation: session.id };
  return (await ok(api.GET('/v1/organisations/{organisation}/inquiries', { params: { path } }))).inquiries;
}
