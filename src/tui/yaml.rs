//! An object as lines of YAML, with the line that a field's path leads to.
//!
//! Only the lines around that one are made, so that an object of a million lines costs no more
//! than one of a thousand.

use super::canvas::safe;
use crate::input::{Shown, Step};
use std::ops::Range;

/// How many lines of an object are kept.
const MOST: usize = 2000;

/// How many characters of a line are kept.
const WIDE: usize = 400;

/// What stands in place of what must not be seen.
pub(super) const HIDDEN: &str = "(not shown)";

/// Lines of an object, made safe.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Yaml {
    /// The lines that are kept.
    pub(super) lines: Vec<String>,
    /// Which of these the path leads to, or the deepest part of it that is there.
    pub(super) marked: usize,
    /// How many lines stand above those that are kept.
    pub(super) above: usize,
    /// And how many below.
    pub(super) below: usize,
}

impl Yaml {
    /// Writes an object. O(the object).
    pub(super) fn new(object: &Shown, path: &[Step]) -> Self {
        Self::of(object, path, MOST)
    }

    fn of(object: &Shown, path: &[Step], most: usize) -> Self {
        // Once only to count, and to see which line is marked.
        let mut pen = Pen::default();
        pen.value("", object, 0, Some(path));
        let (total, marked) = (pen.at, pen.marked);
        let first = marked.saturating_sub(most / 2).min(total.saturating_sub(most));
        let mut pen = Pen { keep: first..first + most, ..Pen::default() };
        pen.value("", object, 0, Some(path));
        let below = total.saturating_sub(first + most);
        Self { lines: pen.lines, marked: marked - first, above: first, below }
    }
}

#[derive(Default)]
struct Pen {
    /// The number of the next line.
    at: usize,
    keep: Range<usize>,
    lines: Vec<String>,
    marked: usize,
}

impl Pen {
    fn line(&mut self, lead: &str, text: &str) {
        if self.keep.contains(&self.at) {
            let gap = if lead.is_empty() || text.is_empty() { "" } else { " " };
            let line: String =
                lead.chars().chain(gap.chars()).chain(text.chars()).take(WIDE + 1).collect();
            let mut line = safe(&line);
            if let Some((end, _)) = line.char_indices().nth(WIDE) {
                line.truncate(end);
                line.push_str(" ...");
            }
            self.lines.push(line);
        }
        self.at += 1;
    }

    /// Writes a value behind its key or dash; `path` leads on from here, if the field lies in it.
    fn value(&mut self, lead: &str, value: &Shown, indent: usize, path: Option<&[Step]>) {
        if path.is_some() {
            self.marked = self.at;
        }
        let space = " ".repeat(indent);
        match value {
            Shown::Hidden => self.line(lead, HIDDEN),
            Shown::Plain(text) => self.line(lead, text),
            Shown::Text(text) if text.trim_end_matches('\n').contains('\n') => {
                self.line(lead, "|");
                for line in text.trim_end_matches('\n').split('\n') {
                    self.line(&format!("{space}  {line}"), "");
                }
            }
            Shown::Text(text) => self.line(lead, &scalar(text)),
            Shown::List(list) if list.is_empty() => self.line(lead, "[]"),
            Shown::Map(map) if map.is_empty() => self.line(lead, "{}"),
            Shown::List(list) => {
                if !lead.is_empty() {
                    self.line(lead, "");
                }
                for (i, value) in list.iter().enumerate() {
                    let rest = path.and_then(|path| path.split_first());
                    let rest = rest.filter(|(step, _)| **step == Step::Index(i));
                    self.value(&format!("{space}-"), value, indent + 2, rest.map(|(_, rest)| rest));
                }
            }
            Shown::Map(map) => self.map(lead, map, indent, path),
        }
    }

