//! How a message shows that it is the hospital's. Schemes stand behind one trait; each is compared
//! with an independent implementation (test `openssl_makes_the_same_signatures`, and for bodies
//! that are sealed, in [`super::sealing`], `openssl_makes_the_same_bodies`).
//!
//! HMAC-SM3 covers the whole body. The two others leave `input` out, as the systems that use them
//! do, so whoever sits on the way could change the bill: a profile takes them only with
//! `link_is_protected`, and [`Nonces`] and the book let a signature stand for one body only.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderName;
use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use primitives::{CivilDate, Hash, Timestamp, UtcOffset, sha256};
use serde_json::Value;
use sm2::dsa::signature::Verifier as _;
use sm3::Sm3;

use super::CLOCK_MINUTES;
use super::field::instant;
use super::profile::SchemeName;
use super::refusal::Refusal;
use super::sealing::{APP_MEMBER, SEALED_MEMBER, SIGNATURE_MEMBER};
use crate::call::Call;

/// How far the clocks of hospital and node may differ, and how old a message may be, in
/// milliseconds. What comes again within this time is known by its number.
pub const SKEW_MILLIS: u64 = 5 * 60_000;
/// How old a message may be whose time is a part of it, in milliseconds: its bytes cannot be signed
/// anew when they are sent again, and its number lets it happen once for ever.
pub const ENVELOPE_AGE_MILLIS: u64 = 24 * 60 * 60_000;
/// The most nonces that are remembered for a hospital.
const NONCES_MAX: usize = 300_000;

/// The header that names the hospital.
pub const KEY_HEADER: &str = "x-ca-key";
/// The header with time and signature.
pub const SIGNATURE_HEADER: &str = "x-ca-signature";
const TIF_KEY_HEADER: &str = "x-tif-paasid";
const TIF_SIGNATURE_HEADER: &str = "x-tif-signature";
const TIF_TIME_HEADER: &str = "x-tif-timestamp";
const TIF_NONCE_HEADER: &str = "x-tif-nonce";
const ENVELOPE_FIELD: &str = "cainfo";

/// The identity under which keys of the national interface sign with SM2.
const SM2_USER_ID: &str = "1234567812345678";

/// A message as it came, and what it shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Received<'a> {
    /// The header with the signature.
    pub signature: &'a str,
    /// The header with the time, where it is one of its own.
    pub time: &'a str,
    /// The header with what is used once.
    pub nonce: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// When it came.
    pub now: Timestamp,
}

/// Whose message it says it is, and by what.
pub struct Shown<'a> {
    /// The hospital's code.
    pub code: Cow<'a, str>,
    /// The header or field in which the signature is looked for.
    pub field: &'static str,
    /// What came.
    pub received: Received<'a>,
}

impl Shown<'_> {
    /// Whether the message is sealed in its body.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.field == SIGNATURE_MEMBER
    }
}

impl<'a> Shown<'a> {
    /// Reads it from the headers, or from the envelope where they name nobody.
    ///
    /// # Errors
    /// When a header is no text.
    pub fn read(call: &'a Call) -> Result<Self, Refusal> {
        let header = |name: &'static str| -> Result<&'a str, Refusal> {
            Ok(call.header(&HeaderName::from_static(name))?.unwrap_or_default())
        };
        Self::of(header, &call.body, call.now)
    }

