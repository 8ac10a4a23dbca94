//! Vouchers and the proofs under them: what they prove, and that every change to them is noticed.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use std::{fs, path::Path, process::Command};

use common::{
    AwsLc, Log, ORIGIN, PLACE, Signer, field, fields, log_signer, record, seed, sign, time,
    voucher, witnesses, yuan,
};
use primitives::{Hash, codec};
use proof::{
    checkpoint::SignedCheckpoint,
    log::{ProofError, leaf_hash, prove_inclusion},
    note::{NoteError, NoteSigner},
    policy::{Policy, Refusal, policy_text},
    receipt::{Opening, OutcomeCode},
    tlog_proof::{TlogProof, TlogProofError, TlogProofRefusal},
    voucher::{VerifiedVoucher, Voucher, VoucherError},
};

/// The policy that wants this many of the two witnesses.
fn trust(needed: usize) -> String {
    let keys = witnesses().map(|witness| witness.key().clone());
    policy_text(log_signer().key(), &keys, needed)
}

fn policy(needed: usize) -> Policy {
    Policy::parse(trust(needed).as_bytes()).unwrap()
}

/// Reads and verifies a voucher as a stranger does.
fn verify(bytes: &[u8], policy: &Policy) -> Result<VerifiedVoucher, String> {
    let voucher = Voucher::decode(bytes).map_err(|error| error.to_string())?;
    voucher.verify(policy, &AwsLc).map_err(|error| error.to_string())
}

#[test]
fn a_voucher_proves_the_receipt_and_the_fields_that_its_holder_shows() {
    let voucher = voucher(&[3, 1, 6]);
    let text = voucher.encode();
    let proven = verify(text.as_bytes(), &policy(2)).unwrap();
    assert_eq!(proven.record, record());
    let shown: Vec<(u32, String, String)> = proven
        .fields
        .iter()
        .map(|(place, field)| (*place, field.name.to_string(), field.value.to_string()))
        .collect();
    assert_eq!(
        shown,
        [
            (1, "total".to_owned(), "876.35 CNY".to_owned()),
            (3, "cash".to_owned(), "262.91 CNY".to_owned()),
            (6, "note".to_owned(), "门诊统筹".to_owned()),
        ]
    );
    assert_eq!((proven.index, proven.log_size), (PLACE as u64, 100));
    assert_eq!(proven.log.name(), ORIGIN);
    let cosigners: Vec<&str> = proven.cosigners.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(cosigners, ["audit.example/w", "finance.example/w"]);
    assert_eq!(proven.cosigners[0].time.millis(), time().millis() / 1_000 * 1_000);
    assert_eq!(Voucher::decode(text.as_bytes()).unwrap(), voucher);
}

#[test]
fn a_voucher_says_nothing_of_the_fields_that_it_does_not_show() {
    let extra = TlogProof::parse(voucher(&[1]).encode().as_bytes()).unwrap().extra.unwrap();
    for hidden in fields().into_iter().filter(|field| &*field.name != "total") {
        let value = codec::encode(&hidden.value);
        for part in [hidden.name.as_bytes(), &value] {
            assert!(!extra.windows(part.len()).any(|window| window == part), "{hidden:?}");
        }
    }
}

#[test]
fn a_holder_may_leave_fields_out_and_add_none() {
    let full = voucher(&[0, 1, 2, 3]);
    let names = ["cash", "payer"].map(|name| name.parse().unwrap());
    let less = full.show_only(&names).unwrap();
    assert_eq!(less, voucher(&[0, 3]));
    assert_eq!(verify(less.encode().as_bytes(), &policy(2)).unwrap().fields.len(), 2);
    let total = "total".parse().unwrap();
    assert_eq!(less.show_only(&[total]), Err(VoucherError::NotOpen("total".parse().unwrap())));
    let none = full.show_only(&[]).unwrap();
    assert_eq!(verify(none.encode().as_bytes(), &policy(2)).unwrap().record, record());
}

