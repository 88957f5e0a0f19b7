//! Random clusters: classes against pods one by one, and laws that hold whatever is written.

use super::{Cluster, address, brute, cluster, named, namespace, pod, port, with};
use kspm_graph::world::network::{Across, ClassIx, Direction, End, State, Switches, Truth};
use proptest::prelude::*;
use serde_json::{Value, json};

const SPACES: &[&str] = &["shop", "ops", "dev"];
const KEYS: &[&str] = &["app", "tier"];
const VALUES: &[&str] = &["web", "db"];
/// Addresses outside, in blocks of policies and beside them.
const OUTSIDE: &[&str] = &[
    "192.0.2.9",
    "192.0.2.77",
    "198.51.100.7",
    "10.1.0.1",
    "2001:db8:7:1::1",
    "2001:db8:9::1",
    "2600::1",
];
const PORTS: &[&str] = &["80", "81", "8080", "UDP:53", "SCTP:80"];

fn labels() -> impl Strategy<Value = Value> {
    prop::collection::vec(prop::option::of(0..VALUES.len()), KEYS.len()).prop_map(|values| {
        let pairs = KEYS.iter().zip(values);
        let pairs = pairs.filter_map(|(k, v)| Some(((*k).to_owned(), json!(VALUES[v?]))));
        Value::Object(pairs.collect())
    })
}

fn selector() -> impl Strategy<Value = Value> {
    let expression = (0..KEYS.len(), 0..4_usize, 0..VALUES.len()).prop_map(|(key, op, value)| {
        let operator = ["In", "NotIn", "Exists", "DoesNotExist"][op];
        let values = if op < 2 { json!([VALUES[value]]) } else { json!([]) };
        json!({ "key": KEYS[key], "operator": operator, "values": values })
    });
    let expressions = prop::collection::vec(expression, 1..3);
    prop_oneof![
        2 => Just(json!({})),
        2 => labels().prop_map(|l| json!({ "matchLabels": l })),
        3 => expressions.prop_map(|e| json!({ "matchExpressions": e })),
    ]
}

/// Blocks as large as one that all addresses of a `/24` share, so that no pod is in doubt.
fn block() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({ "ipBlock": { "cidr": "0.0.0.0/0" } }),
        json!({ "ipBlock": { "cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"] } }),
        json!({ "ipBlock": { "cidr": "10.0.0.0/8", "except": ["10.2.0.0/16"] } }),
        json!({ "ipBlock": { "cidr": "192.0.2.0/24" } }),
        json!({ "ipBlock": { "cidr": "192.0.2.0/24", "except": ["192.0.2.8/30"] } }),
        json!({ "ipBlock": { "cidr": "172.16.0.0/28" } }),
        json!({ "ipBlock": { "cidr": "172.16.0.0/28", "except": ["172.16.0.2/32"] } }),
        json!({ "ipBlock": { "cidr": "::/0" } }),
        json!({ "ipBlock": { "cidr": "2001:db8::/32", "except": ["2001:db8:7::/48"] } }),
        json!({ "ipBlock": { "cidr": "2001:db8:7::/48" } }),
    ])
}

fn peer() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => selector().prop_map(|s| json!({ "podSelector": s })),
        2 => selector().prop_map(|s| json!({ "namespaceSelector": s })),
        2 => (selector(), selector())
            .prop_map(|(n, p)| json!({ "namespaceSelector": n, "podSelector": p })),
        1 => prop::sample::select(SPACES.to_vec()).prop_map(|ns| json!({ "namespaceSelector":
            { "matchLabels": { "kubernetes.io/metadata.name": ns } } })),
        1 => block(),
    ]
}