    /// The same, from a body that came now and what its headers say; nothing where one is missing.
    ///
    /// # Errors
    /// When a header is no text.
    pub fn of(
        header: impl Fn(&'static str) -> Result<&'a str, Refusal>,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let received = Received { body, now, ..Received::default() };
        let code = header(KEY_HEADER)?;
        if !code.is_empty() {
            let received = Received { signature: header(SIGNATURE_HEADER)?, ..received };
            return Ok(Self { code: Cow::Borrowed(code), field: SIGNATURE_HEADER, received });
        }
        let code = header(TIF_KEY_HEADER)?;
        if !code.is_empty() {
            let received = Received {
                signature: header(TIF_SIGNATURE_HEADER)?,
                time: header(TIF_TIME_HEADER)?,
                nonce: header(TIF_NONCE_HEADER)?,
                ..received
            };
            return Ok(Self { code: Cow::Borrowed(code), field: TIF_SIGNATURE_HEADER, received });
        }
        let members = members(body).unwrap_or_default();
        if members.contains_key(SEALED_MEMBER) {
            let code = members.get(APP_MEMBER).and_then(Value::as_str).unwrap_or_default();
            let code = Cow::Owned(code.to_owned());
            return Ok(Self { code, field: SIGNATURE_MEMBER, received });
        }
        let text = |name| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let is_inside = text(ENVELOPE_FIELD).is_some();
        Ok(Self {
            code: Cow::Owned(text("fixmedins_code").unwrap_or_default()),
            field: if is_inside { ENVELOPE_FIELD } else { SIGNATURE_HEADER },
            received,
        })
    }
}

/// What a hospital's system signs with: two keys for as long as one takes the other's place.
pub struct Keys {
    /// The key: a secret that both have, or the 64 bytes of a public key.
    pub current: Vec<u8>,
    /// The one before, and the last day on which it is taken, by the interface's clock.
    pub previous: Option<(Vec<u8>, CivilDate)>,
}

impl Keys {
    /// Those that are taken now.
    fn at(&self, now: Timestamp) -> impl Iterator<Item = &[u8]> {
        let today = now.day(UtcOffset(CLOCK_MINUTES));
        let previous = self.previous.iter().filter(move |(_, until)| today <= *until);
        std::iter::once(self.current.as_slice()).chain(previous.map(|(key, _)| key.as_slice()))
    }
}

/// A scheme of signature.
pub trait Scheme: Sync {
    /// The message, if it was signed with this key, not long ago: the body itself, or what was
    /// sealed in it.
    fn opened<'a>(&self, received: Received<'a>, key: &[u8]) -> Option<Cow<'a, [u8]>>;

    /// What may come with one body only, where the signature does not cover the body.
    fn nonce<'a>(&self, _received: Received<'a>) -> Option<&'a str> {
        None
    }
}

/// The scheme of this name.
#[must_use]
pub fn scheme(name: SchemeName) -> &'static dyn Scheme {
    match name {
        SchemeName::HmacSm3 => &HmacSm3,
        SchemeName::Sm2Envelope => &Sm2Envelope,
        SchemeName::Sha256Header => &Sha256Header,
    }
}

/// A message that was sealed in its body.
pub struct Unsealed {
    /// The message.
    pub message: Vec<u8>,
    /// The key that opened it, which seals its answer.
    pub key: Vec<u8>,
}

/// The message is signed by one of the keys that are taken now; gives what was sealed, if it was.
///
/// # Errors
/// The one answer to everything that was not shown to be the hospital's.
pub fn check(
    scheme: &dyn Scheme,
    shown: &Shown<'_>,
    keys: &Keys,
) -> Result<Option<Unsealed>, Refusal> {
    let opened = |key| Some((scheme.opened(shown.received, key)?, key));
    match keys.at(shown.received.now).find_map(opened) {
        Some((Cow::Borrowed(_), _)) => Ok(None),
        Some((Cow::Owned(message), key)) => Ok(Some(Unsealed { message, key: key.to_vec() })),
        None => Err(not_shown(shown.field)),
    }
}

/// The message is signed by the scheme of this name, and what may come with one body only has not
/// come with another.
///
/// # Errors
/// As [`check`], or what is used twice.
pub fn check_message(
    name: SchemeName,
    shown: &Shown<'_>,
    keys: &Keys,
    nonces: &Mutex<Nonces>,
) -> Result<(), Refusal> {
    let (scheme, Received { body, now, .. }) = (scheme(name), shown.received);
    check(scheme, shown, keys)?;
    match scheme.nonce(shown.received) {
        Some(nonce) => {
            let mut nonces = nonces.lock().unwrap_or_else(PoisonError::into_inner);
            nonces.take(nonce, body, now)
        }
        None => Ok(()),
    }
}

/// The answer to everything that was not shown to be the hospital's: it says neither which
/// hospitals there are nor what was wrong.
#[must_use]
pub fn not_shown(field: &'static str) -> Refusal {
    Refusal::at(
        field,
        "签名缺失或不符；请核对机构编码、签名方式、密钥、时间（误差5分钟内）和报文原文",
    )
}

/// `x-ca-signature` is the time in milliseconds, a colon, and HMAC-SM3 over the time, a line feed
/// and the body, in upper-case hex.
struct HmacSm3;

impl HmacSm3 {
    fn over(key: &[u8], time: &str, body: &[u8]) -> Option<Hmac<Sm3>> {
        let mac = Hmac::<Sm3>::new_from_slice(key).ok()?;
        Some(mac.chain_update(time).chain_update(b"\n").chain_update(body))
    }
}