#[test]
fn every_changed_byte_of_a_voucher_is_noticed() {
    let text = voucher(&[1, 3]).encode();
    let policy = policy(2);
    verify(text.as_bytes(), &policy).unwrap();
    for place in 0..text.len() {
        for mask in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut bent = text.as_bytes().to_vec();
            bent[place] ^= mask;
            let held = verify(&bent, &policy);
            assert!(held.is_err(), "byte {place} of {}, bits {mask:08b}", text.len());
        }
    }
}

/// The only bytes that may change unnoticed are the name and the key id of a cosignature that the
/// policy does not need: such a line is then nobody's, and the specification says to ignore it.
#[test]
fn only_the_names_of_cosignatures_beyond_the_quorum_may_change_and_the_meaning_stays() {
    let text = voucher(&[1, 3]).encode();
    let policy = policy(1);
    let proven = verify(text.as_bytes(), &policy).unwrap();
    let mut harmless = Vec::new();
    for witness in witnesses() {
        let name = witness.key().name();
        let start = text.find(&format!("— {name} ")).unwrap() + "— ".len();
        // The name, then a blank, then eight base64 digits of which the first five and a part of
        // the sixth are the key id.
        harmless.extend(start..start + name.len());
        harmless.extend(start + name.len() + 1..start + name.len() + 7);
    }
    let mut unnoticed = 0;
    for place in 0..text.len() {
        for mask in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut bent = text.as_bytes().to_vec();
            bent[place] ^= mask;
            if let Ok(other) = verify(&bent, &policy) {
                unnoticed += 1;
                assert!(harmless.contains(&place), "byte {place}, bits {mask:08b}");
                assert_eq!(other.cosigners.len(), 1);
                let same = VerifiedVoucher { cosigners: proven.cosigners.clone(), ..other };
                assert_eq!(same, proven);
            }
        }
    }
    assert!(unnoticed > 0, "otherwise this test would show nothing");
}

#[test]
fn every_cut_voucher_is_refused() {
    let text = voucher(&[1]).encode();
    let policy = policy(2);
    for end in 0..text.len() {
        assert!(verify(&text.as_bytes()[..end], &policy).is_err(), "cut at {end}");
    }
    for more in ["\n", " ", "x", "— a AAAA\n"] {
        assert!(verify(format!("{text}{more}").as_bytes(), &policy).is_err(), "{more:?}");
    }
}

#[test]
fn a_voucher_is_refused_without_the_signatures_that_the_policy_demands() {
    let text = voucher(&[1]).encode();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let without = |start: &str| -> String {
        let start = format!("— {start}");
        lines.iter().filter(|line| !line.starts_with(&start)).copied().collect()
    };
    let refusal = |text: &str, policy: &Policy| {
        Voucher::decode(text.as_bytes()).unwrap().verify(policy, &AwsLc).unwrap_err()
    };
    let no_log = TlogProofRefusal::Policy(Refusal::NoLogSignature(ORIGIN.to_owned()));
    assert_eq!(refusal(&without(ORIGIN), &policy(0)), no_log);
    let one = without("finance.example/w");
    assert!(verify(one.as_bytes(), &policy(1)).is_ok());
    assert_eq!(
        refusal(&one, &policy(2)).to_string(),
        "only audit.example/w cosigned; the policy demands the quorum `witnesses`"
    );
    // The same origin under another key is another log.
    let other = policy_text(Signer::log(ORIGIN, 200).key(), &[], 0);
    assert_eq!(refusal(&text, &Policy::parse(other.as_bytes()).unwrap()), no_log);
}

