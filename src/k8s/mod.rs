//! Kubernetes objects as served: lean, borrowed, without opinions.
//!
//! One [`Object`] is read at a time, straight from the bytes it stands in, and is gone once it has
//! been lowered. A kind is known by its API group as well as its name: `Node` of `longhorn.io` is
//! not a node. This room knows neither where bytes come from nor what anything means.

#![expect(missing_docs, reason = "the fields bear the names of the Kubernetes API reference")]

pub mod admission;
pub mod cluster;
pub mod data;
pub mod definition;
pub mod endpoints;
mod field;
pub mod gateway;
pub mod istio;
mod kind;
pub mod login;
mod meta;
pub mod network;
pub mod network_policy;
mod object;
pub mod openshift;
pub mod pod_status;
mod policy;
mod quick;
pub mod rbac;
mod replicas;
mod resource;
pub mod scalar;
pub mod workload;

pub use kind::Kind;
pub use meta::{Meta, OwnerReference};
pub use object::{Body, Object, ObjectSeed};
pub use replicas::{OfPod, Replicas, SharedSpec};
pub use resource::Resource;
