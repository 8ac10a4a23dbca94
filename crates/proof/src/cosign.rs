//! Validators cosign each other's receipt logs (the cosignatures of C2SP).
//!
//! Each organisation's node signs a log of its own name over the same receipts. Another validator
//! cosigns its checkpoint when its own blocks give the same root at that size, with the key that
//! signs blocks: that key stands on the ledger, so that everybody can write the policy which a
//! voucher of the network has to pass. A block's sign-bytes are a hash of 32 bytes and those of a
//! cosignature begin with the words `cosignature/v1`: neither is ever taken for the other.

use alloc::{format, string::String, vec::Vec};
use primitives::{OrganisationId, PublicKey, Verifier};

use crate::{
    header::{ChainId, ValidatorSet},
    note::{NoteKey, SignatureType},
    policy::{Policy, policy_text},
    voucher::{VerifiedVoucher, Voucher},
};

/// The key by which an organisation cosigns, named after ledger and organisation; `None` for a key
/// that is not Ed25519, since C2SP knows no other.
#[must_use]
pub fn cosigner_key(
    chain_id: ChainId,
    organisation: OrganisationId,
    key: &PublicKey,
) -> Option<NoteKey> {
    let PublicKey::Ed25519(bytes) = key else { return None };
    let name = format!("{}/{organisation}/cosigner", chain_id.as_str());
    NoteKey::new(&name, SignatureType::CosignatureV1, *bytes).ok()
}

/// The validators that can cosign, with their power.
#[must_use]
pub fn cosigners(chain_id: ChainId, validators: &ValidatorSet) -> Vec<(NoteKey, u64)> {
    let all = validators.validators().iter();
    let keys = all.filter_map(|one| {
        let key = cosigner_key(chain_id, one.organisation, &one.key)?;
        Some((key, one.power))
    });
    keys.collect()
}

/// How many of the cosigners must have cosigned, whichever they are, so that they decide: more than
/// two thirds of all power. `None` where one organisation is alone, whose log no other cosigns, and
/// where even all that can cosign do not decide.
#[must_use]
pub fn needed(chain_id: ChainId, validators: &ValidatorSet) -> Option<usize> {
    if validators.validators().len() < 2 {
        return None;
    }
    let mut powers: Vec<u64> =
        cosigners(chain_id, validators).into_iter().map(|(_, power)| power).collect();
    powers.sort_unstable();
    let mut sum: u64 = 0;
    let enough = powers.into_iter().position(|power| {
        sum = sum.saturating_add(power);
        validators.is_quorum(sum)
    });
    enough.map(|at| at.saturating_add(1))
}

/// The policy of those who hold vouchers of this log: signed by it, and, where several decide,
/// cosigned by as many of them as decide a block. Where too few of them can cosign, the log's word
/// alone counts.
#[must_use]
pub fn voucher_policy(log: &NoteKey, chain_id: ChainId, validators: &ValidatorSet) -> String {
    let keys: Vec<NoteKey> =
        cosigners(chain_id, validators).into_iter().map(|(key, _)| key).collect();
    policy_text(log, &keys, needed(chain_id, validators).unwrap_or(0))
}

/// What a voucher says, if it holds under the policy of the present validators, which names those
/// that cosigned, or else under one that was agreed on before them.
#[must_use]
pub fn verify_voucher(
    voucher: &Voucher,
    present: (&NoteKey, ChainId, &ValidatorSet),
    before: &[Policy],
    verifier: &impl Verifier,
) -> Option<VerifiedVoucher> {
    let (log, chain_id, validators) = present;
    let present = Policy::parse(voucher_policy(log, chain_id, validators).as_bytes()).ok();
    let judged = present.iter().chain(before).map(|policy| voucher.verify(policy, verifier));
    judged.filter_map(Result::ok).next()
}
