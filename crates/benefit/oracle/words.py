"""The closed lists of words of section 14 of the guide, and nothing else."""

VISIT_TYPES = """outpatient emergency chronic_special outpatient_pooled inpatient pharmacy
    maternity_outpatient maternity_inpatient work_injury_outpatient work_injury_inpatient day_case
    preventive urgent_care home_care dental emergency_inpatient""".split()
HOSPITAL_LEVELS = "tertiary_a tertiary secondary primary community pharmacy unrated".split()
PLACES = "home province elsewhere abroad".split()
FILINGS = "not_needed long_term referral emergency unfiled".split()
NETWORKS = "in out".split()
SEXES = "female male unstated".split()
PERSON_CLASSES = """active retired resident student child newborn low_income near_low_income
    extremely_poor back_in_poverty orphan severely_disabled illness_poor civil_servant
    enterprise_supplement retired_cadre disabled_soldier flexible_employment unemployed dependant
    late_elderly commercial_supplement mutual_pool maternity_insured work_injured""".split()
CATEGORIES = """western_medicine chinese_patent_medicine herbal_medicine examination laboratory
    imaging treatment surgery anaesthesia nursing bed material consultation registration blood
    rehabilitation dental prosthesis maternity_care newborn_care meals ambulance prevention
    other""".split()
PAYERS = """pooled_fund large_amount critical_illness civil_servant_supplement
    enterprise_supplement medical_assistance commercial_supplement mutual_pool second_programme
    maternity work_injury hospital_borne government other""".split()
CLASSES = "A B C".split()

# Section 3: the cells of a lane, in their order.
PARTS = "in_policy class_b_share over_cap self_paid".split()

# Section 2: the decimals of money; section 4: the currencies.
DECIMALS = {"CNY": 2, "JPY": 0, "USD": 2, "EUR": 2}
