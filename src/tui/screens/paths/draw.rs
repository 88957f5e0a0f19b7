//! How the answers and the steps of one of them are drawn.

use super::super::super::canvas::{Canvas, column, fit, pane, put, rows, safe, span, split, wrap};
use super::super::super::loaded::Loaded;
use super::super::super::model::Model;
use super::super::super::theme::{Theme, letter};
use super::super::super::worker::Topic;
use super::super::{cuts, empty, waiting};
use super::{Row, answer, asked, rows_of, way};
use crate::graph::Graph;
use crate::query::{Answer, is_part, spell};
use crate::report::{self, ends, fact_text, named};
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The narrowest screen on which both panes stand side by side.
const WIDE: u16 = 72;

/// Draws both panes, or the one that keys move in.
pub(super) fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let Some(loaded) = &model.loaded else { return };
    let alone = model.enlarged || area.width < WIDE;
    let (left, right) = if alone { (area, area) } else { split(area, 45) };
    if !alone || model.pane == 0 {
        list(model, loaded, buf, left);
    }
    if !alone || model.pane == 1 {
        steps(model, loaded, buf, right);
    }
}

fn list(model: &Model, loaded: &Loaded, buf: &mut Canvas<'_>, area: Rect) {
    let (state, theme, graph) = (&model.on.paths, model.theme, &loaded.graph);
    let answers = &asked(model).answers;
    // What several queries find is one path.
    let counted = match (state.shown.len(), state.distinct) {
        (shown, all) if shown != all => format!("{shown} of {all}"),
        (shown, _) if shown == answers.len() => format!("{shown}"),
        (shown, _) => format!("{shown} ({} answers)", answers.len()),
    };
    let title = match &state.question {
        Some(q) => {
            let (from, to) = (model.spelled(q.from), model.spelled(q.to));
            format!("{} {} {}: {counted}", safe(&from), theme.glyphs().arrow, safe(&to))
        }
        None => {
            let hidden = model.all[1].answers.len().saturating_sub(answers.len());
            let hidden = match hidden {
                0 => String::new(),
                n => format!(", K +{n}"),
            };
            // Those of before are shown until there are others.
            let pending = cuts::pending(model).filter(|_| model.answered);
            let pending = pending.map_or_else(String::new, |why| format!(", {why}"));
            format!("Paths: {counted}{hidden}{pending}")
        }
    };
    let inner = pane(buf, area, &title, model.pane == 0, theme);
    let answered = state.question.as_ref().map_or(model.answered, |q| q.answered);
    if state.shown.is_empty() {
        let text = match (answered, answers.is_empty()) {
            (false, _) if state.question.is_some() => {
                waiting(model, Topic::Ways, "looking for paths", "p")
            }
            (false, _) => waiting(model, Topic::Answers, "asking every query", "R"),
            (true, true) if state.question.is_some() => {
                let left = match model.changes.is_empty() {
                    true => "no way leads there",
                    false => "no way leads there, as things are pretended (5 shows it)",
                };
                format!("{left}; r looks the other way round, Esc shows all answers")
            }
            (true, false) => "the filter leaves nothing; Esc clears it".to_owned(),
            (true, true) if model.changes.is_empty() => {
                let begins = "those that begin at Kubernetes' own components: K shows them";
                let other = match model.all[1].answers.is_empty() {
                    false => format!(" but {begins}"),
                    true => String::new(),
                };
                format!("no path found{other}. 8 shows what the snapshot does not tell")
            }
            (true, true) => "no path is left by what is pretended; 5 shows it".to_owned(),
        };
        empty(buf, inner, &text, theme);
        return;
    }
    rows(buf, inner, (state.list, state.shown.len()), (0, model.pane == 0), theme, |row, width| {
        let answer = state.shown.get(row).and_then(|place| answers.get(*place));
        let Some(answer) = answer else { return Line::default() };
        if state.question.is_some() {
            // All have the same ends: what tells them apart is how.
            let ids: Vec<&str> = (0..answer.steps.len())
                .filter(|place| !is_part(&answer.steps, *place))
                .filter_map(|place| answer.steps.get(place).map(|step| step.attack.id))
                .collect();
            let head = format!("{} {:.2} ", letter(answer.severity), answer.likelihood);
            let how = ids.join(&format!(" {} ", theme.glyphs().arrow));
            let room = width.saturating_sub(head.len());
            return Line::from(vec![
                span(head, theme.severity(answer.severity)),
                span(fit(&how, room, theme), theme.text()),
            ]);
        }
        // Selectors are shorter than sentences, and can be typed.
        let from = safe(&spell(graph, answer.door(graph).unwrap_or(answer.from)));
        let to = safe(&spell(graph, answer.to));
        // Where there is little room, the names need it.
        let head = match width {
            0..40 => " ".to_owned(),
            _ => format!("{:>3.0} {:>2} ", answer.score, answer.step_count()),
        };
        let room = width.saturating_sub(head.len() + 1);
        let arrow = theme.glyphs().arrow;
        Line::from(vec![
            span(letter(answer.severity), theme.severity(answer.severity)),
            span(head, theme.dim()),
            span(two(&from, arrow, &to, room, theme), theme.text()),
        ])
    });
}

