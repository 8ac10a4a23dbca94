//! Who is asking: a party proves with one of its registered keys who it is and gets a bearer token.
//!
//! Reading order: [`challenge`] (what is signed), [`registered`] (whose key it is), [`limit`]
//! (against guessing), this file (tokens).
//!
//! Invariants: a token is kept as its hash only, so what is looked up is never the secret itself; a
//! challenge opens one session at the most (test `a_challenge_opens_one_session`); a session ends
//! with its key (test `a_session_ends_when_its_key_is_revoked`).

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::modules::organisation::Scope;
use primitives::{Hash, Party, PublicKey, Timestamp, sha256};
use tokio::sync::watch;

pub mod challenge;
pub mod limit;
pub mod registered;

/// A party that signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub party: Party,
    /// The key that it signed in with.
    pub key: PublicKey,
    /// What the key may do on the ledger; empty for persons, whose keys may do everything of
    /// theirs.
    pub scopes: Vec<Scope>,
    /// From when on the session counts no more.
    pub expires: Timestamp,
    token_hash: Hash,
}

/// How many sessions there may be.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// For how long a session lasts, in milliseconds.
    pub lifetime_millis: u64,
    /// How many a party has at once; the oldest gives way.
    pub per_party_max: usize,
    /// How many there are in all; the ones that expire first give way.
    pub total_max: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { lifetime_millis: 12 * 3_600_000, per_party_max: 16, total_max: 200_000 }
    }
}

/// The sessions of this process, in memory: a restart signs everybody out.
pub struct Sessions {
    limits: SessionLimits,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    by_token: HashMap<Hash, OpenSession>,
    by_party: BTreeMap<Party, VecDeque<Hash>>,
    by_expiry: BTreeSet<(Timestamp, Hash)>,
}

/// A session with those who wait for its end: they hear of it when this is dropped.
struct OpenSession {
    session: Session,
    is_open: watch::Sender<()>,
}

impl Inner {
    fn remove(&mut self, token_hash: Hash) -> Option<Session> {
        let OpenSession { session, .. } = self.by_token.remove(&token_hash)?;
        self.by_expiry.remove(&(session.expires, token_hash));
        if let Some(tokens) = self.by_party.get_mut(&session.party) {
            tokens.retain(|token| *token != token_hash);
            if tokens.is_empty() {
                self.by_party.remove(&session.party);
            }
        }
        Some(session)
    }

    fn remove_first(&mut self) {
        if let Some((_, token_hash)) = self.by_expiry.first().copied() {
            self.remove(token_hash);
        }
    }
}

