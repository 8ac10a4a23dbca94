//! Whom to trust: the policy file of C2SP tlog-policy. It names logs, witnesses and the quorum of
//! witnesses that must have cosigned a checkpoint.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use primitives::{Timestamp, Verifier};

use crate::{
    base64,
    checkpoint::SignedCheckpoint,
    note::{NoteError, NoteKey, NoteKeyError, SignatureType},
};

/// The longest policy that is read, in bytes.
pub const POLICY_BYTES_MAX: usize = 65_536;
/// The most logs, and the most witnesses and groups together, that a policy may name.
pub const POLICY_NAMES_MAX: usize = 256;

/// A policy, read and found consistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    members: Vec<Member>,
    quorum: Quorum,
}

/// A log that a policy trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLog {
    /// The log's key; its name is the origin of the log's checkpoints.
    pub key: NoteKey,
    /// Where to reach the log, if the policy says; as it stands in the file.
    pub url: Option<String>,
}

/// What a name of the policy stands for; groups name only members before themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Member {
    Witness(NoteKey),
    Group { threshold: usize, members: Vec<usize> },
}

/// Who must have cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Quorum {
    None,
    Member { name: String, index: usize },
}

/// Why a file is not a policy: the line, counted from 1, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The line.
    pub line: usize,
    /// What is wrong.
    pub problem: PolicyProblem,
}

/// What is wrong in a line of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyProblem {
    /// The file is longer than [`POLICY_BYTES_MAX`] or names more than [`POLICY_NAMES_MAX`].
    TooLarge,
    /// A byte that the format forbids.
    Byte(u8),
    /// The first word is not one that the format knows.
    Keyword(String),
    /// The line has too few or too many words; the form it should have.
    Form(&'static str),
    /// The key cannot be read.
    Key(NoteKeyError),
    /// The key signs in a way that does not fit its purpose.
    KeyType(&'static str),
    /// The key stands in an earlier line already.
    DuplicateKey,
    /// The name `none` is taken by the format itself.
    Reserved,
    /// The name stands in an earlier line already.
    DuplicateName(String),
    /// The name is not defined in an earlier line.
    Unknown(String),
    /// The name is a member of a group already.
    UsedTwice(String),
    /// The threshold is not between one and the number of members.
    Threshold {
        /// How many members there are.
        members: usize,
    },
    /// There is a second quorum line.
    SecondQuorum,
    /// There is no quorum line.
    NoQuorum,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the policy: ", self.line)?;
        match &self.problem {
            PolicyProblem::TooLarge => write!(
                f,
                "the policy is too large; {POLICY_BYTES_MAX} bytes and {POLICY_NAMES_MAX} names \
                 are allowed"
            ),
            PolicyProblem::Byte(byte) => {
                write!(f, "the byte 0x{byte:02x} is not allowed; use plain text and newlines")
            }
            PolicyProblem::Keyword(word) => {
                write!(f, "`{word}` is not known; write `log`, `witness`, `group` or `quorum`")
            }
            PolicyProblem::Form(form) => write!(f, "write `{form}`"),
            PolicyProblem::Key(error) => fmt::Display::fmt(error, f),
            PolicyProblem::KeyType(remedy) => f.write_str(remedy),
            PolicyProblem::DuplicateKey => {
                f.write_str("the same public key stands in an earlier line; remove one of them")
            }
            PolicyProblem::Reserved => f.write_str("the name `none` is reserved; choose another"),
            PolicyProblem::DuplicateName(name) => {
                write!(f, "the name `{name}` is taken by an earlier line; choose another")
            }
            PolicyProblem::Unknown(name) => {
                write!(f, "`{name}` is not defined in an earlier line; define it there first")
            }
            PolicyProblem::UsedTwice(name) => {
                write!(f, "`{name}` is a member of a group already; name it once")
            }
            PolicyProblem::Threshold { members } => {
                write!(f, "the threshold must be `any`, `all` or a number from 1 to {members}")
            }
            PolicyProblem::SecondQuorum => {
                f.write_str("there is a quorum line already; keep exactly one")
            }
            PolicyProblem::NoQuorum => {
                f.write_str("there is no quorum line; add `quorum NAME` or `quorum none`")
            }
        }
    }
}
impl core::error::Error for PolicyError {}

/// What the reader knows of the lines before.
#[derive(Default)]
struct Reader<'a> {
    logs: Vec<PolicyLog>,
    members: Vec<Member>,
    names: BTreeMap<&'a [u8], usize>,
    grouped: BTreeSet<usize>,
    log_keys: BTreeSet<primitives::PublicKey>,
    witness_keys: BTreeSet<primitives::PublicKey>,
    quorum: Option<Quorum>,
}

