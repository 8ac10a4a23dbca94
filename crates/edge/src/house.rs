//! One hospital at the edge: its keys, its book, and the order in which things are taken for it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adapters::directory::{DirectoryError, DirectoryKey};
use adapters::edge::{EdgeBook, Standing, Taken};
use adapters::sqlite::Place;
use gateway::nhsa::profile::Profile;
use gateway::nhsa::sealing::Sealing;
use gateway::nhsa::signature::{Keys, Nonces, Received, Scheme as _};
use node::signature::SecretKey;
use primitives::{Hash, Timestamp, sha256, sha256_parts};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::EdgeError;
use crate::known::{Person, Visit};
use crate::ledger::Ledger;
use crate::line::{Cut, Platform, Reply, Watched};
use crate::setup::HospitalSetup;
use crate::sign::UnderWay;

/// Kinds of entries of the book.
pub const PERSON: &str = "person";
/// Whose number a card's number and name are.
pub const SHOWN: &str = "shown";
/// Visits and stays.
pub const VISIT: &str = "visit";
/// The first number of a visit by its other one.
pub const ALIAS: &str = "alias";
/// Sign-ins.
pub const SESSION: &str = "session";
/// What a settlement came to, by its numbers.
pub const SETTLED: &str = "settled";
/// By which message a settlement was taken.
pub const BILL: &str = "bill";
/// What the platform said to what it refused.
pub const WORDS: &str = "words";
/// What was taken of a person in a day.
pub const SPENT: &str = "spent";
/// Refusals of the platform.
pub const REFUSED: &str = "refused";
/// Numbers of messages that the platform reversed, so that they cannot come later.
pub const REVERSED: &str = "reversed";
/// The last comparison with the platform.
pub const COMPARED: &str = "compared";
/// When something that had waited was carried out last.
pub const NUMBERED_AT: &str = "played-at";

/// How many links are looked at together.
const PAGE: u32 = 500;

/// What a hospital's keys are.
pub struct HouseKeys {
    /// What its system signs with.
    pub his: Keys,
    /// What the platform knows it by.
    pub platform: Vec<u8>,
    /// Signs what is taken, and opens the book.
    pub own: SecretKey,
    /// The hospital's window on the ledger and its key there, where it has them.
    pub ledger: Option<Ledger>,
    /// How sealed bodies of mobile payment are read, where the hospital gave the secret.
    pub mobile: Option<Sealing>,
}

/// One hospital.
pub struct House {
    /// What it was set up with.
    pub setup: HospitalSetup,
    /// How its messages are read and answered.
    pub profile: Profile,
    /// Its keys.
    pub keys: HouseKeys,
    /// What it remembers.
    pub book: EdgeBook,
    /// The platform.
    pub platform: Arc<Platform>,
    /// What is on its way there.
    pub under_way: UnderWay,
    /// Whether the platform asks for the hospital's signatures.
    pub asked: Watched,
    /// What may come with one message only.
    pub nonces: Mutex<Nonces>,
    desk: Mutex<()>,
    claimed: Mutex<BTreeSet<String>>,
}

/// What is kept of a message that was taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Content {
    /// The number of the transaction.
    pub infno: String,
    /// The message as it came.
    pub body: String,
    /// The first number of the visit that it is about; empty for none.
    pub visit: String,
    /// The edge's number for what it opens or settles; empty for nothing.
    pub number: String,
    /// When it was taken.
    pub at: Timestamp,
}

/// The last comparison with the platform (3201, 3202).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compared {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub infno: String,
    /// What it came to, in the platform's words.
    pub words: String,
    /// Whether there were no differences.
    pub is_same: bool,
}

impl House {
    /// Opens a hospital's book in its folder.
    ///
    /// # Errors
    /// When the book cannot be opened.
    pub fn open(
        setup: HospitalSetup,
        folder: &Path,
        keys: HouseKeys,
        platform: Arc<Platform>,
    ) -> Result<Self, EdgeError> {
        let key = sha256_parts(&[b"yibao/edge-book/v1", keys.own.as_bytes()]);
        let place = Place::File(folder.join("edge.sqlite"));
        let book = EdgeBook::open(&place, &DirectoryKey(key.0))?;
        let names = [setup.fixmedins_code.as_str(), &setup.fixmedins_name, ""];
        let profile = Profile {
            infcode: setup.infcode,
            signature: setup.signature,
            ..Profile::usual(names, &[])
        };
        let (desk, claimed) = (Mutex::default(), Mutex::default());
        let (under_way, asked, nonces) = Default::default();
        let house =
            Self { setup, profile, keys, book, platform, under_way, asked, nonces, desk, claimed };
        house.check_chain()?;
        Ok(house)
    }