impl Sessions {
    /// No sessions yet.
    #[must_use]
    pub fn new(limits: SessionLimits) -> Self {
        Self { limits, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked under this lock left at worst a session in one index too many.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session and hands out its token: 32 random bytes in hex.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn open(
        &self,
        party: Party,
        key: PublicKey,
        registered: registered::Registered,
        now: Timestamp,
    ) -> Result<(String, Session), getrandom::Error> {
        let mut secret = [0_u8; 32];
        getrandom::fill(&mut secret)?;
        let token = hex::encode(secret);
        let token_hash = sha256(token.as_bytes());
        let latest = now.plus_millis(self.limits.lifetime_millis);
        let expires = registered.expires.map_or(latest, |expires| expires.min(latest));
        let session = Session { party, key, scopes: registered.scopes, expires, token_hash };
        let mut inner = self.lock();
        while inner.by_expiry.first().is_some_and(|(ends, _)| *ends <= now)
            || inner.by_token.len() >= self.limits.total_max
        {
            inner.remove_first();
        }
        while let Some(tokens) = inner.by_party.get(&party)
            && tokens.len() >= self.limits.per_party_max
            && let Some(oldest) = tokens.front().copied()
        {
            inner.remove(oldest);
        }
        let is_open = watch::Sender::new(());
        let open = OpenSession { session: session.clone(), is_open };
        inner.by_token.insert(token_hash, open);
        inner.by_party.entry(party).or_default().push_back(token_hash);
        inner.by_expiry.insert((expires, token_hash));
        Ok((token, session))
    }

    /// The session of a token, if it is still good. The token is hashed before it is compared, so
    /// that how long a look-up takes says nothing about tokens that exist.
    #[must_use]
    pub fn find(&self, token: &str, now: Timestamp) -> Option<Session> {
        let token_hash = sha256(token.as_bytes());
        let mut inner = self.lock();
        match inner.by_token.get(&token_hash) {
            Some(open) if now < open.session.expires => Some(open.session.clone()),
            Some(_) => {
                inner.remove(token_hash);
                None
            }
            None => None,
        }
    }

    /// Whether a session was neither closed nor has expired.
    #[must_use]
    pub fn is_open(&self, session: &Session, now: Timestamp) -> bool {
        now < session.expires && self.lock().by_token.contains_key(&session.token_hash)
    }

    /// Waits until a session is closed, gave way to others, or was found to have expired; at once
    /// when it is over already.
    pub fn ended(&self, session: &Session) -> impl Future<Output = ()> + Send + use<> {
        let open = self.lock().by_token.get(&session.token_hash).map(|one| one.is_open.subscribe());
        async move {
            if let Some(mut open) = open {
                while open.changed().await.is_ok() {}
            }
        }
    }

    /// Ends a session.
    pub fn close(&self, session: &Session) {
        self.lock().remove(session.token_hash);
    }

    /// How many sessions there are, expired ones that nobody asked for included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().by_token.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::PersonId;
    use registered::Registered;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn open(sessions: &Sessions, person: u8, now: Timestamp) -> (String, Session) {
        let party = Party::Person(PersonId([person; 16]));
        let registered = Registered { scopes: Vec::new(), expires: None, is_passkey: false };
        sessions.open(party, PublicKey::Ed25519([person; 32]), registered, now).unwrap()
    }

    #[test]
    fn a_token_is_good_until_it_expires_or_is_closed() {
        let sessions = Sessions::new(SessionLimits::default());
        let (token, session) = open(&sessions, 1, NOW);
        assert_eq!(sessions.find(&token, NOW), Some(session.clone()));
        assert_eq!(sessions.find(&token[1..], NOW), None);
        let last = Timestamp::from_millis(session.expires.millis() - 1);
        assert!(sessions.find(&token, last).is_some());
        assert!(sessions.find(&token, session.expires).is_none());
        assert_eq!(sessions.count(), 0);
        let (token, session) = open(&sessions, 1, NOW);
        sessions.close(&session);
        assert!(sessions.find(&token, NOW).is_none());
    }

    #[test]
    fn a_session_lasts_no_longer_than_its_key() {
        let sessions = Sessions::new(SessionLimits::default());
        let expires = NOW.plus_millis(5);
        let registered =
            Registered { scopes: Vec::new(), expires: Some(expires), is_passkey: false };
        let party = Party::Person(PersonId([1; 16]));
        let (_, session) =
            sessions.open(party, PublicKey::Ed25519([1; 32]), registered, NOW).unwrap();
        assert_eq!(session.expires, expires);
    }

    #[test]
    fn the_oldest_session_of_a_party_and_the_first_to_expire_of_all_give_way() {
        let limits = SessionLimits { per_party_max: 2, total_max: 3, lifetime_millis: 1_000 };
        let sessions = Sessions::new(limits);
        let at = |millis| NOW.plus_millis(millis);
        let first = open(&sessions, 1, at(0)).0;
        let second = open(&sessions, 1, at(1)).0;
        let third = open(&sessions, 1, at(2)).0;
        assert!(sessions.find(&first, at(3)).is_none());
        let other = open(&sessions, 2, at(3)).0;
        let another = open(&sessions, 3, at(4)).0;
        assert!(sessions.find(&second, at(5)).is_none());
        for token in [&third, &other, &another] {
            assert!(sessions.find(token, at(5)).is_some());
        }
        assert_eq!(sessions.count(), 3);
    }
}
