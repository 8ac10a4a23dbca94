//! The running node, over real files or a disk that fails by plan.

mod backup;
mod concurrent;
mod cosign;
mod fault;
mod growth;
mod history;
mod lost;
mod net;
mod network;
mod outbox;
mod proofs;
mod restart;
mod submit;
mod sync;
mod tamper;
mod visits;
mod world;
