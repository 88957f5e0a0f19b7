//! Which slices and which of their ports lead where a Service leads, and what does beside them.

use super::super::{backends, calico, leads, pod, policy, service, web};
use super::{DB, DOOR, WEB, at, by_hand, db, endpoints, of_first, slice, v4, with};
use crate::fixtures;

#[test]
fn which_slices() {
    let ip = "{addresses: [10.0.0.1]}";
    let web = at(&web(), &["10.0.0.1"]);
    let own = |text: &str, by: &str| with(&[&web, &v4(ip).replace(text, by)]);
    let port = "{port: 8080}";
    let mirrored =
        "endpointslice.kubernetes.io/managed-by: endpointslicemirroring-controller.k8s.io";
    let of_controller = "endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io";
    let alias = by_hand("{port: 80}").replace("LoadBalancer", "ExternalName");
    backends(
        DOOR,
        &[
            ("one", with(&[&web, &v4(ip)]), WEB),
            ("of another namespace", own("namespace: shop", "namespace: other"), &[]),
            ("of another Service", own("service-name: lb", "service-name: lbx"), &[]),
            ("of none", own("kubernetes.io/service-name: lb", "app: lb"), &[]),
            ("mirrored", with(&[&web, &slice("lb-x", mirrored, "IPv4", ip, port)]), WEB),
            ("of an alias", [alias, web.clone(), v4(ip)].concat(), &[]),
            // The word that the beta had for both families.
            ("no family", own("addressType: IPv4", "addressType: \"\""), WEB),
            // Nothing is proxied to host names, whatever else an endpoint says.
            (
                "host names",
                with(&[
                    &web,
                    &slice(
                        "lb-1",
                        "",
                        "FQDN",
                        "{addresses: [web.example], targetRef: {kind: Pod, namespace: shop, name: web}}",
                        port,
                    ),
                ]),
                &[],
            ),
            // What the selector says, and here there is none.
            (
                "the controller's",
                with(&[&web, &slice("lb-x", of_controller, "IPv4", ip, port)]),
                &[],
            ),
        ],
    );
}

#[test]
fn ports() {
    let containers = "[{name: app, ports: [{name: http, containerPort: 8080}]}, \
        {name: admin, ports: [{name: admin, containerPort: 9090}]}, \
        {name: udp, ports: [{containerPort: 8080, protocol: UDP}]}, {name: idle}]";
    let own = at(&pod("shop/web", "n1", containers), &["10.0.0.1"]);
    let of = |service: &str, ports: &str| {
        let ends = "{addresses: [10.0.0.1]}";
        [by_hand(service), own.clone(), slice("lb-1", "", "IPv4", ends, ports)].concat()
    };
    let named = "{name: web, port: 80, targetPort: 8080}, {name: ops, port: 81, targetPort: 9090}";
    let (app, admin, udp): (&[&str], &[&str], &[&str]) =
        (&["shop/web/app"], &["shop/web/admin"], &["shop/web/udp"]);
    backends(
        DOOR,
        &[
            ("by name", of(named, "{name: web, port: 8080}"), app),
            ("by name, another", of(named, "{name: ops, port: 9090}"), admin),
            (
                "both",
                of(named, "{name: web, port: 8080}, {name: ops, port: 9090}"),
                &["shop/web/admin", "shop/web/app"],
            ),
            ("a name that the Service has not", of(named, "{name: http, port: 8080}"), &[]),
            ("no name, and the Service has some", of(named, "{port: 8080}"), &[]),
            ("a name, and the Service has none", of("{port: 80}", "{name: web, port: 8080}"), &[]),
            ("no name, and the Service has none", of("{port: 80}", "{port: 8080}"), app),
            ("null for a name", of("{port: 80}", "{name: null, port: 8080}"), app),
            // The slice says where packets go; the Service's target port is for the controller.
            (
                "another than the target port",
                of("{port: 80, targetPort: 8080}", "{port: 9090}"),
                admin,
            ),
            (
                "whatever the target is named",
                of("{port: 80, targetPort: none}", "{port: 9090}"),
                admin,
            ),
            ("a protocol", of("{port: 80, protocol: UDP}", "{port: 8080, protocol: UDP}"), udp),
            ("another protocol", of("{port: 80}", "{port: 8080, protocol: UDP}"), &[]),
            ("null: all ports", of("{port: 80, targetPort: 9090}", "{port: null}"), admin),
            ("absent: all ports", of("{port: 80, targetPort: http}", "{name: \"\"}"), app),
            ("no ports", of("{port: 80}", ""), &[]),
            ("port 0", of("{port: 80}", "{port: 0}"), &[]),
            (
                "one that none declares",
                of("{port: 80}", "{port: 7000}"),
                &["shop/web/admin", "shop/web/app", "shop/web/idle", "shop/web/udp"],
            ),
        ],
    );
    let one = |name: &str, port: u16| {
        slice(name, "", "IPv4", "{addresses: [10.0.0.1]}", &format!("{{port: {port}}}"))
    };
    let text = [by_hand("{port: 80}"), own.clone(), one("lb-1", 8080), one("lb-2", 9090)].concat();
    let world = fixtures::world(&text);
    let numbers: Vec<Vec<u16>> = of_first(&world).iter().map(|e| e.numbers(&world)).collect();
    assert_eq!(numbers, [[8080], [9090]], "each slice has ports of its own");
}

