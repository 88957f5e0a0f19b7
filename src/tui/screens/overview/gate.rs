//! The gate on the Overview: whether a build with `--fail-on` would pass, also after the changes
//! that are pretended, and the first of what stops it.

use super::super::super::canvas::{Canvas, fit, pane, rows, span};
use super::super::super::list::List;
use super::super::super::message::{Effect, Msg};
use super::super::super::model::Model;
use super::super::super::prompt::{Prompt, Purpose};
use super::super::super::theme::letter;
use super::super::super::worker::Topic;
use super::super::{Under, cuts, paths, waiting};
use crate::query::Answer;
use crate::query::gate::{Gate, Verdict};
use crate::report::gate::{by_answers, by_finding};
use crate::report::{ends, repeats};
use ratatui::layout::Rect;
use ratatui::text::Line;

/// How many answers are listed of each gate.
const FIRST: usize = 5;

/// What the pane keeps.
#[derive(Default)]
pub struct State {
    list: List,
    /// What is said of the only gate, or of all.
    title: String,
    rows: Vec<Row>,
}

/// A row of the pane.
enum Row {
    /// What is said of one gate, and whether it passes.
    Said(bool, String),
    /// An answer that fails the gate above, by its place.
    Answer(usize),
    /// How many more there are.
    More(usize),
}

/// How things stand with all gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is none.
    None,
    /// All pass.
    Passes,
    /// All would pass once what is pretended has been done, and do not as things are.
    WouldPass,
    /// One fails.
    Fails,
    /// None fails by what is known; but one asks about the network, and a policy is pretended to be
    /// gone.
    Unknown,
}

impl Standing {
    /// In a few words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Passes => "passes",
            Self::WouldPass => "would pass after these changes",
            Self::Fails => "failed",
            Self::Unknown => "not known",
        }
    }
}

/// Judges a gate as things are, and as they are pretended to be. What is pretended of the graph
/// does not change what policies let through.
fn judged(model: &Model, gate: &Gate) -> (Verdict, Verdict) {
    let findings = &model.before.findings;
    let judge = |answers: &[Answer]| gate.judge(answers, findings);
    (judge(&model.before.answers), judge(&model.asked.answers))
}

/// Whether nothing tells what it says after what is pretended: without a policy more is let through,
/// of which the library is not asked.
fn unknown(model: &Model, gate: &Gate, now: &Verdict) -> bool {
    let Some((loaded, name)) = model.loaded.as_ref().zip(gate.query()) else { return false };
    let network = || loaded.queries.iter().any(|q| q.id == name && q.is_of_network());
    now.passes() && !model.changes.policies.is_empty() && network()
}

/// How things stand with all gates.
#[must_use]
pub fn standing(model: &Model) -> Standing {
    if model.gates.is_empty() || !model.answered {
        return Standing::None;
    }
    let all: Vec<_> = model.gates.iter().map(|gate| judged(model, gate)).collect();
    let passes = |verdict: fn(&(Verdict, Verdict)) -> &Verdict| {
        all.iter().all(|both| verdict(both).passes())
    };
    let unknown = || model.gates.iter().zip(&all).any(|(gate, both)| unknown(model, gate, &both.1));
    match (passes(|both| &both.0), passes(|both| &both.1)) {
        (_, false) => Standing::Fails,
        (_, true) if unknown() => Standing::Unknown,
        (false, true) => Standing::WouldPass,
        (true, true) => Standing::Passes,
    }
}

/// What is said of a gate.
fn said(model: &Model, gate: &Gate, (before, now): &(Verdict, Verdict)) -> String {
    let finding = now.finding.and_then(|place| model.before.findings.get(place));
    let was = before.answers.len();
    if let Some(finding) = finding {
        by_finding(gate, finding)
    } else if unknown(model, gate, now) {
        format!("gate not known without the policy: --fail-on {}", gate.text)
    } else if now.passes() && before.passes() {
        format!("gate passes: --fail-on {}", gate.text)
    } else if now.passes() {
        let were = format!("{was} of {} answers", before.of);
        format!("would pass after these changes: --fail-on {}, failed by {were}", gate.text)
    } else if was == now.answers.len() {
        by_answers(gate, now)
    } else {
        format!("{}, {was} before these changes", by_answers(gate, now))
    }
}

