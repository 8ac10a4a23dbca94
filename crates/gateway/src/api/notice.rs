//! Notices: what a person's wallet is told of, and how somebody is reached who has it closed.
//!
//! A notice says here and outside what sort of thing it is about; the wallet shows the thing
//! itself. Nothing is noted of a person who did not ask for notices.

use adapters::notice::push::{Subscription, is_key};
use adapters::notice::{
    About, Address, Arrival, Channel, Choice, CodeSent, CodeTry, Delivery, DeliveryState, Noted,
    NoticeError, Phone, SignedReport,
};
use axum::http::{HeaderName, Method, StatusCode};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use primitives::{Hash, PersonId, Timestamp, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Place, Reply, schema_of,
};
use crate::problem::{Language, Problem, code, words};
use crate::session::Session;

/// The most bytes of a provider's report.
const REPORT_BYTES_MAX: usize = 4_096;
const SIGNATURE: HeaderName = HeaderName::from_static("report-signature");

const PERSON: Parameter = Parameter::path("person", "the person's id", schema_of::<PersonId>);
const OWN: &str = "the person";

/// The endpoints of notices.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/notices",
        operation: "list_notices",
        summary: "Gives how a person is told of things, and the notices of the last 90 days with what \
                  became of each, the newest first, at most 50",
        access: Access::Party { rule: OWN, handle: board },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<NoticeBoard>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::PUT,
        path: "/v1/persons/{person}/notices",
        operation: "choose_notices",
        summary: "Asks for notices in the language of the request, and says which channels may be used \
                  besides the wallet and the person's browsers",
        access: Access::Party { rule: OWN, handle: choose },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<NoticeChoice>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<NoticeBoard>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::DELETE,
        path: "/v1/persons/{person}/notices",
        operation: "end_notices",
        summary: "Ends notices, and forgets the notices, the phone and the browsers",
        access: Access::Party { rule: OWN, handle: end },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/notices/seen",
        operation: "see_notices",
        summary: "Says that the person saw the notices up to this one in the wallet; they are told \
                  nowhere else any more",
        access: Access::Party { rule: OWN, handle: see },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<SeenNotices>, JSON_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/browsers",
        operation: "add_browser",
        summary: "Has a browser told of notices (Web Push); the same browser again gives the same id",
        access: Access::Party { rule: OWN, handle: add_browser },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<NewBrowser>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<BrowserView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::NOTICES_OFF,
            code::PUSH_SERVICE_UNKNOWN,
        ],
    },
    Endpoint {
        method: Method::DELETE,
        path: "/v1/persons/{person}/browsers/{browser}",
        operation: "remove_browser",
        summary: "Has a browser not told any more",
        access: Access::Party { rule: OWN, handle: remove_browser },
        parameters: &[PERSON, Parameter::path("browser", "the browser's id", schema_of::<Hash>)],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::NOT_FOUND],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/phones",
        operation: "send_phone_code",
        summary: "Sends a code to a phone by text message, whose owner then writes it back",
        access: Access::Party { rule: OWN, handle: send_code },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<NewPhone>, JSON_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::NOTICES_OFF,
            code::PHONE_CODES_TOO_MANY,
            code::PHONE_UNREACHED,
        ],
    },
    Endpoint {
        method: Method::DELETE,
        path: "/v1/persons/{person}/phones",
        operation: "remove_phone",
        summary: "Forgets the phone; no notices go to it any more",
        access: Access::Party { rule: OWN, handle: remove_phone },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::NOT_FOUND],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/phones/confirmations",
        operation: "confirm_phone",
        summary: "Writes the code back; notices go to that phone from then on",
        access: Access::Party { rule: OWN, handle: confirm_phone },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<PhoneCode>, JSON_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::PHONE_CODE_WRONG],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/notice-arrivals",
        operation: "report_arrival",
        summary: "Says that a browser showed a notice; the reference stands in the notice, which only \
                  that browser reads",
        access: Access::Public(arrived),
        parameters: &[],
        body: BodyKind::Json(schema_of::<ArrivedNotice>, JSON_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_FOUND],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/notice-reports/{channel}",
        operation: "report_delivery",
        summary: "Takes what a provider of text messages or of WeChat reports of a notice, under its \
                  signature (HMAC-SHA-256 of the body with the shared secret, in hex)",
        access: Access::Public(report),
        parameters: &[
            Parameter::path("channel", "`sms` or `wechat`", schema_of::<NoticeChannel>),
            Parameter {
                name: "Report-Signature",
                place: Place::Header,
                required: true,
                meaning: "the provider's signature",
                schema: schema_of::<Hash>,
            },
        ],
        body: BodyKind::Bytes(REPORT_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_FOUND, code::REPORT_UNSIGNED],
    },
];

