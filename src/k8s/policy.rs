//! Admission policies: the `spec` of each, as it stands. What a policy says is a tree of its engine's
//! own making, and there are few of them, so that no struct stands for it; lowering keeps a few
//! words of it.

use super::object::Body;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads the `spec` of a policy into a body.
pub(super) fn policy<'de, D>(body: &mut Body<'de>, deserializer: D) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    *body = Body::Policy(Box::new(Value::deserialize(deserializer)?));
    Ok(())
}
