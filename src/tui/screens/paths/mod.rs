//! Paths: every answer on the left, the worst first; on the right the steps of the one under the
//! cursor, with the evidence of each and the change that closes it.

mod draw;

use super::super::copied::avoid;
use super::super::filter::Filter;
use super::super::list::List;
use super::super::loaded::Loaded;
use super::super::message::{Effect, Msg};
use super::super::model::{Model, quote};
use super::super::update::{explore, show};
use super::super::worker::{Job, Topic};
use super::{Room, Screen, Under};
use crate::graph::{EdgeId, Fact, Graph, NodeId};
use crate::query::selector::Selector;
use crate::query::{Answer, Asked, Asker, Query, Step, spell};
use crate::report::{self, ends, fact_text, facts, named};
use std::fmt::Write as _;
use std::sync::Arc;

pub use draw::route;

/// The screen.
pub static ROOM: Room =
    Room { title: "Paths", panes: 2, view: draw::view, update, refresh, under, command, markdown };

/// How many ways between two ends are looked for.
const WAYS: usize = 8;

/// How many answers the command prints in full by itself.
const PRINTED: usize = 20;

/// What the screen keeps.
#[derive(Default)]
pub struct State {
    /// The answers that the filter keeps, by their place.
    pub shown: Vec<usize>,
    /// How many there are without the filter: what several queries find counts once.
    distinct: usize,
    list: List,
    steps: List,
    /// Which of the ways is shown; 0 is the answer itself.
    way: usize,
    /// Other ways between the ends of an answer, by its fingerprint.
    ways: Option<(String, Vec<Answer>)>,
    /// The answers to a question that was asked here, instead of those to the library.
    question: Option<Question>,
}

struct Question {
    from: NodeId,
    to: NodeId,
    asked: Arc<Asked>,
    answered: bool,
}

/// A row of the right pane.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Row {
    /// Where a step starts, or what it gained.
    Node(NodeId, usize),
    /// The attack of a step.
    Attack(usize),
    /// A fact of a step.
    Fact(usize, Fact),
    /// The change that closes the path.
    Cut(Fact),
    /// That there are other ways.
    Ways(usize),
}

/// Everything that is asked, of the library or here.
fn asked(model: &Model) -> &Arc<Asked> {
    model.on.paths.question.as_ref().map_or(&model.asked, |question| &question.asked)
}

/// The answer under the cursor of the left pane.
#[must_use]
pub fn answer(model: &Model) -> Option<&Answer> {
    let state = &model.on.paths;
    let place = state.list.at(state.shown.len()).and_then(|row| state.shown.get(row));
    asked(model).answers.get(*place?)
}

/// The way that is shown on the right: the answer itself or one of its others.
#[must_use]
pub fn way(model: &Model) -> Option<&Answer> {
    let first = answer(model)?;
    let state = &model.on.paths;
    let others = state.ways.as_ref().filter(|(of, _)| *of == first.fingerprint);
    let other = state.way.checked_sub(1).and_then(|place| others?.1.get(place));
    Some(other.unwrap_or(first))
}

/// The rows that tell an answer's steps.
fn rows_of(graph: &Graph, answer: &Answer) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut before = None;
    for (place, step) in answer.steps.iter().enumerate() {
        if before != Some(step.from) {
            rows.push(Row::Node(step.from, place));
        }
        rows.push(Row::Attack(place));
        rows.extend(facts(graph, step, true).into_iter().map(|(fact, _)| Row::Fact(place, fact)));
        rows.push(Row::Node(step.to, place));
        before = Some(step.to);
    }
    rows.extend(answer.cut.as_ref().map(|cut| Row::Cut(cut.fact)));
    if answer.alternatives > 0 && answer.steps.len() > 1 {
        rows.push(Row::Ways(answer.alternatives));
    }
    rows
}

/// The edge of a step that bears its attack: the last one that does.
fn edge_of(graph: &Graph, step: &Step) -> Option<EdgeId> {
    let named = step.edges.iter().rev().find(|e| std::ptr::eq(graph.attack(**e), step.attack));
    named.or(step.edges.last()).copied()
}

fn under(model: &Model) -> Under {
    let (Some(graph), Some(way)) = (model.graph(), way(model)) else { return Under::default() };
    let step = |place: usize| way.steps.get(place);
    let edge = |place: usize| step(place).and_then(|s| edge_of(graph, s));
    if model.pane == 0 {
        let fact = way.cut.as_ref().map(|cut| cut.fact);
        return Under { node: Some(way.from), edge: edge(0), fact };
    }
    let rows = rows_of(graph, way);
    let Some(row) = model.on.paths.steps.at(rows.len()).and_then(|at| rows.get(at)) else {
        return Under::default();
    };
    match *row {
        Row::Node(node, place) => Under { node: Some(node), edge: edge(place), fact: None },
        Row::Attack(place) => {
            Under { node: step(place).map(|s| s.to), edge: edge(place), fact: None }
        }
        Row::Fact(place, fact) => {
            Under { node: model.node_of(fact), edge: edge(place), fact: Some(fact) }
        }
        Row::Cut(fact) => Under { node: None, edge: None, fact: Some(fact) },
        Row::Ways(_) => Under::default(),
    }
}

