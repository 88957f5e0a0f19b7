//! The model as cells: a head, the row of screens, the screen, and two lines at the foot. It looks
//! and never changes anything.

use super::canvas::{Canvas, Spot, fit, paragraph, put, safe, span, wrap};
use super::commands;
use super::model::{LEAST, Model};
use super::prompt::Purpose;
use super::screens::overview::gate::{self, Standing};
use super::screens::{Screen, cuts, evidence};
use crate::report::{fact_text, named};
use crate::world::coverage::State;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws everything; returns where the terminal's cursor stands while a line is typed.
pub fn view(model: &Model, cells: &mut Buffer) -> Option<(u16, u16)> {
    draw(model, &mut Canvas::new(cells))
}

/// What is seen at a place, if it can be clicked.
#[must_use]
pub fn seen_at(model: &Model, x: u16, y: u16) -> Option<Spot> {
    let (width, height) = model.size;
    let mut cells = Buffer::empty(Rect { x: 0, y: 0, width, height });
    let mut canvas = Canvas::new(&mut cells);
    draw(model, &mut canvas);
    canvas.at(x, y)
}

fn draw(model: &Model, buf: &mut Canvas<'_>) -> Option<(u16, u16)> {
    let area = buf.area;
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let text = format!("needs {}x{}, has {}x{}", LEAST.0, LEAST.1, area.width, area.height);
        put(buf, area.x, area.y, area.width, &Line::from(text));
        return None;
    }
    if model.loaded.is_none() {
        waiting(model, buf, area);
        return None;
    }
    head(model, buf, Rect { height: 1, ..area });
    screens(model, buf, Rect { y: area.y + 1, height: 1, ..area });
    let body = Rect { y: area.y + 2, height: area.height - 4, ..area };
    match &model.page {
        Some(page) => evidence::view(model, page, buf, body),
        None => (model.screen.room().view)(model, buf, body),
    }
    foot(model, buf, Rect { y: area.bottom() - 2, height: 2, ..area })
}

fn waiting(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let theme = model.theme;
    let mut lines = vec![Line::from(span("kspm-graph", theme.title())), Line::default()];
    let width = usize::from(area.width);
    match &model.failure {
        Some(failure) => {
            for line in failure.lines().flat_map(|line| wrap(&safe(line), width)) {
                lines.push(Line::from(span(line, theme.warn())));
            }
        }
        None => lines.push(Line::from(safe(&model.reading))),
    }
    lines.extend([Line::default(), Line::from(span("q leaves", theme.dim()))]);
    paragraph(buf, area, &lines);
}

/// What is looked at, how much of it is known, what is pretended, and what the gate says.
fn head(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let (Some(loaded), theme) = (&model.loaded, model.theme) else { return };
    let dot = theme.glyphs().dot;
    let whole = loaded.coverage.iter().filter(|t| t.state == State::Complete).count();
    let known = format!("{whole} of {} topics known", loaded.coverage.len());
    let pretended = match model.changes.count() {
        0 => String::new(),
        1 => format!(" {dot} 1 change pretended"),
        n => format!(" {dot} {n} changes pretended"),
    };
    let problems = match loaded.snapshot.problems.len() {
        0 => String::new(),
        1 => format!(" {dot} 1 problem"),
        n => format!(" {dot} {n} problems"),
    };
    let gate = match gate::standing(model) {
        Standing::None => String::new(),
        Standing::WouldPass => format!(" {dot} gate would pass"),
        standing => format!(" {dot} gate {}", standing.text()),
    };
    // Those of before are judged until there are others.
    let gate = match cuts::is_current(model) || gate.is_empty() {
        true => gate,
        false => format!("{gate} before that"),
    };
    let tail = format!(" {dot} {known}{problems}{pretended}{gate}");
    let room = usize::from(area.width).saturating_sub(tail.chars().count() + 11);
    let names: Vec<String> = loaded.snapshot.inputs.iter().map(|i| safe(i)).collect();
    let line = Line::from(vec![
        span("kspm-graph ", theme.title()),
        span(fit(&names.join(" "), room, theme), theme.text()),
        span(tail, if pretended.is_empty() { theme.dim() } else { theme.warn() }),
    ]);
    put(buf, area.x, area.y, area.width, &line);
}

/// What can be typed, the more the wider the screen is.
const HINTS: &[&str] = &[
    "? keys  / filter  : command  Enter open  Esc back  q quit   ",
    "? keys  / filter  : command  Esc back  q quit   ",
    "? keys  / filter  : command  q quit   ",
    "? keys  / filter  q quit   ",
    "? keys  q quit   ",
    "q quit   ",
];

