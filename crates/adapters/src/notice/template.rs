//! Text messages and template messages of a WeChat account: both send a registered template with
//! its words filled in, answer at once whether they take it, and call later to say whether it
//! arrived.
//!
//! The forms are those of the interfaces in the mainland in their essentials: a number of our own,
//! by which the same message is sent once, and a call back under a shared secret. An operator with
//! a contract puts that provider's line in the place of [`simulated`].

use aws_lc_rs::hmac;
use primitives::Hash;
use serde::{Deserialize, Serialize};

use super::{Address, Channel, Dispatch, HandOverError, Notice, Report, SignedReport};

pub mod simulated;

/// Takes requests to a provider and gives its answers.
pub trait Provider: Send + Sync {
    /// Sends a request; the provider's answer.
    ///
    /// # Errors
    /// When there was none.
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, HandOverError>;

    /// Whether it reaches nobody.
    fn is_simulated(&self) -> bool;

    /// The WeChat account's id of a person, where it knows without being told.
    fn follower(&self, _person: primitives::PersonId) -> Option<String> {
        None
    }

    /// Calls back by now, from a provider inside this program.
    fn reports(&self, _now: primitives::Timestamp) -> Vec<SignedReport> {
        Vec::new()
    }
}

/// The words that stand in a template.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Filled {
    /// The heading.
    pub title: String,
    /// The sentence.
    pub body: String,
}

/// A request to the provider of text messages.
#[derive(Debug, Serialize, Deserialize)]
pub struct SmsRequest {
    /// The number with its country's code.
    pub phone_number: String,
    /// Which registered template.
    pub template_code: String,
    /// What stands in it.
    pub template_param: Filled,
    /// Our own number.
    pub out_id: Hash,
}

/// A request to the WeChat account.
#[derive(Debug, Serialize, Deserialize)]
pub struct WechatRequest {
    /// The follower's id.
    pub touser: String,
    /// Which registered template.
    pub template_id: String,
    /// What stands in it.
    pub data: Filled,
    /// Our own number.
    pub client_msg_id: Hash,
}

/// What a provider answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProviderAnswer {
    /// 0 when it was taken.
    pub code: u16,
}

/// The provider's answers, apart from 0.
pub mod answer {
    /// There is no such number.
    pub const NUMBER_UNKNOWN: u16 = 40_003;
    /// The follower left the account.
    pub const NOT_FOLLOWING: u16 = 43_004;
    /// It has too much to do.
    pub const BUSY: u16 = 45_009;
    /// The request is of another form.
    pub const MALFORMED: u16 = 47_001;
}

/// What a provider calls back with.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProviderReport {
    /// Our own number.
    pub out_id: Hash,
    /// Whether it arrived.
    pub success: bool,
}

/// A channel of templates: text messages, or a WeChat account.
pub struct Templates {
    channel: Channel,
    provider: Box<dyn Provider>,
    secret: hmac::Key,
}

impl Templates {
    /// The channel behind this provider, which signs its calls with the secret.
    #[must_use]
    pub fn new(channel: Channel, provider: Box<dyn Provider>, secret: &Hash) -> Self {
        Self { channel, provider, secret: hmac::Key::new(hmac::HMAC_SHA256, &secret.0) }
    }

    fn request(&self, address: &Address, dispatch: &Dispatch) -> Option<Vec<u8>> {
        let template = format!("yibao.{}.{}", dispatch.sort(), dispatch.language);
        let (title, body) = (dispatch.phrase.title.clone(), dispatch.phrase.body.clone());
        let filled = Filled { title, body };
        let bytes = match address {
            Address::Sms(phone) if self.channel == Channel::Sms => {
                serde_json::to_vec(&SmsRequest {
                    phone_number: phone.number().to_owned(),
                    template_code: template,
                    template_param: filled,
                    out_id: dispatch.reference,
                })
            }
            Address::Wechat(follower) if self.channel == Channel::Wechat => {
                serde_json::to_vec(&WechatRequest {
                    touser: follower.clone(),
                    template_id: template,
                    data: filled,
                    client_msg_id: dispatch.reference,
                })
            }
            _ => return None,
        };
        bytes.ok()
    }
}

impl Notice for Templates {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn is_simulated(&self) -> bool {
        self.provider.is_simulated()
    }

    fn address_of(&self, person: primitives::PersonId) -> Option<Address> {
        self.provider.follower(person).map(Address::Wechat)
    }

    fn hand_over(&self, address: &Address, dispatch: &Dispatch) -> Result<(), HandOverError> {
        let request = self.request(address, dispatch).ok_or(HandOverError::Gone)?;
        let answered = self.provider.ask(&request)?;
        let answered: ProviderAnswer =
            serde_json::from_slice(&answered).map_err(|_| HandOverError::Silent)?;
        match answered.code {
            0 => Ok(()),
            answer::NUMBER_UNKNOWN | answer::NOT_FOLLOWING => Err(HandOverError::Gone),
            answer::BUSY => Err(HandOverError::Silent),
            other => Err(HandOverError::Refused(other)),
        }
    }

    fn read_report(&self, report: &SignedReport) -> Option<Report> {
        let signature = hex_bytes(&report.signature)?;
        hmac::verify(&self.secret, &report.body, &signature).ok()?;
        let ProviderReport { out_id, success } = serde_json::from_slice(&report.body).ok()?;
        Some(Report { reference: out_id, has_arrived: success })
    }

    fn reports(&self, now: primitives::Timestamp) -> Vec<SignedReport> {
        self.provider.reports(now)
    }
}

/// The 32 bytes of 64 hexadecimal digits.
fn hex_bytes(text: &str) -> Option<[u8; 32]> {
    text.parse::<Hash>().ok().map(|hash| hash.0)
}
