/**
 * The kinds of transaction that the wallet and the desks sign, with their wire numbers and bytes.
 * A new one is a line in `KINDS` with its encoder; the test holds it against `vectors/`.
 */
import type { Schemas } from '../api/types.ts';
import * as borsh from './borsh.ts';
import { accountPremium, actor, agreement, aidTerms, cashLeg, consent, hash, id, newKey, organisation, party, premiumItem, publicKey, season, side, split, subject, sums } from './forms.ts';
import { attestedFacts, part, period, record } from './record.ts';
import { HOSPITAL_LEVELS, VISIT_TYPES } from './words.ts';

type Bodies = {
  add_person_key: Schemas['AddPersonKey'];
  revoke_person_key: Schemas['RevokePersonKey'];
  lock_person: Schemas['LockPerson'];
  ask_unlock: Schemas['AskUnlock'];
  unlock_person: Schemas['UnlockPerson'];
  block_card: Schemas['BlockCard'];
  reset_pin_counter: Schemas['ResetPinCounter'];
  close_person: Schemas['ClosePerson'];
  check_in: Schemas['CheckIn'];
  cancel_visit: Schemas['CancelVisit'];
  settle_visit: Schemas['SettleVisit'];
  refund_visit: Schemas['RefundVisit'];
  supersede_settlement: Schemas['SupersedeSettlement'];
  object_to_settlement: Schemas['ObjectToSettlement'];
  answer_objection: Schemas['AnswerObjection'];
  contest_consent: Schemas['ContestConsent'];
  decide_contest: Schemas['DecideContest'];
  agree_recovery: Schemas['AgreeRecovery'];
  stop_recovery: Schemas['StopRecovery'];
  complete_recovery: Schemas['CompleteRecovery'];
  set_guardian: Schemas['SetGuardian'];
  set_payment_limits: Schemas['SetPaymentLimits'];
  remove_guardian: Schemas['RemoveGuardian'];
  release_premium: Schemas['ReleasePremium'];
  end_coverage: Schemas['EndCoverage'];
  import_persons: Schemas['ImportPersons'];
  import_coverages: Schemas['ImportCoverages'];
  register_premiums: Schemas['RegisterPremiums'];
  pay_premiums: Schemas['PayPremiums'];
  pay_premiums_from_accounts: Schemas['PayPremiumsFromAccounts'];
  cancel_premium: Schemas['CancelPremium'];
  bind_member: Schemas['BindMember'];
  apply_for_binding: Schemas['ApplyForBinding'];
  decide_binding: Schemas['DecideBinding'];
  unbind_member: Schemas['UnbindMember'];
  grant_aid: Schemas['GrantAid'];
  revoke_aid: Schemas['RevokeAid'];
  send_transfer: Schemas['SendTransfer'];
  claim_transfer: Schemas['ClaimTransfer'];
  withdraw_transfer: Schemas['WithdrawTransfer'];
  file_claim: Schemas['FileClaim'];
  withdraw_claim: Schemas['WithdrawClaim'];
  refuse_claim: Schemas['RefuseClaim'];
  accept_claim: Schemas['AcceptClaim'];
  pay_claim: Schemas['PayClaim'];
  correct_claim: Schemas['CorrectClaim'];
  record_claim_repayment: Schemas['RecordClaimRepayment'];
  publish_exchange_rate: Schemas['PublishExchangeRate'];
  draft_plan: Schemas['DraftPlan'];
  review_plan: Schemas['ReviewPlan'];
  approve_plan: Schemas['ApprovePlan'];
  publish_plan: Schemas['PublishPlan'];
  withdraw_plan: Schemas['WithdrawPlan'];
  approve_payout: Schemas['ApprovePayout'];
  withdraw_payout: Schemas['WithdrawPayout'];
  ask_audit: Schemas['AskAudit'];
  grant_audit: Schemas['GrantAudit'];
  end_audit: Schemas['EndAudit'];
  close_interregion_month: Schemas['CloseInterregionMonth'];
  answer_interregion_statement: Schemas['AnswerInterregionStatement'];
  end_item_dispute: Schemas['EndItemDispute'];
  confirm_region_payment: Schemas['ConfirmRegionPayment'];
};
export type KindName = keyof Bodies;
export type Body<K extends KindName> = Bodies[K];

const calendarMonth = borsh.struct<Schemas['CalendarMonth']>({ year: borsh.u16, month: borsh.u8 });
const itemNumber: borsh.Encode<number> = (value, out) => borsh.amount(String(value), out);
const audit = { region: borsh.u32, audit: borsh.u32 };
const documents = borsh.struct<{ documents: string }>({ documents: hash });

