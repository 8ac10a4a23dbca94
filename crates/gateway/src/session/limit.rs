//! How often somebody may ask or try: a bucket of requests per place, refilled with time.
//!
//! Invariant: nobody waits longer than an empty bucket takes, also when the clock was set back
//! (test `a_clock_that_is_set_back_keeps_nobody_waiting`).

use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use primitives::{Hash, Party, Timestamp, codec};

/// How many buckets there are. Places that fall into one bucket share it, so memory is bounded
/// however many addresses somebody has.
const BUCKETS: usize = 16_384;

/// So many a second, and more at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many come back each second; at most a million.
    pub per_second: u32,
    /// How many may come at once.
    pub burst: u32,
}

/// Counts requests or attempts by a place, which is whatever names who asks.
pub struct Limiter {
    burst: u32,
    refill_micros: u64,
    key: [u8; 32],
    /// The instants at which the buckets will be full again, in microseconds.
    full_at: Vec<AtomicU64>,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub struct Place([u8; 32]);

impl Place {
    fn of(kind: u8, bytes: &[u8]) -> Self {
        Self(*blake3::Hasher::new().update(&[kind]).update(bytes).finalize().as_bytes())
    }

    /// An address, and whom the attempt is for where that is said; an IPv6 address counts by its
    /// /64 network.
    ///
    /// For sign-ins nobody is counted across addresses: signatures are not guessed by trying, and
    /// whoever could use up a party's attempts from afar could keep it from signing in.
    #[must_use]
    pub fn address(address: IpAddr, party: Option<Party>) -> Self {
        let network = match network_of(address) {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(network) => network,
        };
        Self::of(0, &codec::encode(&(network.octets(), party)))
    }

    /// A session, by the hash of its token.
    #[must_use]
    pub fn session(token_hash: Hash) -> Self {
        Self(token_hash.0)
    }

    /// A part of a party, such as one of its workplaces, or what it tries something for.
    #[must_use]
    pub fn within(party: Party, kind: &'static str, name: &str) -> Self {
        Self::of(2, &codec::encode(&(party, kind, name)))
    }

    /// A party that has signed in.
    #[must_use]
    pub fn party(party: Party) -> Self {
        Self::of(1, &codec::encode(&party))
    }
}

/// Where an address counts: itself, or the /64 network of an IPv6 address, all of which one client
/// may use.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

impl Limiter {
    /// Allows `burst` attempts at once and one more every `refill_millis`.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(burst: u32, refill_millis: u64) -> Result<Self, getrandom::Error> {
        Self::with_refill(burst, refill_millis.saturating_mul(1_000))
    }

    /// Allows so many.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn with_rate(rate: Rate) -> Result<Self, getrandom::Error> {
        Self::with_refill(rate.burst, 1_000_000 / u64::from(rate.per_second.clamp(1, 1_000_000)))
    }

    fn with_refill(burst: u32, refill_micros: u64) -> Result<Self, getrandom::Error> {
        let mut key = [0_u8; 32];
        getrandom::fill(&mut key)?;
        let full_at = std::iter::repeat_with(AtomicU64::default).take(BUCKETS).collect();
        Ok(Self { burst, refill_micros, key, full_at })
    }

    fn bucket(&self, place: Place, now: Timestamp) -> &AtomicU64 {
        // Keyed, so that nobody can choose an address that shares somebody else's bucket.
        let hash = blake3::keyed_hash(&self.key, &place.0);
        let [low, high, ..] = hash.as_bytes();
        let number = usize::from(u16::from_le_bytes([*low, *high])) % BUCKETS;
        let bucket =
            self.full_at.get(number).expect("the remainder is below the number of buckets");
        // Whatever is later was counted before the clock was set back, and says nothing any more.
        let latest = self.latest(now);
        let anew = |full_at| (full_at > latest).then_some(micros(now));
        let _ = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, anew);
        bucket
    }

    /// When a bucket is full that is empty now; none is ever full later.
    fn latest(&self, now: Timestamp) -> u64 {
        micros(now).saturating_add(self.refill_micros.saturating_mul(u64::from(self.burst)))
    }

    /// How long a place whose bucket is full at this instant has to wait; nothing when it may ask.
    fn wait_of(&self, full_at: u64, now: Timestamp) -> Option<Duration> {
        let debt = full_at.saturating_sub(micros(now));
        let allowed = self.refill_micros.saturating_mul(u64::from(self.burst.saturating_sub(1)));
        let over = debt.saturating_sub(allowed);
        (over > 0).then(|| Duration::from_micros(over))
    }

    /// How long this place has to wait before it may try; `None` when it may try now.
    #[must_use]
    pub fn wait(&self, place: Place, now: Timestamp) -> Option<Duration> {
        self.wait_of(self.bucket(place, now).load(Ordering::Relaxed), now)
    }

    /// Counts one attempt of this place.
    pub fn count(&self, place: Place, now: Timestamp) {
        let counted = |full_at| Some(self.after(full_at, now).min(self.latest(now)));
        let _ = self.bucket(place, now).fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted);
    }

    /// Counts one request of this place if it may ask now.
    ///
    /// # Errors
    /// How long it has to wait; then nothing is counted.
    pub fn take(&self, place: Place, now: Timestamp) -> Result<(), Duration> {
        let bucket = self.bucket(place, now);
        let counted = |full_at| match self.wait_of(full_at, now) {
            Some(_) => None,
            None => Some(self.after(full_at, now)),
        };
        let taken = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted);
        taken.map(|_| ()).map_err(|full_at| self.wait_of(full_at, now).unwrap_or_default())
    }

    fn after(&self, full_at: u64, now: Timestamp) -> u64 {
        full_at.max(micros(now)).saturating_add(self.refill_micros)
    }
}