#[test]
fn a_voucher_does_not_hold_in_another_tree_or_at_another_place() {
    let record = record();
    let log = Log::with(&record, PLACE, 100);
    let path = prove_inclusion(&log, PLACE as u64, 100).unwrap();
    let issue = |index, path, checkpoint| {
        Voucher::issue(record.clone(), Vec::new(), index, path, checkpoint)
    };
    assert!(issue(PLACE as u64, path.clone(), sign(&log)).is_ok());
    let elsewhere = Log::with(&record, PLACE + 1, 100);
    for (index, path, log) in [
        (PLACE as u64, path.clone(), &elsewhere),
        (PLACE as u64 + 1, path.clone(), &log),
        (PLACE as u64, prove_inclusion(&log, PLACE as u64 + 1, 100).unwrap(), &log),
    ] {
        let refused = issue(index, path, sign(log)).unwrap_err();
        assert_eq!(refused, VoucherError::Inclusion(ProofError::RootMismatch));
    }
    let refused = issue(100, path.clone(), sign(&log)).unwrap_err();
    assert_eq!(refused, VoucherError::Inclusion(ProofError::OutOfRange));
    let refused = issue(PLACE as u64, path[1..].to_vec(), sign(&log)).unwrap_err();
    assert_eq!(refused, VoucherError::Inclusion(ProofError::Length));
    // A checkpoint of the other tree with a checkpoint's signature of ours.
    let ours = sign(&log).encode();
    let (_, signatures) = ours.split_once("\n\n").unwrap();
    let mixed = format!("{}\n{signatures}", elsewhere.checkpoint(ORIGIN).text());
    let mixed = SignedCheckpoint::parse(mixed.as_bytes()).unwrap();
    let place = PLACE as u64 + 1;
    let path = prove_inclusion(&elsewhere, place, 100).unwrap();
    let forged = issue(place, path, mixed).unwrap();
    let refused = forged.verify(&policy(0), &AwsLc).unwrap_err();
    let invalid = Refusal::Note(NoteError::InvalidSignature(ORIGIN.to_owned()));
    assert_eq!(refused, TlogProofRefusal::Policy(invalid));
}

#[test]
fn an_opening_fits_its_own_place_salt_name_and_value_only() {
    let record = record();
    let log = Log::with(&record, PLACE, 100);
    let path = prove_inclusion(&log, PLACE as u64, 100).unwrap();
    let issue =
        |openings| Voucher::issue(record.clone(), openings, PLACE as u64, path.clone(), sign(&log));
    let good = seed().open(1, fields()[1].clone());
    assert!(good.fits(&record));
    assert!(issue(vec![good.clone()]).is_ok());
    let total = "total".parse().unwrap();
    let other_salt = Opening { salt: seed().salt(2), ..good.clone() };
    for (wrong, name) in [
        (Opening { index: 2, ..good.clone() }, "total"),
        (Opening { index: 9, ..good.clone() }, "total"),
        (Opening { index: u32::MAX, ..good.clone() }, "total"),
        (other_salt, "total"),
        (Opening { field: field("total", yuan(87_634)), ..good.clone() }, "total"),
        (Opening { field: field("sum", yuan(87_635)), ..good.clone() }, "sum"),
    ] {
        let refused = issue(vec![wrong]).unwrap_err();
        assert_eq!(refused, VoucherError::Opening(name.parse().unwrap()));
    }
    let refused = issue(vec![good.clone(), good]).unwrap_err();
    assert_eq!(refused, VoucherError::OpeningsOrder);
    assert_eq!(
        VoucherError::Opening(total).to_string(),
        "the field `total` does not fit the receipt; the file was changed"
    );
}

/// A voucher with other extra data, everything else as it was.
fn with_extra(extra: Option<Vec<u8>>) -> Result<Voucher, VoucherError> {
    let mut proof = TlogProof::parse(voucher(&[1, 3]).encode().as_bytes()).unwrap();
    proof.extra = extra;
    Voucher::decode(proof.encode().as_bytes())
}

