//! What is written and what is copied is the view: the picture of a screen shows what the screen
//! shows, and the command line prints the same.

use super::pilot;
use kspm_graph::tui::pilot::Pilot;

/// What an export wrote last.
fn written(pilot: &mut Pilot, keys: &str) -> String {
    pilot.press(keys);
    let (_, bytes) = pilot.written.last().expect("nothing was written");
    String::from_utf8(bytes.clone()).unwrap()
}

/// How many nodes a picture in DOT has.
fn nodes(dot: &str) -> usize {
    dot.lines().filter(|line| line.trim_start().starts_with('n') && line.contains("shape=")).count()
}

#[test]
fn the_explorer_draws_the_node_between_its_neighbours() {
    let mut pilot = pilot("shop");
    pilot.model.size = (160, 40);
    pilot.press(":go sa/ingress-nginx/ingress-nginx<enter>");
    let screen = pilot.screen();
    let dot = written(&mut pilot, "D");
    assert!(dot.contains("what surrounds service account ingress-nginx/ingress-nginx"), "{dot}");
    for attack in ["set-member", "member-of-group", "bound-to"] {
        assert!(screen.contains(attack) && dot.contains(attack), "{screen}\n{dot}");
    }
    // Nothing of the paths to cluster-admin that its neighbours are on.
    assert!(!dot.contains("cluster-admin"), "{dot}");
    // What the filter leaves out is not drawn either.
    let less = written(&mut pilot, "/zzzz<enter>D");
    assert_eq!(nodes(&less), 1, "{less}");
    assert!(less.contains("as filtered by zzzz"), "{less}");
}

#[test]
fn a_node_with_ten_thousand_neighbours_is_drawn_with_how_many_more() {
    let mut pilot = pilot("hub");
    pilot.press(":go rolebinding/crowd/many<enter>");
    let dot = written(&mut pilot, "D");
    assert!(nodes(&dot) < 100, "{}", nodes(&dot));
    assert!(dot.contains("9961 more that it leads to"), "{dot}");
    assert!(written(&mut pilot, "S").contains("9961 more that it leads to"));
    let blast = written(&mut pilot, ":blast user/alice<enter>D");
    assert!(nodes(&blast) < 100, "{}", nodes(&blast));
    assert!(blast.contains("more are reached"), "{blast}");
    assert_eq!(pilot.written.last().unwrap().0, "kspm-graph-blast.dot");
}

#[test]
fn blast_draws_the_ways_to_what_it_lists_and_lists_what_the_filter_leaves() {
    let mut pilot = pilot("shop");
    let dot = written(&mut pilot, ":blast sa/ingress-nginx/ingress-nginx<enter>/kind:node<enter>D");
    assert!(dot.contains("what service account ingress-nginx/ingress-nginx reaches: 4"), "{dot}");
    assert!(dot.contains("Node\\nworker-1") && dot.contains("secret-list"), "{dot}");
    let text = written(&mut pilot, "M");
    assert!(text.contains("### Node") && !text.contains("### Secret"), "{text}");
    pilot.press("<esc>Y");
    let command = pilot.copied.last().unwrap();
    let wanted = "kspm-graph blast snapshots/shop sa/ingress-nginx/ingress-nginx --top ";
    assert!(command.starts_with(wanted), "{command}");
}

#[test]
fn cuts_draw_the_paths_that_the_change_closes() {
    let mut pilot = pilot("shop");
    let before = written(&mut pilot, "5D");
    assert!(before.contains("closed without"), "{before}");
    // Pretended to be gone, the change still shows what it has closed.
    let after = written(&mut pilot, "<space>gD");
    assert_eq!(nodes(&before), nodes(&after), "{before}\n{after}");
    assert!(nodes(&after) > 2, "{after}");
}

#[test]
fn the_network_draws_who_connects_and_counts_what_is_denied() {
    let mut pilot = pilot("shop");
    let dot = written(&mut pilot, ":reach ns/shop-api<enter>D");
    assert!(dot.contains("Network of namespace shop-api"), "{dot}");
    assert!(!dot.contains("attack path"), "{dot}");
    let all = written(&mut pilot, "M");
    let less = written(&mut pilot, "/zzzz<enter>M");
    assert!(less.lines().count() < all.lines().count(), "{less}");
}

#[test]
fn what_cannot_be_drawn_says_so() {
    for (cluster, keys) in [("shop", "7D"), ("shop", "8S"), ("shop", "?D"), ("empty", "2D")] {
        let mut pilot = pilot(cluster);
        pilot.press(keys);
        assert!(pilot.written.is_empty(), "{cluster} {keys}");
        let screen = pilot.screen();
        let said = screen.contains("nothing to draw") || screen.contains("no path to draw");
        assert!(said, "{cluster} {keys}:\n{screen}");
    }
}
