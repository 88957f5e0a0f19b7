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
use super::super::worker::Topic;
use super::{Room, Screen, Under, empty, paths, waiting};
use crate::graph::{Graph, NodeKind};
use crate::query::{Answer, Severity, Summary};
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
    funnel: Vec<String>,
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
    let funnel = funnel(&loaded, answers, &firsts);
    let state = &mut model.on.overview;
    (state.worst, state.namespaces, state.funnel) = (worst, namespaces, funnel);
    gate::refresh(model);
    Vec::new()
}

/// From what was read to what is worth a look; nothing after what there is none of.
fn funnel(loaded: &Loaded, answers: &[Answer], firsts: &[Option<usize>]) -> Vec<String> {
    let graph = &loaded.graph;
    let distinct = || answers.iter().zip(firsts).filter(|(_, f)| f.is_none()).map(|(a, _)| a);
    let outside = distinct().filter(|a| graph.kind(a.from) == NodeKind::Internet).count();
    let admin = distinct().filter(|a| graph.kind(a.to) == NodeKind::ClusterAdmin).count();
    let cuts: BTreeSet<_> = distinct().filter_map(|a| Some(a.cut.as_ref()?.fact)).collect();
    let objects = usize::try_from(loaded.snapshot.objects).unwrap_or(usize::MAX);
    let mut funnel = vec![
        many(objects, "object"),
        many(graph.node_count(), "node"),
        many(graph.edge_count(), "edge"),
        many(distinct().count(), "path"),
    ];
    if let Some(paths) = funnel.last_mut().filter(|_| !answers.is_empty()) {
        let _ = write!(paths, " ({admin} to cluster-admin, {outside} from the internet)");
        funnel.push(format!("{} that close some", many(cuts.len(), "change")));
    }
    funnel
}

/// So many of something.
fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// How many answers there are of each severity, in words.
fn severities(model: &Model) -> Line<'static> {
    let (theme, arrow) = (model.theme, model.theme.glyphs().arrow);
    if !model.answered {
        let text = waiting(model, Topic::Answers, "asking every query", "R");
        return Line::from(span(text, theme.dim()));
    }
    let (before, now) = (&model.before.answers, &model.asked.answers);
    let mut spans = vec![span(format!("{}: ", many(now.len(), "answer")), theme.text())];
    let [were, are] = [before, now].map(|answers| Summary::of(answers).by_severity);
    for (severity, (old, new)) in Severity::ALL.iter().zip(were.into_iter().zip(are)) {
        let count = match model.changes.is_empty() || old == new {
            true => new.to_string(),
            false => format!("{old} {arrow} {new}"),
        };
        if old + new > 0 {
            let text = format!("{} {count} {severity}  ", letter(*severity));
            spans.push(span(text, theme.severity(*severity)));
        }
    }
    if spans.len() == 1 {
        spans = vec![span("no answers", theme.text())];
    }
    Line::from(spans)
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
    let lines: Vec<Line<'_>> =
        wrap(&state.funnel.join(&format!(" {arrow} ")), usize::from(area.width))
            .into_iter()
            .map(|line| Line::from(span(line, theme.text())))
            .chain([severities(model)])
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
    // Where no path is found, what is not known is what there is to see.
    let half = if state.worst.is_empty() { area.height.saturating_sub(4) } else { area.height / 2 };
    let below = beneath(model, loaded, usize::from(area.width), usize::from(half));
    let tall = u16::try_from(below.len()).unwrap_or(0);
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
    let inner = pane(buf, area, "Worst first: how likely, from where to where", focused, theme);
    if state.worst.is_empty() {
        empty(buf, inner, &nothing(model), theme);
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
    let inner = pane(buf, area, "Namespaces on paths", focused, theme);
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

/// Why no path is listed.
fn nothing(model: &Model) -> String {
    let lacking = model.loaded.iter().flat_map(|loaded| &loaded.coverage);
    let lacking = lacking.filter(|topic| topic.state != Known::Complete).count();
    match (model.answered, model.asked.answers.is_empty(), lacking) {
        (false, ..) => waiting(model, Topic::Answers, "asking every query", "R"),
        (true, false, _) => "the filter leaves nothing; Esc clears it".to_owned(),
        (true, true, _) if !model.before.answers.is_empty() => {
            "no path is left by what is pretended; 5 shows it".to_owned()
        }
        (true, true, 0) => "no path found".to_owned(),
        (true, true, lacking) => {
            let are = if lacking == 1 { "topic is" } else { "topics are" };
            format!("no path found; but {lacking} {are} not known in full, and may hide some")
        }
    }
}

/// What stands beneath, in so many lines at most: what the network lets through, and what is not
/// known. Where there is little room, each in brief, and what is left out is counted.
fn beneath(model: &Model, loaded: &Loaded, width: usize, room: usize) -> Vec<Line<'static>> {
    let theme = model.theme;
    let mut lines = findings(model, width);
    let known = coverage(loaded, width, theme);
    if lines.len() + known.len() <= room {
        lines.extend(known);
        return lines;
    }
    let mut brief = brief(loaded, width, theme);
    brief.truncate(room);
    let room = room - brief.len();
    if lines.len() > room {
        let left = lines.len() + 1 - room.max(1);
        lines.truncate(room.saturating_sub(1));
        if room > 1 {
            lines.push(Line::from(span(format!("  {left} more"), theme.dim())));
        }
    }
    lines.extend(brief);
    lines
}

/// What policies let through, a line each: reach is no compromise, and stands apart from paths.
fn findings(model: &Model, width: usize) -> Vec<Line<'static>> {
    let theme = model.theme;
    let all = &model.before.findings;
    let mut lines = Vec::new();
    if !all.is_empty() {
        let head = match model.changes.policies.is_empty() {
            true => "What the network lets through (`kspm-graph query SNAPSHOT NAME` tells which):",
            false => "What the network lets through with every policy in place (6: without some):",
        };
        lines.push(Line::from(span(fit(head, width, theme), theme.text())));
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

/// What is not known, in two lines at most.
fn brief(loaded: &Loaded, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let lacking: Vec<&str> = loaded
        .coverage
        .iter()
        .filter(|topic| topic.state != Known::Complete)
        .map(|topic| topic.topic)
        .collect();
    if lacking.is_empty() {
        return Vec::new();
    }
    let text = format!("Not known in full (8 tells more): {}", lacking.join(", "));
    let mut lines = wrap(&text, width);
    if lines.len() > 2 {
        let rest = lines.split_off(1).join(" ");
        lines.push(fit(&rest, width, theme));
    }
    lines.into_iter().map(|line| Line::from(span(line, theme.warn()))).collect()
}

/// What is not known, a line each.
fn coverage(loaded: &Loaded, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let lacking: Vec<_> = loaded.coverage.iter().filter(|t| t.state != Known::Complete).collect();
    if lacking.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::from(span("Not known in full (8 tells more):", theme.warn()))];
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
    for part in &model.on.overview.funnel {
        let _ = writeln!(out, "- {part}");
    }
    out.push_str(&gate::markdown(model));
    out.push_str("\n| severity | likelihood | path |\n|---|---|---|\n");
    for answer in model.on.overview.worst.iter().filter_map(|p| model.asked.answers.get(*p)) {
        let ends = safe(&ends(graph, answer));
        let _ = writeln!(out, "| {} | {:.2} | {ends} |", answer.severity, answer.likelihood);
    }
    out
}
