//! The electronic seal: a key and its certificate, and the signature that they put on a PDF
//! (PAdES baseline B-B, ETSI EN 319 142-1). Any reader of PDFs shows whose it is and whether a byte
//! was changed since.
//!
//! The signature is added behind the file as PDF calls it, an incremental update: what was written
//! before stays as it is, the voucher inside included. Structures come from `cms`, `x509-cert` and
//! `lopdf`, the signature itself from `rcgen` (decision record 0045).

use aws_lc_rs::digest::{SHA256, digest};
use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use der::asn1::{Null, ObjectIdentifier, OctetString, SetOfVec};
use der::{Any, Encode, Sequence};
use primitives::Timestamp;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::spki::AlgorithmIdentifierOwned;

/// The most certificates of a seal: its own and those up to a root.
const CERTIFICATES_MAX: usize = 8;
/// The smallest RSA key, in bytes of its modulus: 2,048 bits.
const RSA_BYTES_MIN: usize = 256;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
/// Which certificate signed: RFC 5035, without which a signature is no PAdES.
const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const ECDSA_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const RSA_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// Why a seal is none.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file of the key is none that is understood.
    #[error(
        "the key of the seal is not understood: {0}; write a PKCS#8 key in PEM, on the curve P-256 \
         or RSA of 2,048 bits or more"
    )]
    Key(String),
    /// The file of the certificates is none that is understood.
    #[error(
        "the certificates of the seal are not understood: {0}; write 1 to {CERTIFICATES_MAX} in \
         PEM, the seal's own first"
    )]
    Certificates(String),
    /// Key and certificate do not belong together.
    #[error("the first certificate is not that of the seal's key; the seal's own stands first")]
    Mismatch,
    /// A structure could not be written.
    #[error("the signature could not be written: {0}")]
    Write(String),
}

fn cannot_write(error: impl std::fmt::Display) -> SealError {
    SealError::Write(error.to_string())
}

/// A key that signs papers, and the certificates that say whose it is.
pub struct ElectronicSeal {
    key: KeyPair,
    certificates: Vec<Certificate>,
    algorithm: AlgorithmIdentifierOwned,
}

/// What a certificate says in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealHolder {
    /// Whose seal it is: the organisation of the certificate, or its common name.
    pub name: String,
    /// Who says so: the organisation that issued the certificate.
    pub issuer: String,
    /// From when on it holds.
    pub from: Timestamp,
    /// Until when it holds.
    pub until: Timestamp,
}

impl ElectronicSeal {
    /// A seal of a PKCS#8 key in PEM and its certificates in PEM, its own first.
    ///
    /// # Errors
    /// When one of them is not understood, or they do not belong together.
    pub fn read(key: &str, certificates: &str) -> Result<Self, SealError> {
        Self::of(KeyPair::from_pem(key), certificates)
    }

    /// The same of a PKCS#8 key in DER.
    ///
    /// # Errors
    /// When one of them is not understood, or they do not belong together.
    pub fn of_pkcs8(key: &[u8], certificates: &str) -> Result<Self, SealError> {
        Self::of(KeyPair::try_from(key), certificates)
    }

    fn of(key: Result<KeyPair, rcgen::Error>, certificates: &str) -> Result<Self, SealError> {
        let key = key.map_err(|error| SealError::Key(error.to_string()))?;
        let algorithm = algorithm_of(&key)?;
        let wrong = |error: &dyn std::fmt::Display| SealError::Certificates(error.to_string());
        let certificates =
            Certificate::load_pem_chain(certificates.as_bytes()).map_err(|error| wrong(&error))?;
        if certificates.len() > CERTIFICATES_MAX {
            return Err(wrong(&"there are too many"));
        }
        let own = certificates.first().ok_or_else(|| wrong(&"there is none"))?;
        let public = own.tbs_certificate.subject_public_key_info.to_der().map_err(cannot_write)?;
        if public != key.subject_public_key_info() {
            return Err(SealError::Mismatch);
        }
        Ok(Self { key, certificates, algorithm })
    }

    /// What the seal's own certificate says.
    #[must_use]
    pub fn holder(&self) -> SealHolder {
        let certificate = self.certificates.first().map(|one| &one.tbs_certificate);
        let name = certificate.map(|one| in_words(&one.subject)).unwrap_or_default();
        let issuer = certificate.map(|one| in_words(&one.issuer)).unwrap_or_default();
        let moment = |time: &x509_cert::time::Time| {
            let millis = u64::try_from(time.to_unix_duration().as_millis()).unwrap_or(u64::MAX);
            Timestamp::from_millis(millis)
        };
        let validity = certificate.map(|one| &one.validity);
        SealHolder {
            name,
            issuer,
            from: validity.map_or(Timestamp::from_millis(0), |one| moment(&one.not_before)),
            until: validity.map_or(Timestamp::from_millis(0), |one| moment(&one.not_after)),
        }
    }

