//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "plan_drafted", "a plan was drafted", "the drafting organisation";
    "plan_reviewed", "a plan was reviewed", "the reviewing organisation";
    "plan_approved", "a plan was approved", "the drafting and the approving organisation";
    "plan_published",
        "a plan was published for days to come or gone",
        "the region's bureau, the approving organisation";
    "plan_withdrawn", "a plan was withdrawn", "the region's bureau";
    "differences_proposed",
        "differences of a policy with effect in the past were proposed",
        "the proposing organisation";
    "differences_approved",
        "differences were approved",
        "the proposing and the approving organisation";
    "differences_paid",
        "differences were paid into personal accounts",
        "the proposing organisation, the fund's owner, never the persons";
    "difference_settled", "one person's difference was settled", "the person, the fund's owner";
}
