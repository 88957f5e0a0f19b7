//! The network screen: who reaches a node, whom it reaches, by which policy and rule.

use super::evidence::sit;
use kspm_graph::tui::pilot::Pilot;

const CLUSTER: &str = r#"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- {apiVersion: v1, kind: Namespace, metadata: {name: other}}
- apiVersion: v1
  kind: Pod
  metadata: {name: web, namespace: shop, labels: {app: web}}
  spec: {nodeName: one, containers: [{name: app, image: i, ports: [{containerPort: 8080}]}]}
  status: {phase: Running}
- apiVersion: v1
  kind: Pod
  metadata: {name: db, namespace: shop, labels: {app: db}}
  spec: {nodeName: one, containers: [{name: app, image: i, ports: [{containerPort: 5432}]}]}
  status: {phase: Running}
- apiVersion: v1
  kind: Pod
  metadata: {name: job, namespace: other, labels: {app: job}}
  spec: {nodeName: one, containers: [{name: app, image: i}]}
  status: {phase: Running}
- apiVersion: v1
  kind: Pod
  metadata: {name: "calico-node-1", namespace: kube-system, labels: {k8s-app: calico-node}}
  spec: {nodeName: one, hostNetwork: true, containers: [{name: calico-node, image: "docker.io/calico/node:v3.26.1"}]}
  status: {phase: Running}
- {apiVersion: v1, kind: Node, metadata: {name: one}, status: {addresses: [{type: InternalIP, address: 10.1.1.1}]}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: ci, namespace: shop}}
- apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: shop}
  spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
  status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: db-from-web, namespace: shop}
  spec:
    podSelector: {matchLabels: {app: db}}
    policyTypes: [Ingress, Egress]
    ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{protocol: TCP, port: 5432}]
"#;

fn pilot(size: (u16, u16)) -> (tempfile::TempDir, Pilot) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.yaml");
    std::fs::write(&path, CLUSTER).unwrap();
    (folder, sit(&path, size))
}

/// The rows of the screen that have all of some words.
fn rows<'s>(screen: &'s str, words: &[&str]) -> Vec<&'s str> {
    screen.lines().filter(|line| words.iter().all(|word| line.contains(word))).collect()
}

/// The left pane of a screen of 160 columns.
fn left(screen: &str) -> String {
    screen.lines().map(|line| line.chars().take(80).collect::<String>() + "\n").collect()
}

#[test]
fn who_reaches_a_pod_and_by_which_rule() {
    let (_folder, mut pilot) = pilot((160, 40));
    pilot.press(":reach pod/shop/db<enter>");
    let screen = pilot.screen();
    assert!(screen.contains("[6 Network]"), "{screen}");
    let pane = left(&screen);
    assert_eq!(rows(&pane, &["+ allowed", "shop/web[Pod]", "TCP 5432"]).len(), 1, "{screen}");
    assert_eq!(rows(&pane, &["x denied", "other/job[Pod]", "all ports"]).len(), 1, "{screen}");
    // What is allowed does not say again that the rest is not.
    assert_eq!(rows(&pane, &["x denied", "shop/web[Pod]"]).len(), 0, "{screen}");
    assert!(screen.contains("isolated by shop/db-from-web: takes only what a rule allows"));
    assert!(screen.contains("Calico 3.26 enforces network policies"), "{screen}");
    assert!(screen.contains("none: the snapshot shows no way in"), "{screen}");
    pilot.press("/pod/shop/web<enter>");
    let screen = pilot.screen();
    assert!(screen.contains("Why: shop/web[Pod] to shop/db[Pod]"), "{screen}");
    assert!(screen.contains("allowed by shop/db-from-web .spec.ingress[0]"), "{screen}");
    assert!(screen.contains("no policy isolates the source"), "{screen}");
}