#[test]
fn endpoints_before_there_were_slices() {
    let bare = web();
    let (web, db) = (at(&bare, &["10.0.0.1"]), at(&db(), &["10.0.0.2"]));
    let of_web = "addresses: [{ip: 10.0.0.1}], ports: [{port: 8080}]";
    let of_db = "addresses: [{ip: 10.0.0.2}], ports: [{port: 8080}]";
    let hand = |subsets: &str| with(&[&web, &db, &endpoints("", subsets)]);
    backends(
        DOOR,
        &[
            ("an address", hand(&format!("{{{of_web}}}")), WEB),
            (
                "a targetRef",
                with(&[
                    &bare,
                    &endpoints(
                        "",
                        "{addresses: [{ip: 10.0.0.7, targetRef: {kind: Pod, namespace: shop, name: web}}], \
                          ports: [{port: 8080}]}",
                    ),
                ]),
                WEB,
            ),
            (
                "two subsets",
                hand(&format!("{{{of_web}}}, {{{of_db}}}")),
                &["shop/db/app", "shop/web/app"],
            ),
            ("not ready", hand("{notReadyAddresses: [{ip: 10.0.0.2}], ports: [{port: 8080}]}"), DB),
            ("no ports", hand("{addresses: [{ip: 10.0.0.1}]}"), &[]),
            ("no subsets", hand(""), &[]),
            (
                "of another name",
                hand(&format!("{{{of_web}}}"))
                    .replace("{name: lb, namespace: shop, }", "{name: x, namespace: shop}"),
                &[],
            ),
            // Of which no slice is made, and so nothing is proxied.
            (
                "not to be mirrored",
                with(&[
                    &web,
                    &endpoints(
                        "labels: {endpointslice.kubernetes.io/skip-mirror: \"true\"}",
                        &format!("{{{of_web}}}"),
                    ),
                ]),
                &[],
            ),
            // Slices are made of them, and are what is proxied to.
            (
                "a slice beside them",
                with(&[
                    &web,
                    &db,
                    &endpoints("", &format!("{{{of_web}}}")),
                    &v4("{addresses: [10.0.0.2]}"),
                ]),
                DB,
            ),
        ],
    );
}

