//! NetworkPolicies over objects as they are written: pod by pod, policy by policy, with nothing
//! shared, cached or prepared. It shares no code with the evaluator that it is held against.

use serde_json::Value;

/// Whether one pod reaches a port of another.
pub(super) fn connects(objects: &[Value], from: &Value, to: &Value, on: (&str, u16)) -> bool {
    if from["metadata"] == to["metadata"] {
        return true;
    }
    let node = |pod: &Value| pod["spec"]["hostNetwork"] == true;
    if node(from) && from["spec"]["nodeName"] == to["spec"]["nodeName"] {
        return true;
    }
    (node(from) || end(objects, from, to, to, on, "Egress"))
        && (node(to) || end(objects, to, from, to, on, "Ingress"))
}

/// Whether the policies of one end let the other one through.
fn end(
    objects: &[Value],
    own: &Value,
    other: &Value,
    to: &Value,
    on: (&str, u16),
    direction: &str,
) -> bool {
    let mut isolated = false;
    for policy in objects.iter().filter(|o| o["kind"] == "NetworkPolicy") {
        let spec = &policy["spec"];
        if policy["metadata"]["namespace"] != own["metadata"]["namespace"]
            || !selects(&spec["podSelector"], &own["metadata"]["labels"])
            || !types(spec).contains(&direction)
        {
            continue;
        }
        isolated = true;
        let (section, peers) = match direction {
            "Ingress" => ("ingress", "from"),
            _ => ("egress", "to"),
        };
        for rule in list(&spec[section]) {
            let from_it = list(&rule[peers]).is_empty()
                || list(&rule[peers]).iter().any(|p| is(objects, policy, p, other));
            let on_it = list(&rule["ports"]).is_empty()
                || list(&rule["ports"]).iter().any(|p| opens(p, to, on));
            if from_it && on_it {
                return true;
            }
        }
    }
    !isolated
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn types(spec: &Value) -> Vec<&str> {
    let given: Vec<&str> = list(&spec["policyTypes"]).iter().filter_map(Value::as_str).collect();
    match given.as_slice() {
        [] if list(&spec["egress"]).is_empty() => vec!["Ingress"],
        [] => vec!["Ingress", "Egress"],
        _ => given,
    }
}

fn selects(selector: &Value, labels: &Value) -> bool {
    let equal = selector["matchLabels"]
        .as_object()
        .is_none_or(|wanted| wanted.iter().all(|(key, value)| &labels[key] == value));
    equal
        && list(&selector["matchExpressions"]).iter().all(|e| {
            let value = &labels[e["key"].as_str().unwrap()];
            let listed = list(&e["values"]).contains(value);
            match e["operator"].as_str().unwrap() {
                "In" => !value.is_null() && listed,
                "NotIn" => value.is_null() || !listed,
                "Exists" => !value.is_null(),
                "DoesNotExist" => value.is_null(),
                _ => unreachable!(),
            }
        })
}

fn is(objects: &[Value], policy: &Value, peer: &Value, other: &Value) -> bool {
    let host_network = other["spec"]["hostNetwork"] == true;
    if let Some(cidr) = peer["ipBlock"]["cidr"].as_str() {
        let address = if host_network {
            let node = objects.iter().find(|o| {
                o["kind"] == "Node" && o["metadata"]["name"] == other["spec"]["nodeName"]
            });
            node.unwrap()["status"]["addresses"][0]["address"].as_str().unwrap()
        } else {
            other["status"]["podIP"].as_str().unwrap()
        };
        let inside = |cidr: &str| {
            let (net, bits) = cidr.split_once('/').unwrap();
            let number = |text: &str| {
                text.split('.').fold(0_u64, |n, part| n << 8 | part.parse::<u64>().unwrap())
            };
            let shift = 32 - bits.parse::<u32>().unwrap();
            number(net) >> shift == number(address) >> shift
        };
        return inside(cidr)
            && !list(&peer["ipBlock"]["except"]).iter().any(|e| inside(e.as_str().unwrap()));
    }
    if host_network {
        return false;
    }
    let own = &other["metadata"]["namespace"];
    let in_space = if peer["namespaceSelector"].is_null() {
        own == &policy["metadata"]["namespace"]
    } else {
        let namespace = objects
            .iter()
            .find(|o| o["kind"] == "Namespace" && &o["metadata"]["name"] == own)
            .unwrap();
        let mut labels = namespace["metadata"]["labels"].clone();
        labels["kubernetes.io/metadata.name"] = own.clone();
        selects(&peer["namespaceSelector"], &labels)
    };
    in_space && selects(&peer["podSelector"], &other["metadata"]["labels"])
}

fn opens(rule: &Value, to: &Value, (protocol, port): (&str, u16)) -> bool {
    if rule["protocol"].as_str().unwrap_or("TCP") != protocol {
        return false;
    }
    match &rule["port"] {
        Value::Null => true,
        Value::String(name) => {
            to["spec"]["hostNetwork"] != true
                && list(&to["spec"]["containers"])
                    .iter()
                    .flat_map(|c| list(&c["ports"]))
                    .find(|p| {
                        p["name"].as_str() == Some(name)
                            && p["protocol"].as_str().unwrap_or("TCP") == protocol
                    })
                    .is_some_and(|p| p["containerPort"] == port)
        }
        first => {
            let first = first.as_u64().unwrap();
            let last = rule["endPort"].as_u64().unwrap_or(first);
            (first..=last).contains(&u64::from(port))
        }
    }
}
