//! Ingresses as doors: I-01 to I-06 of the reference, and aliases behind them (S-09).

use super::{backends, behind, node, pod, scopes, service, web};

const DOOR: &str = "shop/ingress/web";
const TO_WEB: &str = "{service: {name: web, port: {number: 80}}}";

fn ingress(annotations: &str, spec: &str, status: &str) -> String {
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n\
         metadata: {{name: web, namespace: shop, annotations: {{{annotations}}}}}\n\
         spec: {{{spec}}}\nstatus: {{loadBalancer: {{ingress: [{status}]}}}}\n"
    )
}

fn path(backend: &str) -> String {
    format!(
        "rules: [{{host: shop.internal, http: {{paths: [{{path: /, pathType: Prefix, backend: {backend}}}]}}}}]"
    )
}

/// The Ingress `shop/web`, which leads to the Service and the pod of that name.
fn plain(annotations: &str, class: &str, status: &str, more: &[String]) -> String {
    let class =
        if class.is_empty() { String::new() } else { format!("ingressClassName: {class}, ") };
    let own = ingress(annotations, &format!("{class}{}", path(TO_WEB)), status);
    [own, behind(), web(), more.concat()].concat()
}

fn class(name: &str, controller: &str, more: &str) -> String {
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\n\
         metadata: {{name: {name}{more}}}\nspec: {{controller: {controller}}}\n"
    )
}

/// A pod of ingress-nginx, with the labels that the Services of these tests select.
fn controller() -> String {
    pod(
        "ingress-nginx/nginx",
        "n1",
        "[{name: controller, image: \"registry.k8s.io/ingress-nginx/controller:v1.11.3\", ports: [{containerPort: 80}]}]",
    )
}

const PUBLIC: &str = "{ip: 203.0.113.10}";

/// I-01: every shape of a backend.
#[test]
fn shapes_of_backends() {
    let with = |spec: &str, more: &[String]| {
        [ingress("", spec, PUBLIC), behind(), web(), more.concat()].concat()
    };
    let other = [
        service(
            "shop/other",
            "",
            "selector: {app: other}, ports: [{port: 80, targetPort: 8080}]",
            "",
        ),
        pod("shop/other", "n1", "[{name: app, ports: [{containerPort: 8080}]}]"),
    ];
    let to = |backend: &str| with(&path(backend), &[]);
    let beta =
        "rules: [{http: {paths: [{path: /, backend: {serviceName: web, servicePort: 80}}]}}]";
    let far = other.clone().map(|text| text.replace("namespace: shop", "namespace: far"));
    backends(
        DOOR,
        &[
            ("by number", to(TO_WEB), &["shop/web/app"]),
            ("by name", to("{service: {name: web, port: {name: http}}}"), &["shop/web/app"]),
            (
                "a number that the Service does not have",
                to("{service: {name: web, port: {number: 8080}}}"),
                &[],
            ),
            (
                "a name that the Service does not have",
                to("{service: {name: web, port: {name: admin}}}"),
                &[],
            ),
            ("a Service that is not there", to("{service: {name: gone, port: {number: 80}}}"), &[]),
            (
                "a Service of another namespace",
                with(&path("{service: {name: other, port: {number: 80}}}"), &far),
                &[],
            ),
            ("no Service", to("{resource: {apiGroup: k8s.example, kind: Bucket, name: web}}"), &[]),
            (
                "the default backend",
                with(&format!("defaultBackend: {TO_WEB}"), &[]),
                &["shop/web/app"],
            ),
            // All of a host without paths goes to the default backend.
            (
                "a host without paths",
                with(&format!("defaultBackend: {TO_WEB}, rules: [{{host: shop.internal}}]"), &[]),
                &["shop/web/app"],
            ),
            (
                "a host without paths, and no default",
                with("rules: [{host: shop.internal}]", &[]),
                &[],
            ),
            (
                "both",
                with(
                    &format!(
                        "defaultBackend: {{service: {{name: other, port: {{number: 80}}}}}}, {}",
                        path(TO_WEB)
                    ),
                    &other,
                ),
                &["shop/web/app", "shop/other/app"],
            ),
            ("the beta's spelling", with(beta, &[]), &["shop/web/app"]),
            (
                "the beta's default",
                with("backend: {serviceName: web, servicePort: http}", &[]),
                &["shop/web/app"],
            ),
        ],
    );
}

