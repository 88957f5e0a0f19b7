//! The evidence under the cursor, over the screen: each fact with the file and line it stands at.

use super::super::canvas::{pane, paragraph, span, wrap};
use super::super::list::List;
use super::super::message::{Effect, Found, Motion};
use super::super::model::Model;
use super::super::session::Loaded;
use super::super::worker::{Job, Topic};
use crate::graph::{EdgeId, Fact};
use crate::report::{fact_text, is_plain, named};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::sync::Arc;

/// What is laid over the screen.
pub struct Page {
    title: String,
    lines: Vec<(String, bool)>,
    list: List,
}

impl Page {
    /// Scrolls.
    pub fn go(&mut self, motion: Motion, page: usize) {
        self.list.go(motion, self.lines.len(), page);
    }
}

/// Opens the evidence of the edge under the cursor, or of the fact alone.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let under = (model.screen.room().under)(model);
    if under.edge.is_none() && under.fact.is_none() {
        model.status = "no evidence under the cursor".to_owned();
        return Vec::new();
    }
    let (edge, fact) = (under.edge, under.fact);
    let run = move |loaded: &Arc<Loaded>, _: &_| -> Found {
        let page = page(loaded, edge, fact);
        Box::new(move |model| {
            model.page = Some(page);
            Vec::new()
        })
    };
    vec![Effect::Work(Job {
        topic: Topic::Evidence,
        doing: "reading the source",
        run: Box::new(run),
    })]
}

fn page(loaded: &Loaded, edge: Option<EdgeId>, fact: Option<Fact>) -> Page {
    let graph = &loaded.graph;
    let title = edge.map_or_else(String::new, |edge| {
        let (from, to) = graph.ends(edge);
        format!("{} from {} to {}", graph.attack(edge).id, named(graph, from), named(graph, to))
    });
    let of_edge = edge.into_iter().flat_map(|edge| graph.facts(edge)).filter(|f| Some(*f) != fact);
    let facts: Vec<Fact> =
        fact.into_iter().chain(of_edge).filter(|f| !is_plain(&graph.view(*f))).collect();
    let views: Vec<_> = facts.iter().map(|fact| graph.view(*fact)).collect();
    let wanted: Vec<_> = views.iter().filter_map(|v| Some((v.origin?, v.field))).collect();
    let mut places = loaded.lines.lines(&wanted).into_iter();
    let mut lines = Vec::new();
    for view in &views {
        lines.push((fact_text(view), true));
        let place = view.origin.map(|origin| {
            let source = loaded.snapshot.sources.get(origin.source.index());
            let line = places.next().flatten();
            let source = source.map_or("", String::as_str);
            match line {
                Some(line) => format!("{source}:{line}"),
                None => format!("{source}, byte {}", origin.offset),
            }
        });
        let place = place.unwrap_or_else(|| "the snapshot only refers to it".to_owned());
        lines.push((format!("  {}", super::super::canvas::safe(&place)), false));
    }
    Page { title, lines, list: List::default() }
}

/// Draws it.
pub fn view(model: &Model, page: &Page, buf: &mut Buffer, area: Rect) {
    let theme = model.theme;
    let inner = pane(buf, area, &format!("Evidence: {}", page.title), true, theme);
    let width = usize::from(inner.width);
    let lines: Vec<Line<'_>> = page
        .lines
        .iter()
        .flat_map(|(text, head)| wrap(text, width).into_iter().map(move |line| (line, *head)))
        .map(|(line, head)| Line::from(span(line, if head { theme.text() } else { theme.dim() })))
        .collect();
    let first = page.list.selected.min(lines.len().saturating_sub(1));
    paragraph(buf, inner, lines.get(first..).unwrap_or(&[]));
}
