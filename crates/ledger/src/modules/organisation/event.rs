//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "organisation_admitted", "an organisation was admitted", "the organisation";
    "organisation_suspended", "an organisation was suspended", "the organisation";
    "organisation_resumed", "a suspended organisation may act again", "the organisation";
    "key_authorised", "an online key was authorised", "the organisation";
    "key_revoked", "an online key was revoked", "the organisation";
    "root_key_rotated", "the root key was replaced", "the organisation";
}
