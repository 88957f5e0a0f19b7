//! NetworkPolicies, and those of administrators, over objects as they are written: pod by pod,
//! policy by policy, with nothing shared, cached or prepared. It shares no code with the evaluator
//! that it is held against. What is outside is an object with nothing but an address.

use serde_json::Value;
use std::net::IpAddr;

/// Whether one pod reaches a port of another.
pub(super) fn connects(objects: &[Value], from: &Value, to: &Value, on: (&str, u16)) -> bool {
    if from == to {
        return true;
    }
    let node = |pod: &Value| pod["spec"]["hostNetwork"] == true || is_outside(pod);
    if node(from) && !is_outside(from) && from["spec"]["nodeName"] == to["spec"]["nodeName"] {
        return true;
    }
    (node(from) || end(objects, from, to, to, on, "Egress"))
        && (node(to) || end(objects, to, from, to, on, "Ingress"))
}

/// What is outside, by its address.
pub(super) fn outside(address: &str) -> Value {
    serde_json::json!({ "outside": address })
}

fn is_outside(end: &Value) -> bool {
    !end["outside"].is_null()
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
        let own = addresses(objects, pod);
        return nets.iter().any(|net| own.iter().any(|ip| inside(net.as_str().unwrap(), ip)));
    }
    if is_outside(pod) || pod["spec"]["hostNetwork"] == true {
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

/// The addresses that an end is known by: one, or one of each family.
fn addresses<'o>(objects: &'o [Value], end: &'o Value) -> Vec<&'o str> {
    if let Some(address) = end["outside"].as_str() {
        return vec![address];
    }
    if end["spec"]["hostNetwork"] != true {
        return list(&end["status"]["podIPs"])
            .iter()
            .map(|ip| ip["ip"].as_str().unwrap())
            .collect();
    }
    let node = objects
        .iter()
        .find(|o| o["kind"] == "Node" && o["metadata"]["name"] == end["spec"]["nodeName"]);
    let own = list(&node.unwrap()["status"]["addresses"]);
    own.iter().map(|a| a["address"].as_str().unwrap()).collect()
}

/// Bit by bit, of one family.
fn inside(cidr: &str, address: &str) -> bool {
    let (net, bits) = cidr.split_once('/').unwrap();
    let bits_of = |text: &str| -> Vec<bool> {
        let octets = match text.parse().unwrap() {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        octets.iter().flat_map(|o| (0..8).rev().map(move |i| o >> i & 1 == 1)).collect()
    };
    let (net, own, bits) = (bits_of(net), bits_of(address), bits.parse::<usize>().unwrap());
    net.len() == own.len() && net[..bits] == own[..bits]
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
        let except = list(&peer["ipBlock"]["except"]);
        let within =
            |ip: &&str| inside(cidr, ip) && !except.iter().any(|e| inside(e.as_str().unwrap(), ip));
        return addresses(objects, other).iter().any(within);
    }
    if is_outside(other) || other["spec"]["hostNetwork"] == true {
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
                    .chain(
                        list(&to["spec"]["initContainers"])
                            .iter()
                            .filter(|c| c["restartPolicy"] == "Always"),
                    )
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
