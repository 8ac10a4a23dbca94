//! Who is asking: a party proves with one of its registered keys who it is and gets a bearer token.
//!
//! Reading order: [`challenge`] (what is signed), [`registered`] (whose key it is), [`limit`]
//! (against guessing), this file (tokens).
//!
//! Invariants: a token is kept as its hash only, so what is looked up is never the secret itself;
//! it is always chosen here, and a new one for every sign-in (test
//! `no_client_chooses_its_token_and_every_sign_in_has_a_new_one`); a challenge opens one session at
//! the most (test `a_challenge_opens_one_session`); a session ends with its key (test
//! `a_session_ends_when_its_key_is_revoked`).

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::modules::organisation::Scope;
use primitives::{Detail, Hash, Party, PublicKey, Timestamp, detail, sha256, sha256_parts};
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
    /// When it was opened.
    pub opened: Timestamp,
    /// From when on the session counts no more, whatever is done with it.
    pub expires: Timestamp,
    token_hash: Hash,
}

impl Session {
    /// Names the session without saying anything of its token.
    #[must_use]
    pub fn id(&self) -> SessionId {
        let [a, b, c, d, e, f, g, h, ..] =
            sha256_parts(&[b"yibao/session-id/v1", self.token_hash.as_bytes()]).0;
        SessionId([a, b, c, d, e, f, g, h])
    }

    /// What its requests are counted by.
    #[must_use]
    pub fn place(&self) -> limit::Place {
        limit::Place::session(self.token_hash)
    }

    /// Whether this session may see and end another one: a person all of its own, an organisation
    /// those of the same key, so that a clerk does not sign the settling system out.
    #[must_use]
    pub fn may_end(&self, other: &Self) -> bool {
        self.party == other.party
            && (matches!(self.party, Party::Person(_)) || self.key == other.key)
    }
}

/// The name of a session: 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId([u8; 8]);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl serde::Serialize for SessionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl schemars::JsonSchema for SessionId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SessionId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{16}$" })
    }
}

impl FromStr for SessionId {
    type Err = Detail;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut id = [0; 8];
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut id) {
            Ok(()) if is_lower => Ok(Self(id)),
            _ => Err(detail!("write the 16 lower-case hex digits of a session's id")),
        }
    }
}

