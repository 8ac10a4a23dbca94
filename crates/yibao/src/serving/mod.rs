//! A node behind its gateway: the wiring of the parts that know nothing of each other.
//!
//! Reading order: [`folder`] (what lies where in a data folder, and how a node comes up from it),
//! [`library`] (what is kept beside the blocks), [`rails`] (payments outside), [`payments`] (what
//! their people see of them), [`register`] (what cannot be listed), [`upkeep`] (what is done again
//! and again), [`chain`] (the ledger as a full node has it), [`light`] (as a light node has it),
//! `port` (the gateway's window on either and on what lies beside), [`hospital`] (the national
//! interface), [`wallet`] (a bureau's services for wallets), [`notices`] (how it tells people of
//! things), [`seal`] (what signs the sheets of vouchers), `web` (the embedded web app), [`http`]
//! (the gateway on its port), [`limits`] (what an operator may set), [`log`].

pub mod chain;
mod figures;
pub mod folder;
pub mod hospital;
pub mod http;
pub mod library;
pub mod light;
pub mod limits;
pub mod log;
pub mod network;
pub mod notices;
pub mod payments;
mod port;
pub mod rails;
pub mod register;
pub mod seal;
pub mod upkeep;
pub mod wallet;
pub mod web;

pub use folder::{NODE_FOLDER, Start, open_node};
pub use http::{HttpServer, open_port};
pub use port::NodePort;
pub use upkeep::Upkeep;