/// The node that the path under the cursor passes there: the door or the start that the list
/// shows, or what the step gains. A fact's own object need not be on the way.
#[must_use]
pub fn passed(model: &Model) -> Option<NodeId> {
    let (graph, way) = (model.graph()?, way(model)?);
    if model.pane == 0 {
        return Some(way.door(graph).unwrap_or(way.from));
    }
    let rows = rows_of(graph, way);
    match *rows.get(model.on.paths.steps.at(rows.len())?)? {
        Row::Node(node, _) => Some(node),
        Row::Attack(place) | Row::Fact(place, _) => way.steps.get(place).map(|step| step.to),
        Row::Cut(_) | Row::Ways(_) => None,
    }
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(loaded) = model.loaded.clone() else { return Vec::new() };
    let filter = Filter::new(model.filter(), &loaded.graph);
    let graph = &loaded.graph;
    let answers = &asked(model).answers;
    let kept = |place: &usize| answers.get(*place).is_some_and(|a| filter.keeps_answer(graph, a));
    let chosen = answer(model).map(|a| a.fingerprint.clone());
    // What several queries find is one answer, under the first of them.
    let repeats = report::repeats(graph, answers);
    let firsts = (0..answers.len()).filter(|place| repeats.get(*place) == Some(&None));
    let distinct = firsts.clone().count();
    let shown: Vec<usize> = firsts.filter(kept).collect();
    // The cursor stays with its answer where that is still there.
    let again = shown
        .iter()
        .position(|p| answers.get(*p).is_some_and(|a| Some(&a.fingerprint) == chosen.as_ref()));
    let state = &mut model.on.paths;
    if again.is_none() {
        (state.way, state.steps) = (0, List::default());
    }
    state.list.selected = again.unwrap_or(state.list.selected.min(shown.len().saturating_sub(1)));
    (state.shown, state.distinct) = (shown, distinct);
    Vec::new()
}

fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let page = model.page_rows();
    match msg {
        Msg::Move(motion) if model.pane == 0 => {
            let len = model.on.paths.shown.len();
            model.on.paths.list.go(motion, len, page);
            (model.on.paths.way, model.on.paths.steps) = (0, List::default());
        }
        Msg::Move(motion) => {
            let Some((graph, way)) = model.graph().zip(way(model)) else { return Vec::new() };
            let len = rows_of(graph, way).len();
            model.on.paths.steps.go(motion, len, page);
        }
        Msg::Open if model.pane == 0 => model.pane = 1,
        Msg::Open => {
            if let Some(node) = under(model).node {
                return explore(model, node);
            }
        }
        Msg::Way(forward) => return turn(model, forward),
        _ => {}
    }
    Vec::new()
}

/// The next way between the ends, or the one before. They are looked for when first asked.
fn turn(model: &mut Model, forward: bool) -> Vec<Effect> {
    let Some(first) = answer(model).cloned() else { return Vec::new() };
    let known = model.on.paths.ways.as_ref().filter(|(of, _)| *of == first.fingerprint);
    let Some((_, others)) = known else {
        return vec![Effect::Work(others_of(model, first, forward))];
    };
    let count = others.len() + 1;
    let state = &mut model.on.paths;
    state.way = if forward { state.way + 1 } else { state.way + count - 1 } % count;
    state.steps = List::default();
    if count == 1 {
        model.status = "there is no other way that reads differently".to_owned();
    }
    Vec::new()
}

fn others_of(model: &Model, first: Answer, forward: bool) -> Job {
    let changes = model.changes.clone();
    let run = move |loaded: &Arc<Loaded>, _: &_| -> super::super::message::Found {
        let filter = changes.filter(&loaded.graph);
        let others = question(&loaded.graph, first.from, first.to).map_or_else(Vec::new, |query| {
            let asked = Asker::new(&loaded.graph).without(filter).ask_more(&query, WAYS);
            asked.answers
        });
        let same = |a: &Answer| a.steps.iter().map(|s| s.to).eq(first.steps.iter().map(|s| s.to));
        // Each door of the internet has answers of its own.
        let (graph, door) = (&loaded.graph, first.door(&loaded.graph));
        let others = others.into_iter().filter(|a| a.door(graph) == door && !same(a)).collect();
        Box::new(move |model| {
            model.on.paths.ways = Some((first.fingerprint, others));
            turn(model, forward)
        })
    };
    Job { topic: Topic::Ways, doing: "looking for other ways", run: Box::new(run) }
}

/// The question of the ways between two nodes.
fn question(graph: &Graph, from: NodeId, to: NodeId) -> Option<Query> {
    let select = |node| Selector::parse(&spell(graph, node)).ok();
    Some(Query::between(select(from)?, select(to)?))
}