/// How many sessions there may be.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// For how long a session lasts, in milliseconds.
    pub lifetime_millis: u64,
    /// After how many milliseconds without a request a person's session ends.
    pub person_idle_millis: u64,
    /// After how many milliseconds without a request an organisation's session ends.
    pub organisation_idle_millis: u64,
    /// How many a party has at once; the oldest gives way.
    pub per_party_max: usize,
    /// How many there are in all; the ones that expire first give way.
    pub total_max: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            lifetime_millis: 12 * 3_600_000,
            person_idle_millis: 30 * 60_000,
            organisation_idle_millis: 2 * 3_600_000,
            per_party_max: 16,
            total_max: 200_000,
        }
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
    /// When it asked for something last.
    used: Timestamp,
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

    fn insert(&mut self, session: Session, now: Timestamp) {
        let token_hash = session.token_hash;
        self.by_party.entry(session.party).or_default().push_back(token_hash);
        self.by_expiry.insert((session.expires, token_hash));
        let open = OpenSession { session, used: now, is_open: watch::Sender::new(()) };
        self.by_token.insert(token_hash, open);
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
        let (token, token_hash) = new_token()?;
        let latest = now.plus_millis(self.limits.lifetime_millis);
        let expires = registered.expires.map_or(latest, |expires| expires.min(latest));
        let session =
            Session { party, key, scopes: registered.scopes, opened: now, expires, token_hash };
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
        inner.insert(session.clone(), now);
        Ok((token, session))
    }

    /// Gives a session another token; the one it had is worth nothing any more. How long the
    /// session lasts stays as it was. `None` when the session is over.
    ///
    /// # Errors
    /// When the system gives no randomness; then nothing has changed.
    pub fn rotate(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<Option<(String, Session)>, getrandom::Error> {
        let (token, token_hash) = new_token()?;
        let mut inner = self.lock();
        if inner.remove(session.token_hash).is_none() {
            return Ok(None);
        }
        let session = Session { token_hash, ..session.clone() };
        inner.insert(session.clone(), now);
        Ok(Some((token, session)))
    }

    /// The open sessions that this one may end, itself among them, with when each asked for
    /// something last; the oldest first.
    #[must_use]
    pub fn of(&self, session: &Session, now: Timestamp) -> Vec<(Session, Timestamp)> {
        let inner = self.lock();
        let tokens = inner.by_party.get(&session.party).into_iter().flatten();
        let open = tokens.filter_map(|token| inner.by_token.get(token));
        let open = open.filter(|one| self.is_good(one, now) && session.may_end(&one.session));
        open.map(|one| (one.session.clone(), one.used)).collect()
    }

    /// Whether a session has neither expired nor been idle for too long.
    fn is_good(&self, open: &OpenSession, now: Timestamp) -> bool {
        let idle = match open.session.party {
            Party::Person(_) => self.limits.person_idle_millis,
            Party::Organisation(_) => self.limits.organisation_idle_millis,
        };
        now < open.session.expires && now < open.used.plus_millis(idle)
    }

    /// The session of a token, if it is still good. The token is hashed before it is compared, so
    /// that how long a look-up takes says nothing about tokens that exist.
    #[must_use]
    pub fn find(&self, token: &str, now: Timestamp) -> Option<Session> {
        let token_hash = sha256(token.as_bytes());
        let mut inner = self.lock();
        let open = inner.by_token.get_mut(&token_hash)?;
        if self.is_good(open, now) {
            open.used = open.used.max(now);
            return Some(open.session.clone());
        }
        inner.remove(token_hash);
        None
    }

    /// Whether a session was neither closed nor has expired nor been idle for too long.
    #[must_use]
    pub fn is_open(&self, session: &Session, now: Timestamp) -> bool {
        self.lock().by_token.get(&session.token_hash).is_some_and(|open| self.is_good(open, now))
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

/// A token and its hash.
fn new_token() -> Result<(String, Hash), getrandom::Error> {
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret)?;
    let token = hex::encode(secret);
    let token_hash = sha256(token.as_bytes());
    Ok((token, token_hash))
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
        let never = u64::MAX / 2;
        let limits = SessionLimits { person_idle_millis: never, ..SessionLimits::default() };
        let sessions = Sessions::new(limits);
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
    fn a_session_that_is_not_used_ends_before_its_time() {
        let sessions = Sessions::new(SessionLimits::default());
        let idle = SessionLimits::default().person_idle_millis;
        let (token, session) = open(&sessions, 1, NOW);
        let mut now = NOW;
        for _ in 0..3 {
            now = now.plus_millis(idle - 1);
            assert!(sessions.is_open(&session, now));
            assert!(sessions.find(&token, now).is_some());
        }
        let late = now.plus_millis(idle);
        // Looking whether it is open is no use of it.
        assert!(!sessions.is_open(&session, late));
        assert!(sessions.of(&session, late).is_empty());
        assert!(sessions.find(&token, late).is_none());
        assert_eq!(sessions.count(), 0);
    }

    #[test]
    fn a_session_gets_another_token_and_lasts_no_longer_for_it() {
        let sessions = Sessions::new(SessionLimits::default());
        let (old, session) = open(&sessions, 1, NOW);
        let later = NOW.plus_millis(1_000);
        let (new, rotated) = sessions.rotate(&session, later).unwrap().unwrap();
        assert!(sessions.find(&old, later).is_none());
        assert_eq!(sessions.find(&new, later), Some(rotated.clone()));
        assert_eq!((rotated.expires, rotated.opened), (session.expires, session.opened));
        assert_ne!(rotated.id(), session.id());
        // Somebody else with the old token cannot get a new one either.
        assert_eq!(sessions.rotate(&session, later).unwrap(), None);
        assert_eq!(sessions.count(), 1);
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
        let limits = SessionLimits {
            per_party_max: 2,
            total_max: 3,
            lifetime_millis: 1_000,
            ..SessionLimits::default()
        };
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