const fn micros(now: Timestamp) -> u64 {
    now.millis().saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn at(address: IpAddr) -> Place {
        Place::address(address, None)
    }

    #[test]
    fn a_rate_gives_its_burst_at_once_and_then_so_many_a_second() {
        let limiter = Limiter::with_rate(Rate { per_second: 100, burst: 10 }).unwrap();
        let place = Place::party(Party::Person(primitives::PersonId([1; 16])));
        let taken = |from: u64| {
            let asked = (0..1_000).map(|millis| NOW.plus_millis(from + millis));
            asked.filter(|now| limiter.take(place, *now).is_ok()).count()
        };
        // In the first second the burst comes on top.
        assert_eq!(taken(0), 109);
        assert_eq!(taken(1_000), 100);
        let now = NOW.plus_millis(1_999);
        let wait = limiter.take(place, now).unwrap_err();
        assert!(wait <= Duration::from_millis(10), "{wait:?}");
        let other = Place::party(Party::Person(primitives::PersonId([2; 16])));
        assert!(limiter.take(other, now).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting() {
        let limiter = Limiter::with_rate(Rate { per_second: 100, burst: 10 }).unwrap();
        let place = Place::party(Party::Person(primitives::PersonId([1; 16])));
        let ahead = NOW.plus_millis(3_600_000);
        (0..10).for_each(|_| limiter.take(place, ahead).unwrap());
        (0..10).for_each(|_| limiter.take(place, NOW).unwrap());
        let wait = limiter.take(place, NOW).expect_err("it counts as before");
        assert!(wait <= Duration::from_millis(10), "{wait:?}");
        let attempts = Limiter::new(1, 1_000).unwrap();
        attempts.count(place, ahead);
        assert_eq!(attempts.wait(place, NOW), None);
        attempts.count(place, NOW);
        assert_eq!(attempts.wait(place, NOW), Some(Duration::from_secs(1)));
        // However many were counted at once, they are not taken for a clock that was set back.
        (0..9).for_each(|_| attempts.count(place, NOW));
        assert_eq!(attempts.wait(place, NOW), Some(Duration::from_secs(1)));
    }

    #[test]
    fn after_the_burst_one_attempt_comes_back_at_a_time() {
        let limiter = Limiter::new(3, 1_000).unwrap();
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(limiter.wait(at(here), NOW), None);
            limiter.count(at(here), NOW);
        }
        assert_eq!(limiter.wait(at(here), NOW), Some(Duration::from_secs(1)));
        let later = NOW.plus_millis(1_000);
        assert_eq!(limiter.wait(at(here), later), None);
        limiter.count(at(here), later);
        assert!(limiter.wait(at(here), later).is_some());
        assert_eq!(limiter.wait(at(here), NOW.plus_millis(60_000)), None);
    }

    #[test]
    fn an_ipv6_network_is_one_place_and_another_address_is_not() {
        let limiter = Limiter::new(1, 1_000).unwrap();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        limiter.count(at(address("2001:db8::1")), NOW);
        assert!(limiter.wait(at(address("2001:db8::ffff")), NOW).is_some());
        limiter.count(at(address("192.0.2.1")), NOW);
        assert!(limiter.wait(at(address("::ffff:192.0.2.1")), NOW).is_some());
        let others = (1..=9).map(|n| address(&format!("198.51.100.{n}")));
        assert!(others.filter(|other| limiter.wait(at(*other), NOW).is_none()).count() >= 7);
    }

    #[test]
    fn one_partys_attempts_are_not_another_ones_nor_those_of_another_place() {
        let limiter = Limiter::new(1, 1_000).unwrap();
        let party = |number| Some(Party::Person(primitives::PersonId([number; 16])));
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        limiter.count(Place::address(here, party(0)), NOW);
        assert!(limiter.wait(Place::address(here, party(0)), NOW).is_some());
        let may = |place| limiter.wait(place, NOW).is_none();
        let others = (1..=9).filter(|number| may(Place::address(here, party(*number))));
        assert!(others.count() >= 7);
        let there = (1..=9).map(|n| format!("198.51.100.{n}").parse::<IpAddr>().unwrap());
        assert!(there.filter(|there| may(Place::address(*there, party(0)))).count() >= 7);
    }
}
