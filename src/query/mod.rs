//! Questions and their answers.
//!
//! A question selects two ends; the answer is the best way from one to the other, as data. This
//! room uses the graph and knows nothing of how an answer is shown.

mod answer;

pub use answer::{Answer, Cut, Severity, Step, Summary};
