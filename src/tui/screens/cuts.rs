//! Cuts: which changes close the most answers, and what is left once some are pretended. Space
//! pretends the one under the cursor, or no longer; everything else follows at once.

use super::super::canvas::{Canvas, column, fit, pane, paragraph, rows, safe, span};
use super::super::export::{Drawing, MOST, of_answers};
use super::super::filter::Filter;
use super::super::list::List;
use super::super::loaded::{Changes, Loaded};
use super::super::message::{Effect, Found, Msg};
use super::super::model::Model;
use super::super::theme::letter;
use super::super::update::change;
use super::super::worker::{Job, Stop, Topic};
use super::{Room, Under};
use crate::graph::{Attack, EdgeId, Fact, Graph, NodeId};
use crate::query::filter::Filter as Gone;
use crate::query::library::Goal;
use crate::query::{Answer, Asked, Query, Severity, Summary, ask_without};
use crate::report::{fact_text, named};
use crate::world::network::Gone as Policy;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// The screen.
pub static ROOM: Room =
    Room { title: "Cuts", panes: 1, view, update, refresh, under, command, markdown };

/// What the screen keeps.
#[derive(Default)]
pub struct State {
    list: List,
    rows: Vec<Row>,
    /// What was pretended when the answers that are shown were asked for, once there are any.
    of: Option<Changes>,
    /// How many answers there are of each severity, while nothing is pretended and now.
    counts: [[usize; 5]; 2],
    /// Whether the answers while nothing is pretended are known.
    based: bool,
}

/// One thing that is pretended or could be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Fact(Fact),
    Attack(&'static Attack),
    Edge(EdgeId),
    Node(NodeId),
    /// Of the network only.
    Policy(Policy),
}

