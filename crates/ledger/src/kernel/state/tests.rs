#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use super::*;
use alloc::format;
use proptest::{collection::vec, prelude::*};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;
type Batch = Vec<(u16, Option<Vec<u8>>)>;

const SALT: Hash = Hash([7; 32]);
const SEEDS: Seeds = Seeds { salt: SALT, secret: Hash([9; 32]) };

fn key(number: u16) -> Vec<u8> {
    format!("row {number}").into_bytes()
}

fn write(state: &mut State, model: &mut Model, batch: &Batch) {
    let keys: Vec<Vec<u8>> = batch.iter().map(|(number, _)| key(*number)).collect();
    state.commit(keys.iter().zip(batch).map(|(key, (_, value))| (&key[..], value.as_deref())));
    for (key, (_, value)) in keys.iter().zip(batch) {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
}

fn state_of(model: &Model) -> State {
    let mut state = State::new(SEEDS);
    state.commit(model.iter().map(|(key, value)| (&key[..], Some(&value[..]))));
    state
}

fn check(state: &State, model: &Model) {
    assert_eq!(state.entry_count(), model.len() as u64);
    for (key, value) in model {
        assert_eq!(state.get(key), Some(&value[..]));
    }
    let rows: BTreeMap<Hash, Vec<u8>> =
        state.entries().map(|(hash, value)| (hash, value.to_vec())).collect();
    let expected: BTreeMap<Hash, Vec<u8>> =
        model.iter().map(|(key, value)| (proof::key_hash(&SALT, key), value.clone())).collect();
    assert_eq!(rows, expected);
    assert!(state.entries().map(|(hash, _)| hash).is_sorted());
}

/// The root by the definition in the module's own words, without pages and without reuse.
fn plain_root(state: &State) -> Hash {
    fn node(rows: &[(Hash, &[u8])], depth: usize) -> Hash {
        if rows.len() <= BUCKET_ENTRIES_MAX {
            let blinded = |key: &Hash, value: &[u8]| {
                proof::value_hash(&proof::blind(&SEEDS.secret, &key.0), value)
            };
            let pairs = rows.iter().map(|(key, value)| (&key.0, blinded(key, value)));
            return proof::bucket_hash(pairs);
        }
        let right = rows.partition_point(|(key, _)| !proof::bit(&key.0, depth));
        proof::node_hash(&node(&rows[..right], depth + 1), &node(&rows[right..], depth + 1))
    }
    let rows: Vec<(Hash, &[u8])> = state.entries().collect();
    proof::root_hash(&SALT, rows.len() as u64, &node(&rows, 0))
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    // Rows are taken away in long runs as well, so that the tree shrinks through several levels.
    let value = prop_oneof![3 => vec(any::<u8>(), 0..40).prop_map(Some), 2 => Just(None)];
    let random = vec((0_u16..600, value), 0..200);
    let filling = (0_u16..500, 1_u16..400)
        .prop_map(|(from, count)| (from..from + count).map(|n| (n, Some(key(n)))).collect());
    let clearing = (0_u16..500, 1_u16..600)
        .prop_map(|(from, n)| (from..from + n).map(|n| (n, None)).collect());
    vec(prop_oneof![random, filling, clearing], 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_state_is_a_map_and_its_root_follows_the_definition(batches in batches()) {
        let (mut state, mut model) = (State::new(SEEDS), Model::new());
        for batch in &batches {
            write(&mut state, &mut model, batch);
            check(&state, &model);
            prop_assert_eq!(state.root(), plain_root(&state));
        }
    }

    #[test]
    fn equal_rows_have_an_equal_root_whatever_the_history(batches in batches()) {
        let (mut state, mut model) = (State::new(SEEDS), Model::new());
        for batch in &batches {
            write(&mut state, &mut model, batch);
        }
        prop_assert_eq!(state.root(), state_of(&model).root());
        let mut one_by_one = State::new(SEEDS);
        for (key, value) in model.iter().rev() {
            one_by_one.commit([(&key[..], Some(&value[..]))]);
        }
        prop_assert_eq!(state.root(), one_by_one.root());
        let entries = state.entries().map(|(hash, value)| (hash, value.to_vec()));
        let restored = State::from_entries(SEEDS, entries);
        prop_assert_eq!(state.root(), restored.root());
        check(&restored, &model);
    }

    #[test]
    fn a_clone_is_unaffected_by_later_writes(before in batches(), after in batches()) {
        let (mut state, mut model) = (State::new(SEEDS), Model::new());
        for batch in &before {
            write(&mut state, &mut model, batch);
        }
        let (snapshot, kept, root) = (state.clone(), model.clone(), state.root());
        for batch in &after {
            write(&mut state, &mut model, batch);
        }
        check(&snapshot, &kept);
        prop_assert_eq!(snapshot.root(), root);
        prop_assert_eq!(plain_root(&snapshot), root);
    }

    #[test]
    fn proofs_show_presence_and_absence_and_nothing_else(
        batches in batches(), number in 0_u16..700, other in vec(any::<u8>(), 0..40),
    ) {
        let (mut state, mut model) = (State::new(SEEDS), Model::new());
        for batch in &batches {
            write(&mut state, &mut model, batch);
        }
        let (root, key) = (state.root(), key(number));
        let proof = state.prove(&key);
        let value = model.get(&key).map(|value| &value[..]);
        prop_assert_eq!(proof.verify(&root, &key, value), Ok(()));
        if value != Some(&other) {
            prop_assert!(proof.verify(&root, &key, Some(&other)).is_err());
        }
        if value.is_some() {
            prop_assert_eq!(proof.verify(&root, &key, None), Err(StateProofError::Present));
        }
    }

    #[test]
    fn a_proof_with_one_byte_changed_is_refused(
        number in 0_u16..400, position in any::<prop::sample::Index>(), flip in 1_u8..=255,
    ) {
        let model: Model = (0..300).map(|n| (key(n), key(n))).collect();
        let (state, key) = (state_of(&model), key(number));
        let root = state.root();
        let mut bytes = borsh::to_vec(&state.prove(&key)).unwrap();
        let at = position.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(forged) = borsh::from_slice::<StateProof>(&bytes) {
            let value = model.get(&key).map(|value| &value[..]);
            prop_assert!(forged.verify(&root, &key, value).is_err());
        }
    }
}

fn filled(count: u16) -> State {
    state_of(&(0..count).map(|n| (key(n), key(n))).collect())
}

#[test]
fn a_proof_that_hides_its_row_is_refused() {
    let state = filled(300);
    let (root, key) = (state.root(), key(5));
    let mut proof = state.prove(&key);
    let mine = proof::key_hash(&SALT, &key);
    proof.bucket.retain(|(hash, _)| *hash != mine);
    assert_eq!(proof.verify(&root, &key, None), Err(StateProofError::OtherRoot));
}

#[test]
fn a_proof_of_another_bucket_is_refused() {
    let state = filled(300);
    let root = state.root();
    let mine = state.prove(&key(5));
    let others = (6..300).map(|n| state.prove(&key(n))).filter(|other| other.bucket != mine.bucket);
    let mut count = 0;
    for other in others {
        assert_eq!(other.verify(&root, &key(5), None), Err(StateProofError::Malformed));
        count += 1;
    }
    assert!(count > 200);
}

#[test]
fn an_inner_node_cannot_pose_as_a_bucket() {
    let state = filled(300);
    let (root, key) = (state.root(), key(5));
    let proof = state.prove(&key);
    // The two children of the top node, presented as one row of a bucket at the top.
    let depth = proof.siblings.len();
    assert!(depth > 3);
    let mut bottom = proof::bucket_hash(proof.bucket.iter().map(|(k, v)| (&k.0, *v)));
    let way = proof::key_hash(&SALT, &key).0;
    for at in (1..depth).rev() {
        let beside = proof.siblings[at];
        bottom = if proof::bit(&way, at) {
            proof::node_hash(&beside, &bottom)
        } else {
            proof::node_hash(&bottom, &beside)
        };
    }
    let top = proof.siblings[0];
    let pair = if proof::bit(&way, 0) { (top, bottom) } else { (bottom, top) };
    let forged = StateProof { bucket: alloc::vec![pair], siblings: Vec::new(), ..proof };
    assert_eq!(forged.verify(&root, &key, None), Err(StateProofError::OtherRoot));
}

/// A provider knows the key of a person's account and that it holds one of few values. It grinds
/// ids of its own until a row of it lies in the same bucket, and reads the proof of that row.
#[test]
fn a_proof_does_not_let_anybody_try_values_of_neighbours() {
    let state = filled(BUCKET_ENTRIES_MAX as u16);
    let (own, victim) = (key(1), key(2));
    let proof = state.prove(&own);
    let victims_place = proof::key_hash(&proof.salt, &victim);
    let (_, shown) = *proof.bucket.iter().find(|(place, _)| *place == victims_place).unwrap();
    // The right value is among those that are tried, with everything the proof says.
    assert_eq!(state.get(&victim), Some(&victim[..]));
    let tags = [Hash([0; 32]), proof.salt, victims_place, proof.blind.unwrap()];
    assert!(tags.iter().all(|blind| proof::value_hash(blind, &victim) != shown));
    let stolen = StateProof { blind: proof.blind, ..proof.clone() };
    let found = stolen.verify(&state.root(), &victim, Some(&victim));
    assert_eq!(found, Err(StateProofError::OtherValue));
    // Whoever may see the row gets its own opening.
    assert_eq!(state.prove(&victim).verify(&state.root(), &victim, Some(&victim)), Ok(()));
    let unopened = StateProof { blind: None, ..proof };
    let found = unopened.verify(&state.root(), &own, Some(&own));
    assert_eq!(found, Err(StateProofError::OtherValue));
    assert_eq!(state.prove(&key(999)).blind, None, "an absence has nothing to open");
    let other = State::from_entries(
        Seeds { secret: Hash([1; 32]), ..SEEDS },
        state.entries().map(|(key, value)| (key, value.to_vec())),
    );
    assert_ne!(other.root(), state.root());
}

#[test]
fn the_salt_and_the_number_of_rows_are_under_the_root() {
    let state = filled(40);
    let (root, key) = (state.root(), key(5));
    let proof = state.prove(&key);
    let salted = StateProof { salt: Hash([8; 32]), ..proof.clone() };
    assert!(salted.verify(&root, &key, Some(&key)).is_err());
    let counted = StateProof { entry_count: 41, ..proof };
    assert_eq!(counted.verify(&root, &key, Some(&key)), Err(StateProofError::OtherRoot));
    assert_ne!(State::new(Seeds { salt: Hash([8; 32]), ..SEEDS }).root(), State::new(SEEDS).root());
}

#[test]
fn a_bucket_holds_its_maximum_and_splits_at_one_more() {
    let full = BUCKET_ENTRIES_MAX as u16;
    assert!(filled(full).prove(&key(0)).siblings.is_empty());
    assert_eq!(filled(full).prove(&key(0)).bucket.len(), BUCKET_ENTRIES_MAX);
    assert!(!filled(full + 1).prove(&key(0)).siblings.is_empty());
    let mut state = filled(full + 1);
    state.commit([(&key(3)[..], None)]);
    assert!(state.prove(&key(0)).siblings.is_empty());
}

#[test]
fn of_two_writes_to_one_key_the_later_counts() {
    let mut state = State::new(SEEDS);
    let one: (&[u8], Option<&[u8]>) = (b"k", Some(b"1"));
    state.commit([one, (b"k", Some(b"2")), (b"gone", Some(b"3")), (b"gone", None)]);
    assert_eq!(state.get(b"k"), Some(&b"2"[..]));
    assert_eq!(state.entry_count(), 1);
    state.commit([(&b"never there"[..], None)]);
    assert_eq!(state.entry_count(), 1);
}

#[test]
fn the_longest_value_is_kept_and_a_longer_one_is_a_bug() {
    let mut state = State::new(SEEDS);
    let longest = alloc::vec![1_u8; VALUE_BYTES_MAX];
    for n in 0..80 {
        state.commit([(&key(n)[..], Some(&longest[..]))]);
    }
    assert_eq!(state.get(&key(79)), Some(&longest[..]));
    let keys: Vec<Vec<u8>> = (0..80).map(key).collect();
    let mut at_once = State::new(SEEDS);
    at_once.commit(keys.iter().map(|key| (&key[..], Some(&longest[..]))));
    assert_eq!(at_once.root(), state.root());
}

#[test]
#[should_panic(expected = "longer than 1 MiB")]
fn a_value_over_the_bound_stops_the_node() {
    let longer = alloc::vec![1_u8; VALUE_BYTES_MAX + 1];
    State::new(SEEDS).commit([(&b"k"[..], Some(&longer[..]))]);
}

/// Anybody who writes a verifier in another language can start here.
#[test]
fn the_root_of_known_rows_never_changes() {
    let known = [
        (0, "bf085f225e108d4da0203092d0718102b991fcc52d1e909f5d11d95d6a0ba2b3"),
        (1, "91e30a5491e14bd61fb6e6e757b34a24defa4d708a475e332284c4571b2bf2fc"),
        (4, "779766414c4b282b00251305e574b4d38c383dc2ab124deb867be0ad9460dc50"),
        (5, "56b4bb218eacd2e48ab83c02f5f3c5e56335d8473af2784a9e73f203d216c02b"),
        (1_000, "2cb77623b75ccbb5f38c37a4dfe17e4f2989a9fa6e442088696ca29d80faac23"),
    ];
    let roots = known.map(|(count, _)| (count, format!("{}", filled(count).root())));
    assert_eq!(roots.each_ref().map(|(count, root)| (*count, root.as_str())), known);
}
