//! The integration tests, one binary: linking is what a test run costs on two cores.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::disallowed_methods,
    reason = "a test that meets the unexpected shall end there"
)]

mod access;
mod catalogue;
mod cli;
mod clusters;
mod docs;
mod doors;
mod fields;
mod fixtures;
mod floors;
mod grants;
mod impersonation;
mod network;
mod pictures;
mod pod_security;
mod query;
mod rbac;
mod reach;
mod structs;
mod tui;
mod why;