const LOG_FORM: &str = "log VKEY [URL]";
const WITNESS_FORM: &str = "witness NAME VKEY [URL]";
const GROUP_FORM: &str = "group NAME all|any|NUMBER MEMBER...";
const QUORUM_FORM: &str = "quorum NAME";

fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_string()
}

fn key(word: &[u8]) -> Result<NoteKey, PolicyProblem> {
    let text = core::str::from_utf8(word).map_err(|_| PolicyProblem::Key(NoteKeyError::Form))?;
    text.parse().map_err(PolicyProblem::Key)
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a [u8]) -> Result<(), PolicyProblem> {
        let is_allowed = |byte: u8| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..);
        if let Some(byte) = line.iter().find(|byte| !is_allowed(**byte)) {
            return Err(PolicyProblem::Byte(*byte));
        }
        let words: Vec<&[u8]> = line
            .split(|byte| matches!(byte, b' ' | b'\t'))
            .filter(|word| !word.is_empty())
            .collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", rest @ ..] => self.log(rest),
            [b"witness", rest @ ..] => self.witness(rest),
            [b"group", rest @ ..] => self.group(rest),
            [b"quorum", rest @ ..] => self.quorum(rest),
            [other, ..] => Err(PolicyProblem::Keyword(shown(other))),
        }
    }

    fn log(&mut self, words: &[&[u8]]) -> Result<(), PolicyProblem> {
        let (vkey, url) = match words {
            [vkey] => (vkey, None),
            [vkey, url] => (vkey, Some(shown(url))),
            _ => return Err(PolicyProblem::Form(LOG_FORM)),
        };
        let key = key(vkey)?;
        if key.signature_type() != SignatureType::Ed25519 {
            return Err(PolicyProblem::KeyType("a log's key must have signature type 0x01"));
        }
        if !self.log_keys.insert(key.public_key()) {
            return Err(PolicyProblem::DuplicateKey);
        }
        if self.logs.len() >= POLICY_NAMES_MAX {
            return Err(PolicyProblem::TooLarge);
        }
        self.logs.push(PolicyLog { key, url });
        Ok(())
    }

    fn witness(&mut self, words: &[&'a [u8]]) -> Result<(), PolicyProblem> {
        let ([name, vkey] | [name, vkey, _]) = words else {
            return Err(PolicyProblem::Form(WITNESS_FORM));
        };
        let key = key(vkey)?;
        if key.signature_type() != SignatureType::CosignatureV1 {
            return Err(PolicyProblem::KeyType("a witness's key must have signature type 0x04"));
        }
        if !self.witness_keys.insert(key.public_key()) {
            return Err(PolicyProblem::DuplicateKey);
        }
        self.define(name, Member::Witness(key))
    }

    fn group(&mut self, words: &[&'a [u8]]) -> Result<(), PolicyProblem> {
        let [name, threshold, names @ ..] = words else {
            return Err(PolicyProblem::Form(GROUP_FORM));
        };
        if names.is_empty() {
            return Err(PolicyProblem::Form(GROUP_FORM));
        }
        let mut members = Vec::new();
        for name in names {
            let index = self.find(name)?;
            if !self.grouped.insert(index) {
                return Err(PolicyProblem::UsedTwice(shown(name)));
            }
            members.push(index);
        }
        let number = core::str::from_utf8(threshold).ok().and_then(base64::decode_number);
        let threshold = match (*threshold, number.map(usize::try_from)) {
            (b"any", _) => 1,
            (b"all", _) => members.len(),
            (_, Some(Ok(number))) if (1..=members.len()).contains(&number) => number,
            _ => return Err(PolicyProblem::Threshold { members: members.len() }),
        };
        self.define(name, Member::Group { threshold, members })
    }

    fn quorum(&mut self, words: &[&[u8]]) -> Result<(), PolicyProblem> {
        let [name] = words else { return Err(PolicyProblem::Form(QUORUM_FORM)) };
        if self.quorum.is_some() {
            return Err(PolicyProblem::SecondQuorum);
        }
        self.quorum = Some(match *name {
            b"none" => Quorum::None,
            name => Quorum::Member { name: shown(name), index: self.find(name)? },
        });
        Ok(())
    }

    fn find(&self, name: &[u8]) -> Result<usize, PolicyProblem> {
        self.names.get(name).copied().ok_or_else(|| PolicyProblem::Unknown(shown(name)))
    }

    fn define(&mut self, name: &'a [u8], member: Member) -> Result<(), PolicyProblem> {
        if name == b"none" {
            return Err(PolicyProblem::Reserved);
        }
        if self.members.len() >= POLICY_NAMES_MAX {
            return Err(PolicyProblem::TooLarge);
        }
        if self.names.insert(name, self.members.len()).is_some() {
            return Err(PolicyProblem::DuplicateName(shown(name)));
        }
        self.members.push(member);
        Ok(())
    }
}

/// A witness whose cosignature counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigner {
    /// The name of its key.
    pub name: String,
    /// When it says that it cosigned; whole seconds.
    pub time: Timestamp,
}

