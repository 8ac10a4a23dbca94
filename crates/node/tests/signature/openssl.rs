//! The system's `openssl` command as an independent implementation of SM2 and SM3.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SM2_SPKI: &str = "3059301306072a8648ce3d020106082a811ccf5501822d03420004";
const SM2_USER_ID: &str = "distid:1234567812345678";

fn run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("the tests need the command `openssl`, version 3; install the package openssl")
}

fn with_files<T>(files: &[(&str, &[u8])], then: impl FnOnce(&Path) -> T) -> T {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    then(directory.path())
}

fn spki(xy: &[u8; 64]) -> Vec<u8> {
    [hex::decode(SM2_SPKI).unwrap(), xy.to_vec()].concat()
}

pub fn sm2_key_is_valid(xy: &[u8; 64]) -> bool {
    with_files(&[("key.der", &spki(xy))], |directory| {
        let check = ["pkey", "-pubin", "-inform", "DER", "-in", "key.der", "-pubcheck", "-noout"];
        run(directory, &check).status.success()
    })
}

pub fn sm2_verify(xy: &[u8; 64], message: &[u8], signature: &[u8; 64]) -> bool {
    let files = [
        ("key.der", &spki(xy)[..]),
        ("message", message),
        ("signature", &der_signature(signature)),
    ];
    with_files(&files, |directory| {
        let verify = [
            "pkeyutl",
            "-verify",
            "-pubin",
            "-keyform",
            "DER",
            "-inkey",
            "key.der",
            "-in",
            "message",
            "-rawin",
            "-digest",
            "sm3",
            "-sigfile",
            "signature",
            "-pkeyopt",
            SM2_USER_ID,
        ];
        run(directory, &verify).status.success()
    })
}

pub fn sm2_sign(secret: &[u8; 32], xy: &[u8; 64], message: &[u8]) -> [u8; 64] {
    let key = [
        hex::decode("30770201010420").unwrap(),
        secret.to_vec(),
        hex::decode("a00a06082a811ccf5501822da14403420004").unwrap(),
        xy.to_vec(),
    ]
    .concat();
    with_files(&[("key.der", &key), ("message", message)], |directory| {
        let sign = [
            "pkeyutl",
            "-sign",
            "-keyform",
            "DER",
            "-inkey",
            "key.der",
            "-in",
            "message",
            "-rawin",
            "-digest",
            "sm3",
            "-pkeyopt",
            SM2_USER_ID,
        ];
        let output = run(directory, &sign);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        raw_signature(&output.stdout)
    })
}

pub fn sm3(message: &[u8]) -> Vec<u8> {
    with_files(&[("message", message)], |directory| {
        let output = run(directory, &["dgst", "-sm3", "-binary", "message"]);
        assert!(output.status.success());
        output.stdout
    })
}

/// r and s as a DER sequence of two integers.
fn der_signature(raw: &[u8; 64]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(31);
        let digits = &bytes[zeros..];
        let sign = if digits[0] & 0x80 == 0 { &[][..] } else { &[0] };
        [&[2, u8::try_from(sign.len() + digits.len()).unwrap()], sign, digits].concat()
    };
    let body = [integer(&raw[..32]), integer(&raw[32..])].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

fn raw_signature(der: &[u8]) -> [u8; 64] {
    let mut raw = [0; 64];
    let mut rest = &der[2..];
    for half in raw.chunks_mut(32) {
        let length = usize::from(rest[1]);
        let digits = &rest[2..2 + length];
        let digits = &digits[digits.len().saturating_sub(32)..];
        half[32 - digits.len()..].copy_from_slice(digits);
        rest = &rest[2 + length..];
    }
    raw
}
