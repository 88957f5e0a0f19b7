//! What is said of them: coverage, evidence, and what follows for the API server's proxy.

use super::super::{behind, service, web};
use super::{at, by_hand, endpoints, slice, v4, with};
use crate::fixtures;

/// Coverage counts the Services of which nothing is known, and says what was not collected.
#[test]
fn what_is_not_known_is_said() {
    let exposure = |yaml: &str| {
        let topics = fixtures::world(yaml).coverage();
        topics.into_iter().find(|t| t.topic == "exposure").unwrap().reason
    };
    let web = at(&web(), &["10.0.0.1"]);
    let unknown =
        "1 Service that faces the outside is without a selector: where they lead is not known";
    let strange =
        "1 Service without a selector leads to addresses that are no pod's of the snapshot";
    let missing = "no EndpointSlice was collected";
    let own = v4("{addresses: [10.0.0.1]}");
    let of_another = own.replace("service-name: lb", "service-name: x");
    let of_controller = own.replace(
        "service-name: lb",
        "service-name: x, endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io",
    );
    let subset = "{addresses: [{ip: 10.0.0.1}], ports: [{port: 8080}]}";
    for (row, text, said) in [
        ("no slice", with(&[&web]), [true, false, true]),
        ("a slice of another Service", with(&[&web, &of_another]), [true, false, false]),
        ("one of the controller", with(&[&web, &of_controller]), [true, false, false]),
        ("its slice", with(&[&web, &own]), [false, false, false]),
        ("its Endpoints", with(&[&web, &endpoints("", subset)]), [false, false, false]),
        ("an empty slice", with(&[&web, &v4("")]), [false, false, false]),
        ("outside", with(&[&web, &v4("{addresses: [198.51.100.7]}")]), [false, true, false]),
        (
            "outside and a pod",
            with(&[&web, &v4("{addresses: [198.51.100.7]}, {addresses: [10.0.0.1]}")]),
            [false, false, false],
        ),
        (
            "host names",
            with(&[&slice("a", "", "FQDN", "{addresses: [a.example]}", "{port: 1}")]),
            [false, true, false],
        ),
        ("no such Service", [behind(), web.clone()].concat(), [false, false, true]),
    ] {
        let reason = exposure(&text);
        let found = [unknown, strange, missing].map(|part| reason.contains(part));
        assert_eq!(found, said, "{row}: {reason}");
    }
}

/// The way through a slice says which line of it leads there.
#[test]
fn the_slice_is_evidence() {
    let cited = |yaml: &str| {
        let graph = fixtures::graph(yaml);
        let container = fixtures::ends(&graph, "container/shop/web/app")[0];
        let (edge, _) = graph
            .incoming(container)
            .find(|(edge, _)| graph.attack(*edge).id == "exploit-public-app")
            .expect("nothing leads there");
        let facts = graph.evidence(edge);
        let said = |f: kspm_graph::graph::FactView<'_>| {
            format!("{} {}/{} {} = {}", f.kind, f.namespace.unwrap_or(""), f.name, f.field, f.value)
        };
        facts.map(said).collect::<Vec<_>>().join("\n")
    };
    let (bare, shown) = (web(), at(&web(), &["10.0.0.1"]));
    let named = "{addresses: [10.0.0.9]}, {addresses: [10.0.0.1], \
        targetRef: {kind: Pod, namespace: shop, name: web}}";
    for (row, text, facts) in [
        (
            "by targetRef",
            with(&[&bare, &v4(named)]),
            ["EndpointSlice shop/lb-1 .endpoints[1].targetRef.name = web", "EndpointSlice shop/lb-1 .ports[0].port = 8080"],
        ),
        (
            "by address",
            with(&[&shown, &v4("{addresses: [10.0.0.1]}")]),
            ["EndpointSlice shop/lb-1 .endpoints[0].addresses[0] = 10.0.0.1", "EndpointSlice shop/lb-1 .ports[0].port = 8080"],
        ),
        (
            "by Endpoints",
            with(&[&shown, &endpoints("", "{addresses: []}, {notReadyAddresses: [{ip: 10.0.0.1}], ports: [{port: 8080}]}")]),
            ["Endpoints shop/lb .subsets[1].notReadyAddresses[0].ip = 10.0.0.1", "Endpoints shop/lb .subsets[1].ports[0].port = 8080"],
        ),
        (
            "by a selector",
            [service("shop/lb", "", "type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]", "{ip: 203.0.113.9}"), bare.clone()].concat(),
            ["Service shop/lb .spec.selector = selects the pod", "Service shop/lb .spec.ports[0].targetPort = 8080"],
        ),
    ] {
        let cited = cited(&text);
        for fact in facts {
            assert!(cited.contains(fact), "{row}: `{fact}` is not among\n{cited}");
        }
    }
}

/// What the API server's own proxy goes to: pods of the Service's namespace that a `targetRef`
/// names, with that address.
#[test]
fn the_api_servers_proxy_wants_a_target() {
    let role = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: p, namespace: shop}\n\
        rules: [{apiGroups: [\"\"], resources: [services/proxy], verbs: [get]}]\n\
        ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: p, namespace: shop}\n\
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: p}\n\
        subjects: [{kind: User, name: eve, apiGroup: rbac.authorization.k8s.io}]\n";
    let (shown, other) = (
        at(&web(), &["10.0.0.1"]),
        at(&web().replace("namespace: shop", "namespace: other"), &["10.0.0.3"]),
    );
    let plain = by_hand("{port: 80}").replace("LoadBalancer", "ClusterIP");
    for (row, ends, expected) in [
        (
            "a targetRef",
            "{addresses: [10.0.0.1], targetRef: {kind: Pod, namespace: shop, name: web}}",
            true,
        ),
        ("none", "{addresses: [10.0.0.1]}", false),
        (
            "another address",
            "{addresses: [10.0.0.9], targetRef: {kind: Pod, namespace: shop, name: web}}",
            false,
        ),
        (
            "another namespace",
            "{addresses: [10.0.0.3], targetRef: {kind: Pod, namespace: other, name: web}}",
            false,
        ),
    ] {
        let text = [&*plain, &*shown, &*other, &*v4(ends), role].concat();
        let graph = fixtures::graph(&text);
        let found = graph.nodes().any(|node| {
            graph.outgoing(node).any(|(edge, to)| {
                graph.attack(edge).id == "service-proxy"
                    && graph.kind(to) == kspm_graph::graph::NodeKind::Container
                    || graph.attack(edge).id == "set-member" && graph.name(to).starts_with("web/")
            })
        });
        assert_eq!(found, expected, "{row}");
    }
}
