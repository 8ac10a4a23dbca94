//! Papers with which a seal begins: the request that a certificate authority answers, and a
//! certificate that nobody vouches for, with which a seal stays a sample.

use primitives::{CivilDate, Timestamp, UtcOffset};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose};

use crate::signature::SealError;

fn params(organisation: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, organisation);
    params.distinguished_name.push(DnType::CommonName, organisation);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params
}

fn key_of(pkcs8: &[u8]) -> Result<KeyPair, SealError> {
    KeyPair::try_from(pkcs8).map_err(|error| SealError::Key(error.to_string()))
}

fn cannot_write(error: rcgen::Error) -> SealError {
    SealError::Write(error.to_string())
}

/// The request (PKCS#10, in PEM) for a certificate of an organisation's seal.
///
/// # Errors
/// When the key is not understood, or the name is none that a certificate can have.
pub fn seal_request(pkcs8: &[u8], organisation: &str) -> Result<String, SealError> {
    let key = key_of(pkcs8)?;
    let request = params(organisation).serialize_request(&key).map_err(cannot_write)?;
    request.pem().map_err(cannot_write)
}

/// A certificate in PEM for which nobody but the key itself vouches, from one day on to another.
///
/// # Errors
/// When the key is not understood, or the name or the days are none that a certificate can have.
pub fn sample_certificate(
    pkcs8: &[u8],
    organisation: &str,
    (from, until): (CivilDate, CivilDate),
) -> Result<String, SealError> {
    let key = key_of(pkcs8)?;
    let mut params = params(organisation);
    let moment = |day: CivilDate| {
        let seconds = Timestamp::start_of(day, UtcOffset(0)).millis() / 1_000;
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        time::OffsetDateTime::from_unix_timestamp(seconds)
            .map_err(|error| SealError::Write(error.to_string()))
    };
    params.not_before = moment(from)?;
    params.not_after = moment(until)?;
    Ok(params.self_signed(&key).map_err(cannot_write)?.pem())
}