/// Asks for the paths between two nodes, and shows them instead of the library's answers.
pub fn between(model: &mut Model, from: NodeId, to: NodeId) -> Vec<Effect> {
    let asked = Arc::default();
    model.on.paths.question = Some(Question { from, to, asked, answered: false });
    let changes = model.changes.clone();
    let run = move |loaded: &Arc<Loaded>, _: &_| -> super::super::message::Found {
        let filter = changes.filter(&loaded.graph);
        let asked = question(&loaded.graph, from, to).map_or_else(Asked::default, |query| {
            let outcome = Asker::new(&loaded.graph).without(filter).ask_more(&query, WAYS);
            let notes = crate::query::notes(&query, &outcome);
            Asked { answers: outcome.answers, findings: Vec::new(), notes }
        });
        Box::new(move |model| {
            model.on.paths.question =
                Some(Question { from, to, asked: Arc::new(asked), answered: true });
            refresh(model)
        })
    };
    let mut effects = refresh(model);
    let doing = "looking for paths";
    effects.push(Effect::Work(Job { topic: Topic::Ways, doing, run: Box::new(run) }));
    effects
}

/// What is pretended has changed: what was asked here is asked again.
pub fn asked_anew(model: &mut Model) -> Vec<Effect> {
    model.on.paths.ways = None;
    model.on.paths.way = 0;
    match &model.on.paths.question {
        Some(Question { from, to, .. }) => between(model, *from, *to),
        None => Vec::new(),
    }
}

/// Leaves the right pane, or the question that was asked here; whether there was something.
pub fn leave(model: &mut Model) -> bool {
    if model.pane == 1 {
        model.pane = 0;
        return true;
    }
    let left = model.on.paths.question.take().is_some();
    if left {
        refresh(model);
    }
    left
}

/// Where the paths that are shown start and end: those that were asked for here, or the answer under
/// the cursor.
#[must_use]
pub fn shown_ends(model: &Model) -> Option<(NodeId, NodeId)> {
    let question = model.on.paths.question.as_ref().map(|q| (q.from, q.to));
    question.or_else(|| answer(model).map(|answer| (answer.from, answer.to)))
}

fn command(model: &Model) -> String {
    let inputs = model.inputs();
    let avoid = model.graph().map_or_else(String::new, |graph| avoid(graph, &model.changes));
    let ends = |from: NodeId, to: NodeId| {
        let (from, to) = (model.spelled(from), model.spelled(to));
        format!("paths {inputs} --from {} --to {}{avoid}", quote(&from), quote(&to))
    };
    match (&model.on.paths.question, answer(model)) {
        (Some(q), _) => format!("{} -k {WAYS}", ends(q.from, q.to)),
        // Queries of the library take nothing to leave out.
        (None, Some(answer)) if !avoid.is_empty() => ends(answer.from, answer.to),
        (None, Some(answer)) if !answer.query.is_empty() => {
            let worse = |a: &&Answer| {
                a.query == answer.query && (a.severity, a.score) >= (answer.severity, answer.score)
            };
            let place = model.all[0].answers.iter().filter(worse).count();
            let top = if place > PRINTED { format!(" --top {place}") } else { String::new() };
            format!("query {} {}{top}", model.input(), answer.query)
        }
        _ => format!("analyze {inputs}"),
    }
}

fn markdown(model: &Model) -> String {
    let (Some(graph), Some(way)) = (model.graph(), way(model)) else { return String::new() };
    let text = |s: &str| report::escape::markdown(s).into_owned();
    let mut out = format!("## {}: {}\n\n", way.severity, text(&ends(graph, way)));
    for (number, step) in way.steps.iter().enumerate() {
        let _ = writeln!(
            out,
            "{}. `{}`: {} {} {}",
            number + 1,
            step.attack.id,
            text(&named(graph, step.from)),
            model.theme.glyphs().arrow,
            text(&named(graph, step.to))
        );
        for (fact, _) in facts(graph, step, true) {
            let _ = writeln!(out, "   - {}", text(&fact_text(&graph.view(fact))));
        }
    }
    if let Some(cut) = &way.cut {
        let _ = writeln!(out, "\nCut: {}", text(&report::cut(graph, cut)));
    }
    out
}

/// Shows one of the library's answers, by its place: a question that was asked here is left, and a
/// filter that would hide it.
pub fn open(model: &mut Model, place: usize) -> Vec<Effect> {
    let Some(fingerprint) = model.asked.answers.get(place).map(|a| a.fingerprint.clone()) else {
        return Vec::new();
    };
    model.on.paths.question = None;
    let mut effects = show(model, Screen::Paths);
    if !select(model, &fingerprint) {
        model.filters[Screen::Paths as usize].clear();
        effects.extend(refresh(model));
        select(model, &fingerprint);
    }
    model.pane = 1;
    effects
}

/// Moves the cursor to an answer; whether it is shown.
fn select(model: &mut Model, fingerprint: &str) -> bool {
    let answers = &asked(model).answers;
    let shown = &model.on.paths.shown;
    let row =
        shown.iter().position(|p| answers.get(*p).is_some_and(|a| a.fingerprint == fingerprint));
    if let Some(row) = row {
        let state = &mut model.on.paths;
        (state.list.selected, state.steps, state.way) = (row, List::default(), 0);
    }
    row.is_some()
}