#[test]
fn whom_a_pod_reaches_stands_in_the_other_pane() {
    let (_folder, mut pilot) = pilot((160, 40));
    pilot.press(":reach pod/shop/db<enter><tab>");
    let screen = pilot.screen();
    assert!(screen.contains("▶ Whom it reaches"), "{screen}");
    assert!(screen.contains("sends only what a rule allows"), "{screen}");
    assert!(screen.contains("isolated for egress by shop/db-from-web"), "{screen}");
    pilot.press(":reach pod/shop/web<enter><tab>");
    let screen = pilot.screen();
    assert!(!rows(&screen, &["+ allowed", "shop/db[Pod]", "TCP 5432"]).is_empty(), "{screen}");
    assert!(rows(&screen, &["+ allowed", "outside", "all ports"]).len() == 1, "{screen}");
}

#[test]
fn enter_goes_to_the_other_side_and_the_rule_is_evidence() {
    let (_folder, mut pilot) = pilot((120, 40));
    pilot.press(":reach pod/shop/db<enter>/pod/shop/web<enter>e");
    let screen = pilot.screen();
    assert!(screen.contains("NetworkPolicy shop/db-from-web"), "{screen}");
    assert!(screen.contains("podSelector:"), "{screen}");
    pilot.press("<esc>Y");
    let command = pilot.copied.last().unwrap().clone();
    let end = "--to pod/shop/db --from pod/shop/web --level workload";
    assert!(command.ends_with(end), "{command}");
    pilot.press("<enter>");
    let screen = pilot.screen();
    assert!(screen.contains("[3 Explorer]") && screen.contains("pod shop/web"), "{screen}");
}

#[test]
fn namespaces_machines_doors_and_the_internet_have_a_place() {
    let (_folder, mut pilot) = pilot((160, 40));
    for (selector, words) in [
        (
            "ns/shop",
            ["Network of namespace shop: 2 workloads", "1 of 2 isolated by shop/db-from-web"],
        ),
        ("node/one", ["+ allowed every pod ", "? unknown shop/db[Pod]"]),
        (
            "container/shop/web/app",
            ["Network of container shop/web/app: shop/web[Pod]", "shop/service/web"],
        ),
        ("entry/shop/service/web", ["Network of what stands behind", "shop/web[Pod]"]),
        (
            "internet",
            ["Network of internet", "shop/service/web to shop/web[Pod] TCP 8080 (allowed"],
        ),
    ] {
        pilot.press(&format!(":reach {selector}<enter><tab>"));
        let screen = pilot.screen();
        for word in words {
            assert!(screen.contains(word), "{selector} lacks `{word}`:\n{screen}");
        }
        pilot.press("<tab>");
    }
}

#[test]
fn what_has_no_address_says_what_to_choose() {
    let (_folder, mut pilot) = pilot((80, 24));
    pilot.press(":reach sa/shop/ci<enter>");
    let screen = pilot.screen();
    assert!(screen.contains("service account shop/ci has no address: choose a pod"), "{screen}");
    pilot.press("<enter>ejMY");
    assert!(pilot.copied.last().unwrap().ends_with("reach cluster"), "{:?}", pilot.copied);
}

#[test]
fn the_small_screen_and_the_table_have_the_same_rows() {
    let (_folder, mut pilot) = pilot((80, 24));
    pilot.press(":reach pod/shop/db<enter>");
    let screen = pilot.screen();
    assert_eq!(rows(&screen, &["+ allowed", "TCP 5432"]).len(), 1, "{screen}");
    assert!(screen.contains("Why: "), "{screen}");
    pilot.press("M");
    let (name, bytes) = pilot.written.last().unwrap();
    let table = String::from_utf8_lossy(bytes);
    assert_eq!(name, "kspm-graph-network.md");
    assert_eq!(rows(&table, &["| allowed |", "shop/web", "TCP 5432"]).len(), 1, "{table}");
    assert_eq!(rows(&table, &["| denied |", "other/job"]).len(), 2, "both directions: {table}");
    pilot.model.size = (50, 20);
    let one = pilot.screen();
    assert!(one.contains("Who reaches it") && !one.contains("Whom it reaches"), "{one}");
}

/// The view of a node as a table, without what is said of changes.
fn table(pilot: &mut Pilot, node: &str) -> Vec<String> {
    pilot.press(&format!(":reach {node}<enter>M"));
    let (_, bytes) = pilot.written.last().unwrap();
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.lines().filter(|line| !line.starts_with("- pretended")).map(str::to_owned).collect()
}

