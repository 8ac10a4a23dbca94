/** The gateway's API, typed by its contract. What goes wrong is thrown as a [`Problem`]. */
import createClient, { type Middleware } from 'openapi-fetch';
import { words } from '../messages/messages.svelte.ts';
import type { paths } from './contract.gen.d.ts';
import type { Schemas } from './types.ts';

/** Something that the gateway refused, in the reader's words. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(readonly problem: Schemas['Problem']) {
    super(problem.title);
  }

  get code(): string {
    return this.problem.code;
  }
}

/** The gateway did not answer. Whether something happened is not known. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

let token: string | undefined;

export function useToken(next: string | undefined): void {
  token = next;
}

/** Called when the gateway says that the session is over. */
let signedOut = (): void => {};

export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

/** What the server's clock says is cut to a second. */
const HALF_SECOND = 500;
/** Clocks that differ by less are taken for the same, in milliseconds. */
const SAME = 5000;
let ahead: number | undefined;

/** By how many milliseconds the server's clock is ahead of this device's, once it has answered. */
export const serverAhead = (): number | undefined => ahead;

const headers: Middleware = {
  onRequest({ request }) {
    request.headers.set('accept-language', words.language);
    if (token !== undefined) request.headers.set('authorization', `Bearer ${token}`);
    return request;
  },
  onResponse({ response }) {
    // An answer that a browser may keep says when it was made, not what time it is.
    if (!response.headers.get('cache-control')?.includes('no-store')) return undefined;
    const time = Date.parse(response.headers.get('date') ?? '');
    const found = time + HALF_SECOND - Date.now();
    // The server says whole seconds, and an answer takes a while: less is no difference.
    if (!Number.isNaN(found)) ahead = Math.abs(found) < SAME ? 0 : found;
    return undefined;
  },
  onError({ error }) {
    return new NoAnswer(error instanceof Error ? error.message : String(error));
  },
};

export const api = createClient<paths>();
api.use(headers);

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The data of an answer, or its problem thrown. */
export async function ok<T>(answer: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await answer;
  if (response.ok) return data as NonNullable<T>;
  const isProblem = typeof error === 'object' && error !== null && 'code' in error;
  if (!isProblem) throw new NoAnswer(`status ${response.status}`);
  const problem = new Problem(error as Schemas['Problem']);
  if (token !== undefined && (problem.code === 'session_ended' || problem.code === 'session_missing')) signedOut();
  throw problem;
}

/** Opens a stream of events behind the one that was seen last. */
export function openStream(path: string, last: string | undefined, signal: AbortSignal): Promise<Response> {
  return fetch(path, {
    signal,
    headers: {
      accept: 'text/event-stream',
      'accept-language': words.language,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(last === undefined ? {} : { 'last-event-id': last }),
    },
  });
}
