//! Binding by face: the member stands beside the payer, whose phone takes a picture, and the
//! identity authority says whether it shows the member.
//!
//! The picture goes to the authority and nowhere else: not on the ledger, not into a log, not on a
//! disk. What stays is the binding and its ground, in the history of both.
//!
//! Invariants: bureau and authority sign only a binding for which the authority attested the
//! member's face, for this transaction and in this request (test
//! `a_face_agrees_for_its_person_and_transaction_alone`); whoever tries wrong ones has to wait.

use adapters::identity::{FaceAttestation, Identity, IdentityError};
use axum::http::{Method, StatusCode};
use ledger::modules::family::{Agreement, BindMember};
use ledger::modules::person;
use ledger::{Authorisation, Content};
use primitives::PersonId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binding::read_picture;
use super::family::Relative;
use super::identity::{self, IdentityDocument, Tries};
use super::machine::{execute, signed_too};
use super::objection::body_of;
use super::transaction::read_content;
use super::wallet::unattested;
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::openapi::transaction_content;
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::wallet::Wallet;

/// The most bytes of a binding by face: the picture as text, and what else it says.
const FACE_BYTES_MAX: usize = 640 * 1_024;

const PERSON: Parameter = Parameter::path("person", "the person's id", schema_of::<PersonId>);

/// The endpoints of binding by face.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/face-lookups",
        operation: "look_up_face_member",
        summary: "Finds a relative by name and identity number, who stands beside the person and will agree \
                  by face; whoever tries wrong ones has to wait",
        access: Access::Party { rule: "the person", handle: look_up },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<IdentityDocument>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<Relative>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::IDENTITY_UNCONFIRMED,
            code::TOO_MANY_REQUESTS,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/face-bindings",
        operation: "bind_by_face",
        summary: "Binds a member whose face was photographed on the person's phone: the identity authority \
                  says whether the picture shows the member, and signs the `bind_member` together with \
                  the bureau. The picture is not kept",
        access: Access::Party { rule: "the person", handle: bind },
        parameters: &[PERSON],
        body: BodyKind::Signed(schema_of::<NewFaceBinding>, FACE_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<FaceBound>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::CHANGE_INVALID,
            code::OTHER_PERSON,
            code::IDENTITY_UNCONFIRMED,
            code::FACE_DIFFERS,
            code::NO_FACE,
            code::TOO_MANY_REQUESTS,
            code::SIGNATURE_INVALID,
            code::UNAVAILABLE,
        ],
    },
];

/// A binding by face.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFaceBinding {
    /// A `bind_member` with the agreement `face`: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The payer's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// Who the member is; it must be the transaction's.
    pub member: IdentityDocument,
    /// A JPEG picture of the member's face in base64, of at most 400 KiB.
    pub picture: String,
}

/// A binding that stands on the ledger.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FaceBound {
    /// The number of its receipt.
    pub receipt: u64,
}

fn look_up(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let own = call.own_person(session)?;
    let wallet = call.wallet()?;
    let member = Identity::from(&call.json::<IdentityDocument>()?);
    // Somebody at home elsewhere is that bureau's to attest.
    let is_meant = |found: PersonId| found != own && wallet.serves(&call.view.state, found);
    let unknown = Problem::new(&code::IDENTITY_UNCONFIRMED).at("number");
    let person = identity::find(call, session, (&wallet, &member), is_meant, unknown)?;
    Reply::json(&Relative { person, name: member.name })
}

/// The authority's word that the picture shows this member, for this transaction.
fn attested(
    call: &Call,
    (wallet, tries): (&Wallet, &Tries<'_>),
    (content, member): (&Content, &Identity),
    picture: &[u8],
) -> Result<FaceAttestation, Problem> {
    let about = (&content.id(), call.instant());
    let failed = |problem| {
        tries.failed();
        problem
    };
    let checked = wallet.authority.check_face(member, picture, about);
    checked.map_err(|error| match &error {
        IdentityError::FaceDiffers => failed(Problem::new(&code::FACE_DIFFERS).at("picture")),
        IdentityError::NoFace => failed(Problem::new(&code::NO_FACE).at("member.number")),
        IdentityError::NoMatch => failed(unattested(&error)),
        _ => unattested(&error),
    })
}

fn bind(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payer = call.own_person(session)?;
    let wallet = call.wallet()?;
    let NewFaceBinding { content, mut authorisations, member, picture } = call.json()?;
    let content = read_content(call, content)?;
    let body: BindMember = body_of(call, &content)?;
    let is_own = body.payer == payer && content.author == session.party;
    if !is_own || body.agreement != Agreement::Face {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let member = Identity::from(&member);
    let tries = Tries::signed_in(call, session, &member)?;
    let picture = read_picture("picture", &picture)?;
    let face = attested(call, (&wallet, &tries), (&content, &member), &picture)?;
    drop(picture);
    let shown = person::view::by_blind_index(&call.view.state, &face.statement.blind_index);
    if shown != Some(body.member) {
        tries.failed();
        return Err(Problem::new(&code::OTHER_PERSON).at("content.body.member"));
    }
    // The authority's own key has the last word of what it attested, whoever carried it here.
    let is_for_this = face.statement.transaction == content.id();
    if !is_for_this || !face.is_signed_by(&wallet.authority.public_key()) {
        return Err(Problem::new(&code::UNAVAILABLE));
    }
    authorisations.retain(|one| one.party == session.party);
    let machines = [&*wallet.bureau, &*wallet.identity];
    let placed = execute(call, signed_too(content, authorisations, &machines)?)?;
    Ok(Reply::json(&FaceBound { receipt: placed.index })?.status(StatusCode::CREATED))
}
