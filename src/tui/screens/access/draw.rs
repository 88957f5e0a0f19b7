//! How Access looks: the question, what is said of it, the rows, and all of the row under the
//! cursor beneath them.

use super::super::super::canvas::{
    Canvas, column, fit, pane, paragraph, put, rows, safe, span, split, wrap,
};
use super::super::super::model::Model;
use super::super::super::theme::Theme;
use super::super::super::worker::Topic;
use super::answer::{Answer, Row, scope};
use super::question::Of;
use crate::graph::Graph;
use crate::query::access::Weight;
use crate::report::named;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The narrowest screen on which both panes stand side by side.
const WIDE: u16 = 100;

/// How many lines what is said before the rows may take.
const NOTES: usize = 6;

/// Draws the screen.
pub(super) fn view(model: &Model, buf: &mut Canvas<'_>, area: Rect) {
    let (Some(graph), theme) = (model.graph(), model.theme) else { return };
    let Some(answer) = &model.on.access.answer else {
        let text = if is_busy(model) {
            "reading roles and bindings ..."
        } else {
            "stopped; Enter asks again"
        };
        let inner = pane(buf, area, "Access", true, theme);
        super::super::empty(buf, inner, text, theme);
        return;
    };
    let width = usize::from(area.width);
    let question = span(fit(&headline(graph, answer), width, theme), theme.title());
    put(buf, area.x, area.y, area.width, &Line::from(question));
    let notes = notes(model, answer, width);
    let tall = u16::try_from(notes.len()).unwrap_or(0).min(area.height.saturating_sub(1) / 2);
    paragraph(buf, Rect { y: area.y + 1, height: tall, ..area }, &notes);
    let rest = below(area, 1 + tall);
    // A low screen has no room to say everything twice.
    let told = if rest.height >= 10 { told(model, graph, width, theme) } else { Vec::new() };
    let tall = u16::try_from(told.len()).unwrap_or(0).min(rest.height / 3);
    paragraph(buf, below(rest, rest.height - tall), &told);
    let listed = Rect { height: rest.height - tall, ..rest };
    let here = super::pane(model);
    let two = answer.question.is_some() && !model.enlarged && area.width >= WIDE;
    let (left, right) = if two { split(listed, 64) } else { (listed, listed) };
    if two || here == 0 {
        direct(model, graph, answer, (buf, left), here == 0);
    }
    if (two || here == 1) && answer.question.is_some() {
        through(model, graph, (buf, right), here == 1);
    }
}

/// What is said before the rows.
fn notes(model: &Model, answer: &Answer, width: usize) -> Vec<Line<'static>> {
    let theme = model.theme;
    let wrapped = answer.notes.iter().flat_map(|note| {
        let style = if note.warns { theme.warn() } else { theme.text() };
        wrap(&note.text, width).into_iter().map(move |line| Line::from(span(line, style)))
    });
    let mut lines: Vec<Line<'static>> = wrapped.take(NOTES).collect();
    if let Some(likelihood) = model.on.access.through.as_ref().and_then(|t| t.one) {
        let text = format!("but it gets there by an attack path, likelihood {likelihood:.2}: Tab");
        lines.push(Line::from(span(fit(&text, width, theme), theme.warn())));
    }
    let caveat = answer.caveat.as_ref();
    lines.extend(caveat.map(|text| Line::from(span(fit(text, width, theme), theme.dim()))));
    lines
}

fn below(area: Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    Rect { y: area.y + lines, height: area.height - lines, ..area }
}

fn is_busy(model: &Model) -> bool {
    model.busy.iter().any(|(topic, _)| *topic == Topic::Access)
}

fn headline(graph: &Graph, answer: &Answer) -> String {
    match (&answer.question, answer.node) {
        (Some(question), _) => safe(&question.command("")),
        (None, Some(node)) if answer.count() > 0 => {
            format!("{}: what it may do", named(graph, node))
        }
        (None, Some(node)) => format!("{}: what there is to ask", named(graph, node)),
        (None, None) => "the cluster: what there is to ask".to_owned(),
    }
}

