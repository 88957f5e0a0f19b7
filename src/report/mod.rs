//! Answers as bytes.

mod layout;
mod outline;

pub mod dot;
pub mod escape;
pub mod picture;
pub mod svg;