impl What {
    /// Whether the way of an answer needs it.
    fn is_used(self, graph: &Graph, answer: &Answer) -> bool {
        let steps = &answer.steps;
        match self {
            Self::Fact(fact) => {
                let bears = |edge: &EdgeId| graph.facts(*edge).any(|of| of.is_of_field(fact));
                steps.iter().flat_map(|s| &s.edges).any(bears)
            }
            Self::Attack(attack) => {
                steps.iter().any(|s| s.edges.iter().any(|e| graph.attack(*e) == attack))
            }
            Self::Edge(edge) => steps.iter().any(|s| s.edges.contains(&edge)),
            // What a step only passes is an end of its edges too.
            Self::Node(node) => steps.iter().flat_map(|s| &s.edges).any(|edge| {
                let (from, to) = graph.ends(*edge);
                graph.fold(from) == node || graph.fold(to) == node
            }),
            Self::Policy(_) => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    what: What,
    marked: bool,
    /// How many answers it closes by itself, where that is known.
    closes: Option<usize>,
    /// How many answers it was on before it was pretended.
    on: usize,
}

/// Asks all queries, as things are pretended to be; while that is not known, also as they are.
#[must_use]
pub fn ask(model: &Model) -> Job {
    let (changes, based) = (model.changes.clone(), model.on.cuts.based);
    let run = move |loaded: &Arc<Loaded>, stop: &Stop| -> Found {
        let all = |queries: &[Query], filter: &Gone| {
            Arc::new(ask_without(&loaded.graph, queries, filter, &|| stop.asked()))
        };
        let base = (!based).then(|| all(&loaded.queries, &Gone::default()));
        let now = (!changes.is_empty()).then(|| {
            // What policies let through is not changed by what is pretended of the graph.
            let asks = |query: &&Query| !matches!(query.to, Goal::Network(_));
            let queries: Vec<Query> = loaded.queries.iter().filter(asks).cloned().collect();
            all(&queries, &changes.filter(&loaded.graph))
        });
        Box::new(move |model| {
            if let Some(base) = base {
                model.all[0] = base;
                model.on.cuts.based = true;
            }
            // Something else may be pretended by now: that is asked for already.
            if changes != model.changes {
                return Vec::new();
            }
            let now = now.unwrap_or_else(|| Arc::clone(&model.all[0]));
            answered(model, now)
        })
    };
    Job { topic: Topic::Answers, doing: "asking every query", run: Box::new(run) }
}

/// What is pretended has changed: everything is asked again, unless it is known.
pub fn asked_anew(model: &mut Model) -> Vec<Effect> {
    if !model.changes.spares_paths() || !model.on.cuts.based {
        return vec![Effect::Work(ask(model))];
    }
    let mut known = Arc::clone(&model.all[0]);
    if !model.changes.is_empty() {
        // What the library found of the network does not hold without a policy.
        let (answers, notes) = (known.answers.clone(), known.notes.clone());
        known = Arc::new(Asked { answers, notes, findings: Vec::new() });
    }
    let mut effects = answered(model, known);
    // Whatever is still being asked is no longer wanted: a newer job takes its place.
    let run = |_: &Arc<Loaded>, _: &Stop| -> Found { Box::new(|_| Vec::new()) };
    let doing = "letting go of what was asked";
    effects.push(Effect::Work(Job { topic: Topic::Answers, doing, run: Box::new(run) }));
    effects
}

/// Whether the answers that are shown are those of what is pretended now.
#[must_use]
pub fn is_current(model: &Model) -> bool {
    model.on.cuts.of.as_ref() == Some(&model.changes)
}

/// Says that the answers are not those of what is pretended: whether they are still to come.
#[must_use]
pub fn pending(model: &Model) -> Option<&'static str> {
    let asking = model.busy.iter().any(|(topic, _)| *topic == Topic::Answers);
    match (is_current(model), asking) {
        (true, _) => None,
        (false, true) => Some("asking ..."),
        (false, false) if model.changes.is_empty() => Some("not asked: R asks"),
        (false, false) => Some("not asked anew: u takes back"),
    }
}

/// The answers as things are pretended to be are there.
pub fn answered(model: &mut Model, asked: Arc<Asked>) -> Vec<Effect> {
    if model.changes.is_empty() {
        model.all[0] = Arc::clone(&asked);
        model.on.cuts.based = true;
    }
    model.all[1] = asked;
    model.answered = true;
    model.on.cuts.of = Some(model.changes.clone());
    shown(model)
}

/// Shows all answers, or leaves out those that begin at Kubernetes' own components, as the command
/// line does.
pub fn shown(model: &mut Model) -> Vec<Effect> {
    let kept = |all: &Arc<Asked>| match model.system {
        true => Arc::clone(all),
        false => Arc::new(Asked {
            answers: all.answers.iter().filter(|a| !a.system).cloned().collect(),
            findings: all.findings.clone(),
            notes: all.notes.clone(),
        }),
    };
    let [before, now] = [kept(&model.all[0]), kept(&model.all[1])];
    model.on.cuts.counts = [&before, &now].map(|asked| Summary::of(&asked.answers).by_severity);
    (model.before, model.asked) = (before, now);
    (model.screen.room().refresh)(model)
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(loaded) = model.loaded.clone() else { return Vec::new() };
    let marked = &model.changes;
    let facts = marked.facts.iter().map(|fact| What::Fact(*fact));
    let attacks = marked.attacks.iter().map(|attack| What::Attack(attack));
    let edges = marked.edges.iter().map(|edge| What::Edge(*edge));
    let closing = closing(&model.before.answers);
    let nodes = marked.nodes.iter().map(|node| What::Node(*node));
    let policies = marked.policies.iter().map(|gone| What::Policy(*gone));
    let graph = &loaded.graph;
    let before = &model.before.answers;
    let passing = |what: &What| before.iter().filter(|a| what.is_used(graph, a)).count();
    let known = |what: &What| match what {
        What::Fact(fact) => closing.get(fact).copied(),
        _ => None,
    };
    let mut rows: Vec<Row> = facts
        .chain(attacks)
        .chain(edges)
        .chain(nodes)
        .chain(policies)
        .map(|what| Row { what, marked: true, closes: known(&what), on: passing(&what) })
        .collect();
    // What would close most of what is left, the most first.
    let left = self::closing(&model.asked.answers);
    let mut open: Vec<(Fact, usize)> =
        left.into_iter().filter(|(fact, _)| !marked.facts.contains(fact)).collect();
    open.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    rows.extend(open.into_iter().map(|(fact, closes)| Row {
        what: What::Fact(fact),
        marked: false,
        closes: Some(closes),
        on: 0,
    }));
    let filter = Filter::new(model.filter(), &loaded.graph);
    rows.retain(|row| filter.keeps(None, None, &text(&loaded.graph, row.what)));
    model.on.cuts.rows = rows;
    Vec::new()
}

/// For each fact that closes an answer by itself, how many it closes.
fn closing(answers: &[Answer]) -> BTreeMap<Fact, usize> {
    let mut closing = BTreeMap::new();
    for cut in answers.iter().filter_map(|a| a.cut.as_ref()) {
        *closing.entry(cut.fact).or_default() += 1;
    }
    closing
}

fn text(graph: &Graph, what: What) -> String {
    match what {
        What::Fact(fact) => fact_text(&graph.view(fact)),
        What::Attack(attack) => format!("every {}: {}", attack.id, attack.title),
        What::Edge(edge) => {
            let (from, to) = graph.ends(edge);
            format!("{} from {} to {}", graph.attack(edge).id, named(graph, from), named(graph, to))
        }
        What::Policy(gone) => policy(graph, gone),
        What::Node(node) => format!("whatever passes {}", named(graph, node)),
    }
}

/// A policy or a rule of it in words, made safe.
#[must_use]
pub fn policy(graph: &Graph, gone: Policy) -> String {
    let world = graph.world();
    let Some(object) = world.objects.get(gone.policy().index()) else { return String::new() };
    let (kind, ns, name) =
        (world.text(object.kind), world.text(object.ns), world.text(object.name));
    let place = if ns.is_empty() { String::new() } else { format!("{ns}/") };
    safe(format!("{kind} {place}{name} {}", gone.field(world)).trim_end())
}

fn chosen(model: &Model) -> Option<Row> {
    let state = &model.on.cuts;
    state.rows.get(state.list.at(state.rows.len())?).copied()
}

/// What is under the cursor in full.
#[must_use]
pub fn said(model: &Model) -> String {
    model.graph().zip(chosen(model)).map_or_else(String::new, |(graph, row)| text(graph, row.what))
}

fn under(model: &Model) -> Under {
    match chosen(model).map(|row| row.what) {
        Some(What::Fact(fact)) => Under { node: model.node_of(fact), fact: Some(fact), edge: None },
        Some(What::Edge(edge)) => {
            let node = model.graph().map(|graph| graph.ends(edge).1);
            Under { node, edge: Some(edge), fact: None }
        }
        Some(What::Node(node)) => Under { node: Some(node), ..Under::default() },
        _ => Under::default(),
    }
}

fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Move(motion) => {
            let (len, page) = (model.on.cuts.rows.len(), model.page_rows());
            model.on.cuts.list.go(motion, len, page);
            Vec::new()
        }
        Msg::Open => chosen(model).map_or_else(Vec::new, |row| toggle(model, row.what)),
        _ => Vec::new(),
    }
}

