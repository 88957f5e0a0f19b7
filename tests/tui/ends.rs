//! Where paths start and end: both set, one set, and the other way round.

use super::pilot;
use kspm_graph::graph::NodeId;
use kspm_graph::tui::pilot::Pilot;
use kspm_graph::tui::screens::{Screen, paths};

/// The ends of the paths that are shown, as selectors.
fn shown(pilot: &Pilot) -> (String, String) {
    let spelled = |node: NodeId| pilot.model.spelled(node);
    let (from, to) = paths::shown_ends(&pilot.model).unwrap();
    (spelled(from), spelled(to))
}

fn both(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[test]
fn the_answer_under_the_cursor_is_turned_around_and_back() {
    let mut pilot = pilot("leaky-ingress");
    // The first answers begin at Kubernetes' own group and at accounts; all end at cluster-admin.
    let (from, to) = shown(&pilot);
    assert_eq!(to, "cluster-admin");
    pilot.press("r");
    assert_eq!(shown(&pilot), both("cluster-admin", &from));
    let screen = pilot.screen();
    assert!(
        screen.contains(&format!("the other way round: from cluster-admin to {from}")),
        "{screen}"
    );
    pilot.press("r");
    assert_eq!(shown(&pilot), both(&from, "cluster-admin"));
    assert!(paths::answer(&pilot.model).is_some(), "{}", pilot.screen());
    // Esc goes back to all answers.
    pilot.press("<esc>");
    assert!(pilot.screen().contains("Paths: "), "{}", pilot.screen());
}

#[test]
fn what_has_no_way_back_says_so() {
    let mut pilot = pilot("leaky-ingress");
    pilot.press(":paths internet cluster-admin<enter>rj");
    let screen = pilot.screen().replace("\n  ", " ");
    assert!(screen.contains("cluster-admin → internet: 0"), "{screen}");
    assert!(screen.contains("no way leads there; r looks the"), "{screen}");
    pilot.press("r");
    assert_eq!(shown(&pilot), both("internet", "cluster-admin"));
}

#[test]
fn an_end_that_is_not_set_is_said_and_turned_around_too() {
    let mut pilot = pilot("leaky-ingress");
    pilot.press("4");
    let start = pilot.model.spelled(pilot.model.node.unwrap());
    // Nothing is set.
    pilot.press("r");
    assert_eq!(pilot.model.screen, Screen::Blast);
    assert!(
        pilot.model.status.starts_with("nothing to turn around: f sets"),
        "{}",
        pilot.model.status
    );
    // Only a start: it becomes the end, and paths to it begin outside.
    pilot.press(":go ns/support<enter>");
    pilot.model.ends.0 = pilot.model.node;
    pilot.press("p");
    assert_eq!(shown(&pilot), both("ns/support", "cluster-admin"));
    assert_eq!(pilot.model.status, "no end is set: to cluster-admin (t sets one)");
    pilot.press("3r");
    assert_eq!(shown(&pilot), both("internet", "ns/support"));
    assert_eq!(pilot.model.status, "no start is set: from the internet (f sets one)");
    assert!(!start.is_empty());
}

#[test]
fn in_explorer_the_neighbour_is_set_or_the_middle_once_keys_are_there() {
    let mut pilot = pilot("shop");
    pilot.press(":go sa/monitoring/prometheus<enter>f");
    let middle = pilot.model.node;
    let near = pilot.model.ends.0;
    assert!(near.is_some() && near != middle, "{}", pilot.screen());
    pilot.press("<tab>t");
    assert!(pilot.model.ends.1.is_some_and(|end| Some(end) != middle), "{}", pilot.screen());
    pilot.press("<tab>f");
    assert_eq!(pilot.model.ends.0, middle);
    let screen = pilot.screen();
    assert!(screen.contains("▶ service account monitoring/prometheus"), "{screen}");
    // Nothing moves there, and nothing is opened; Tab goes on to the list that leads there.
    pilot.press("j<enter>t");
    assert_eq!((pilot.model.node, pilot.model.ends.1), (middle, middle));
    pilot.press("<tab>f");
    assert_eq!(pilot.model.ends.0, near);
    // A click goes there too, also where there is room for one list only.
    for size in [(40, 10), (80, 24)] {
        pilot.model.size = size;
        let y = pilot.screen().lines().position(|l| l.contains("account monitoring/prom")).unwrap();
        pilot.click(5, u16::try_from(y).unwrap());
        pilot.press("f");
        assert_eq!(pilot.model.ends.0, middle, "{}", pilot.screen());
        assert!(pilot.screen().contains("Leads here"), "{}", pilot.screen());
        pilot.press("<tab>");
    }
}