    /// What was taken is as it was signed: each link follows from the one before, and the last one
    /// has the hospital's signature.
    fn check_chain(&self) -> Result<(), EdgeError> {
        let (mut before, mut last, mut signature) = (Hash::default(), 0, None);
        loop {
            let page = self.book.taken((last, PAGE))?;
            let Some(end) = page.last() else { break };
            (last, signature) = (end.seq, Some(end.signature));
            for one in &page {
                let content = serde_json::from_slice::<Content>(&one.content).ok();
                let next = content.map(|content| {
                    link(&before, (one.seq, content.at), (&one.msgid, content.body.as_bytes()))
                });
                if next != Some(one.link) {
                    return Err(self.broken(one.seq));
                }
                before = one.link;
            }
        }
        // A signature of Ed25519 follows from key and message alone.
        if signature.is_some_and(|one| one != self.keys.own.sign_raw(before.as_bytes())) {
            return Err(self.broken(last));
        }
        Ok(())
    }

    fn broken(&self, seq: i64) -> EdgeError {
        EdgeError::Setup(format!(
            "the book of `{}` was changed at message {seq}: it is not what was signed; keep the folder \
             and put it back from a copy",
            self.setup.folder
        ))
    }

    /// By what the platform knows it.
    #[must_use]
    pub fn credentials(&self) -> (&str, &[u8]) {
        (&self.setup.fixmedins_code, &self.keys.platform)
    }

    /// Sends a message on; what it asks for is signed meanwhile, where the edge has the key.
    ///
    /// # Errors
    /// When no answer came.
    pub fn send(&self, text: &str) -> Result<Reply, Cut> {
        let _on_its_way = self.under_way.note(self, text.as_bytes());
        self.platform.send(self.credentials(), text.as_bytes())
    }

    /// Passes on what is sealed in its body, as it came. What it asks for is signed where the edge
    /// can read it.
    ///
    /// # Errors
    /// When no answer came.
    pub fn pass_sealed(&self, body: &[u8], now: Timestamp) -> Result<Reply, Cut> {
        let received = Received { body, now, ..Received::default() };
        let opened = self.keys.mobile.as_ref().and_then(|sealing| {
            sealing.opened(received, &sealing.keys.current).map(Cow::into_owned)
        });
        let _on_its_way = opened.map(|text| self.under_way.note(self, &text));
        self.platform.pass_sealed(body)
    }