/// The `x-ca-signature` of a body for whoever sends it now.
#[must_use]
pub fn hmac_sm3(key: &[u8], now: Timestamp, body: &[u8]) -> String {
    let time = now.millis().to_string();
    let mac = HmacSm3::over(key, &time, body).expect("HMAC takes keys of any length");
    format!("{time}:{}", hex::encode_upper(mac.finalize().into_bytes()))
}

impl Scheme for HmacSm3 {
    fn opened<'a>(&self, received: Received<'a>, key: &[u8]) -> Option<Cow<'a, [u8]>> {
        let by_parts = || {
            let (time, tag) = received.signature.split_once(':')?;
            let mac = Self::over(key, time, received.body)?;
            mac.verify_slice(&hex::decode(tag).ok()?).ok()?;
            Some(time.parse::<u64>().ok()?.abs_diff(received.now.millis()) <= SKEW_MILLIS)
        };
        by_parts().filter(|is_good| *is_good).map(|_| Cow::Borrowed(received.body))
    }
}

/// `cainfo` is SM2 with SM3, 64 bytes in Base64, over the envelope without `cainfo` and `input` as
/// JSON: members by their names, no space between. The time is `inf_time`.
struct Sm2Envelope;

impl Scheme for Sm2Envelope {
    fn opened<'a>(&self, received: Received<'a>, key: &[u8]) -> Option<Cow<'a, [u8]>> {
        let by_parts = || {
            let mut members = members(received.body)?;
            let signature = members.remove(ENVELOPE_FIELD)?;
            let signature = Base64::decode_vec(signature.as_str()?).ok()?;
            let signature = sm2::dsa::Signature::from_slice(&signature).ok()?;
            members.remove("input");
            let text = serde_json::to_vec(&members).ok()?;
            sm2_key(key)?.verify(&text, &signature).ok()?;
            let (day, millis) = instant(members.get("inf_time")?.as_str()?)?;
            let begun = Timestamp::start_of(day, UtcOffset(CLOCK_MINUTES)).plus_millis(millis);
            let (sent, came) = (begun.millis(), received.now.millis());
            Some(sent <= came + SKEW_MILLIS && came <= sent + ENVELOPE_AGE_MILLIS)
        };
        by_parts().filter(|is_good| *is_good).map(|_| Cow::Borrowed(received.body))
    }
}

/// The public key of these 64 bytes; nothing where they are none.
#[must_use]
pub fn sm2_key(point: &[u8]) -> Option<sm2::dsa::VerifyingKey> {
    let bytes = [&[4], point].concat();
    sm2::dsa::VerifyingKey::from_sec1_bytes(SM2_USER_ID, &bytes).ok()
}

/// `x-tif-signature` is SHA-256 over time, token, nonce and time in hex; the time is in seconds.
struct Sha256Header;

impl Scheme for Sha256Header {
    fn opened<'a>(&self, received: Received<'a>, key: &[u8]) -> Option<Cow<'a, [u8]>> {
        let by_parts = || {
            let (time, nonce) = (received.time, received.nonce);
            let parts = [time.as_bytes(), key, nonce.as_bytes(), time.as_bytes()];
            let shown = hex::decode(received.signature).ok()?;
            // Hashes of this kind are compared in constant time.
            if nonce.is_empty() || blake3::hash(&shown) != blake3::hash(&sha256(&parts.concat()).0)
            {
                return None;
            }
            let millis = time.parse::<u64>().ok()?.checked_mul(1_000)?;
            Some(millis.abs_diff(received.now.millis()) <= SKEW_MILLIS)
        };
        by_parts().filter(|is_good| *is_good).map(|_| Cow::Borrowed(received.body))
    }

    fn nonce<'a>(&self, received: Received<'a>) -> Option<&'a str> {
        Some(received.nonce)
    }
}

/// The members of a message by their names.
fn members(body: &[u8]) -> Option<BTreeMap<String, Value>> {
    serde_json::from_slice(body).ok()
}

/// Which nonces came, for as long as their time would be taken, and with which body.
#[derive(Default)]
pub struct Nonces {
    bodies: BTreeMap<Hash, Hash>,
    came: VecDeque<(u64, Hash)>,
}