fn ports() -> impl Strategy<Value = Value> {
    let one = prop::sample::select(vec![
        json!({ "port": 80 }),
        json!({ "port": 80, "endPort": 8000 }),
        json!({ "port": 53, "protocol": "UDP" }),
        json!({ "protocol": "UDP" }),
        json!({ "port": "http" }),
        json!({ "port": "dns", "protocol": "UDP" }),
        json!({ "port": 80, "protocol": "SCTP" }),
    ]);
    prop::collection::vec(one, 0..3).prop_map(Value::Array)
}

fn rule() -> impl Strategy<Value = Value> {
    (prop::collection::vec(peer(), 0..3), ports())
        .prop_map(|(peers, ports)| json!({ "from": peers, "to": peers, "ports": ports }))
}

fn policy() -> impl Strategy<Value = Value> {
    let types = prop::sample::select(vec![
        json!(null),
        json!(["Ingress"]),
        json!(["Egress"]),
        json!(["Ingress", "Egress"]),
    ]);
    let rules = || prop::collection::vec(rule(), 0..3);
    (0..SPACES.len(), selector(), types, rules(), rules()).prop_map(|(ns, pods, types, i, e)| {
        let only = |rules: Vec<Value>, drop: &str| -> Vec<Value> {
            let strip = |mut rule: Value| {
                rule.as_object_mut().unwrap().remove(drop);
                rule
            };
            rules.into_iter().map(strip).collect()
        };
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": { "namespace": SPACES[ns] },
            "spec": { "podSelector": pods, "policyTypes": types,
                "ingress": only(i, "to"), "egress": only(e, "from") } })
    })
}

/// Of the cluster's administrators; priorities are given by place, so that none is there twice.
fn administrators() -> impl Strategy<Value = Vec<Value>> {
    let peer = prop_oneof![
        2 => selector().prop_map(|s| json!({ "namespaces": s })),
        2 => (selector(), selector()).prop_map(
            |(n, p)| json!({ "pods": { "namespaceSelector": n, "podSelector": p } })),
    ];
    let nets = prop::sample::select(vec![
        json!({ "networks": ["0.0.0.0/0"] }),
        json!({ "networks": ["192.0.2.0/24", "10.2.0.0/16"] }),
        json!({ "networks": ["172.16.0.2/32"] }),
        json!({ "networks": ["2001:db8::/32"] }),
        json!({ "networks": ["2001:db8:7::/48", "192.0.2.9/32"] }),
    ]);
    let to = prop_oneof![4 => peer.clone(), 1 => nets];
    let ports = prop::collection::vec(
        prop::sample::select(vec![
            json!({ "portNumber": { "protocol": "TCP", "port": 80 } }),
            json!({ "portRange": { "protocol": "UDP", "start": 1, "end": 80 } }),
            json!({ "portRange": { "start": 81, "end": 9000 } }),
            json!({ "namedPort": "http" }),
        ]),
        0..2,
    );
    let action = prop::sample::select(vec!["Allow", "Deny", "Pass"]);
    let of = |peers: BoxedStrategy<Value>, side: &'static str| {
        let rule = (action.clone(), prop::collection::vec(peers, 1..3), ports.clone());
        let rule = rule.prop_map(move |(action, peers, ports)| {
            let ports = if ports.is_empty() { Value::Null } else { json!(ports) };
            json!({ "action": action, side: peers, "ports": ports })
        });
        prop::collection::vec(rule, 0..3)
    };
    let one = (peer.clone().boxed(), of(peer.boxed(), "from"), of(to.boxed(), "to"), any::<bool>());
    let policy = one.prop_map(|(subject, ingress, egress, baseline)| {
        let kind = if baseline { "BaselineAdminNetworkPolicy" } else { "AdminNetworkPolicy" };
        // A baseline passes nothing on.
        let kept = |rules: Vec<Value>| -> Vec<Value> {
            rules.into_iter().filter(|r| !baseline || r["action"] != "Pass").collect()
        };
        json!({ "apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": kind, "metadata": {},
            "spec": { "subject": subject, "ingress": kept(ingress), "egress": kept(egress) } })
    });
    prop::collection::vec(policy, 1..4).prop_map(|policies| {
        let mut baseline = false;
        let mut kept = Vec::new();
        for (i, mut policy) in policies.into_iter().enumerate() {
            policy["metadata"]["name"] = json!(format!("a{i}"));
            if policy["kind"] == "AdminNetworkPolicy" {
                policy["spec"]["priority"] = json!(10 - i);
            } else if std::mem::replace(&mut baseline, true) {
                // There is one.
                continue;
            }
            kept.push(policy);
        }
        kept
    })
}

