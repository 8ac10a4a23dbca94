//! Signed notes, keys, checkpoints and policies against the specifications and real logs.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use common::{AwsLc, Log, ORIGIN, Signer, log_signer, sign, time, witnesses};
use primitives::{Hash, Timestamp};
use proof::{
    checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint},
    note::{Note, NoteError, NoteKey, NoteKeyError, NoteSigner, SignNoteError, SignatureType},
    policy::{Policy, PolicyProblem, Refusal, policy_text},
};

/// The note of the documentation of `golang.org/x/mod/sumdb/note`, from which the specification
/// was written.
const PETER: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb\
    6KE6RyyBwJnAM=\n";
const PETER_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

/// The example of C2SP signed-note, with an empty line inside its text.
const SALVATORE: &str = "Ognuno sta solo sul cuor della terra\n\
    trafitto da un raggio di sole:\n\ned è subito sera.\n\n\
    — quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQ\
    U0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

/// The example of C2SP tlog-cosignature.
const SOFA: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2\
    jxq2I=\n\n\
    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2\
    q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2\
    oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

/// A checkpoint that a real log (of Certificate Transparency, staging) signed and real witnesses
/// cosigned.
const ARCHE: &str = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7N\
    zwdyfFx61t3RovgcC4Ro=\n\n\
    — arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPM\
    HbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n\
    — arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3N\
    ygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n\
    — transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2r\
    hIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n\
    — witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ\
    75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n\
    — remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sX\
    Tynk5XeU/zZ0WBxtqB0DrAWfBw==\n\
    — witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmI\
    Y/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==\n";
const ARCHE_KEY: &str =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
const REMORA_KEY: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

fn key(vkey: &str) -> NoteKey {
    vkey.parse().unwrap()
}

#[test]
fn published_keys_are_read_and_written_back_byte_for_byte() {
    for vkey in [
        // The example of C2SP signed-note.
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        PETER_KEY,
        "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop",
        // Its base64 has a plus.
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
        ARCHE_KEY,
        REMORA_KEY,
    ] {
        assert_eq!(key(vkey).to_string(), vkey);
    }
    assert_eq!(key(REMORA_KEY).signature_type(), SignatureType::CosignatureV1);
    assert_eq!(key(PETER_KEY).id(), 0xc74f_20a3);
}

#[test]
fn a_key_with_a_typing_error_is_refused_with_its_reason() {
    let good = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    for (from, to, error) in [
        ("+530d903a+", " ", NoteKeyError::Form),
        ("+Aeky", "", NoteKeyError::Form),
        ("530d903a", "530D903A", NoteKeyError::Id),
        ("530d903a", "530d903", NoteKeyError::Id),
        ("530d903a", "+530d903", NoteKeyError::Id),
        ("530d903a", "530d903b", NoteKeyError::IdMismatch),
        ("foo", "bar", NoteKeyError::IdMismatch),
        ("3U2k", "3U2l", NoteKeyError::IdMismatch),
        ("3U2k", "3U2", NoteKeyError::Key),
        ("3U2k", "", NoteKeyError::Key),
        ("3U2k", "3U2k3U2k", NoteKeyError::Key),
        ("Aeky", "A\neky", NoteKeyError::Key),
        ("Aeky", "Auky", NoteKeyError::Type(2)),
        ("Aeky", "BukyAAAA", NoteKeyError::Type(6)),
        ("example.com/foo", "", NoteKeyError::Name),
        ("example.com/foo", "a b", NoteKeyError::Name),
        ("example.com/foo", "a\u{3000}b", NoteKeyError::Name),
    ] {
        let wrong = good.replacen(from, to, 1);
        assert_eq!(wrong.parse::<NoteKey>(), Err(error), "{wrong}");
    }
}

#[test]
fn the_published_notes_verify_and_any_other_text_under_them_does_not() {
    let note = Note::parse(PETER.as_bytes()).unwrap();
    assert_eq!(note.encode(), PETER);
    assert_eq!(note.signed_by(&key(PETER_KEY), &AwsLc), Ok(Some(Timestamp::default())));
    let bent = Note::parse(PETER.replace("answer", "question").as_bytes()).unwrap();
    assert_eq!(
        bent.signed_by(&key(PETER_KEY), &AwsLc),
        Err(NoteError::InvalidSignature("PeterNeumann".to_owned()))
    );
    let salvatore = Note::parse(SALVATORE.as_bytes()).unwrap();
    assert_eq!(salvatore.encode(), SALVATORE);
    assert!(salvatore.text().ends_with("sole:\n\ned è subito sera.\n"));
    assert_eq!(salvatore.signatures()[0].name(), "quasimodo.example/salvatore");
}

