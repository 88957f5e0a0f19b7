//! The mouse: clicks and the wheel, at places that are looked for on the screen.

use super::{SIZES, pilot};
use kspm_graph::tui::pilot::Pilot;
use kspm_graph::tui::screens::Screen;

/// Where a text stands on the screen: the column and the row of its first character.
fn place(pilot: &Pilot, text: &str) -> (u16, u16) {
    let screen = pilot.screen();
    let found = screen.lines().enumerate().find_map(|(y, line)| Some((y, line.split_once(text)?)));
    let (y, (before, _)) = found.unwrap_or_else(|| panic!("no {text:?}:\n{screen}"));
    (u16::try_from(before.chars().count()).unwrap(), u16::try_from(y).unwrap())
}

fn click(pilot: &mut Pilot, text: &str) {
    let (x, y) = place(pilot, text);
    pilot.click(x, y);
}

/// The row of the screen with a list's cursor, in the left pane.
fn cursor(pilot: &Pilot) -> Option<usize> {
    pilot.screen().lines().skip(3).position(|line| line.starts_with('▶'))
}

#[test]
fn a_click_selects_and_another_opens() {
    for size in SIZES {
        let mut pilot = pilot("leaky-ingress");
        pilot.model.size = size;
        let before = cursor(&pilot).unwrap();
        let y = u16::try_from(3 + before + 4).unwrap();
        pilot.click(5, y);
        assert_eq!((pilot.model.pane, cursor(&pilot)), (0, Some(before + 4)), "{size:?}");
        // The answer under the mouse is the one whose steps are shown.
        let mut keys = super::pilot("leaky-ingress");
        keys.model.size = size;
        keys.press("jjjj");
        assert_eq!(pilot.screen(), keys.screen());
        pilot.click(5, y);
        keys.press("<enter>");
        assert_eq!(pilot.screen(), keys.screen());
        assert_eq!(pilot.model.pane, 1);
    }
}

#[test]
fn a_double_click_opens_what_it_hits_in_another_pane() {
    let mut pilot = pilot("shop");
    pilot.press("1");
    // The first click of the two goes to the pane, though its cursor is there already.
    let namespace = "kube-system";
    click(&mut pilot, namespace);
    assert_eq!((pilot.model.screen, pilot.model.pane), (Screen::Overview, 1));
    click(&mut pilot, namespace);
    assert_eq!(pilot.model.screen, Screen::Paths);
    assert!(pilot.screen().contains("filter: ns:kube-system"), "{}", pilot.screen());
}

#[test]
fn a_click_on_a_screens_name_goes_there() {
    for size in SIZES {
        let mut pilot = pilot("shop");
        pilot.model.size = size;
        for screen in Screen::ALL {
            // Where there is little room only the number is there.
            let number = Screen::ALL.iter().position(|s| s == screen).unwrap() + 1;
            let label = if *screen == Screen::Help { "?".to_owned() } else { number.to_string() };
            let line = pilot.screen().lines().nth(1).unwrap().to_owned();
            let x = line.find(&label).unwrap();
            pilot.click(u16::try_from(x).unwrap(), 1);
            assert_eq!(pilot.model.screen, *screen, "{size:?} {line}");
        }
    }
}

#[test]
fn every_list_of_every_screen_can_be_clicked() {
    for keys in ["1", "1<tab>", "2", "2<tab>", "3<tab>", "4", "5", "6<tab>", "7", "8", "?"] {
        let mut pilot = pilot("shop");
        pilot.press(keys);
        let (screen, pane) = (pilot.model.screen, pilot.model.pane);
        let other = pilot.screen();
        pilot.press("j");
        let down = pilot.screen();
        pilot.press("k");
        assert_eq!(pilot.screen(), other, "{keys}");
        // The line whose mark the key moved to.
        let lines = other.lines().zip(down.lines()).enumerate().skip(3);
        let marked = |line: &str| line.chars().filter(|c| *c == '▶').count();
        let (y, x) = lines
            .filter(|(_, (before, after))| marked(after) > marked(before))
            .find_map(|(y, (_, after))| Some((y, after.chars().position(|c| c == '▶')?)))
            .unwrap_or_else(|| panic!("{keys}:\n{other}\n{down}"));
        pilot.click(u16::try_from(x + 3).unwrap(), u16::try_from(y).unwrap());
        assert_eq!((pilot.model.screen, pilot.model.pane), (screen, pane), "{keys}");
        assert_eq!(pilot.screen(), down, "{keys}");
    }
}

#[test]
fn the_wheel_moves_the_list_that_it_is_over() {
    let mut pilot = pilot("shop");
    pilot.press("1");
    let at = place(&pilot, "cert-");
    pilot.wheel(at, true);
    assert_eq!(pilot.model.pane, 1);
    pilot.press("<enter>");
    assert!(pilot.screen().contains("filter: ns:shop-api"), "{}", pilot.screen());
    pilot.wheel((5, 5), false);
    assert_eq!(pilot.model.pane, 0);
}

#[test]
fn a_click_beside_everything_and_one_while_a_line_is_typed_do_nothing() {
    let mut pilot = pilot("empty");
    let before = pilot.screen();
    for at in [(79, 0), (0, 0), (40, 23), (500, 500)] {
        pilot.click(at.0, at.1);
        assert_eq!(pilot.screen(), before, "{at:?}");
    }
    pilot.press(":bla");
    let before = pilot.screen();
    for y in 0..24 {
        pilot.click(3, y);
        assert_eq!(pilot.screen(), before, "{y}");
    }
    // The evidence lies over the lists of its screen, not over the names of the screens.
    let mut pilot = super::pilot("shop");
    pilot.press("<enter>je");
    assert!(pilot.model.page.is_some());
    pilot.click(4, 9);
    assert!(pilot.model.page.is_some());
    click(&mut pilot, "8 ");
    assert_eq!((pilot.model.screen, pilot.model.page.is_some()), (Screen::Coverage, false));
}