    /// Whether nobody but its holder vouches for it: such a seal stays a sample on paper.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        let own = self.certificates.first().map(|one| &one.tbs_certificate);
        own.is_none_or(|own| own.subject == own.issuer)
    }

    /// Whether its certificate holds at a moment.
    #[must_use]
    pub fn holds_at(&self, at: Timestamp) -> bool {
        let SealHolder { from, until, .. } = self.holder();
        from <= at && at <= until
    }

    /// The signature of these bytes, apart from them: a CMS `SignedData` as PAdES wants it.
    ///
    /// # Errors
    /// When a structure cannot be written.
    pub(crate) fn sign(&self, parts: [&[u8]; 2]) -> Result<Vec<u8>, SealError> {
        let own = self.certificates.first().ok_or(SealError::Mismatch)?;
        let attributes = SetOfVec::try_from(vec![
            attribute(CONTENT_TYPE, &DATA)?,
            attribute(MESSAGE_DIGEST, &octets(digest(&SHA256, &parts.concat()).as_ref())?)?,
            attribute(SIGNING_CERTIFICATE, &signing_certificate(own)?)?,
        ])
        .map_err(cannot_write)?;
        let signed = attributes.to_der().map_err(cannot_write)?;
        let signature = self.key.sign(&signed).map_err(cannot_write)?;
        let sha_256 = AlgorithmIdentifierOwned { oid: SHA_256, parameters: None };
        let signer = SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
                issuer: own.tbs_certificate.issuer.clone(),
                serial_number: own.tbs_certificate.serial_number.clone(),
            }),
            digest_alg: sha_256.clone(),
            signed_attrs: Some(attributes),
            signature_algorithm: self.algorithm.clone(),
            signature: octets(&signature)?,
            unsigned_attrs: None,
        };
        let certificates = self.certificates.iter().cloned();
        let certificates: Vec<_> = certificates.map(CertificateChoices::Certificate).collect();
        let data = SignedData {
            version: CmsVersion::V1,
            digest_algorithms: SetOfVec::try_from(vec![sha_256]).map_err(cannot_write)?,
            encap_content_info: EncapsulatedContentInfo { econtent_type: DATA, econtent: None },
            certificates: Some(CertificateSet::try_from(certificates).map_err(cannot_write)?),
            crls: None,
            signer_infos: SignerInfos::try_from(vec![signer]).map_err(cannot_write)?,
        };
        let content = Any::encode_from(&data).map_err(cannot_write)?;
        ContentInfo { content_type: SIGNED_DATA, content }.to_der().map_err(cannot_write)
    }

    /// How many bytes a signature has at the most: the certificates and little more.
    pub(crate) fn signature_bytes_max(&self) -> usize {
        let certificates = self.certificates.iter();
        let written = certificates.filter_map(|one| one.to_der().ok()).map(|one| one.len());
        written.sum::<usize>() + self.certificates.first().map_or(0, issuer_bytes) + 2_048
    }
}

fn issuer_bytes(certificate: &Certificate) -> usize {
    certificate.tbs_certificate.issuer.to_der().map_or(0, |one| 2 * one.len())
}

/// How this key signs.
fn algorithm_of(key: &KeyPair) -> Result<AlgorithmIdentifierOwned, SealError> {
    if key.algorithm() == &rcgen::PKCS_ECDSA_P256_SHA256 {
        return Ok(AlgorithmIdentifierOwned { oid: ECDSA_SHA_256, parameters: None });
    }
    if key.algorithm() == &rcgen::PKCS_RSA_SHA256 && key.der_bytes().len() > RSA_BYTES_MIN {
        let parameters = Some(Any::encode_from(&Null).map_err(cannot_write)?);
        return Ok(AlgorithmIdentifierOwned { oid: RSA_SHA_256, parameters });
    }
    Err(SealError::Key("it is of another kind".to_owned()))
}

fn octets(bytes: &[u8]) -> Result<OctetString, SealError> {
    OctetString::new(bytes).map_err(cannot_write)
}

fn attribute<T>(oid: ObjectIdentifier, value: &T) -> Result<Attribute, SealError>
where
    T: der::EncodeValue + der::Tagged,
{
    let value = Any::encode_from(value).map_err(cannot_write)?;
    let values = SetOfVec::try_from(vec![value]).map_err(cannot_write)?;
    Ok(Attribute { oid, values })
}

/// `SigningCertificateV2` of RFC 5035, section 3, with its default hash, SHA-256.
#[derive(Sequence)]
struct SigningCertificate {
    certificates: Vec<CertificateId>,
}

#[derive(Sequence)]
struct CertificateId {
    hash: OctetString,
}

fn signing_certificate(own: &Certificate) -> Result<SigningCertificate, SealError> {
    let hash = digest(&SHA256, &own.to_der().map_err(cannot_write)?);
    Ok(SigningCertificate { certificates: vec![CertificateId { hash: octets(hash.as_ref())? }] })
}

/// The organisation of a name, or the common name.
fn in_words(name: &x509_cert::name::Name) -> String {
    let find = |wanted: ObjectIdentifier| {
        let mut parts = name.0.iter().flat_map(|one| one.0.iter());
        let found = parts.rfind(|part| part.oid == wanted)?;
        String::from_utf8(found.value.value().to_vec()).ok()
    };
    find(ORGANISATION).or_else(|| find(COMMON_NAME)).unwrap_or_else(|| name.to_string())
}
