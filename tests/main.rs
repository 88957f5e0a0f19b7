//! The integration tests, one binary: linking is what a test run costs on two cores.

mod docs;
mod fixtures;
mod floors;
mod pictures;
mod query;
mod rbac;