/// A way to reach somebody besides the open wallet, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeChannel {
    /// A browser's own notices (Web Push).
    Push,
    /// A template message of the bureau's WeChat account.
    Wechat,
    /// A text message.
    Sms,
}

impl From<Channel> for NoticeChannel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Push => Self::Push,
            Channel::Wechat => Self::Wechat,
            Channel::Sms => Self::Sms,
        }
    }
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeAbout {
    /// A bill waits for the person's word.
    Request,
    /// The wallet's lock, keys, guardians or limits changed.
    Protection,
    /// Money moved, or cover or premiums changed.
    Money,
    /// Something between the person and relatives.
    Family,
    /// Somebody answered.
    Answer,
}

impl From<About> for NoticeAbout {
    fn from(about: About) -> Self {
        match about {
            About::Request => Self::Request,
            About::Protection => Self::Protection,
            About::Money => Self::Money,
            About::Family => Self::Family,
            About::Answer => Self::Answer,
        }
    }
}

/// What became of a notice on one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum NoticeStanding {
    /// The service does not answer; it is tried again.
    Trying,
    /// The service took it.
    Handed {
        /// When.
        when: Timestamp,
    },
    /// It arrived at the person's device.
    Arrived {
        /// When.
        when: Timestamp,
    },
    /// It did not arrive this way.
    Failed,
}

impl From<DeliveryState> for NoticeStanding {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Trying => Self::Trying,
            DeliveryState::Handed(when) => Self::Handed { when },
            DeliveryState::Arrived(when) => Self::Arrived { when },
            DeliveryState::Failed => Self::Failed,
        }
    }
}

/// What became of a notice on one channel.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NoticeDelivery {
    /// Which channel.
    pub channel: NoticeChannel,
    /// What became of it.
    #[serde(flatten)]
    pub standing: NoticeStanding,
}

/// A notice.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Notice")]
pub struct NoticeView {
    /// Its place among all; a later one has a higher one.
    pub notice: u64,
    /// What it is about.
    pub about: NoticeAbout,
    /// What it says outside the wallet too, in the reader's language.
    pub title: String,
    /// When it was noted.
    pub noted: Timestamp,
    /// When the person saw it in the wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// What became of it besides, in the order of the channels.
    pub deliveries: Vec<NoticeDelivery>,
}

/// A channel that there is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OfferedChannel {
    /// Which.
    pub channel: NoticeChannel,
    /// Whether it is simulated here and reaches nobody.
    pub is_simulated: bool,
}

/// How a person is told of things, and of what.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NoticeBoard {
    /// The channels that there are, in the order in which they are tried.
    pub channels: Vec<OfferedChannel>,
    /// The key that browsers ask for when they subscribe, in URL-safe Base64; left out where there
    /// is no Web Push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_key: Option<String>,
    /// What the person chose; left out of one who did not ask for notices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<NoticeChoice>,
    /// The last four digits of the phone that text messages go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_end: Option<String>,
    /// The browsers that are told, by their ids.
    pub browsers: Vec<Hash>,
    /// The notices.
    pub notices: Vec<NoticeView>,
}

/// Which channels may be used besides the wallet and the person's browsers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeChoice {
    /// Whether WeChat may be used.
    pub wechat: bool,
    /// Whether text messages may be used.
    pub sms: bool,
}

/// Up to where the person saw the notices.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenNotices {
    /// The number of the last one that was shown.
    pub through: u64,
}

