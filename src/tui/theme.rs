//! Colours and the characters that things are drawn with. Nothing is told by colour alone: the
//! cursor has a mark, severities have letters, and a theme without colour loses no information.

use crate::graph::NodeKind;
use crate::query::Severity;
use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Its place in [`PALETTES`].
    pub palette: usize,
    /// Letters instead of lines and arrows.
    pub ascii: bool,
}

/// The colours of a theme.
#[derive(Debug)]
pub struct Palette {
    /// Its name, as `--theme` takes it.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Critical, high, medium, low, info.
    severities: [Color; 5],
    accent: Color,
    good: Color,
    dim: Color,
    selected: Option<(Color, Color)>,
}

/// Every theme; the first is the default.
pub const PALETTES: &[Palette] = &[
    Palette {
        name: "terminal",
        about: "the terminal's own 16 colours",
        severities: [Color::Red, Color::Magenta, Color::Yellow, Color::Cyan, Color::Gray],
        accent: Color::Cyan,
        good: Color::Green,
        dim: Color::DarkGray,
        selected: Some((Color::Black, Color::Gray)),
    },
    Palette {
        // Okabe and Ito's colours, which people with any kind of colour blindness tell apart.
        name: "colour-blind",
        about: "colours that stay apart for everybody; 24 bits",
        severities: [
            Color::Rgb(213, 94, 0),
            Color::Rgb(204, 121, 167),
            Color::Rgb(240, 228, 66),
            Color::Rgb(86, 180, 233),
            Color::Rgb(180, 180, 180),
        ],
        accent: Color::Rgb(86, 180, 233),
        good: Color::Rgb(0, 158, 115),
        dim: Color::Rgb(140, 140, 140),
        selected: Some((Color::Black, Color::Rgb(230, 159, 0))),
    },
    Palette {
        name: "none",
        about: "no colour: bold, underline and reverse only",
        severities: [Color::Reset; 5],
        accent: Color::Reset,
        good: Color::Reset,
        dim: Color::Reset,
        selected: None,
    },
];

/// The characters of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub struct Glyphs {
    pub cursor: &'static str,
    pub arrow: &'static str,
    pub vertical: &'static str,
    pub node: &'static str,
    pub cut: &'static str,
    pub on: &'static str,
    pub off: &'static str,
    pub rule: &'static str,
    pub dot: &'static str,
    pub more: &'static str,
    pub full: &'static str,
    pub empty: &'static str,
}

const LINES: Glyphs = Glyphs {
    cursor: "▶",
    arrow: "→",
    vertical: "│",
    node: "●",
    cut: "✂",
    on: "☑",
    off: "☐",
    rule: "─",
    dot: "·",
    more: "…",
    full: "█",
    empty: "░",
};

const LETTERS: Glyphs = Glyphs {
    cursor: ">",
    arrow: "->",
    vertical: "|",
    node: "o",
    cut: "X",
    on: "[x]",
    off: "[ ]",
    rule: "-",
    dot: "-",
    more: "..",
    full: "#",
    empty: ".",
};

impl Theme {
    /// The theme of a name.
    #[must_use]
    pub fn named(name: &str, ascii: bool) -> Option<Self> {
        let palette = PALETTES.iter().position(|p| p.name == name)?;
        Some(Self { palette, ascii })
    }

    fn colours(self) -> &'static Palette {
        PALETTES.get(self.palette).unwrap_or(&PALETTES[0])
    }

    /// The theme's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.colours().name
    }

    /// The theme after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self { palette: (self.palette + 1) % PALETTES.len(), ..self }
    }

    /// The characters to draw with.
    #[must_use]
    pub fn glyphs(self) -> Glyphs {
        if self.ascii { LETTERS } else { LINES }
    }

    /// Plain text.
    #[must_use]
    pub fn text(self) -> Style {
        Style::new()
    }

    /// What matters less. Without colours it looks like the rest: faint text is not readable
    /// everywhere.
    #[must_use]
    pub fn dim(self) -> Style {
        Style::new().fg(self.colours().dim)
    }

    /// A headline.
    #[must_use]
    pub fn title(self) -> Style {
        Style::new().fg(self.colours().accent).add_modifier(Modifier::BOLD)
    }

    /// What went well.
    #[must_use]
    pub fn good(self) -> Style {
        Style::new().fg(self.colours().good)
    }

    /// What is wrong or unknown.
    #[must_use]
    pub fn warn(self) -> Style {
        Style::new().fg(self.colours().severities[2]).add_modifier(Modifier::BOLD)
    }

    /// What is marked as gone.
    #[must_use]
    pub fn gone(self) -> Style {
        self.dim().add_modifier(Modifier::CROSSED_OUT)
    }

    /// The row under the cursor; `focused` says whether keys move it.
    #[must_use]
    pub fn selected(self, focused: bool) -> Style {
        match (focused, self.colours().selected) {
            (false, _) => Style::new().add_modifier(Modifier::BOLD),
            (true, Some((ink, paper))) => Style::new().fg(ink).bg(paper),
            (true, None) => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// A severity.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Style {
        let place = Severity::ALL.iter().position(|s| *s == severity).unwrap_or(4);
        Style::new().fg(self.colours().severities[place]).add_modifier(Modifier::BOLD)
    }

    /// A kind of node: what is worth most stands out.
    #[must_use]
    pub fn kind(self, kind: NodeKind) -> Style {
        match kind {
            NodeKind::ClusterAdmin => self.severity(Severity::Critical),
            NodeKind::Internet => self.severity(Severity::High),
            _ => Style::new().add_modifier(Modifier::BOLD),
        }
    }
}

/// The letter of a severity.
#[must_use]
pub fn letter(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "C",
        Severity::High => "H",
        Severity::Medium => "M",
        Severity::Low => "L",
        Severity::Info => "I",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_draw_with_what_every_terminal_has() {
        let Glyphs { cursor, arrow, vertical, node, cut, on, off, rule, dot, more, full, empty } =
            LETTERS;
        for glyph in [cursor, arrow, vertical, node, cut, on, off, rule, dot, more, full, empty] {
            assert!(glyph.is_ascii(), "{glyph}");
        }
    }

    #[test]
    fn the_cursor_is_seen_in_every_theme() {
        for palette in PALETTES {
            let theme = Theme::named(palette.name, false).unwrap();
            assert_ne!(theme.selected(true), theme.text(), "{}", palette.name);
        }
        let none = Theme::named("none", false).unwrap();
        assert!(none.selected(true).add_modifier.contains(Modifier::REVERSED));
    }
}
