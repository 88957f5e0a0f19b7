//! Coverage: what the snapshot shows, what it does not, what that makes unknown, and what could
//! not be read.

use super::super::canvas::{Canvas, column, fit, pane, paragraph, rows, safe, span, wrap};
use super::super::filter::Filter;
use super::super::list::List;
use super::super::loaded::Loaded;
use super::super::message::{Effect, Msg};
use super::super::model::Model;
use super::{Room, Under};
use crate::world::coverage::State as Known;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::fmt::Write as _;

/// The screen.
pub static ROOM: Room = Room {
    title: "Coverage",
    panes: 1,
    view,
    update,
    refresh,
    under: |_| Under::default(),
    command: |model| format!("snapshot info {}", model.inputs()),
    markdown,
};

/// What the screen keeps.
#[derive(Default)]
pub struct State {
    list: List,
    rows: Vec<Row>,
}

/// One thing that is known or is not.
struct Row {
    state: &'static str,
    known: bool,
    what: String,
    /// The whole of it, for the pane beneath.
    told: Vec<String>,
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(loaded) = model.loaded.clone() else { return Vec::new() };
    let mut rows = topics(&loaded);
    rows.extend(loaded.snapshot.problems.iter().map(|problem| {
        let at = [problem.source.as_str(), problem.place.as_str()];
        let at: Vec<String> = at.iter().filter(|s| !s.is_empty()).map(|s| safe(s)).collect();
        let (what, message) = (at.join(": "), safe(&problem.message));
        Row { state: "problem", known: false, told: vec![what.clone(), message], what }
    }));
    let filter = Filter::new(model.filter(), &loaded.graph);
    rows.retain(|row| filter.keeps(None, None, &format!("{} {}", row.state, row.what)));
    model.on.coverage.rows = rows;
    Vec::new()
}

fn topics(loaded: &Loaded) -> Vec<Row> {
    // What is missing comes first: it is what can be mended.
    let mut topics: Vec<_> = loaded.coverage.iter().collect();
    topics.sort_by_key(|topic| topic.state == Known::Complete);
    let row = |topic: &&crate::world::coverage::Topic| {
        let mut told = vec![safe(&topic.reason)];
        let bears = match topic.state {
            Known::Complete => None,
            Known::Partial => Some("bears on"),
            Known::Missing | Known::Unknown => Some("this makes unknown"),
        };
        if let Some(bears) = bears.filter(|_| !topic.affects.is_empty()) {
            told.push(format!("{bears}: {}", topic.affects.join(", ")));
        }
        if topic.state == Known::Missing {
            told.push(
                "to collect everything: kubectl get -A -o json $(kubectl api-resources \
                 --verbs=list -o name | paste -sd, -) > snapshot.json"
                    .to_owned(),
            );
        }
        Row {
            state: topic.state.name(),
            known: topic.state == Known::Complete,
            what: topic.topic.to_owned(),
            told,
        }
    };
    topics.iter().map(row).collect()
}

fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    if let Msg::Move(motion) = msg {
        let (len, page) = (model.on.coverage.rows.len(), model.page_rows());
        model.on.coverage.list.go(motion, len, page);
    }
    Vec::new()
}

fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let (Some(loaded), theme) = (&model.loaded, model.theme) else { return };
    let state = &model.on.coverage;
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let problems = loaded.snapshot.problems.len();
    let (topics, problems) = (count(loaded.coverage.len(), "topic"), count(problems, "problem"));
    let objects = usize::try_from(loaded.snapshot.objects).unwrap_or(usize::MAX);
    let title = format!("{topics}, {problems}; {} read", count(objects, "object"));
    let width = usize::from(area.width).saturating_sub(2);
    let chosen = state.list.at(state.rows.len()).and_then(|row| state.rows.get(row));
    let told: Vec<Line<'_>> = chosen
        .iter()
        .flat_map(|row| &row.told)
        .flat_map(|text| wrap(text, width))
        .map(|line| Line::from(span(format!("  {line}"), theme.text())))
        .collect();
    let tall = u16::try_from(told.len() + 1).unwrap_or(0).min(area.height / 2);
    let (above, below) = (
        Rect { height: area.height - tall, ..area },
        Rect { y: area.bottom() - tall, height: tall, ..area },
    );
    let inner = pane(buf, above, &title, true, theme);
    if state.rows.is_empty() {
        super::empty(buf, inner, "the filter leaves nothing", theme);
    }
    rows(buf, inner, (state.list, state.rows.len()), (0, true), theme, |at, width| {
        let Some(row) = state.rows.get(at) else { return Line::default() };
        let style = if row.known { theme.good() } else { theme.warn() };
        let first = row.told.iter().find(|told| **told != row.what).map_or("", String::as_str);
        let text = format!("{}  {first}", column(&row.what, 18.max(width / 4), theme));
        Line::from(vec![
            span(column(row.state, 10, theme), style),
            span(fit(&text, width.saturating_sub(10), theme), theme.text()),
        ])
    });
    let inner = pane(buf, below, chosen.map_or("", |row| &row.what), false, theme);
    paragraph(buf, inner, &told);
}

fn markdown(model: &Model) -> String {
    let mut out = "| state | topic | what is shown |\n|---|---|---|\n".to_owned();
    for row in &model.on.coverage.rows {
        let text = crate::report::escape::markdown(&row.told.join(" ")).into_owned();
        let what = crate::report::escape::markdown(&row.what).into_owned();
        let _ = writeln!(out, "| {} | {what} | {text} |", row.state);
    }
    out
}
