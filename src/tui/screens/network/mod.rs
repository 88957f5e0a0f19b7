//! Network: who reaches the node in focus, whom it reaches, and why: by policy and rule. Enter goes
//! to the other side.

use super::super::canvas::{Canvas, column, fit, pane, paragraph, put, rows, span, split, wrap};
use super::super::export::Drawing;
use super::super::filter::Filter;
use super::super::list::List;
use super::super::loaded::{Changes, Loaded};
use super::super::message::{Effect, Found, Msg};
use super::super::model::{Model, quote};
use super::super::theme::Theme;
use super::super::update::{change, explore};
use super::super::worker::{Job, Stop, Topic};
use super::{Room, Under};
use crate::graph::{Graph, NodeId, NodeKind};
use crate::report::around::Connection;
use crate::report::named;
use crate::report::picture::Picture;
use crate::world::network::State as Verdict;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use std::sync::Arc;

mod answer;
mod pretended;

use answer::{Answer, Row, answer};

/// The screen.
pub static ROOM: Room =
    Room { title: "Network", panes: 2, view, update, refresh, under, command, markdown };

/// The titles of the panes.
const TITLES: [&str; 2] = ["Who reaches it", "Whom it reaches"];

/// How many columns what is said of the node is indented.
const LABEL: usize = 10;

/// What the screen keeps.
#[derive(Default)]
pub struct State {
    lists: [List; 2],
    /// What was found, of which node, while what was pretended.
    found: Option<(NodeId, Changes, Arc<Answer>)>,
    /// The rows of each pane that the filter keeps.
    kept: [Vec<usize>; 2],
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(loaded) = model.loaded.clone() else { return Vec::new() };
    // Where nothing was looked at yet, begin outside.
    let start = || loaded.graph.nodes_of(|kind| kind == NodeKind::Internet).next();
    model.node = model.node.or_else(start);
    let Some(node) = model.node else { return Vec::new() };
    let known = model.on.network.found.as_ref();
    if known.is_some_and(|(of, with, _)| *of == node && *with == model.changes) {
        keep(model, &loaded.graph);
        return Vec::new();
    }
    // The cursors stay where something was marked.
    let lists = match known {
        Some((of, ..)) if *of == node => model.on.network.lists,
        _ => Default::default(),
    };
    model.on.network = State { lists, ..State::default() };
    let changes = model.changes.clone();
    let run = move |loaded: &Arc<Loaded>, stop: &Stop| -> Found {
        let found = answer(&loaded.graph, node, &changes, &|| stop.asked());
        Box::new(move |model| {
            // Somebody may look at another node meanwhile, or pretend something else.
            if model.node != Some(node) || model.changes != changes {
                return Vec::new();
            }
            let found = Some((node, changes, Arc::new(found)));
            model.on.network = State { lists: model.on.network.lists, found, ..State::default() };
            refresh(model)
        })
    };
    let doing = "asking the network";
    vec![Effect::Work(Job { topic: Topic::Network, doing, run: Box::new(run) })]
}

/// Lists what the filter keeps.
fn keep(model: &mut Model, graph: &Graph) {
    let filter = Filter::new(model.filter(), graph);
    let Some((_, _, found)) = &model.on.network.found else { return };
    let kept = found.rows.each_ref().map(|rows| {
        let fits = |row: &Row| filter.is_empty() || filter.keeps(row.node, None, &row.text());
        (0..rows.len()).filter(|i| rows.get(*i).is_some_and(fits)).collect()
    });
    model.on.network.kept = kept;
}

/// The row under the cursor.
fn chosen(model: &Model) -> Option<&Row> {
    let state = &model.on.network;
    let (_, _, found) = state.found.as_ref()?;
    let kept = state.kept.get(model.pane)?;
    let at = kept.get(state.lists.get(model.pane)?.at(kept.len())?)?;
    found.rows.get(model.pane)?.get(*at)
}

fn under(model: &Model) -> Under {
    let row = chosen(model);
    let node = row.and_then(|row| row.node).or(model.node);
    Under { node, fact: row.and_then(|row| row.fact), ..Under::default() }
}

fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Move(motion) => {
            let (pane, page) = (model.pane, model.page_rows() / 2);
            let state = &mut model.on.network;
            if let (Some(list), Some(kept)) = (state.lists.get_mut(pane), state.kept.get(pane)) {
                list.go(motion, kept.len(), page);
            }
            Vec::new()
        }
        Msg::Open => match chosen(model).map(|row| row.node) {
            Some(Some(node)) => explore(model, node),
            Some(None) => {
                model.status =
                    "the row stands for many: Y copies the command that lists them".to_owned();
                Vec::new()
            }
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Pretends that the rule or the policy that decides the row under the cursor is gone.
pub fn mark(model: &mut Model) -> Vec<Effect> {
    match chosen(model).map(|row| row.gone) {
        Some(Some(gone)) => change(model, |changes| changes.toggle_policy(gone)),
        Some(None) => {
            model.status = "no policy decides this line that could be gone".to_owned();
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// The mark and the word of a verdict, and how it looks.
fn verdict(state: Verdict, theme: Theme) -> (&'static str, Style) {
    match state {
        Verdict::Allowed => ("+ allowed", theme.text()),
        Verdict::Unknown => ("? unknown", theme.warn()),
        Verdict::Denied => ("x denied ", theme.dim()),
    }
}

fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let (Some(graph), Some(node), theme) = (model.graph(), model.node, model.theme) else { return };
    let name = named(graph, node);
    let Some((_, _, found)) = &model.on.network.found else {
        let inner = pane(buf, area, &format!("Network of {name}"), true, theme);
        let text = super::waiting(model, Topic::Network, "asking the network", "6");
        super::empty(buf, inner, &text, theme);
        return;
    };
    if let Some(lack) = &found.lack {
        let inner = pane(buf, area, &format!("Network of {name}"), true, theme);
        super::empty(buf, inner, lack, theme);
        return;
    }
    let width = usize::from(area.width);
    let title = span(fit(&found.title, width, theme), theme.title());
    put(buf, area.x, area.y, area.width, &Line::from(title));
    let mut y = area.y + 1;
    for (label, text) in &found.head {
        // What is said at length keeps two lines: the lists are what one came for.
        let room = width.saturating_sub(LABEL);
        let mut lines = wrap(text, room);
        if lines.len() > 2 {
            let rest = lines.split_off(1).join(" ");
            lines.push(shorten(&rest, room, theme));
        }
        for (i, line) in lines.into_iter().enumerate() {
            let lead = if i == 0 { label } else { "" };
            let spans =
                vec![span(format!("{lead:<LABEL$}"), theme.dim()), span(line, theme.text())];
            put(buf, area.x, y, area.width, &Line::from(spans));
            y += 1;
        }
    }
    let rest = area.bottom().saturating_sub(y);
    let why = (rest * 2 / 5).clamp(4, 16);
    let lists = Rect { y, height: rest.saturating_sub(why), ..area };
    let alone = model.enlarged || area.width < 60;
    let (left, right) = if alone { (lists, lists) } else { split(lists, 50) };
    for (place, area) in [left, right].into_iter().enumerate() {
        if !alone || model.pane == place {
            list(model, found, buf, area, place);
        }
    }
    explained(model, buf, Rect { y: y + lists.height, height: why, ..area });
}

/// Text cut at its end to so many columns.
fn shorten(text: &str, columns: usize, theme: Theme) -> String {
    let more = theme.glyphs().more;
    let mut lines = wrap(text, columns.saturating_sub(more.len())).into_iter();
    lines.next().unwrap_or_default() + more
}

fn list(model: &Model, found: &Answer, buf: &mut Canvas<'_>, area: Rect, place: usize) {
    let (theme, state) = (model.theme, &model.on.network);
    let (Some(all), Some(kept), Some(list), Some(title)) =
        (found.rows.get(place), state.kept.get(place), state.lists.get(place), TITLES.get(place))
    else {
        return;
    };
    let focused = model.pane == place;
    let left = match found.left.get(place) {
        None | Some(0) => String::new(),
        Some(left) => format!(", {left} more left out"),
    };
    let inner = pane(buf, area, &format!("{title}: {}{left}", kept.len()), focused, theme);
    if kept.is_empty() {
        let text = if all.is_empty() { "nobody" } else { "the filter leaves nothing" };
        super::empty(buf, inner, text, theme);
    }
    rows(buf, inner, (*list, kept.len()), (place, focused), theme, |row, width| {
        let Some(row) = kept.get(row).and_then(|at| all.get(*at)) else { return Line::default() };
        let (word, style) = verdict(row.state, theme);
        let ports = fit(&row.ports, (width / 3).max(10), theme);
        let room = width.saturating_sub(11 + ports.chars().count());
        Line::from(vec![
            span(format!("{word} "), style),
            span(column(&row.name, room, theme), theme.text()),
            span(format!(" {ports}"), theme.dim()),
        ])
    });
}

/// Why the row under the cursor is as it is.
fn explained(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let theme = model.theme;
    let Some(row) = chosen(model) else { return };
    let inner = pane(buf, area, &format!("Why: {}", row.pair), false, theme);
    let width = usize::from(inner.width);
    let height = usize::from(inner.height);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (label, text) in &row.why {
        let (lead, style) = match label.as_str() {
            "" => (String::new(), theme.text()),
            label => (format!("  {label:<11} "), theme.dim()),
        };
        let wrapped = wrap(text, width.saturating_sub(lead.len()));
        for (i, line) in wrapped.into_iter().enumerate() {
            let lead = if i == 0 { lead.clone() } else { " ".repeat(lead.len()) };
            lines.push(Line::from(vec![span(lead, theme.dim()), span(line, style)]));
        }
    }
    if lines.len() > height {
        let left = lines.len() + 1 - height;
        lines.truncate(height.saturating_sub(1));
        let text = format!("  {left} lines more: Y copies the command that prints all");
        lines.push(Line::from(span(text, theme.dim())));
    }
    paragraph(buf, inner, &lines);
}

fn command(model: &Model) -> String {
    let inputs = model.input();
    let found = model.on.network.found.as_ref().filter(|(_, _, found)| found.lack.is_none());
    let Some((_, _, found)) = found else { return format!("reach {inputs}") };
    let own = quote(&found.own);
    let other = chosen(model).and_then(|row| row.other.as_deref()).map(quote);
    let (own_end, other_end) = if model.pane == 0 { ("to", "from") } else { ("from", "to") };
    let other = other.map_or_else(String::new, |other| format!(" --{other_end} {other}"));
    format!("reach {inputs} --{own_end} {own}{other} --level workload")
}

/// The picture of the connections that the filter leaves; what is denied is counted.
pub(in crate::tui) fn drawing(model: &Model) -> Result<Drawing, &'static str> {
    let state = &model.on.network;
    let found = state.found.as_ref().filter(|(_, _, found)| found.lack.is_none());
    let Some((node, _, found)) = found else { return Err("there is no connection to draw") };
    let mut denied = 0;
    let sides = [0, 1].map(|side| {
        let rows = found.rows.get(side).map_or(&[][..], Vec::as_slice);
        let kept = state.kept.get(side).map_or(&[][..], Vec::as_slice);
        let kept = kept.iter().filter_map(|at| rows.get(*at));
        let (open, held): (Vec<&Row>, Vec<&Row>) =
            kept.partition(|row| row.state != Verdict::Denied);
        denied += held.len();
        let connection = |row: &Row| Connection {
            node: row.node,
            name: row.name.clone(),
            ports: row.ports.clone(),
            sure: row.state == Verdict::Allowed,
        };
        open.into_iter().map(connection).collect::<Vec<_>>()
    });
    let held = match denied {
        0 => String::new(),
        1 => "; 1 denied line is not drawn".to_owned(),
        denied => format!("; {denied} denied lines are not drawn"),
    };
    let (node, left, title) = (*node, found.left, format!("{}{held}", found.title));
    Ok(Box::new(move |loaded| Picture::of_connections(&loaded.graph, node, &sides, left, title)))
}

fn markdown(model: &Model) -> String {
    let Some((_, _, found)) = &model.on.network.found else { return String::new() };
    let safe = |s: &str| crate::report::escape::markdown(s).into_owned();
    let mut lines = vec![format!("## {}", safe(&found.title)), String::new()];
    lines.extend(found.lack.iter().map(|lack| safe(lack)));
    lines.extend(found.head.iter().map(|(label, text)| format!("- {label}: {}", safe(text))));
    let sides = TITLES.iter().zip(&found.rows).zip(&found.left).zip(&model.on.network.kept);
    for (((title, rows), left), kept) in sides {
        if found.lack.is_some() {
            break;
        }
        lines.push(format!("\n### {title}\n\n| verdict | who | ports | why |\n|---|---|---|---|"));
        lines.extend(kept.iter().filter_map(|at| rows.get(*at)).map(|row| {
            let word = answer::word(row.state);
            let why: Vec<&str> = row.why.iter().map(|(_, text)| text.as_str()).collect();
            let cells = [row.name.as_str(), &row.ports, &why.join("; ")].map(safe).join(" | ");
            format!("| {word} | {cells} |")
        }));
        if *left > 0 {
            lines.push(format!("\n{left} more are left out."));
        }
    }
    lines.join("\n") + "\n"
}
