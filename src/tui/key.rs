//! Keys, spelled the same in the key table, in help, in a user's overrides and in tests.

use std::fmt;

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Which.
    pub code: Code,
    /// With the control key.
    pub ctrl: bool,
}

/// Which key, without what is held with it. A capital letter is a character of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are what is printed on the keys")]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
}

/// Keys that no single character spells.
const NAMED: &[(&str, Code)] = &[
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("shift-tab", Code::BackTab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("pgup", Code::PageUp),
    ("pgdn", Code::PageDown),
    ("space", Code::Char(' ')),
];

impl Key {
    /// A key by itself.
    #[must_use]
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false }
    }

    /// Reads a key: `j`, `G`, `enter`, `ctrl-d`, `space`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ctrl, name) = match text.strip_prefix("ctrl-") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let mut chars = name.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => Code::Char(c),
            _ => NAMED.iter().find(|(known, _)| *known == name)?.1,
        };
        Some(Self { code, ctrl })
    }

    /// Reads keys in a row, those with a name in angles: `jj<enter>/admin<enter>`. What is no key
    /// is left out.
    #[must_use]
    pub fn parse_all(text: &str) -> Vec<Self> {
        let mut keys = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let named = rest.strip_prefix('<').and_then(|r| r.split_once('>'));
            if let Some((key, after)) = named.and_then(|(n, after)| Some((Self::parse(n)?, after)))
            {
                keys.push(key);
                rest = after;
            } else {
                keys.push(Self::plain(Code::Char(c)));
                rest = rest.strip_prefix(c).unwrap_or_default();
            }
        }
        keys
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        match NAMED.iter().find(|(_, code)| *code == self.code) {
            Some((name, _)) => f.write_str(name),
            None => match self.code {
                Code::Char(c) => write!(f, "{c}"),
                _ => Ok(()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_as_they_are_written() {
        for (name, _) in NAMED {
            assert_eq!(Key::parse(name).unwrap().to_string(), *name);
        }
        assert_eq!(Key::parse("ctrl-d").unwrap().to_string(), "ctrl-d");
        assert_eq!(Key::parse("entr"), None);
    }

    #[test]
    fn a_row_of_keys_is_split() {
        let keys = Key::parse_all("g<enter>é<x><ctrl-d><");
        let text: Vec<String> = keys.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["g", "enter", "é", "x", "ctrl-d", "<"]);
    }
}
