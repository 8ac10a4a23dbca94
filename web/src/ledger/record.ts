/**
 * A settlement's record, which objections, refunds and answers bring along. The ledger keeps its
 * hash: a byte that is wrong here is refused there, and changes nothing.
 */
import type { Schemas } from '../api/types.ts';
import * as borsh from './borsh.ts';
import { consent, hash, id, payerShare, subject, sums } from './forms.ts';
import { FILINGS, HOSPITAL_LEVELS, NETWORKS, PERSON_CLASSES, PLACES, SEXES, VISIT_TYPES } from './words.ts';

export const period = borsh.struct<Schemas['Period']>({ from: borsh.day, to: borsh.option(borsh.day) });

const planRef = borsh.struct<Schemas['PlanRef']>({
  region: borsh.u32,
  scheme: borsh.u16,
  version: borsh.u16,
  hash,
  period,
});

const personClasses: borsh.Encode<Schemas['PersonClasses'] | undefined> = (value, out) => {
  const bits = (value ?? []).reduce((so_far, one) => {
    if (!Object.hasOwn(PERSON_CLASSES, one)) throw new TypeError(`${one} is not in the list`);
    return so_far | (1n << BigInt(PERSON_CLASSES[one]));
  }, 0n);
  out.unsigned(bits, 4);
};

const ageBand = borsh.struct<Schemas['AgeBand']>({ from: borsh.u8, below: borsh.u8 });

/** What a bureau attests of a person for a cover. */
export const attestedFacts = borsh.struct<Schemas['AttestedFacts']>({
  period,
  age: ageBand,
  sex: borsh.word(SEXES),
  person_classes: personClasses,
  income_class: borsh.defaulted(borsh.u8, 0),
  unbroken_years: borsh.defaulted(borsh.u8, 0),
  claim_free_years: borsh.defaulted(borsh.u8, 0),
  month_of_75: borsh.defaulted(borsh.bool, false),
  family: borsh.option(id),
});

const facts = borsh.struct<Schemas['Facts']>({
  visit_type: borsh.word(VISIT_TYPES),
  hospital_level: borsh.word(HOSPITAL_LEVELS),
  place: borsh.defaulted(borsh.word(PLACES), 'home'),
  filing: borsh.defaulted(borsh.word(FILINGS), 'not_needed'),
  network: borsh.defaulted(borsh.word(NETWORKS), 'in'),
  age: borsh.defaulted(ageBand, { from: 0, below: 255 }),
  sex: borsh.defaulted(borsh.word(SEXES), 'unstated'),
  person_classes: personClasses,
  income_class: borsh.defaulted(borsh.u8, 0),
  unbroken_years: borsh.defaulted(borsh.u8, 0),
  claim_free_years: borsh.defaulted(borsh.u8, 0),
  diagnosis_group: borsh.defaulted(borsh.u8, 0),
  slots: borsh.defaulted(
    borsh.list(
      borsh.struct<Schemas['SlotFact']>({ slot: borsh.u8, group: borsh.u8, amount: borsh.option(borsh.amount) }),
    ),
    [],
  ),
  month_of_75: borsh.defaulted(borsh.bool, false),
  in_family: borsh.defaulted(borsh.bool, false),
  days: borsh.defaulted(borsh.u16, 1),
  use_personal_account: borsh.defaulted(borsh.bool, false),
  personal_account: borsh.defaulted(borsh.amount, '0'),
  family_accounts: borsh.defaulted(
    borsh.list(borsh.struct<Schemas['FamilyGrant']>({ grant: borsh.u32, available: borsh.amount })),
    [],
  ),
});

/** A share between nothing and the whole, written `0.85` or `85%`, in parts per million. */
export const rate: borsh.Encode<string> = (value, out) => {
  const match = /^([0-9]{1,3})(?:\.([0-9]{1,6}))?(%?)$/.exec(value);
  if (match === null) throw new TypeError(`${value} is no rate`);
  const [, whole = '', fraction = '', percent] = match;
  const millionths = BigInt(whole + fraction.padEnd(6, '0'));
  out.unsigned(percent === '%' ? millionths / 100n : millionths, 4);
};

/** One of several forms, each under its name: `{ "base": { ... } }`. The place is the number. */
function choice<T extends object | string>(forms: readonly (readonly [string, borsh.Encode<never>])[]): borsh.Encode<T> {
  return (value, out) => {
    const name = typeof value === 'string' ? value : (Object.keys(value)[0] ?? '');
    const number = forms.findIndex(([one]) => one === name);
    const form = forms[number];
    if (form === undefined) throw new TypeError(`${name} is not known`);
    borsh.u8(number, out);
    const inner = typeof value === 'string' ? {} : (value as Record<string, unknown>)[name];
    form[1](inner as never, out);
  };
}

