//! Access: who can, and can it. A question is typed in the palette or chosen among those that are
//! offered about a node; of a service account, a user or a group the screen shows what it may do.
//!
//! | file | holds |
//! |---|---|
//! | `question` | a question, as typed and as a command line |
//! | `offers` | what is worth asking about a node |
//! | `answer` | the rows, made on the worker's thread |
//! | `draw` | how they look, in cells and as Markdown |

mod answer;
mod draw;
mod offers;
mod question;

use super::super::filter::Filter;
use super::super::list::List;
use super::super::loaded::{Changes, Loaded};
use super::super::message::{Effect, Found, Msg};
use super::super::model::Model;
use super::super::update::{explore, find, show};
use super::super::worker::{Job, Stop, Topic};
use super::{Room, Screen, Under};
use crate::graph::NodeId;
use crate::query::access::{Reaching, reaching};
use answer::{Answer, Row};
use question::{Of, Question, as_who};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The screen.
pub static ROOM: Room = Room {
    title: "Access",
    panes: 2,
    view: draw::view,
    update,
    refresh,
    under,
    command,
    markdown: draw::markdown,
};

/// What the screen keeps.
#[derive(Default)]
pub struct State {
    /// The questions that were asked while a node was looked at, the last one last.
    asked: BTreeMap<Option<NodeId>, Vec<Posed>>,
    lists: [List; 2],
    answer: Option<Arc<Answer>>,
    /// Who else gets there by attack paths.
    through: Option<Through>,
    /// The rows of both panes that the filter keeps, by their places.
    shown: [Vec<usize>; 2],
    /// How many rows are pretended to be gone.
    gone: usize,
}

/// Those who do not hold what was asked for, and get there.
struct Through {
    /// While this was pretended.
    with: Changes,
    there: Vec<Reaching>,
    /// How likely the one who was asked about gets there.
    one: Option<f64>,
}

/// A question that was asked.
struct Posed {
    question: Question,
    /// On this screen: to leave the question does not leave the screen.
    here: bool,
}

/// The question that is asked of what is looked at.
fn posed(model: &Model) -> Option<&Posed> {
    model.on.access.asked.get(&model.node)?.last()
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(loaded) = model.loaded.clone() else { return Vec::new() };
    let (node, question) = (model.node, posed(model).map(|p| p.question.clone()));
    let state = &mut model.on.access;
    let known = state.answer.as_ref();
    if !known.is_some_and(|a| a.node == node && a.question == question) {
        (state.answer, state.through) = (None, None);
        (state.lists, state.shown) = Default::default();
        let run = move |loaded: &Arc<Loaded>, _: &Stop| -> Found {
            let answer = Arc::new(Answer::new(loaded, node, question));
            Box::new(move |model| found(model, answer))
        };
        let doing = "reading roles and bindings";
        return vec![Effect::Work(Job { topic: Topic::Access, doing, run: Box::new(run) })];
    }
    list(model, &loaded);
    ways(model)
}

fn found(model: &mut Model, answer: Arc<Answer>) -> Vec<Effect> {
    let warned = answer.notes.iter().find(|note| note.warns && answer.question.is_some());
    if let Some(note) = warned.filter(|_| model.status.is_empty()) {
        model.status.clone_from(&note.text);
    }
    let first = answer.rows.iter().position(|row| !matches!(row, Row::Title(_)));
    let [list, _] = &mut model.on.access.lists;
    list.selected = first.unwrap_or(0);
    model.on.access.answer = Some(answer);
    // Somebody may have gone on meanwhile; then it waits for them to come back.
    if model.screen == Screen::Access { refresh(model) } else { Vec::new() }
}

