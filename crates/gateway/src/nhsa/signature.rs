//! How a message shows that it is the hospital's. Schemes stand behind one trait; each is compared
//! with an independent implementation (test `openssl_makes_the_same_signature`).
//!
//! Every scheme here covers the whole body: one that leaves `input` out would let anybody on the
//! way change the bill.

use hmac::{Hmac, KeyInit as _, Mac as _};
use primitives::Timestamp;
use sm3::Sm3;

use super::profile::SchemeName;
use super::refusal::Refusal;

/// How far the clocks of hospital and node may differ, and how old a message may be, in
/// milliseconds. What comes again within this time is known by its number.
pub const SKEW_MILLIS: u64 = 5 * 60_000;

/// The header that names the hospital.
pub const KEY_HEADER: &str = "x-ca-key";
/// The header with time and signature.
pub const SIGNATURE_HEADER: &str = "x-ca-signature";

/// A message as it came.
#[derive(Clone, Copy)]
pub struct Received<'a> {
    /// What the scheme's header says.
    pub header: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// When it came.
    pub now: Timestamp,
}

/// A scheme of signature.
pub trait Scheme: Sync {
    /// The message was signed with this secret, not long ago.
    ///
    /// # Errors
    /// What is wrong, without saying how near it came.
    fn check(&self, received: Received<'_>, secret: &[u8]) -> Result<(), Refusal>;
}

/// The scheme of this name.
#[must_use]
pub fn scheme(name: SchemeName) -> &'static dyn Scheme {
    match name {
        SchemeName::HmacSm3 => &HmacSm3,
    }
}

/// The answer to everything that was not shown to be the hospital's: it says neither which
/// hospitals there are nor what was wrong.
#[must_use]
pub fn not_shown() -> Refusal {
    Refusal::at(
        SIGNATURE_HEADER,
        "签名缺失或不符；请核对机构编码、密钥、时间戳（毫秒，误差5分钟内）和报文原文",
    )
}

/// `x-ca-signature` is the time in milliseconds, a colon, and HMAC-SM3 over the time, a line feed
/// and the body, in upper-case hex.
struct HmacSm3;

impl Scheme for HmacSm3 {
    fn check(&self, received: Received<'_>, secret: &[u8]) -> Result<(), Refusal> {
        let (time, tag) = received.header.split_once(':').ok_or_else(not_shown)?;
        let tag = hex::decode(tag).map_err(|_| not_shown())?;
        let mut mac = Hmac::<Sm3>::new_from_slice(secret).map_err(|_| not_shown())?;
        mac.update(time.as_bytes());
        mac.update(b"\n");
        mac.update(received.body);
        mac.verify_slice(&tag).map_err(|_| not_shown())?;
        let time: u64 = time.parse().map_err(|_| not_shown())?;
        if time.abs_diff(received.now.millis()) > SKEW_MILLIS {
            return Err(not_shown());
        }
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

    fn check(header: &str, body: &[u8], now: u64) -> bool {
        let received = Received { header, body, now: Timestamp::from_millis(now) };
        scheme(SchemeName::HmacSm3).check(received, SECRET).is_ok()
    }

    #[test]
    fn openssl_makes_the_same_signature() {
        assert!(check(&format!("{TIME}:{TAG}"), BODY, TIME));
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
        let received = Received { header: &good, body: BODY, now: Timestamp::from_millis(TIME) };
        assert!(scheme(SchemeName::HmacSm3).check(received, b"another").is_err());
    }
}
