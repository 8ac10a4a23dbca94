/** Values that several kinds of transaction have in common. */
import type { Schemas } from '../api/types.ts';
import * as borsh from './borsh.ts';
import { CATEGORIES, ITEM_CLASSES, PAYERS, VISIT_TYPES } from './words.ts';

export const id = borsh.hex(16);
export const hash = borsh.hex(32);
export const organisation = borsh.code(16);
const payer = borsh.word(PAYERS);

const KEY_SCHEMES = { ed25519: [0, 32], p256: [1, 64], sm2: [2, 64] } as const;

export const publicKey: borsh.Encode<Schemas['PublicKey']> = (value, out) => {
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

export const actor: borsh.Encode<Schemas['Actor']> = (value, out) => {
  if (typeof value === 'object') {
    const isGuardian = 'guardian' in value;
    borsh.u8(isGuardian ? 1 : 4, out);
    id(isGuardian ? value.guardian : value.proxy, out);
  } else {
    borsh.word({ own_key: 0, desk: 2, register: 3 })(value, out);
  }
};

export const newKey = borsh.struct<Schemas['NewKey']>({
  key: publicKey,
  grade: borsh.variant('passkey', 'device'),
  payment_max: borsh.amount,
  day_max: borsh.amount,
});

export const subject = borsh.struct<Schemas['VisitSubject']>({
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

export const payerShare = borsh.struct<Schemas['PayerShare']>({ payer, amount: borsh.amount });

export const split = borsh.struct<Schemas['Split']>({
  total: borsh.amount,
  self_paid: borsh.amount,
  over_cap: borsh.amount,
  class_b_share: borsh.amount,
  in_policy: borsh.amount,
  deductible: borsh.amount,
  payers: borsh.list(payerShare),
  personal_account: borsh.amount,
  family_accounts: borsh.defaulted(borsh.amount, '0'),
  cash: borsh.amount,
});

export const cashLeg = borsh.struct<Schemas['CashLeg']>({
  executor: organisation,
  rail: borsh.text,
  kind: borsh.defaulted(borsh.variant('bound', 'counter'), 'bound'),
  authorisation: hash,
});

export const season = borsh.struct<Schemas['SeasonId']>({ region: borsh.u32, scheme: borsh.u16, year: borsh.u16 });

export const premiumItem = borsh.struct<Schemas['PremiumItem']>({
  person: id,
  repair_years: borsh.defaulted(borsh.u8, 0),
  amount: borsh.amount,
  from_account: borsh.defaulted(borsh.amount, '0'),
});

const premiumSource: borsh.Encode<Schemas['PremiumSource']> = (value, out) => {
  borsh.variant('personal_account', 'family_account')(value.from, out);
  if (value.from === 'family_account') borsh.u32(value.grant, out);
};

export const accountPremium = borsh.struct<Schemas['AccountPremium']>({
  person: id,
  repair_years: borsh.defaulted(borsh.u8, 0),
  amount: borsh.amount,
  source: premiumSource,
});

/** How a member of a family agrees. */
export const agreement = borsh.variant('own_key', 'face', 'desk', 'standing');

export const side = borsh.variant('payer', 'member');

export const aidTerms = borsh.struct<Schemas['AidTerms']>({
  relation: borsh.u8,
  purpose: borsh.defaulted(borsh.variant('care', 'premiums', 'care_and_premiums'), 'care'),
  visit_types: borsh.defaulted(borsh.list(borsh.word(VISIT_TYPES)), []),
  bill_max: borsh.amount,
  month_max: borsh.amount,
  year_max: borsh.amount,
  rank: borsh.defaulted(borsh.u8, 0),
  until: borsh.option(borsh.day),
});

const reason = borsh.variant('unconscious', 'newborn', 'death');

export const consent: borsh.Encode<Schemas['Consent']> = (value, out) => {
  borsh.variant('own_key', 'guardian', 'desk_card', 'identity_card', 'emergency_witness', 'proxy')(value.form, out);
  if (value.form === 'guardian') id(value.guardian, out);
  if (value.form === 'emergency_witness') reason(value.reason, out);
  if (value.form === 'proxy') id(value.payer, out);
};