/// Pretends it, or no longer.
fn toggle(model: &mut Model, what: What) -> Vec<Effect> {
    let Some(loaded) = model.loaded.clone() else { return Vec::new() };
    change(model, |changes| match what {
        What::Fact(fact) => changes.toggle_fact(fact),
        What::Attack(attack) => changes.toggle_attack(attack),
        What::Edge(edge) => changes.toggle_edge(edge),
        What::Node(node) => changes.toggle_node(&loaded.graph, node),
        What::Policy(gone) => changes.toggle_policy(gone),
    })
}

/// What a change does, or did before others were pretended with it.
fn closes(row: Row) -> String {
    if matches!(row.what, What::Policy(_)) {
        return "network only".to_owned();
    }
    row.closes.map_or_else(|| format!("was on {}", row.on), |n| format!("closes {n}"))
}

/// The counts by severity, before and as pretended: `C 3 → 1`.
#[must_use]
pub fn numbers(model: &Model) -> Line<'static> {
    let theme = model.theme;
    let arrow = theme.glyphs().arrow;
    let [before, now] = &model.on.cuts.counts;
    let mut spans = Vec::new();
    // While they are those of something else, they do not go without saying so.
    spans.extend(pending(model).map(|why| span(format!("{why}  "), theme.warn())));
    for (place, severity) in Severity::ALL.iter().enumerate() {
        let (old, new) = (before[place], now[place]);
        let text = if model.changes.is_empty() || old == new {
            format!("{} {new}  ", letter(*severity))
        } else {
            format!("{} {old} {arrow} {new}  ", letter(*severity))
        };
        spans.push(span(text, theme.severity(*severity)));
    }
    Line::from(spans)
}

fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let (Some(graph), theme) = (model.graph(), model.theme) else { return };
    let head = [
        numbers(model),
        Line::from(span(
            "Space pretends that a fact is gone; u takes it back, R forgets all.".to_owned(),
            theme.dim(),
        )),
    ];
    paragraph(buf, area, &head);
    let rest = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    let marked = model.changes.count();
    let title = format!(
        "Changes: {marked} pretended, {} offered",
        model.on.cuts.rows.len().saturating_sub(marked)
    );
    let inner = pane(buf, rest, &title, true, theme);
    let state = &model.on.cuts;
    if state.rows.is_empty() {
        let text = match (model.answered, model.before.answers.is_empty()) {
            (false, _) => super::waiting(model, Topic::Answers, "asking every query", "R"),
            _ if !model.filter().is_empty() => {
                "the filter leaves nothing; Esc clears it".to_owned()
            }
            (true, true) => "there is no path to close".to_owned(),
            (true, false) => "no single change closes an answer; the steps of a path can be \
                 marked one by one in Paths"
                .to_owned(),
        };
        super::empty(buf, inner, &text, theme);
    }
    rows(buf, inner, (state.list, state.rows.len()), (0, true), theme, |at, width| {
        let Some(row) = state.rows.get(at).copied() else { return Line::default() };
        let glyphs = theme.glyphs();
        let closes = closes(row);
        let room = width.saturating_sub(18);
        Line::from(vec![
            span(column(if row.marked { glyphs.on } else { glyphs.off }, 4, theme), theme.good()),
            span(column(&closes, 13, theme), theme.dim()),
            span(fit(&text(graph, row.what), room, theme), theme.text()),
        ])
    });
}

fn command(model: &Model) -> String {
    format!("analyze {}", model.inputs())
}

/// The picture of the paths that the change under the cursor closes.
pub(in crate::tui) fn drawing(model: &Model) -> Result<Drawing, &'static str> {
    let (Some(row), Some(graph)) = (chosen(model), model.graph()) else {
        return Err("there is no change whose paths could be drawn");
    };
    // What is pretended has closed its paths: they are those from before.
    let of = if row.marked { &model.before.answers } else { &model.asked.answers };
    let closes = |answer: &&Answer| match row.what {
        What::Fact(fact) if row.closes.is_some() => {
            answer.cut.as_ref().is_some_and(|cut| cut.fact == fact)
        }
        what => what.is_used(graph, answer),
    };
    let closed: Vec<Answer> = of.iter().filter(closes).cloned().collect();
    let drawn: Vec<Answer> = closed.iter().take(MOST).cloned().collect();
    let count = match closed.len() {
        count if count > drawn.len() => format!("the worst {} of {count} paths", drawn.len()),
        1 => "the path".to_owned(),
        count => format!("the {count} paths"),
    };
    of_answers(drawn, Some(format!("{count} closed without {}", text(graph, row.what))))
}

fn markdown(model: &Model) -> String {
    let Some(graph) = model.graph() else { return String::new() };
    let mut out = "| pretended | closes | change |\n|---|---|---|\n".to_owned();
    for row in &model.on.cuts.rows {
        let closes = closes(*row);
        let marked = if row.marked { "yes" } else { "" };
        let text = crate::report::escape::markdown(&safe(&text(graph, row.what))).into_owned();
        let _ = writeln!(out, "| {marked} | {closes} | {text} |");
    }
    out
}
