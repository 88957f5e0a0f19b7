//! NetworkPolicies, and those of administrators, over objects as they are written: pod by pod, policy by policy, with nothing
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
    let (section, peers) = match direction {
        "Ingress" => ("ingress", "from"),
        _ => ("egress", "to"),
    };
    let administrators = |kind: &str| {
        let mut policies: Vec<&Value> = objects.iter().filter(|o| o["kind"] == kind).collect();
        policies.sort_by_key(|p| p["spec"]["priority"].as_u64());
        for spec in policies.into_iter().map(|p| &p["spec"]) {
            if !means(objects, &spec["subject"], own) {
                continue;
            }
            for rule in list(&spec[section]) {
                let matches = list(&rule[peers]).iter().any(|p| means(objects, p, other))
                    && (list(&rule["ports"]).is_empty()
                        || list(&rule["ports"]).iter().any(|p| admits(p, to, on)));
                if matches {
                    return rule["action"].as_str();
                }
            }
        }
        None
    };
    match administrators("AdminNetworkPolicy") {
        Some("Allow") => return true,
        Some("Deny") => return false,
        _ => {}
    }
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
    !isolated && administrators("BaselineAdminNetworkPolicy") != Some("Deny")
}

/// Whether a subject or a peer of an administrator's policy is a pod.
fn means(objects: &[Value], peer: &Value, pod: &Value) -> bool {
    let nets = list(&peer["networks"]);
    if !nets.is_empty() {
        return nets.iter().any(|net| inside(net.as_str().unwrap(), address(objects, pod)));
    }
    if pod["spec"]["hostNetwork"] == true {
        return false;
    }
    let labels = space(objects, &pod["metadata"]["namespace"]);
    if peer["namespaces"].is_null() {
        selects(&peer["pods"]["namespaceSelector"], &labels)
            && selects(&peer["pods"]["podSelector"], &pod["metadata"]["labels"])
    } else {
        selects(&peer["namespaces"], &labels)
    }
}

/// Whether one of the `ports` of an administrator's policy is the port.
fn admits(rule: &Value, to: &Value, (protocol, port): (&str, u16)) -> bool {
    if let Some(name) = rule["namedPort"].as_str() {
        return opens(
            &serde_json::json!({ "port": name, "protocol": protocol }),
            to,
            (protocol, port),
        );
    }
    let (one, range) = (&rule["portNumber"], &rule["portRange"]);
    let (of, first, last) = match one["port"].as_u64() {
        Some(port) => (one, port, port),
        None => (range, range["start"].as_u64().unwrap(), range["end"].as_u64().unwrap()),
    };
    of["protocol"].as_str().unwrap_or("TCP") == protocol
        && (first..=last).contains(&u64::from(port))
}

/// The address that a pod is known by.
fn address<'o>(objects: &'o [Value], pod: &'o Value) -> &'o str {
    if pod["spec"]["hostNetwork"] != true {
        return pod["status"]["podIP"].as_str().unwrap();
    }
    let node = objects
        .iter()
        .find(|o| o["kind"] == "Node" && o["metadata"]["name"] == pod["spec"]["nodeName"]);
    node.unwrap()["status"]["addresses"][0]["address"].as_str().unwrap()
}

fn inside(cidr: &str, address: &str) -> bool {
    let (net, bits) = cidr.split_once('/').unwrap();
    let number =
        |text: &str| text.split('.').fold(0_u64, |n, part| n << 8 | part.parse::<u64>().unwrap());
    let shift = 32 - bits.parse::<u32>().unwrap();
    number(net) >> shift == number(address) >> shift
}

/// The labels of a namespace, with the one that the server adds.
fn space(objects: &[Value], name: &Value) -> Value {
    let namespace = objects
        .iter()
        .find(|o| o["kind"] == "Namespace" && &o["metadata"]["name"] == name)
        .unwrap();
    let mut labels = namespace["metadata"]["labels"].clone();
    labels["kubernetes.io/metadata.name"] = name.clone();
    labels
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
    if let Some(cidr) = peer["ipBlock"]["cidr"].as_str() {
        let address = address(objects, other);
        let except = list(&peer["ipBlock"]["except"]);
        return inside(cidr, address)
            && !except.iter().any(|e| inside(e.as_str().unwrap(), address));
    }
    if other["spec"]["hostNetwork"] == true {
        return false;
    }
    let own = &other["metadata"]["namespace"];
    let in_space = if peer["namespaceSelector"].is_null() {
        own == &policy["metadata"]["namespace"]
    } else {
        selects(&peer["namespaceSelector"], &space(objects, own))
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
