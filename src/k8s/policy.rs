//! Policies of admission and of the network: the `spec` of each, as it stands. What a policy says
//! is a tree of its engine's own making, and there are few of them, so that no struct stands for
//! it; lowering keeps a few words of it.

use super::field::Field;
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

/// Reads `spec` or `specs` of a policy into a body that holds a list: `spec` first, which may be
/// null, and then the rest.
pub(super) fn specs<'de, D>(
    body: &mut Body<'de>,
    field: Field,
    deserializer: D,
) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    let read = Value::deserialize(deserializer)?;
    if matches!(body, Body::None) {
        *body = Body::Policy(Box::new(Value::Array(vec![Value::Null])));
    }
    if let Body::Policy(list) = body
        && let Value::Array(list) = &mut **list
    {
        match (field, read) {
            (Field::Spec, spec) => {
                if let Some(first) = list.first_mut() {
                    *first = spec;
                }
            }
            (_, Value::Array(more)) => list.extend(more),
            _ => {}
        }
    }
    Ok(())
}
