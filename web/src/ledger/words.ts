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