/// A browser to be told, as its `PushSubscription` says.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBrowser {
    /// Its address at its push service.
    #[schemars(length(max = 1_024))]
    pub endpoint: String,
    /// Its public key: an uncompressed point of P-256 in URL-safe Base64.
    #[schemars(length(max = 100))]
    pub p256dh: String,
    /// The secret that it shares with us: 16 bytes in URL-safe Base64.
    #[schemars(length(max = 30))]
    pub auth: String,
}

/// A browser that is told.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BrowserView {
    /// Its id here.
    pub browser: Hash,
}

/// A phone that notices are to go to.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPhone {
    /// Its number: 11 digits of the mainland, or `+` and the country's code in front.
    #[schemars(length(max = 30))]
    pub number: String,
}

/// The code that came to a phone.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhoneCode {
    /// Six digits.
    #[schemars(length(max = 20))]
    pub code: String,
}

/// A notice that a browser showed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivedNotice {
    /// The reference that stands in it.
    pub reference: Hash,
}

impl From<NoticeError> for Problem {
    fn from(error: NoticeError) -> Self {
        tracing::error!(%error, "the notice book failed");
        Self::new(&code::INTERNAL)
    }
}

impl NoticeView {
    fn of(noted: Noted, language: Language) -> Self {
        let delivery = |one: Delivery| NoticeDelivery {
            channel: one.channel.into(),
            standing: one.state.into(),
        };
        Self {
            notice: noted.sequence,
            about: noted.message.about.into(),
            title: words::notice(language, noted.message.about.name()).title,
            noted: noted.noted,
            seen: noted.seen,
            deliveries: noted.deliveries.into_iter().map(delivery).collect(),
        }
    }
}

fn board_of(call: &Call, person: PersonId) -> Result<Reply, Problem> {
    let notices = &call.wallet()?.notices;
    let standing = notices.post.book().standing(person)?;
    let offered = |(channel, is_simulated): (Channel, bool)| OfferedChannel {
        channel: channel.into(),
        is_simulated,
    };
    let (choice, phone_end, browsers) = match standing {
        Some(standing) => {
            let Choice { wechat, sms, .. } = standing.choice;
            (Some(NoticeChoice { wechat, sms }), standing.phone_end, standing.browsers)
        }
        None => (None, None, Vec::new()),
    };
    let noted = notices.post.book().notices_of(person, call.now)?;
    Reply::json(&NoticeBoard {
        channels: notices.post.channels().into_iter().map(offered).collect(),
        push_key: notices.push.as_ref().map(|push| push.key()),
        choice,
        phone_end,
        browsers,
        notices: noted.into_iter().map(|one| NoticeView::of(one, call.language)).collect(),
    })
}

fn board(call: &Call, session: &Session) -> Result<Reply, Problem> {
    board_of(call, call.own_person(session)?)
}

fn choose(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let NoticeChoice { wechat, sms } = call.json()?;
    let choice = Choice { language: call.language.tag().to_owned(), wechat, sms };
    let since = call.view.tip.receipts;
    call.wallet()?.notices.post.choose(person, &choice, since)?;
    board_of(call, person)
}

fn end(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    call.wallet()?.notices.post.book().forget(person)?;
    Ok(Reply::nothing())
}

fn see(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let SeenNotices { through } = call.json()?;
    call.wallet()?.notices.post.book().mark_seen(person, through, call.now)?;
    Ok(Reply::nothing())
}

/// The bytes of a field in URL-safe Base64.
fn bytes(field: &str, text: &str) -> Result<Vec<u8>, Problem> {
    Base64UrlUnpadded::decode_vec(text.trim_end_matches('=')).map_err(|_| {
        Problem::new(&code::FIELD_INVALID).at(field).with(detail!("it is no URL-safe Base64"))
    })
}

/// Refuses where nobody asked for notices.
fn require_asked(call: &Call, person: PersonId) -> Result<(), Problem> {
    let has_asked = call.wallet()?.notices.post.book().has_asked(person);
    if has_asked { Ok(()) } else { Err(Problem::new(&code::NOTICES_OFF)) }
}

