//! Lines of text into cells: cut to their room by width, never by bytes, and made safe.
//!
//! A name from the cluster reaches a cell only through [`safe`], so that it cannot move the
//! cursor, change its neighbours' direction or hide.

use super::list::List;
use super::screens::Screen;
use super::theme::Theme;
use crate::report::escape::terminal;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use std::ops::{Deref, DerefMut};

/// The cells that are drawn on, and what came to lie where, so that the mouse finds it.
pub struct Canvas<'a> {
    cells: &'a mut Buffer,
    spots: Vec<(Rect, Spot)>,
}

/// What can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// The title of a screen.
    Screen(Screen),
    /// A pane with a list, beside its rows.
    Pane(usize),
    /// A row of a list.
    Row {
        /// The pane that it is in.
        pane: usize,
        /// Its place in the list.
        row: usize,
        /// Whether the cursor of the list is there.
        here: bool,
    },
}

impl<'a> Canvas<'a> {
    /// Cells, with nothing to click yet.
    pub fn new(cells: &'a mut Buffer) -> Self {
        Self { cells, spots: Vec::new() }
    }

    /// Tells what an area holds.
    pub fn spot(&mut self, area: Rect, spot: Spot) {
        self.spots.push((area, spot));
    }

    /// What lies at a place: the last thing that was drawn there.
    #[must_use]
    pub fn at(&self, x: u16, y: u16) -> Option<Spot> {
        let hit = |area: &Rect| area.contains((x, y).into());
        self.spots.iter().rev().find(|(area, _)| hit(area)).map(|(_, spot)| *spot)
    }
}

impl Deref for Canvas<'_> {
    type Target = Buffer;

    fn deref(&self) -> &Buffer {
        self.cells
    }
}

impl DerefMut for Canvas<'_> {
    fn deref_mut(&mut self) -> &mut Buffer {
        self.cells
    }
}

/// A name from the cluster, made safe.
#[must_use]
pub fn safe(text: &str) -> String {
    terminal(text).into_owned()
}

/// A piece of a line.
#[must_use]
pub fn span(text: impl Into<String>, style: Style) -> Span<'static> {
    Span::styled(text.into(), style)
}

/// Text shortened in its middle to so many columns.
#[must_use]
pub fn fit(text: &str, columns: usize, theme: Theme) -> String {
    let width = |text: &str| Span::raw(text).width();
    if width(text) <= columns {
        return text.to_owned();
    }
    let more = theme.glyphs().more;
    let room = columns.saturating_sub(width(more));
    let (mut head, mut tail) = (String::new(), Vec::new());
    let (mut used, mut chars) = (0, text.chars());
    let mut front = true;
    while let Some(c) = if front { chars.next() } else { chars.next_back() } {
        let wide = width(c.encode_utf8(&mut [0; 4]));
        if used + wide > room {
            break;
        }
        used += wide;
        if front {
            head.push(c);
        } else {
            tail.push(c);
        }
        front = !front;
    }
    head + more + &tail.into_iter().rev().collect::<String>()
}

/// Text in so many columns exactly: shortened in its middle or filled up.
#[must_use]
pub fn column(text: &str, columns: usize, theme: Theme) -> String {
    let mut text = fit(text, columns, theme);
    let missing = columns.saturating_sub(Span::raw(&*text).width());
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

/// Text in lines of so many columns at most, broken between words.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        while let Some(line) = lines.last_mut() {
            let room =
                columns.saturating_sub(Span::raw(&*line).width() + usize::from(!line.is_empty()));
            if Span::raw(word).width() <= room {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
                break;
            }
            if line.is_empty() {
                // A word longer than a line is broken.
                let mut used = 0;
                let broken = word.char_indices().find(|(_, c)| {
                    used += Span::raw(c.encode_utf8(&mut [0; 4]).to_owned()).width();
                    used > columns
                });
                let (head, rest) = word.split_at(broken.map_or(word.len(), |(i, _)| i));
                line.push_str(head);
                word = rest;
                if word.is_empty() {
                    break;
                }
            }
            lines.push(String::new());
        }
    }
    lines
}

