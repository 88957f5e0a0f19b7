//! A frame costs what is seen, whatever there is: screens of many rows are drawn, and keys in them
//! answered, as fast as those of few. Only ratios of one run are looked at.

use super::pilot;
use kspm_graph::tui::pilot::Pilot;
use std::time::{Duration, Instant};

/// How many times as long a frame of a hundred times as many rows may take: it should be once.
const MOST: u32 = 6;

/// What is too short to be told apart.
const NOISE: Duration = Duration::from_micros(300);

/// The screens that list what there is much of, and how one comes there.
const SCREENS: &[&str] = &[
    "2",
    "2<tab>",
    ":go rolebinding/crowd/many<enter><tab>",
    ":go cluster-admin<enter>",
    ":blast user/alice<enter>",
    "5",
    ":reach internet<enter>",
];

/// The shortest of many runs: what disturbs them only makes them longer.
fn shortest(mut run: impl FnMut()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..40).map(time).min().unwrap_or_default()
}

/// How long a frame takes, and a key that moves.
fn times(pilot: &mut Pilot) -> [Duration; 2] {
    let frame = shortest(|| drop(pilot.cells()));
    let mut down = false;
    let key = shortest(|| {
        down = !down;
        pilot.press(if down { "j" } else { "k" });
    });
    [frame, key]
}

#[test]
fn frames_and_keys_do_not_grow_with_the_rows() {
    let (mut few, mut crowd) = (pilot("few"), pilot("crowd"));
    let mut slow = Vec::new();
    for keys in SCREENS {
        few.press(keys);
        crowd.press(keys);
        // In the middle, where there are rows on both sides.
        few.press("<pgdn>");
        crowd.press("<pgdn><pgdn><pgdn>");
        for (what, (small, big)) in
            ["frame", "key"].into_iter().zip(times(&mut few).into_iter().zip(times(&mut crowd)))
        {
            if big > small * MOST + NOISE {
                slow.push(format!("{keys}: a {what} takes {small:?} of few rows, {big:?} of many"));
            }
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

#[test]
fn the_crowd_is_one() {
    let mut crowd = pilot("crowd");
    for (keys, words) in [
        ("2", "Paths: 1"),
        (":go rolebinding/crowd/many<enter>", "Leads to: 2001"),
        (":go cluster-admin<enter>", "Leads here: "),
        (":blast user/alice<enter>", "ServiceAccount 2001 of"),
    ] {
        crowd.press(keys);
        assert!(crowd.screen().contains(words), "{keys}:\n{}", crowd.screen());
    }
}
