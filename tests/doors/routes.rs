//! Routes as doors: what of G-01 to G-08, O-01 and O-02 of the reference `tests/attacks/exposed-route.md`,
//! `exposed-openshift-route.md` and `exposed-virtual-service.md` do not hold: scopes beside the internet's,
//! and rows of their tables.

use super::{backends, behind, calico, leads, pod, policy, scopes, service, web};
use crate::fixtures;

const PUBLIC: &str = "{ip: 203.0.113.9}";
const PRIVATE: &str = "{ip: 10.0.0.9}";

fn gateway(name: &str, class: &str, more: &str, addresses: &str) -> String {
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n\
         metadata: {{name: {name}, namespace: shop}}\n\
         spec: {{gatewayClassName: {class}, {more} listeners: [{{name: a, port: 80, protocol: HTTP}}]}}\n\
         status: {{addresses: [{addresses}]}}\n"
    )
}

fn route(kind: &str, version: &str, parents: &str) -> String {
    format!(
        "---\napiVersion: gateway.networking.k8s.io/{version}\nkind: {kind}\n\
         metadata: {{name: web, namespace: shop}}\n\
         spec: {{parentRefs: [{parents}], rules: [{{backendRefs: [{{name: web, port: 80}}]}}]}}\n"
    )
}

/// G-06: where a Gateway is reached from.
#[test]
fn gateways_by_their_addresses() {
    let of = |class: &str, more: &str, addresses: &str| {
        let parts = [
            gateway("g", class, more, addresses),
            route("HTTPRoute", "v1", "{name: g}"),
            behind(),
            web(),
        ];
        parts.concat()
    };
    let made = |ingress: &str| {
        let spec = "type: LoadBalancer, selector: {app: envoy}, ports: [{port: 80}]";
        let own = service("shop/g-envoy", "", spec, ingress);
        let labelled =
            own.replace("annotations: {}", "labels: {gateway.networking.k8s.io/gateway-name: g}");
        [of("own", "", ""), labelled].concat()
    };
    let aws = "service.beta.kubernetes.io/aws-load-balancer-scheme";
    let asked = |word: &str| format!("infrastructure: {{annotations: {{{aws}: {word}}}}},");
    let azure = "infrastructure: {annotations: {service.beta.kubernetes.io/azure-load-balancer-internal: \"true\"}},";
    scopes(
        "shop/httproute/web",
        &[
            ("public", of("own", "", "{value: 203.0.113.9}"), "internet likely"),
            ("private", of("own", "", "{value: 10.0.0.9}"), "private"),
            ("public, IPv6", of("own", "", "{value: \"2a00::9\"}"), "internet likely"),
            (
                "one of two",
                of("own", "", "{value: 10.0.0.9}, {value: 203.0.113.9}"),
                "internet likely",
            ),
            ("a name", of("own", "", "{value: lb.example}"), "internet likely"),
            (
                "an internal name of AWS",
                of("own", "", "{value: internal-a.eu-west-1.elb.amazonaws.com}"),
                "private",
            ),
            (
                "asked for public",
                of("own", "addresses: [{value: 203.0.113.9}],", ""),
                "internet possible",
            ),
            ("asked for private", of("own", "addresses: [{value: 10.0.0.9}],", ""), "private"),
            ("the Service made for it, public", made(PUBLIC), "internet possible"),
            ("the Service made for it, private", made(PRIVATE), "private"),
            ("annotated internal", of("own", azure, ""), "private"),
            ("annotated facing", of("own", &asked("internet-facing"), ""), "internet possible"),
            ("GKE, external", of("gke-l7-global-external-managed", "", ""), "internet possible"),
            (
                "GKE, regional external",
                of("gke-l7-regional-external-managed", "", ""),
                "internet possible",
            ),
            ("GKE, classic", of("gke-l7-gxlb", "", ""), "internet possible"),
            ("GKE, internal", of("gke-l7-rilb", "", ""), "private"),
            (
                "GKE, cross-region internal",
                of("gke-l7-cross-regional-internal-managed", "", ""),
                "private",
            ),
            ("nothing tells", of("own", "", ""), "internet possible"),
        ],
    );
}

