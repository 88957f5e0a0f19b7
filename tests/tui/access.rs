//! The Access screen, by keys: what is on it after which, and what must not be.

use crate::fixtures::world;
use kspm_graph::attacks;
use kspm_graph::graph::NodeId;
use kspm_graph::input::Origin;
use kspm_graph::query::selector::Selector;
use kspm_graph::report::{Lines, Snapshot};
use kspm_graph::tui::Loaded;
use kspm_graph::tui::pilot::Pilot;
use kspm_graph::tui::screens::Screen;
use kspm_graph::tui::theme::Theme;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A source whose lines nobody looks for.
struct Nowhere;

impl Lines for Nowhere {
    fn lines(&self, wanted: &[(Origin, &str)]) -> Vec<Option<u64>> {
        vec![None; wanted.len()]
    }
}

/// Somebody before a cluster, of which no query is asked.
fn before(yaml: &str) -> Pilot {
    let world = world(yaml);
    let inputs = vec!["a b.yaml".to_owned(), "more.yaml".to_owned()];
    let sources = vec!["a.yaml".to_owned()];
    let snapshot = Snapshot { inputs, sources, objects: 1, problems: Vec::new() };
    let coverage = world.coverage();
    let graph = attacks::derive(Arc::new(world));
    let mut pilot = Pilot::new((100, 30), Theme { palette: 0, ascii: true });
    let (queries, lines) = (Vec::new(), Box::new(Nowhere));
    pilot.load(Arc::new(Loaded { graph, snapshot, coverage, queries, lines }));
    pilot
}

fn node(pilot: &Pilot, selector: &str) -> NodeId {
    Selector::parse(selector).unwrap().select(pilot.model.graph().unwrap()).unwrap()[0]
}

fn line_with<'a>(screen: &'a str, text: &str) -> &'a str {
    screen.lines().find(|l| l.contains(text)).unwrap_or_else(|| panic!("no `{text}` in\n{screen}"))
}

#[track_caller]
fn shows(pilot: &Pilot, texts: &[&str]) {
    let screen = pilot.screen();
    for text in texts {
        assert!(screen.contains(text), "no `{text}` in\n{screen}");
    }
}

#[track_caller]
fn hides(pilot: &Pilot, texts: &[&str]) {
    let screen = pilot.screen();
    for text in texts {
        assert!(!screen.contains(text), "`{text}` in\n{screen}");
    }
}

/// `reader` reads the Secrets of `shop`; `entrant` enters its pods, of which one runs as `reader`;
/// `other` reads those of `far`; every account may look at `/version` and list pods.
const SHOP: &str = r#"
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: far}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: reader, namespace: shop}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: entrant, namespace: shop}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: other, namespace: far}}
---
apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: shop}
spec:
  serviceAccountName: reader
  nodeName: n1
  volumes: [{name: token, projected: {sources: [{serviceAccountToken: {path: token}}]}}]
  containers: [{name: app, image: a, volumeMounts: [{name: token, mountPath: /token}]}]
status: {phase: Running}
---
{apiVersion: v1, kind: Node, metadata: {name: n1}}
---
{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}, type: Opaque}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reads, namespace: shop}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reads}
subjects: [{kind: ServiceAccount, name: reader, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: enters, namespace: shop}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
- {apiGroups: [""], resources: [pods/exec], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: entrants, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: enters}
subjects: [{kind: ServiceAccount, name: entrant, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reads, namespace: far}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: far}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reads}
subjects: [{kind: ServiceAccount, name: other, namespace: far}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: looks}
rules:
- {nonResourceURLs: [/version], verbs: [get]}
- {apiGroups: [""], resources: [pods], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lookers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: looks}
subjects: [{kind: Group, name: "system:serviceaccounts"}]
"#;

#[test]
fn a_typed_question_names_the_holders_of_its_namespace_and_those_who_get_there() {
    let mut pilot = before(SHOP);
    pilot.press(":who-can get secrets -n shop<enter>");
    assert_eq!(pilot.model.screen, Screen::Access);
    shows(&pilot, &["who-can get secrets -n shop", "Hold it: 1 ", "sa/shop/reader", "readers: "]);
    hides(&pilot, &["sa/far/other"]);
    // The other pane: who enters a pod that runs as the holder; the holder itself is no other.
    let there = pilot.screen();
    line_with(&there, "sa/shop/entrant");
    let holder = there.lines().filter(|l| l.contains("sa/shop/reader")).count();
    assert_eq!(holder, 2, "its row and what is told beneath\n{there}");
    // Without a namespace those of all count.
    pilot.press(":who-can get secrets<enter>");
    shows(&pilot, &["Hold it: 2", "sa/far/other"]);
}