#[test]
fn extra_data_that_is_no_voucher_is_refused_with_its_reason() {
    let extra = TlogProof::parse(voucher(&[1, 3]).encode().as_bytes()).unwrap().extra.unwrap();
    assert!(with_extra(Some(extra.clone())).is_ok());
    assert_eq!(with_extra(None), Err(VoucherError::NotAVoucher));
    assert_eq!(with_extra(Some(b"age-v1.2.1".to_vec())), Err(VoucherError::NotAVoucher));
    assert_eq!(with_extra(Some(extra[..40].to_vec())), Err(VoucherError::Record));
    assert_eq!(with_extra(Some([&extra[..], &[0]].concat())), Err(VoucherError::Record));
    let mut newer = extra.clone();
    newer[16] = 2;
    assert_eq!(with_extra(Some(newer)), Err(VoucherError::Version(2)));
    // The two openings in the other order.
    let tag_and_record = 16 + record().leaf().len();
    let bytes: Vec<Vec<u8>> = [3, 1]
        .iter()
        .map(|n| codec::encode(&seed().open(*n, fields()[*n as usize].clone())))
        .collect();
    let turned = [&extra[..tag_and_record], &2_u32.to_le_bytes(), &bytes[0], &bytes[1]].concat();
    assert_eq!(with_extra(Some(turned)), Err(VoucherError::OpeningsOrder));
    // A list that claims more elements than allowed is refused before anything is read.
    let many = [&extra[..tag_and_record], &u32::MAX.to_le_bytes()].concat();
    assert_eq!(with_extra(Some(many)), Err(VoucherError::Record));
    // Another receipt than the proven one.
    let mut other = record();
    other.outcome = OutcomeCode::Rejected(7);
    let forged = [&extra[..16], &other.leaf(), &0_u32.to_le_bytes()].concat();
    let mismatch = VoucherError::Inclusion(ProofError::RootMismatch);
    assert_eq!(with_extra(Some(forged)), Err(mismatch));
    assert_eq!(Voucher::decode(&[b'x'; 65_537]), Err(VoucherError::TooLong));
    let no_proof = VoucherError::Proof(TlogProofError::FirstLine);
    assert_eq!(Voucher::decode(b"%PDF-1.7"), Err(no_proof));
}

#[test]
fn the_exported_pieces_are_a_plain_proof_of_the_record_bytes() {
    let voucher = voucher(&[1]);
    let proof = TlogProof::parse(voucher.export_proof().as_bytes()).unwrap();
    assert_eq!(proof.extra, None);
    let leaf = leaf_hash(&voucher.export_record());
    assert!(proof.verify(leaf, &policy(2), &AwsLc).is_ok());
    let wrong = proof.verify(leaf_hash(b"another record"), &policy(2), &AwsLc);
    assert_eq!(wrong, Err(TlogProofRefusal::Inclusion(ProofError::RootMismatch)));
}

#[test]
fn the_head_of_the_specification_example_is_read() {
    // The specification abridges its signatures, and its extra line is no base64; the rest is its
    // own words.
    let tail = sign(&Log(vec![Hash([7; 32])])).encode();
    let text = format!(
        "c2sp.org/tlog-proof@v1\nextra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6\nindex 73894\n\
         gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\
         B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n\
         EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n\
         RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n\
         AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n\n{tail}"
    );
    let proof = TlogProof::parse(text.as_bytes()).unwrap();
    assert_eq!(proof.encode(), text);
    assert_eq!(proof.extra.as_deref(), Some(&b"age-v1.2.1-darwin-arm64.tar.gz"[..]));
    assert_eq!((proof.index, proof.path.len()), (73_894, 5));
    let start = "8122b25e8619520";
    assert!(proof.path[0].to_string().starts_with(start));
}