fn add_browser(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    require_asked(call, person)?;
    let NewBrowser { endpoint, p256dh, auth } = call.json()?;
    let notices = &call.wallet()?.notices;
    let is_known = notices.push.as_ref().is_some_and(|push| push.knows(&endpoint));
    if !is_known {
        return Err(Problem::new(&code::PUSH_SERVICE_UNKNOWN).at("endpoint"));
    }
    let key = bytes("p256dh", &p256dh)?;
    if !is_key(&key) {
        let words = detail!("it is no point of the curve");
        return Err(Problem::new(&code::FIELD_INVALID).at("p256dh").with(words));
    }
    let secret = bytes("auth", &auth)?.try_into().map_err(|_| {
        Problem::new(&code::FIELD_INVALID).at("auth").with(detail!("it must have 16 bytes"))
    })?;
    let address = Address::Push(Subscription { endpoint, key, secret });
    let asked = (&address, Some(&session.key));
    let browser = notices.post.book().put_address(person, asked, call.now)?;
    Ok(Reply::json(&BrowserView { browser })?.status(StatusCode::CREATED))
}

fn remove_browser(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let browser: Hash = call.path("browser")?;
    let is_removed = call.wallet()?.notices.post.book().remove_address(person, &browser)?;
    if is_removed { Ok(Reply::nothing()) } else { Err(not_found()) }
}

fn send_code(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    require_asked(call, person)?;
    let NewPhone { number } = call.json()?;
    let phone: Phone = number.parse().map_err(|_| {
        let words = detail!("write 11 digits, or `+` and the country's code in front");
        Problem::new(&code::FIELD_INVALID).at("number").with(words)
    })?;
    let post = &call.wallet()?.notices.post;
    match post.book().new_phone_code(person, &phone, call.now)? {
        CodeSent::TooMany => Err(Problem::new(&code::PHONE_CODES_TOO_MANY)),
        CodeSent::Send { code, reference } => {
            let phrase = words::phone_code(call.language, &code);
            post.send_code(&phone, reference, (phrase, call.language.tag()))
                .map_err(|_| Problem::new(&code::PHONE_UNREACHED).at("number"))?;
            Ok(Reply::nothing())
        }
    }
}

fn remove_phone(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let is_removed = call.wallet()?.notices.post.book().remove_phone(person)?;
    if is_removed { Ok(Reply::nothing()) } else { Err(not_found()) }
}

fn confirm_phone(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let PhoneCode { code: typed } = call.json()?;
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let wrong = || Problem::new(&code::PHONE_CODE_WRONG).at("code");
    match call.wallet()?.notices.post.book().try_phone_code(person, &typed, call.now)? {
        CodeTry::Right => Ok(Reply::nothing()),
        CodeTry::Wrong { left } => {
            Err(wrong().with(detail!("tries that are left: {left}", left = left)))
        }
        CodeTry::None => Err(wrong().with(detail!("no code waits; have a new one sent"))),
    }
}

fn arrived(call: &Call) -> Result<Reply, Problem> {
    let ArrivedNotice { reference } = call.json()?;
    match call.wallet()?.notices.post.arrived(Channel::Push, &reference, true)? {
        Arrival::Noted(_) | Arrival::Known => Ok(Reply::nothing()),
        Arrival::Unknown => Err(not_found()),
    }
}

fn report(call: &Call) -> Result<Reply, Problem> {
    let name: String = call.path("channel")?;
    let channel = Channel::of_name(&name).ok_or_else(not_found)?;
    let signature = call.header(&SIGNATURE)?.unwrap_or_default().to_owned();
    let report = SignedReport { body: call.body.to_vec(), signature };
    match call.wallet()?.notices.post.take_report(channel, &report)? {
        None => Err(Problem::new(&code::REPORT_UNSIGNED)),
        Some(Arrival::Unknown) => Err(not_found()),
        Some(Arrival::Noted(_) | Arrival::Known) => Ok(Reply::nothing()),
    }
}

/// The words of a notice in the language with this tag.
#[must_use]
pub fn notice_words(about: About, language: &str) -> adapters::notice::Phrase {
    words::notice(Language::of_tag(language).unwrap_or_default(), about.name())
}
