//! What a changed plan would have cost: old bills adjudicated again under the plan that holds and
//! under the one that is to take its place, side by side. `yibao simulate-plan` does it with what
//! it reads, makes up or is given, in three threads; a desk with the settlements that its node
//! keeps, in one ([`job`]).
//!
//! Bills are sums ([`bill`]); each plan is adjudicated with running amounts of its own
//! ([`worker`]), and what comes out is counted ([`tally`]) and written down ([`csv`]). The same
//! bills in the same order give the same figures, byte for byte, whoever counts.

pub mod bill;
pub mod csv;
pub mod job;
pub mod tally;
pub mod worker;