/// S-09: an alias for a Service of the cluster is followed, out of its namespace too.
#[test]
fn aliases_are_followed() {
    let own = |port: &str, name: &str, ports: &str| {
        let spec = format!("type: ExternalName, externalName: {name}, {ports}");
        let to = format!("{{service: {{name: alias, port: {port}}}}}");
        let vault = "[{name: app, ports: [{containerPort: 8080}]}]";
        [
            ingress("", &path(&to), PUBLIC),
            service("shop/alias", "", &spec, ""),
            service(
                "vault/web",
                "",
                "selector: {app: vault}, ports: [{port: 8200, targetPort: 8080}]",
                "",
            ),
            service(
                "vault/peers",
                "",
                "clusterIP: None, selector: {app: vault}, ports: [{port: 1, targetPort: 8080}]",
                "",
            ),
            pod("vault/vault", "n1", vault),
            web(),
        ]
        .concat()
    };
    let to = |name: &str| own("{number: 80}", name, "ports: [{port: 80, targetPort: 8200}]");
    backends(
        DOOR,
        &[
            ("of the cluster", to("web.vault.svc.cluster.local"), &["vault/vault/app"]),
            ("with a dot at its end", to("web.vault.svc.cluster.local."), &["vault/vault/app"]),
            ("of another domain", to("web.vault.svc.corp.example"), &["vault/vault/app"]),
            (
                "without a port of its own",
                own("{number: 8200}", "web.vault.svc.cluster.local", ""),
                &["vault/vault/app"],
            ),
            (
                "of a port that is not there",
                own("{number: 80}", "web.vault.svc.cluster.local", "ports: [{port: 80}]"),
                &[],
            ),
            (
                "of a headless Service",
                own(
                    "{number: 80}",
                    "peers.vault.svc.cluster.local",
                    "ports: [{port: 80, targetPort: 8080}]",
                ),
                &["vault/vault/app"],
            ),
            ("outside", to("www.example.com"), &[]),
            ("gone", to("gone.vault.svc.cluster.local"), &[]),
            // What it selects does not count.
            (
                "with a selector",
                own(
                    "{number: 80}",
                    "www.example.com",
                    "selector: {app: web}, ports: [{port: 80, targetPort: 8080}]",
                ),
                &[],
            ),
        ],
    );
}

/// I-02, I-03: which class serves it, and how that one's controller is reached.
#[test]
fn classes_and_controllers() {
    let of = |kind: &str, ingress: &str| {
        let spec = format!("type: {kind}, selector: {{app: nginx}}, ports: [{{port: 80}}]");
        service("ingress-nginx/ingress-nginx-controller", "", &spec, ingress)
    };
    let open = || [of("LoadBalancer", PUBLIC), controller()].concat();
    let nginx = || class("nginx", "k8s.io/ingress-nginx", "");
    let default = ", annotations: {ingressclass.kubernetes.io/is-default-class: \"true\"}";
    let annotation = "kubernetes.io/ingress.class: nginx";
    let host = |address: &str, kind: &str| {
        let ports = "[{name: nginx, ports: [{containerPort: 80, hostPort: 80}]}]";
        let pod = pod("ingress-nginx/nginx", "n1", ports);
        [of("ClusterIP", ""), pod, node("n1", kind, address)].concat()
    };
    scopes(
        DOOR,
        &[
            ("named", plain("", "nginx", "", &[nginx(), open()]), "internet certain"),
            ("annotated", plain(annotation, "", "", &[nginx(), open()]), "internet certain"),
            (
                "the field before the annotation",
                plain(annotation, "gone", "", &[nginx(), open()]),
                "none",
            ),
            (
                "the default",
                plain("", "", "", &[class("nginx", "k8s.io/ingress-nginx", default), open()]),
                "internet certain",
            ),
            ("none and no default", plain("", "", "", &[nginx(), open()]), "internet possible"),
            ("a class that is not there", plain("", "gone", "", &[nginx(), open()]), "none"),
            (
                "an annotation without a class",
                plain("kubernetes.io/ingress.class: own", "", "", &[nginx(), open()]),
                "internet possible",
            ),
            (
                "no controller in the snapshot",
                plain("", "nginx", "", &[nginx()]),
                "internet possible",
            ),
            (
                "something that is called like a controller",
                plain("", "nginx", "", &[nginx(), of("LoadBalancer", PUBLIC)]),
                "internet possible",
            ),
            (
                "an internal controller",
                plain("", "nginx", "", &[nginx(), of("LoadBalancer", "{ip: 10.0.0.9}")]),
                "private",
            ),
            (
                "by host port of a public node",
                plain("", "nginx", "", &[nginx(), host("203.0.113.7", "ExternalIP")]),
                "internet possible",
            ),
            (
                "by host port of a private node",
                plain("", "nginx", "", &[nginx(), host("10.0.0.7", "InternalIP")]),
                "private",
            ),
            // Something before it is not in the snapshot.
            (
                "of the cluster alone",
                plain("", "nginx", "", &[nginx(), of("ClusterIP", "")]),
                "internet unknown",
            ),
            (
                "a Service of another controller",
                plain(
                    "",
                    "nginx",
                    "",
                    &[nginx(), of("LoadBalancer", PUBLIC).replace("ingress-nginx", "kong")],
                ),
                "internet possible",
            ),
        ],
    );
}

