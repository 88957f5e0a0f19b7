//! Services as doors: S-01 to S-06 and S-12 of the reference.

use super::{is_open, node, pod, scopes, service, web};
use crate::fixtures;
use kspm_graph::graph::{Graph, Tag};

const DOOR: &str = "shop/service/lb";
const PORTS: &str = "selector: {app: web}, ports: [{port: 80, targetPort: 8080}]";

fn balancer(annotations: &str, more: &str, ingress: &str) -> String {
    let spec = format!("type: LoadBalancer, allocateLoadBalancerNodePorts: false, {more} {PORTS}");
    [service("shop/lb", annotations, &spec, ingress), web()].concat()
}

/// S-01 (a): the assigned address decides.
#[test]
fn by_the_address_of_its_balancer() {
    let at = |ingress: &str| balancer("", "", ingress);
    scopes(
        DOOR,
        &[
            ("public", at("{ip: 203.0.113.9}"), "internet certain"),
            ("public, IPv6", at("{ip: \"2a00:1450::5\"}"), "internet certain"),
            ("RFC 1918, 10/8", at("{ip: 10.1.2.3}"), "private"),
            ("RFC 1918, 172.16/12", at("{ip: 172.31.0.9}"), "private"),
            ("RFC 1918, 192.168/16", at("{ip: 192.168.0.9}"), "private"),
            ("RFC 6598", at("{ip: 100.64.0.9}"), "private"),
            ("link-local", at("{ip: 169.254.1.1}"), "private"),
            ("unique local", at("{ip: \"fd12::9\"}"), "private"),
            ("link-local, IPv6", at("{ip: \"fe80::9\"}"), "private"),
            ("one of two", at("{ip: 10.1.2.3}, {ip: 203.0.113.9}"), "internet certain"),
            ("both families", at("{ip: \"fd12::9\"}, {ip: 203.0.113.9}"), "internet certain"),
            (
                "a name, then an address",
                at("{hostname: lb.example}, {ip: 203.0.113.9}"),
                "internet certain",
            ),
            // Names that do not tell count for nothing beside an address.
            (
                "a name beside a private one",
                at("{hostname: lb.example}, {ip: 10.1.2.3}"),
                "private",
            ),
            (
                "a private one beside a name",
                at("{ip: 10.1.2.3}, {hostname: lb.example}"),
                "private",
            ),
            (
                "a name of AWS beside a private one",
                at("{ip: 10.1.2.3}, {hostname: a-1.eu-west-1.elb.amazonaws.com}"),
                "internet certain",
            ),
            ("none yet", at(""), "internet likely"),
            (
                "asked for a public one",
                balancer("", "loadBalancerIP: 203.0.113.9,", ""),
                "internet likely",
            ),
            ("asked for a private one", balancer("", "loadBalancerIP: 10.0.0.9,", ""), "private"),
        ],
    );
}

/// S-01 (b): then its host name.
#[test]
fn by_the_name_of_its_balancer() {
    let at = |host: &str| balancer("", "", &format!("{{hostname: {host}}}"));
    scopes(
        DOOR,
        &[
            ("internal of AWS", at("internal-a-1.eu-west-1.elb.amazonaws.com"), "private"),
            ("classic of AWS", at("a-1.eu-west-1.elb.amazonaws.com"), "internet certain"),
            ("network balancer", at("a-1.elb.eu-west-1.amazonaws.com"), "internet likely"),
            ("another", at("lb.example"), "internet likely"),
            ("a desktop's", at("localhost"), "private"),
            ("of Tailscale", at("web.tail1234.ts.net"), "private"),
        ],
    );
}

/// S-01: the address wins over annotations, and annotations over defaults.
#[test]
fn the_address_wins() {
    let internal = "service.beta.kubernetes.io/azure-load-balancer-internal: \"true\"";
    let facing = "service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing";
    scopes(
        DOOR,
        &[
            (
                "public and internal",
                balancer(internal, "", "{ip: 203.0.113.9}"),
                "internet certain",
            ),
            ("private and facing", balancer(facing, "", "{ip: 10.1.2.3}"), "private"),
            (
                "a name of AWS and internal",
                balancer(internal, "", "{hostname: a.eu-west-1.elb.amazonaws.com}"),
                "internet certain",
            ),
            (
                "a name that does not tell and internal",
                balancer(internal, "", "{hostname: lb.example}"),
                "private",
            ),
            (
                "a name that does not tell and facing",
                balancer(facing, "", "{hostname: a.elb.eu-west-1.amazonaws.com}"),
                "internet likely",
            ),
        ],
    );
}