fn a_pod() -> impl Strategy<Value = Value> {
    let declared = prop::sample::select(vec![
        json!([]),
        json!([{ "name": "http", "containerPort": 80 }]),
        json!([{ "name": "http", "containerPort": 8080 },
            { "name": "dns", "containerPort": 53, "protocol": "UDP" }]),
        json!([{ "name": "http", "containerPort": 53, "protocol": "UDP" }]),
    ]);
    let sidecar = prop::sample::select(vec![
        json!([]),
        json!([{ "name": "i", "image": "i", "restartPolicy": "Always",
            "ports": [{ "name": "http", "containerPort": 81 }] }]),
        json!([{ "name": "i", "image": "i", "ports": [{ "name": "http", "containerPort": 81 }] }]),
    ]);
    let declared = (declared, sidecar);
    (0..SPACES.len(), labels(), declared, prop::bool::weighted(0.1), 1..3_usize).prop_map(
        |(ns, labels, (declared, sidecar), host, node)| {
            let made = named(pod(&format!("{}/x", SPACES[ns]), labels), declared);
            let made = with(made, "/spec/initContainers", sidecar);
            let made = with(made, "/spec/hostNetwork", json!(host));
            with(made, "/spec/nodeName", json!(format!("n{node}")))
        },
    )
}

/// The objects of a cluster: names are given by place.
fn objects() -> impl Strategy<Value = Vec<Value>> {
    let spaces = prop::collection::vec(labels(), SPACES.len());
    let pods = prop::collection::vec(a_pod(), 2..6);
    let policies = prop::collection::vec(policy(), 0..5);
    // Of one family of addresses, or of both.
    let families = prop::sample::select(vec![(true, false), (false, true), (true, true)]);
    (spaces, pods, policies, families).prop_map(|(spaces, pods, policies, (v4, v6))| {
        let mut items: Vec<Value> =
            SPACES.iter().zip(spaces).map(|(name, labels)| namespace(name, labels)).collect();
        for (name, ip) in [("n1", "172.16.0.1"), ("n2", "172.16.0.2")] {
            items.push(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name },
                "status": { "addresses": [{ "type": "InternalIP", "address": ip }] } }));
        }
        for (i, pod) in pods.into_iter().enumerate() {
            let pod = with(pod, "/metadata/name", json!(format!("p{i}")));
            // All of one block: which pod has which address is not kept.
            let mut ips = Vec::new();
            ips.extend(v4.then(|| format!("10.2.0.{}", i + 1)));
            ips.extend(v6.then(|| format!("2001:db8:7::{}", i + 1)));
            let all: Vec<Value> = ips.iter().map(|ip| json!({ "ip": ip })).collect();
            items.push(with(address(pod, &ips[0]), "/status/podIPs", json!(all)));
        }
        for (i, policy) in policies.into_iter().enumerate() {
            items.push(with(policy, "/metadata/name", json!(format!("np{i}"))));
        }
        items
    })
}

fn pods_of(objects: &[Value]) -> Vec<(String, &Value)> {
    let pods = objects.iter().filter(|o| o["kind"] == "Pod");
    let path = |p: &Value| {
        let meta = &p["metadata"];
        format!("{}/{}", meta["namespace"].as_str().unwrap(), meta["name"].as_str().unwrap())
    };
    pods.map(|p| (path(p), p)).collect()
}

