//! Help: the key table, searched by what is typed after `/`; Enter runs a row.

use super::super::canvas::{Canvas, column, pane, paragraph, rows, span, wrap};
use super::super::fuzzy;
use super::super::keymap::{KEYMAP, On, Row};
use super::super::list::List;
use super::super::message::{Effect, Msg};
use super::super::model::Model;
use super::super::theme::Theme;
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

/// The narrowest screen on which each row has its name; elsewhere it is told of one at a time.
const WIDE: u16 = 110;

fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let theme = model.theme;
    let kept = kept(model);
    let wide = area.width >= WIDE;
    let list = model.on.help.list;
    let chosen = list.at(kept.len()).and_then(|at| Some((*kept.get(at)?, row_at(&kept, at)?)));
    let told: Vec<String> = match chosen {
        Some((_, row)) if !wide => wrap(row.help, usize::from(area.width).saturating_sub(2)),
        _ => Vec::new(),
    };
    // Always as many lines, so that the list does not jump.
    let tall = if wide { 0 } else { 3.min(area.height / 3) };
    let above = Rect { height: area.height - tall, ..area };
    let title = format!("Keys: {} of {}; Enter runs one, / searches", kept.len(), KEYMAP.len());
    let inner = pane(buf, above, &title, true, theme);
    if kept.is_empty() {
        super::empty(buf, inner, "no key does that", theme);
    }
    rows(buf, inner, (list, kept.len()), (0, true), theme, |at, width| {
        let Some((place, row)) = kept.get(at).copied().zip(row_at(&kept, at)) else {
            return Line::default();
        };
        let on = if row.on == On::Prompt { "typing: " } else { "" };
        let keys = column(&model.keys.of(place).join(" "), 19, theme) + " ";
        let name = if wide { column(row.name, 18, theme) } else { String::new() };
        let help = format!("{on}{}", row.help);
        let room = width.saturating_sub(20 + name.len());
        Line::from(vec![
            span(keys, theme.title()),
            span(name, theme.dim()),
            span(shorten(&help, room, theme), theme.text()),
        ])
    });
    let Some((place, row)) = chosen.filter(|_| tall > 0) else { return };
    let title = format!("{} ({})", row.name, model.keys.of(place).join(" "));
    let below = Rect { y: above.bottom(), height: tall, ..area };
    let inner = pane(buf, below, &title, false, theme);
    let told: Vec<Line<'_>> =
        told.into_iter().map(|line| Line::from(span(format!("  {line}"), theme.text()))).collect();
    paragraph(buf, inner, &told);
}

/// The row of the table at a place of those that are kept.
fn row_at(kept: &[usize], at: usize) -> Option<&'static Row> {
    KEYMAP.get(*kept.get(at)?)
}

/// Text cut at its end: what comes first says most.
fn shorten(text: &str, columns: usize, theme: Theme) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let more = theme.glyphs().more;
    let room = columns.saturating_sub(more.chars().count());
    text.chars().take(room).collect::<String>().trim_end().to_owned() + more
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
