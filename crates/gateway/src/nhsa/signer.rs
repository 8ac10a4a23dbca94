//! Who signs for a hospital on the ledger: its key hosted here, or the edge inside the hospital,
//! which keeps the key and looks at what it signs.
//!
//! An edge asks what there is to sign and waits for it (`POST /nhsa/v1/signatures`), so that nobody
//! has to reach into the hospital's network. The answer to one question comes with the next
//! request. Who signs a message waits for the edge meanwhile, a few seconds at the most: what was
//! not signed by then has not happened, and the same message may come again.

use std::collections::BTreeMap;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::Method;
use ledger::{Authorisation, Content};
use primitives::{Detail, Hash, OrganisationId, Party, PublicKey, Signature, codec, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::profile::SchemeName;
use super::signature::{self, Shown};
use super::{Institution, authenticated_by};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::wallet::Machine;

/// The operation by which an edge signs.
pub const OPERATION: &str = "sign_nhsa";
/// Where an edge asks what there is to sign.
pub const PATH: &str = "/nhsa/v1/signatures";
/// How long whoever needs a signature waits for it.
const SIGNATURE_WAIT: Duration = Duration::from_secs(5);
/// How long an edge waits for something to sign at the most.
pub const QUESTION_WAIT: Duration = Duration::from_secs(20);
/// After this time a question whose answer did not come is told once more.
const TOLD_AGAIN: Duration = Duration::from_secs(1);
/// The most questions that wait for one edge.
const QUESTIONS_MAX: usize = 1_024;
const SIGNED_BYTES_MAX: usize = 1 << 20;

/// The endpoint of the edges.
pub const ENDPOINT: Endpoint = Endpoint {
    method: Method::POST,
    path: PATH,
    operation: OPERATION,
    summary: "Takes the signatures of a hospital's edge, which holds the hospital's key, and answers with what \
              there is to sign next, as soon as there is something; signed in its headers like the hospital's messages",
    access: Access::Public(call),
    parameters: &[],
    body: BodyKind::Json(schema_of::<SignedQuestions>, SIGNED_BYTES_MAX),
    answer: AnswerKind::Json(200, schema_of::<Questions>),
    problems: &[code::NOT_YOURS, code::TOO_MANY_REQUESTS],
};

/// What an edge has signed, or not.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedQuestions {
    /// One for each question that was told; none at first.
    #[schemars(length(max = 1024))]
    pub signed: Vec<SignedQuestion>,
}

/// The answer to one question: a signature, or why there is none.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedQuestion {
    /// The id of the transaction.
    pub id: Hash,
    /// The signature over it by the hospital's key.
    #[serde(default)]
    pub signature: Option<Signature>,
    /// Why it is not signed.
    #[serde(default)]
    pub refused: Option<Unsigned>,
}

/// Why an edge does not sign something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unsigned {
    /// It is no transaction of this hospital on this ledger, or not what its id says.
    NotOurs,
    /// No message of this number is under way: its line broke, or the edge was started anew. The
    /// same message may come again.
    NotUnderWay,
    /// The message asks for something else.
    NotAsked,
    /// It is about another visit than the message.
    OtherVisit,
    /// It is about another person than the message.
    OtherPerson,
    /// It charges another sum than the message.
    OtherSum,
}

impl Unsigned {
    /// What is said of it.
    fn words(self) -> Detail {
        match self {
            Self::NotOurs => detail!("it is no transaction of this hospital on its ledger"),
            Self::NotUnderWay => detail!("no message that asks for it is under way"),
            Self::NotAsked => detail!("the message asks for something else"),
            Self::OtherVisit => detail!("it is about another visit than the message"),
            Self::OtherPerson => detail!("it is about another person than the message"),
            Self::OtherSum => detail!("it charges another sum than the message"),
        }
    }
}

/// What there is to sign.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Questions {
    /// Those that were not told before; none when the time is over.
    pub asked: Vec<Question>,
}

/// Something that the hospital is to sign.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// The id of the transaction, which is what is signed.
    pub id: Hash,
    /// For which message of the hospital's system.
    pub msgid: String,
    /// The transaction's content, borsh in hex.
    pub content: String,
}

impl Question {
    /// The content, if it is the one that the id names.
    #[must_use]
    pub fn content(&self) -> Option<Content> {
        let content: Content = codec::decode(&hex::decode(&self.content).ok()?).ok()?;
        (content.id() == self.id).then_some(content)
    }
}

/// Who signs for a hospital.
pub enum Signer {
    /// A key that is hosted here.
    Hosted(Arc<dyn Machine>),
    /// The edge inside the hospital.
    Edge(EdgeKey),
}

impl Signer {
    /// Whose signature it is.
    #[must_use]
    pub fn organisation(&self) -> OrganisationId {
        match self {
            Self::Hosted(machine) => machine.organisation(),
            Self::Edge(edge) => edge.organisation,
        }
    }
}

/// A key that the edge of a hospital holds.
pub struct EdgeKey {
    organisation: OrganisationId,
    key: PublicKey,
    waiting: Mutex<BTreeMap<Hash, Waiting>>,
    news: Notify,
}

/// A question that was not answered.
struct Waiting {
    question: Question,
    told: Option<Instant>,
    answer: SyncSender<Result<Signature, Unsigned>>,
}