    /// Nobody else changes what is remembered meanwhile.
    pub fn desk(&self) -> MutexGuard<'_, ()> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims the number of a message for as long as this lives; nothing where it is claimed.
    #[must_use]
    pub fn claim(&self, msgid: &str) -> Option<Claim<'_>> {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        let claim = || Claim { house: self, msgid: msgid.to_owned() };
        claimed.insert(msgid.to_owned()).then(claim)
    }

    /// What was entered, from JSON.
    ///
    /// # Errors
    /// When the book fails.
    pub fn read<T: DeserializeOwned>(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Option<T>, DirectoryError> {
        let bytes = self.book.get(kind, id)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// The visit of this number, whichever of its two it is.
    ///
    /// # Errors
    /// When the book fails.
    pub fn visit(&self, number: &str) -> Result<Option<Visit>, DirectoryError> {
        match self.read::<String>(ALIAS, number)? {
            Some(first) => self.read(VISIT, &first),
            None => self.read(VISIT, number),
        }
    }

    /// Under which name a card is remembered: nobody without the key computes it.
    #[must_use]
    pub fn shown(&self, number: &str) -> String {
        self.book.name(SHOWN, number.as_bytes())
    }

    /// Whoever showed this card before.
    ///
    /// # Errors
    /// When the book fails.
    pub fn person_of_card(&self, number: &str) -> Result<Option<Person>, DirectoryError> {
        let Some(psn_no) = self.read::<String>(SHOWN, &self.shown(number))? else {
            return Ok(None);
        };
        self.read(PERSON, &psn_no)
    }

    /// What is taken next, at the end of the chain: whoever has it and the hospital's public key
    /// sees what was taken, in which order and when, and that nothing was put in between or left
    /// out. The desk is held meanwhile.
    ///
    /// # Errors
    /// When the book fails.
    pub fn next_taken(
        &self,
        content: &Content,
        (msgid, person): (&str, &str),
        is_bill: bool,
    ) -> Result<Taken, DirectoryError> {
        let (last, before) = self.book.end()?;
        let seq = last + 1;
        let link = link(&before, (seq, content.at), (msgid, content.body.as_bytes()));
        Ok(Taken {
            seq,
            msgid: msgid.to_owned(),
            person: person.to_owned(),
            standing: Standing::Waiting,
            is_bill,
            content: json_bytes(content),
            link,
            signature: self.keys.own.sign_raw(link.as_bytes()),
        })
    }
}

/// The hash of the chain with one more at its end.
#[must_use]
pub fn link(before: &Hash, (seq, at): (i64, Timestamp), (msgid, body): (&str, &[u8])) -> Hash {
    let (seq, at) = (seq.to_le_bytes(), at.millis().to_le_bytes());
    let body = sha256(body);
    let parts: [&[u8]; 6] =
        [b"yibao/edge-taken/v1", before.as_bytes(), &seq, &at, msgid.as_bytes(), body.as_bytes()];
    sha256_parts(&parts)
}

/// A value of ours as it is kept.
#[must_use]
pub fn json_bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// That nobody else works on a message meanwhile.
pub struct Claim<'a> {
    house: &'a House,
    msgid: String,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut claimed = self.house.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.remove(&self.msgid);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use adapters::edge::Change;
    use gateway::nhsa::profile::{InfcodeForm, SchemeName};
    use node::signature::Scheme;
    use std::time::Duration;

    /// A hospital with a book in this folder.
    pub(crate) fn open(folder: &Path, seed: u8) -> Result<House, EdgeError> {
        let setup = HospitalSetup {
            folder: "one".to_owned(),
            fixmedins_code: "H62010000001".to_owned(),
            fixmedins_name: "n".to_owned(),
            infcode: InfcodeForm::Number,
            yuan_per_person_and_day_max: 1,
            bills_max: 1,
            mobile_app_id: None,
            mobile_sm2_key: None,
            signature: SchemeName::HmacSm3,
            link_is_protected: false,
            sm2_key: None,
            ledger: None,
        };
        let his = Keys { current: Vec::new(), previous: None };
        let own = SecretKey::from_seed(Scheme::Ed25519, &[seed; 32]);
        let keys = HouseKeys { his, platform: Vec::new(), own, ledger: None, mobile: None };
        let platform = Arc::new(Platform::new("http://127.0.0.1:1", Duration::from_secs(1)));
        House::open(setup, folder, keys, platform)
    }

    fn take(house: &House, msgid: &str, change: impl Fn(&mut Taken)) {
        let content = Content {
            infno: "2207".to_owned(),
            body: format!("the bill of {msgid}"),
            visit: String::new(),
            number: String::new(),
            at: Timestamp::from_millis(7),
        };
        let mut taken = house.next_taken(&content, (msgid, "p"), true).unwrap();
        change(&mut taken);
        house.book.apply(&Change { taken: Some(taken), ..Change::default() }).unwrap();
    }

    #[test]
    fn what_was_taken_is_what_was_signed_or_the_edge_does_not_start() {
        let folder = tempfile::tempdir().unwrap();
        let house = open(folder.path(), 1).unwrap();
        take(&house, "m1", |_| {});
        take(&house, "m2", |_| {});
        drop(house);
        let house = open(folder.path(), 1).unwrap();
        // A bill that was put in place of another one.
        take(&house, "m3", |one| {
            let text = String::from_utf8(one.content.clone()).unwrap();
            one.content = text.replace("of m3", "of m4").into_bytes();
        });
        drop(house);
        let told = open(folder.path(), 1).err().unwrap().to_string();
        assert!(told.contains("changed at message 3"), "{told}");
        let folder = tempfile::tempdir().unwrap();
        take(&open(folder.path(), 1).unwrap(), "m1", |one| one.signature = [0; 64]);
        let told = open(folder.path(), 1).err().unwrap().to_string();
        assert!(told.contains("changed at message 1"), "{told}");
    }

    #[test]
    fn numbers_of_the_edge_become_the_platforms_wherever_they_stand() {
        use crate::numbers::{NOTHING, NUMBER, PENDING, Rewritten, is_own, number, rewritten};
        let folder = tempfile::tempdir().unwrap();
        let house = open(folder.path(), 1).unwrap();
        let own = number(&house, "visit", "m1");
        let sign = number(&house, "sign", "m1");
        assert!(is_own(&own) && own != sign && !is_own(&own.to_lowercase()));
        let put = |id: &str, bytes: &[u8]| {
            let mut change = Change::default();
            change.put(NUMBER, id, bytes.to_vec());
            house.book.apply(&change).unwrap();
        };
        put(&own, PENDING);
        put(&sign, NOTHING);
        let text =
            format!("{{\"a\":\"{own}\",\"b\":\"{{\\\"c\\\":\\\"{sign}\\\"}}\",\"d\":\"ED医\"}}");
        let shown = |text: &str| match rewritten(&house, text).unwrap() {
            Rewritten::Text(text) => text,
            Rewritten::Missing(own) => format!("missing {own}"),
        };
        assert_eq!(shown(&text), format!("missing {own}"));
        put(&own, b"0f0f");
        let clean = "{\"a\":\"0f0f\",\"b\":\"{\\\"c\\\":\\\"\\\"}\",\"d\":\"ED医\"}";
        assert_eq!(shown(&text), clean);
        assert_eq!(shown("ED0123456789012345678901234567"), "ED0123456789012345678901234567");
    }
}
