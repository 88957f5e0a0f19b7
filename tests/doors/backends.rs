//! What Services lead to: S-06 to S-11 of the reference, seen through doors.

use super::{backends, pod, scope, service, web};
use crate::fixtures;

const DOOR: &str = "shop/service/lb";

fn balancer(spec: &str, more: &[String]) -> String {
    let spec = format!("type: LoadBalancer, {spec}");
    [vec![service("shop/lb", "", &spec, "{ip: 203.0.113.9}")], more.to_vec()].concat().concat()
}

/// S-07: the target port.
#[test]
fn target_ports() {
    let to =
        |port: &str| balancer(&format!("selector: {{app: web}}, ports: [{{{port}}}]"), &[web()]);
    // One name, another number in each pod; the third pod does not have it.
    let labelled = |name: &str, ports: &str| {
        let text =
            pod(&format!("shop/{name}"), "n1", &format!("[{{name: app, ports: [{ports}]}}]"));
        text.replace(&format!("app: {name}"), "app: all")
    };
    let by_name = balancer(
        "selector: {app: all}, ports: [{port: 80, targetPort: http}]",
        &[
            labelled("a", "{name: http, containerPort: 8080}"),
            labelled("b", "{name: http, containerPort: 9090}"),
            labelled("c", "{name: web, containerPort: 8080}"),
        ],
    );
    let by_protocol = |protocol: &str| {
        balancer(
            &format!(
                "selector: {{app: all}}, ports: [{{port: 53, targetPort: dns, protocol: {protocol}}}]"
            ),
            &[
                labelled("udp", "{name: dns, containerPort: 53, protocol: UDP}"),
                labelled("tcp", "{name: dns, containerPort: 53}"),
                labelled("sctp", "{name: dns, containerPort: 53, protocol: SCTP}"),
            ],
        )
    };
    let two = |port: &str| {
        let containers = "[{name: app, ports: [{containerPort: 8080, protocol: TCP}]}, \
            {name: side, ports: [{containerPort: 8080, protocol: UDP}]}]";
        let ports = format!("selector: {{app: two}}, ports: [{{{port}}}]");
        balancer(&ports, &[pod("shop/two", "n1", containers)])
    };
    backends(
        DOOR,
        &[
            ("absent: the port itself", to("port: 8080"), &["shop/web/app"]),
            ("a number", to("port: 80, targetPort: 8080"), &["shop/web/app"]),
            // Nothing says that a port which is not declared is not listened on.
            ("a number that none declares", to("port: 80, targetPort: 81"), &["shop/web/app"]),
            ("a name", to("port: 80, targetPort: http"), &["shop/web/app"]),
            ("a name that none has", to("port: 80, targetPort: admin"), &[]),
            ("a name of several pods", by_name, &["shop/a/app", "shop/b/app"]),
            ("a name, TCP", by_protocol("TCP"), &["shop/tcp/app"]),
            ("a name, UDP", by_protocol("UDP"), &["shop/udp/app"]),
            ("a name, SCTP", by_protocol("SCTP"), &["shop/sctp/app"]),
            ("a number, TCP", two("port: 80, targetPort: 8080"), &["shop/two/app"]),
            ("a number, UDP", two("port: 80, targetPort: 8080, protocol: UDP"), &["shop/two/side"]),
        ],
    );
}

/// S-08: a Service without a selector is a door, and coverage says that nothing is known of what is
/// behind it.
#[test]
fn endpoints_by_hand() {
    let text = balancer("ports: [{port: 80}]", &[web()]);
    assert_eq!(scope(&text, DOOR), "internet certain");
    backends(DOOR, &[("no selector", text.clone(), &[])]);
    let said = |yaml: &str| {
        let topics = fixtures::world(yaml).coverage();
        let topic = topics.into_iter().find(|t| t.topic == "exposure").unwrap();
        topic.reason.contains("1 Service that faces the outside is without a selector")
    };
    assert!(said(&text));
    // What is said of doors that are not read is said besides.
    let route = "apiVersion: traefik.io/v1alpha1\nkind: IngressRouteUDP\nmetadata: {name: r, namespace: shop}\n";
    let both = format!("{text}---\n{route}");
    assert!(said(&both));
    let topics = fixtures::world(&both).coverage();
    let topic = topics.into_iter().find(|t| t.topic == "exposure").unwrap();
    assert!(topic.reason.contains("1 IngressRouteUDP.traefik.io"), "{}", topic.reason);
    assert!(!said(&balancer("selector: {app: web}, ports: [{port: 80}]", &[web()])));
    assert!(!said(&service("shop/lb", "", "ports: [{port: 80}]", "")));
}

/// S-10, S-11: which pods are endpoints.
#[test]
fn which_pods() {
    let ports = "selector: {app: web}, ports: [{port: 80, targetPort: 8080}]";
    let unready = web().replace(
        "{phase: Running}",
        "{phase: Running, conditions: [{type: Ready, status: \"False\"}]}",
    );
    let ended = web().replace("{phase: Running}", "{phase: Succeeded}");
    let elsewhere = web().replace("namespace: shop", "namespace: other");
    let hand = "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n\
        metadata: {name: lb-1, namespace: shop, labels: {kubernetes.io/service-name: lb}}\n\
        addressType: IPv4\nendpoints: [{addresses: [10.0.0.1]}]\nports: [{port: 8080}]\n";
    backends(
        DOOR,
        &[
            ("ready", balancer(ports, &[web()]), &["shop/web/app"]),
            // They are not served now, and will be.
            ("not ready", balancer(ports, std::slice::from_ref(&unready)), &["shop/web/app"]),
            (
                "not ready, and published all the same",
                balancer(&format!("publishNotReadyAddresses: true, {ports}"), &[unready]),
                &["shop/web/app"],
            ),
            ("ended", balancer(ports, &[ended]), &[]),
            ("of another namespace", balancer(ports, &[elsewhere]), &[]),
            (
                "of other labels",
                balancer("selector: {app: other}, ports: [{port: 80}]", &[web()]),
                &[],
            ),
            (
                "the selector before a slice",
                balancer(ports, &[web(), hand.to_owned()]),
                &["shop/web/app"],
            ),
        ],
    );
}
