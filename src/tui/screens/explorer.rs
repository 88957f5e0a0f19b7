//! Explorer: one node in the middle, what leads to it on the left, what it leads to on the right.
//! Enter goes there, Esc comes back. Tab goes from list to list and to the middle: keys that take the
//! node under the cursor take that one then.

use super::super::canvas::{Canvas, Spot, fit, pane, paragraph, rows, safe, span, split};
use super::super::export::Drawing;
use super::super::filter::Filter;
use super::super::list::List;
use super::super::message::{Effect, Msg};
use super::super::model::{Model, quote};
use super::super::theme::Theme;
use super::super::update::explore;
use super::{Room, Under};
use crate::graph::{EdgeId, Graph, NodeId, NodeKind, Tag, likelihood_of};
use crate::query::spell;
use crate::report::picture::Picture;
use crate::report::{fact_text, is_plain, named};
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::fmt::Write as _;

/// The screen.
pub static ROOM: Room =
    Room { title: "Explorer", panes: 3, view, update, refresh, under, command, markdown };

/// The least room of an attack's name beside a node's.
const ATTACK: usize = 12;

/// So wide a list names its nodes in words.
const ROOMY: usize = 60;

/// The pane that the node in the middle is, after the two lists.
const MIDDLE: usize = 2;

/// What the screen keeps.
#[derive(Default)]
pub struct State {
    /// The cursors of what comes in and of what goes out.
    pub lists: [List; 2],
    /// The edges that the filter keeps, coming in and going out, with their other ends; the
    /// likeliest first.
    edges: [Vec<(EdgeId, NodeId)>; 2],
    /// How many edges what is pretended leaves out.
    gone: [usize; 2],
}

impl State {
    /// Forgets the edges of the node before.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(loaded) = model.loaded.clone() else { return Vec::new() };
    let graph = &loaded.graph;
    // Where nothing was looked at yet, begin with what everybody asks about.
    let start = || graph.nodes_of(|kind| kind == NodeKind::ClusterAdmin).next();
    model.node = model.node.or_else(start);
    let Some(node) = model.node else { return Vec::new() };
    let filter = Filter::new(model.filter(), graph);
    let gone = model.changes.filter(graph);
    let sorted = |edges: &mut dyn Iterator<Item = (EdgeId, NodeId)>, out: bool| {
        let open = |(edge, near): &(EdgeId, NodeId)| {
            let (from, to) = if out { (node, *near) } else { (*near, node) };
            gone.allows(graph, *edge, from, to)
        };
        let kept = |(edge, near): &(EdgeId, NodeId)| {
            filter.is_empty()
                || filter.keeps(
                    Some(*near),
                    Some(graph.attack(*edge).id),
                    &text(graph, *edge, *near),
                )
        };
        let all: Vec<(EdgeId, NodeId)> = edges.collect();
        let left: Vec<(EdgeId, NodeId)> = all.iter().copied().filter(open).collect();
        let left_out = all.len() - left.len();
        let mut edges: Vec<(EdgeId, NodeId)> = left.into_iter().filter(kept).collect();
        edges.sort_by_key(|(edge, near)| (graph.cost(*edge), *near, *edge));
        (edges, left_out)
    };
    let (into, before) = sorted(&mut graph.incoming(node), false);
    let (out, after) = sorted(&mut graph.outgoing(node), true);
    (model.on.explorer.edges, model.on.explorer.gone) = ([into, out], [before, after]);
    Vec::new()
}

fn text(graph: &Graph, edge: EdgeId, near: NodeId) -> String {
    format!("{} {}", graph.attack(edge).id, named(graph, near))
}

/// The edge under the cursor, and its other end.
fn chosen(model: &Model) -> Option<(EdgeId, NodeId)> {
    let state = &model.on.explorer;
    let edges = state.edges.get(model.pane)?;
    let list = state.lists.get(model.pane)?;
    edges.get(list.at(edges.len())?).copied()
}

fn under(model: &Model) -> Under {
    let Some(graph) = model.graph() else { return Under::default() };
    match chosen(model) {
        Some((edge, near)) => {
            let fact = graph.facts(edge).find(|fact| !is_plain(&graph.view(*fact)));
            Under { node: Some(near), edge: Some(edge), fact }
        }
        None => Under { node: model.node, ..Under::default() },
    }
}

fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let page = model.page_rows();
    match msg {
        Msg::Move(motion) => {
            let pane = model.pane;
            let state = &mut model.on.explorer;
            if let (Some(list), Some(edges)) = (state.lists.get_mut(pane), state.edges.get(pane)) {
                list.go(motion, edges.len(), page);
            }
            Vec::new()
        }
        Msg::Open => chosen(model).map_or_else(Vec::new, |(_, near)| explore(model, near)),
        _ => Vec::new(),
    }
}

/// What is said of the node itself: its name, its marks, its labels.
fn head(graph: &Graph, node: NodeId) -> Vec<String> {
    let tags: Vec<&str> =
        Tag::ALL.iter().filter(|(tag, _)| graph.has(node, *tag)).map(|(_, name)| *name).collect();
    let labels: Vec<String> =
        graph.labels(node).map(|(k, v)| format!("{}={}", safe(k), safe(v))).collect();
    let mut lines = vec![named(graph, node)];
    if !tags.is_empty() || !labels.is_empty() {
        lines.push([tags.join(" "), labels.join(" ")].join("  ").trim().to_owned());
    }
    lines
}

fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let (Some(graph), Some(node)) = (model.graph(), model.node) else { return };
    let (theme, glyphs) = (model.theme, model.theme.glyphs());
    let width = usize::from(area.width);
    // The way here, the last places only.
    let been = model.trail.iter().rev().filter(|p| p.screen == super::Screen::Explorer);
    let mut crumbs: Vec<String> =
        been.filter_map(|p| p.node).take(3).map(|n| named(graph, n)).collect();
    crumbs.reverse();
    let crumbs = crumbs.join(&format!(" {} ", glyphs.arrow));
    let mut heads: Vec<Line<'_>> = Vec::new();
    if !crumbs.is_empty() {
        heads.push(Line::from(span(fit(&crumbs, width, theme), theme.dim())));
    }
    let middle = heads.len();
    for (place, line) in head(graph, node).iter().enumerate() {
        let here = place == 0 && model.pane == MIDDLE;
        let line = if here { format!("{} {line}", glyphs.cursor) } else { line.clone() };
        let style = if place == 0 { theme.title() } else { theme.dim() };
        heads.push(Line::from(span(fit(&line, width, theme), style)));
    }
    paragraph(buf, area, &heads);
    let above = u16::try_from(heads.len()).unwrap_or(0);
    let y = area.y + u16::try_from(middle).unwrap_or(0);
    let named = Rect { y, height: 1, ..area }.intersection(area);
    buf.spot(named, Spot::Pane(MIDDLE));
    if model.pane == MIDDLE {
        buf.set_style(named, theme.selected(true));
    }
    let rest = Rect { y: area.y + above, height: area.height.saturating_sub(above), ..area };
    // The evidence of the edge under the cursor has the whole width: it is what is cut worst.
    let facts = facts(graph, model, usize::from(area.width), theme);
    let below = u16::try_from(facts.len()).unwrap_or(u16::MAX).min(rest.height / 3);
    let lists = Rect { height: rest.height - below, ..rest };
    let alone = model.enlarged || area.width < 60;
    let (left, right) = if alone { (lists, lists) } else { split(lists, share(model)) };
    for (place, area) in [left, right].into_iter().enumerate() {
        if !alone || model.pane % MIDDLE == place {
            side(model, graph, buf, area, place);
        }
    }
    let beneath = Rect { y: lists.bottom(), height: below, ..rest };
    let fits = usize::from(below);
    if facts.len() > fits {
        let (mut seen, left) = (facts, fits.saturating_sub(1));
        let more = seen.len() - left;
        seen.truncate(left);
        seen.push(Line::from(span(format!("  {more} more: e shows all"), theme.dim())));
        paragraph(buf, beneath, &seen);
    } else {
        paragraph(buf, beneath, &facts);
    }
}

/// The share of the left list in percent: a side without rows needs little room.
fn share(model: &Model) -> u16 {
    match model.on.explorer.edges.each_ref().map(Vec::is_empty) {
        [true, false] => 28,
        [false, true] => 72,
        _ => 50,
    }
}