fn direct(
    model: &Model,
    graph: &Graph,
    answer: &Answer,
    (buf, area): (&mut Canvas<'_>, Rect),
    focused: bool,
) {
    let (state, theme) = (&model.on.access, model.theme);
    let [shown, there] = &state.shown;
    let count = answer.count();
    let mut title = match &answer.question {
        Some(question) if question.of == Of::Everybody => format!("Hold it: {count}"),
        Some(_) => format!("By these bindings: {count}"),
        None if count > 0 => format!("May do: {count} rules"),
        None => "Questions".to_owned(),
    };
    if state.gone > 0 {
        title = format!("{title}, {} pretended gone", state.gone);
    }
    if !model.filter().is_empty() {
        title = format!("{title}, {} shown", shown.len());
    }
    if answer.question.is_some() && state.through.is_some() && area.width == model.size.0 {
        title = format!("{title} (Tab: {} others by attack paths)", there.len());
    }
    let mut inner = pane(buf, area, &title, focused, theme);
    let nobody = count == 0 && answer.question.as_ref().is_some_and(|q| q.of == Of::Everybody);
    if let Some(text) = answer.unknown.as_deref().filter(|_| count == 0) {
        super::super::empty(buf, inner, text, theme);
        inner = below(inner, 1);
    } else if nobody {
        super::super::empty(buf, inner, "nobody but group system:masters", theme);
        inner = below(inner, 1);
    } else if shown.is_empty() {
        super::super::empty(buf, inner, "the filter leaves nothing", theme);
    }
    let [list, _] = state.lists;
    rows(buf, inner, (list, shown.len()), (0, focused), theme, |at, width| {
        let row = shown.get(at).and_then(|place| answer.rows.get(*place));
        row.map_or_else(Line::default, |row| line(model, graph, row, width))
    });
}

/// A row in a line: what is most asked for comes first and is cut last.
fn line(model: &Model, graph: &Graph, row: &Row, width: usize) -> Line<'static> {
    let theme = model.theme;
    let gone = row.bound().is_some_and(|bound| bound.is_gone(graph, &model.changes));
    let (mark, style) = if gone {
        (format!("{} ", theme.glyphs().cut), theme.gone())
    } else {
        (String::new(), theme.text())
    };
    let mark = span(mark, theme.warn());
    let marked = mark.width();
    // Where there is no room for all, the scope is left to what is told beneath.
    let place = if width < 48 { 0 } else { 14 };
    match row {
        Row::Title(title) => Line::from(span((*title).to_owned(), theme.title())),
        Row::Held(h) => {
            let share = if place == 0 { width * 3 / 5 } else { width * 2 / 5 };
            let subject = share.min(48);
            let room = width.saturating_sub(subject + place + 2);
            // The kinds follow from the scope, and stand in full beneath.
            let (binding, rule) = (bare(&h.binding), bare(&h.rule));
            let by = if room < 48 {
                format!("{binding}: {}", h.allows)
            } else {
                format!("{binding}: {rule} = {}", h.allows)
            };
            let by = fit(&safe(&by), room, theme);
            Line::from(vec![
                mark,
                span(column(&safe(&h.subject), subject.saturating_sub(marked), theme), style),
                span(scoped(&h.namespace, place, theme), theme.dim()),
                span(format!(" {by}"), theme.dim()),
            ])
        }
        Row::Right(r) => {
            let weight = if r.weight <= Weight::Danger { theme.warn() } else { theme.dim() };
            let allows = (width * 2 / 5).min(60);
            let by = format!("{}: {}", bare(&r.binding), bare(&r.rule));
            let room = width.saturating_sub(allows + place + 9);
            Line::from(vec![
                mark,
                span(column(r.weight.name(), 7, theme), weight),
                span(column(&safe(&r.allows), allows.saturating_sub(marked), theme), style),
                span(scoped(&r.namespace, place, theme), theme.dim()),
                span(format!(" {}", fit(&safe(&by), room, theme)), theme.dim()),
            ])
        }
        Row::Offer { about, question, holders } => {
            let wide = 34.min(width / 2);
            let room = width.saturating_sub(wide + 8);
            Line::from(vec![
                span(column(about, wide, theme), theme.text()),
                span(format!("{holders:>6}  "), theme.text()),
                span(fit(&safe(&question.command("")), room, theme), theme.dim()),
            ])
        }
        Row::Actor(node) => {
            let style = theme.kind(graph.kind(*node));
            Line::from(span(fit(&named(graph, *node), width, theme), style))
        }
    }
}

/// The scope in so many columns and a blank before it; nothing where there is no room.
fn scoped(namespace: &str, columns: usize, theme: Theme) -> String {
    match columns {
        0 => String::new(),
        columns => format!(" {}", column(&safe(scope(namespace)), columns, theme)),
    }
}

/// A name without its kind.
fn bare(named: &str) -> &str {
    named.split_once(' ').map_or(named, |(_, name)| name)
}

