//! What is pretended: nodes that are left out, and answers that follow or say that they do not yet.

use super::pilot;
use kspm_graph::tui::message::Effect;
use kspm_graph::tui::pilot::Pilot;
use kspm_graph::tui::update::press;
use kspm_graph::tui::worker::Stop;

/// The counts by severity in the last line, as pretended.
fn counts(pilot: &mut Pilot) -> String {
    pilot.press("5");
    pilot.screen().lines().nth(2).unwrap().to_owned()
}

#[test]
fn a_node_is_left_out_from_paths_and_comes_back() {
    let mut pilot = pilot("shop");
    let before = counts(&mut pilot);
    pilot.press("2/ingress-nginx<enter>");
    assert!(pilot.screen().contains("ingress-nginx"));
    // The service account is passed by the first path.
    pilot.press("<esc>:go sa/ingress-nginx/ingress-nginx<enter>/kind:container<enter>");
    assert!(pilot.screen().contains("pod-uses-service"), "{}", pilot.screen());
    pilot.press("N");
    let screen = pilot.screen();
    assert!(screen.contains("left out of all paths: "), "{screen}");
    assert!(!screen.contains("pod-uses-service"), "it is gone from its neighbours:\n{screen}");
    let after = counts(&mut pilot);
    assert!(before != after && after.contains('→'), "{before} / {after}");
    let list = pilot.screen();
    assert!(list.contains("☑") && list.contains("whatever passes"), "{list}");
    assert!(list.contains("was on "), "{list}");
    pilot.press("u");
    assert_eq!(counts(&mut pilot), before);
    assert!(!pilot.screen().contains("whatever passes"));
}

#[test]
fn what_begins_at_a_node_that_is_left_out_is_no_path() {
    let mut pilot = pilot("long");
    pilot.press(":paths sa/chain/link-0 cluster-admin<enter>");
    assert!(pilot.screen().contains("link-0"), "{}", pilot.screen());
    pilot.press("N");
    let screen = pilot.screen();
    assert!(screen.contains("no way leads there, as things"), "{screen}");
    // It is taken back in the list as well.
    pilot.press("5<space>2");
    assert!(!pilot.screen().contains("no way leads"), "{}", pilot.screen());
}

#[test]
fn a_node_in_the_middle_closes_the_chain() {
    let mut pilot = pilot("long");
    pilot.press(":paths sa/chain/link-20 cluster-admin<enter><tab>jjjjN");
    let screen = pilot.screen();
    assert!(screen.contains("left out of all paths: "), "{screen}");
    assert!(screen.contains("no way leads there, as things"), "{screen}");
}

#[test]
fn the_command_leaves_out_what_it_can_and_says_what_it_cannot() {
    let mut pilot = pilot("shop");
    pilot.model.size = (160, 40);
    pilot.press(":go sa/ingress-nginx/ingress-nginx<enter>/kind:container<enter>N2Y");
    let command = pilot.copied.last().unwrap().clone();
    assert!(command.starts_with("kspm-graph paths snapshots/shop --from "), "{command}");
    assert!(command.contains(" --avoid ") && command.contains("ingress-nginx"), "{command}");
    assert!(!pilot.screen().contains("no command has"), "{}", pilot.screen());
    pilot.press("<tab>X");
    pilot.press("Y");
    assert_eq!(pilot.copied.last().unwrap().matches(" --avoid ").count(), 2);
    // A single fact is something that no command leaves out.
    pilot.press("5GG<space>2Y");
    assert!(
        pilot.screen().contains("copied without 1 change that no command has"),
        "{}",
        pilot.screen()
    );
    pilot.press("4Y");
    assert!(pilot.screen().contains("copied without 3 changes"), "{}", pilot.screen());
}

#[test]
fn numbers_of_before_say_so_until_the_new_ones_are_there() {
    let mut pilot = pilot("shop");
    pilot.press("5");
    let keys = pilot.model.keys.clone();
    let key = kspm_graph::tui::key::Key::parse("space").unwrap();
    let effects = press(&mut pilot.model, &keys, key);
    assert!(pilot.screen().contains("not asked anew"), "{}", pilot.screen());
    // What comes in late, of something else than is pretended now, is thrown away.
    pilot.press("u");
    let before = pilot.screen();
    assert!(!before.contains("not asked anew"), "{before}");
    let loaded = pilot.model.loaded.clone().unwrap();
    for effect in effects {
        if let Effect::Work(job) = effect {
            let found = (job.run)(&loaded, &Stop::default());
            found(&mut pilot.model);
        }
    }
    assert_eq!(pilot.screen(), before);
}

#[test]
fn what_was_stopped_is_asked_again() {
    let mut pilot = pilot("shop");
    let answers = counts(&mut pilot);
    let (loaded, _) = super::loaded("shop");
    let mut late = Pilot::new((80, 24), super::PLAIN);
    late.model.loaded = Some(loaded);
    assert!(late.screen().contains("stopped: R asks again"), "{}", late.screen());
    late.press("R");
    assert_eq!(counts(&mut late), answers);
}
