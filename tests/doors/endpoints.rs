//! Where Services lead that no selector leads: S-08 and S-11 of the reference. Packets go by address;
//! a `targetRef` tells where the address does not.

use super::{backends, behind, leads, pod, service, web};
use crate::fixtures;
use kspm_graph::world::World;
use kspm_graph::world::endpoints::Endpoint;

const DOOR: &str = "shop/service/lb";

/// A balancer without a selector, with ports.
fn by_hand(ports: &str) -> String {
    let spec = format!("type: LoadBalancer, ports: [{ports}]");
    service("shop/lb", "", &spec, "{ip: 203.0.113.9}")
}

/// The balancer of one port without a name, before a cluster.
fn with(cluster: &[&str]) -> String {
    [by_hand("{port: 80, targetPort: 8080}"), cluster.concat()].concat()
}

/// A pod that shows its addresses.
fn at(pod: &str, addresses: &[&str]) -> String {
    let ips: Vec<String> = addresses.iter().map(|a| format!("{{ip: \"{a}\"}}")).collect();
    let status = format!(
        "status: {{phase: Running, podIP: \"{}\", podIPs: [{}]}}",
        addresses[0],
        ips.join(", ")
    );
    pod.replace("status: {phase: Running}", &status)
}

fn db() -> String {
    pod("shop/db", "n1", "[{name: app, ports: [{containerPort: 8080}]}]")
}

/// A slice `shop/NAME` of the Service `lb` with more labels.
fn slice(name: &str, labels: &str, family: &str, endpoints: &str, ports: &str) -> String {
    format!(
        "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n\
         metadata: {{name: {name}, namespace: shop, labels: {{kubernetes.io/service-name: lb, {labels}}}}}\n\
         addressType: {family}\nendpoints: [{endpoints}]\nports: [{ports}]\n"
    )
}

/// A slice of the port 8080.
fn v4(endpoints: &str) -> String {
    slice("lb-1", "", "IPv4", endpoints, "{name: \"\", port: 8080, protocol: TCP}")
}

fn endpoints(more: &str, subsets: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Endpoints\n\
         metadata: {{name: lb, namespace: shop, {more}}}\nsubsets: [{subsets}]\n"
    )
}

/// What the first port of the Service `shop/lb` leads to.
fn of_first(world: &World) -> Vec<Endpoint> {
    let sym = |text: &str| world.symbols.get(text).unwrap();
    world.endpoints(world.service(sym("shop"), sym("lb")).unwrap(), 0)
}

const WEB: &[&str] = &["shop/web/app"];
const DB: &[&str] = &["shop/db/app"];