/// S-02: each row of the table, with the value that makes it internal and one that does not.
#[test]
fn annotations_of_providers() {
    let aws = "service.beta.kubernetes.io/aws-load-balancer";
    let rows: &[(String, &str)] = &[
        ("networking.gke.io/load-balancer-type: Internal".into(), "private"),
        ("networking.gke.io/load-balancer-type: External".into(), "internet likely"),
        ("cloud.google.com/load-balancer-type: internal".into(), "private"),
        (format!("{aws}-internal: \"true\""), "private"),
        (format!("{aws}-internal: 0.0.0.0/0"), "private"),
        (format!("{aws}-internal: \"false\""), "internet likely"),
        (format!("{aws}-internal: \"\""), "internet likely"),
        // The controller in the cloud provider does not read it; another may be meant.
        (format!("{aws}-scheme: internal"), "internet possible"),
        (format!("{aws}-scheme: internet-facing"), "internet likely"),
        // The load balancer controller owns these, and makes internal ones by default.
        (format!("{aws}-type: external"), "private"),
        (format!("{aws}-type: nlb-ip"), "private"),
        (format!("{aws}-type: external, {aws}-nlb-target-type: ip"), "private"),
        (format!("{aws}-type: external, {aws}-scheme: internal"), "private"),
        (format!("{aws}-type: external, {aws}-scheme: internet-facing"), "internet likely"),
        (format!("{aws}-type: nlb-ip, {aws}-scheme: internet-facing"), "internet likely"),
        (format!("{aws}-type: external, {aws}-internal: \"false\""), "internet likely"),
        (format!("{aws}-type: external, {aws}-internal: \"true\""), "private"),
        (
            format!(
                "{aws}-type: external, {aws}-internal: \"true\", {aws}-scheme: internet-facing"
            ),
            "internet likely",
        ),
        // The one in the cloud provider makes them too, and they face the internet by default.
        (format!("{aws}-type: nlb"), "internet likely"),
        ("service.beta.kubernetes.io/azure-load-balancer-internal: \"true\"".into(), "private"),
        // Azure and OpenStack compare with the one word.
        (
            "service.beta.kubernetes.io/azure-load-balancer-internal: \"True\"".into(),
            "internet likely",
        ),
        (
            "service.beta.kubernetes.io/openstack-internal-load-balancer: \"True\"".into(),
            "internet likely",
        ),
        ("load-balancer.hetzner.cloud/disable-public-network: \"true\"".into(), "private"),
        ("load-balancer.hetzner.cloud/disable-public-network: \"false\"".into(), "internet likely"),
        // What is asked for tells until an address is there.
        ("metallb.universe.tf/loadBalancerIPs: 10.0.0.50".into(), "private"),
        ("metallb.io/loadBalancerIPs: \"10.0.0.50,203.0.113.5\"".into(), "internet likely"),
        ("lbipam.cilium.io/ips: \"192.168.3.3, fd00::3\"".into(), "private"),
        ("kube-vip.io/loadbalancerIPs: 203.0.113.5".into(), "internet likely"),
        (
            "service.beta.kubernetes.io/azure-load-balancer-internal: \"false\"".into(),
            "internet likely",
        ),
        (
            "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type: private".into(),
            "private",
        ),
        (
            "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type: public".into(),
            "internet likely",
        ),
        ("service.beta.kubernetes.io/openstack-internal-load-balancer: \"true\"".into(), "private"),
        (
            "service.beta.kubernetes.io/openstack-internal-load-balancer: \"false\"".into(),
            "internet likely",
        ),
        (
            "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type: intranet".into(),
            "private",
        ),
        (
            "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type: internet".into(),
            "internet likely",
        ),
        ("service.kubernetes.io/qcloud-loadbalancer-internal-subnetid: subnet-1".into(), "private"),
        (
            "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid: \"\"".into(),
            "internet likely",
        ),
        ("service.beta.kubernetes.io/cce-load-balancer-internal-vpc: \"true\"".into(), "private"),
        (
            "service.beta.kubernetes.io/cce-load-balancer-internal-vpc: \"false\"".into(),
            "internet likely",
        ),
        ("service.beta.kubernetes.io/oci-load-balancer-internal: \"true\"".into(), "private"),
        (
            "service.beta.kubernetes.io/oci-load-balancer-internal: \"false\"".into(),
            "internet likely",
        ),
        ("service.beta.kubernetes.io/do-loadbalancer-network: INTERNAL".into(), "private"),
        ("service.beta.kubernetes.io/scw-loadbalancer-private: \"true\"".into(), "private"),
        // On the own machines there is none: the address alone tells.
        ("metallb.io/address-pool: internal".into(), "internet likely"),
        ("example.com/internal: \"true\"".into(), "internet likely"),
    ];
    let rows: Vec<(&str, String, &str)> = rows
        .iter()
        .map(|(annotation, expected)| {
            (annotation.as_str(), balancer(annotation, "", ""), *expected)
        })
        .collect();
    scopes(DOOR, &rows);
}