impl Nonces {
    /// Notes that this nonce came with this body.
    ///
    /// # Errors
    /// It came with another one, or too many came.
    pub fn take(&mut self, nonce: &str, body: &[u8], now: Timestamp) -> Result<(), Refusal> {
        // A clock that is ahead makes a time last twice as long.
        let kept_from = now.millis().saturating_sub(2 * SKEW_MILLIS);
        while let Some((_, old)) = self.came.pop_front_if(|(at, _)| *at < kept_from) {
            self.bodies.remove(&old);
        }
        let (name, body) = (sha256(nonce.as_bytes()), sha256(body));
        match self.bodies.get(&name) {
            Some(known) if *known == body => return Ok(()),
            Some(_) => {
                let words = "已用于另一份报文；请换一个随机数，重新签名后重发";
                return Err(Refusal::at(TIF_NONCE_HEADER, words));
            }
            None => {}
        }
        if self.came.len() >= NONCES_MAX {
            return Err(Refusal::for_now("请求过于频繁；请稍后以原报文重发"));
        }
        self.came.push_back((now.millis(), name));
        self.bodies.insert(name, body);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"synthetic secret of a test hospital";
    const BODY: &[u8] = b"{\"infno\":\"9001\"}";
    const TIME: u64 = 1_767_225_600_000;
    // K=$(printf 'synthetic secret of a test hospital' | xxd -p -c 200)
    // printf '1767225600000\n{"infno":"9001"}' | openssl dgst -sm3 -mac HMAC -macopt hexkey:$K
    // OpenSSL 3.0.19
    const TAG: &str = "1ABFC505AD7B686E2A03B7CBE55C6C3C3F97A7182F8F4546DA8AC76D03236BBD";
    // T=1767225600; printf "${T}synthetic secret of a test hospitaln-0001$T" | openssl dgst -sha256
    const DIGEST: &str = "378a77b2f296e752266539994763ba77c066fd4fd73d2a0932b454dc4967c747";
    // openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out key.pem
    // openssl pkey -in key.pem -pubout -outform DER | tail -c 64 | xxd -p -c 64
    const POINT: &str = "6f6ac94f410ee26717d8b328cfa4f4fab23c85cc7e85c285f55759014456a81f\
                         c327e4c30bcabf5584c1c04c0c597b044f15796bd3fb5a5030a273e8cf56fc39";
    // printf '%s' "$SIGNED" | openssl pkeyutl -sign -inkey key.pem -rawin -digest sm3
    //   -pkeyopt distid:1234567812345678, its two integers as 64 bytes in Base64
    const CAINFO: &str = "G8fh0FO7/WkjICM/T3zHb/P5pgQNi/AX93NQWO2UYVi0UUNIwpU+ZmvRIL7kHKVqlh36S6bR2nowzlcg\
                          K0TAzA==";
    /// 2026-01-10 08:30:00 by the interface's clock.
    const SENT: u64 = 1_768_005_000_000;

    fn accepts(name: SchemeName, received: Received<'_>, millis: u64, key: &[u8]) -> bool {
        let received = Received { now: Timestamp::from_millis(millis), ..received };
        scheme(name).opened(received, key).is_some()
    }

    fn check(header: &str, body: &[u8], now: u64) -> bool {
        let received = Received { signature: header, body, ..Received::default() };
        accepts(SchemeName::HmacSm3, received, now, SECRET)
    }

    fn headers(time: &'static str, nonce: &'static str) -> Received<'static> {
        Received { signature: DIGEST, time, nonce, ..Received::default() }
    }

    /// An envelope in another order than that in which it is signed.
    fn envelope(name: &str, cainfo: &str) -> String {
        format!(
            "{{\"msgid\":\"H62010000001202601100830000001\",\"opter_name\":\"{name}\", \"infno\":\"9001\",\
             \"input\":{{\"any\":1}},\"inf_time\":\"2026-01-10 08:30:00\",\"cainfo\":\"{cainfo}\",\
             \"fixmedins_code\":\"H62010000001\"}}"
        )
    }

    fn envelope_accepted(text: &str, millis: u64) -> bool {
        let received = Received { body: text.as_bytes(), ..Received::default() };
        accepts(SchemeName::Sm2Envelope, received, millis, &hex::decode(POINT).unwrap())
    }

    #[test]
    fn openssl_makes_the_same_signatures() {
        assert!(check(&format!("{TIME}:{TAG}"), BODY, TIME));
        let headers = headers("1767225600", "n-0001");
        assert!(accepts(SchemeName::Sha256Header, headers, TIME, SECRET));
        assert!(envelope_accepted(&envelope("收费员", CAINFO), SENT));
    }

