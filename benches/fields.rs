//! `managedFields`: who set which field, as the API server records it.
//!
//! It is a third of a pod's bytes and no part of an answer, so how fast a reader gets over it
//! decides much of its speed. It is derived from the object itself, as in the API server.

use serde_json::{Map, Value, json};

/// One entry: what `manager` set, `subresource` being `status` or empty.
pub(crate) fn entry(
    manager: &str,
    api_version: &str,
    time: &str,
    subresource: &str,
    fields: Value,
) -> Value {
    let mut entry = json!({
        "apiVersion": api_version,
        "fieldsType": "FieldsV1",
        "manager": manager,
        "operation": "Update",
        "time": time,
    });
    entry["fieldsV1"] = fields;
    if !subresource.is_empty() {
        entry["subresource"] = subresource.into();
    }
    entry
}

/// The fields of everything but the status, and but what the API server itself writes.
pub(crate) fn of_object(object: &Map<String, Value>) -> Value {
    let mut fields = Map::new();
    for (key, value) in object {
        match (key.as_str(), value) {
            ("apiVersion" | "kind" | "status", _) => {}
            ("metadata", Value::Object(metadata)) => {
                let mut set = members(metadata);
                for key in [
                    "f:creationTimestamp",
                    "f:generation",
                    "f:name",
                    "f:namespace",
                    "f:resourceVersion",
                    "f:uid",
                ] {
                    set.remove(key);
                }
                if !set.is_empty() {
                    fields.insert("f:metadata".into(), set.into());
                }
            }
            ("spec", Value::Object(spec)) => {
                fields.insert("f:spec".into(), members(spec).into());
            }
            _ => {
                fields.insert(format!("f:{key}"), field(key, value));
            }
        }
    }
    fields.into()
}

/// The fields of the status alone.
pub(crate) fn of_status(status: &Value) -> Value {
    match status {
        Value::Object(status) => json!({ "f:status": members(status) }),
        _ => json!({}),
    }
}

fn members(object: &Map<String, Value>) -> Map<String, Value> {
    object.iter().map(|(key, value)| (format!("f:{key}"), field(key, value))).collect()
}

fn field(name: &str, value: &Value) -> Value {
    let mut inner = match (name, value) {
        // Atomic in the API's schema: whoever sets a part owns the whole.
        ("selector" | "secretKeyRef" | "configMapKeyRef" | "fieldRef", _) => return json!({}),
        (_, Value::Object(object)) => members(object),
        (_, Value::Array(items)) => {
            items.iter().filter_map(|item| element(merge_keys(name), item)).collect()
        }
        _ => return json!({}),
    };
    if !inner.is_empty() {
        inner.insert(".".into(), json!({}));
    }
    inner.into()
}

/// The keys that tell the elements of a list apart; none where the list is atomic.
fn merge_keys(list: &str) -> &'static [&'static str] {
    match list {
        "containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets" => &["name"],
        "ports" => &["containerPort", "port", "protocol"],
        "volumeMounts" => &["mountPath"],
        "topologySpreadConstraints" => &["topologyKey", "whenUnsatisfiable"],
        "conditions" => &["type"],
        "podIPs" | "hostIPs" => &["ip"],
        "addresses" => &["type"],
        "ownerReferences" => &["uid"],
        _ => &[],
    }
}

fn element(keys: &[&str], item: &Value) -> Option<(String, Value)> {
    let item = item.as_object()?;
    let told: Map<String, Value> =
        keys.iter().filter_map(|&key| Some((key.into(), item.get(key)?.clone()))).collect();
    if told.is_empty() {
        return None;
    }
    let mut inner = Map::new();
    // An owner is set as a whole.
    if keys != ["uid"] {
        inner = members(item);
        inner.insert(".".into(), json!({}));
    }
    // The key of an element is JSON inside a string, which puts escaped quotes into every dump.
    Some((format!("k:{}", Value::Object(told)), inner.into()))
}
