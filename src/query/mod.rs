//! Questions and their answers.
//!
//! A question selects two ends ([`selector`]); the answer is the best way from one to the other,
//! as data. [`library`] holds the named questions, [`Asker`] answers them: it finds which pairs
//! have a path (`found`, by [`search`]), joins those that one answer stands for (`fold`), folds
//! edges to steps ([`steps`]), weighs ([`risk`]), names ([`fingerprint`]) and looks for the fact
//! that closes most (`closes`). Questions that ask what policies let through, and not what it leads
//! to, are answered by [`network`]. [`access`], [`blast`], [`paths`] and [`why`] answer other forms
//! of question.
//! This room uses the graph and knows nothing of how an answer is shown.

pub mod access;
mod all;
mod answer;
mod ask;
pub mod blast;
mod closes;
mod doors;
pub mod filter;
pub mod fingerprint;
mod fold;
mod found;
pub mod gate;
mod kinds;
mod language;
pub mod library;
mod near;
pub mod network;
mod outside;
pub mod paths;
mod radix;
pub mod reach;
pub mod risk;
pub mod search;
pub mod selector;
pub mod steps;
mod tree;
pub mod why;

pub use all::{Asked, ask_all, ask_without, notes};
pub use answer::{Answer, Cut, Severity, Step, Summary, is_part};
pub use ask::{Asker, Outcome};
pub use library::Query;
pub use near::spell;
pub use network::Finding;
