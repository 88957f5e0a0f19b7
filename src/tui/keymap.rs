//! The one table of keys: what is bound, where, and what help says of it.
//!
//! A key means one thing in a context, and much the same in all of them. None needs more than the
//! control key, and each action that has a key has a name for the palette as well.

use super::key::Key;
use super::message::{Edit, Export, Motion, Msg};
use super::model::Model;
use super::screens::Screen;

/// Where a key is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// On every screen.
    Any,
    /// On these screens only.
    Screens(&'static [Screen]),
    /// While a line is being typed.
    Prompt,
}

/// One row: some keys and what they do.
#[derive(Debug)]
pub struct Row {
    /// The keys, as [`Key::parse`] reads them.
    pub keys: &'static [&'static str],
    /// Where.
    pub on: On,
    /// What they do.
    pub msg: Msg,
    /// Its name, for the palette and for overrides.
    pub name: &'static str,
    /// What help says.
    pub help: &'static str,
}

const fn row(
    keys: &'static [&'static str],
    on: On,
    msg: Msg,
    name: &'static str,
    help: &'static str,
) -> Row {
    Row { keys, on, msg, name, help }
}

use On::{Any, Prompt};

/// Every binding, in the order in which help lists them.
pub const KEYMAP: &[Row] = &[
    row(&["j", "down"], Any, Msg::Move(Motion::Down), "down", "the row below"),
    row(&["k", "up"], Any, Msg::Move(Motion::Up), "up", "the row above"),
    row(&["ctrl-d"], Any, Msg::Move(Motion::HalfDown), "half-page-down", "half a page down"),
    row(&["ctrl-u"], Any, Msg::Move(Motion::HalfUp), "half-page-up", "half a page up"),
    row(&["pgdn", "ctrl-f"], Any, Msg::Move(Motion::PageDown), "page-down", "a page down"),
    row(&["pgup", "ctrl-b"], Any, Msg::Move(Motion::PageUp), "page-up", "a page up"),
    row(&["g", "home"], Any, Msg::Move(Motion::First), "first", "the first row"),
    row(&["G", "end"], Any, Msg::Move(Motion::Last), "last", "the last row"),
    row(&["tab", "l", "right"], Any, Msg::Pane(true), "next-pane", "the pane to the right"),
    row(
        &["shift-tab", "h", "left"],
        Any,
        Msg::Pane(false),
        "previous-pane",
        "the pane to the left",
    ),
    row(&["+"], Any, Msg::Enlarge, "enlarge", "give the pane the whole screen, or take it back"),
    row(&["enter"], Any, Msg::Open, "open", "open what is under the cursor"),
    row(
        &["esc", "backspace", "-"],
        Any,
        Msg::Back,
        "back",
        "back: close, clear the filter, or the screen before",
    ),
    row(
        &["1"],
        Any,
        Msg::Show(Screen::Overview),
        "overview",
        "Overview: what there is, and where it is worst",
    ),
    row(&["2"], Any, Msg::Show(Screen::Paths), "paths-screen", "Paths: every answer and its steps"),
    row(
        &["3", "v"],
        Any,
        Msg::Show(Screen::Explorer),
        "explorer",
        "Explorer: what leads to the node under the cursor, and what it leads to",
    ),
    row(
        &["4", "b"],
        Any,
        Msg::Show(Screen::Blast),
        "blast-screen",
        "Blast: what the node under the cursor can come to hold, or the node of Explorer",
    ),
    row(
        &["5", "c"],
        Any,
        Msg::Show(Screen::Cuts),
        "cuts",
        "Cuts: what is pretended to be gone, and what that closes",
    ),
    row(
        &["6", "n"],
        Any,
        Msg::Show(Screen::Network),
        "network",
        "Network: who reaches the node under the cursor, or that of Explorer; whom it reaches, and why",
    ),
    row(&["7", "a"], Any, Msg::Show(Screen::Access), "access", "Access: who can, and can it"),
    row(
        &["8"],
        Any,
        Msg::Show(Screen::Coverage),
        "coverage",
        "Coverage: what is not known, and how to collect it",
    ),
    row(&["?"], Any, Msg::Show(Screen::Help), "help", "Help: this table; Enter runs a row"),
    row(
        &["/"],
        Any,
        Msg::Filter,
        "filter",
        "filter: selector terms, or letters in order; ! leaves out",
    ),
    row(&[":"], Any, Msg::Palette, "palette", "type a command"),
    row(
        &["]"],
        Any,
        Msg::Way(true),
        "next-way",
        "the next of several ways between the same ends, or of several facts of a step",
    ),
    row(&["["], Any, Msg::Way(false), "previous-way", "the way or the fact before"),
    row(
        &["space"],
        Any,
        Msg::Mark,
        "mark",
        "pretend that the fact under the cursor is gone, or no longer; on Network the rule that decides",
    ),
    row(
        &["x"],
        Any,
        Msg::Exclude { attack: false },
        "exclude-step",
        "leave the step under the cursor out and search again",
    ),
    row(
        &["X"],
        Any,
        Msg::Exclude { attack: true },
        "exclude-attack",
        "leave its attack out wherever it is used",
    ),
    row(
        &["N"],
        Any,
        Msg::ExcludeNode,
        "exclude-node",
        "leave the node under the cursor out, a workload with its pods, and search again",
    ),
    row(&["R"], Any, Msg::Restore, "restore", "forget all that is pretended"),
    row(&["u"], Any, Msg::Undo, "undo", "take back the last change"),
    row(
        &["f"],
        Any,
        Msg::Set { end: false },
        "from-here",
        "paths start at the node under the cursor",
    ),
    row(&["t"], Any, Msg::Set { end: true }, "to-here", "paths end at the node under the cursor"),
    row(
        &["p"],
        Any,
        Msg::Find,
        "find-paths",
        "look for paths between those two; from the internet or to cluster-admin if one is unset",
    ),
    row(
        &["r"],
        Any,
        Msg::Reverse,
        "reverse",
        "look the other way round: from where these paths end to where they start",
    ),
    row(
        &["o"],
        Any,
        Msg::Owner,
        "owner",
        "go to the workload, pod or namespace that it belongs to",
    ),
    row(
        &["e"],
        Any,
        Msg::Evidence,
        "evidence",
        "the evidence as it stands in its source, with file and line",
    ),
    row(&["y"], Any, Msg::CopyName, "copy", "copy the selector of the node under the cursor"),
    row(&["Y"], Any, Msg::CopyCommand, "copy-command", "copy a command line that shows the same"),
    row(&["D"], Any, Msg::Export(Export::Dot), "export-dot", "write the view as DOT"),
    row(&["S"], Any, Msg::Export(Export::Svg), "export-svg", "write the view as SVG"),
    row(
        &["M"],
        Any,
        Msg::Export(Export::Markdown),
        "export-markdown",
        "write the view as Markdown",
    ),
    row(
        &["K"],
        Any,
        Msg::System,
        "system",
        "show answers that begin at Kubernetes' own components too, or hide them",
    ),
    row(&["T"], Any, Msg::Theme, "next-theme", "the next theme"),
    row(&["A"], Any, Msg::Ascii, "ascii", "letters instead of lines, or lines again"),
    row(&["m"], Any, Msg::Mouse, "mouse", "listen to the mouse, or no longer"),
    row(&["s"], Any, Msg::Stop, "stop", "stop what is being worked on"),
    row(&["ctrl-z"], Any, Msg::Suspend, "suspend", "to the shell; `fg` comes back"),
    row(&["q", "ctrl-c"], Any, Msg::Quit, "quit", "leave"),
    row(&["enter"], Prompt, Msg::Accept, "accept", "take what is typed"),
    row(&["esc", "ctrl-c"], Prompt, Msg::Back, "give-up", "leave it as it was"),
    row(&["tab", "down"], Prompt, Msg::Offer(true), "next-offer", "the next of what is offered"),
    row(
        &["shift-tab", "up"],
        Prompt,
        Msg::Offer(false),
        "previous-offer",
        "the one before; with nothing typed, the last command",
    ),
    row(&["left", "ctrl-b"], Prompt, Msg::Edit(Edit::Left), "char-left", "a character to the left"),
    row(
        &["right", "ctrl-f"],
        Prompt,
        Msg::Edit(Edit::Right),
        "char-right",
        "a character to the right",
    ),
    row(&["home", "ctrl-a"], Prompt, Msg::Edit(Edit::Start), "line-start", "the start of the line"),
    row(&["end", "ctrl-e"], Prompt, Msg::Edit(Edit::End), "line-end", "its end"),
    row(&["backspace", "ctrl-h"], Prompt, Msg::Edit(Edit::Backspace), "erase", "erase a character"),
    row(
        &["delete", "ctrl-d"],
        Prompt,
        Msg::Edit(Edit::Delete),
        "erase-right",
        "erase the one under the cursor",
    ),
    row(&["ctrl-w"], Prompt, Msg::Edit(Edit::Word), "erase-word", "erase a word"),
    row(&["ctrl-u"], Prompt, Msg::Edit(Edit::Line), "erase-line", "erase the line"),
];