    #[test]
    fn another_body_time_secret_or_an_old_message_is_refused() {
        let good = format!("{TIME}:{TAG}");
        assert!(check(&good, BODY, TIME + SKEW_MILLIS) && check(&good, BODY, TIME - SKEW_MILLIS));
        assert!(!check(&good, BODY, TIME + SKEW_MILLIS + 1));
        assert!(!check(&good, BODY, TIME - SKEW_MILLIS - 1));
        assert!(!check(&good, b"{\"infno\":\"9002\"}", TIME));
        assert!(!check(&format!("{}:{TAG}", TIME + 1), BODY, TIME));
        for header in ["", ":", &TIME.to_string(), &good[..good.len() - 2], TAG] {
            assert!(!check(header, BODY, TIME), "{header}");
        }
        let received = Received { signature: &good, body: BODY, ..Received::default() };
        assert!(!accepts(SchemeName::HmacSm3, received, TIME, b"another"));
    }

    #[test]
    fn another_nonce_time_or_token_and_an_old_header_are_refused() {
        let name = SchemeName::Sha256Header;
        let good = headers("1767225600", "n-0001");
        assert!(accepts(name, good, TIME + SKEW_MILLIS, SECRET));
        assert!(!accepts(name, good, TIME + SKEW_MILLIS + 1, SECRET));
        assert!(!accepts(name, good, TIME - SKEW_MILLIS - 1, SECRET));
        assert!(!accepts(name, good, TIME, b"another"));
        assert!(!accepts(name, headers("1767225600", "n-0002"), TIME, SECRET));
        assert!(!accepts(name, headers("1767225601", "n-0001"), TIME, SECRET));
        assert!(!accepts(name, headers("1767225600", ""), TIME, SECRET));
        assert!(!accepts(name, Received { signature: "", ..good }, TIME, SECRET));
    }

    #[test]
    fn another_envelope_or_key_and_an_old_envelope_are_refused() {
        let good = envelope("收费员", CAINFO);
        assert!(envelope_accepted(&good, SENT - SKEW_MILLIS));
        assert!(!envelope_accepted(&good, SENT - SKEW_MILLIS - 1));
        assert!(envelope_accepted(&good, SENT + ENVELOPE_AGE_MILLIS));
        assert!(!envelope_accepted(&good, SENT + ENVELOPE_AGE_MILLIS + 1));
        assert!(!envelope_accepted(&envelope("别人", CAINFO), SENT));
        for cainfo in ["", "AAAA", &CAINFO.replace('8', "9")] {
            assert!(!envelope_accepted(&envelope("收费员", cainfo), SENT), "{cainfo}");
        }
        let received = Received { body: good.as_bytes(), ..Received::default() };
        for key in [&[0_u8; 64][..], &[], SECRET] {
            assert!(!accepts(SchemeName::Sm2Envelope, received, SENT, key));
        }
    }

    #[test]
    fn the_key_before_is_taken_to_the_end_of_its_last_day() {
        let until: CivilDate = "2026-01-10".parse().unwrap();
        let keys = Keys { current: b"new".to_vec(), previous: Some((b"old".to_vec(), until)) };
        let midnight = Timestamp::start_of(until, UtcOffset(CLOCK_MINUTES)).plus_millis(86_400_000);
        let before = Timestamp::from_millis(midnight.millis() - 1);
        assert_eq!(keys.at(before).collect::<Vec<_>>(), [b"new", b"old"]);
        assert_eq!(keys.at(midnight).collect::<Vec<_>>(), [b"new"]);
    }

    #[test]
    fn a_nonce_stands_for_one_body_while_its_time_is_taken() {
        let mut nonces = Nonces::default();
        let at = Timestamp::from_millis;
        assert_eq!(nonces.take("n", b"one", at(TIME)), Ok(()));
        assert_eq!(nonces.take("n", b"one", at(TIME + 1)), Ok(()), "sent again");
        let refused = nonces.take("n", b"two", at(TIME + 2 * SKEW_MILLIS)).unwrap_err();
        assert!(refused.words().starts_with("x-tif-nonce："), "{}", refused.words());
        assert_eq!(nonces.take("n", b"two", at(TIME + 2 * SKEW_MILLIS + 1)), Ok(()));
    }
}