fn side(model: &Model, graph: &Graph, buf: &mut Canvas<'_>, area: Rect, place: usize) {
    let (theme, state) = (model.theme, &model.on.explorer);
    let (Some(edges), Some(list)) = (state.edges.get(place), state.lists.get(place)) else {
        return;
    };
    let focused = model.pane == place;
    let title = if place == 0 { "Leads here" } else { "Leads to" };
    let gone = state.gone.get(place).copied().unwrap_or(0);
    let left_out = if gone > 0 { format!(", {gone} left out") } else { String::new() };
    let inner = pane(buf, area, &format!("{title}: {}{left_out}", edges.len()), focused, theme);
    if edges.is_empty() {
        let text = match (model.filter().is_empty(), gone) {
            (false, _) => "the filter leaves nothing",
            (true, 0) => "nothing",
            (true, _) => "nothing is left by what is pretended; 5 shows it",
        };
        super::empty(buf, inner, text, theme);
    }
    rows(buf, inner, (*list, edges.len()), (place, focused), theme, |row, width| {
        let Some((edge, near)) = edges.get(row).copied() else { return Line::default() };
        let likelihood = likelihood_of(u64::from(graph.cost(edge)));
        let attack = graph.attack(edge).id;
        let name = short(graph, near, width);
        // Where there is little room, both give way; the attack first.
        let room = width.saturating_sub(6);
        let wide = |text: &str| span(text, theme.text()).width();
        let room_of_name = wide(&name).min(room.saturating_sub(wide(attack).min(ATTACK)));
        let room_of_attack = room.saturating_sub(room_of_name);
        Line::from(vec![
            span(format!("{likelihood:.2} "), theme.dim()),
            span(fit(&name, room_of_name, theme), theme.kind(graph.kind(near))),
            span(format!(" {}", fit(attack, room_of_attack, theme)), theme.dim()),
        ])
    });
}

/// A name for a list: where there is little room as a selector, which is shorter and can be typed.
fn short(graph: &Graph, node: NodeId, width: usize) -> String {
    match graph.kind(node) {
        NodeKind::Set | NodeKind::Gate => named(graph, node),
        _ if width < ROOMY => safe(&spell(graph, node)),
        _ => named(graph, node),
    }
}

fn facts(graph: &Graph, model: &Model, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let Some((edge, _)) = chosen(model) else { return Vec::new() };
    let (attack, confidence) = (graph.attack(edge), graph.confidence(edge));
    let rule = theme.glyphs().rule;
    let title = format!("{rule} {} ({}): {confidence} ", attack.title, attack.id);
    let mut title = fit(&title, width, theme);
    let missing = width.saturating_sub(span(title.clone(), theme.dim()).width());
    title.push_str(&rule.repeat(missing));
    let mut lines = vec![Line::from(span(title, theme.dim()))];
    for fact in graph.evidence(edge).filter(|fact| !is_plain(fact)) {
        let text = fit(&fact_text(&fact), width.saturating_sub(2), theme);
        lines.push(Line::from(span(format!("  {text}"), theme.text())));
    }
    lines
}

fn command(model: &Model) -> String {
    let inputs = model.input();
    let Some(node) = model.node else { return format!("export {} -o json", model.inputs()) };
    let here = quote(&model.spelled(node));
    match chosen(model) {
        Some((_, near)) => {
            let near = quote(&model.spelled(near));
            let (from, to) = if model.pane == 0 { (near, here) } else { (here, near) };
            format!("why {inputs} {from} {to}")
        }
        None => format!("blast {inputs} {here}"),
    }
}

/// The picture of the node between its neighbours, as the filter leaves them.
pub(in crate::tui) fn drawing(model: &Model) -> Result<Drawing, &'static str> {
    let (Some(graph), Some(node)) = (model.graph(), model.node) else {
        return Err("there is no node to draw");
    };
    let filter = match model.filter() {
        "" => String::new(),
        filter => format!(", as filtered by {}", safe(filter)),
    };
    let title = format!("what surrounds {}{filter}", named(graph, node));
    let [into, out] = model.on.explorer.edges.clone();
    Ok(Box::new(move |loaded| Picture::of_neighbours(&loaded.graph, node, [&into, &out], title)))
}

fn markdown(model: &Model) -> String {
    let (Some(graph), Some(node)) = (model.graph(), model.node) else { return String::new() };
    let safe = |s: &str| crate::report::escape::markdown(s).into_owned();
    let mut out = format!("## {}\n", safe(&named(graph, node)));
    for (title, edges) in ["Leads here", "Leads to"].iter().zip(&model.on.explorer.edges) {
        let _ = writeln!(out, "\n### {title}\n\n| likelihood | attack | node |\n|---|---|---|");
        for (edge, near) in edges {
            let likelihood = likelihood_of(u64::from(graph.cost(*edge)));
            let (attack, near) = (graph.attack(*edge).id, safe(&named(graph, *near)));
            let _ = writeln!(out, "| {likelihood:.2} | `{attack}` | {near} |");
        }
    }
    out
}