    fn map(&mut self, lead: &str, map: &[(String, Shown)], indent: usize, path: Option<&[Step]>) {
        let space = " ".repeat(indent);
        // The first key of a list's item stands behind its dash.
        let mut dash = lead.ends_with('-').then(|| format!("{lead} "));
        if dash.is_none() && !lead.is_empty() {
            self.line(lead, "");
        }
        for (key, value) in map {
            let head = dash.take().unwrap_or_else(|| space.clone());
            let rest = path.and_then(|path| path.split_first());
            let rest = rest.filter(|(step, _)| matches!(step, Step::Key(k) if k == key));
            // A list stands in the column of its key, everything else to the right of it.
            let deeper = if matches!(value, Shown::List(_)) { indent } else { indent + 2 };
            let lead = format!("{head}{}:", scalar(key));
            // A key is no dash, whatever it ends with: the colon is behind it.
            self.value(&lead, value, deeper, rest.map(|(_, rest)| rest));
        }
    }
}

/// Text as YAML writes it on one line: in quotes where it would mean something else.
fn scalar(text: &str) -> String {
    const WORDS: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let first = |c: char| c.is_alphanumeric() || "/._(<=+$".contains(c);
    let word = WORDS.iter().any(|w| text.eq_ignore_ascii_case(w));
    let plain = text.starts_with(first)
        && !word
        && text.parse::<f64>().is_err()
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !text.contains(|c: char| c.is_control());
    if plain { text.to_owned() } else { serde_json::to_string(text).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::steps;

    fn pod() -> Shown {
        let text = |t: &str| Shown::Text(t.to_owned());
        let map = |m: &[(&str, Shown)]| {
            Shown::Map(m.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect())
        };
        let port = |n: &str| map(&[("port", Shown::Plain(n.to_owned())), ("name", text("a: b"))]);
        map(&[
            ("kind", text("Pod")),
            ("labels", map(&[("a.b/c", text("true")), ("empty", map(&[]))])),
            ("ports", Shown::List(vec![port("80"), port("443"), Shown::Hidden])),
            ("script", text("one\n  two\n")),
        ])
    }

    #[test]
    fn values_are_written_as_yaml_reads_them() {
        let lines = Yaml::new(&pod(), &[]).lines;
        let expected = [
            "kind: Pod",
            "labels:",
            "  a.b/c: \"true\"",
            "  empty: {}",
            "ports:",
            "- port: 80",
            "  name: \"a: b\"",
            "- port: 443",
            "  name: \"a: b\"",
            "- (not shown)",
            "script: |",
            "    one",
            "      two",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_field_is_marked_or_the_deepest_part_of_it_that_is_there() {
        let marked = |field: &str| {
            let yaml = Yaml::new(&pod(), &steps(field));
            yaml.lines[yaml.marked].clone()
        };
        assert_eq!(marked(".ports[1].port"), "- port: 443");
        assert_eq!(marked(".ports[1].name"), "  name: \"a: b\"");
        assert_eq!(marked(".ports[1]"), "- port: 443");
        assert_eq!(marked(".ports[7].port"), "ports:");
        assert_eq!(marked(".labels[\"a.b/c\"]"), "  a.b/c: \"true\"");
        assert_eq!(marked(".spec.nothing"), "kind: Pod");
    }

    #[test]
    fn of_many_lines_those_around_the_field_are_kept() {
        let list = (0..1000).map(|i| Shown::Plain(i.to_string())).collect();
        let object = Shown::Map(vec![("list".to_owned(), Shown::List(list))]);
        let yaml = Yaml::of(&object, &steps(".list[700]"), 10);
        assert_eq!(yaml.lines.len(), 10);
        assert_eq!(yaml.lines[yaml.marked], "- 700");
        assert_eq!((yaml.above, yaml.below), (696, 295));
        let long = Yaml::new(&Shown::Text("x".repeat(100_000)), &[]);
        assert!(long.lines[0].len() < 500 && long.lines[0].ends_with(" ..."));
    }
}
