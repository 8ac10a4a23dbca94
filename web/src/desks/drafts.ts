/**
 * Bills that are being written, one for each visit: a page that is left and opened again goes on.
 *
 * A bill names what was done to somebody. So it stays in this tab, for the organisation and the key
 * that wrote it, is gone when the tab is closed or somebody signs out or in as another, and what was
 * sent, settled or cancelled is not kept. What counts, requests and money taken, stands on the server.
 */
import type { Schemas } from '../api/types.ts';
import type { Row } from './bill.ts';

/** How the patient confirms: on a phone, or with the identity card at the desk. */
export type Way = 'phone' | 'desk';

export type Quoted = {
  readonly quote: Schemas['Quote'];
  /** The bill as JSON text. */
  readonly bill: string;
  readonly useAccount: boolean;
  readonly useFamily: boolean;
};

export type Draft = {
  readonly rows: readonly Row[];
  readonly way: Way;
  readonly useAccount: boolean;
  readonly useFamily: boolean;
  readonly quoted?: Quoted | undefined;
};

const PREFIX = 'yibao.desk.draft/';
const OWNER = 'yibao.desk.drafts';

/** Begins with the drafts of whoever works here now; another one's are gone. Whether it is another one. */
export function beginDrafts(owner: string): boolean {
  if (sessionStorage.getItem(OWNER) === owner) return false;
  forgetDrafts();
  sessionStorage.setItem(OWNER, owner);
  return true;
}

export function forgetDrafts(): void {
  const keys = Array.from({ length: sessionStorage.length }, (_, at) => sessionStorage.key(at) ?? '');
  for (const key of keys) if (key.startsWith(PREFIX) || key === OWNER) sessionStorage.removeItem(key);
}

export function keepDraft(visit: string, draft: Draft): void {
  sessionStorage.setItem(PREFIX + visit, JSON.stringify(draft));
}

export function keptDraft(visit: string): Draft | undefined {
  const text = sessionStorage.getItem(PREFIX + visit);
  return text === null ? undefined : (JSON.parse(text) as Draft);
}

export function forgetDraft(visit: string): void {
  sessionStorage.removeItem(PREFIX + visit);
}