/// What is said of all gates; of the only one, all there is to say.
fn title(model: &Model) -> String {
    match (standing(model), &model.gates[..]) {
        (Standing::None, []) => {
            "No gate: `--fail-on high` or `:fail-on high` asks for one".to_owned()
        }
        (Standing::None, _) => {
            format!("Gate: {}", waiting(model, Topic::Answers, "asking every query", "R"))
        }
        (_, [gate]) => {
            let said = said(model, gate, &judged(model, gate));
            let mut letters = said.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
        (standing, gates) => format!("{} gates: {}", gates.len(), standing.text()),
    }
}

/// Lists each gate with the first answers that fail it.
pub fn refresh(model: &mut Model) {
    let mut rows = Vec::new();
    for gate in model.gates.iter().filter(|_| model.answered) {
        let both = judged(model, gate);
        let passes = both.1.passes() && !unknown(model, gate, &both.1);
        if model.gates.len() > 1 {
            rows.push(Row::Said(passes, said(model, gate, &both)));
        }
        // What several queries find is one path.
        let graph = model.graph();
        let firsts = graph.map_or_else(Vec::new, |graph| repeats(graph, &model.asked.answers));
        let failing = &both.1.answers;
        let repeated = |place: &&usize| {
            let first = firsts.get(**place).copied().flatten();
            first.is_none_or(|first| !failing.contains(&first))
        };
        let distinct: Vec<usize> = failing.iter().filter(repeated).copied().collect();
        rows.extend(distinct.iter().take(FIRST).map(|place| Row::Answer(*place)));
        if distinct.len() > FIRST {
            rows.push(Row::More(distinct.len() - FIRST));
        }
    }
    let title = title(model);
    let state = &mut model.on.overview.gate;
    (state.title, state.rows) = (title, rows);
}

fn chosen(model: &Model) -> Option<&Row> {
    let state = &model.on.overview.gate;
    state.rows.get(state.list.at(state.rows.len())?)
}

/// What is under the cursor.
pub fn under(model: &Model) -> Under {
    let Some(Row::Answer(place)) = chosen(model) else { return Under::default() };
    let Some(answer) = model.asked.answers.get(*place) else { return Under::default() };
    let fact = answer.cut.as_ref().map(|cut| cut.fact);
    Under { node: Some(answer.from), edge: None, fact }
}

/// Moves, or opens the path under the cursor; without a gate it begins to ask for one.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Move(motion) => {
            let page = model.page_rows();
            let state = &mut model.on.overview.gate;
            state.list.go(motion, state.rows.len(), page);
        }
        Msg::Open if model.gates.is_empty() => {
            model.prompt = Some(Prompt::new(Purpose::Palette, "fail-on high"));
        }
        Msg::Open => match chosen(model) {
            Some(Row::Answer(place)) => return paths::open(model, *place),
            Some(Row::Said(false, _)) => {
                model.status = "the rows beneath are what fails it; Enter opens one".to_owned();
            }
            Some(Row::More(_)) => {
                model.status = "2 shows every answer, the worst first".to_owned();
            }
            Some(Row::Said(true, _)) | None => {}
        },
        _ => {}
    }
    Vec::new()
}

/// How many lines it takes of so many.
#[must_use]
pub fn height(model: &Model, of: u16) -> u16 {
    let rows = u16::try_from(model.on.overview.gate.rows.len()).unwrap_or(u16::MAX);
    rows.min((of / 5).max(1)).saturating_add(1)
}

/// Draws it.
pub fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect, focused: bool) {
    let (state, theme) = (&model.on.overview.gate, model.theme);
    // Until there are other answers it is judged by those of before.
    let pending = cuts::pending(model).filter(|_| model.answered && !model.gates.is_empty());
    let pending = pending.map_or_else(String::new, |why| format!(" ({why})"));
    let title = match model.answered {
        true => format!("{}{pending}", state.title),
        false => title(model),
    };
    let inner = pane(buf, area, &title, focused, theme);
    rows(buf, inner, (state.list, state.rows.len()), (super::GATE, focused), theme, |at, width| {
        match state.rows.get(at) {
            Some(Row::Said(true, text)) => {
                Line::from(span(fit(&format!("+ {text}"), width, theme), theme.good()))
            }
            Some(Row::Said(false, text)) => {
                Line::from(span(fit(&format!("x {text}"), width, theme), theme.warn()))
            }
            Some(Row::Answer(place)) => {
                let Some((answer, graph)) = model.asked.answers.get(*place).zip(model.graph())
                else {
                    return Line::default();
                };
                Line::from(vec![
                    span(
                        format!("  {} ", letter(answer.severity)),
                        theme.severity(answer.severity),
                    ),
                    span(paths::route(graph, answer, width.saturating_sub(4), theme), theme.text()),
                ])
            }
            Some(Row::More(count)) => Line::from(span(format!("  {count} more"), theme.dim())),
            None => Line::default(),
        }
    });
}

/// What is said of the gates, as Markdown; nothing without one.
#[must_use]
pub fn markdown(model: &Model) -> String {
    let Some(graph) = model.graph() else { return String::new() };
    let safe = |text: &str| crate::report::escape::markdown(text).into_owned();
    let rows = model.on.overview.gate.rows.iter().map(|row| match row {
        Row::Said(_, text) => format!("- {}\n", safe(text)),
        Row::Answer(place) => {
            let text = model.asked.answers.get(*place).map(|answer| ends(graph, answer));
            format!("  - {}\n", safe(&text.unwrap_or_default()))
        }
        Row::More(count) => format!("  - {count} more\n"),
    });
    let title = match model.gates.len() {
        0 => String::new(),
        _ => format!("\n{}\n\n", safe(&model.on.overview.gate.title)),
    };
    title + &rows.collect::<String>()
}