/// Who vouches for a checkpoint that a policy accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The key of the log that signed.
    pub log: NoteKey,
    /// The witnesses of the policy that cosigned, in the policy's order.
    pub cosigners: Vec<Cosigner>,
}

/// Why a policy does not accept a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No log of the policy has this origin.
    UnknownLog(String),
    /// The log's own signature is missing.
    NoLogSignature(String),
    /// A trusted key's signature does not fit.
    Note(NoteError),
    /// Too few of the witnesses have cosigned.
    NoQuorum {
        /// The name of the quorum in the policy.
        quorum: String,
        /// The keys' names of the witnesses that did.
        cosigners: Vec<String>,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLog(origin) => write!(
                f,
                "the policy does not trust the log `{origin}`; use the policy of its operator"
            ),
            Self::NoLogSignature(origin) => {
                write!(f, "the log `{origin}` has not signed with the key that the policy names")
            }
            Self::Note(error) => fmt::Display::fmt(error, f),
            Self::NoQuorum { quorum, cosigners } if cosigners.is_empty() => {
                write!(f, "no witness has cosigned; the policy demands the quorum `{quorum}`")
            }
            Self::NoQuorum { quorum, cosigners } => write!(
                f,
                "only {} cosigned; the policy demands the quorum `{quorum}`",
                cosigners.join(", ")
            ),
        }
    }
}
impl core::error::Error for Refusal {}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// The first line that is wrong, and what to do about it.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > POLICY_BYTES_MAX {
            return Err(PolicyError { line: 1, problem: PolicyProblem::TooLarge });
        }
        let mut reader = Reader::default();
        let mut last = 1;
        for (line, words) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            reader.line(words).map_err(|problem| PolicyError { line, problem })?;
            last = line;
        }
        let missing = PolicyError { line: last, problem: PolicyProblem::NoQuorum };
        let quorum = reader.quorum.ok_or(missing)?;
        Ok(Self { logs: reader.logs, members: reader.members, quorum })
    }

    /// The logs it trusts.
    #[must_use]
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// Whether the checkpoint is signed by a log of the policy under its own origin, and cosigned
    /// as the quorum demands.
    ///
    /// # Errors
    /// What is missing. A signature that bears the name and id of a trusted key and does not fit
    /// is refused even where it is not needed.
    pub fn check(
        &self,
        checkpoint: &SignedCheckpoint,
        verifier: &impl Verifier,
    ) -> Result<Accepted, Refusal> {
        let origin = checkpoint.checkpoint().origin.as_str();
        let note = checkpoint.note();
        let mut log = Err(Refusal::UnknownLog(String::from(origin)));
        for known in self.logs.iter().filter(|log| log.key.name() == origin) {
            match note.signed_by(&known.key, verifier).map_err(Refusal::Note)? {
                Some(_) => log = Ok(known.key.clone()),
                None if log.is_err() => log = Err(Refusal::NoLogSignature(String::from(origin))),
                None => {}
            }
        }
        let log = log?;
        let (mut witnessed, mut cosigners): (Vec<bool>, _) = (Vec::new(), Vec::new());
        for member in &self.members {
            let has_witnessed = match member {
                Member::Witness(key) => {
                    let time = note.signed_by(key, verifier).map_err(Refusal::Note)?;
                    let name = || String::from(key.name());
                    cosigners.extend(time.map(|time| Cosigner { name: name(), time }));
                    time.is_some()
                }
                Member::Group { threshold, members } => {
                    let is_witnessed = |index: &&usize| witnessed.get(**index) == Some(&true);
                    members.iter().filter(is_witnessed).count() >= *threshold
                }
            };
            witnessed.push(has_witnessed);
        }
        match &self.quorum {
            Quorum::Member { name, index } if witnessed.get(*index) != Some(&true) => {
                Err(Refusal::NoQuorum {
                    quorum: name.clone(),
                    cosigners: cosigners.into_iter().map(|cosigner| cosigner.name).collect(),
                })
            }
            _ => Ok(Accepted { log, cosigners }),
        }
    }
}

/// The text of a policy that trusts this log and wants the cosignatures of `needed` of these
/// witnesses; none at all when `needed` is zero.
#[must_use]
pub fn policy_text(log: &NoteKey, witnesses: &[NoteKey], needed: usize) -> String {
    let mut text = format!("log {log}\n");
    let mut names = String::new();
    for (number, witness) in (1..).zip(witnesses) {
        text.push_str(&format!("witness witness-{number} {witness}\n"));
        names.push_str(&format!(" witness-{number}"));
    }
    if needed == 0 {
        text.push_str("quorum none\n");
    } else {
        text.push_str(&format!("group witnesses {needed}{names}\nquorum witnesses\n"));
    }
    text
}