#[test]
fn signing_gives_the_published_signature() {
    // The private key of the same documentation; Ed25519 signs one text in one way only.
    struct Peter(NoteKey, aws_lc_rs::signature::Ed25519KeyPair);
    impl NoteSigner for Peter {
        type Error = std::convert::Infallible;
        fn key(&self) -> &NoteKey {
            &self.0
        }
        fn sign(&self, message: &[u8]) -> Result<[u8; 64], Self::Error> {
            Ok(self.1.sign(message).as_ref().try_into().unwrap())
        }
    }
    let secret = <base64ct::Base64 as base64ct::Encoding>::decode_vec(
        "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
    )
    .unwrap();
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&secret[1..]).unwrap();
    let text = PETER.split_once("\n\n").unwrap().0.to_owned() + "\n";
    let note = Note::sign(&text, &Peter(key(PETER_KEY), pair)).unwrap();
    assert_eq!(note.encode(), PETER);
}

#[test]
fn a_real_checkpoint_verifies_with_the_keys_of_its_log_and_of_a_witness() {
    let signed = SignedCheckpoint::parse(ARCHE.as_bytes()).unwrap();
    assert_eq!(signed.encode(), ARCHE);
    assert_eq!(signed.checkpoint().size, 1_432_088_532);
    let cosigned = Timestamp::from_millis(1_779_573_024_000);
    let note = signed.note();
    assert_eq!(note.signed_by(&key(ARCHE_KEY), &AwsLc), Ok(Some(Timestamp::default())));
    assert_eq!(note.signed_by(&key(REMORA_KEY), &AwsLc), Ok(Some(cosigned)));
    let text = format!("log {ARCHE_KEY}\nwitness remora {REMORA_KEY}\nquorum remora\n");
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let accepted = policy.check(&signed, &AwsLc).unwrap();
    assert_eq!(accepted.log, key(ARCHE_KEY));
    assert_eq!(accepted.cosigners.len(), 1);
    let bent = SignedCheckpoint::parse(ARCHE.replace("1432088532", "42").as_bytes()).unwrap();
    assert!(matches!(policy.check(&bent, &AwsLc), Err(Refusal::Note(_))));
}

#[test]
fn the_examples_of_the_specifications_are_read() {
    let signed = SignedCheckpoint::parse(SOFA.as_bytes()).unwrap();
    assert_eq!(signed.encode(), SOFA);
    assert_eq!(signed.checkpoint().origin, "example.com/behind-the-sofa");
    assert_eq!(signed.checkpoint().size, 20_852_163);
    assert_eq!(signed.checkpoint().text(), signed.note().text());
    assert_eq!(signed.note().signatures()[1].name(), "witness.example.com/w1");
}

#[test]
fn a_cosignature_covers_the_time_and_the_text_as_the_specification_says() {
    struct Seen(NoteKey, std::cell::RefCell<Vec<u8>>);
    impl NoteSigner for Seen {
        type Error = &'static str;
        fn key(&self) -> &NoteKey {
            &self.0
        }
        fn sign(&self, message: &[u8]) -> Result<[u8; 64], Self::Error> {
            *self.1.borrow_mut() = message.to_vec();
            Err("the key is locked away")
        }
    }
    let mut signed = SignedCheckpoint::parse(SOFA.as_bytes()).unwrap();
    let witness = Signer::witness("witness.example.com/w1", 9);
    let seen = Seen(witness.key().clone(), Vec::new().into());
    let before = signed.clone();
    let refused = signed.cosign(&seen, Timestamp::from_millis(1_679_315_147_999));
    assert_eq!(refused, Err(SignNoteError::Signer("the key is locked away")));
    assert_eq!(signed, before, "a signer that fails leaves the note as it was");
    assert_eq!(
        String::from_utf8(seen.1.take()).unwrap(),
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
         CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    );
}

#[test]
fn keys_sign_only_in_the_way_of_their_type() {
    let checkpoint = Checkpoint::new(ORIGIN, 0, Hash::default());
    let refused = SignedCheckpoint::sign(&checkpoint, &Signer::witness(ORIGIN, 1));
    assert_eq!(refused, Err(SignNoteError::Type));
    let mut signed = SignedCheckpoint::sign(&checkpoint, &log_signer()).unwrap();
    assert_eq!(signed.cosign(&log_signer(), time()), Err(SignNoteError::Type));
    for origin in ["", "two\nlines", "a\n\n"] {
        let wrong = Checkpoint::new(origin, 0, Hash::default());
        assert!(SignedCheckpoint::sign(&wrong, &log_signer()).is_err(), "{origin:?}");
    }
}

