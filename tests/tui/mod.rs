//! The terminal interface, held by keys: each file of `screens/` names a cluster and keys, and
//! shows the screen that they lead to at three sizes. `UPDATE=1` writes the screens anew; read what
//! changed before you keep it.
//!
//! ```text
//! What the file holds.
//! cluster: shop
//! keys: 2jj<enter>
//! ===== 80x24
//! ...
//! ```

mod access;
mod changes;
mod clusters;
mod ends;
mod evidence;
mod exports;
mod frames;
mod gate;
mod mouse;
mod network;
mod terminal;

use clusters::loaded;
use kspm_graph::tui::key::Key;
use kspm_graph::tui::keymap::KEYMAP;
use kspm_graph::tui::pilot::Pilot;
use kspm_graph::tui::theme::Theme;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Columns and rows: the least that the screens are made for, a window, a whole screen.
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

const PLAIN: Theme = Theme { palette: 0, ascii: false };

/// Somebody before a cluster, at the smallest terminal.
fn pilot(cluster: &str) -> Pilot {
    let mut pilot = Pilot::new(SIZES[0], PLAIN);
    let (loaded, asked) = loaded(cluster);
    pilot.load_asked(loaded, asked);
    pilot
}

struct Case {
    path: PathBuf,
    head: String,
    cluster: String,
    keys: String,
    screens: String,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tui/screens");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let case = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let at = text.find("=====").unwrap_or(text.len());
        let (head, screens) = text.split_at(at);
        let field = |name: &str| {
            let line = head.lines().find_map(|l| l.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{} has no `{name}`", path.display())).trim().to_owned()
        };
        let (cluster, keys) = (field("cluster:"), field("keys:"));
        Case { head: head.to_owned(), cluster, keys, screens: screens.to_owned(), path }
    };
    paths.into_iter().map(case).collect()
}

/// What came of a file's keys.
struct Played {
    case: Case,
    /// The screen at each size: a terminal that grows shows the same.
    screens: String,
    /// The rows of the table that were pressed.
    rows: BTreeSet<&'static str>,
}

/// Every file, played once.
fn played() -> &'static [Played] {
    static PLAYED: OnceLock<Vec<Played>> = OnceLock::new();
    PLAYED.get_or_init(|| cases().into_iter().map(play).collect())
}

fn play(case: Case) -> Played {
    let mut pilot = pilot(&case.cluster);
    let mut rows = BTreeSet::new();
    for key in Key::parse_all(&case.keys) {
        rows.extend(pilot.model.keys.row(key, &pilot.model).map(|row| row.name));
        pilot.press(&format!("<{key}>"));
    }
    let mut screens = String::new();
    for (width, height) in SIZES {
        pilot.model.size = (width, height);
        screens.push_str(&format!("===== {width}x{height}\n{}", pilot.screen()));
    }
    Played { case, screens, rows }
}

#[test]
fn every_screen_is_as_its_file_shows() {
    let update = std::env::var("UPDATE").is_ok();
    let mut wrong = Vec::new();
    for Played { case, screens, .. } in played() {
        if update {
            std::fs::write(&case.path, format!("{}{screens}", case.head)).unwrap();
        } else if *screens != case.screens {
            let lines = screens.lines().zip(case.screens.lines()).find(|(new, old)| new != old);
            wrong.push(format!("{}: {lines:?}", case.path.display()));
        }
    }
    assert!(wrong.is_empty(), "UPDATE=1 writes them anew:\n{}", wrong.join("\n"));
}

