//! The line that is typed into: a filter, a command, a search in help.

use super::message::Edit;

/// What the line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Leaves rows out while it is typed.
    Filter,
    /// Names a command.
    Palette,
}

/// A line being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    /// The text.
    pub text: String,
    /// Where the cursor stands in it, in bytes.
    pub at: usize,
    /// What stood there before, for when it is given up.
    pub before: String,
    /// The chosen row of what is offered beneath.
    pub chosen: usize,
}

impl Prompt {
    /// A line that begins with some text.
    #[must_use]
    pub fn new(purpose: Purpose, text: &str) -> Self {
        let text = text.to_owned();
        Self { purpose, at: text.len(), before: text.clone(), text, chosen: 0 }
    }

    /// Types a character at the cursor.
    pub fn insert(&mut self, c: char) {
        self.text.insert(self.at, c);
        self.at += c.len_utf8();
        self.chosen = 0;
    }

    /// Moves or deletes.
    pub fn edit(&mut self, edit: Edit) {
        let (left, right) = self.text.split_at(self.at);
        let before = left.chars().next_back().map_or(0, char::len_utf8);
        let after = right.chars().next().map_or(0, char::len_utf8);
        match edit {
            Edit::Left => self.at -= before,
            Edit::Right => self.at += after,
            Edit::Start => self.at = 0,
            Edit::End => self.at = self.text.len(),
            Edit::Backspace => {
                self.at -= before;
                self.text.drain(self.at..self.at + before);
            }
            Edit::Delete => {
                self.text.drain(self.at..self.at + after);
            }
            Edit::Word => {
                let kept = left.trim_end().rfind(' ').map_or(0, |i| i + 1);
                self.text.drain(kept..self.at);
                self.at = kept;
            }
            Edit::Line => {
                self.text.drain(..self.at);
                self.at = 0;
            }
        }
        self.chosen = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_by_characters_whatever_their_bytes() {
        let mut line = Prompt::new(Purpose::Filter, "ns:é shop");
        for edit in [Edit::Left, Edit::Word, Edit::Backspace, Edit::Backspace] {
            line.edit(edit);
        }
        assert_eq!((line.text.as_str(), line.at), ("ns:p", 3));
        line.insert('ü');
        line.edit(Edit::End);
        line.edit(Edit::Backspace);
        assert_eq!(line.text, "ns:ü");
        line.edit(Edit::Line);
        assert_eq!((line.text.as_str(), line.at), ("", 0));
        line.edit(Edit::Backspace);
        line.edit(Edit::Delete);
        line.edit(Edit::Left);
        assert_eq!(line.text, "");
    }
}
