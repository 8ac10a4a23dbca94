//! Changes the web origins in which passkeys may sign.

use alloc::{sync::Arc, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, Text, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::NETWORK;
use super::{rejection, require_governing, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Names all web origins in which passkeys may sign. Signed by the governing set.
///
/// The rpId stays as genesis set it: passkeys are bound to it for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetWebOrigins {
    /// Origins such as `https://wallet.example.org`, 1 to 32.
    #[schemars(length(min = 1, max = 32))]
    pub origins: Vec<Text<253>>,
}

impl Kind for SetWebOrigins {
    const NUMBER: u16 = 104;
    const NAME: &'static str = "set_web_origins";

    fn check(&self) -> Result<(), Rejection> {
        require((1..=32).contains(&self.origins.len()), || {
            rejection::INVALID_ORIGIN.with(detail!("name 1 to 32"))
        })?;
        for origin in &self.origins {
            let host = origin.strip_prefix("https://").or_else(|| {
                origin
                    .strip_prefix("http://")
                    .filter(|host| *host == "localhost" || host.starts_with("localhost:"))
            });
            let plain =
                host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@']));
            require(plain, || {
                rejection::INVALID_ORIGIN.with(alloc::format!("{}", origin.escape_default()))
            })?;
        }
        Ok(())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::network(state));
        row.origins = self.origins.clone();
        NETWORK.put(state, &(), &row);
        Ok(Outcome::event(
            "web_origins_changed",
            row.governing.iter().copied().map(Party::Organisation),
        ))
    }
}