#[test]
fn every_key_of_the_table_is_pressed_in_a_file_and_stands_in_help() {
    let pressed: BTreeSet<&str> = played().iter().flat_map(|p| p.rows.iter().copied()).collect();
    let rows: BTreeSet<&str> = KEYMAP.iter().map(|row| row.name).collect();
    let missing: Vec<&&str> = rows.difference(&pressed).collect();
    assert!(missing.is_empty(), "no file presses a key of {missing:?}");
    let mut pilot = pilot("empty");
    pilot.model.size = (200, 100);
    pilot.press("?");
    let help = pilot.screen();
    for (place, row) in KEYMAP.iter().enumerate() {
        let keys = pilot.model.keys.of(place).join(" ");
        let line = help.lines().find(|line| line.contains(&format!(" {} ", row.name)));
        assert!(line.is_some_and(|l| l.contains(&keys)), "`{}` ({keys}) is not in help", row.name);
    }
}

#[test]
fn the_readme_shows_a_screen() {
    let played = played().iter().find(|p| p.case.path.ends_with("readme.txt")).unwrap();
    let screen = played.screens.split("=====").nth(1).unwrap();
    let screen = screen.split_once('\n').unwrap().1;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let start = "<!-- the terminal interface -->\n```text\n";
    let (before, rest) = readme.split_once(start).unwrap();
    let (shown, after) = rest.split_once("```").unwrap();
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, format!("{before}{start}{screen}```{after}")).unwrap();
    } else {
        assert_eq!(shown, screen, "UPDATE=1 writes it anew");
    }
}

#[test]
fn a_terminal_too_small_says_so_and_the_smallest_shows_every_screen() {
    let mut pilot = pilot("shop");
    pilot.model.size = (39, 12);
    assert_eq!(pilot.screen().lines().next(), Some("needs 40x10, has 39x12"));
    pilot.model.size = (40, 10);
    for key in ["1", "2", "<tab>", "3", "4", "5", "6", "7", "8", "?"] {
        pilot.press(key);
        let screen = pilot.screen();
        assert!(screen.starts_with("kspm-graph"), "{key}:\n{screen}");
        assert!(!screen.contains("needs 40x10"), "{key}");
    }
}

#[test]
fn the_numbers_at_the_foot_are_whole_at_every_width() {
    let mut pilot = pilot("shop");
    let foot = |pilot: &mut Pilot, width| {
        pilot.model.size = (width, 24);
        pilot.screen().lines().last().unwrap().to_owned()
    };
    let wide = foot(&mut pilot, 160);
    let numbers = wide.get(wide.find("C 0").unwrap()..).unwrap();
    assert_eq!(numbers.split("  ").count(), 5, "{wide}");
    for width in 40..=120 {
        let foot = foot(&mut pilot, width);
        assert!(foot.ends_with(numbers), "{width}: {foot}");
        assert!(foot.contains("q quit"), "{width}: {foot}");
    }
}

#[test]
fn what_is_written_and_copied_is_what_is_shown() {
    let mut pilot = pilot("shop");
    pilot.press("yY");
    assert_eq!(
        pilot.copied,
        ["internet", "kspm-graph query snapshots/shop internet-to-cluster-admin"]
    );
    pilot.press("DSM");
    let names: Vec<&str> = pilot.written.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["kspm-graph-paths.dot", "kspm-graph-paths.svg", "kspm-graph-paths.md"]);
    let text = |place: usize| String::from_utf8(pilot.written[place].1.clone()).unwrap();
    assert!(text(0).starts_with("digraph"), "{}", text(0));
    assert!(text(1).contains("<svg"), "{}", text(1));
    assert!(text(2).contains("internet reaches cluster-admin"), "{}", text(2));
    pilot.press("q");
    assert!(pilot.left);
}

#[test]
fn names_cannot_move_the_cursor_or_hide() {
    let mut pilot = pilot("hostile");
    for keys in ["1", "2", "<tab>", "3", "<enter>", "4", "5", "7", "/gone<enter>", "M"] {
        pilot.press(keys);
        let cells = pilot.cells();
        for cell in cells.content() {
            let bad = |c: char| c.is_control() || "\u{200b}\u{202e}".contains(c);
            assert!(!cell.symbol().contains(bad), "{keys}: {:?}", cell.symbol());
        }
    }
    let (_, markdown) = pilot.written.last().unwrap();
    assert!(!markdown.contains(&0x1b));
}
