//! Blast: what the node in focus can come to hold, by kind, the most valuable kind first and the
//! likeliest of each first.

use super::super::canvas::{Canvas, fit, pane, put, rows, span};
use super::super::export::Drawing;
use super::super::filter::Filter;
use super::super::list::List;
use super::super::loaded::Loaded;
use super::super::message::{Effect, Found, Msg};
use super::super::model::{Model, quote};
use super::super::update::explore;
use super::super::worker::{Job, Topic};
use super::{Room, Under};
use crate::graph::{Graph, NodeId, NodeKind};
use crate::query::Step;
use crate::query::blast::{Blast, blast};
use crate::query::filter::Filter as Gone;
use crate::query::search::{Direction, Next, Search};
use crate::query::steps::steps;
use crate::report::named;
use crate::report::picture::Picture;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// The screen.
pub static ROOM: Room =
    Room { title: "Blast", panes: 1, view, update, refresh, under, command, markdown };

/// What the screen keeps.
#[derive(Default)]
pub struct State {
    list: List,
    /// What was found, of which node, while how much was pretended.
    found: Option<(NodeId, super::super::loaded::Changes, Arc<Blast>)>,
    /// A kind's headline, or the place of a thing in it; those that the filter keeps.
    rows: Vec<(usize, Option<usize>)>,
}

/// How many of each kind the command prints by itself.
const PRINTED: usize = 10;

/// What is worth most to rotate.
const CREDENTIALS: [NodeKind; 3] =
    [NodeKind::Secret, NodeKind::ServiceAccount, NodeKind::CloudIdentity];

fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(loaded) = model.loaded.clone() else { return Vec::new() };
    let start = || loaded.graph.nodes_of(|kind| kind == NodeKind::Internet).next();
    model.node = model.node.or_else(start);
    let Some(node) = model.node else { return Vec::new() };
    let known = model.on.blast.found.as_ref();
    if known.is_some_and(|(of, with, _)| *of == node && *with == model.changes) {
        list(model, &loaded);
        return Vec::new();
    }
    model.on.blast = State::default();
    let changes = model.changes.clone();
    let run = move |loaded: &Arc<Loaded>, _: &_| -> Found {
        let graph = &loaded.graph;
        let found = blast(graph, &mut Search::new(graph), &[node], &changes.filter(graph));
        Box::new(move |model| {
            model.on.blast.found = Some((node, changes, Arc::new(found)));
            refresh(model)
        })
    };
    let doing = "following every way from here";
    vec![Effect::Work(Job { topic: Topic::Blast, doing, run: Box::new(run) })]
}

/// Lists what the filter keeps.
fn list(model: &mut Model, loaded: &Loaded) {
    let filter = Filter::new(model.filter(), &loaded.graph);
    let Some((_, _, found)) = &model.on.blast.found else { return };
    let mut rows = Vec::new();
    for (place, class) in found.classes.iter().enumerate() {
        let kept = class.reached.iter().enumerate().filter(|(_, reached)| {
            filter.is_empty()
                || filter.keeps(Some(reached.node), None, &named(&loaded.graph, reached.node))
        });
        let kept: Vec<usize> = kept.map(|(at, _)| at).collect();
        if !kept.is_empty() {
            rows.push((place, None));
            rows.extend(kept.into_iter().map(|at| (place, Some(at))));
        }
    }
    model.on.blast.rows = rows;
}

fn chosen(model: &Model) -> Option<NodeId> {
    let state = &model.on.blast;
    let (class, at) = *state.rows.get(state.list.at(state.rows.len())?)?;
    let (_, _, found) = state.found.as_ref()?;
    Some(found.classes.get(class)?.reached.get(at?)?.node)
}

fn under(model: &Model) -> Under {
    Under { node: chosen(model).or(model.node), ..Under::default() }
}

fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Move(motion) => {
            let (len, page) = (model.on.blast.rows.len(), model.page_rows());
            model.on.blast.list.go(motion, len, page);
            Vec::new()
        }
        // The way there is what one wants to see next.
        Msg::Open => match (model.node, chosen(model)) {
            (Some(from), Some(to)) => {
                model.ends = (Some(from), Some(to));
                super::super::update::find(model)
            }
            _ => Vec::new(),
        },
        Msg::Owner => chosen(model).map_or_else(Vec::new, |node| explore(model, node)),
        _ => Vec::new(),
    }
}

fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let (Some(graph), Some(node), theme) = (model.graph(), model.node, model.theme) else { return };
    let state = &model.on.blast;
    let Some((_, _, found)) = &state.found else {
        let inner = pane(buf, area, &format!("From {}", named(graph, node)), true, theme);
        let text = super::waiting(model, Topic::Blast, "following every way from here", "4");
        super::empty(buf, inner, &text, theme);
        return;
    };
    let credentials: usize = found
        .classes
        .iter()
        .filter(|class| CREDENTIALS.contains(&class.kind))
        .map(|class| class.reached.len())
        .sum();
    let inner = pane(buf, area, &format!("From {}", named(graph, node)), true, theme);
    let rotate = if credentials == 1 { "credential" } else { "credentials" };
    let without = match model.changes.count() {
        0 => "",
        _ => "; without what is pretended to be gone",
    };
    let summary = format!(
        "  {:.0} % of the cluster's worth, {credentials} {rotate} to rotate{without}",
        found.share * 100.0
    );
    let inner_width = usize::from(inner.width);
    let summary = span(fit(&summary, inner_width, theme), theme.text());
    put(buf, inner.x, inner.y, inner.width, &Line::from(summary));
    let inner = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    if state.rows.is_empty() {
        let text = match (found.classes.is_empty(), model.changes.is_empty()) {
            (false, _) => "the filter leaves nothing; Esc clears it",
            (true, true) => "it reaches nothing",
            (true, false) => "it reaches nothing as things are pretended to be; 5 shows them",
        };
        super::empty(buf, inner, text, theme);
    }
    rows(buf, inner, (state.list, state.rows.len()), (0, true), theme, |row, width| {
        let Some((class, at)) = state.rows.get(row) else { return Line::default() };
        let Some(class) = found.classes.get(*class) else { return Line::default() };
        let Some(reached) = at.and_then(|at| class.reached.get(at)) else {
            let text = format!("{} {} of {}", class.kind.name(), class.reached.len(), class.of);
            return Line::from(span(text, theme.title()));
        };
        let more = folded(reached.folded);
        let name = named(graph, reached.node);
        Line::from(vec![
            span(format!("  {:.2} ", reached.likelihood), theme.dim()),
            span(fit(&name, width.saturating_sub(8 + more.len()), theme), theme.text()),
            span(more, theme.dim()),
        ])
    });
}

fn command(model: &Model) -> String {
    let node = model.node.map_or_else(|| "internet".to_owned(), |node| model.spelled(node));
    // The command prints ten of each kind unless it is told otherwise.
    let found = model.on.blast.found.as_ref().map_or(&[][..], |(_, _, found)| &found.classes);
    let most = found.iter().map(|class| class.reached.len()).max().unwrap_or(0);
    let top = if most > PRINTED { format!(" --top {most}") } else { String::new() };
    format!("blast {} {}{top}", model.input(), quote(&node))
}

/// How many of the things that are reached a picture shows the way to.
const DRAWN: usize = 40;

/// The picture of the likeliest way to each thing that the filter leaves.
pub(in crate::tui) fn drawing(model: &Model) -> Result<Drawing, &'static str> {
    let state = &model.on.blast;
    let (Some(graph), Some((node, changes, found))) = (model.graph(), &state.found) else {
        return Err("what it reaches is not known yet");
    };
    let reached = |(class, at): &(usize, Option<usize>)| {
        Some(found.classes.get(*class)?.reached.get((*at)?)?.node)
    };
    let all: Vec<NodeId> = state.rows.iter().filter_map(reached).collect();
    if all.is_empty() {
        return Err("it reaches nothing that could be drawn");
    }
    let title = format!("what {} reaches: {}", named(graph, *node), all.len());
    let (node, changes) = (*node, changes.clone());
    Ok(Box::new(move |loaded| {
        let graph = &loaded.graph;
        let drawn = all.get(..DRAWN).unwrap_or(&all);
        let ways = ways(graph, node, drawn, &changes.filter(graph));
        Picture::of_ways(graph, node, &ways, all.len() - drawn.len(), title)
    }))
}

/// The likeliest way from a node to each of others, which are folded as answers are.
fn ways(graph: &Graph, from: NodeId, to: &[NodeId], gone: &Gone) -> Vec<(NodeId, Vec<Step>)> {
    let mut search = Search::new(graph);
    search.run(Direction::Forward, &[from], gone, None, usize::MAX, |_, _| Next::Expand);
    let tree = search.tree();
    // Of what folds into one, the likeliest.
    let mut best: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for node in tree.nodes() {
        let folded = graph.fold(node);
        let near = best.entry(folded).or_insert(node);
        if tree.key(node) < tree.key(*near) {
            *near = node;
        }
    }
    let way = |to: &NodeId| {
        let end = *best.get(to)?;
        Some((end, steps(graph, &search.proof(gone, end)?)))
    };
    to.iter().filter_map(way).collect()
}

fn markdown(model: &Model) -> String {
    let (Some(graph), Some((node, _, found))) = (model.graph(), &model.on.blast.found) else {
        return String::new();
    };
    let safe = |s: &str| crate::report::escape::markdown(s).into_owned();
    let mut out = format!("## From {}\n", safe(&named(graph, *node)));
    for (class, at) in &model.on.blast.rows {
        let Some(class) = found.classes.get(*class) else { continue };
        let Some(reached) = at.and_then(|at| class.reached.get(at)) else {
            let _ = write!(
                out,
                "\n### {}: {} of {}\n\n",
                class.kind.name(),
                class.reached.len(),
                class.of
            );
            continue;
        };
        let more = folded(reached.folded);
        let name = safe(&named(graph, reached.node));
        let _ = writeln!(out, "- {:.2} {name}{more}", reached.likelihood);
    }
    out
}

/// How many pods a workload stands for.
fn folded(count: usize) -> String {
    if count > 1 { format!(" ({count} pods)") } else { String::new() }
}
