//! Policies in CEL, evaluated on the pods that somebody would make to take a node.
//!
//! What the snapshot does not tell, and what whoever makes a pod may choose, stands in the pod as
//! unknown: `value`. An expression is read by `parse` and evaluated by `eval` and `calls`, where it
//! may come out as unknown; `pods` makes the pods, and `policy` puts the question.
//!
//! Source: kubernetes apiserver `pkg/admission/plugin/policy/validating` and `pkg/cel/library`.

mod calls;
mod eval;
mod parse;
mod pods;
mod policy;
mod requests;
mod value;

pub(super) use policy::{Asked, Place, Program, Verdict};
pub(super) use requests::{Ask, Caller, Looks, Reply};

#[cfg(test)]
mod tests;