fn through(model: &Model, graph: &Graph, (buf, area): (&mut Canvas<'_>, Rect), focused: bool) {
    let (state, theme) = (&model.on.access, model.theme);
    let [_, shown] = &state.shown;
    let Some(super::Through { there, .. }) = &state.through else {
        let inner = pane(buf, area, "Others by attack paths", focused, theme);
        let text = if is_busy(model) {
            "following every way there ..."
        } else {
            "stopped; Enter looks again"
        };
        super::super::empty(buf, inner, text, theme);
        return;
    };
    let title = format!("Others by attack paths: {}", shown.len());
    let inner = pane(buf, area, &title, focused, theme);
    if shown.is_empty() {
        let text = if there.is_empty() { "nobody else" } else { "the filter leaves nothing" };
        super::super::empty(buf, inner, text, theme);
    }
    let [_, list] = state.lists;
    rows(buf, inner, (list, shown.len()), (1, focused), theme, |at, width| {
        let Some(r) = shown.get(at).and_then(|place| there.get(*place)) else {
            return Line::default();
        };
        let style = theme.kind(graph.kind(r.from));
        Line::from(vec![
            span(format!("{:.2} ", r.likelihood), theme.dim()),
            span(fit(&safe(&r.spelled), width.saturating_sub(5), theme), style),
        ])
    });
}

/// All of the row under the cursor.
fn told(model: &Model, graph: &Graph, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let texts: Vec<String> = if super::pane(model) == 1 {
        let way = super::there(model).map(|r| {
            let (from, to) = (named(graph, r.from), named(graph, r.to));
            format!("{from} comes to hold {to}; Enter shows the way")
        });
        way.into_iter().collect()
    } else {
        match super::chosen(model) {
            Some(Row::Held(h)) => vec![
                format!("{} may {}", h.subject, h.allows),
                format!("{}, by {}, {}", scope(&h.namespace), h.binding, h.rule),
            ],
            Some(Row::Right(r)) => vec![
                format!("{} may {}", r.through, r.allows),
                format!("{}, by {}, {}", scope(&r.namespace), r.binding, r.rule),
            ],
            Some(Row::Offer { question, .. }) => {
                vec![format!("Enter asks: {}", question.command(""))]
            }
            Some(Row::Actor(_)) => vec!["Enter shows what it may do".to_owned()],
            Some(Row::Title(_)) | None => Vec::new(),
        }
    };
    let lines = texts.iter().flat_map(|text| wrap(&safe(text), width.saturating_sub(2)));
    lines.map(|line| Line::from(span(format!("  {line}"), theme.dim()))).collect()
}

/// The rows that are shown, as tables.
pub(super) fn markdown(model: &Model) -> String {
    let state = &model.on.access;
    let (Some(graph), Some(answer)) = (model.graph(), &state.answer) else { return String::new() };
    let cell = |s: &str| crate::report::escape::markdown(&safe(s)).into_owned();
    let mut out = format!("## {}\n\n", cell(&headline(graph, answer)));
    for text in answer.notes.iter().map(|note| &note.text).chain(&answer.caveat) {
        out.extend([cell(text), "\n\n".to_owned()]);
    }
    let [shown, there] = &state.shown;
    let rows: Vec<&Row> = shown.iter().filter_map(|place| answer.rows.get(*place)).collect();
    let table = |head: &[&str], lines: Vec<Vec<String>>| {
        if lines.is_empty() {
            return String::new();
        }
        let rule = vec!["---"; head.len()].join("|");
        let lines: Vec<String> =
            lines.iter().map(|line| format!("| {} |\n", line.join(" | "))).collect();
        format!("| {} |\n|{rule}|\n{}\n", head.join(" | "), lines.concat())
    };
    let held = rows.iter().filter_map(|row| match row {
        Row::Held(h) => {
            let all = [&h.subject, scope(&h.namespace), &h.binding, &h.rule, &h.allows];
            Some(all.map(cell).to_vec())
        }
        _ => None,
    });
    out.push_str(&table(&["subject", "scope", "binding", "rule", "allows"], held.collect()));
    let rights = rows.iter().filter_map(|row| match row {
        Row::Right(r) => {
            let scope = scope(&r.namespace);
            let all = [r.weight.name(), &r.allows, scope, &r.binding, &r.rule, &r.through];
            Some(all.map(cell).to_vec())
        }
        _ => None,
    });
    let head = ["weight", "allows", "scope", "binding", "rule", "through"];
    out.push_str(&table(&head, rights.collect()));
    let offers = rows.iter().filter_map(|row| match row {
        Row::Offer { about, question, holders } => {
            Some(vec![cell(about), holders.to_string(), cell(&question.command(""))])
        }
        _ => None,
    });
    out.push_str(&table(&["who can", "subjects", "command"], offers.collect()));
    let paths = there.iter().filter_map(|place| state.through.as_ref()?.there.get(*place));
    let paths = paths.map(|r| vec![format!("{:.2}", r.likelihood), cell(&r.spelled)]);
    out.push_str(&table(&["likelihood", "by attack paths"], paths.collect()));
    out
}
