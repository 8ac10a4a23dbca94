//! Who decides blocks at this place of the chain, and changes of it.

use alloc::{sync::Arc, vec::Vec};
use primitives::{OrganisationId, PublicKey, detail};
use proof::header::{POWER_MAX, VALIDATORS_MAX, Validator, ValidatorSet, ValidatorSetError};

use super::rejection;
use super::table::VALIDATORS;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Rejection, require};

/// The validators of the next block as it stands: those that transactions named, also earlier ones
/// of this block, else those that the ledger began with.
pub(super) fn present(context: &Context<'_>, state: &(impl Read + ?Sized)) -> Arc<ValidatorSet> {
    VALIDATORS.shared(state, &()).unwrap_or_else(|| Arc::new(context.validators.clone()))
}

fn reject(error: ValidatorSetError) -> Rejection {
    rejection::INVALID_VALIDATORS.with(match error {
        ValidatorSetError::Duplicate(who) => detail!("`{who}` or its key is there twice", who),
        ValidatorSetError::Power(who) => {
            detail!("the weight of `{who}` must be 1 to {most}", who, most = POWER_MAX)
        }
        ValidatorSetError::Empty | ValidatorSetError::TooMany | ValidatorSetError::Unsorted => {
            detail!("name 1 to {most}", most = VALIDATORS_MAX)
        }
    })
}

/// The set of these validators, of whom any one may stop.
///
/// # Errors
/// `invalid_validators`; `quorum_at_risk` with who may not be missing.
pub(super) fn set_of(validators: Vec<Validator>) -> Result<ValidatorSet, Rejection> {
    let set = ValidatorSet::new(validators).map_err(reject)?;
    if let [_] = set.validators() {
        return Ok(set);
    }
    for one in set.validators() {
        let rest = set.total_power().saturating_sub(one.power);
        require(set.is_quorum(rest), || {
            rejection::QUORUM_AT_RISK.with(detail!(
                "without `{who}` the others have {rest} of {all}",
                who = one.organisation,
                rest,
                all = set.total_power()
            ))
        })?;
    }
    Ok(set)
}

/// Gives an organisation that validates another key from the next block on.
///
/// # Errors
/// `invalid_validators` when another validator has the key.
pub(super) fn change_key(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    organisation: OrganisationId,
    key: PublicKey,
) -> Result<(), Rejection> {
    let present = present(context, state);
    if present.get(organisation).is_none_or(|one| one.key == key) {
        return Ok(());
    }
    let mut validators = present.validators().to_vec();
    for one in validators.iter_mut().filter(|one| one.organisation == organisation) {
        one.key = key;
    }
    let set = ValidatorSet::new(validators).map_err(reject)?;
    VALIDATORS.put(state, &(), &set);
    Ok(())
}