/// Whatever asks what a Service leads to gets the same answer by a slice as by a selector.
#[test]
fn every_door_follows() {
    let gw = pod("shop/gw", "n1", "[{name: proxy, ports: [{containerPort: 8080}]}]");
    let pods = [web(), gw].concat();
    // A Service `NAME` of a type, and what leads it to the pod of a name.
    let of = |name: &str, kind: &str, app: &str, by_slice: bool, ingress: &str| {
        let ports = "ports: [{port: 80, targetPort: 8080}]";
        if !by_slice {
            let spec = format!("type: {kind}, selector: {{app: {app}}}, {ports}");
            return service(&format!("shop/{name}"), "", &spec, ingress);
        }
        let target = format!(
            "{{addresses: [10.0.0.1], targetRef: {{kind: Pod, namespace: shop, name: {app}}}}}"
        );
        let slice = slice(&format!("{name}-1"), "", "IPv4", &target, "{port: 8080}");
        let spec = format!("type: {kind}, {ports}");
        let slice = slice.replace("service-name: lb", &format!("service-name: {name}"));
        service(&format!("shop/{name}"), "", &spec, ingress) + &slice
    };
    let public = "{ip: 203.0.113.9}";
    let ingress = "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\n\
        spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n\
        status: {loadBalancer: {ingress: [{ip: 203.0.113.9}]}}\n";
    let route = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: shop}\n\
        spec: {gatewayClassName: own, listeners: [{name: a, port: 80, protocol: HTTP}]}\n\
        ---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web, namespace: shop}\n\
        spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: web, port: 80}]}]}\n";
    let mesh = "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: shop}\n\
        spec: {selector: {app: gw}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [\"*\"]}]}\n\
        ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: web, namespace: shop}\n\
        spec: {hosts: [a.example], gateways: [g], http: [{route: [{destination: {host: web}}]}]}\n";
    // The proxies alone are let in, so that it matters who they are.
    let policy = policy("{from: [{podSelector: {matchLabels: {app: gw}}}]}");
    for (door, objects) in [
        ("shop/ingress/web", ingress),
        ("shop/httproute/web", route),
        ("shop/virtualservice/web", mesh),
    ] {
        let found = |by_slice: bool| {
            let front = of("gw", "LoadBalancer", "gw", by_slice, public).replacen(
                "annotations: {}",
                "labels: {gateway.networking.k8s.io/gateway-name: g}",
                1,
            );
            let back = of("web", "ClusterIP", "web", by_slice, "");
            let text = [&pods, objects, &front, &back, &calico(), &policy].concat();
            leads(&fixtures::graph(&text), door)
        };
        let by_selector = found(false);
        assert!(by_selector.iter().any(|(c, _)| c == "shop/web/app"), "{door}: {by_selector:?}");
        assert_eq!(found(true), by_selector, "{door}");
    }
}

/// S-11: a selector says what Kubernetes' controller makes of it. What others add stays added.
#[test]
fn beside_a_selector() {
    let (web, db) = (at(&web(), &["10.0.0.1"]), at(&db(), &["10.0.0.2"]));
    let selects = service(
        "shop/lb",
        "",
        "type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http}]",
        "{ip: 203.0.113.9}",
    );
    let of = |more: &str| [selects.clone(), web.clone(), db.clone(), more.to_owned()].concat();
    let managed = |by: &str, ends: &str| {
        let label = format!("endpointslice.kubernetes.io/managed-by: {by}");
        slice("lb-x", &label, "IPv4", ends, "{port: 8080}")
    };
    let to_db = "{addresses: [10.0.0.2], targetRef: {kind: Pod, namespace: shop, name: db}}";
    let subset = "{addresses: [{ip: 10.0.0.2}], ports: [{port: 8080}]}";
    backends(
        DOOR,
        &[
            ("the controller's", of(&managed("endpointslice-controller.k8s.io", to_db)), WEB),
            ("Endpoints, which the controller writes anew", of(&endpoints("", subset)), WEB),
            ("another's", of(&managed("staff", to_db)), &["shop/db/app", "shop/web/app"]),
            ("nobody's", of(&v4(to_db)), &["shop/db/app", "shop/web/app"]),
        ],
    );
    let world = fixtures::world(&of(&v4("{addresses: [10.0.0.1]}")));
    assert_eq!(of_first(&world).len(), 1, "what repeats the selector adds nothing");
    // Where no pod is shown, names of pods that are not there lead nowhere; templates are selected.
    let template = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n\
        spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [\
        {name: app, ports: [{name: http, containerPort: 8080}]}]}}}\n";
    let text = [
        selects.clone(),
        template.to_owned(),
        v4("{addresses: [10.0.0.1], targetRef: {kind: Pod, name: web-0}}"),
    ];
    assert_eq!(leads(&fixtures::graph(&text.concat()), DOOR).len(), 1);
}