const ground: borsh.Encode<Schemas['GuardianGround']> = (value, out) => {
  const name = typeof value === 'string' ? value : 'minor' in value ? 'minor' : 'without_key';
  borsh.variant('own_wish', 'minor', 'without_key')(name, out);
  if (typeof value === 'object') documents('minor' in value ? value.minor : value.without_key, out);
};

const bindingDecision: borsh.Encode<Schemas['BindingDecision']> = (value, out) => {
  if ('agree' in value) {
    borsh.u8(0, out);
    borsh.day(value.agree.until, out);
  } else {
    borsh.u8(1, out);
    borsh.variant('unreadable', 'other_persons', 'relation_not_proven', 'out_of_date', 'disputed')(value.refuse.reason, out);
  }
};

/** Why a claim is refused, in the order of the wire. */
export const CLAIM_REFUSALS = [
  'unreadable',
  'documents_missing',
  'other_person',
  'settled_already',
  'third_party_pays',
  'outside_scheme',
  'not_genuine',
] as const;

/** Why an accepted claim is corrected, in the order of the wire. */
export const CLAIM_CORRECTIONS = ['wrong_lines', 'given_back_by_provider', 'settled_already', 'third_party_pays', 'not_genuine'] as const;

/** Why a settlement is corrected, in the order of the wire. */
export const CORRECTION_REASONS = ['wrong_lines', 'wrong_mapping', 'wrong_facts', 'objection'] as const;

const claimCare = borsh.struct<Schemas['ClaimCare']>({
  place: borsh.struct<Schemas['CarePlace']>({ region: borsh.u32, level: borsh.word(HOSPITAL_LEVELS) }),
  visit_type: borsh.word(VISIT_TYPES),
  diagnosis_group: borsh.defaulted(borsh.u8, 0),
});

const foreignBill = borsh.struct<Schemas['ForeignBill']>({
  currency: borsh.currency,
  total: borsh.amount,
  rate: borsh.struct<Schemas['RateOf']>({ publisher: organisation, day: borsh.day, version: borsh.u8 }),
});

/** Why a rate of exchange is corrected, in the order of the wire. */
export const RATE_CORRECTIONS = ['copied_wrongly', 'source_corrected'] as const;

const coverageTerms = borsh.struct<Schemas['CoverageTerms']>({
  scheme: borsh.u16,
  period,
  benefits_from: borsh.option(borsh.day),
  facts: attestedFacts,
});

const newPerson = borsh.struct<Schemas['NewPerson']>({
  id,
  commitment: hash,
  blind_index: hash,
  keys: borsh.defaulted(borsh.list(newKey), []),
});

/** A version of a scheme's plan. */
const planVersion = { region: borsh.u32, scheme: borsh.u16, version: borsh.u16 };

type Kind<B> = { readonly number: number; readonly body: borsh.Encode<B> };

