//! The pods that serve Ingresses and Gateways: told by their images and flags and not by names, and
//! reached by whatever leads to them.

use super::{behind, calico, leads, node, pod, policy, scope, scopes, service, web};
use crate::fixtures;

const DOOR: &str = "shop/ingress/web";

/// The Ingress `shop/web` of a class, the class, and what it leads to.
fn ingress(class: &str, controller: &str, status: &str) -> String {
    let class_object = match controller {
        "" => String::new(),
        controller => format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {{name: {class}}}\n\
             spec: {{controller: {controller}}}\n"
        ),
    };
    let own = format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: web, namespace: shop}}\n\
         spec: {{ingressClassName: {class}, rules: [{{http: {{paths: [{{path: /, pathType: Prefix,\n\
         \x20 backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}}}]}}\n\
         status: {{loadBalancer: {{ingress: [{status}]}}}}\n"
    );
    [class_object, own, behind(), web()].concat()
}

/// A pod `NS/NAME` of an image with flags, which listens on 80.
fn runs(path: &str, image: &str, args: &str) -> String {
    let container = format!(
        "[{{name: c, image: \"{image}\", args: [{args}], ports: [{{name: http, containerPort: 80}}]}}]"
    );
    pod(path, "n1", &container)
}

/// A balancer `NS/NAME` on port 80 before the pods of a label, with an address.
fn balancer(path: &str, app: &str, ip: &str) -> String {
    let spec = format!(
        "type: LoadBalancer, allocateLoadBalancerNodePorts: false, selector: {{app: {app}}}, \
         ports: [{{name: http, port: 80, targetPort: 80}}]"
    );
    service(path, "", &spec, &format!("{{ip: {ip}}}"))
}

const NGINX: &str = "registry.k8s.io/ingress-nginx/controller:v1.12.1";

/// A controller with an internal balancer, beside a public Service that is called alike.
#[test]
fn images_tell_and_names_do_not() {
    let rows = [
        ("haproxy", "haproxy.org/ingress-controller/haproxy", "haproxytech/kubernetes-ingress:3.0"),
        (
            "haproxy",
            "haproxy-ingress.github.io/controller",
            "quay.io/jcmoraisjr/haproxy-ingress:v0.14",
        ),
        ("nginx", "nginx.org/ingress-controller", "nginx/nginx-ingress:3.7"),
        ("nginx", "k8s.io/ingress-nginx", NGINX),
        ("kong", "ingress-controllers.konghq.com/kong", "kong:3.7"),
        ("traefik", "traefik.io/ingress-controller", "registry.example/mirror/traefik:v3.1"),
    ];
    for (class, controller, image) in rows {
        let alike = [
            balancer(&format!("blog/{class}"), "blog", "203.0.113.9"),
            runs("blog/blog", "blog:1", ""),
        ];
        let with = |ip: &str| {
            let own = balancer("edge/own", "own", ip);
            [ingress(class, controller, ""), own, runs("edge/own", image, ""), alike.concat()]
                .concat()
        };
        assert_eq!(scope(&with("10.0.0.9"), DOOR), "private", "{controller}");
        assert_eq!(scope(&with("203.0.113.7"), DOOR), "internet certain", "{controller}");
        let only = [ingress(class, controller, ""), alike.concat()].concat();
        assert_eq!(scope(&only, DOOR), "internet possible", "{controller}, by a name");
    }
}

/// Istio and Contour pass requests on by proxies that others use too.
#[test]
fn proxies_that_others_use_too() {
    let label = |text: String| {
        text.replace("labels: {app: own}", "labels: {app: own, istio: ingressgateway}")
    };
    let istio = |text: String, name: &str| {
        let public = balancer("istio-system/istio-eastwestgateway", "other", "203.0.113.9");
        let other = runs("istio-system/other", "istio/proxyv2:1.23", "");
        let own = balancer(&format!("istio-system/{name}"), "own", "10.0.0.9");
        [ingress("istio", "istio.io/ingress-controller", ""), public, other, own, text].concat()
    };
    let own = || runs("istio-system/own", "docker.io/istio/proxyv2:1.23", "proxy, router");
    let contour = |more: &str| {
        let both = format!(
            "[{{name: envoy, image: \"docker.io/envoyproxy/envoy:v1.31\", ports: [{{name: http, containerPort: 80}}]}}{more}]"
        );
        [
            ingress("contour", "projectcontour.io/ingress-controller", ""),
            pod("edge/own", "n1", &both),
            balancer("edge/own", "own", "203.0.113.9"),
        ]
        .concat()
    };
    scopes(
        DOOR,
        &[
            ("Istio, by the label", istio(label(own()), "inner"), "private"),
            ("Istio, by the Service", istio(own(), "istio-ingressgateway"), "private"),
            ("Istio, by nothing", istio(own(), "inner"), "internet possible"),
            (
                "Contour",
                contour(
                    ", {name: shutdown-manager, image: \"ghcr.io/projectcontour/contour:v1.30\"}",
                ),
                "internet certain",
            ),
            // Nothing here is called so either.
            ("Envoy alone", contour(""), "internet possible"),
        ],
    );
}

/// Flags say which class pods serve, and in which namespaces.
#[test]
fn flags_tell() {
    let two = |class: &str, controller: &str, image: &str, flag: &str| {
        [
            ingress(class, controller, ""),
            balancer("edge/outer", "outer", "203.0.113.9"),
            runs("edge/outer", image, &format!("{flag}=outer")),
            balancer("edge/inner", "inner", "10.0.0.9"),
            runs("edge/inner", image, &format!("{flag}=inner")),
        ]
        .concat()
    };
    let traefik = |class: &str, flag: &str| {
        two(class, "traefik.io/ingress-controller", "docker.io/traefik:v3.1.2", flag)
    };
    let haproxy = |class: &str| {
        let controller = format!("haproxy.org/ingress-controller/{class}");
        two(class, &controller, "haproxytech/kubernetes-ingress:3.0", "--ingress.class")
    };
    let nginx_inc = |class: &str| {
        two(class, "nginx.org/ingress-controller", "nginx/nginx-ingress:3.7", "-ingress-class")
    };
    let watches = |args: &str| {
        [
            ingress("nginx", "k8s.io/ingress-nginx", ""),
            balancer("edge/own", "own", "203.0.113.9"),
            runs("edge/own", NGINX, args),
        ]
        .concat()
    };
    let lower = "--providers.kubernetesingress.ingressclass";
    let camel = "--providers.kubernetesIngress.ingressClass";
    scopes(
        DOOR,
        &[
            ("Traefik, the public one's", traefik("outer", lower), "internet certain"),
            ("Traefik, the internal one's", traefik("inner", lower), "private"),
            ("Traefik, in another case", traefik("inner", camel), "private"),
            ("HAProxy, the public one's", haproxy("outer"), "internet certain"),
            ("HAProxy, the internal one's", haproxy("inner"), "private"),
            ("NGINX, the public one's", nginx_inc("outer"), "internet certain"),
            ("NGINX, the internal one's", nginx_inc("inner"), "private"),
            ("every namespace", watches(""), "internet certain"),
            ("its namespace", watches("--watch-namespace=shop"), "internet certain"),
            ("another namespace", watches("--watch-namespace=ops"), "none"),
            ("a variable", watches("--watch-namespace=$(POD_NAMESPACE)"), "internet certain"),
            ("namespaces by label", watches("--watch-namespace-selector=a=b"), "internet possible"),
            // A class of another controller of the same program, which is not there.
            (
                "another controller's class",
                watches("").replace("controller: k8s.io/ingress-nginx", "controller: k8s.io/inner"),
                "internet possible",
            ),
        ],
    );
}

/// Whoever reaches the pods by any Service of theirs reaches what they serve.
#[test]
fn another_service_of_the_same_pods() {
    let status = "{ip: 10.0.0.9}";
    let with = |status: &str, more: &[String]| {
        [
            ingress("nginx", "k8s.io/ingress-nginx", status),
            balancer("edge/inner", "own", "10.0.0.9"),
            runs("edge/own", NGINX, ""),
            more.concat(),
        ]
        .concat()
    };
    let public = || balancer("edge/outer", "own", "203.0.113.9");
    let metrics = public().replace("name: http", "name: metrics");
    let others = balancer("edge/outer", "others", "203.0.113.9");
    scopes(
        DOOR,
        &[
            ("internal alone", with(status, &[]), "private"),
            (
                "internal in the status, public beside it",
                with(status, &[public()]),
                "internet certain",
            ),
            ("no status", with("", &[public()]), "internet certain"),
            ("a Service for those who watch", with(status, &[metrics]), "private"),
            ("a Service of others", with(status, &[others]), "private"),
            // A Service without a controller behind it that is known.
            (
                "unknown pods, public beside it",
                with(status, &[public()]).replace(NGINX, "own:1"),
                "internet certain",
            ),
        ],
    );
}

/// One address, several balancers: as on k3s, or shared on purpose with MetalLB.
#[test]
fn a_shared_address() {
    let mq = |ns: &str, ranges: &str| {
        let spec = format!(
            "type: LoadBalancer, allocateLoadBalancerNodePorts: false, selector: {{app: mq}}, \
             ports: [{{port: 1883}}]{ranges}"
        );
        [
            service(&format!("{ns}/mq"), "", &spec, "{ip: 203.0.113.9}"),
            pod(&format!("{ns}/mq"), "n1", "[{name: app, ports: [{containerPort: 1883}]}]"),
        ]
        .concat()
    };
    let ranges = ", loadBalancerSourceRanges: [10.0.0.0/8]";
    let admits = |ns: &str| {
        let from = format!(
            "{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {ns}}}}}}}"
        );
        [calico(), policy(&format!("{{from: [{from}]}}"))].concat()
    };
    // The order of names must not matter.
    for ns in ["aaa", "zzz"] {
        for (image, controller) in [(NGINX, "k8s.io/ingress-nginx"), ("own:1", "example.com/own")] {
            let with = |more: &[String]| {
                [
                    ingress("own", controller, "{ip: 203.0.113.9}"),
                    balancer("edge/own", "own", "203.0.113.9"),
                    runs("edge/own", image, ""),
                    more.concat(),
                ]
                .concat()
            };
            let row = format!("{ns}, {image}");
            assert_eq!(scope(&with(&[mq(ns, ranges)]), DOOR), "internet certain", "{row}");
            let to = |policy: String| {
                let graph = fixtures::graph(&with(&[mq(ns, ""), policy]));
                leads(&graph, DOOR).into_iter().map(|(container, _)| container).collect::<Vec<_>>()
            };
            assert_eq!(to(admits("edge")), ["shop/web/app"], "{row}");
            assert!(to(admits(ns)).is_empty(), "{row}");
        }
    }
    // Two that may be meant: the wider of them, and not for sure.
    let both = [
        ingress("own", "example.com/own", "{ip: 203.0.113.9}"),
        balancer("edge/own", "own", "203.0.113.9"),
        runs("edge/own", "own:1", ""),
        balancer("edge/other", "other", "203.0.113.9"),
        runs("edge/other", "other:1", ""),
    ];
    assert_eq!(scope(&both.concat(), DOOR), "internet likely");
}

/// A Gateway's data plane, by its address among several balancers and by other Services of its pods.
#[test]
fn gateways() {
    let door = "shop/httproute/web";
    let with = |ip: &str, more: &[String]| {
        let gateway = format!(
            "---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {{name: own}}\n\
             spec: {{controllerName: example.com/own}}\n\
             status: {{conditions: [{{type: Accepted, status: 'True'}}]}}\n\
             ---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: gw, namespace: shop}}\n\
             spec: {{gatewayClassName: own, listeners: [{{name: h, port: 80, protocol: HTTP}}]}}\n\
             status: {{addresses: [{{type: IPAddress, value: {ip}}}],\n\
             \x20 conditions: [{{type: Accepted, status: 'True'}}, {{type: Programmed, status: 'True'}}]}}\n\
             ---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: web, namespace: shop}}\n\
             spec: {{parentRefs: [{{name: gw}}], rules: [{{backendRefs: [{{name: web, port: 80}}]}}]}}\n\
             status: {{parents: [{{parentRef: {{name: gw}}, controllerName: example.com/own,\n\
             \x20 conditions: [{{type: Accepted, status: 'True'}}, {{type: ResolvedRefs, status: 'True'}}]}}]}}\n"
        );
        let own = [balancer("shop/own", "own", ip), runs("shop/own", "envoyproxy/envoy:v1.31", "")];
        [gateway, behind(), web(), own.concat(), more.concat()].concat()
    };
    let spec = "type: LoadBalancer, allocateLoadBalancerNodePorts: false, selector: {app: mq}, \
         ports: [{port: 1883}], loadBalancerSourceRanges: [10.0.0.0/8]";
    let mq = |ns: &str| {
        [
            service(&format!("{ns}/mq"), "", spec, "{ip: 203.0.113.9}"),
            pod(&format!("{ns}/mq"), "n1", "[{name: app, ports: [{containerPort: 1883}]}]"),
        ]
        .concat()
    };
    let public = balancer("shop/outer", "own", "203.0.113.9");
    let other_port = public.replace("targetPort: 80", "targetPort: 15021");
    scopes(
        door,
        &[
            ("its own", with("203.0.113.9", &[]), "internet certain"),
            ("shared, before it in order", with("203.0.113.9", &[mq("aaa")]), "internet certain"),
            ("shared, after it in order", with("203.0.113.9", &[mq("zzz")]), "internet certain"),
            ("internal", with("10.0.0.9", &[]), "private"),
            ("internal, public beside it", with("10.0.0.9", &[public]), "internet certain"),
            ("internal, another port beside it", with("10.0.0.9", &[other_port]), "private"),
        ],
    );
}

/// A controller that no Service leads to: by the ports of its machines.
#[test]
fn without_a_service() {
    let on = |spec: &str, at: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: own, namespace: edge, uid: u-own, labels: {{app: own}}}}\n\
             spec: {{nodeName: {at}, {spec}, containers: [{{name: c, image: \"{NGINX}\", ports: [{{containerPort: 80, hostPort: 80}}]}}]}}\n\
             status: {{phase: Running}}\n"
        )
    };
    let (machine, port) = ("hostNetwork: true", "hostNetwork: false");
    let with = |spec: &str, at: &str, kind: &str, address: &str| {
        let nodes = [node("n2", kind, address), node("n1", "InternalIP", "10.0.0.8")];
        [ingress("nginx", "k8s.io/ingress-nginx", ""), on(spec, at), nodes.concat()].concat()
    };
    let public = |spec: &str| with(spec, "n2", "ExternalIP", "203.0.113.7");
    let undeclared = public(machine).replace(", ports: [{containerPort: 80, hostPort: 80}]", "");
    let local = public(port).replace("hostPort: 80", "hostPort: 80, hostIP: 127.0.0.1");
    scopes(
        DOOR,
        &[
            ("on a public machine", public(machine), "internet possible"),
            ("undeclared", undeclared, "internet possible"),
            ("by a host port", public(port), "internet possible"),
            ("by a host port for the machine alone", local, "internet unknown"),
            ("on a private machine", with(machine, "n2", "InternalIP", "10.0.0.7"), "private"),
        ],
    );
    let to = |yaml: String, from: &str| {
        let graph = fixtures::graph(&[yaml, calico(), policy(from)].concat());
        leads(&graph, DOOR).into_iter().map(|(container, _)| container).collect::<Vec<_>>()
    };
    let pods = "{from: [{namespaceSelector: {}}]}";
    let edge = "{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}}]}";
    let ops = "{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}]}";
    // Pods of namespaces are none of those on the network of another machine.
    assert!(to(public(machine), pods).is_empty());
    // A machine gets through to its own pods.
    let near = with(machine, "n1", "ExternalIP", "203.0.113.7");
    assert_eq!(to(near, ops), ["shop/web/app"]);
    // Behind a host port it is the pod that speaks.
    assert_eq!(to(public(port), edge), ["shop/web/app"]);
    assert!(to(public(port), ops).is_empty());
}

/// Tailscale's proxies listen in a network of their own, unless they are told to let the internet in.
#[test]
fn tailscale() {
    let with = |annotations: &str, status: &str| {
        ingress("tailscale", "tailscale.com/ts-ingress", status).replace(
            "kind: Ingress\nmetadata: {",
            &format!("kind: Ingress\nmetadata: {{annotations: {{{annotations}}}, "),
        )
    };
    let name = "{hostname: w.tail1234.ts.net}";
    let funnel = "tailscale.com/funnel: 'true'";
    scopes(
        DOOR,
        &[
            ("by its name", with("", name), "private"),
            ("no name yet", with("", ""), "private"),
            ("funnel", with(funnel, name), "internet likely"),
            ("funnel, no name yet", with(funnel, ""), "internet likely"),
            ("no funnel", with("tailscale.com/funnel: 'false'", name), "private"),
        ],
    );
}