#[test]
fn what_is_no_proof_is_refused_with_its_reason() {
    let tail = sign(&Log(vec![Hash([7; 32])])).encode();
    let head = "c2sp.org/tlog-proof@v1\n";
    let hash = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n";
    let parse = |text: String| TlogProof::parse(text.as_bytes());
    assert!(parse(format!("{head}index 0\n\n{tail}")).is_ok());
    assert!(parse(format!("{head}index 0\n{}\n{tail}", hash.repeat(64))).is_ok());
    for (text, error) in [
        (format!("wrong-header\nindex 0\n\n{tail}"), TlogProofError::FirstLine),
        (format!("{head}index 0\n{tail}"), TlogProofError::PathHash(1)),
        (format!("{head}index 0\n"), TlogProofError::NoCheckpoint),
        (format!("{head}extra !!notbase64!!\nindex 0\n\n{tail}"), TlogProofError::Extra),
        (format!("{head}extra \nindex 0\n\n{tail}"), TlogProofError::Extra),
        (format!("{head}extra\nindex 0\n\n{tail}"), TlogProofError::Extra),
        (format!("{head}extra AAAA\nextra AAAA\nindex 0\n\n{tail}"), TlogProofError::Index),
        (format!("{head}\n\n{tail}"), TlogProofError::Index),
        (format!("{head}index notanumber\n\n{tail}"), TlogProofError::Index),
        (format!("{head}index -5\n\n{tail}"), TlogProofError::Index),
        (format!("{head}index 05\n\n{tail}"), TlogProofError::Index),
        (format!("{head}index 5 \n\n{tail}"), TlogProofError::Index),
        (format!("{head}index 0\n{hash}!!notbase64!!\n\n{tail}"), TlogProofError::PathHash(2)),
        (format!("{head}index 0\nAAAA\n\n{tail}"), TlogProofError::PathHash(1)),
        (format!("{head}index 0\n{}\n{tail}", hash.repeat(65)), TlogProofError::TooManyHashes),
        ("x".repeat(600_000), TlogProofError::TooLong),
    ] {
        assert_eq!(parse(text.clone()), Err(error), "{text:.80?}");
    }
    let no_text = TlogProof::parse(b"c2sp.org/tlog-proof@v1\nindex 0\n\n\xff");
    assert_eq!(no_text, Err(TlogProofError::NotText));
    let no_checkpoint = parse(format!("{head}index 0\n\ncheckpoint\n"));
    assert!(matches!(no_checkpoint, Err(TlogProofError::Checkpoint(_))));
}

/// Runs the verifier that was written apart from this code, in Python's standard library.
fn independently(voucher: &[u8], policy: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/independent/verify_voucher.py");
    let run = Command::new("python3")
        .arg(script)
        .arg(file("voucher.tlog-proof", voucher))
        .arg(file("policy", policy.as_bytes()))
        .output()
        .expect("python3 runs");
    let said = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
    assert!(!said.contains("Traceback"), "the verifier must refuse, not crash: {said}");
    (run.status.success(), said)
}

#[test]
fn an_independent_verifier_agrees() {
    let text = voucher(&[1, 3, 4, 6]).encode();
    let (held, said) = independently(text.as_bytes(), &trust(2));
    assert!(held, "{said}");
    for part in [
        "chain gansu-demo height 812 receipt 3 kind 504 accepted",
        "total = 876.35 CNY",
        "cash = 262.91 CNY",
        "service_date = 2026-03-31",
        "note = 门诊统筹",
        "log yibao.example/gansu-demo/receipts size 100 index 41",
        "cosigned audit.example/w, finance.example/w",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let bend = |from: &str, to: &str| text.replacen(from, to, 1);
    let start = text.find("extra ").unwrap() + 6;
    let mut record = text.clone().into_bytes();
    record[start + 60] = if record[start + 60] == b'A' { b'B' } else { b'A' };
    for (what, bytes) in [
        ("index", bend("index 41", "index 40").into_bytes()),
        ("size", bend("\n100\n", "\n101\n").into_bytes()),
        ("log", bend("— yibao", "— other").into_bytes()),
        ("cosigner", bend("— audit", "— other").into_bytes()),
        ("record", record),
    ] {
        let (held, said) = independently(&bytes, &trust(2));
        assert!(!held, "{what}: {said}");
        assert!(verify(&bytes, &policy(2)).is_err(), "{what}");
    }
    let stranger = policy_text(Signer::log(ORIGIN, 200).key(), &[], 0);
    assert!(!independently(text.as_bytes(), &stranger).0);
}