/// Draws one line at a place, cut to a width.
pub fn put(buf: &mut Buffer, x: u16, y: u16, width: u16, line: &Line<'_>) {
    if y < buf.area.bottom() && x < buf.area.right() {
        buf.set_line(x, y, line, width);
    }
}

/// A pane: its title in a line, with a rule behind it; returns what is beneath.
pub fn pane(buf: &mut Buffer, area: Rect, title: &str, focused: bool, theme: Theme) -> Rect {
    let glyphs = theme.glyphs();
    let style = if focused { theme.title() } else { theme.dim() };
    let mark = if focused { glyphs.cursor } else { glyphs.rule };
    let width = usize::from(area.width);
    let title = fit(title, width.saturating_sub(4), theme);
    let mut text = format!("{mark} {title} ");
    let missing = width.saturating_sub(Span::raw(&*text).width());
    text.push_str(&glyphs.rule.repeat(missing));
    put(buf, area.x, area.y, area.width, &Line::from(span(text, style)));
    Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area }
}

/// Draws the rows of a list that are seen, with its cursor, in a pane of a number that keys move in
/// or not. `row` is asked for those only.
pub fn rows(
    buf: &mut Canvas<'_>,
    area: Rect,
    (list, len): (List, usize),
    (pane, focused): (usize, bool),
    theme: Theme,
    mut row: impl FnMut(usize, usize) -> Line<'static>,
) {
    let glyphs = theme.glyphs();
    let width = usize::from(area.width).saturating_sub(2);
    buf.spot(area, Spot::Pane(pane));
    for (line, index) in list.seen(len, usize::from(area.height)).enumerate() {
        let Ok(line) = u16::try_from(line) else { break };
        let y = area.y + line;
        let here = list.at(len) == Some(index);
        let mark = if here { glyphs.cursor } else { " " };
        put(buf, area.x, y, 2, &Line::from(mark));
        put(buf, area.x + 2, y, area.width.saturating_sub(2), &row(index, width));
        let area = Rect { y, height: 1, ..area };
        buf.spot(area, Spot::Row { pane, row: index, here });
        if here {
            buf.set_style(area, theme.selected(focused));
        }
    }
}

/// Draws lines from the top.
pub fn paragraph(buf: &mut Buffer, area: Rect, lines: &[Line<'_>]) {
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        put(buf, area.x, y, area.width, line);
    }
}

/// Halves an area, or a third and two, by a share in percent of the width.
#[must_use]
pub fn split(area: Rect, percent: u16) -> (Rect, Rect) {
    let left = u16::try_from(u32::from(area.width) * u32::from(percent) / 100).unwrap_or(0);
    let right = Rect { x: area.x + left + 1, width: area.width.saturating_sub(left + 1), ..area };
    (Rect { width: left, ..area }, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Theme = Theme { palette: 0, ascii: false };

    #[test]
    fn text_is_cut_by_its_width() {
        assert_eq!(fit("kube-system", 20, PLAIN), "kube-system");
        let cut = fit("deployment/kube-system/coredns", 12, PLAIN);
        assert_eq!(Span::raw(&*cut).width(), 12, "{cut}");
        assert!(cut.starts_with("deplo") && cut.ends_with("edns"), "{cut}");
        // Each of these is two columns wide.
        let cut = column("漢字漢字漢字", 7, PLAIN);
        assert_eq!(Span::raw(&*cut).width(), 7, "{cut}");
        assert_eq!(fit("abc", 1, PLAIN), "…");
    }

    #[test]
    fn lines_are_broken_between_words_and_words_only_if_they_must() {
        assert_eq!(wrap("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("abcdefghijkl", 8), ["abcdefgh", "ijkl"]);
        assert_eq!(wrap("", 8), [""]);
    }
}