#[test]
fn the_way_of_somebody_who_gets_there_is_shown_by_enter() {
    let mut pilot = before(SHOP);
    pilot.press(":who-can get secrets -n shop<enter><tab>");
    let entrant = node(&pilot, "sa/shop/entrant");
    while (pilot.model.screen.room().under)(&pilot.model).node != Some(entrant) {
        let before = (pilot.model.screen.room().under)(&pilot.model).node;
        pilot.press("j");
        assert_ne!((pilot.model.screen.room().under)(&pilot.model).node, before, "not listed");
    }
    pilot.press("<enter>");
    assert_eq!(pilot.model.screen, Screen::Paths);
    shows(&pilot, &["pod-exec", "service account shop/entrant reaches role binding"]);
}

#[test]
fn enter_explores_a_holder_and_escape_comes_back_to_the_question_and_then_to_the_screen_before() {
    let mut pilot = before(SHOP);
    pilot.press("2:who-can get secrets -n shop<enter><enter>");
    assert_eq!(pilot.model.screen, Screen::Explorer);
    assert_eq!(pilot.model.node, Some(node(&pilot, "sa/shop/reader")));
    pilot.press("<esc>");
    shows(&pilot, &["who-can get secrets -n shop", "Hold it: 1 "]);
    // It was asked elsewhere, so that leaving it leads there.
    pilot.press("<esc>");
    assert_eq!(pilot.model.screen, Screen::Paths);
}

#[test]
fn a_holder_can_be_pretended_gone_and_is_marked_so() {
    let mut pilot = before(SHOP);
    pilot.press(":who-can get secrets -n shop<enter>");
    let row = |pilot: &Pilot| line_with(&pilot.screen(), "readers: ").to_owned();
    assert!(!row(&pilot).contains("X "), "{}", row(&pilot));
    pilot.press("<space>");
    assert_eq!(pilot.model.changes.facts.len(), 1);
    assert!(row(&pilot).contains("X sa/shop/reader"), "{}", row(&pilot));
    hides(&pilot, &["sa/shop/entrant"]);
    shows(&pilot, &["nobody else", "Hold it: 1, 1 pretended gone"]);
    pilot.press("u");
    assert!(!row(&pilot).contains("X "), "{}", row(&pilot));
    shows(&pilot, &["sa/shop/entrant"]);
}

#[test]
fn mistakes_are_told_with_what_was_meant() {
    let mut pilot = before(SHOP);
    for (typed, said) in [
        ("who-can get", "who-can takes VERB RESOURCE"),
        ("who-can get secrets --wide", "there is no `--wide`; who-can takes"),
        ("can-i get secrets", "nobody is named: can-i takes --as WHO"),
        ("can-i --as", "`--as` lacks its value; can-i takes"),
    ] {
        pilot.press(&format!(":{typed}<enter>"));
        assert!(pilot.model.status.starts_with(said), "{typed}: {}", pilot.model.status);
        assert_eq!(pilot.model.screen, Screen::Paths, "{typed}");
    }
    // What can be asked although nobody knows it is asked, with a doubt.
    for (typed, said) in [
        (
            "who-can gett secrets",
            "no rule has the verb `gett`, and Kubernetes has none of that name; did you mean `get`?",
        ),
        ("who-can get secretz", "did you mean `secrets`?"),
        (
            "who-can get secrets -n shopp",
            "the snapshot has no namespace `shopp`; did you mean `shop`?",
        ),
        (
            "can-i --as sa/shop/raeder get secrets -n shop",
            "the snapshot has no service account `shop/raeder`; did you mean `shop/reader`?",
        ),
    ] {
        pilot.press(&format!(":{typed}<enter>"));
        assert!(pilot.model.status.contains(said), "{typed}: {}", pilot.model.status);
        assert_eq!(pilot.model.screen, Screen::Access);
        // It stays when the status line has gone.
        pilot.press("j");
        pilot.model.size.0 = 160;
        shows(&pilot, &[said]);
    }
}

