/**
 * The kinds of transaction that the wallet and the desks sign, with their wire numbers and bytes.
 * A new one is a line in `KINDS` with its encoder; the test holds it against `vectors/`.
 */
import type { Schemas } from '../api/types.ts';
import * as borsh from './borsh.ts';
import { CATEGORIES, ITEM_CLASSES, PAYERS, VISIT_TYPES } from './words.ts';

type Bodies = {
  add_person_key: Schemas['AddPersonKey'];
  revoke_person_key: Schemas['RevokePersonKey'];
  lock_person: Schemas['LockPerson'];
  ask_unlock: Schemas['AskUnlock'];
  unlock_person: Schemas['UnlockPerson'];
  check_in: Schemas['CheckIn'];
  cancel_visit: Schemas['CancelVisit'];
  settle_visit: Schemas['SettleVisit'];
};
export type KindName = keyof Bodies;
export type Body<K extends KindName> = Bodies[K];

const id = borsh.hex(16);
const hash = borsh.hex(32);
const organisation = borsh.code(16);
const payer = borsh.word(PAYERS);

const KEY_SCHEMES = { ed25519: [0, 32], p256: [1, 64], sm2: [2, 64] } as const;

const publicKey: borsh.Encode<Schemas['PublicKey']> = (value, out) => {
  const [scheme, digits = ''] = value.split(':');
  if (scheme === undefined || !Object.hasOwn(KEY_SCHEMES, scheme)) throw new TypeError(`${value} is no key`);
  const [number, length] = KEY_SCHEMES[scheme as keyof typeof KEY_SCHEMES];
  borsh.u8(number, out);
  borsh.hex(length)(digits, out);
};

export const party: borsh.Encode<Schemas['Party']> = (value, out) => {
  const [kind, who = ''] = value.split(':');
  if (kind === 'organisation') {
    borsh.u8(0, out);
    organisation(who, out);
  } else if (kind === 'person') {
    borsh.u8(1, out);
    id(who, out);
  } else {
    throw new TypeError(`${value} is no party`);
  }
};

const actor: borsh.Encode<Schemas['Actor']> = (value, out) => {
  if (typeof value === 'object') {
    borsh.u8(1, out);
    id(value.guardian, out);
  } else {
    borsh.word({ own_key: 0, desk: 2, register: 3 })(value, out);
  }
};

const newKey = borsh.struct<Schemas['NewKey']>({
  key: publicKey,
  grade: borsh.variant('passkey', 'device'),
  payment_max: borsh.amount,
  day_max: borsh.amount,
});

const subject = borsh.struct<Schemas['VisitSubject']>({
  person: id,
  provider: organisation,
  region: borsh.u32,
  scheme: borsh.u16,
  visit_type: borsh.word(VISIT_TYPES),
  admitted: borsh.day,
  diagnosis_group: borsh.defaulted(borsh.u8, 0),
});

const sumKey = borsh.struct<Schemas['SumKey']>({
  service_date: borsh.day,
  category: borsh.word(CATEGORIES),
  class: borsh.word(ITEM_CLASSES),
  programme: borsh.defaulted(borsh.u8, 0),
  slot: borsh.defaulted(borsh.u8, 0),
});

const sumRow = borsh.struct<Schemas['SumRow']>({
  key: sumKey,
  self_paid: borsh.amount,
  over_cap: borsh.amount,
  class_b_share: borsh.amount,
  in_policy: borsh.amount,
});

/** The sorted bill, as the commitment to a bill and the settlement have it. */
export const sums: borsh.Encode<Schemas['CategorySums']> = borsh.list(sumRow);

const split = borsh.struct<Schemas['Split']>({
  total: borsh.amount,
  self_paid: borsh.amount,
  over_cap: borsh.amount,
  class_b_share: borsh.amount,
  in_policy: borsh.amount,
  deductible: borsh.amount,
  payers: borsh.list(borsh.struct<Schemas['PayerShare']>({ payer, amount: borsh.amount })),
  personal_account: borsh.amount,
  cash: borsh.amount,
});

const cashLeg = borsh.struct<Schemas['CashLeg']>({
  executor: organisation,
  rail: borsh.text,
  kind: borsh.defaulted(borsh.variant('bound', 'counter'), 'bound'),
  authorisation: hash,
});

const reason = borsh.variant('unconscious', 'newborn', 'death');

const consent: borsh.Encode<Schemas['Consent']> = (value, out) => {
  borsh.variant('own_key', 'guardian', 'desk_card', 'identity_card', 'emergency_witness')(value.form, out);
  if (value.form === 'guardian') id(value.guardian, out);
  if (value.form === 'emergency_witness') reason(value.reason, out);
};

type Kind<B> = { readonly number: number; readonly body: borsh.Encode<B> };

export const KINDS: { readonly [K in KindName]: Kind<Bodies[K]> } = {
  add_person_key: { number: 303, body: borsh.struct({ person: id, by: actor, new: newKey }) },
  revoke_person_key: { number: 304, body: borsh.struct({ person: id, by: actor, key: publicKey }) },
  lock_person: { number: 311, body: borsh.struct({ person: id, by: actor }) },
  ask_unlock: { number: 312, body: borsh.struct({ person: id }) },
  unlock_person: { number: 313, body: borsh.struct({ person: id, by: actor }) },
  check_in: {
    number: 701,
    body: borsh.struct({
      visit: id,
      subject,
      identification: borsh.variant('wallet_code', 'card', 'identity_document', 'emergency'),
      evidence: hash,
    }),
  },
  cancel_visit: { number: 702, body: borsh.struct({ visit: id }) },
  settle_visit: {
    number: 705,
    body: borsh.struct<Bodies['settle_visit']>({
      visit: id,
      bill: hash,
      sums,
      use_personal_account: borsh.bool,
      split,
      cash: borsh.option(cashLeg),
      consent,
    }),
  },
};