/// Looks for those who get there by attack paths, unless they are known.
fn ways(model: &mut Model) -> Vec<Effect> {
    let state = &mut model.on.access;
    let Some(answer) = state.answer.clone().filter(|a| a.question.is_some()) else {
        return Vec::new();
    };
    if state.through.as_ref().is_some_and(|t| t.with == model.changes) {
        return Vec::new();
    }
    state.through = None;
    if answer.granting.is_empty() {
        let with = model.changes.clone();
        state.through = Some(Through { with, there: Vec::new(), one: None });
        return Vec::new();
    }
    let changes = model.changes.clone();
    let run = move |loaded: &Arc<Loaded>, stop: &Stop| -> Found {
        let graph = &loaded.graph;
        let mut there = if stop.asked() {
            Vec::new()
        } else {
            reaching(graph, &answer.granting, &changes.filter(graph))
        };
        let direct = answer.direct(graph, &changes);
        there.retain(|r| !direct.contains(&r.from));
        let one = answer.one(graph).and_then(|n| there.iter().find(|r| r.from == n));
        let one = one.map(|r| r.likelihood);
        Box::new(move |model| {
            let same = model.on.access.answer.as_ref().is_some_and(|a| Arc::ptr_eq(a, &answer));
            if same {
                model.on.access.through = Some(Through { with: changes, there, one });
                if let Some(loaded) = model.loaded.clone() {
                    list(model, &loaded);
                }
            }
            Vec::new()
        })
    };
    let doing = "following every way there";
    vec![Effect::Work(Job { topic: Topic::Access, doing, run: Box::new(run) })]
}

/// Lists what the filter keeps.
fn list(model: &mut Model, loaded: &Loaded) {
    let graph = &loaded.graph;
    let filter = Filter::new(model.filter(), graph);
    let state = &mut model.on.access;
    let Some(answer) = state.answer.clone() else { return };
    let kept = |row: &Row| match row {
        Row::Title(_) => filter.is_empty(),
        row => {
            let subject = match row {
                Row::Held(_) | Row::Actor(_) => row.node(graph),
                _ => row.bound().and_then(|bound| bound.subject(graph)),
            };
            filter.is_empty() || filter.keeps(subject, None, &row.text(graph))
        }
    };
    let rows = answer.rows.iter().enumerate().filter(|(_, row)| kept(row));
    let rows: Vec<usize> = rows.map(|(place, _)| place).collect();
    let there = state.through.iter().flat_map(|t| &t.there).enumerate();
    let there = there
        .filter(|(_, r)| filter.is_empty() || filter.keeps(Some(r.from), None, &r.spelled))
        .map(|(place, _)| place)
        .collect();
    let changes = &model.changes;
    let gone = |row: &&Row| row.bound().is_some_and(|bound| bound.is_gone(graph, changes));
    state.gone = answer.rows.iter().filter(gone).count();
    state.shown = [rows, there];
}

/// The pane that keys move in: only answers have a second one.
fn pane(model: &Model) -> usize {
    let asked = model.on.access.answer.as_ref().is_some_and(|a| a.question.is_some());
    if asked { model.pane.min(1) } else { 0 }
}

/// The row under the cursor of the left pane.
fn chosen(model: &Model) -> Option<&Row> {
    let state = &model.on.access;
    let [shown, _] = &state.shown;
    let [list, _] = state.lists;
    state.answer.as_ref()?.rows.get(*shown.get(list.at(shown.len())?)?)
}

/// The row under the cursor of the right pane.
fn there(model: &Model) -> Option<&Reaching> {
    let state = &model.on.access;
    let [_, shown] = &state.shown;
    let [_, list] = state.lists;
    state.through.as_ref()?.there.get(*shown.get(list.at(shown.len())?)?)
}

fn under(model: &Model) -> Under {
    let Some(graph) = model.graph() else { return Under::default() };
    if pane(model) == 1 {
        return Under { node: there(model).map(|r| r.from).or(model.node), ..Under::default() };
    }
    let Some(row) = chosen(model) else { return Under { node: model.node, ..Under::default() } };
    let bound = row.bound().and_then(|bound| bound.edge(graph)).unzip();
    Under { node: row.node(graph).or(model.node), edge: bound.0, fact: bound.1 }
}

fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Move(motion) => {
            let (pane, page) = (pane(model), model.page_rows());
            let state = &mut model.on.access;
            if let (Some(list), Some(shown)) = (state.lists.get_mut(pane), state.shown.get(pane)) {
                list.go(motion, shown.len(), page);
            }
            Vec::new()
        }
        Msg::Open => open(model),
        _ => Vec::new(),
    }
}

fn open(model: &mut Model) -> Vec<Effect> {
    if pane(model) == 1 {
        let Some((from, to)) = there(model).map(|r| (r.from, r.to)) else {
            return refresh(model);
        };
        model.ends = (Some(from), Some(to));
        return find(model);
    }
    let Some(row) = chosen(model) else { return refresh(model) };
    match row {
        Row::Offer { question, .. } => {
            let question = question.clone();
            pose(model, question, true)
        }
        // What it may do in turn.
        Row::Actor(_) => show(model, Screen::Access),
        Row::Held(_) | Row::Right(_) => {
            let node = model.graph().and_then(|graph| row.node(graph));
            node.map_or_else(Vec::new, |node| explore(model, node))
        }
        Row::Title(_) => Vec::new(),
    }
}

/// Asks a question of what is looked at.
fn pose(model: &mut Model, question: Question, here: bool) -> Vec<Effect> {
    let questions = model.on.access.asked.entry(model.node).or_default();
    if questions.last().is_none_or(|last| last.question != question) {
        questions.push(Posed { question, here });
    }
    model.pane = 0;
    // It would leave out what was asked for.
    if let Some(filter) = model.filters.get_mut(Screen::Access as usize) {
        filter.clear();
    }
    refresh(model)
}

/// Leaves the right pane, or the question; what has to be done then, if there was something to
/// leave.
pub fn leave(model: &mut Model) -> Option<Vec<Effect>> {
    if pane(model) == 1 {
        model.pane = 0;
        return Some(Vec::new());
    }
    let left = model.on.access.asked.get_mut(&model.node)?.pop()?;
    left.here.then(|| refresh(model))
}

/// Asks who holds a permission, as it is typed behind `who-can`.
///
/// # Errors
/// When it is no question, with what one looks like.
pub fn who_can(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    let (question, through) = Question::who_can(text)?;
    let effects = typed(model, question);
    model.pane = usize::from(through);
    Ok(effects)
}

/// Asks whether somebody may, as it is typed behind `can-i`; whoever is looked at, if nobody is
/// named.
///
/// # Errors
/// When it is no question, with what one looks like.
pub fn can_i(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    let here = looked_at(model).zip(model.graph());
    let here = here.map(|(principal, graph)| as_who(graph.world(), principal));
    let here = here.filter(|(_, groups)| groups.is_empty()).map(|(who, _)| who);
    let question = Question::can_i(text, here)?;
    Ok(typed(model, question))
}

fn typed(model: &mut Model, question: Question) -> Vec<Effect> {
    let here = model.screen == Screen::Access;
    if !here {
        // What this would show of the node is not wanted: the question is.
        let _ = show(model, Screen::Access);
        model.on.access.asked.remove(&model.node);
    }
    pose(model, question, here)
}

/// The principal that is looked at.
fn looked_at(model: &Model) -> Option<crate::world::Principal> {
    offers::principal(model.graph()?, model.node?)
}

fn command(model: &Model) -> String {
    let inputs = model.input();
    if let Some(posed) = posed(model) {
        let through = posed.question.of == Of::Everybody && pane(model) == 1;
        let flag = if through { " --through-paths" } else { "" };
        return format!("{}{flag}", posed.question.command(&inputs));
    }
    let question = match (chosen(model), model.graph()) {
        (Some(Row::Offer { question, .. }), _) => Some(question.clone()),
        (Some(row), Some(graph)) => {
            row.bound().zip(looked_at(model)).and_then(|(bound, who)| bound.question(graph, who))
        }
        _ => None,
    };
    question.unwrap_or_else(|| Question::who("*", "*", None, None)).command(&inputs)
}
