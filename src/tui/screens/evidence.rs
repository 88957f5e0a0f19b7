//! The evidence under the cursor, over the screen: each fact with the file and line it stands at,
//! and the object around it as YAML, its field marked.
//!
//! What must not be seen never comes here: reading an object again drops it.

use super::super::canvas::{Canvas, fit, pane, put, safe, span, wrap};
use super::super::loaded::Loaded;
use super::super::message::{Effect, Found, Motion};
use super::super::model::Model;
use super::super::worker::{Job, Topic};
use super::super::yaml::Yaml;
use crate::graph::{EdgeId, Fact};
use crate::input::{Wanted, objects, steps};
use crate::report::{fact_text, is_plain, named};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use std::sync::Arc;

/// How many facts of one step are shown with their objects; the rest is listed.
const MOST: usize = 40;

/// What is laid over the screen.
pub struct Page {
    title: String,
    rows: Vec<Row>,
    facts: Vec<Place>,
    /// The first row that is seen.
    top: usize,
}

/// A fact of the page.
struct Place {
    fact: Fact,
    /// The row that it begins at.
    first: usize,
    /// The row of its field.
    marked: usize,
}

/// A line of the page. Long ones that matter are broken when they are drawn.
enum Row {
    /// A fact.
    Head(String, Fact),
    /// Where it stands, or why nothing is shown.
    Note(String),
    /// A line of an object, and whether it is the field's.
    Object(String, bool),
}

impl Page {
    /// Scrolls.
    pub fn go(&mut self, motion: Motion, page: usize) {
        let last = self.rows.len().saturating_sub(1);
        let half = page.div_ceil(2);
        self.top = match motion {
            Motion::Up => self.top.saturating_sub(1),
            Motion::Down => self.top + 1,
            Motion::HalfUp => self.top.saturating_sub(half),
            Motion::HalfDown => self.top + half,
            Motion::PageUp => self.top.saturating_sub(page),
            Motion::PageDown => self.top + page,
            Motion::First => 0,
            Motion::Last => last,
            Motion::Row(row) => row,
        };
        self.top = self.top.min(last);
    }

    /// Goes to the next fact, or to the one before.
    pub fn turn(&mut self, forward: bool, page: usize) {
        let here = self.here();
        let next = if forward { here + 1 } else { here.saturating_sub(1) };
        self.show(next.min(self.facts.len().saturating_sub(1)), page);
    }

    /// The fact that is looked at: the last one whose field, or beginning, has come into sight.
    fn here(&self) -> usize {
        let begun = self.facts.iter().filter(|place| place.first <= self.top).count();
        begun.saturating_sub(1)
    }

    /// Scrolls to a fact so that its field is seen, and its heading if there is room for both.
    fn show(&mut self, fact: usize, page: usize) {
        let Some(Place { first, marked, .. }) = self.facts.get(fact) else { return };
        let (first, marked) = (*first, *marked);
        // The heading is a few lines itself.
        let room = page.saturating_sub(4);
        self.top = if marked <= first + room { first } else { marked.saturating_sub(page / 2) };
    }

    /// The fact that is looked at.
    #[must_use]
    pub fn fact(&self) -> Option<Fact> {
        self.facts.get(self.here()).map(|place| place.fact)
    }