#[test]
fn what_is_no_note_is_refused_with_its_reason() {
    let line = "— a AAAAAAAAAA==\n";
    let parse = |text: &str| Note::parse(text.as_bytes()).map(|note| note.encode());
    let good = format!("text\n\n{line}");
    assert_eq!(parse(&good), Ok(good.clone()));
    let sixteen = format!("text\n\n{}", line.repeat(16));
    assert_eq!(parse(&sixteen), Ok(sixteen), "the specification demands sixteen at least");
    assert!(parse(&format!("text\n\n{}", line.repeat(64))).is_ok());
    for (text, error) in [
        (String::new(), NoteError::NoSignatures),
        ("text\n".to_owned(), NoteError::NoSignatures),
        (format!("text\n{line}"), NoteError::NoSignatures),
        ("text\n\n— a AAAAAAAAAA==".to_owned(), NoteError::NoSignatures),
        (format!("te\rxt\n\n{line}"), NoteError::NotText),
        (format!("te\u{1}xt\n\n{line}"), NoteError::NotText),
        ("text\n\n\n".to_owned(), NoteError::NoSignatures),
        (format!("text\n\n{line}- a AAAAAAAAAA==\n"), NoteError::SignatureLine(4)),
        (format!("text\n\n{line}— a  AAAAAAAAAA==\n"), NoteError::SignatureLine(4)),
        ("text\n\n— a+b AAAAAAAAAA==\n".to_owned(), NoteError::SignatureLine(3)),
        ("text\n\n—  AAAAAAAAAA==\n".to_owned(), NoteError::SignatureLine(3)),
        ("text\n\n— a AAAAAA==\n".to_owned(), NoteError::SignatureLine(3)),
        ("text\n\n— a AAAAAAAAAB==\n".to_owned(), NoteError::SignatureLine(3)),
        ("text\n\n— a AAAAAAAAAA\n".to_owned(), NoteError::SignatureLine(3)),
        ("text\n\n— a AAAAAAAAAA== \n".to_owned(), NoteError::SignatureLine(3)),
        (format!("text\n\n{}", line.repeat(65)), NoteError::TooManySignatures),
        (format!("{}\n\n{line}", "x".repeat(300_000)), NoteError::TooLong),
    ] {
        assert_eq!(parse(&text), Err(error), "{text:.60?}");
    }
    assert_eq!(Note::parse(b"te\xffxt\n\n"), Err(NoteError::NotText));
}

#[test]
fn what_is_no_checkpoint_is_refused_with_its_reason() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let good = format!("o\n7\n{root}\n");
    assert_eq!(Checkpoint::parse(&good).unwrap().text(), good);
    let extended = format!("o\n7\n{root}\nmore\n");
    assert_eq!(Checkpoint::parse(&extended).unwrap().extensions, ["more"]);
    for (text, error) in [
        ("", CheckpointError::Lines),
        ("o\n7\n", CheckpointError::Lines),
        (&good[..good.len() - 1], CheckpointError::Lines),
        (&good.replacen('o', "", 1), CheckpointError::Origin),
        (&good.replacen('7', "07", 1), CheckpointError::Size),
        (&good.replacen('7', "+7", 1), CheckpointError::Size),
        (&good.replacen('7', "", 1), CheckpointError::Size),
        (&good.replacen('7', "18446744073709551616", 1), CheckpointError::Size),
        (&good.replacen("2I=", "2J=", 1), CheckpointError::Root),
        (&good.replacen("2I=", "2I", 1), CheckpointError::Root),
        (&format!("o\n7\n{root}\n\nmore\n"), CheckpointError::Extension),
    ] {
        assert_eq!(Checkpoint::parse(text), Err(error), "{text:?}");
    }
}

fn policy(text: &str) -> Policy {
    Policy::parse(text.as_bytes()).unwrap()
}