/// G-01: every version that was ever served, and kinds by their listeners' protocols.
#[test]
fn versions_and_kinds() {
    let of = |kind: &str, version: &str, protocol: &str, port: &str| {
        let gateway = gateway("g", "own", "", "{value: 203.0.113.9}")
            .replace("protocol: HTTP", &format!("protocol: {protocol}"));
        let spec = format!(
            "selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080, protocol: {port}}}]"
        );
        [gateway, route(kind, version, "{name: g}"), service("shop/web", "", &spec, ""), web()]
            .concat()
    };
    for (kind, protocol) in
        [("HTTPRoute", "HTTP"), ("GRPCRoute", "HTTPS"), ("TLSRoute", "TLS"), ("TCPRoute", "TCP")]
    {
        let door = format!("shop/{}/web", kind.to_lowercase());
        for version in ["v1", "v1beta1", "v1alpha2", "v1alpha3"] {
            backends(&door, &[(version, of(kind, version, protocol, "TCP"), &["shop/web/app"])]);
        }
    }
    scopes(
        "shop/udproute/web",
        &[
            ("UDP", of("UDPRoute", "v1alpha2", "UDP", "UDP"), "internet likely"),
            ("a listener of TCP", of("UDPRoute", "v1alpha2", "TCP", "UDP"), "none"),
            ("a port of TCP", of("UDPRoute", "v1alpha2", "UDP", "TCP"), "none"),
            ("a port of SCTP", of("UDPRoute", "v1alpha2", "UDP", "SCTP"), "none"),
        ],
    );
}

/// S-09: an alias has no endpoints, whatever it selects.
#[test]
fn aliases_are_no_backends() {
    let of = |kind: &str| {
        let spec = format!(
            "type: {kind}, externalName: www.example, selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]"
        );
        let gateway = gateway("g", "own", "", "{value: 203.0.113.9}");
        let route = route("HTTPRoute", "v1", "{name: g}");
        [gateway, route, service("shop/web", "", &spec, ""), web()].concat()
    };
    backends(
        "shop/httproute/web",
        &[("a Service", of("ClusterIP"), &["shop/web/app"]), ("an alias", of("ExternalName"), &[])],
    );
}

/// A route at a public and at an internal Gateway is the internet's by the public one alone: what the
/// proxies of the other may do does not count.
#[test]
fn narrower_ways_do_not_widen_wider_ones() {
    let proxies = |name: &str, ingress: &str| {
        let spec = format!("type: LoadBalancer, selector: {{app: {name}}}, ports: [{{port: 80}}]");
        let own = service(&format!("shop/{name}"), "", &spec, ingress);
        let label = format!("labels: {{gateway.networking.k8s.io/gateway-name: {name}}}");
        let own = own.replace("annotations: {}", &label);
        let pod =
            pod(&format!("shop/{name}"), "n1", "[{name: proxy, ports: [{containerPort: 80}]}]");
        [own, pod].concat()
    };
    let of = |admitted: &str| {
        let parts = [
            gateway("outer", "own", "", ""),
            gateway("inner", "own", "", ""),
            proxies("outer", PUBLIC),
            proxies("inner", PRIVATE),
            route("HTTPRoute", "v1", "{name: outer}, {name: inner}"),
            behind(),
            web(),
            calico(),
            policy(&format!("{{from: [{{podSelector: {{matchLabels: {{app: {admitted}}}}}}}]}}")),
        ];
        leads(&fixtures::graph(&parts.concat()), "shop/httproute/web").len()
    };
    assert_eq!(of("outer"), 1);
    assert_eq!(of("inner"), 0);
}