/// What is under the cursor, in full: panes have less room.
fn cursor(model: &Model) -> String {
    let under = (model.screen.room().under)(model);
    let Some(graph) = model.graph() else { return String::new() };
    if model.screen == Screen::Cuts {
        return cuts::said(model);
    }
    // Explorer shows the facts beneath its lists, and cuts the names to their pane.
    let facts = model.pane > 0 && model.screen != Screen::Explorer;
    match (under.fact.filter(|_| facts), under.node) {
        (Some(fact), _) => fact_text(&graph.view(fact)),
        (None, Some(node)) => named(graph, node),
        (None, None) => String::new(),
    }
}

/// The row of screens; the one that is shown stands in brackets.
fn screens(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let theme = model.theme;
    let title = |screen: &Screen, short: bool| {
        let title = screen.room().title;
        let number = match Screen::ALL.iter().position(|s| s == screen) {
            Some(place) if *screen != Screen::Help => (place + 1).to_string(),
            _ => "?".to_owned(),
        };
        let here = *screen == model.screen;
        let text = if short && !here { number } else { format!("{number} {title}") };
        (if here { format!("[{text}]") } else { format!(" {text} ") }, here)
    };
    let spans = |short: bool| -> Vec<Span<'static>> {
        let titles = Screen::ALL.iter().map(|screen| title(screen, short));
        titles
            .map(|(text, here)| span(text, if here { theme.title() } else { theme.dim() }))
            .collect()
    };
    let wide: usize = spans(false).iter().map(Span::width).sum();
    let spans = spans(wide > usize::from(area.width));
    let mut x = area.x;
    for (screen, span) in Screen::ALL.iter().zip(&spans) {
        let width = u16::try_from(span.width()).unwrap_or(u16::MAX);
        buf.spot(Rect { x, width, ..area }, Spot::Screen(*screen));
        x = x.saturating_add(width);
    }
    put(buf, area.x, area.y, area.width, &Line::from(spans));
}

/// What has to be said, and what can be typed; or the line being typed.
fn foot(model: &Model, buf: &mut Canvas<'_>, area: Rect) -> Option<(u16, u16)> {
    let theme = model.theme;
    let width = usize::from(area.width);
    if let Some(prompt) = &model.prompt {
        let sign = if prompt.purpose == Purpose::Filter { "/" } else { ":" };
        if prompt.purpose == Purpose::Palette {
            commands::view(model, prompt, buf, area);
        }
        let text = format!("{sign}{}", safe(&prompt.text));
        let before =
            span(safe(prompt.text.get(..prompt.at).unwrap_or_default()), theme.text()).width();
        // The end of a line that is longer than the screen is what is typed at.
        let skip = (before + 2).saturating_sub(width);
        let shown: String = text.chars().skip(skip).collect();
        put(buf, area.x, area.y + 1, area.width, &Line::from(span(shown, theme.text())));
        let x = u16::try_from(before + 1 - skip).unwrap_or(0);
        return Some((area.x + x.min(area.width - 1), area.y + 1));
    }
    let busy = model.busy.last().map(|(_, doing)| format!("{doing} ... (s stops)"));
    let filter = model.filter();
    let mut style = theme.warn();
    let status = if !model.status.is_empty() {
        // What has just been said does not hide that there is more to come.
        let busy = busy.map_or_else(String::new, |busy| format!("{busy}  "));
        busy + &safe(&model.status)
    } else if let Some(busy) = busy {
        busy
    } else if filter.is_empty() {
        style = theme.dim();
        cursor(model)
    } else {
        format!("filter: {}  (Esc clears it)", safe(filter))
    };
    put(buf, area.x, area.y, area.width, &Line::from(span(fit(&status, width, theme), style)));
    let numbers = match model.screen != Screen::Cuts && model.answered {
        true => cuts::numbers(model),
        false => Line::default(),
    };
    // A number that is cut is another number: hints give way first.
    let fits = |hints: &&&str| span(**hints, theme.dim()).width() + numbers.width() <= width;
    let hints = HINTS.iter().find(fits).copied().unwrap_or_default();
    let mut spans = vec![span(hints, theme.dim())];
    spans.extend(numbers.spans);
    put(buf, area.x, area.y + 1, area.width, &Line::from(spans));
    None
}
