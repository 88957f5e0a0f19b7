//! Blast: what the node in focus can come to hold, by kind, the most valuable kind first and the
//! likeliest of each first.

use super::super::canvas::{Canvas, fit, pane, rows, span};
use super::super::filter::Filter;
use super::super::list::List;
use super::super::loaded::Loaded;
use super::super::message::{Effect, Found, Msg};
use super::super::model::{Model, quote};
use super::super::update::explore;
use super::super::worker::{Job, Topic};
use super::{Room, Under};
use crate::graph::{NodeId, NodeKind};
use crate::query::blast::{Blast, blast};
use crate::query::search::Search;
use crate::report::named;
use ratatui::layout::Rect;
use ratatui::text::Line;
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
        super::empty(buf, inner, "following every way from here ...", theme);
        return;
    };
    let credentials: usize = found
        .classes
        .iter()
        .filter(|class| CREDENTIALS.contains(&class.kind))
        .map(|class| class.reached.len())
        .sum();
    let title = format!(
        "From {}: {:.0} % of the cluster's worth, {credentials} credentials to rotate",
        named(graph, node),
        found.share * 100.0
    );
    let inner = pane(buf, area, &title, true, theme);
    if state.rows.is_empty() {
        let text = if found.classes.is_empty() {
            "it reaches nothing"
        } else {
            "the filter leaves nothing"
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
        let more =
            if reached.folded > 1 { format!(" ({} pods)", reached.folded) } else { String::new() };
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
    format!("blast {} {}", model.input(), quote(&node))
}

fn markdown(model: &Model) -> String {
    let (Some(graph), Some((node, _, found))) = (model.graph(), &model.on.blast.found) else {
        return String::new();
    };
    let safe = |s: &str| crate::report::escape::markdown(s).into_owned();
    let mut out = format!("## From {}\n", safe(&named(graph, *node)));
    for class in &found.classes {
        let _ = write!(out, "\n### {} ({})\n\n", class.kind.name(), class.reached.len());
        for reached in &class.reached {
            let _ =
                writeln!(out, "- {:.2} {}", reached.likelihood, safe(&named(graph, reached.node)));
        }
    }
    out
}