/// S-12, and the default of the class that is AWS' own.
#[test]
fn by_its_class() {
    let of = |class: &str, annotations: &str, ingress: &str| {
        balancer(annotations, &format!("loadBalancerClass: {class},"), ingress)
    };
    let facing = "service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing";
    scopes(
        DOOR,
        &[
            ("unknown, no address", of("example.com/own", "", ""), "internet possible"),
            ("unknown, public", of("example.com/own", "", "{ip: 203.0.113.9}"), "internet certain"),
            ("of AWS", of("service.k8s.aws/nlb", "", ""), "private"),
            ("of Tailscale", of("tailscale", "", ""), "private"),
            ("of AWS, facing", of("service.k8s.aws/nlb", facing, ""), "internet likely"),
            (
                "of AWS, a name that does not tell",
                of("service.k8s.aws/nlb", "", "{hostname: a.elb.eu-west-1.amazonaws.com}"),
                "private",
            ),
        ],
    );
}

/// S-03: source ranges; the field wins over the annotation, and the node port stays open.
#[test]
fn source_ranges() {
    let ip = "{ip: 203.0.113.9}";
    let by = |ranges: &str| balancer("", &format!("loadBalancerSourceRanges: [{ranges}],"), ip);
    let annotation = |ranges: &str| {
        format!("service.beta.kubernetes.io/load-balancer-source-ranges: \"{ranges}\"")
    };
    let spec = "type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8], selector: {app: web}, \
         ports: [{port: 80, nodePort: 30080, targetPort: 8080}]";
    let beside = [service("shop/lb", "", spec, ip), web()].concat();
    let public = node("n1", "ExternalIP", "203.0.113.7");
    let azure =
        |ranges: &str| format!("service.beta.kubernetes.io/azure-allowed-ip-ranges: {ranges}");
    let tags = "service.beta.kubernetes.io/azure-allowed-service-tags: AzureFrontDoor.Backend";
    scopes(
        DOOR,
        &[
            ("everything", by("0.0.0.0/0"), "internet certain"),
            ("everything, IPv6", by("\"::/0\""), "internet certain"),
            ("everything in halves", by("0.0.0.0/1, 128.0.0.0/1"), "internet certain"),
            ("everything beside a block", by("10.0.0.0/8, 0.0.0.0/0"), "internet certain"),
            ("some of it", by("198.51.100.0/24"), "internet possible"),
            ("half of it", by("0.0.0.0/1"), "internet possible"),
            ("private", by("10.0.0.0/8, 192.168.0.0/16"), "private"),
            ("a block around private ones", by("10.0.0.0/7"), "internet possible"),
            ("annotation of Azure, private", balancer(&azure("10.0.0.0/8"), "", ip), "private"),
            (
                "annotation of Azure, everything",
                balancer(&azure("0.0.0.0/0"), "", ip),
                "internet certain",
            ),
            // Addresses that Azure knows come beside them.
            (
                "annotation of Azure, private and some of its own",
                balancer(&format!("{}, {tags}", azure("10.0.0.0/8")), "", ip),
                "internet possible",
            ),
            (
                "annotation, private",
                balancer(&annotation("10.0.0.0/8, 172.16.0.0/12"), "", ip),
                "private",
            ),
            ("annotation, empty", balancer(&annotation(""), "", ip), "internet certain"),
            ("annotation, blank", balancer(&annotation(" "), "", ip), "internet certain"),
            (
                "the field wins, open",
                balancer(&annotation("10.0.0.0/8"), "loadBalancerSourceRanges: [0.0.0.0/0],", ip),
                "internet certain",
            ),
            (
                "the field wins, closed",
                balancer(&annotation("0.0.0.0/0"), "loadBalancerSourceRanges: [10.0.0.0/8],", ip),
                "private",
            ),
            ("a node port beside it", [beside.clone(), public].concat(), "internet possible"),
            (
                "a node port on a private node",
                [beside, node("n1", "InternalIP", "10.0.0.7")].concat(),
                "private",
            ),
        ],
    );
}