/// O-01: the router's own Service, and weights.
#[test]
fn routers() {
    let route = |more: &str, status: &str| {
        format!(
            "---\napiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {{name: web, namespace: shop}}\n\
             spec: {{host: shop.internal, {more}}}\nstatus: {{ingress: [{status}]}}\n"
        )
    };
    let said = |router: &str, status: &str| {
        format!("{{routerName: {router}, conditions: [{{type: Admitted, status: \"{status}\"}}]}}")
    };
    let router = |name: &str, ingress: &str| {
        let spec = "type: LoadBalancer, selector: {app: r}, ports: [{port: 80}], allocateLoadBalancerNodePorts: false";
        service(&format!("openshift-ingress/router-{name}"), "", spec, ingress)
    };
    let of = |more: &str, status: &str| {
        let routers = [router("default", PUBLIC), router("inner", PRIVATE)].concat();
        [route(more, status), behind(), web(), routers].concat()
    };
    let to = "to: {kind: Service, name: web}";
    let admitted = said("default", "True");
    scopes(
        "shop/route/web",
        &[
            ("scope External", of(to, &admitted), "internet certain"),
            ("scope Internal", of(to, &said("inner", "True")), "private"),
            ("both", of(to, &format!("{}, {admitted}", said("inner", "True"))), "internet certain"),
            (
                "refused by the public one",
                of(to, &format!("{}, {}", said("inner", "True"), said("default", "False"))),
                "private",
            ),
            ("refused", of(to, &said("default", "False")), "none"),
            ("nobody has looked", of(to, ""), "internet possible"),
        ],
    );
    let ports = |more: &str| of(&format!("{to}, {more}"), &admitted);
    let other = [
        service(
            "shop/other",
            "",
            "selector: {app: other}, ports: [{port: 80, targetPort: 8080}]",
            "",
        ),
        pod("shop/other", "n1", "[{name: app, ports: [{containerPort: 8080}]}]"),
    ]
    .concat();
    let weighted = |first: &str, second: &str| {
        let more = format!(
            "to: {{kind: Service, name: web{first}}}, alternateBackends: [{{kind: Service, name: other{second}}}]"
        );
        [of(&more, &admitted), other.clone()].concat()
    };
    backends(
        "shop/route/web",
        &[
            ("no port", ports("tls: {termination: edge}"), &["shop/web/app"]),
            ("the pods' port", ports("port: {targetPort: 8080}"), &["shop/web/app"]),
            (
                "the Service's port by its name",
                ports("port: {targetPort: http}"),
                &["shop/web/app"],
            ),
            ("the Service's port by its number", ports("port: {targetPort: 80}"), &[]),
            ("wildcards", ports("wildcardPolicy: Subdomain"), &["shop/web/app"]),
            ("default weights", weighted("", ""), &["shop/other/app", "shop/web/app"]),
            (
                "no weight for the first",
                weighted(", weight: 0", ", weight: 100"),
                &["shop/other/app"],
            ),
            (
                "no weight for the second",
                weighted(", weight: 100", ", weight: 0"),
                &["shop/web/app"],
            ),
            ("no weight at all", weighted(", weight: 0", ", weight: 0"), &[]),
        ],
    );
}

/// O-02: scopes of a mesh's proxies.
#[test]
fn meshes() {
    let of = |gateways: &str, ingress: &str| {
        let spec = "type: LoadBalancer, selector: {app: gw}, ports: [{port: 80}], allocateLoadBalancerNodePorts: false";
        let proxies = pod("istio-system/gw", "n1", "[{name: proxy, ports: [{containerPort: 80}]}]");
        let objects = format!(
            "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\n\
             spec: {{selector: {{app: gw}}, servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [\"*\"]}}]}}\n\
             ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: web, namespace: shop}}\n\
             spec: {{hosts: [shop.internal], {gateways} http: [{{route: [{{destination: {{host: web}}}}]}}]}}\n"
        );
        let requires = "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n\
            metadata: {name: deny, namespace: shop}\nspec: {}\n";
        let own = service("istio-system/gw", "", spec, ingress);
        [own, proxies, objects, requires.to_owned(), behind(), web()].concat()
    };
    scopes(
        "shop/virtualservice/web",
        &[
            // What the sidecars require is not judged and closes nothing.
            ("public", of("gateways: [shop/g],", PUBLIC), "internet likely"),
            ("of its own namespace", of("gateways: [g],", PUBLIC), "internet likely"),
            ("private", of("gateways: [shop/g],", PRIVATE), "private"),
            ("the mesh alone", of("gateways: [mesh],", PUBLIC), "none"),
            ("the mesh by default", of("", PUBLIC), "none"),
            ("the mesh and a gateway", of("gateways: [mesh, shop/g],", PUBLIC), "internet likely"),
        ],
    );
}

