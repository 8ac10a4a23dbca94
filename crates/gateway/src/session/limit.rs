//! How often somebody may try: a bucket of attempts per place, refilled with time.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use primitives::{Party, Timestamp, codec};

/// How many buckets there are. Places that fall into one bucket share it, so memory is bounded
/// however many addresses somebody has.
const BUCKETS: usize = 4_096;

/// Counts attempts by the address that they come from, and by whom they are for where that is said;
/// an IPv6 address counts by its /64 network.
///
/// Nobody is counted across addresses: signatures are not guessed by trying, and whoever could use
/// up a party's attempts from afar could keep it from signing in.
pub struct Limiter {
    burst: u32,
    refill_millis: u64,
    key: [u8; 32],
    buckets: Mutex<Vec<Bucket>>,
}

#[derive(Clone, Copy, Default)]
struct Bucket {
    /// The instant at which the bucket will be full again, in milliseconds.
    full_at: u64,
}

impl Limiter {
    /// Allows `burst` attempts at once and one more every `refill_millis`.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(burst: u32, refill_millis: u64) -> Result<Self, getrandom::Error> {
        let mut key = [0_u8; 32];
        getrandom::fill(&mut key)?;
        let buckets = Mutex::new(vec![Bucket::default(); BUCKETS]);
        Ok(Self { burst, refill_millis, key, buckets })
    }

    fn place(&self, address: IpAddr, party: Option<Party>) -> usize {
        let network = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(_) => address,
                None => {
                    let [a, b, c, d, ..] = address.segments();
                    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
                }
            },
        };
        // Keyed, so that nobody can choose an address that shares somebody else's bucket.
        let hash = blake3::keyed_hash(&self.key, &codec::encode(&(network.octets(), party)));
        let [low, high, ..] = hash.as_bytes();
        usize::from(u16::from_le_bytes([*low, *high])) % BUCKETS
    }

    /// How long this place has to wait before it may try; `None` when it may try now.
    #[must_use]
    pub fn wait(&self, address: IpAddr, party: Option<Party>, now: Timestamp) -> Option<Duration> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get(self.place(address, party)).copied().unwrap_or_default();
        let debt = bucket.full_at.saturating_sub(now.millis());
        let allowed = self.refill_millis.saturating_mul(u64::from(self.burst.saturating_sub(1)));
        let over = debt.saturating_sub(allowed);
        (over > 0).then(|| Duration::from_millis(over))
    }

    /// Counts one attempt of this place.
    pub fn count(&self, address: IpAddr, party: Option<Party>, now: Timestamp) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(self.place(address, party)) {
            bucket.full_at = bucket.full_at.max(now.millis()).saturating_add(self.refill_millis);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    #[test]
    fn after_the_burst_one_attempt_comes_back_at_a_time() {
        let limiter = Limiter::new(3, 1_000).unwrap();
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(limiter.wait(here, None, NOW), None);
            limiter.count(here, None, NOW);
        }
        assert_eq!(limiter.wait(here, None, NOW), Some(Duration::from_secs(1)));
        let later = NOW.plus_millis(1_000);
        assert_eq!(limiter.wait(here, None, later), None);
        limiter.count(here, None, later);
        assert!(limiter.wait(here, None, later).is_some());
        assert_eq!(limiter.wait(here, None, NOW.plus_millis(60_000)), None);
    }

    #[test]
    fn an_ipv6_network_is_one_place_and_another_address_is_not() {
        let limiter = Limiter::new(1, 1_000).unwrap();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        limiter.count(address("2001:db8::1"), None, NOW);
        assert!(limiter.wait(address("2001:db8::ffff"), None, NOW).is_some());
        limiter.count(address("192.0.2.1"), None, NOW);
        assert!(limiter.wait(address("::ffff:192.0.2.1"), None, NOW).is_some());
        let others = (1..=9).map(|n| address(&format!("198.51.100.{n}")));
        assert!(others.filter(|other| limiter.wait(*other, None, NOW).is_none()).count() >= 7);
    }

    #[test]
    fn one_partys_attempts_are_not_another_ones_nor_those_of_another_place() {
        let limiter = Limiter::new(1, 1_000).unwrap();
        let party = |number| Some(Party::Person(primitives::PersonId([number; 16])));
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        limiter.count(here, party(0), NOW);
        assert!(limiter.wait(here, party(0), NOW).is_some());
        let others = (1..=9).filter(|number| limiter.wait(here, party(*number), NOW).is_none());
        assert!(others.count() >= 7);
        let there = (1..=9).map(|n| format!("198.51.100.{n}").parse::<IpAddr>().unwrap());
        assert!(there.filter(|there| limiter.wait(*there, party(0), NOW).is_none()).count() >= 7);
    }
}