impl EdgeKey {
    /// The key of this organisation.
    #[must_use]
    pub fn new(organisation: OrganisationId, key: PublicKey) -> Self {
        Self { organisation, key, waiting: Mutex::default(), news: Notify::new() }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Hash, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the edge sign a transaction for a message.
    fn sign(&self, msgid: &str, content: &Content) -> Result<Authorisation, Problem> {
        let id = content.id();
        let (sender, receiver) = sync_channel(1);
        let bytes = hex::encode(codec::encode(content));
        let question = Question { id, msgid: msgid.to_owned(), content: bytes };
        let mut waiting = self.waiting();
        if waiting.len() >= QUESTIONS_MAX {
            return Err(Problem::new(&code::OVERLOADED));
        }
        waiting.insert(id, Waiting { question, told: None, answer: sender });
        drop(waiting);
        self.news.notify_one();
        let answered = receiver.recv_timeout(SIGNATURE_WAIT);
        self.waiting().remove(&id);
        match answered {
            Ok(Ok(signature)) => {
                let party = Party::Organisation(self.organisation);
                Ok(Authorisation { party, key: self.key, signature })
            }
            Ok(Err(unsigned)) => {
                let organisation = self.organisation;
                tracing::warn!(%organisation, ?unsigned, "the hospital's edge does not sign");
                let passes = unsigned == Unsigned::NotUnderWay;
                let code = if passes { code::EDGE_SILENT } else { code::EDGE_REFUSES };
                Err(Problem::new(&code).with(unsigned.words()))
            }
            Err(_) => Err(Problem::new(&code::EDGE_SILENT)),
        }
    }

    /// Takes an answer; whoever waits for it goes on.
    fn take(&self, call: &Call, signed: SignedQuestion) {
        let is_valid = |signature: &Signature| {
            let chain = call.gateway.port.chain();
            chain.verify_signature(&self.key, &signed.id, signature).is_ok()
        };
        let answer = match signed.signature.filter(is_valid) {
            Some(signature) => Ok(signature),
            None => Err(signed.refused.unwrap_or(Unsigned::NotOurs)),
        };
        if let Some(waiting) = self.waiting().get(&signed.id) {
            let _ = waiting.answer.try_send(answer);
        }
    }

    /// What was not told, or told too long ago.
    fn untold(&self) -> Vec<Question> {
        let mut waiting = self.waiting();
        let is_due = |one: &&mut Waiting| one.told.is_none_or(|told| told.elapsed() > TOLD_AGAIN);
        let due = waiting.values_mut().filter(is_due);
        due.map(|one| {
            one.told = Some(Instant::now());
            one.question.clone()
        })
        .collect()
    }
}

/// A hospital's signature for one of its messages.
pub struct HospitalMachine<'a> {
    /// Who signs.
    pub signer: &'a Signer,
    /// The number of the message.
    pub msgid: &'a str,
}

impl Machine for HospitalMachine<'_> {
    fn organisation(&self) -> OrganisationId {
        self.signer.organisation()
    }

    fn authorise(&self, content: &Content) -> Result<Authorisation, Problem> {
        match self.signer {
            Signer::Hosted(machine) => machine.authorise(content),
            Signer::Edge(edge) => edge.sign(self.msgid, content),
        }
    }
}

/// The hospital that an edge speaks for: it signs like a system that signs by HMAC-SM3. Nothing for
/// one whose key is hosted here, which is no wrong signature.
fn hospital(call: &Call) -> Result<Arc<Institution>, Problem> {
    let shown_by = |institution: Arc<Institution>, shown: &Shown<'_>| {
        let scheme = signature::scheme(SchemeName::HmacSm3);
        signature::check(scheme, shown, &institution.keys).map(|_| institution)
    };
    let not_yours = |_| Problem::new(&code::NOT_YOURS);
    let institution = authenticated_by(call, shown_by).map_err(not_yours).inspect_err(|_| {
        let _ = call.gateway.rates.count_address(call.client, call.now);
    })?;
    let is_edges = matches!(institution.signer, Signer::Edge(_));
    if is_edges { Ok(institution) } else { Err(Problem::new(&code::NOT_YOURS)) }
}

fn call(call: &Call) -> Result<Reply, Problem> {
    let institution = hospital(call)?;
    call.gateway.rates.count_organisation(institution.organisation(), call.now)?;
    let told: SignedQuestions = call.json()?;
    if let Signer::Edge(edge) = &institution.signer {
        told.signed.into_iter().for_each(|signed| edge.take(call, signed));
    }
    let wait = QUESTION_WAIT.min(call.gateway.config.answer_timeout / 2);
    Ok(Reply::Later(Box::pin(async move {
        let Signer::Edge(edge) = &institution.signer else {
            return Reply::json(&Questions::default());
        };
        let until = tokio::time::Instant::now() + wait;
        loop {
            let asked = edge.untold();
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if !asked.is_empty() || left.is_zero() {
                return Reply::json(&Questions { asked });
            }
            // What was told to a connection that broke is told again.
            let _ = tokio::time::timeout(left.min(TOLD_AGAIN), edge.news.notified()).await;
        }
    })))
}