#[test]
fn the_example_policy_of_the_specification_demands_two_of_x_and_one_of_y() {
    let names = ["X1", "X2", "X3", "Y1", "Y2", "Y3"];
    let signers: Vec<Signer> =
        (10..).zip(names).map(|(seed, name)| Signer::witness(name, seed)).collect();
    let vkey = |place: usize| signers[place].key().to_string();
    let text = format!(
        "log {}\n\nwitness X1 {}\nwitness X2 {}\nwitness X3 {}\n\
         group X-witnesses 2 X1 X2 X3\n\n\
         witness Y1 {}\nwitness Y2 {}\nwitness Y3 {}\n\
         group Y-witnesses any Y1 Y2 Y3\n\n\
         group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n",
        log_signer().key(),
        vkey(0),
        vkey(1),
        vkey(2),
        vkey(3),
        vkey(4),
        vkey(5)
    );
    let policy = policy(&text);
    let log = Log(vec![Hash([7; 32]); 5]);
    for chosen in 0..64_u32 {
        let mut signed = SignedCheckpoint::sign(&log.checkpoint(ORIGIN), &log_signer()).unwrap();
        for (place, signer) in signers.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1) {
            signed.cosign(signer, Timestamp::from_millis(1_000 * place as u64)).unwrap();
        }
        let enough = (chosen & 0b111).count_ones() >= 2 && chosen >> 3 != 0;
        match policy.check(&signed, &AwsLc) {
            Ok(accepted) => {
                assert!(enough, "{chosen:06b}");
                assert_eq!(accepted.cosigners.len() as u32, chosen.count_ones());
            }
            Err(Refusal::NoQuorum { quorum, cosigners }) => {
                assert!(!enough, "{chosen:06b}");
                assert_eq!(quorum, "X-and-Y");
                assert_eq!(cosigners.len() as u32, chosen.count_ones());
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_policy_accepts_only_its_logs_under_their_own_origin() {
    let log = Log(vec![Hash([7; 32]); 5]);
    let alone = policy(&policy_text(log_signer().key(), &[], 0));
    assert_eq!(alone.logs()[0].key, *log_signer().key());
    assert_eq!(alone.check(&sign(&log), &AwsLc).unwrap().cosigners, []);
    let unknown = policy("quorum none\n").check(&sign(&log), &AwsLc);
    assert_eq!(unknown, Err(Refusal::UnknownLog(ORIGIN.to_owned())));
    // The right origin signed with a key that the policy does not know.
    let other = Signer::log(ORIGIN, 77);
    let forged = SignedCheckpoint::sign(&log.checkpoint(ORIGIN), &other).unwrap();
    let refused = alone.check(&forged, &AwsLc);
    assert_eq!(refused, Err(Refusal::NoLogSignature(ORIGIN.to_owned())));
    // A trusted key under the origin of another log.
    let foreign = SignedCheckpoint::sign(&log.checkpoint("other.example"), &log_signer()).unwrap();
    let refused = alone.check(&foreign, &AwsLc);
    assert_eq!(refused, Err(Refusal::UnknownLog("other.example".to_owned())));
    // Two logs of one origin, as while a key is replaced: one signature is enough.
    let both = format!("log {}\nlog {}\nquorum none\n", other.key(), log_signer().key());
    assert_eq!(policy(&both).check(&forged, &AwsLc).unwrap().log, *other.key());
    let [audit, finance] = witnesses().map(|witness| witness.key().clone());
    let two = policy_text(log_signer().key(), &[audit, finance], 2);
    assert_eq!(policy(&two).check(&sign(&log), &AwsLc).unwrap().cosigners.len(), 2);
}

#[test]
fn a_policy_is_read_with_blanks_comments_urls_and_opaque_names() {
    let log = log_signer();
    let [one, two] = witnesses();
    let text = format!(
        "\n# comment\n\t # another\n log\t{} https://log.example/ \n\twitness \t all  {}   \
         https://w1.example/  \n\nwitness any {}\ngroup group 2 all any\n  quorum\tgroup",
        log.key(),
        one.key(),
        two.key()
    );
    let read = policy(&text);
    assert_eq!(read.logs()[0].url.as_deref(), Some("https://log.example/"));
    let signed = sign(&Log(vec![Hash([7; 32])]));
    assert_eq!(read.check(&signed, &AwsLc).unwrap().cosigners.len(), 2);
    let mut octets = format!("log {}\nwitness K", log.key()).into_bytes();
    octets.extend([0xe2, 0x84, 0xaa, 0x80]);
    octets.extend(format!(" {}\nwitness K {}\nquorum K", one.key(), two.key()).bytes());
    assert!(Policy::parse(&octets).is_ok(), "names are octets");
    octets.extend([0xe2, 0x84, 0xaa]);
    assert!(Policy::parse(&octets).is_err(), "octets that differ are other names");
}

#[test]
fn every_mistake_in_a_policy_names_its_line_and_the_remedy() {
    let log = log_signer().key().to_string();
    let [w1, w2] = witnesses().map(|witness| witness.key().to_string());
    let start = format!("witness w1 {w1}\nwitness w2 {w2}\n");
    let renamed = Signer::witness("impostor", 2).key().to_string();
    for (text, line, part) in [
        ("quorum none\n\u{1}".to_owned(), 2, "the byte 0x01 is not allowed"),
        ("quorum none\r\n".to_owned(), 1, "the byte 0x0d is not allowed"),
        ("quorum none\n\u{7f}".to_owned(), 2, "the byte 0x7f is not allowed"),
        ("quibble w1\n".to_owned(), 1, "`quibble` is not known; write `log`"),
        ("log\n".to_owned(), 1, "write `log VKEY [URL]`"),
        (format!("log {log} url # comment\n"), 1, "write `log VKEY [URL]`"),
        ("log garbage\n".to_owned(), 1, "a key is written `NAME+ID+BASE64`"),
        (format!("log {w1}\n"), 1, "a log's key must have signature type 0x01"),
        (format!("log {log}\n#\nlog {log} url\n"), 3, "the same public key"),
        ("witness w1\n".to_owned(), 1, "write `witness NAME VKEY [URL]`"),
        (format!("witness w1 {log}\n"), 1, "a witness's key must have signature type 0x04"),
        (format!("witness none {w1}\n"), 1, "`none` is reserved"),
        (format!("witness w1 {w1}\nwitness w1 {w2}\n"), 2, "`w1` is taken"),
        (format!("witness w1 {w1}\nwitness w2 {renamed}\n"), 2, "the same public key"),
        (format!("{start}group w1 any w2\n"), 3, "`w1` is taken"),
        (format!("{start}group g 1\n"), 3, "write `group NAME all|any|NUMBER MEMBER...`"),
        (format!("{start}group none any w1\n"), 3, "`none` is reserved"),
        (format!("{start}group g 0 w1\n"), 3, "a number from 1 to 1"),
        (format!("{start}group g -1 w1\n"), 3, "a number from 1 to 1"),
        (format!("{start}group g 01 w1\n"), 3, "a number from 1 to 1"),
        (format!("{start}group g 3 w1 w2\n"), 3, "a number from 1 to 2"),
        (format!("{start}group g any w3\n"), 3, "`w3` is not defined"),
        (format!("{start}group g any g\n"), 3, "`g` is not defined"),
        (format!("{start}group g any none w1\n"), 3, "`none` is not defined"),
        (format!("{start}group g all w1 w1\n"), 3, "`w1` is a member of a group already"),
        (format!("{start}group g any w1 w2\ngroup h any w1\n"), 4, "`w1` is a member"),
        (start.clone(), 3, "there is no quorum line"),
        (String::new(), 1, "there is no quorum line"),
        (format!("{start}quorum w1\nquorum w1\n"), 4, "there is a quorum line already"),
        ("quorum unknown\n".to_owned(), 1, "`unknown` is not defined"),
        (format!("quorum w1\n{start}"), 1, "`w1` is not defined in an earlier line"),
        ("quorum\n".to_owned(), 1, "write `quorum NAME`"),
        ("#".repeat(70_000), 1, "too large"),
    ] {
        let error = Policy::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.to_string().contains(part), "{error} / {part}");
    }
}

#[test]
fn a_policy_of_32_logs_witnesses_and_groups_is_read_and_one_name_more_than_allowed_is_not() {
    let mut text = String::new();
    for number in 0..32_u8 {
        text += &format!("log {}\n", Signer::log("log", 100 + number).key());
        let witness = Signer::witness("w", number).key().to_string();
        text += &format!("witness w{number} {witness}\ngroup g{number} all w{number}\n");
    }
    text += "quorum g31\n";
    assert_eq!(policy(&text).logs().len(), 32);
    let [w1, _] = witnesses().map(|witness| witness.key().to_string());
    let mut text = format!("witness n0 {w1}\n");
    for number in 1..=256 {
        text += &format!("group n{number} all n{}\n", number - 1);
    }
    let error = Policy::parse(text.as_bytes()).unwrap_err();
    assert_eq!((error.line, error.problem), (257, PolicyProblem::TooLarge));
}