#[test]
fn one_user_gets_a_verdict_with_its_reason_or_the_way_round() {
    let mut pilot = before(SHOP);
    pilot.press(":can-i --as sa/shop/reader get secrets -n shop<enter>");
    shows(&pilot, &["yes: RBAC: allowed by RoleBinding", "By these bindings: 1", "readers"]);
    pilot.press(":can-i --as sa/shop/entrant get secrets -n shop<enter>");
    let screen = pilot.screen();
    assert!(screen.lines().any(|line| line == "no"), "{screen}");
    shows(&pilot, &["By these bindings: 0", "but it gets there by an attack path, likelihood 0."]);
    // By a group that Kubernetes adds; and by one that is given.
    pilot.press(":can-i --as sa/far/other get /version<enter>");
    shows(&pilot, &["yes: RBAC: allowed by ClusterRoleBinding", "group/system:serviceaccounts"]);
    pilot.press(":can-i --as jo --as-group system:masters delete nodes<enter>");
    shows(&pilot, &["yes: group system:masters may do everything"]);
}

#[test]
fn of_an_account_it_shows_what_it_may_do_the_dangerous_first_and_through_groups() {
    let mut pilot = before(SHOP);
    pilot.press(":rights sa/shop/entrant<enter>");
    shows(&pilot, &["May do: 4 rules"]);
    let screen = pilot.screen();
    let at = |text: &str| screen.find(text).unwrap_or_else(|| panic!("no `{text}` in\n{screen}"));
    assert!(at("danger create on pods/exec") < at("read   get,list on pods"), "{screen}");
    assert!(at("read   get,list on pods") < at("path   get on /version"), "{screen}");
    assert!(line_with(&screen, "create on pods/exec").contains("shop"), "{screen}");
    // The reason of a rule that reaches it through a group.
    pilot.press("j");
    shows(&pilot, &["group/system:serviceaccounts may list on pods"]);
    // Enter leads to the binding; then back.
    pilot.press("<enter>");
    assert_eq!(pilot.model.node, Some(node(&pilot, "clusterrolebinding/lookers")));
    pilot.press("<esc>");
    shows(&pilot, &["May do: 4 rules", "ask for its token"]);
}

#[test]
fn of_a_secret_and_a_pod_it_offers_questions_and_enter_asks_them() {
    let mut pilot = before(SHOP);
    pilot.press(":rights secret/shop/db<enter>");
    let screen = pilot.screen();
    let offered = line_with(&screen, "read it");
    assert!(offered.contains(" 1  who-can get secrets db -n shop"), "{offered}");
    pilot.press("<enter>");
    shows(&pilot, &["who-can get secrets db -n shop", "sa/shop/reader"]);
    // The question was asked here: to leave it shows the offers again.
    pilot.press("<esc>");
    shows(&pilot, &["list its namespace's Secrets"]);
    pilot.press(":rights pod/shop/web-0<enter>");
    shows(&pilot, &["who-can create pods/exec web-0 -n shop", "What acts for it may do"]);
    // Its account is the last row.
    pilot.press("G<enter>");
    assert_eq!(pilot.model.node, Some(node(&pilot, "sa/shop/reader")));
    shows(&pilot, &["May do: 3 rules"]);
}

#[test]
fn every_kind_of_node_has_something_to_ask() {
    let mut pilot = before(SHOP);
    let all: Vec<NodeId> = pilot.model.graph().unwrap().nodes().collect();
    for node in all {
        pilot.model.screen = Screen::Coverage;
        pilot.model.node = Some(node);
        pilot.press("7");
        let spelled = pilot.model.spelled(node);
        let screen = pilot.screen();
        assert!(screen.contains("who-can "), "{spelled}:\n{screen}");
        // Every row can be asked for a command and opened.
        pilot.press("Y");
        let command = pilot.copied.last().unwrap();
        assert!(
            command.starts_with("kspm-graph who-can ") || command.starts_with("kspm-graph can-i "),
            "{command}"
        );
    }
}

#[test]
fn the_filter_works_on_rows_of_both_panes() {
    let mut pilot = before(SHOP);
    pilot.press(":who-can get secrets<enter>/ns:far<enter>");
    shows(&pilot, &["sa/far/other", "2, 1 shown"]);
    hides(&pilot, &["sa/shop/reader", "sa/shop/entrant"]);
    pilot.press("<esc>/entrant<enter>");
    shows(&pilot, &["the filter leaves nothing", "sa/shop/entrant"]);
    pilot.press("<esc>");
    shows(&pilot, &["sa/shop/reader"]);
}