/// I-03: of two controllers of one kind, flags say which class each serves.
#[test]
fn two_controllers_of_one_kind() {
    let one = |name: &str, ip: &str, flag: &str| {
        let spec =
            "type: LoadBalancer, selector: {app: NAME}, ports: [{port: 80}]".replace("NAME", name);
        let containers = format!(
            "[{{name: controller, image: registry.k8s.io/ingress-nginx/controller:v1.11.3, \
             args: [/nginx-ingress-controller, --controller-class={flag}], ports: [{{containerPort: 80}}]}}]"
        );
        let path = format!("ingress-nginx/{name}");
        let ingress = format!("{{ip: {ip}}}");
        [service(&path, "", &spec, &ingress), pod(&path, "n1", &containers)].concat()
    };
    let both = [
        class("nginx", "k8s.io/ingress-nginx", ""),
        class("inner", "k8s.io/inner-ingress-nginx", ""),
        one("ingress-nginx", "203.0.113.9", "k8s.io/ingress-nginx"),
        one("ingress-nginx-inner", "10.0.0.9", "k8s.io/inner-ingress-nginx"),
    ];
    let demo = "type: LoadBalancer, selector: {app: nginx}, ports: [{port: 80}]";
    let demo = [
        service("demo/nginx", "", demo, PUBLIC),
        pod(
            "demo/nginx",
            "n1",
            "[{name: app, image: \"nginx:1.27\", ports: [{containerPort: 80}]}]",
        ),
    ];
    let with_demo = [&both[..], &demo[..]].concat();
    scopes(
        DOOR,
        &[
            ("the public one's", plain("", "nginx", "", &both), "internet certain"),
            ("the internal one's", plain("", "inner", "", &both), "private"),
            ("a server that is called so", plain("", "inner", "", &with_demo), "private"),
        ],
    );
}

/// I-03: its own address is evidence, and of balancers with ranges these decide.
#[test]
fn by_its_own_address() {
    let at = |status: &str| plain("", "", status, &[]);
    let behind_ranges = service(
        "edge/proxy",
        "",
        "type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8], selector: {app: p}, ports: [{port: 80}], allocateLoadBalancerNodePorts: false",
        PUBLIC,
    );
    scopes(
        DOOR,
        &[
            ("public", at(PUBLIC), "internet certain"),
            ("private", at("{ip: 10.0.0.9}"), "private"),
            ("public, IPv6", at("{ip: \"2a00::9\"}"), "internet certain"),
            (
                "public of AWS",
                at("{hostname: k8s-1.eu-west-1.elb.amazonaws.com}"),
                "internet certain",
            ),
            (
                "internal of AWS",
                at("{hostname: internal-k8s-1.eu-west-1.elb.amazonaws.com}"),
                "private",
            ),
            ("a name that does not tell", at("{hostname: lb.example}"), "internet likely"),
            ("one of two", at("{ip: 10.0.0.9}, {ip: 203.0.113.10}"), "internet certain"),
            ("behind source ranges", plain("", "", PUBLIC, &[behind_ranges]), "private"),
        ],
    );
}

