/** The numbers of words on the ledger. `vectors/words.json` has them from the source; a test compares. */
import type { Schemas } from '../api/types.ts';

export const VISIT_TYPES: Record<Schemas['VisitType'], number> = {
  outpatient: 1,
  emergency: 2,
  chronic_special: 3,
  outpatient_pooled: 4,
  inpatient: 5,
  pharmacy: 6,
  maternity_outpatient: 7,
  maternity_inpatient: 8,
  work_injury_outpatient: 9,
  work_injury_inpatient: 10,
  day_case: 11,
  preventive: 12,
  urgent_care: 13,
  home_care: 14,
  dental: 15,
  emergency_inpatient: 16,
};

export const ITEM_CLASSES: Record<Schemas['ItemClass'], number> = { A: 1, B: 2, C: 3 };

export const CATEGORIES: Record<Schemas['Category'], number> = {
  western_medicine: 1,
  chinese_patent_medicine: 2,
  herbal_medicine: 3,
  examination: 4,
  laboratory: 5,
  imaging: 6,
  treatment: 7,
  surgery: 8,
  anaesthesia: 9,
  nursing: 10,
  bed: 11,
  material: 12,
  consultation: 13,
  registration: 14,
  blood: 15,
  rehabilitation: 16,
  dental: 17,
  prosthesis: 18,
  maternity_care: 19,
  newborn_care: 20,
  meals: 21,
  ambulance: 22,
  prevention: 23,
  other: 24,
};

export const PAYERS: Record<Schemas['Payer'], number> = {
  pooled_fund: 1,
  large_amount: 2,
  critical_illness: 3,
  civil_servant_supplement: 4,
  enterprise_supplement: 5,
  medical_assistance: 6,
  commercial_supplement: 7,
  mutual_pool: 8,
  second_programme: 9,
  maternity: 10,
  work_injury: 11,
  hospital_borne: 12,
  government: 13,
  other: 14,
};

export const HOSPITAL_LEVELS: Record<Schemas['HospitalLevel'], number> = {
  tertiary_a: 1,
  tertiary: 2,
  secondary: 3,
  primary: 4,
  community: 5,
  pharmacy: 6,
  unrated: 7,
};

export const PLACES: Record<Schemas['Place'], number> = { home: 1, province: 2, elsewhere: 3, abroad: 4 };

export const FILINGS: Record<Schemas['Filing'], number> = {
  not_needed: 1,
  long_term: 2,
  referral: 3,
  emergency: 4,
  unfiled: 5,
};

export const NETWORKS: Record<Schemas['Network'], number> = { in: 1, out: 2 };

export const SEXES: Record<Schemas['Sex'], number> = { female: 1, male: 2, unstated: 3 };

export const PERSON_CLASSES: Record<Schemas['PersonClass'], number> = {
  active: 0,
  retired: 1,
  resident: 2,
  student: 3,
  child: 4,
  newborn: 5,
  low_income: 6,
  near_low_income: 7,
  extremely_poor: 8,
  back_in_poverty: 9,
  orphan: 10,
  severely_disabled: 11,
  illness_poor: 12,
  civil_servant: 13,
  enterprise_supplement: 14,
  retired_cadre: 15,
  disabled_soldier: 16,
  flexible_employment: 17,
  unemployed: 18,
  dependant: 19,
  late_elderly: 20,
  commercial_supplement: 21,
  mutual_pool: 22,
  maternity_insured: 23,
  work_injured: 24,
};
