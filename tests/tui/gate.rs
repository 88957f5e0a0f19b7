//! The gate on the Overview: judged as `analyze --fail-on` judges, also after what is pretended.

use super::pilot;
use kspm_graph::query::gate::parse;
use kspm_graph::tui::screens::Screen;
use kspm_graph::tui::screens::overview::gate::{Standing, standing};

/// What `analyze --fail-on` says of a snapshot.
fn said_by_the_command(gate: &str) -> String {
    let mut command = assert_cmd::Command::cargo_bin("kspm-graph").unwrap();
    let run = command.args(["analyze", "snapshots/leaky-ingress", "--fail-on", gate]).assert();
    String::from_utf8_lossy(&run.get_output().stderr).into_owned()
}

#[test]
fn it_says_what_the_command_line_says() {
    for gate in ["high", "info", "query:internet-to-cluster-admin", "query:open-egress"] {
        let mut pilot = pilot("leaky-ingress");
        pilot.model.size = (160, 50);
        pilot.press(&format!(":fail-on {gate}<enter>"));
        let command = said_by_the_command(gate);
        let screen = pilot.screen();
        let shown = screen.lines().filter_map(|l| Some(l.split_once("ate failed: ")?.1));
        let shown: Vec<&str> = shown.map(|l| l.trim_end_matches(['─', ' '])).collect();
        assert!(!shown.is_empty(), "{gate}:\n{screen}");
        assert!(shown.iter().all(|line| command.contains(line)), "{gate}: {shown:?}\n{command}");
        assert_eq!(standing(&pilot.model), Standing::Fails);
    }
}

#[test]
fn a_gate_that_passes_says_so() {
    let mut pilot = pilot("empty");
    pilot.press(":fail-on info<enter>");
    assert!(pilot.screen().contains("Gate passes: --fail-on info"), "{}", pilot.screen());
    assert_eq!(standing(&pilot.model), Standing::Passes);
    pilot.press(":fail-on none<enter>");
    assert!(pilot.screen().contains("or `:fail-on high` asks for one"), "{}", pilot.screen());
    // Enter on that line begins to ask.
    pilot.press("<shift-tab><enter>");
    assert!(pilot.screen().contains(":fail-on high"), "{}", pilot.screen());
}

#[test]
fn enter_opens_the_path_that_fails_it_whatever_paths_shows() {
    let mut pilot = pilot("shop");
    pilot.press("2/zzzz<enter>1:fail-on high@certain<enter>");
    pilot.press("<shift-tab>");
    let mut opened = std::collections::BTreeSet::new();
    for down in ["g", "gj"] {
        pilot.press(&format!("{down}<enter>"));
        assert_eq!(pilot.model.screen, Screen::Paths, "{}", pilot.screen());
        opened.insert(pilot.screen());
        pilot.press("1<shift-tab>");
    }
    assert_eq!(opened.len(), 2, "{opened:?}");
}

#[test]
fn what_is_pretended_is_judged_as_well() {
    let mut pilot = pilot("leaky-ingress");
    pilot.model.gates = vec![parse("high").unwrap()];
    pilot.press("1");
    assert_eq!(standing(&pilot.model), Standing::Fails);
    // Each row of Cuts closes one path at least: pretend until nothing is left.
    for _ in 0..40 {
        if standing(&pilot.model) != Standing::Fails {
            break;
        }
        let marked = pilot.model.changes.count();
        pilot.press("5g");
        (0..marked).for_each(|_| pilot.press("j"));
        pilot.press("<space>");
        assert_eq!(pilot.model.changes.count(), marked + 1, "{}", pilot.screen());
    }
    assert_eq!(standing(&pilot.model), Standing::WouldPass);
    assert!(pilot.screen().contains("gate would pass"), "{}", pilot.screen());
    pilot.press("1");
    let screen = pilot.screen();
    assert!(screen.contains("Would pass after these changes: --fail-on high"), "{screen}");
    pilot.press("R");
    assert_eq!(standing(&pilot.model), Standing::Fails);
    // A way that was closed is counted, and what was before is told.
    pilot.press("5<space>1");
    let screen = pilot.screen();
    assert!(screen.contains("before these changes"), "{screen}");
}

#[test]
fn mistakes_are_told() {
    let mut pilot = pilot("empty");
    pilot.press(":fail-on severe<enter>");
    assert!(pilot.model.status.contains("`severe` is no severity"), "{}", pilot.model.status);
    pilot.press(":fail-on query:nowhere<enter>");
    assert!(pilot.model.status.contains("there is no query `nowhere`"), "{}", pilot.model.status);
    assert!(pilot.model.gates.is_empty());
    let mut command = assert_cmd::Command::cargo_bin("kspm-graph").unwrap();
    let args = ["tui", "snapshots/leaky-ingress", "--fail-on", "query:nowhere"];
    let run = command.args(args).assert().code(2);
    let error = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(error.contains("`nowhere`"), "{error}");
}

#[test]
fn without_a_policy_a_gate_on_the_network_is_not_known() {
    let mut pilot = pilot("one-fence");
    pilot.press(":fail-on query:open-ingress<enter>");
    assert_eq!(standing(&pilot.model), Standing::Passes);
    pilot.press(":reach ns/gatehouse<enter>");
    for _ in 0..10 {
        if pilot.model.changes.policies.is_empty() {
            pilot.press("j<space>");
        }
    }
    assert!(!pilot.model.changes.policies.is_empty(), "{}", pilot.screen());
    assert_eq!(standing(&pilot.model), Standing::Unknown);
    pilot.press("1");
    let said = "Gate not known without the policy: --fail-on query:open-ingress";
    assert!(pilot.screen().contains(said), "{}", pilot.screen());
    // One that nothing of the network fails is judged as ever.
    pilot.press("1:fail-on critical<enter>");
    assert_eq!(standing(&pilot.model), Standing::Passes);
}