/// A user's own bindings come before those of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    own: Vec<(Key, usize)>,
}

impl Keys {
    /// Reads overrides: `NAME = KEY`, a line each; `#` begins a comment. A key that is given to
    /// something is taken from what had it.
    ///
    /// # Errors
    /// The first line that names no action or no key, with its number and what to do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut own = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let wrong =
                |what: String, help: &str| format!("line {}: {what}\nhelp: {help}", number + 1);
            let Some((name, keys)) = line.split_once('=') else {
                return Err(wrong(
                    format!("`{line}` has no `=`"),
                    "write `mark = ctrl-x`, a line each",
                ));
            };
            let name = name.trim();
            let Some(row) = KEYMAP.iter().position(|row| row.name == name) else {
                return Err(wrong(
                    format!("there is no action `{name}`"),
                    "`?` in the terminal interface shows their names",
                ));
            };
            for key in keys.split_whitespace() {
                let Some(key) = Key::parse(key) else {
                    return Err(wrong(
                        format!("`{key}` is no key"),
                        "write `j`, `G`, `enter`, `pgdn`, `space` or `ctrl-x`",
                    ));
                };
                own.push((key, row));
            }
        }
        Ok(Self { own })
    }

    /// The row that a key stands for.
    #[must_use]
    pub fn row(&self, key: Key, model: &Model) -> Option<&'static Row> {
        let typing = model.prompt.is_some();
        let fits = |row: &Row| row.on.holds(model.screen, typing);
        let own = self
            .own
            .iter()
            .rev()
            .find(|(own, row)| *own == key && KEYMAP.get(*row).is_some_and(fits));
        if let Some((_, row)) = own {
            return KEYMAP.get(*row);
        }
        KEYMAP.iter().find(|row| fits(row) && row.keys.iter().any(|k| Key::parse(k) == Some(key)))
    }

    /// The keys of a row, as help shows them.
    #[must_use]
    pub fn of(&self, row: usize) -> Vec<String> {
        let own = self.own.iter().filter(|(_, r)| *r == row).map(|(key, _)| key.to_string());
        let taken = |name: &str| {
            self.own.iter().any(|(key, r)| Some(*key) == Key::parse(name) && *r != row)
        };
        let table = KEYMAP.get(row).map_or(&[][..], |row| row.keys);
        own.chain(table.iter().filter(|k| !taken(k)).map(|k| (*k).to_owned())).collect()
    }
}

