/** What a person has agreed to and may end, each by itself. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { session } from '../session.svelte.ts';
import { act } from './act.ts';

export type Agreed = {
  readonly kind: 'guardian' | 'proxy' | 'aid' | 'card' | 'sms' | 'wechat';
  /** Whom it is about: somebody's id; nothing for what is about nobody else. */
  readonly whom: string;
  /** Somebody's name, or the end of a number. */
  readonly name: string;
  /** From which day on, where that is known. */
  readonly since: string | undefined;
};

type Told = {
  readonly person: Pick<Schemas['Person'], 'guardians'>;
  readonly family: Pick<Schemas['Family'], 'payers' | 'helps'>;
  readonly profile: Pick<Schemas['Profile'], 'card_last_four'>;
  readonly board: Pick<Schemas['NoticeBoard'], 'choice' | 'phone_end'>;
};

/** What is in force, people first. */
export function agreedOf({ person, family, profile, board }: Told): readonly Agreed[] {
  const day = (instant: string): string => instant.slice(0, 10);
  const phone = (kind: 'sms' | 'wechat'): readonly Agreed[] =>
    board.choice?.[kind] ? [{ kind, whom: '', name: board.phone_end ?? '', since: undefined }] : [];
  return [
    ...person.guardians.map((one) => ({ kind: 'guardian' as const, whom: one.guardian, name: one.name ?? '', since: one.period.from })),
    // Whose documents ended acts no more.
    ...family.payers.filter((one) => one.holds).map((one) => ({ kind: 'proxy' as const, whom: one.person, name: one.name, since: day(one.since) })),
    ...family.helps.map((one) => ({ kind: 'aid' as const, whom: one.person, name: one.name, since: day(one.since) })),
    ...(profile.card_last_four ? [{ kind: 'card' as const, whom: '', name: profile.card_last_four, since: undefined }] : []),
    ...phone('sms'),
    ...phone('wechat'),
  ];
}

export async function agreedNow(): Promise<readonly Agreed[]> {
  const params = { params: { path: { person: session.id } } };
  const [person, family, profile, board] = await Promise.all([
    ok(api.GET('/v1/persons/{person}', params)),
    ok(api.GET('/v1/persons/{person}/family', params)),
    ok(api.GET('/v1/persons/{person}/profile', params)),
    ok(api.GET('/v1/persons/{person}/notices', params)),
  ]);
  return agreedOf({ person, family, profile, board });
}

/** Ends one of them, and no other. */
export async function endAgreed({ kind, whom }: Agreed): Promise<void> {
  const own = session.id;
  const params = { params: { path: { person: own } } };
  switch (kind) {
    case 'guardian':
      return act('remove_guardian', { person: own, guardian: whom, by: 'own_key' });
    case 'proxy':
      return act('unbind_member', { payer: whom, member: own, side: 'member', actor: 'own_key' });
    case 'aid':
      return act('revoke_aid', { payer: own, member: whom, side: 'payer', actor: 'own_key' });
    case 'card':
      await ok(api.DELETE('/v1/persons/{person}/card', params));
      return;
    default: {
      const { choice } = await ok(api.GET('/v1/persons/{person}/notices', params));
      const body = { sms: false, wechat: false, ...choice, [kind]: false };
      await ok(api.PUT('/v1/persons/{person}/notices', { ...params, body }));
    }
  }
}
