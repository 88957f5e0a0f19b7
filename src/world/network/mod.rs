//! The network: what moves packets between pods, and what holds them back.

pub mod plugin;