/// Every connection with its state.
fn states(cluster: &Cluster, objects: &[Value]) -> Vec<State> {
    let pods = pods_of(objects);
    let mut states = Vec::new();
    for (from, _) in &pods {
        for (to, _) in &pods {
            states.extend(PORTS.iter().map(|on| cluster.state(from, to, on)));
        }
        states.extend(PORTS.iter().map(|on| cluster.state("192.0.2.9", from, on)));
        states.push(cluster.state("internet", from, "80"));
        states.push(cluster.state(from, "internet", "80"));
    }
    states
}

/// The text with names exchanged for others of another order.
fn renamed(objects: &[Value]) -> Vec<Value> {
    let mut text = serde_json::to_string(objects).unwrap();
    for (old, new) in
        [("shop", "zebra"), ("ops", "aard"), ("app", "z-key"), ("tier", "a-key"), ("web", "zz")]
    {
        text = text.replace(&format!("\"{old}\""), &format!("\"{new}\""));
    }
    serde_json::from_str(&text).unwrap()
}

/// Holds every pod against the obvious evaluator.
fn agrees(cluster: &Cluster, objects: &[Value]) -> Result<(), TestCaseError> {
    let pods = pods_of(objects);
    let outside: Vec<Value> = OUTSIDE.iter().map(|ip| brute::outside(ip)).collect();
    for (pod, own) in &pods {
        for (address, other) in OUTSIDE.iter().zip(&outside) {
            for on in PORTS {
                let spec = port(on);
                let on_it = (spec.protocol.name(), spec.port);
                for (from, to) in [
                    ((address, other), (&pod.as_str(), *own)),
                    ((&pod.as_str(), *own), (address, other)),
                ] {
                    let expected = brute::connects(objects, from.1, to.1, on_it);
                    let expected = if expected { State::Allowed } else { State::Denied };
                    let state = cluster.state(from.0, to.0, on);
                    prop_assert_eq!(state, expected, "{} -> {} {}", from.0, to.0, on);
                }
            }
        }
    }
    for (from, source) in &pods {
        for (to, target) in &pods {
            // A pod to its own node, and one of the node's to another of it, is told apart
            // elsewhere.
            if target["spec"]["hostNetwork"] == true {
                continue;
            }
            for on in PORTS {
                let spec = port(on);
                let expected =
                    brute::connects(objects, source, target, (spec.protocol.name(), spec.port));
                let state = cluster.state(from, to, on);
                let expected = if expected { State::Allowed } else { State::Denied };
                prop_assert_eq!(state, expected, "{} -> {} {}", from, to, on);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_class_answers_as_each_of_its_pods(objects in objects()) {
        let cluster = cluster(objects.clone());
        agrees(&cluster, &objects)?;
    }

    #[test]
    fn administrators_stand_before_and_behind(objects in objects(), more in administrators()) {
        let mut objects = objects;
        objects.extend(more);
        let cluster = cluster(objects.clone());
        agrees(&cluster, &objects)?;
    }

    #[test]
    fn what_is_unknown_says_why(objects in objects(), more in administrators()) {
        let mut objects = objects;
        objects.extend(more);
        let mut cluster = cluster(objects.clone());
        cluster.switches.kubernetes = Truth::Maybe;
        let network = cluster.world.network().with(cluster.switches);
        for (from, _) in pods_of(&objects) {
            for (to, _) in pods_of(&objects) {
                let verdict = network.verdict(cluster.end(&from), cluster.end(&to), port(PORTS[0]));
                let mut reasons = verdict.egress.reasons.iter().chain(&verdict.ingress.reasons);
                let says = reasons.any(kspm_graph::world::network::Reason::is_unsure);
                prop_assert!(verdict.state != State::Unknown || says, "{from} -> {to}: {verdict:?}");
            }
        }
    }

    #[test]
    fn spans_of_ports_say_what_each_port_says(objects in objects()) {
        let cluster = cluster(objects.clone());
        let network = cluster.world.network().with(cluster.switches);
        for (from, _) in pods_of(&objects) {
            for (to, _) in pods_of(&objects) {
                let spans = network.ports(cluster.end(&from), cluster.end(&to));
                for on in PORTS {
                    let spec = port(on);
                    let span = spans.iter().find(|s| {
                        s.protocol == spec.protocol && (s.first..=s.last).contains(&spec.port)
                    });
                    let state = span.map_or(State::Denied, |s| s.state);
                    prop_assert_eq!(cluster.state(&from, &to, on), state, "{} -> {} {}", from, to, on);
                }
            }
        }
    }

    #[test]
    fn what_is_across_is_what_each_class_says(objects in objects(), sure in any::<bool>()) {
        let mut cluster = cluster(objects);
        if !sure {
            cluster.switches = Switches::default();
        }
        let network = cluster.world.network().with(cluster.switches);
        let all: Vec<ClassIx> = (0..network.classes().len()).map(ClassIx::new).collect();
        let mut across = Across::new(network);
        for own in &all {
            for on in PORTS {
                for direction in [Direction::Ingress, Direction::Egress] {
                    let mut most = State::Denied;
                    for other in &all {
                        let (from, to) = match direction {
                            Direction::Ingress => (other, own),
                            Direction::Egress => (own, other),
                        };
                        let state = network.state(End::Class(*from), End::Class(*to), port(on));
                        let found = across.best(*own, direction, port(on), &|c| c == *other);
                        let state_found = found.map_or(State::Denied, |(_, state)| state);
                        prop_assert_eq!(state, state_found, "{:?} -> {:?} {}", from, to, on);
                        most = most.max(state);
                    }
                    let best = across.best(*own, direction, port(on), &|_| true);
                    prop_assert_eq!(best.map_or(State::Denied, |(_, state)| state), most);
                }
            }
        }
    }

    #[test]
    fn a_rule_more_closes_nothing(objects in objects(), which in 0..5_usize, extra in rule()) {
        let mut more = objects.clone();
        let policies: Vec<usize> = (0..more.len())
            .filter(|i| more[*i]["kind"] == "NetworkPolicy" && !more[*i]["spec"]["policyTypes"].is_null())
            .collect();
        prop_assume!(!policies.is_empty());
        let spec = &mut more[policies[which % policies.len()]]["spec"];
        for (section, drop) in [("ingress", "to"), ("egress", "from")] {
            let mut rule = extra.clone();
            rule.as_object_mut().unwrap().remove(drop);
            spec[section].as_array_mut().unwrap().push(rule);
        }
        let before = states(&cluster(objects.clone()), &objects);
        let after = states(&cluster(more), &objects);
        prop_assert!(before.iter().zip(&after).all(|(b, a)| a >= b));
    }

    #[test]
    fn names_do_not_matter(objects in objects()) {
        let other = renamed(&objects);
        prop_assert_eq!(states(&cluster(objects.clone()), &objects), states(&cluster(other.clone()), &other));
    }

    #[test]
    fn what_is_certain_stays_when_less_is_known(objects in objects()) {
        let known = states(&cluster(objects.clone()), &objects);
        let mut less = cluster(objects.clone());
        less.switches = Switches {
            kubernetes: Truth::Maybe,
            blocks_match_pods: Truth::Maybe,
            ..Switches::default()
        };
        let mut off = cluster(objects.clone());
        off.switches = Switches { kubernetes: Truth::No, ..Switches::default() };
        for ((vague, sure), open) in
            states(&less, &objects).into_iter().zip(known).zip(states(&off, &objects))
        {
            prop_assert!(vague == State::Unknown || vague == sure, "{:?} {:?}", vague, sure);
            prop_assert_eq!(open, State::Allowed);
        }
    }
}