export const KINDS: { readonly [K in KindName]: Kind<Bodies[K]> } = {
  add_person_key: { number: 303, body: borsh.struct({ person: id, by: actor, new: newKey }) },
  revoke_person_key: { number: 304, body: borsh.struct({ person: id, by: actor, key: publicKey }) },
  lock_person: { number: 311, body: borsh.struct({ person: id, by: actor }) },
  ask_unlock: { number: 312, body: borsh.struct({ person: id }) },
  unlock_person: { number: 313, body: borsh.struct({ person: id, by: actor }) },
  block_card: { number: 308, body: borsh.struct({ person: id, by: actor }) },
  reset_pin_counter: { number: 310, body: borsh.struct({ person: id }) },
  close_person: { number: 314, body: borsh.struct({ person: id, last_day: borsh.day }) },
  agree_recovery: { number: 318, body: borsh.struct({ person: id, guardian: id, key: publicKey }) },
  stop_recovery: { number: 319, body: borsh.struct({ person: id, by: actor }) },
  complete_recovery: { number: 320, body: borsh.struct({ person: id, key: publicKey }) },
  set_payment_limits: {
    number: 321,
    body: borsh.struct<Bodies['set_payment_limits']>({
      person: id,
      by: actor,
      limits: borsh.option(borsh.struct({ payment_max: borsh.amount, day_max: borsh.amount, approver: id })),
    }),
  },
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
      use_family_account: borsh.defaulted(borsh.bool, false),
      split,
      cash: borsh.option(cashLeg),
      consent,
    }),
  },
  refund_visit: {
    number: 706,
    body: borsh.struct<Bodies['refund_visit']>({
      original: record,
      bill: hash,
      remaining: sums,
      split,
      cash: borsh.option(cashLeg),
      consent: borsh.option(consent),
    }),
  },
  supersede_settlement: {
    number: 707,
    body: borsh.struct<Bodies['supersede_settlement']>({
      original: record,
      reason: borsh.variant(...CORRECTION_REASONS),
      bill: hash,
      sums,
      split,
      cash: borsh.option(cashLeg),
      consent,
    }),
  },
  object_to_settlement: {
    number: 708,
    body: borsh.struct<Bodies['object_to_settlement']>({ original: record, statement: hash, by: actor }),
  },
  answer_objection: {
    number: 709,
    body: borsh.struct<Bodies['answer_objection']>({
      original: record,
      answer: borsh.variant('upheld', 'dismissed'),
      statement: hash,
    }),
  },
  contest_consent: {
    number: 711,
    body: borsh.struct<Bodies['contest_consent']>({ original: record, statement: hash, by: actor }),
  },
  decide_contest: {
    number: 714,
    body: borsh.struct<Bodies['decide_contest']>({ original: record, decision: borsh.variant('upheld', 'rejected'), statement: hash }),
  },
  set_guardian: {
    number: 305,
    body: borsh.struct<Bodies['set_guardian']>({ person: id, guardian: id, period, ground }),
  },
  remove_guardian: { number: 306, body: borsh.struct({ person: id, guardian: id, by: actor }) },
  release_premium: { number: 904, body: borsh.struct({ season, person: id }) },
  end_coverage: {
    number: 404,
    body: borsh.struct<Bodies['end_coverage']>({ person: id, region: borsh.u32, scheme: borsh.u16, last_day: borsh.day }),
  },
  import_persons: {
    number: 411,
    body: borsh.struct<Bodies['import_persons']>({
      region: borsh.u32,
      rows: borsh.list(borsh.struct<Schemas['ImportedPerson']>({ person: newPerson, coverage: borsh.option(coverageTerms) })),
    }),
  },
  import_coverages: {
    number: 412,
    body: borsh.struct<Bodies['import_coverages']>({
      region: borsh.u32,
      rows: borsh.list(borsh.struct<Schemas['ImportedCoverage']>({ person: id, coverage: coverageTerms })),
    }),
  },
  register_premiums: {
    number: 902,
    body: borsh.struct<Bodies['register_premiums']>({
      season,
      rows: borsh.list(
        borsh.struct<Schemas['RegisteredPremium']>({
          person: id,
          class: borsh.u8,
          missed_years: borsh.defaulted(borsh.u8, 0),
          newborn_until: borsh.option(borsh.day),
          facts: attestedFacts,
        }),
      ),
    }),
  },
  pay_premiums: {
    number: 905,
    body: borsh.struct<Bodies['pay_premiums']>({
      season,
      payer: party,
      channel: organisation,
      items: borsh.list(premiumItem),
      cash: cashLeg,
    }),
  },
  pay_premiums_from_accounts: {
    number: 907,
    body: borsh.struct<Bodies['pay_premiums_from_accounts']>({ season, payer: id, items: borsh.list(accountPremium) }),
  },
  cancel_premium: { number: 906, body: borsh.struct({ season, person: id, actor }) },
  bind_member: {
    number: 1003,
    body: borsh.struct<Bodies['bind_member']>({ payer: id, member: id, relation: borsh.u8, agreement }),
  },
  apply_for_binding: {
    number: 1004,
    body: borsh.struct<Bodies['apply_for_binding']>({ payer: id, member: id, relation: borsh.u8, documents: hash }),
  },
  decide_binding: {
    number: 1005,
    body: borsh.struct<Bodies['decide_binding']>({ payer: id, member: id, decision: bindingDecision }),
  },
  unbind_member: { number: 1006, body: borsh.struct({ payer: id, member: id, side, actor }) },
  grant_aid: {
    number: 1007,
    body: borsh.struct<Bodies['grant_aid']>({ payer: id, member: id, terms: aidTerms, agreement }),
  },
  revoke_aid: { number: 1008, body: borsh.struct({ payer: id, member: id, side, actor }) },
  send_transfer: {
    number: 1010,
    body: borsh.struct<Bodies['send_transfer']>({ sender: id, receiver: id, relation: borsh.u8, amount: borsh.amount }),
  },
  claim_transfer: { number: 1011, body: borsh.struct({ transfer: hash, receiver: id, actor }) },
  withdraw_transfer: { number: 1012, body: borsh.struct({ transfer: hash, sender: id, actor }) },
  file_claim: {
    number: 1102,
    body: borsh.struct<Bodies['file_claim']>({
      person: id,
      by: actor,
      region: borsh.u32,
      scheme: borsh.u16,
      from: borsh.day,
      to: borsh.day,
      invoices: borsh.list(hash),
      documents: hash,
      payee: borsh.option(id),
    }),
  },
  withdraw_claim: { number: 1103, body: borsh.struct({ claim: hash, by: actor }) },
  refuse_claim: { number: 1104, body: borsh.struct({ claim: hash, reason: borsh.variant(...CLAIM_REFUSALS) }) },
  accept_claim: {
    number: 1105,
    body: borsh.struct<Bodies['accept_claim']>({
      claim: hash,
      invoices: borsh.list(hash),
      care: claimCare,
      bill: hash,
      sums,
      foreign: borsh.option(foreignBill),
      split,
      record: hash,
      payout: borsh.option(cashLeg),
    }),
  },
  pay_claim: { number: 1106, body: borsh.struct<Bodies['pay_claim']>({ claim: hash, payout: cashLeg }) },
  correct_claim: {
    number: 1107,
    body: borsh.struct<Bodies['correct_claim']>({
      record: borsh.struct<Schemas['ClaimRecord']>({
        claim: hash,
        care: claimCare,
        bill: hash,
        sums,
        foreign: borsh.option(foreignBill),
        parts: borsh.list(part),
      }),
      reason: borsh.variant(...CLAIM_CORRECTIONS),
      bill: hash,
      sums,
      foreign_total: borsh.option(borsh.amount),
      split,
      corrected: hash,
    }),
  },
  record_claim_repayment: {
    number: 1108,
    body: borsh.struct<Bodies['record_claim_repayment']>({ claim: hash, amount: borsh.amount, reference: hash }),
  },
  publish_exchange_rate: {
    number: 1501,
    body: borsh.struct<Bodies['publish_exchange_rate']>({
      publisher: organisation,
      currency: borsh.currency,
      priced_in: borsh.currency,
      day: borsh.day,
      rate: borsh.struct<Schemas['ExchangeRate']>({ per: borsh.u32, price: borsh.decimal(6) }),
      source: borsh.text,
      correction: borsh.option(borsh.variant(...RATE_CORRECTIONS)),
    }),
  },
  draft_plan: {
    number: 501,
    body: borsh.struct<Bodies['draft_plan']>({
      ...planVersion,
      plan: borsh.bytes,
      catalogue_root: hash,
      supersedes: borsh.defaulted(borsh.list(borsh.u16), []),
    }),
  },
  review_plan: { number: 502, body: borsh.struct({ ...planVersion, hash }) },
  approve_plan: { number: 503, body: borsh.struct<Bodies['approve_plan']>({ ...planVersion, hash, approver: organisation }) },
  publish_plan: { number: 504, body: borsh.struct({ ...planVersion, hash }) },
  withdraw_plan: { number: 505, body: borsh.struct({ ...planVersion }) },
  approve_payout: {
    number: 1205,
    body: borsh.struct<Bodies['approve_payout']>({ region: borsh.u32, batch: borsh.u32, lines: hash, approver: organisation }),
  },
  withdraw_payout: { number: 1206, body: borsh.struct<Bodies['withdraw_payout']>({ region: borsh.u32, batch: borsh.u32, by: organisation }) },
  ask_audit: {
    number: 1301,
    body: borsh.struct<Bodies['ask_audit']>({
      ...audit,
      auditor: organisation,
      terms: borsh.struct<Schemas['AuditTerms']>({
        provider: organisation,
        from: borsh.day,
        to: borsh.day,
        size: borsh.u16,
        purpose: borsh.text,
      }),
    }),
  },
  grant_audit: { number: 1302, body: borsh.struct<Bodies['grant_audit']>({ ...audit, ends: borsh.instant }) },
  end_audit: { number: 1303, body: borsh.struct<Bodies['end_audit']>({ ...audit, by: organisation }) },
  close_interregion_month: {
    number: 1402,
    body: borsh.struct<Bodies['close_interregion_month']>({ care: borsh.u32, insured: borsh.u32, month: calendarMonth }),
  },
  answer_interregion_statement: {
    number: 1403,
    body: borsh.struct<Bodies['answer_interregion_statement']>({
      insured: borsh.u32,
      care: borsh.u32,
      month: calendarMonth,
      items: hash,
      disputed: borsh.list(
        borsh.struct<Schemas['DisputedItem']>({
          number: itemNumber,
          amount: borsh.amount,
          reason: borsh.variant('not_entitled', 'wrong_amount', 'duplicate', 'doubtful', 'undocumented'),
        }),
      ),
      by: organisation,
    }),
  },
  confirm_region_payment: {
    number: 1405,
    body: borsh.struct<Bodies['confirm_region_payment']>({ care: borsh.u32, insured: borsh.u32, amount: borsh.amount, day: borsh.day, reference: hash }),
  },
  end_item_dispute: {
    number: 1404,
    body: borsh.struct<Bodies['end_item_dispute']>({ insured: borsh.u32, care: borsh.u32, item: itemNumber, by: organisation }),
  },
};
