//! Why something about an organisation may not happen.

crate::kernel::rejection::rejections! {
    /// No such organisation.
    UNKNOWN_ORGANISATION = 201, "unknown_organisation", "there is no such organisation on this ledger";
    /// The code is taken.
    ORGANISATION_EXISTS = 202, "organisation_exists", "an organisation with this code is admitted already";
    /// The organisation is suspended.
    ORGANISATION_SUSPENDED = 203, "organisation_suspended", "the organisation is suspended";
    /// The organisation did not sign.
    SIGNATURE_MISSING = 204, "organisation_signature_missing", "a signature of this organisation is missing";
    /// The key is not one of the organisation's.
    UNKNOWN_KEY = 205, "unknown_organisation_key", "the key does not belong to this organisation";
    /// The key has expired.
    KEY_EXPIRED = 206, "organisation_key_expired", "the organisation's key has expired";
    /// The key may not do this.
    SCOPE_MISSING = 207, "organisation_key_scope_missing", "the key is not authorised for this";
    /// The key is authorised already.
    KEY_EXISTS = 208, "organisation_key_exists", "the key is authorised already";
    /// The expiry is past, or more than two years ahead.
    INVALID_EXPIRY = 209, "invalid_key_expiry", "a key must expire later than now and within two years";
    /// No scope was named.
    NO_SCOPE = 210, "no_scope", "name at least one thing that the key may do";
    /// The organisation is not of the kind needed.
    WRONG_KIND = 211, "wrong_organisation_kind", "the organisation is not of the kind needed";
    /// The organisation is not suspended.
    NOT_SUSPENDED = 212, "organisation_not_suspended", "the organisation is not suspended";
    /// A hospital level is needed for a provider, and only for one.
    LEVEL_MISMATCH = 213, "level_mismatch", "a provider has a level and other organisations have none";
    /// The assertion was made for another network or on a foreign page.
    FOREIGN_PAGE = 214, "organisation_key_used_on_foreign_page", "the organisation's passkey was used on a page that is not part of this network";
}
