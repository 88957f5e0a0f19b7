//! `why` about the network: the policy and rule that decide, what a connection would need, and the
//! doors and inner ways that policies hold. Expectations follow from Kubernetes' rules.

use super::cli::{cluster, fails, json, stdout};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// A snapshot of its own.
struct Cluster(TempDir);

impl Cluster {
    fn new(documents: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<String> = documents.iter().map(|d| format!("---\n{d}\n")).collect();
        fs::write(folder.path().join("cluster.yaml"), all.concat()).unwrap();
        Self(folder)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn text(&self, args: &[&str]) -> String {
        // One space for every gap: where lines break is not what is tested.
        let text = stdout(&[&["why", self.path(), "-q"], args].concat());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn network(&self, args: &[&str]) -> Value {
        json(&[&["why", self.path(), "-q", "-o", "json"], args].concat())["network"].clone()
    }
}

fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

fn lacks(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "`{part}` is in:\n{text}");
    }
}

fn pod(name: &str, labels: &str, port: u16) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{{labels}}}}}\n\
         spec: {{nodeName: n, serviceAccountName: {name}, containers: [{{name: c, image: i, ports: [{{containerPort: {port}}}]}}]}}\n\
         status: {{phase: Running, podIP: 10.244.0.{port}}}"
    )
}

fn policy(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}"
    )
}

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}";
const NODE: &str = "apiVersion: v1\nkind: Node\nmetadata: {name: n}\n\
                    status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}";

fn shop(more: &[String]) -> Cluster {
    let deny = policy("default-deny", "{podSelector: {}, policyTypes: [Ingress]}");
    let allow = policy(
        "db-allow",
        "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: \
         {role: client}}}], ports: [{port: 5432}]}]}",
    );
    let db = pod("db", "app: db", 54);
    let mut all = vec![NAMESPACE, NODE, &deny, &allow, &db];
    all.extend(more.iter().map(String::as_str));
    Cluster::new(&all)
}

#[test]
fn a_denied_connection_names_the_smallest_rule_and_the_label() {
    let of = shop(&[pod("web", "app: web", 80)]);
    let ask = ["pod/shop/web", "pod/shop/db", "--port", "5432"];
    let told = of.text(&[&["--not"], &ask[..]].concat());
    holds(
        &told,
        &[
            "shop/web[Pod] -> shop/db[Pod] TCP 5432: denied",
            "isolated for ingress by shop/db-allow, shop/default-deny; no rule matches",
            // Of the two that isolate it, the one that selects nothing else.
            "it would need a rule in .spec.ingress of shop/db-allow: {from: [{podSelector: {matchLabels: {app: web}}}], ports: [{protocol: TCP, port: 5432}]}",
            "that would open TCP 5432 from shop/web[Pod] to shop/db[Pod]",
            "or the label role: client on shop/web[Pod]; that would open all that shop/db-allow .spec.ingress[0] lets through",
        ],
    );
    lacks(&told, &["of shop/default-deny:", "opens less", "both ends"]);
    // Without --not it says why, and proposes nothing.
    let plain = of.text(&ask);
    holds(&plain, &["TCP 5432: denied", "isolated for ingress by shop/db-allow"]);
    lacks(&plain, &["it would need", "to open it"]);
    // What was said of the label is so.
    let given = shop(&[pod("web", "app: web, role: client", 80)]);
    let told = given.text(&ask);
    holds(&told, &["TCP 5432: allowed", "allowed by shop/db-allow .spec.ingress[0]"]);
    let rows = given.network(&["pod/shop/web", "pod/shop/db"]);
    let verdicts: Vec<_> =
        rows["connections"].as_array().unwrap().iter().map(|r| &r["verdict"]).collect();
    assert_eq!(verdicts, ["allowed", "denied"], "{rows}");
    // A label that is there with another value stays: something else selects by it.
    let other = shop(&[pod("web", "app: web, role: server", 80)]);
    lacks(&other.text(&[&["--not"], &ask[..]].concat()), &["or the label"]);
    // Another port: that rule would not do.
    let told = of.text(&["--not", "pod/shop/web", "pod/shop/db", "--port", "22"]);
    holds(&told, &["TCP 22: denied", "port: 22"]);
    lacks(&told, &["or the label"]);
}