#[test]
fn the_command_line_asks_the_same_and_markdown_holds_the_table() {
    let mut pilot = before(SHOP);
    pilot.press(":who-can get secrets -n shop<enter>Y<tab>Y");
    let command = "kspm-graph who-can 'a b.yaml' --with more.yaml get secrets -n shop";
    assert_eq!(pilot.copied, [command.to_owned(), format!("{command} --through-paths")]);
    pilot.press("M");
    let (name, text) = pilot.written.last().unwrap();
    let text = String::from_utf8(text.clone()).unwrap();
    assert_eq!(name, "kspm-graph-access.md");
    assert!(text.contains("| subject | scope | binding | rule | allows |\n|---|"), "{text}");
    assert!(text.contains("| sa/shop/reader | shop | RoleBinding readers |"), "{text}");
    assert!(text.contains("| likelihood | by attack paths |"), "{text}");
    // A rule's command asks whether it allows what it says.
    pilot.press(":rights sa/shop/entrant<enter>Y");
    let command = pilot.copied.last().unwrap();
    assert!(
        command.ends_with("more.yaml --as sa/shop/entrant create pods/exec -n shop"),
        "{command}"
    );
}

#[test]
fn where_rbac_was_not_collected_nobody_is_no_answer() {
    let mut pilot =
        before("{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}, spec: {}}");
    pilot.press(":who-can get secrets<enter>");
    shows(&pilot, &["no role and no binding was collected", "not known"]);
    hides(&pilot, &["nobody but"]);
    pilot.press(":can-i --as sa/b/default get secrets<enter>");
    shows(&pilot, &["no, as far as is known"]);
}

#[test]
fn nobody_is_said() {
    let mut pilot = before(SHOP);
    pilot.press(":who-can delete nodes<enter>");
    shows(&pilot, &["Hold it: 0", "nobody but group system:masters", "nobody else"]);
    // There is nothing under the cursor, and keys do no harm.
    pilot.press("jG<enter><space>e<tab>jG<enter>");
    assert_eq!(pilot.model.screen, Screen::Access);
}

/// How long the screen takes to be drawn when nothing disturbs.
fn quickest(pilot: &Pilot) -> Duration {
    let draw = |_| {
        let started = Instant::now();
        let _ = pilot.screen();
        started.elapsed()
    };
    (0..20).map(draw).min().unwrap()
}

#[test]
fn ten_thousand_holders_are_a_list_like_any_other() {
    let subjects: Vec<String> =
        (0..10_000).map(|i| format!("{{kind: User, name: u{i:05}}}")).collect();
    let yaml = format!(
        "{SHOP}---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: many, namespace: shop}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: reads}}
subjects: [{}]
",
        subjects.join(", ")
    );
    let mut pilot = before(&yaml);
    pilot.press(":who-can get secrets -n shop<enter>");
    shows(&pilot, &["Hold it: 10001"]);
    pilot.press("G");
    shows(&pilot, &["user/u09999"]);
    hides(&pilot, &["user/u00000"]);
    // Only the rows that are seen are laid out: it costs as much as any other list.
    let many = quickest(&pilot);
    pilot.press(":who-can get secrets -n far<enter>");
    let few = quickest(&pilot);
    assert!(many < few * 10, "{many:?} for ten thousand, {few:?} for one");
    pilot.press("<esc>");
    pilot.press("/u04242<enter>");
    shows(&pilot, &["10001, 1 shown", "user/u04242"]);
}

#[test]
fn names_cannot_move_the_cursor_and_a_small_screen_still_answers() {
    let yaml = format!(
        "{SHOP}---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: \"evil\\u001b[2J\"}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: looks}}
subjects: [{{kind: User, name: \"a\\u001b[31m\\u202eb\"}}]
"
    );
    let mut pilot = before(&yaml);
    for size in [(40, 10), (80, 24), (160, 50)] {
        pilot.model.size = size;
        pilot.press(":who-can list pods<enter>");
        let screen = pilot.screen();
        assert!(!screen.contains(['\u{1b}', '\u{202e}']), "{screen}");
        shows(&pilot, &["who-can list pods"]);
        pilot.press("G");
        shows(&pilot, &["user/a"]);
        pilot.press("<tab>M");
        let text = String::from_utf8(pilot.written.last().unwrap().1.clone()).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
}