/// Somebody before a cluster that is the same but for a piece of its text.
fn without(gone: &str, instead: &str) -> (tempfile::TempDir, Pilot) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.yaml");
    assert!(CLUSTER.contains(gone));
    std::fs::write(&path, CLUSTER.replace(gone, instead)).unwrap();
    let pilot = sit(&path, (160, 40));
    (folder, pilot)
}

#[test]
fn a_rule_that_is_pretended_to_be_gone_is_gone() {
    let (_folder, mut pilot) = pilot((160, 40));
    pilot.press(":reach pod/shop/db<enter>/pod/shop/web<enter>");
    assert!(pilot.screen().contains("+ allowed shop/web[Pod]"), "{}", pilot.screen());
    pilot.press("<space><esc>");
    let screen = pilot.screen();
    let said = "pretended without NetworkPolicy shop/db-from-web .spec.ingress[0]";
    assert!(screen.contains(said), "{screen}");
    assert_eq!(rows(&left(&screen), &["+ allowed", "shop/web[Pod]"]).len(), 0, "{screen}");
    assert!(screen.contains("x denied"), "{screen}");
    // It is what the cluster would be.
    let rule = "    ingress:\n    - from: [{podSelector: {matchLabels: {app: web}}}]\n      \
                ports: [{protocol: TCP, port: 5432}]\n";
    let (_other, mut really) = without(rule, "    ingress: []\n");
    for node in ["pod/shop/db", "pod/shop/web", "ns/other", "internet"] {
        assert_eq!(table(&mut pilot, node), table(&mut really, node), "{node}");
    }
    // It stands in the list of what is pretended, and comes back from there.
    pilot.press("5");
    let list = pilot.screen();
    let line = ["network only", "NetworkPolicy shop/db-from-web .spec.ingress[0]"];
    assert_eq!(rows(&list, &line).len(), 1, "{list}");
    pilot.press("<space>:reach pod/shop/db<enter>");
    assert_eq!(rows(&left(&pilot.screen()), &["+ allowed", "shop/web[Pod]"]).len(), 1);
}

#[test]
fn a_policy_that_is_pretended_to_be_gone_isolates_nobody() {
    let (_folder, mut pilot) = pilot((160, 40));
    let before = table(&mut pilot, "pod/shop/db");
    pilot.press("/other/job<enter>");
    assert!(pilot.screen().contains("x denied"), "{}", pilot.screen());
    pilot.press("<space><esc>");
    let screen = pilot.screen();
    assert!(screen.contains("without NetworkPolicy shop/db-from-web;"), "{screen}");
    assert!(screen.contains("Paths does not show what that opens"), "{screen}");
    assert_eq!(rows(&left(&screen), &["+ allowed", "every pod but itself"]).len(), 1, "{screen}");
    let at = CLUSTER.find("- apiVersion: networking.k8s.io/v1").unwrap();
    let (_other, mut really) = without(CLUSTER.split_at(at).1, "");
    for node in ["pod/shop/db", "ns/other", "internet"] {
        let said = |lines: Vec<String>| -> Vec<String> {
            // That there is no policy at all is said in words of its own.
            lines.into_iter().filter(|line| !line.starts_with("- policies")).collect()
        };
        assert_eq!(said(table(&mut pilot, node)), said(table(&mut really, node)), "{node}");
    }
    pilot.press("u");
    assert_eq!(table(&mut pilot, "pod/shop/db"), before);
}

#[test]
fn a_door_that_is_pretended_to_be_closed_is_closed_and_the_rest_says_so() {
    let (_folder, mut pilot) = pilot((160, 40));
    pilot.press(":go entry/shop/service/web<enter><space>:reach pod/shop/web<enter>");
    let screen = pilot.screen();
    assert!(screen.contains("none: what is pretended leaves no way in"), "{screen}");
    assert!(screen.contains("pretended 1 door is closed"), "{screen}");
    pilot.press(":reach pod/shop/db<enter>");
    let screen = pilot.screen();
    assert!(screen.contains("1 change touches no policy or door of it"), "{screen}");
}