/// G-04: whom a grant lets in, by the names in `to`.
#[test]
fn grants_name_services() {
    let of = |to: &str| {
        let grant = format!(
            "---\napiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\n\
             metadata: {{name: g, namespace: back}}\n\
             spec: {{from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}}], to: [{to}]}}\n"
        );
        let back = |text: String| text.replace("namespace: shop", "namespace: back");
        let route = route("HTTPRoute", "v1", "{name: g}")
            .replace("{name: web, port: 80}", "{name: web, namespace: back, port: 80}");
        let gateway = gateway("g", "own", "", "{value: 203.0.113.9}");
        [gateway, route, back(behind()), back(web()), grant].concat()
    };
    let (yes, no): (&[&str], &[&str]) = (&["back/web/app"], &[]);
    let (own, other) =
        ("{group: \"\", kind: Service, name: web}", "{group: \"\", kind: Service, name: other}");
    backends(
        "shop/httproute/web",
        &[
            ("no name: every Service", of("{group: \"\", kind: Service}"), yes),
            ("an empty name", of("{group: \"\", kind: Service, name: \"\"}"), yes),
            ("its name", of(own), yes),
            ("another's", of(other), no),
            ("one of two", of(&format!("{other}, {own}")), yes),
            ("another's, and all", of(&format!("{other}, {{group: \"\", kind: Service}}")), yes),
            ("its name with a glob", of("{group: \"\", kind: Service, name: \"*\"}"), no),
            ("its name begun", of("{group: \"\", kind: Service, name: we}"), no),
            (
                "a Secret of its name beside another Service",
                of(&format!("{{group: \"\", kind: Secret, name: web}}, {other}")),
                no,
            ),
            ("all Secrets", of("{group: \"\", kind: Secret}"), no),
            (
                "a Service of another group",
                of("{group: serving.knative.dev, kind: Service, name: web}"),
                no,
            ),
            ("nothing", of(""), no),
        ],
    );
}

/// O-02: a VirtualService is a delegate if it names no hosts of its own; its gateways are those of
/// the one that asks, and the API server's check refuses one that names some.
#[test]
fn delegates_of_virtual_services() {
    let of = |delegate: &str| {
        let front =
            "type: LoadBalancer, selector: {app: gw}, ports: [{port: 80, targetPort: 8080}]";
        let proxy = pod("mesh/gw", "n1", "[{name: proxy, ports: [{containerPort: 8080}]}]");
        let istio = |kind: &str, name: &str, spec: &str| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: {kind}\n\
                 metadata: {{name: {name}, namespace: shop}}\nspec: {{{spec}}}\n"
            )
        };
        let servers = "selector: {app: gw}, \
            servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [\"*\"]}]";
        let parts = [
            service("mesh/gw", "", front, PUBLIC),
            proxy,
            istio("Gateway", "g", servers),
            istio(
                "VirtualService",
                "root",
                "hosts: [a.example], gateways: [g], http: [{delegate: {name: part}}]",
            ),
            istio("VirtualService", "part", delegate),
            behind(),
            web(),
        ];
        parts.concat()
    };
    let http = "http: [{route: [{destination: {host: web}}]}]";
    let (yes, no): (&[&str], &[&str]) = (&["shop/web/app"], &[]);
    backends(
        "shop/virtualservice/root",
        &[
            ("neither", of(http), yes),
            ("empty hosts", of(&format!("hosts: [], {http}")), yes),
            ("hosts", of(&format!("hosts: [a.example], {http}")), no),
            ("other hosts", of(&format!("hosts: [b.example], {http}")), no),
            ("gateways", of(&format!("gateways: [g], {http}")), no),
            ("exported to its own namespace", of(&format!("exportTo: [.], {http}")), yes),
            ("exported to another", of(&format!("exportTo: [other], {http}")), no),
            // One level, and requests of HTTP alone.
            ("a delegate of its own", of("http: [{delegate: {name: more}}]"), no),
            ("connections of TCP", of("tcp: [{route: [{destination: {host: web}}]}]"), no),
        ],
    );
    // By itself it is no door.
    scopes("shop/virtualservice/part", &[("a delegate", of(http), "none")]);
}