type Members<N> = N extends object ? N : never;
type Note<K extends string> = Members<Schemas['TraceNote']> extends infer N ? (N extends Record<K, infer B> ? B : never) : never;
type Why<K extends string> = Schemas['AmountReason'] extends infer N ? (N extends Record<K, infer B> ? B : never) : never;

const { amount, u8, u16 } = borsh;
const nothing: borsh.Encode<object> = () => {};
/** Counts are whole numbers in JSON. */
const u64: borsh.Encode<number> = (value, out) => {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is no whole number`);
  out.unsigned(BigInt(value), 8);
};

const amountReason = choice<Schemas['AmountReason']>([
  ['days', borsh.struct<Why<'days'>>({ days: u16 })],
  ['change', borsh.struct<Why<'change'>>({ change: u8 })],
  ['visit', borsh.struct<Why<'visit'>>({ number: u64 })],
  ['years', nothing],
  ['share', borsh.struct<Why<'share'>>({ share: rate, charged: amount })],
]);

const traceNote = choice<Schemas['TraceNote']>([
  ['base', borsh.struct<Note<'base'>>({ amount })],
  ['base_capped', borsh.struct<Note<'base_capped'>>({ cap: u8, limit: amount, used: amount, cut: amount })],
  ['deductible', borsh.struct<Note<'deductible'>>({ deductible: u8, full: amount, met: amount, taken: amount })],
  ['rate_changed', borsh.struct<Note<'rate_changed'>>({ change: u8, before: rate, after: rate })],
  [
    'tier',
    borsh.struct<Note<'tier'>>({
      tier: u8,
      above: amount,
      below: borsh.option(amount),
      part: amount,
      listed: rate,
      rate,
      benefit: borsh.option(amount),
    }),
  ],
  ['rounded', borsh.struct<Note<'rounded'>>({ benefit: amount })],
  ['amount_changed', borsh.struct<Note<'amount_changed'>>({ why: amountReason, before: amount, after: amount })],
  ['capped', borsh.struct<Note<'capped'>>({ cap: u8, limit: amount, used: amount, cut: amount })],
  ['fixed_amount', borsh.struct<Note<'fixed_amount'>>({ full: amount, used: amount, gives: amount })],
  ['copay', borsh.struct<Note<'copay'>>({ full: amount, used: amount, kept: amount })],
  ['limited', borsh.struct<Note<'limited'>>({ limit_no: u8, limit: amount, borne: amount, excess: amount })],
  ['paid', borsh.struct<Note<'paid'>>({ amount, left: amount })],
  ['account', borsh.struct<Note<'account'>>({ account: u8, available: amount, paid: amount })],
  ['counted', borsh.struct<Note<'counted'>>({ number: u16, added: amount })],
]);

const change = borsh.struct<Schemas['AccumulatorChange']>({
  key: borsh.struct<Schemas['AccumulatorKey']>({
    scope: borsh.variant('person', 'family'),
    number: u16,
    period: borsh.u32,
    slot: borsh.defaulted(u8, 0),
  }),
  before: amount,
  after: amount,
});

const adjudication = borsh.struct<Schemas['Adjudication']>({
  total: amount,
  self_paid: amount,
  over_cap: amount,
  class_b_share: amount,
  in_policy: amount,
  deductible: amount,
  payers: borsh.list(payerShare),
  personal_account: amount,
  family_accounts: borsh.list(borsh.struct<Schemas['FamilyShare']>({ grant: borsh.u32, amount })),
  cash: amount,
  changes: borsh.list(change),
  trace: borsh.list(borsh.struct<Schemas['TraceEntry']>({ step: u8, slot: u8, note: traceNote })),
});

export const part = borsh.struct<Schemas['Part']>({
  plan: planRef,
  from: borsh.day,
  facts,
  family: borsh.option(id),
  adjudication,
});

export const record = borsh.struct<Schemas['SettlementRecord']>({
  visit: id,
  subject,
  transaction_id: hash,
  bill: hash,
  sums,
  parts: borsh.list(part),
  consent,
  use_personal_account: borsh.bool,
  use_family_account: borsh.defaulted(borsh.bool, false),
  collected: borsh.list(hash),
});