#[test]
fn both_ends_may_hold_it_back() {
    let spec = "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}";
    let of = shop(&[pod("web", "app: web", 80), policy("no-egress", spec)]);
    let told = of.text(&["--not", "pod/shop/web", "pod/shop/db", "--port", "5432"]);
    holds(
        &told,
        &[
            "both ends hold it back, and each would have to change",
            "a rule in .spec.ingress of shop/db-allow",
            "a rule in .spec.egress of shop/no-egress: {to: [{podSelector: {matchLabels: {app: db}}}]",
            "that would open TCP 5432 from shop/web[Pod] to shop/db[Pod]",
        ],
    );
}

#[test]
fn other_kinds_of_policies_are_not_told_in_the_words_of_kubernetes() {
    let cilium = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n\
                  metadata: {name: fence, namespace: shop}\n\
                  spec: {endpointSelector: {matchLabels: {app: db}}, ingress: [{}]}";
    let (web, db) = (pod("web", "app: web", 80), pod("db", "app: db", 54));
    let of = Cluster::new(&[NAMESPACE, NODE, &web, &db, cilium]);
    let told =
        of.text(&["--not", "pod/shop/web", "pod/shop/db", "--port", "5432", "--cni", "cilium"]);
    holds(
        &told,
        &[
            "a rule for ingress in CiliumNetworkPolicy shop/fence that allows TCP 5432 from shop/web[Pod] to shop/db[Pod]",
        ],
    );
    lacks(&told, &["ipBlock", "podSelector"]);
}

#[test]
fn without_a_door_no_policy_is_the_matter() {
    let of = shop(&[]);
    let told = of.text(&["--not", "internet", "pod/shop/db"]);
    holds(&told, &["no door from the internet: no change to a policy makes one"]);
    let network = of.network(&["--not", "internet", "pod/shop/db"]);
    assert_eq!(network["doors"], serde_json::json!([]));
    assert_eq!(network["connections"][0]["verdict"], "denied");
}

#[test]
fn the_policy_that_holds_a_door_is_named() {
    let fence = cluster("one-fence");
    let ask = ["why", "--not", &fence, "internet", "cluster-admin", "-q"];
    let told = stdout(&ask);
    holds(
        &told,
        &[
            "doors from the internet (1, 1 held by policies)",
            "gatehouse/service/console -> gatehouse/console-0[Pod]  TCP 8443: denied",
            "isolated for ingress by gatehouse/console-fence; no rule matches",
        ],
    );
    // It comes first: all else that the end is reached from is farther away.
    assert!(told.find("doors from the internet") < told.find("the start reaches"), "{told}");
    let data = json(&[&ask[..], &["-o", "json"]].concat());
    let door = &data["network"]["doors"][0];
    assert_eq!(door["entry"], "gatehouse/service/console");
    assert_eq!(door["verdict"], "denied");
    assert!(door["ingress"][0]["at"].as_str().unwrap().contains("gatehouse.yaml:"), "{door}");
    let open = stdout(&[&ask[..], &["--enforces", "no"]].concat());
    holds(&open, &["there is a way"]);
    lacks(&open, &["doors from the internet"]);
}

#[test]
fn policies_that_hold_an_inner_way_are_named() {
    let admin = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n\
                 subjects: [{kind: ServiceAccount, name: tools, namespace: shop}]\n\
                 roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}";
    let spec = "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}";
    let (web, tools) = (pod("web", "app: web", 80), pod("tools", "app: tools", 90));
    let token = "volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: token}}]}}], \
                 containers: [{volumeMounts: [{name: t, mountPath: /t}], ";
    let tools = tools.replace("containers: [{", token);
    let fence = policy("no-egress", spec);
    let of = Cluster::new(&[NAMESPACE, NODE, &web, &tools, admin, &fence]);
    let told = of.text(&["--not", "pod/shop/web", "cluster-admin", "--enforces", "yes"]);
    holds(
        &told,
        &[
            "held by policies on the way to what leads there",
            "shop/web[Pod] -> shop/tools[Pod] TCP 90: denied",
            "isolated for egress by shop/no-egress; no rule matches",
        ],
    );
    let free = Cluster::new(&[NAMESPACE, NODE, &web, &tools, admin]);
    lacks(&free.text(&["--not", "pod/shop/web", "cluster-admin"]), &["held by policies"]);
}

#[test]
fn what_has_no_address_is_not_spoken_of() {
    let of = shop(&[pod("web", "app: web", 80)]);
    let told = of.text(&["sa/shop/web", "pod/shop/db"]);
    lacks(&told, &["over the network"]);
    assert_eq!(of.network(&["sa/shop/web", "pod/shop/db"]), Value::Null);
    let told = of.text(&["pod/shop/web", "169.254.169.254", "--port", "80"]);
    holds(&told, &["169.254.169.254", "TCP 80: allowed", "no policy isolates the source"]);
    lacks(&told, &["no single step"]);
    fails(
        &["why", of.path(), "pod/shop/nobody", "pod/shop/db"],
        2,
        &["`pod/shop/nobody`", "help:"],
    );
}

