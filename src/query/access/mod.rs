//! Questions about permissions, as RBAC grants them: who holds one ([`holders`]), who gets there by
//! attack paths ([`reaching`]), whether somebody holds it ([`reason`]), what somebody may do
//! ([`rights`]).

mod doubt;
mod groups;
mod holders;
mod resource;
mod review;
mod rights;

pub use doubt::{Doubt, cautions, doubts, unplaced};
pub use holders::{Held, Reaching, count, granting, holders, reaching, subject_words};
pub use resource::Asked;
pub use review::{groups_of, reason, unknown_user, user_name};
pub use rights::{Right, Weight, is_master, rights};
