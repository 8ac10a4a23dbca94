//! What a party signs to sign in.
//!
//! The signed text names its purpose, the ledger and the party, so a signature for signing in can
//! never stand for one under a transaction, whatever challenge a dishonest server hands out. A
//! client builds the text itself from the challenge.
//!
//! The server keeps nothing for an issued challenge (it recognises its own by a keyed hash), so
//! asking for challenges cannot fill its memory; it remembers those that opened a session until
//! they expire.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use primitives::{Hash, Party, Timestamp, sha256};
use proof::header::ChainId;

/// For how long a challenge may be answered, in milliseconds. Our own limit.
pub const CHALLENGE_MILLIS: u64 = 3 * 60_000;

/// How many used challenges are remembered. Our own limit: above it nobody can sign in for a while.
const USED_MAX: usize = 200_000;

const NONCE_BYTES: usize = 16;
const CHALLENGE_BYTES: usize = NONCE_BYTES + 8 + 32;

/// The challenges of this process.
pub struct Challenges {
    key: [u8; 32],
    used: Mutex<BTreeSet<(Timestamp, Hash)>>,
}

/// A challenge that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// What goes into the signed text, in hex.
    pub challenge: String,
    /// From when on it cannot be answered.
    pub expires: Timestamp,
}

/// The text whose SHA-256 is signed.
#[must_use]
pub fn sign_in_text(chain_id: ChainId, party: Party, challenge: &str) -> String {
    format!("yibao/session/v1\n{chain_id}\n{party}\n{challenge}\n")
}

/// What is signed: the SHA-256 of [`sign_in_text`].
#[must_use]
pub fn sign_in_message(chain_id: ChainId, party: Party, challenge: &str) -> Hash {
    sha256(sign_in_text(chain_id, party, challenge).as_bytes())
}

impl Challenges {
    /// A fresh set with a key of its own.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0_u8; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key, used: Mutex::default() })
    }

    fn tag(&self, party: Party, nonce: &[u8], expires: u64) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(nonce).update(&expires.to_le_bytes()).update(party.to_string().as_bytes());
        hasher.finalize()
    }

    /// Issues a challenge to a party, whether or not there is such a party.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn issue(&self, party: Party, now: Timestamp) -> Result<Challenge, getrandom::Error> {
        let expires = now.plus_millis(CHALLENGE_MILLIS);
        let mut bytes = [0_u8; CHALLENGE_BYTES];
        let (nonce, rest) = bytes.split_at_mut(NONCE_BYTES);
        getrandom::fill(nonce)?;
        let (time, tag) = rest.split_at_mut(8);
        time.copy_from_slice(&expires.millis().to_le_bytes());
        tag.copy_from_slice(self.tag(party, nonce, expires.millis()).as_bytes());
        Ok(Challenge { challenge: hex::encode(bytes), expires })
    }

    /// When this challenge ends, if it was issued here to this party and may still be answered.
    #[must_use]
    pub fn check(&self, party: Party, challenge: &str, now: Timestamp) -> Option<Timestamp> {
        let mut bytes = [0_u8; CHALLENGE_BYTES];
        hex::decode_to_slice(challenge, &mut bytes).ok()?;
        // One spelling, so that a used challenge cannot come back in capitals.
        if challenge.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let (nonce, rest) = bytes.split_at(NONCE_BYTES);
        let (time, tag) = rest.split_first_chunk::<8>()?;
        let expires = u64::from_le_bytes(*time);
        let tag = blake3::Hash::from_slice(tag).ok()?;
        // `blake3::Hash` compares in constant time.
        if self.tag(party, nonce, expires) != tag {
            return None;
        }
        let expires = Timestamp::from_millis(expires);
        let is_used = || {
            let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            used.contains(&(expires, sha256(challenge.as_bytes())))
        };
        (now < expires && !is_used()).then_some(expires)
    }

    /// Uses a challenge up. Whether it was this call that did.
    pub fn use_up(&self, challenge: &str, expires: Timestamp, now: Timestamp) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while used.first().is_some_and(|(ends, _)| *ends <= now) {
            used.pop_first();
        }
        let key = (expires, sha256(challenge.as_bytes()));
        used.len() < USED_MAX && used.insert(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::PersonId;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
    const PARTY: Party = Party::Person(PersonId([7; 16]));

    #[test]
    fn a_challenge_is_for_one_party_one_time_and_one_process() {
        let challenges = Challenges::new().unwrap();
        let issued = challenges.issue(PARTY, NOW).unwrap();
        let check = |party, text: &str, now| challenges.check(party, text, now);
        assert_eq!(check(PARTY, &issued.challenge, NOW), Some(issued.expires));
        assert_eq!(check(Party::Person(PersonId([8; 16])), &issued.challenge, NOW), None);
        assert_eq!(check(PARTY, &issued.challenge, issued.expires), None);
        assert_eq!(check(PARTY, &issued.challenge.to_uppercase(), NOW), None);
        assert_eq!(check(PARTY, &issued.challenge[2..], NOW), None);
        assert_eq!(Challenges::new().unwrap().check(PARTY, &issued.challenge, NOW), None);
        assert!(challenges.use_up(&issued.challenge, issued.expires, NOW));
        assert!(!challenges.use_up(&issued.challenge, issued.expires, NOW));
        assert_eq!(check(PARTY, &issued.challenge, NOW), None);
    }

    #[test]
    fn a_challenge_cannot_be_made_to_last_longer() {
        let challenges = Challenges::new().unwrap();
        let issued = challenges.issue(PARTY, NOW).unwrap();
        let mut bytes = hex::decode(&issued.challenge).unwrap();
        let later = NOW.plus_millis(10 * CHALLENGE_MILLIS).millis();
        bytes[NONCE_BYTES..NONCE_BYTES + 8].copy_from_slice(&later.to_le_bytes());
        assert_eq!(challenges.check(PARTY, &hex::encode(bytes), NOW), None);
    }

    #[test]
    fn used_challenges_are_forgotten_when_they_have_expired() {
        let challenges = Challenges::new().unwrap();
        let issued = challenges.issue(PARTY, NOW).unwrap();
        assert!(challenges.use_up(&issued.challenge, issued.expires, NOW));
        let other = challenges.issue(PARTY, issued.expires).unwrap();
        assert!(challenges.use_up(&other.challenge, other.expires, issued.expires));
        assert_eq!(challenges.used.lock().unwrap().len(), 1);
    }

    #[test]
    fn the_signed_text_names_purpose_ledger_and_party() {
        let chain_id = "demo".parse().unwrap();
        assert_eq!(
            sign_in_text(chain_id, PARTY, "00ff"),
            format!("yibao/session/v1\ndemo\nperson:{}\n00ff\n", "07".repeat(16))
        );
    }
}