/// An answer's ends with an arrow between, in so many columns. What begins at the internet is told
/// apart by its door.
#[must_use]
pub fn route(graph: &Graph, answer: &Answer, room: usize, theme: Theme) -> String {
    let start = named(graph, answer.door(graph).unwrap_or(answer.from));
    two(&start, theme.glyphs().arrow, &named(graph, answer.to), room, theme)
}

/// Two names with an arrow between in so many columns: the longer one gives way first.
fn two(from: &str, arrow: &str, to: &str, room: usize, theme: Theme) -> String {
    let width = |text: &str| text.chars().count();
    let room = room.saturating_sub(width(arrow) + 2);
    // Goals are few and short; what differs is where paths begin.
    let end = width(to).min((room / 2).max(room.saturating_sub(width(from))));
    let start = room.saturating_sub(end);
    format!("{} {arrow} {}", fit(from, start, theme), fit(to, end, theme))
}

fn steps(model: &Model, loaded: &Loaded, buf: &mut Canvas<'_>, area: Rect) {
    let (state, theme, graph) = (&model.on.paths, model.theme, &loaded.graph);
    let Some(way) = way(model) else {
        pane(buf, area, "Steps", model.pane == 1, theme);
        return;
    };
    let others =
        state.ways.as_ref().filter(|(of, _)| answer(model).is_some_and(|a| *of == a.fingerprint));
    let ways = others.map_or_else(String::new, |(_, others)| {
        format!(" way {} of {} {}", state.way + 1, others.len() + 1, theme.glyphs().dot)
    });
    let title = format!(
        "{}{ways} likelihood {:.2} {} {}",
        way.severity,
        way.likelihood,
        theme.glyphs().dot,
        way.confidence
    );
    let mut inner = pane(buf, area, &title, model.pane == 1, theme);
    // The ends in full: the list has room for less.
    let heads = wrap(&ends(graph, way), usize::from(inner.width));
    for line in heads.iter().take(2) {
        put(buf, inner.x, inner.y, inner.width, &Line::from(span(line.clone(), theme.title())));
        inner = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    }
    let all = rows_of(graph, way);
    rows(buf, inner, (state.steps, all.len()), (1, model.pane == 1), theme, |row, width| {
        all.get(row).map_or_else(Line::default, |row| line(model, graph, way, *row, width))
    });
}

fn line(model: &Model, graph: &Graph, way: &Answer, row: Row, width: usize) -> Line<'static> {
    let theme = model.theme;
    let glyphs = theme.glyphs();
    match row {
        Row::Node(node, _) => Line::from(vec![
            span(format!("{} ", glyphs.node), theme.dim()),
            span(
                fit(&named(graph, node), width.saturating_sub(2), theme),
                theme.kind(graph.kind(node)),
            ),
        ]),
        Row::Attack(place) => {
            let Some(step) = way.steps.get(place) else { return Line::default() };
            let part = if is_part(&way.steps, place) { " (a part of a later step)" } else { "" };
            let needs = if step.needs.is_empty() { "" } else { " (needs its parts at once)" };
            let text = format!(
                "{} {:.2} {}{part}{needs}",
                step.attack.id, step.likelihood, step.confidence
            );
            Line::from(vec![
                span(format!("{} ", glyphs.vertical), theme.dim()),
                span(fit(&text, width.saturating_sub(2), theme), theme.text()),
            ])
        }
        Row::Fact(_, fact) => {
            let gone = model.changes.facts.contains(&fact);
            let text = fit(&fact_text(&graph.view(fact)), width.saturating_sub(4), theme);
            let style = if gone { theme.gone() } else { theme.dim() };
            let mark = if gone { glyphs.cut } else { " " };
            Line::from(vec![
                span(column(&format!("{} {mark}", glyphs.vertical), 4, theme), theme.dim()),
                span(text, style),
            ])
        }
        Row::Cut(fact) => {
            let closes = way.cut.as_ref().map_or_else(String::new, |cut| report::cut(graph, cut));
            let mark = if model.changes.facts.contains(&fact) { glyphs.on } else { glyphs.cut };
            Line::from(vec![
                span(format!("{mark} "), theme.good()),
                span(fit(&closes, width.saturating_sub(4), theme), theme.good()),
            ])
        }
        Row::Ways(count) => {
            let text = format!(
                "{count} other {} between these ends: ]",
                if count == 1 { "way" } else { "ways" }
            );
            Line::from(span(text, theme.dim()))
        }
    }
}
