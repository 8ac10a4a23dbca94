//! Who somebody is by a document that is shown or known: name and number together, as the authority
//! confirms them. Names are known and numbers have few free digits, so whoever tries them waits:
//! from one place, and for one name or number much longer than somebody who mistypes needs.
//!
//! Invariant: a name's numbers cannot be tried out (test
//! `who_tries_numbers_for_a_name_waits_longer_than_who_mistypes`).

use std::time::Duration;

use adapters::identity::{Identity, comparable_name};
use primitives::{Party, PersonId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::wallet::identified;
use crate::call::Call;
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::session::limit::Place;
use crate::wallet::Wallet;

/// Who somebody is, as the identity document or the household register says it.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityDocument {
    /// The name as in the document.
    #[schemars(length(max = 200))]
    pub name: String,
    /// The 18 characters of the identity number, or a foreign document such as `JP:TK1234567`.
    #[schemars(length(max = 40))]
    pub number: String,
}

impl From<&IdentityDocument> for Identity {
    fn from(one: &IdentityDocument) -> Self {
        Self { name: one.name.trim().to_owned(), number: one.number.trim().to_owned() }
    }
}

/// Tries of names and numbers by one party from one place.
pub(crate) struct Tries<'a> {
    call: &'a Call,
    place: Place,
    document: [Place; 2],
}

impl<'a> Tries<'a> {
    /// The next try.
    ///
    /// # Errors
    /// How long to wait before it.
    pub(crate) fn of(
        call: &'a Call,
        (party, place): (Party, Place),
        identity: &Identity,
    ) -> Result<Self, Duration> {
        let within = |kind, text: &str| Place::within(party, kind, text);
        // In the spelling that is compared: another one of the same name is no other name.
        let (name, number) = (comparable_name(&identity.name), comparable_name(&identity.number));
        let document = [within("name", &name), within("number", &number)];
        let gateway = &call.gateway;
        let slow = document.iter().filter_map(|one| gateway.identity_failures.wait(*one, call.now));
        match gateway.sign_in_failures.wait(place, call.now).into_iter().chain(slow).max() {
            Some(wait) => Err(wait),
            None => Ok(Self { call, place, document }),
        }
    }

    /// The same for whoever is signed in.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub(crate) fn signed_in(
        call: &'a Call,
        session: &Session,
        identity: &Identity,
    ) -> Result<Self, Problem> {
        let place = Place::address(call.client, Some(session.party));
        let tries = Self::of(call, (session.party, place), identity);
        tries.map_err(|wait| Problem::new(&code::TOO_MANY_REQUESTS).retry(wait))
    }

    /// It did not fit.
    pub(crate) fn failed(&self) {
        let Self { call, place, document } = self;
        call.gateway.sign_in_failures.count(*place, call.now);
        document.iter().for_each(|one| call.gateway.identity_failures.count(*one, call.now));
    }
}

/// Whom a document belongs to, of those who are meant. Whatever it was that did not fit, the answer
/// is the same.
///
/// # Errors
/// `unknown`, `too_many_requests`, `unavailable`, what is wrong with the number.
pub(crate) fn find(
    call: &Call,
    session: &Session,
    (wallet, identity): (&Wallet, &Identity),
    is_meant: impl Fn(PersonId) -> bool,
    unknown: Problem,
) -> Result<PersonId, Problem> {
    let tries = Tries::signed_in(call, session, identity)?;
    match identified(call, wallet, identity)?.filter(|found| is_meant(*found)) {
        Some(found) => Ok(found),
        None => {
            tries.failed();
            Err(unknown)
        }
    }
}