    /// The page as Markdown.
    fn markdown(&self) -> String {
        let safe = |s: &str| crate::report::escape::markdown(s).into_owned();
        let mut lines = vec![format!("## Evidence: {}", safe(&self.title))];
        let mut object = false;
        for row in &self.rows {
            // An indented block needs an empty line before it, and nothing in it can end it.
            if !object || !matches!(row, Row::Object(..)) {
                lines.push(String::new());
            }
            object = matches!(row, Row::Object(..));
            lines.push(match row {
                Row::Head(text, _) => format!("### {}", safe(text)),
                Row::Note(text) => safe(text),
                Row::Object(text, true) => format!("    > {text}"),
                Row::Object(text, false) => format!("      {text}"),
            });
        }
        lines.join("\n") + "\n"
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
        let mut page = page(loaded, edge, fact);
        Box::new(move |model| {
            page.show(0, model.page_rows());
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

/// Writes the page as Markdown.
pub fn export(model: &mut Model) -> Vec<Effect> {
    let Some(page) = &model.page else { return Vec::new() };
    let (name, bytes) = ("kspm-graph-evidence.md".to_owned(), page.markdown().into_bytes());
    model.status = format!("written: {name}");
    vec![Effect::Write { name, bytes }]
}

fn page(loaded: &Loaded, edge: Option<EdgeId>, fact: Option<Fact>) -> Page {
    let graph = &loaded.graph;
    let title = edge.map_or_else(String::new, |edge| {
        let (from, to) = graph.ends(edge);
        format!("{} from {} to {}", graph.attack(edge).id, named(graph, from), named(graph, to))
    });
    let of_edge = edge.into_iter().flat_map(|edge| graph.facts(edge)).filter(|f| Some(*f) != fact);
    let all: Vec<Fact> =
        fact.into_iter().chain(of_edge).filter(|f| !is_plain(&graph.view(*f))).collect();
    let views: Vec<_> = all.iter().map(|fact| graph.view(*fact)).collect();
    let present = || views.iter().filter_map(|view| Some((view, view.origin?)));
    let places: Vec<_> = present().map(|(view, origin)| (origin, view.field)).collect();
    let mut places = loaded.lines.lines(&places).into_iter();
    let wanted = present().take(MOST).map(|(view, origin)| Wanted {
        source: origin.source,
        offset: origin.offset,
        kind: view.kind,
        namespace: view.namespace,
        name: view.name,
    });
    let mut found = objects(&loaded.snapshot.sources, &wanted.collect::<Vec<_>>()).into_iter();
    let (mut rows, mut facts) = (Vec::new(), Vec::new());
    for (fact, view) in all.iter().zip(&views) {
        let first = rows.len();
        let mut marked = first;
        rows.push(Row::Head(fact_text(view), *fact));
        match view.origin {
            None => rows.push(Row::Note("the snapshot only refers to it".to_owned())),
            Some(origin) => {
                let source = loaded.snapshot.sources.get(origin.source.index());
                let source = safe(source.map_or("", String::as_str));
                rows.push(Row::Note(match places.next().flatten() {
                    Some(line) => format!("{source}:{line}"),
                    None => format!("{source}, byte {}", origin.offset),
                }));
                match found.next() {
                    None => rows.push(Row::Note("its object is not looked up here".to_owned())),
                    Some(Err(missing)) => rows.push(Row::Note(safe(&missing.to_string()))),
                    Some(Ok(object)) => {
                        marked = write(&Yaml::new(&object, &steps(view.field)), &mut rows);
                    }
                }
            }
        }
        facts.push(Place { fact: *fact, first, marked });
    }
    Page { title, rows, facts, top: 0 }
}

/// Puts an object's lines into the page; returns the row that is marked.
fn write(yaml: &Yaml, rows: &mut Vec<Row>) -> usize {
    let left_out = |n: usize, place: &str| Row::Note(format!("{n} lines {place} are left out"));
    if yaml.above > 0 {
        rows.push(left_out(yaml.above, "above"));
    }
    let marked = rows.len() + yaml.marked;
    let lines = yaml.lines.iter().enumerate();
    rows.extend(lines.map(|(i, line)| Row::Object(line.clone(), i == yaml.marked)));
    if yaml.below > 0 {
        rows.push(left_out(yaml.below, "below"));
    }
    marked
}

/// Draws it.
pub fn view(model: &Model, page: &Page, buf: &mut Canvas<'_>, area: Rect) {
    let theme = model.theme;
    let here = page.here();
    let count = match page.facts.len() {
        0 | 1 => "Evidence".to_owned(),
        all => format!("Evidence {} of {all} (Tab: next, Space: mark)", here + 1),
    };
    let title = if page.title.is_empty() { count } else { format!("{count}: {}", page.title) };
    let inner = pane(buf, area, &title, true, theme);
    let (mut y, mut top) = (inner.y, page.top);
    // The fact that the first lines belong to stays in sight.
    let head = page.facts.get(here).map(|place| place.first).filter(|first| *first < top);
    for row in head.and_then(|head| page.rows.get(head..head + 2)).unwrap_or(&[]) {
        let (text, style) = match row {
            Row::Head(text, fact) => headed(model, text, *fact),
            Row::Note(text) | Row::Object(text, _) => (format!("  {text}"), theme.dim()),
        };
        let text = fit(&text, usize::from(inner.width), theme);
        put(buf, inner.x, y, inner.width, &Line::from(span(text, style)));
        (y, top) = (y + 1, top + 1);
    }
    for row in page.rows.get(top..).unwrap_or(&[]) {
        for line in lines(model, row, usize::from(inner.width)) {
            if y >= inner.bottom() {
                return;
            }
            put(buf, inner.x, y, inner.width, &line);
            y += 1;
        }
    }
}

/// A fact's heading, which tells whether it is pretended to be gone.
fn headed(model: &Model, text: &str, fact: Fact) -> (String, Style) {
    let theme = model.theme;
    match model.changes.facts.contains(&fact) {
        true => (format!("{} gone: {text}", theme.glyphs().cut), theme.gone()),
        false => (text.to_owned(), theme.title()),
    }
}

fn lines(model: &Model, row: &Row, width: usize) -> Vec<Line<'static>> {
    let theme = model.theme;
    let broken = |text: &str, lead: &str, style| {
        let rest = width.saturating_sub(lead.chars().count());
        let lines = wrap(text, rest).into_iter();
        lines.map(|line| Line::from(span(format!("{lead}{line}"), style))).collect()
    };
    match row {
        Row::Head(text, fact) => {
            let (text, style) = headed(model, text, *fact);
            broken(&text, "", style)
        }
        Row::Note(text) => broken(text, "  ", theme.dim()),
        Row::Object(text, false) => {
            vec![Line::from(span(format!("    {text}"), theme.text()))]
        }
        Row::Object(text, true) => {
            let mark = theme.glyphs().cursor;
            vec![Line::from(span(format!("  {mark} {text}"), theme.selected(true)))]
        }
    }
}