fn door(of: &Cluster, entry: &str, more: &[&str]) -> Option<Value> {
    let all = json(&[&["reach", of.path(), "-q", "-o", "json"], more].concat());
    let rows = all["exposed"].as_array().unwrap();
    rows.iter().find(|row| row["entry"] == entry).cloned()
}

#[test]
fn a_door_is_judged_by_whose_address_the_pod_sees() {
    let office = policy(
        "office",
        "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}",
    );
    let service = |traffic: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\n\
             spec: {{type: LoadBalancer, externalTrafficPolicy: {traffic}, selector: {{app: web}}, ports: [{{port: 80}}]}}\n\
             status: {{loadBalancer: {{ingress: [{{ip: 198.51.100.7}}]}}}}"
        )
    };
    let web = pod("web", "app: web", 80);
    let of = |traffic: &str| Cluster::new(&[NAMESPACE, NODE, &web, &office, &service(traffic)]);
    let kept = door(&of("Local"), "shop/service/web", &[]).unwrap();
    assert_eq!(kept["verdict"], "allowed");
    assert_eq!(kept["reason"], "from 203.0.113.0/24 only");
    // A node that puts its own address in the client's place is let in by no rule.
    let hidden = door(&of("Cluster"), "shop/service/web", &[]).unwrap();
    assert_eq!(hidden["verdict"], "unknown");
    let reason = hidden["reason"].as_str().unwrap();
    assert!(reason.contains("client's address or its node's"), "{reason}");
}

#[test]
fn an_ingress_leads_nowhere_when_policies_close_its_controller() {
    let controller = "apiVersion: v1\nkind: Pod\nmetadata: {name: ctl, namespace: edge, labels: {app: ctl}}\n\
        spec: {nodeName: n, containers: [{name: c, image: registry.k8s.io/ingress-nginx/controller:v1.13.0, args: [/nginx-ingress-controller], ports: [{containerPort: 80}]}]}\n\
        status: {phase: Running}";
    let front = "apiVersion: v1\nkind: Service\nmetadata: {name: ctl, namespace: edge}\n\
        spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: ctl}, ports: [{port: 80}]}\n\
        status: {loadBalancer: {ingress: [{ip: 198.51.100.7}]}}";
    let class = "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\n\
        spec: {controller: k8s.io/ingress-nginx}";
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\n\
        spec: {ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}}\n\
        status: {loadBalancer: {ingress: [{ip: 198.51.100.7}]}}";
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n\
        spec: {selector: {app: web}, ports: [{port: 80}]}";
    let closed = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
        metadata: {name: shut, namespace: edge}\nspec: {podSelector: {}, policyTypes: [Ingress]}";
    let web = pod("web", "app: web", 80);
    let mut all = vec![NAMESPACE, NODE, controller, front, class, ingress, service, &web];
    let open = door(&Cluster::new(&all), "shop/ingress/web", &[]).unwrap();
    assert_eq!(open["verdict"], "allowed");
    all.push(closed);
    let of = Cluster::new(&all);
    assert_eq!(door(&of, "shop/ingress/web", &[]), None);
    let shut = door(&of, "shop/ingress/web", &["--all"]).unwrap();
    assert_eq!(shut["verdict"], "denied");
    assert_eq!(shut["reason"], "policies close the pods that would pass requests on");
}

#[test]
fn hostile_names_are_made_safe() {
    let name = "a\\e[2J\\u202e`<b>\\n";
    let policy = format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: \"{name}\", namespace: shop}}\n\
         spec: {{podSelector: {{}}, policyTypes: [Ingress], ingress: [{{from: [{{podSelector: {{matchLabels: {{x: \"{name}\"}}}}}}]}}]}}"
    );
    let (web, db) = (pod("web", "app: web", 80), pod("db", "app: db", 54));
    let of = Cluster::new(&[NAMESPACE, NODE, &web, &db, &policy]);
    for not in [&[][..], &["--not"]] {
        let args = [&["why", of.path(), "-q", "pod/shop/web", "pod/shop/db"], not].concat();
        let text = stdout(&args);
        assert!(text.contains("isolated for ingress by shop/a"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
}
