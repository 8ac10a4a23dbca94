//! Signed sheets as another program checks them: `pdfsig` of poppler.

mod sheet;

use std::process::Command;

use document::{ElectronicSeal, Language, SealError, Sealed, VoucherSheet, attached_voucher};
use document::{is_pdf, voucher_pdf};
use primitives::{Currency, Timestamp};
use proof::receipt::OutcomeCode;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SignatureAlgorithm,
};
use sheet::{run, settlement, sheet, text_of, voucher, written};

const NAME: &str = "兰州市医疗保障局（测试）";
const AUTHORITY: &str = "测试用证书机构";
/// 30 November 2026, 21:00 UTC.
const AT: Timestamp = Timestamp::from_millis(1_796_072_400_000);

/// What a certificate says: an organisation, for the years from 2026 to 2030.
fn certificate(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, name);
    params.distinguished_name.push(DnType::CommonName, "seal 1");
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2030, 12, 31);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params
}

/// A key in PEM and the certificates in PEM that an authority gives for it.
fn certified(algorithm: &'static SignatureAlgorithm) -> (String, String) {
    let mut authority = certificate(AUTHORITY);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root_key = KeyPair::generate().expect("a key");
    let root = authority.self_signed(&root_key).expect("a certificate").pem();
    let issuer = Issuer::new(authority, root_key);
    let key = KeyPair::generate_for(algorithm).expect("a key");
    let own = certificate(NAME).signed_by(&key, &issuer).expect("a certificate");
    (key.serialize_pem(), format!("{}{root}", own.pem()))
}

fn self_signed() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let own = certificate(NAME).self_signed(&key).expect("a certificate");
    (key.serialize_pem(), own.pem())
}

fn signed(seal: &ElectronicSeal, language: Language) -> Vec<u8> {
    let voucher = voucher(&settlement(Currency::CNY, 1), OutcomeCode::Accepted);
    let seal = Some(Sealed { by: seal, at: AT });
    voucher_pdf(&VoucherSheet { seal, ..sheet(&voucher, language) }).expect("a sheet")
}

/// What another program says of the file's signatures.
fn checked(name: &str, bytes: &[u8]) -> String {
    let (_folder, path) = written(name, bytes);
    let out = Command::new("pdfsig").arg("-nocert").arg(&path).output();
    let out = out.expect("`pdfsig` of poppler-utils");
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[test]
fn another_program_finds_the_signature_valid_over_the_whole_file() {
    for (name, algorithm) in
        [("p256", &rcgen::PKCS_ECDSA_P256_SHA256), ("rsa", &rcgen::PKCS_RSA_SHA256)]
    {
        let (key, certificates) = certified(algorithm);
        let seal = ElectronicSeal::read(&key, &certificates).expect("a seal");
        assert!(!seal.is_sample());
        let bytes = signed(&seal, Language::ZhHans);
        let said = checked(name, &bytes);
        for wanted in [
            "Signature Validation: Signature is Valid.",
            "Signature Type: ETSI.CAdES.detached",
            "Total document signed",
            "Signer full Distinguished Name: CN=seal 1,O=兰州市医疗保障局（测试）",
            "Signing Hash Algorithm: SHA-256",
        ] {
            assert!(said.contains(wanted), "{name}: `{wanted}` in {said}");
        }
    }
}

#[test]
fn a_changed_byte_is_found() {
    let (key, certificates) = certified(&rcgen::PKCS_ECDSA_P256_SHA256);
    let seal = ElectronicSeal::read(&key, &certificates).expect("a seal");
    let mut bytes = signed(&seal, Language::En);
    let at = bytes.windows(9).position(|one| one == b"c2sp.org/").expect("the voucher inside");
    bytes[at] = b'C';
    let said = checked("changed", &bytes);
    assert!(said.contains("Digest Mismatch"), "{said}");
}

#[test]
fn a_seal_for_which_an_authority_vouches_is_no_sample_and_says_whose_it_is() {
    let (key, certificates) = certified(&rcgen::PKCS_ECDSA_P256_SHA256);
    let seal = ElectronicSeal::read(&key, &certificates).expect("a seal");
    let holder = seal.holder();
    assert_eq!((&*holder.name, &*holder.issuer), (NAME, AUTHORITY));
    let text = text_of("real", &signed(&seal, Language::ZhHans));
    assert!(text.contains(&format!("{NAME}；由{AUTHORITY}颁发证书")), "{text}");
    assert!(!text.contains("样章"), "{text}");
}

#[test]
fn a_seal_that_vouches_for_itself_stays_a_sample() {
    let (key, certificate) = self_signed();
    let seal = ElectronicSeal::read(&key, &certificate).expect("a seal");
    assert!(seal.is_sample());
    let bytes = signed(&seal, Language::ZhHans);
    let text = text_of("sample", &bytes);
    assert!(text.contains("样章") && text.contains(NAME), "{text}");
    assert!(checked("sample", &bytes).contains("Signature is Valid."));
}

#[test]
fn a_signed_sheet_has_its_voucher_and_its_fonts_as_before() {
    let (key, certificate) = self_signed();
    let seal = ElectronicSeal::read(&key, &certificate).expect("a seal");
    let bytes = signed(&seal, Language::De);
    assert!(is_pdf(&bytes));
    let own = attached_voucher(&bytes).expect("it is inside");
    let voucher = voucher(&settlement(Currency::CNY, 1), OutcomeCode::Accepted);
    assert_eq!(std::str::from_utf8(own), Ok(voucher.encode().as_str()));
    let plain = voucher_pdf(&sheet(&voucher, Language::De)).expect("a sheet");
    assert!(bytes.len() < plain.len() + 12_000, "{} and {}", bytes.len(), plain.len());
    let (_folder, path) = written("signed", &bytes);
    let fonts = run("pdffonts", &[], &path, &[]);
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    assert!(!rows.is_empty());
    for row in rows {
        assert!(row.contains("Identity-H") && row.contains("yes yes yes"), "{row}");
    }
}

#[test]
fn it_holds_as_long_as_its_certificate() {
    let (key, certificate) = self_signed();
    let seal = ElectronicSeal::read(&key, &certificate).expect("a seal");
    let holder = seal.holder();
    let [before, after] = [holder.from.millis() - 1, holder.until.millis() + 1];
    assert!(seal.holds_at(holder.from) && seal.holds_at(holder.until) && seal.holds_at(AT));
    assert!(!seal.holds_at(Timestamp::from_millis(before)));
    assert!(!seal.holds_at(Timestamp::from_millis(after)));
}

#[test]
fn what_is_no_seal_says_why() {
    let (key, certificate) = self_signed();
    let (_, other) = self_signed();
    let read = |key: &str, certificates: &str| ElectronicSeal::read(key, certificates).err();
    assert!(matches!(read("no key", &certificate), Some(SealError::Key(_))));
    assert!(matches!(read(&key, "no certificate"), Some(SealError::Certificates(_))));
    assert!(matches!(read(&key, ""), Some(SealError::Certificates(_))));
    assert!(matches!(read(&key, &certificate.repeat(9)), Some(SealError::Certificates(_))));
    assert!(matches!(read(&key, &other), Some(SealError::Mismatch)));
    let other_kind = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let certificate = certificate_of(&other_kind);
    assert!(matches!(read(&other_kind.serialize_pem(), &certificate), Some(SealError::Key(_))));
}

fn certificate_of(key: &KeyPair) -> String {
    certificate(NAME).self_signed(key).expect("a certificate").pem()
}
