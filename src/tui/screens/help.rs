//! Help: the key table, searched by what is typed after `/`; Enter runs a row.

use super::super::canvas::{Canvas, column, pane, rows, span};
use super::super::fuzzy;
use super::super::keymap::{KEYMAP, On};
use super::super::list::List;
use super::super::message::{Effect, Msg};
use super::super::model::Model;
use super::super::update::update as run;
use super::{Room, Screen, Under};
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::fmt::Write as _;

/// The screen.
pub static ROOM: Room = Room {
    title: "Help",
    panes: 1,
    view,
    update,
    refresh: |_| Vec::new(),
    under: |_| Under::default(),
    command: |_| "tui --help".to_owned(),
    markdown,
};

/// What the screen keeps.
#[derive(Default)]
pub struct State {
    list: List,
}

/// The rows of the table that the filter keeps.
fn kept(model: &Model) -> Vec<usize> {
    let keys = |row: usize| model.keys.of(row).join(" ");
    let fits = |row: &usize| {
        KEYMAP.get(*row).is_some_and(|r| {
            let text = format!("{} {} {}", keys(*row), r.name, r.help);
            model.filter().split_whitespace().all(|word| match word.strip_prefix('!') {
                Some(word) => fuzzy::score(word, &text).is_none(),
                None => text.to_lowercase().contains(&word.to_lowercase()),
            })
        })
    };
    (0..KEYMAP.len()).filter(fits).collect()
}

fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let rows = kept(model);
    let page = model.page_rows();
    match msg {
        Msg::Move(motion) => model.on.help.list.go(motion, rows.len(), page),
        Msg::Open => {
            let row = model.on.help.list.at(rows.len()).and_then(|at| KEYMAP.get(*rows.get(at)?));
            let Some(row) = row.filter(|row| row.on != On::Prompt) else {
                model.status = "this works while a line is typed".to_owned();
                return Vec::new();
            };
            // It runs where help was asked for.
            if let Some(from) = model.trail.pop().filter(|place| place.screen != Screen::Help) {
                model.screen = from.screen;
                model.node = from.node;
                model.pane = from.pane;
            }
            return run(model, row.msg);
        }
        _ => {}
    }
    Vec::new()
}

fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let theme = model.theme;
    let kept = kept(model);
    let title = format!("Keys: {} of {}; Enter runs one, / searches", kept.len(), KEYMAP.len());
    let inner = pane(buf, area, &title, true, theme);
    if kept.is_empty() {
        super::empty(buf, inner, "no key does that", theme);
    }
    rows(buf, inner, (model.on.help.list, kept.len()), (0, true), theme, |at, width| {
        let Some((place, row)) = kept.get(at).and_then(|p| Some((*p, KEYMAP.get(*p)?))) else {
            return Line::default();
        };
        let on = if row.on == On::Prompt { "typing: " } else { "" };
        let keys = column(&model.keys.of(place).join(" "), 19, theme) + " ";
        let name = if width > 70 { column(row.name, 18, theme) } else { String::new() };
        Line::from(vec![
            span(keys, theme.title()),
            span(name, theme.dim()),
            span(format!("{on}{}", row.help), theme.text()),
        ])
    });
}

fn markdown(model: &Model) -> String {
    let mut out = "| keys | name | what it does |\n|---|---|---|\n".to_owned();
    for (place, row) in KEYMAP.iter().enumerate() {
        let keys: Vec<String> =
            model.keys.of(place).iter().map(|k| format!("`{}`", k.replace('|', "\\|"))).collect();
        let on = if row.on == On::Prompt { "while typing: " } else { "" };
        let _ = writeln!(out, "| {} | `{}` | {on}{} |", keys.join(" "), row.name, row.help);
    }
    out
}