/// I-04: balancers outside the cluster.
#[test]
fn controllers_of_clouds() {
    let alb = |annotations: &str, status: &str| {
        plain(annotations, "alb", status, &[class("alb", "ingress.k8s.aws/alb", "")])
    };
    let scheme = |word: &str| format!("alb.ingress.kubernetes.io/scheme: {word}");
    let params = "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: alb}\n\
        spec: {controller: ingress.k8s.aws/alb, parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: own}}\n";
    let cidrs = |list: &str| {
        let both = format!(
            "{}, alb.ingress.kubernetes.io/inbound-cidrs: \"{list}\"",
            scheme("internet-facing")
        );
        alb(&both, "")
    };
    scopes(
        DOOR,
        &[
            ("AWS, by default", alb("", ""), "private"),
            ("AWS, internal", alb(&scheme("internal"), ""), "private"),
            ("AWS, facing", alb(&scheme("internet-facing"), ""), "internet likely"),
            (
                "AWS, the annotation's class",
                plain(
                    &format!("kubernetes.io/ingress.class: alb, {}", scheme("internet-facing")),
                    "",
                    "",
                    &[],
                ),
                "internet likely",
            ),
            (
                "AWS, its address wins",
                alb(
                    &scheme("internet-facing"),
                    "{hostname: internal-k8s-1.eu-west-1.elb.amazonaws.com}",
                ),
                "private",
            ),
            // They override the annotation, and are not read.
            (
                "AWS, parameters of the class",
                plain("", "alb", "", &[params.to_owned()]),
                "internet possible",
            ),
            ("AWS, inbound from everywhere", cidrs("0.0.0.0/0"), "internet likely"),
            ("AWS, inbound from some", cidrs("198.51.100.0/24"), "internet possible"),
            ("AWS, inbound from private networks", cidrs("10.0.0.0/8,172.16.0.0/12"), "private"),
            ("GKE", plain("kubernetes.io/ingress.class: gce", "", "", &[]), "internet likely"),
            (
                "GKE, internal",
                plain("kubernetes.io/ingress.class: gce-internal", "", "", &[]),
                "private",
            ),
            (
                "GKE, internal by its address",
                plain("kubernetes.io/ingress.class: gce", "", "{ip: 10.0.0.9}", &[]),
                "private",
            ),
        ],
    );
}

/// I-06: authentication, TLS and hosts change nothing; source ranges may.
#[test]
fn attributes() {
    let nginx = |annotations: &str| {
        let spec = "type: LoadBalancer, selector: {app: nginx}, ports: [{port: 80}]";
        let more = [
            class("nginx", "k8s.io/ingress-nginx", ""),
            service("ingress-nginx/ingress-nginx-controller", "", spec, PUBLIC),
            controller(),
        ];
        plain(annotations, "nginx", "", &more)
    };
    let ranges = |list: &str| {
        nginx(&format!("nginx.ingress.kubernetes.io/whitelist-source-range: \"{list}\""))
    };
    let allow = |list: &str| format!("nginx.ingress.kubernetes.io/allowlist-source-range: {list}");
    let both = format!(
        "{}, nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
        allow("0.0.0.0/0")
    );
    let of_nginx = plain(
        &allow("10.0.0.0/8"),
        "nginx",
        PUBLIC,
        &[class("nginx", "nginx.org/ingress-controller", "")],
    );
    let other = plain(
        "nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
        "",
        PUBLIC,
        &[class(
            "kong",
            "ingress-controllers.konghq.com/kong",
            ", annotations: {ingressclass.kubernetes.io/is-default-class: \"true\"}",
        )],
    );
    let tls = ingress("", &format!("tls: [{{hosts: [shop.internal]}}], {}", path(TO_WEB)), PUBLIC);
    scopes(
        DOOR,
        &[
            (
                "authentication",
                nginx("nginx.ingress.kubernetes.io/auth-url: https://login.example"),
                "internet certain",
            ),
            ("TLS", [tls, behind(), web()].concat(), "internet certain"),
            ("every source", ranges("0.0.0.0/0"), "internet certain"),
            ("some sources", ranges("198.51.100.0/24"), "internet possible"),
            ("private sources", ranges("10.0.0.0/8, 192.168.0.0/16"), "private"),
            ("private sources, by the newer word", nginx(&allow("10.0.0.0/8")), "private"),
            ("the newer word wins", nginx(&both), "internet certain"),
            ("of a controller that does not read it", other, "internet certain"),
            ("of the controller of NGINX itself", of_nginx, "internet certain"),
        ],
    );
}
