//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "coverage_enrolled",
        "a person was covered by a scheme",
        "the person, the bureau of the insured place";
    "coverage_suspended", "cover was suspended", "the person, the bureau of the insured place";
    "coverage_resumed",
        "suspended cover counts again",
        "the person, the bureau of the insured place";
    "coverage_ended", "cover ended", "the person, the bureau of the insured place";
    "coverage_moved",
        "cover moved to another place or scheme",
        "the person, the old and the new bureau";
    "facts_attested",
        "facts that rules ask for were attested",
        "the person, the bureau of the insured place";
    "filing_recorded", "care elsewhere was filed", "the person, the bureau of the insured place";
    "filing_ended", "a filing ended", "the person, the bureau of the insured place";
    "slot_assigned", "a numbered slot was assigned", "the person, the bureau of the insured place";
    "slot_ended", "a numbered slot ended", "the person, the bureau of the insured place";
    "persons_imported",
        "a batch of persons was enrolled",
        "the importing bureau and the identity authority, never the persons";
    "coverages_imported",
        "a batch of persons was covered",
        "the importing bureau, never the persons";
}