/// S-04: node ports, and those that balancers imply.
#[test]
fn node_ports() {
    let of = |spec: &str| [service("shop/lb", "", spec, ""), web()].concat();
    let on = |spec: &str, kind: &str, address: &str| [of(spec), node("n1", kind, address)].concat();
    let port = "selector: {app: web}, ports: [{port: 80, nodePort: 30080, targetPort: 8080}]";
    let plain = format!("type: NodePort, {port}");
    let local = format!("type: NodePort, externalTrafficPolicy: Local, {port}");
    let internal = |more: &str| {
        let yes = "service.beta.kubernetes.io/azure-load-balancer-internal: \"true\"";
        let spec = format!("type: LoadBalancer, {more}");
        let nodes = node("n1", "ExternalIP", "203.0.113.7");
        [service("shop/lb", yes, &spec, "{ip: 10.0.0.9}"), web(), nodes].concat()
    };
    // The pod runs on n1, n2 is the other node.
    let two = |spec: &str, own: &str, other: &str| {
        let nodes = [node("n1", "ExternalIP", own), node("n2", "ExternalIP", other)].concat();
        [of(spec), nodes].concat()
    };
    let nowhere = {
        let pod = pod("shop/other", "n1", "[{name: app}]");
        [service("shop/lb", "", &local, ""), pod, node("n1", "ExternalIP", "203.0.113.7")].concat()
    };
    scopes(
        DOOR,
        &[
            ("external address", on(&plain, "ExternalIP", "203.0.113.7"), "internet possible"),
            ("external, IPv6", on(&plain, "ExternalIP", "2a00::7"), "internet possible"),
            (
                "public internal address",
                on(&plain, "InternalIP", "203.0.113.7"),
                "internet possible",
            ),
            // What leads to the nodes is not in the snapshot.
            ("no external address", on(&plain, "InternalIP", "10.0.0.7"), "internet unknown"),
            (
                "an external one that is not public",
                on(&plain, "ExternalIP", "10.0.0.7"),
                "internet unknown",
            ),
            ("no nodes", of(&plain), "internet unknown"),
            (
                "local, endpoint on the public node",
                two(&local, "203.0.113.7", "10.0.0.8"),
                "internet possible",
            ),
            (
                "local, endpoint elsewhere",
                two(&local, "10.0.0.7", "203.0.113.8"),
                "internet unknown",
            ),
            (
                "any node, endpoint elsewhere",
                two(&plain, "10.0.0.7", "203.0.113.8"),
                "internet possible",
            ),
            ("local without endpoints", nowhere, "internet unknown"),
            ("implied by a balancer", internal(port), "internet possible"),
            (
                "not allocated",
                internal(&format!("allocateLoadBalancerNodePorts: false, {PORTS}")),
                "private",
            ),
            // Ports that were given once stay until they are removed.
            (
                "allocated before",
                internal(&format!("allocateLoadBalancerNodePorts: false, {port}")),
                "internet possible",
            ),
        ],
    );
}

/// S-05: external addresses of any type of Service.
#[test]
fn external_addresses() {
    let of = |kind: &str, ip: &str| {
        let spec = format!("type: {kind}, externalIPs: [\"{ip}\"], {PORTS}");
        [service("shop/lb", "", &spec, ""), web()].concat()
    };
    scopes(
        DOOR,
        &[
            ("public", of("ClusterIP", "203.0.113.9"), "internet possible"),
            ("public, IPv6", of("ClusterIP", "2a00::9"), "internet possible"),
            ("private", of("ClusterIP", "10.9.9.9"), "private"),
            ("of a node port", of("NodePort", "203.0.113.9"), "internet possible"),
        ],
    );
}

/// S-06, S-09: what no node forwards.
#[test]
fn no_door_at_all() {
    let of = |spec: &str| {
        let spec = format!("{spec}, {PORTS}");
        let nodes = node("n1", "ExternalIP", "203.0.113.7");
        [service("shop/lb", "", &spec, ""), web(), nodes].concat()
    };
    scopes(
        DOOR,
        &[
            ("an address of the cluster", of("type: ClusterIP, clusterIP: 10.96.0.9"), "none"),
            ("no type", of("clusterIP: 10.96.0.9"), "none"),
            ("headless", of("clusterIP: None"), "none"),
            (
                "headless with an external address",
                of("clusterIP: None, externalIPs: [203.0.113.9]"),
                "none",
            ),
            ("an alias", of("type: ExternalName, externalName: www.example"), "none"),
            (
                "an alias with an external address",
                of("type: ExternalName, externalName: www.example, externalIPs: [203.0.113.9]"),
                "none",
            ),
        ],
    );
}

/// A door for networks around the cluster is there, with its backends, and is no way in from the
/// internet.
#[test]
fn private_doors_are_told_and_not_open() {
    let private = fixtures::graph(&balancer("", "", "{ip: 10.1.2.3}"));
    assert!(!is_open(&private, "shop/service/lb"));
    let behind = super::leads(&private, "shop/service/lb");
    assert_eq!(behind.into_iter().collect::<Vec<_>>(), [("shop/web/app".to_owned(), "possible")]);
    let public = fixtures::graph(&balancer("", "", "{ip: 203.0.113.9}"));
    assert!(is_open(&public, "shop/service/lb"));
    let exposed = |graph: &Graph| graph.has(fixtures::ends(graph, "pod/shop/web")[0], Tag::Exposed);
    assert!(exposed(&public));
    assert!(!exposed(&private));
}