impl On {
    /// Whether it is bound on a screen, while a line is typed or not.
    #[must_use]
    pub fn holds(self, screen: Screen, typing: bool) -> bool {
        match self {
            Self::Any => !typing,
            Self::Screens(screens) => !typing && screens.contains(&screen),
            Self::Prompt => typing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_key_is_one_and_none_is_bound_twice_in_a_context() {
        for typing in [false, true] {
            for screen in Screen::ALL {
                let mut bound: BTreeMap<Key, &str> = BTreeMap::new();
                for row in KEYMAP.iter().filter(|row| row.on.holds(*screen, typing)) {
                    for key in row.keys {
                        let key = Key::parse(key).unwrap_or_else(|| panic!("`{key}` is no key"));
                        let other = bound.insert(key, row.name);
                        assert_eq!(other, None, "`{key}` is also `{}` on {screen:?}", row.name);
                    }
                }
            }
        }
    }

    #[test]
    fn names_are_unique_and_help_says_something() {
        let names: BTreeSet<&str> = KEYMAP.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), KEYMAP.len());
        assert!(KEYMAP.iter().all(|row| row.help.len() >= 5 && !row.keys.is_empty()));
    }

    #[test]
    fn overrides_win_and_mistakes_are_told() {
        let keys = Keys::parse("# mine\nmark = ctrl-x d # two\n\n").unwrap();
        let row = KEYMAP.iter().position(|row| row.name == "mark").unwrap();
        assert_eq!(keys.of(row), ["ctrl-x", "d", "space"]);
        let error = |text: &str| Keys::parse(text).unwrap_err();
        assert!(error("mark ctrl-x").starts_with("line 1: `mark ctrl-x` has no `=`\nhelp: "));
        assert!(error("\nmork = d").starts_with("line 2: there is no action `mork`\nhelp: "));
        assert!(error("mark = hyper-d").starts_with("line 1: `hyper-d` is no key\nhelp: "));
        // A key that was taken is no longer shown for what had it.
        let keys = Keys::parse("mark = q").unwrap();
        let quit = KEYMAP.iter().position(|row| row.name == "quit").unwrap();
        assert_eq!(keys.of(quit), ["ctrl-c"]);
    }
}
