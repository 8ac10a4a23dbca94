/** Signing in: a signature over a text that names its purpose, the ledger and the party. */
import { api, ok, onSignedOut, useToken } from './api/client.ts';
import type { Schemas } from './api/types.ts';
import type { Signer } from './keys/signer.ts';
import { sha256 } from './ledger/digest.ts';

type Kept = { readonly token: string; readonly party: Schemas['Party']; readonly expires: string };

/** A session lasts no longer than its tab. */
const KEPT = 'yibao.session';

class Session {
  party = $state<Schemas['Party']>();
  network = $state.raw<Schemas['NetworkParameters']>();

  /** The id behind a party's kind. */
  get id(): string {
    return this.party?.split(':')[1] ?? '';
  }
}
export const session = new Session();

export async function network(): Promise<Schemas['NetworkParameters']> {
  session.network ??= await ok(api.GET('/v1/network'));
  return session.network;
}

function take(kept: Kept | undefined): void {
  useToken(kept?.token);
  session.party = kept?.party;
  if (kept === undefined) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, JSON.stringify(kept));
}

/** Goes on with the session that this tab had, if it still counts. */
export function resume(): void {
  onSignedOut(() => take(undefined));
  const text = sessionStorage.getItem(KEPT);
  if (text === null) return;
  const kept = JSON.parse(text) as Kept;
  take(Date.parse(kept.expires) > Date.now() ? kept : undefined);
}

/** Signs in; gives the key that counted, which a new device does not know of its passkey. */
export async function signIn(
  signer: Omit<Signer, 'key'> & { readonly key: Schemas['PublicKey'] | undefined },
): Promise<Schemas['PublicKey']> {
  const { party } = signer;
  const [{ chain_id }, { challenge }] = await Promise.all([
    network(),
    ok(api.POST('/v1/sessions/challenges', { body: { party } })),
  ]);
  // The text is made here: a signature for signing in is never one for anything else.
  const message = await sha256(`yibao/session/v1\n${chain_id}\n${party}\n${challenge}\n`);
  const signed = { party, challenge, signature: await signer.sign(message) };
  const body = signer.key === undefined ? signed : { ...signed, key: signer.key };
  const { token, key, expires } = await ok(api.POST('/v1/sessions', { body }));
  take({ token, party, expires });
  return key;
}

export async function signOut(): Promise<void> {
  try {
    await ok(api.DELETE('/v1/session'));
  } finally {
    take(undefined);
  }
}
