//! kspm-graph: offline attack-path analysis for Kubernetes.
//!
//! Built like a compiler: parse, lower, derive, freeze, ask, show. Each step is a room, each room
//! gives plain, immutable data to the next, and no room knows the ones above it
//! (`tests/floors.rs` holds them to that):
//!
//! ```text
//! bytes --input--> k8s objects --world--> World --attacks--> edges --graph--> Graph --query--> Answer --report-->
//! ```
//!
//! | floor | room | holds |
//! |---|---|---|
//! | 0 | [`id`], [`sym`], `glob` | typed indices, interned names, patterns of names |
//! | 1 | [`k8s`] | Kubernetes objects as served |
//! | 2 | [`input`] | where objects come from |
//! | 3 | [`world`] | what is true in the cluster, and what is unknown |
//! | 4 | [`graph`] | nodes, edges, evidence |
//! | 5 | [`attacks`] | the catalogue: every way from one thing to another |
//! | 6 | [`query`] | questions and their answers |
//! | 7 | [`report`] | answers as bytes |
//! | 8 | [`tui`] | the terminal interface |
//! | 9 | [`cli`] | commands |

pub mod attacks;
pub mod cli;
mod glob;
pub mod graph;
pub mod id;
pub mod input;
pub mod k8s;
pub mod query;
pub mod report;
pub mod sym;
pub mod tui;
pub mod world;
