//! The gateway's parts, and who may come in.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use adapters::clock::Clock;
use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use ledger::kernel::context::PlanMemo;
use primitives::{OrganisationId, Party, Timestamp};

use crate::api::audit::Samples;
use crate::config::Config;
use crate::hub::Hub;
use crate::in_flight::InFlight;
use crate::metrics::Metrics;
use crate::notices::Noting;
use crate::port::{Port, View};
use crate::problem::{Problem, code};
use crate::session::challenge::Challenges;
use crate::session::limit::{Limiter, Place};
use crate::session::{Session, Sessions, registered};
use crate::simulation::job::Simulations;

/// How often a party may be wrong about one name or number at once. Our own limit.
const IDENTITY_FAILURES_MAX: u32 = 20;
/// After how many milliseconds once more: ten minutes, so that the thousand numbers that a name, a
/// place and a birthday leave take a week. Our own limit.
const IDENTITY_REFILL_MILLIS: u64 = 600_000;

/// The HTTP edge of one organisation.
pub struct Gateway {
    /// Its limits.
    pub config: Config,
    /// The ledger.
    pub port: Arc<dyn Port>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Challenges for signing in.
    pub challenges: Challenges,
    /// Refused sign-ins of a party from an address.
    pub sign_in_failures: Limiter,
    /// Names and numbers of documents that did not fit, of one party.
    pub identity_failures: Limiter,
    /// Refused sign-ins from an address.
    pub address_failures: Limiter,
    /// How often anybody may ask.
    pub rates: Rates,
    /// Who listens to live receipts.
    pub hub: Arc<Hub>,
    /// Transactions on their way.
    pub in_flight: InFlight,
    /// What changed plans would have cost.
    pub simulations: Simulations,
    /// What audits drew.
    pub samples: Samples,
    /// Figures.
    pub metrics: Metrics,
    /// The contract, as it is served.
    pub contract: Bytes,
    /// Decoded plans.
    plans: Mutex<PlanMemo>,
}

/// How often anybody may ask.
pub struct Rates {
    /// From an address, without a session.
    pub address: Limiter,
    /// With one session.
    pub session: Limiter,
    /// As one person.
    pub person: Limiter,
    /// As one organisation.
    pub organisation: Limiter,
}

impl Rates {
    fn new(config: &Config) -> Result<Self, getrandom::Error> {
        Ok(Self {
            address: Limiter::with_rate(config.address_rate)?,
            session: Limiter::with_rate(config.session_rate)?,
            person: Limiter::with_rate(config.person_rate)?,
            organisation: Limiter::with_rate(config.organisation_rate)?,
        })
    }

    /// Counts a request without a session.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub fn count_address(&self, client: IpAddr, now: Timestamp) -> Result<(), Problem> {
        self.address.take(Place::address(client, None), now).map_err(too_many)
    }

    /// Lets an address ask that has not used up its requests; this one is not counted yet.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub fn check_address(&self, client: IpAddr, now: Timestamp) -> Result<(), Problem> {
        let wait = self.address.wait(Place::address(client, None), now);
        wait.map_or(Ok(()), |wait| Err(too_many(wait)))
    }

    /// Counts a request of an organisation that showed who it is without a session.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub fn count_organisation(
        &self,
        organisation: OrganisationId,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let place = Place::party(Party::Organisation(organisation));
        self.organisation.take(place, now).map_err(too_many)
    }

    /// Counts a request of a session and of its party.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub fn count_session(&self, session: &Session, now: Timestamp) -> Result<(), Problem> {
        let party = match session.party {
            Party::Person(_) => &self.person,
            Party::Organisation(_) => &self.organisation,
        };
        self.session.take(session.place(), now).map_err(too_many)?;
        party.take(Place::party(session.party), now).map_err(too_many)
    }
}

fn too_many(wait: Duration) -> Problem {
    Problem::new(&code::TOO_MANY_REQUESTS).retry(wait)
}

impl Gateway {
    /// A gateway to this ledger. Starts the thread that hands out live receipts; it ends with the
    /// ledger's stream of receipts.
    ///
    /// # Errors
    /// When the system gives no randomness or no thread.
    pub fn new(
        port: Arc<dyn Port>,
        clock: Arc<dyn Clock>,
        config: Config,
    ) -> std::io::Result<Arc<Self>> {
        let hub = Arc::new(Hub::new(config.streams_max, config.streams_per_party_max));
        let committed = port.chain().subscribe();
        let listeners = Arc::clone(&hub);
        let mut noting = Noting::new(&port);
        thread::Builder::new().name("live-receipts".to_owned()).spawn(move || {
            noting.catch_up();
            listeners.run(Box::new(committed.inspect(move |receipt| noting.note(receipt))));
        })?;
        let contract = crate::openapi::openapi(port.chain().registry());
        let refill = config.sign_in_failure_refill_millis;
        let limiter = |burst| Limiter::new(burst, refill).map_err(no_randomness);
        Ok(Arc::new(Self {
            sessions: Sessions::new(config.sessions),
            challenges: Challenges::new().map_err(no_randomness)?,
            sign_in_failures: limiter(config.sign_in_failures_max)?,
            identity_failures: Limiter::new(IDENTITY_FAILURES_MAX, IDENTITY_REFILL_MILLIS)
                .map_err(no_randomness)?,
            address_failures: limiter(config.address_failures_max)?,
            rates: Rates::new(&config).map_err(no_randomness)?,
            hub,
            in_flight: InFlight::default(),
            simulations: Simulations::default(),
            samples: Samples::default(),
            metrics: Metrics::new(),
            contract: Bytes::from(contract.to_string()),
            plans: Mutex::default(),
            config,
            port,
            clock,
        }))
    }

    /// The session that a request carries.
    ///
    /// # Errors
    /// `session_missing`, `session_ended` (also when its key was revoked or its organisation
    /// suspended since).
    pub fn authenticate(
        &self,
        headers: &HeaderMap,
        view: &View,
        now: Timestamp,
    ) -> Result<Session, Problem> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| Problem::new(&code::SESSION_MISSING))?;
        let ended = || Problem::new(&code::SESSION_ENDED);
        let mut session = self.sessions.find(token, now).ok_or_else(ended)?;
        let registered = registered::registered(view.rows(), session.party, session.key, now);
        // A key that could not be looked up is not one that is gone.
        view.check()?;
        match registered {
            Some(registered) => {
                session.scopes = registered.scopes;
                Ok(session)
            }
            None => {
                self.sessions.close(&session);
                Err(ended())
            }
        }
    }

    /// Runs something that needs decoded plans.
    pub fn with_plans<T>(&self, run: impl FnOnce(&PlanMemo) -> T) -> T {
        run(&self.plans.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a session is still good: neither expired nor closed, its key still registered.
    #[must_use]
    pub fn is_current(&self, session: &Session) -> bool {
        let now = self.clock.now();
        let view = self.port.chain().view();
        let registered = registered::registered(view.rows(), session.party, session.key, now);
        self.sessions.is_open(session, now)
            && (registered.is_some() || view.state.trouble().is_some())
    }
}

fn no_randomness(error: getrandom::Error) -> std::io::Error {
    std::io::Error::other(format!("the system gives no randomness: {error}"))
}
