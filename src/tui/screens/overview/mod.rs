//! Overview: how much was read, what comes of it, whether a gate would pass, where it is worst, and
//! what is not known.

pub mod gate;

use super::super::canvas::{Canvas, column, fit, pane, paragraph, rows, safe, span, split, wrap};
use super::super::filter::Filter;
use super::super::list::List;
use super::super::loaded::Loaded;
use super::super::message::{Effect, Msg};
use super::super::model::{Model, quote};
use super::super::theme::{Theme, letter};
use super::super::update::show;
use super::{Room, Screen, Under, cuts, empty, paths};
use crate::graph::{Graph, NodeKind};
use crate::query::{Answer, Severity};
use crate::report::{counted, ends, repeats};
use crate::world::coverage::State as Known;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The screen.
pub static ROOM: Room =
    Room { title: "Overview", panes: 3, view, update, refresh, under, command, markdown };

/// What the screen keeps.
#[derive(Default)]
pub struct State {
    lists: [List; 2],
    /// Places of the worst answers.
    worst: Vec<usize>,
    namespaces: Vec<Namespace>,
    funnel: Vec<(usize, &'static str)>,
    gate: gate::State,
}

/// The pane of the gate.
const GATE: usize = 2;

/// A namespace, and how many answers of each severity pass through it.
struct Namespace {
    name: String,
    by_severity: [usize; 5],
}

/// How many of the worst answers are listed.
const WORST: usize = 100;

fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(loaded) = model.loaded.clone() else { return Vec::new() };
    let graph = &loaded.graph;
    let answers = &model.asked.answers;
    let filter = Filter::new(model.filter(), graph);
    let firsts = repeats(graph, answers);
    let worst: Vec<usize> = (0..answers.len())
        .filter(|place| firsts[*place].is_none() && filter.keeps_answer(graph, &answers[*place]))
        .take(WORST)
        .collect();
    let mut namespaces: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    for answer in answers.iter() {
        let nodes = answer.steps.iter().flat_map(|s| [s.from, s.to]);
        let within: BTreeSet<&str> = nodes.filter_map(|n| graph.namespace(n)).collect();
        let place = Severity::ALL.iter().position(|s| *s == answer.severity).unwrap_or(4);
        for name in within {
            namespaces.entry(name).or_default()[place] += 1;
        }
    }
    let mut namespaces: Vec<Namespace> = namespaces
        .into_iter()
        .map(|(name, by_severity)| Namespace { name: name.to_owned(), by_severity })
        .collect();
    namespaces.sort_by(|a, b| b.by_severity.cmp(&a.by_severity).then(a.name.cmp(&b.name)));
    let funnel = funnel(&loaded, answers, firsts.iter().filter(|f| f.is_none()).count());
    let state = &mut model.on.overview;
    (state.worst, state.namespaces, state.funnel) = (worst, namespaces, funnel);
    gate::refresh(model);
    Vec::new()
}

/// From what was read to what is worth a look.
fn funnel(loaded: &Loaded, answers: &[Answer], distinct: usize) -> Vec<(usize, &'static str)> {
    let graph = &loaded.graph;
    let outside = |a: &&Answer| graph.kind(a.from) == NodeKind::Internet;
    let admin = |a: &&Answer| graph.kind(a.to) == NodeKind::ClusterAdmin;
    let cuts: BTreeSet<_> = answers.iter().filter_map(|a| Some(a.cut.as_ref()?.fact)).collect();
    vec![
        (usize::try_from(loaded.snapshot.objects).unwrap_or(usize::MAX), "objects"),
        (graph.node_count(), "nodes"),
        (graph.edge_count(), "edges"),
        (distinct, "paths"),
        (answers.iter().filter(admin).count(), "to cluster-admin"),
        (answers.iter().filter(outside).count(), "from the internet"),
        (cuts.len(), "cuts that close them"),
    ]
}

/// The place of the answer under the cursor.
fn chosen(model: &Model) -> Option<usize> {
    let state = &model.on.overview;
    state.worst.get(state.lists[0].at(state.worst.len())?).copied()
}

fn under(model: &Model) -> Under {
    if model.pane == GATE {
        return gate::under(model);
    }
    if model.pane == 0 {
        let answer = chosen(model).and_then(|place| model.asked.answers.get(place));
        let Some(answer) = answer else { return Under::default() };
        let fact = answer.cut.as_ref().map(|cut| cut.fact);
        return Under { node: Some(answer.from), edge: None, fact };
    }
    let state = &model.on.overview;
    let row = state.lists[1].at(state.namespaces.len());
    let name = row.and_then(|row| state.namespaces.get(row)).map(|n| n.name.as_str());
    let node = model.graph().zip(name).and_then(|(graph, name)| {
        let mut namespaces = graph.nodes_of(|kind| kind == NodeKind::Namespace);
        namespaces.find(|n| graph.name(*n) == name)
    });
    Under { node, ..Under::default() }
}

fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    if model.pane == GATE {
        return gate::update(model, msg);
    }
    let page = model.page_rows();
    let pane = model.pane.min(1);
    let state = &mut model.on.overview;
    match msg {
        Msg::Move(motion) => {
            let len = if pane == 0 { state.worst.len() } else { state.namespaces.len() };
            state.lists[pane].go(motion, len, page);
        }
        Msg::Open if pane == 0 => {
            return chosen(model).map_or_else(Vec::new, |place| paths::open(model, place));
        }
        Msg::Open => {
            let row = state.lists[1].at(state.namespaces.len());
            if let Some(name) = row.and_then(|r| state.namespaces.get(r)).map(|n| n.name.clone()) {
                model.filters[Screen::Paths as usize] = format!("ns:{name}");
                return show(model, Screen::Paths);
            }
        }
        _ => {}
    }
    Vec::new()
}

fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let (Some(loaded), theme) = (&model.loaded, model.theme) else { return };
    let state = &model.on.overview;
    let arrow = theme.glyphs().arrow;
    let funnel: Vec<String> =
        state.funnel.iter().map(|(count, what)| format!("{count} {what}")).collect();
    let lines: Vec<Line<'_>> = wrap(&funnel.join(&format!(" {arrow} ")), usize::from(area.width))
        .into_iter()
        .map(|line| Line::from(span(line, theme.text())))
        .chain([cuts::numbers(model)])
        .collect();
    paragraph(buf, area, &lines);
    let used = u16::try_from(lines.len()).unwrap_or(0).min(area.height);
    let area = Rect { y: area.y + used, height: area.height - used, ..area };
    let alone = model.enlarged || area.width < 64;
    if alone && model.pane == GATE {
        gate::view(model, buf, area, true);
        return;
    }
    let tall = gate::height(model, area.height).min(area.height);
    gate::view(model, buf, Rect { height: tall, ..area }, model.pane == GATE);
    let area = Rect { y: area.y + tall, height: area.height - tall, ..area };
    let mut below = findings(model, usize::from(area.width));
    below.extend(coverage(loaded, usize::from(area.width), theme));
    let tall = u16::try_from(below.len()).unwrap_or(0).min(area.height / 2);
    let rest = Rect { height: area.height - tall, ..area };
    let (left, right) = if alone { (rest, rest) } else { split(rest, 64) };
    if !alone || model.pane == 0 {
        worst(model, &loaded.graph, buf, left);
    }
    if !alone || model.pane == 1 {
        namespaces(model, buf, right);
    }
    paragraph(buf, Rect { y: rest.bottom(), height: tall, ..area }, &below);
}

fn worst(model: &Model, graph: &Graph, buf: &mut Canvas<'_>, area: Rect) {
    let (state, theme) = (&model.on.overview, model.theme);
    let focused = model.pane == 0;
    let inner = pane(buf, area, "Worst first", focused, theme);
    if state.worst.is_empty() {
        let text = if model.answered { "no path found" } else { "asking ..." };
        empty(buf, inner, text, theme);
    }
    rows(buf, inner, (state.lists[0], state.worst.len()), (0, focused), theme, |row, width| {
        let answer = state.worst.get(row).and_then(|place| model.asked.answers.get(*place));
        let Some(answer) = answer else { return Line::default() };
        Line::from(vec![
            span(format!("{} ", letter(answer.severity)), theme.severity(answer.severity)),
            span(format!("{:.2} ", answer.likelihood), theme.dim()),
            span(paths::route(graph, answer, width.saturating_sub(7), theme), theme.text()),
        ])
    });
}

fn namespaces(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let (state, theme) = (&model.on.overview, model.theme);
    let focused = model.pane == 1;
    let inner = pane(buf, area, "Namespaces", focused, theme);
    let all = &state.namespaces;
    rows(buf, inner, (state.lists[1], all.len()), (1, focused), theme, |row, width| {
        let Some(namespace) = all.get(row) else { return Line::default() };
        let mut spans = vec![span(
            column(&safe(&namespace.name), width.saturating_sub(15), theme),
            theme.text(),
        )];
        for (severity, count) in Severity::ALL.iter().zip(namespace.by_severity).take(3) {
            let text =
                if count == 0 { String::new() } else { format!("{}{count}", letter(*severity)) };
            spans.push(span(column(&text, 5, theme), theme.severity(*severity)));
        }
        Line::from(spans)
    });
}

/// What policies let through, a line each: reach is no compromise, and stands apart from paths.
fn findings(model: &Model, width: usize) -> Vec<Line<'static>> {
    let theme = model.theme;
    let all = &model.before.findings;
    let mut lines = Vec::new();
    if !all.is_empty() {
        lines.push(Line::from(span(
            "What the network lets through (`query NAME` tells which):",
            theme.text(),
        )));
    }
    for finding in all {
        let text = format!("{}: {}", finding.query, counted(finding));
        lines.push(Line::from(vec![
            span(format!("  {} ", letter(finding.severity)), theme.severity(finding.severity)),
            span(fit(&text, width.saturating_sub(4), theme), theme.dim()),
        ]));
    }
    lines
}

/// What is not known, a line each.
fn coverage(loaded: &Loaded, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let lacking: Vec<_> = loaded.coverage.iter().filter(|t| t.state != Known::Complete).collect();
    if lacking.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::from(span("Not known (8 tells more):", theme.warn()))];
    for topic in lacking {
        let text = format!("  {} {}: {}", topic.topic, topic.state.name(), safe(&topic.reason));
        lines.push(Line::from(span(fit(&text, width, theme), theme.dim())));
    }
    lines
}

fn command(model: &Model) -> String {
    let gates = model.gates.iter().map(|gate| format!(" --fail-on {}", quote(&gate.text)));
    format!("analyze {}{}", model.inputs(), gates.collect::<String>())
}

fn markdown(model: &Model) -> String {
    let Some(graph) = model.graph() else { return String::new() };
    let safe = |s: &str| crate::report::escape::markdown(s).into_owned();
    let mut out = String::new();
    for (count, what) in &model.on.overview.funnel {
        let _ = writeln!(out, "- {count} {what}");
    }
    out.push_str(&gate::markdown(model));
    out.push_str("\n| severity | likelihood | path |\n|---|---|---|\n");
    for answer in model.on.overview.worst.iter().filter_map(|p| model.asked.answers.get(*p)) {
        let ends = safe(&ends(graph, answer));
        let _ = writeln!(out, "| {} | {:.2} | {ends} |", answer.severity, answer.likelihood);
    }
    out
}
