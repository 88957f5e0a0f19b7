//! Policies and what comes from outside: of the reference. What a controller passes on
//! (I-05) is in `tests/attacks/network-reach.md`.

use super::{calico, leads, node, policy, service, web};
use crate::fixtures;

const NODE: &str = "10.0.0.7";

/// What becomes of packets through a balancer to the pod `shop/web`: `open`, `closed` or `unknown`.
fn state(annotations: &str, more: &str, ip: &str, ingress: &str) -> &'static str {
    let spec = format!(
        "type: LoadBalancer, {more} selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]"
    );
    let pod = if ip.contains(':') { "fd00:1::5" } else { "10.244.0.5" };
    let ip = format!("{{ip: {ip}}}");
    let text = [
        service("shop/lb", annotations, &spec, &ip),
        // Pods of an ordinary cluster have addresses of one family, by which they know the outside.
        web().replace("{phase: Running}", &format!("{{phase: Running, podIP: \"{pod}\"}}")),
        node("n1", "InternalIP", NODE),
        policy(ingress),
        calico(),
    ];
    let graph = fixtures::graph(&text.concat());
    let found = leads(&graph, "shop/service/lb");
    match found.iter().map(|(_, sure)| *sure).collect::<Vec<_>>().as_slice() {
        [] => "closed",
        ["possible"] => "open",
        ["unknown"] => "unknown",
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn states(rows: &[(&str, &'static str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter(|(_, found, expected)| found != expected)
        .map(|(row, found, expected)| format!("{row}: {found}, not {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn block(cidr: &str, except: &str) -> String {
    format!("{{from: [{{ipBlock: {{cidr: \"{cidr}\", except: [{except}]}}}}]}}")
}

const LOCAL: &str = "externalTrafficPolicy: Local,";
const PUBLIC: &str = "203.0.113.9";

/// only a block or an empty `from` lets the outside in.
#[test]
fn pods_and_namespaces_are_never_outside() {
    let of = |ingress: &str| state("", LOCAL, PUBLIC, ingress);
    let of6 = |ingress: &str| state("", LOCAL, "\"2a00::9\"", ingress);
    states(&[
        ("no rule", of(""), "closed"),
        ("an empty rule", of("{}"), "open"),
        ("an empty list", of("{from: []}"), "open"),
        ("every address", of(&block("0.0.0.0/0", "")), "open"),
        ("every namespace", of("{from: [{namespaceSelector: {}}]}"), "closed"),
        ("every pod", of("{from: [{podSelector: {}}]}"), "closed"),
        (
            "every pod everywhere",
            of("{from: [{namespaceSelector: {}, podSelector: {}}]}"),
            "closed",
        ),
        ("every address of the other family", of(&block("::/0", "")), "closed"),
        ("IPv6: its own family", of6(&block("::/0", "")), "open"),
        ("IPv6: the other family", of6(&block("0.0.0.0/0", "")), "closed"),
    ]);
}

/// which address the pod sees.
#[test]
fn whose_address_the_pod_sees() {
    let inner = block("10.0.0.0/8", "");
    let outer = block("0.0.0.0/0", "10.0.0.0/8");
    let all = block("0.0.0.0/0", "");
    let aws = "service.beta.kubernetes.io/aws-load-balancer";
    let to_pods = format!("{aws}-type: external, {aws}-nlb-target-type: ip");
    let nlb_ip = format!("{aws}-type: nlb-ip");
    let to_nodes = format!("{aws}-type: external, {aws}-nlb-target-type: instance");
    let keeps = format!(
        "{to_pods}, {aws}-target-group-attributes: \"deregistration_delay.timeout_seconds=5,preserve_client_ip.enabled=true\""
    );
    let drops =
        format!("{to_pods}, {aws}-target-group-attributes: preserve_client_ip.enabled=false");
    let no_port = "allocateLoadBalancerNodePorts: false,";
    let of =
        |annotations: &str, more: &str, ingress: &str| state(annotations, more, PUBLIC, ingress);
    states(&[
        ("local: the client's, outside", of("", LOCAL, &outer), "open"),
        ("local: the client's, inside", of("", LOCAL, &inner), "closed"),
        // Which of the two it is, nobody says.
        ("cluster: the node's or the client's, outside", of("", "", &outer), "unknown"),
        ("cluster: the node's or the client's, inside", of("", "", &inner), "unknown"),
        ("cluster: both", of("", "", &all), "open"),
        ("cluster: neither", of("", "", "{from: [{podSelector: {}}]}"), "closed"),
        // The balancer's own, which is not in the snapshot.
        ("to pods: the balancer's, outside", of(&to_pods, no_port, &outer), "unknown"),
        ("to pods: the balancer's, inside", of(&to_pods, no_port, &inner), "unknown"),
        ("to pods: any", of(&to_pods, no_port, &all), "open"),
        ("to pods, as the older word says", of(&nlb_ip, no_port, &outer), "unknown"),
        ("to pods, kept: the client's, outside", of(&keeps, no_port, &outer), "open"),
        ("to pods, kept: the client's, inside", of(&keeps, no_port, &inner), "closed"),
        ("to pods, not kept", of(&drops, no_port, &outer), "unknown"),
        ("to nodes", of(&to_nodes, no_port, &outer), "unknown"),
        ("to nodes, local", of(&to_nodes, LOCAL, &outer), "open"),
    ]);
}

/// a private block is not the internet, and it is the neighbourhood of a private door.
#[test]
fn private_blocks_are_not_the_internet() {
    let of = |ip: &str, ingress: &str| state("", LOCAL, ip, ingress);
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];
    for cidr in private {
        states(&[
            (cidr, of(PUBLIC, &block(cidr, "")), "closed"),
            (cidr, of("10.9.9.9", &block(cidr, "")), "open"),
        ]);
    }
    let outer = block("0.0.0.0/0", &private.join(", "));
    states(&[
        ("public alone, from the internet", of(PUBLIC, &outer), "open"),
        ("public alone, from around", of("10.9.9.9", &outer), "closed"),
        // Some of the internet is enough to come in, at worse odds.
        ("a public block", of(PUBLIC, &block("198.51.100.0/24", "")), "open"),
    ]);
}

/// A balancer's source ranges and a policy must both let a client in.
#[test]
fn ranges_and_policies_meet() {
    let ranges = |list: &str| format!("{LOCAL} loadBalancerSourceRanges: [{list}],");
    let of = |list: &str, cidr: &str| state("", &ranges(list), PUBLIC, &block(cidr, ""));
    states(&[
        ("the same", of("198.51.100.0/24", "198.51.100.0/24"), "open"),
        ("one within", of("198.51.100.0/24", "198.51.100.7/32"), "open"),
        ("others", of("198.51.100.0/24", "203.0.114.0/24"), "closed"),
        ("private ranges, the block around", of("10.1.0.0/16", "10.0.0.0/8"), "open"),
        ("private ranges, another block", of("10.1.0.0/16", "192.168.0.0/16"), "closed"),
    ]);
}

/// The port of a policy is the pod's, of the Service's protocol.
#[test]
fn protocols() {
    let of = |service_port: &str, rule: &str| {
        let spec = format!(
            "type: LoadBalancer, externalTrafficPolicy: Local, selector: {{app: web}}, \
             ports: [{{port: 80, targetPort: 8080, protocol: {service_port}}}]"
        );
        let ingress = format!("{{ports: [{{port: 8080, protocol: {rule}}}]}}");
        let text =
            [service("shop/lb", "", &spec, "{ip: 203.0.113.9}"), web(), policy(&ingress), calico()];
        let graph = fixtures::graph(&text.concat());
        !leads(&graph, "shop/service/lb").is_empty()
    };
    for own in ["TCP", "UDP", "SCTP"] {
        for rule in ["TCP", "UDP", "SCTP"] {
            assert_eq!(of(own, rule), own == rule, "a Service port of {own}, a rule for {rule}");
        }
    }
}

/// A pod with addresses of both families knows the clients of a Service by the Service's family.
#[test]
fn a_door_is_entered_by_the_family_of_its_addresses() {
    let of = |families: &str, ip: &str, ingress: &str| {
        let spec = format!(
            "type: LoadBalancer, {LOCAL} {families} selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]"
        );
        let both =
            "{phase: Running, podIP: 10.244.0.5, podIPs: [{ip: 10.244.0.5}, {ip: \"fd00:1::5\"}]}";
        let text = [
            service("shop/lb", "", &spec, &format!("{{ip: {ip}}}")),
            web().replace("{phase: Running}", both),
            node("n1", "InternalIP", NODE),
            policy(ingress),
            calico(),
        ];
        let graph = fixtures::graph(&text.concat());
        if leads(&graph, "shop/service/lb").is_empty() { "closed" } else { "open" }
    };
    let (v4, v6) = (block("0.0.0.0/0", ""), block("::/0", ""));
    let six = "\"2a00::9\"";
    states(&[
        ("IPv6, and a policy for IPv4", of("ipFamilies: [IPv6],", six, &v4), "closed"),
        ("IPv6, and a policy for IPv6", of("ipFamilies: [IPv6],", six, &v6), "open"),
        ("IPv4, and a policy for IPv6", of("ipFamilies: [IPv4],", PUBLIC, &v6), "closed"),
        ("IPv4, and a policy for IPv4", of("ipFamilies: [IPv4],", PUBLIC, &v4), "open"),
        ("both, and a policy for IPv6", of("ipFamilies: [IPv4, IPv6],", PUBLIC, &v6), "open"),
        ("by its own address", of("clusterIP: \"fd00:96::7\",", six, &v4), "closed"),
        ("by its balancer's", of("", six, &v4), "closed"),
        ("by its balancer's of IPv4", of("", PUBLIC, &v4), "open"),
    ]);
}
