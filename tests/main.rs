//! The integration tests, one binary: linking is what a test run costs on two cores.

mod fixtures;
mod floors;
mod query;