#[test]
fn whose_address_it_is() {
    let refer = |ip: &str, target: &str| v4(&format!("{{addresses: [{ip}], targetRef: {target}}}"));
    let to_web = |ip: &str| refer(ip, "{kind: Pod, namespace: shop, name: web}");
    let ip = |ip: &str| v4(&format!("{{addresses: [{ip}]}}"));
    let (web_1, db_2) = (at(&web(), &["10.0.0.1"]), at(&db(), &["10.0.0.2"]));
    let other = web().replace("namespace: shop", "namespace: other");
    let other_3 = at(&other, &["10.0.0.3"]);
    let ended = web_1.replace("phase: Running", "phase: Succeeded");
    backends(
        DOOR,
        &[
            ("no slice at all", with(&[&web_1]), &[]),
            // Manifests and pods that have none yet show no address.
            ("a targetRef alone", with(&[&web(), &to_web("10.0.0.9")]), WEB),
            ("an address alone", with(&[&web_1, &db_2, &ip("10.0.0.1")]), WEB),
            ("both say the same", with(&[&web_1, &db_2, &to_web("10.0.0.1")]), WEB),
            ("they differ: packets go by address", with(&[&web_1, &db_2, &to_web("10.0.0.2")]), DB),
            ("a further address of the pod", with(&[&web_1, &db_2, &to_web("10.9.0.9")]), WEB),
            ("nobody's address", with(&[&web_1, &ip("10.0.0.9")]), &[]),
            ("of outside", with(&[&web_1, &ip("198.51.100.7")]), &[]),
            (
                "a stale targetRef",
                with(&[&web_1, &refer("10.0.0.9", "{kind: Pod, namespace: shop, name: gone}")]),
                &[],
            ),
            (
                "a stale targetRef, and an address that is another's now",
                with(&[&web_1, &refer("10.0.0.1", "{kind: Pod, namespace: shop, name: gone}")]),
                WEB,
            ),
            (
                "a targetRef of another namespace",
                with(&[
                    &web(),
                    &other,
                    &refer("10.0.0.9", "{kind: Pod, namespace: other, name: web}"),
                ]),
                &["other/web/app"],
            ),
            (
                "an address of another namespace",
                with(&[&web_1, &other_3, &ip("10.0.0.3")]),
                &["other/web/app"],
            ),
            (
                "a targetRef without a namespace",
                with(&[&web(), &other, &refer("10.0.0.9", "{kind: Pod, name: web}")]),
                WEB,
            ),
            (
                "a targetRef of another kind",
                with(&[
                    &web(),
                    &refer("10.0.0.9", "{kind: VirtualMachine, namespace: shop, name: web}"),
                ]),
                &[],
            ),
            ("null for a targetRef", with(&[&web_1, &refer("10.0.0.1", "null")]), WEB),
            // Its address is given to another.
            ("a pod that has ended", with(&[&ended, &ip("10.0.0.1")]), &[]),
            ("a pod that has ended, by targetRef", with(&[&ended, &to_web("10.0.0.1")]), &[]),
            // The others have no meaning (`addresses` of the API's reference).
            ("the first address alone", with(&[&web_1, &ip("10.0.0.9, 10.0.0.1")]), &[]),
            ("no address", with(&[&web_1, &ip("")]), &[]),
            // The API server refuses those that lead a node to itself.
            ("loopback", with(&[&at(&web(), &["127.0.0.1"]), &ip("127.0.0.1")]), &[]),
            ("link-local", with(&[&at(&web(), &["169.254.0.7"]), &ip("169.254.0.7")]), &[]),
            (
                "several, one twice",
                with(&[
                    &web_1,
                    &db_2,
                    &v4(
                        "{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}, {addresses: [10.0.0.1]}",
                    ),
                ]),
                &["shop/db/app", "shop/web/app"],
            ),
            // They are not served now, and will be; those that end still run.
            (
                "conditions",
                with(&[
                    &web_1,
                    &db_2,
                    &v4("{addresses: [10.0.0.1], conditions: {ready: false}}, \
                        {addresses: [10.0.0.2], conditions: {ready: false, serving: true, terminating: true}}"),
                ]),
                &["shop/db/app", "shop/web/app"],
            ),
        ],
    );
}

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
fn families() {
    let web = at(&web(), &["10.0.0.1", "fd00::1"]);
    let of = |family: &str, ip: &str| {
        let ends = format!("{{addresses: [\"{ip}\"]}}");
        with(&[&web, &slice("lb-1", "", family, &ends, "{port: 8080}")])
    };
    backends(
        DOOR,
        &[
            ("IPv4", of("IPv4", "10.0.0.1"), WEB),
            ("IPv6", of("IPv6", "fd00::1"), WEB),
            ("IPv6, spelled in full", of("IPv6", "fd00:0:0:0:0:0:0:1"), WEB),
            ("IPv6, another", of("IPv6", "fd00::2"), &[]),
            // The API server would refuse them.
            ("IPv4 among IPv6", of("IPv6", "10.0.0.1"), &[]),
            ("IPv6 among IPv4", of("IPv4", "fd00::1"), &[]),
        ],
    );
    let both = [
        slice("lb-4", "", "IPv4", "{addresses: [10.0.0.1]}", "{port: 8080}"),
        slice("lb-6", "", "IPv6", "{addresses: [\"fd00::1\"]}", "{port: 8080}"),
    ];
    let world = fixtures::world(&with(&[&web, &both[0], &both[1]]));
    assert_eq!(of_first(&world).len(), 1, "a pod of both families is one endpoint");
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

/// Pods on a machine's network share its address, and so do the machine's own programs.
#[test]
fn addresses_of_machines() {
    let on_machine = |path: &str, port: &str| {
        let text = pod(path, "n1", &format!("[{{name: app, ports: [{port}]}}]"));
        at(&text.replace("nodeName: n1", "nodeName: n1, hostNetwork: true"), &["192.0.2.1"])
    };
    let (a, b, quiet) = (
        on_machine("shop/a", "{containerPort: 8080}"),
        on_machine("shop/b", "{containerPort: 9090}"),
        on_machine("shop/quiet", ""),
    );
    let beside = at(&web(), &["10.0.0.1"]);
    let node = super::node("n1", "InternalIP", "192.0.2.1");
    let elsewhere = a.replace("nodeName: n1", "nodeName: n2").replace("192.0.2.1", "192.0.2.2");
    let elsewhere = elsewhere.replace("name: a,", "name: far,");
    let ip = v4("{addresses: [192.0.2.1]}");
    let to = |name: &str| {
        v4(&format!(
            "{{addresses: [192.0.2.1], targetRef: {{kind: Pod, namespace: shop, name: {name}}}}}"
        ))
    };
    let all = [a.clone(), b, quiet, beside, elsewhere].concat();
    backends(
        DOOR,
        &[
            // One that declares nothing may listen, as may any program of the machine.
            ("by its address", with(&[&all, &node, &ip]), &["shop/a/app"]),
            ("by that of its pods, without the Node", with(&[&all, &ip]), &["shop/a/app"]),
            ("a targetRef tells", with(&[&all, &node, &to("quiet")]), &["shop/quiet/app"]),
            ("nothing declares it", with(&[&all, &node, &ip.replace("8080", "10250")]), &[]),
            (
                "a Node as target",
                with(&[
                    &all,
                    &node,
                    &v4("{addresses: [192.0.2.1], targetRef: {kind: Node, name: n1}}"),
                ]),
                &["shop/a/app"],
            ),
            (
                "an external address of a node",
                with(&[
                    &super::node("n1", "ExternalIP", "203.0.113.77"),
                    &a,
                    &ip.replace("192.0.2.1", "203.0.113.77"),
                ]),
                &[],
            ),
        ],
    );
}

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

/// Thousands of endpoints, most of them no addresses, and repeated: one problem, and what is true.
#[test]
fn hostile_slices() {
    let mut ends = String::new();
    for i in 0..5000 {
        let address = match i % 5 {
            0 => "10.0.0.1".to_owned(),
            1 => "\"\\u001b[31m\"".to_owned(),
            2 => "999.1.1.1".to_owned(),
            3 => format!("198.51.{}.{}", i / 250 % 250, i % 250),
            _ => "10.0.0.1/24".to_owned(),
        };
        ends.push_str(&format!(
            "{{addresses: [{address}], targetRef: {{kind: Pod, name: ghost-{i}}}}}, "
        ));
    }
    let web = at(&web(), &["10.0.0.1"]);
    let world = fixtures::world(&with(&[&web, &v4(&ends)]));
    assert_eq!(of_first(&world).len(), 1);
    let problems: Vec<&str> = world.unusable.iter().map(|(_, said)| &**said).collect();
    assert_eq!(
        problems,
        ["`.endpoints[1].addresses[0]` of EndpointSlice is not an address of an endpoint"]
    );
    assert_eq!(world.slices[0].strangers, 1000);
}
