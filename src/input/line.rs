//! The line of a field, looked up when a report shows it.
//!
//! Reading keeps only the byte at which an object begins: counting lines would cost every reader
//! what few reports need. Here a source is read again, once for all lookups in it, and each
//! object is walked along the field's path. Where the path ends early (a default that the file
//! does not spell out) the line is that of the deepest part that is there.

use super::SourceId;
use super::again::{self, newlines};
use super::window::{BLOCK, Window};
use std::collections::BTreeSet;

/// The 1-based lines of fields, each given by its source, the byte at which its object begins and
/// its path (`.spec.volumes[1].hostPath.path`; `.metadata.labels["a.b/c"]`; empty for the object).
///
/// `sources` are the names that reading gave, and `one_line` those that it found to be one line,
/// which need no second look. There is no line in standard input, nor in a file that can no longer
/// be read. Every other file is read once, up to the last object that is wanted.
#[must_use]
pub fn lines(
    sources: &[String],
    one_line: &BTreeSet<SourceId>,
    wanted: &[(SourceId, u64, &str)],
) -> Vec<Option<u64>> {
    let mut answers = vec![None; wanted.len()];
    let mut places = Vec::new();
    for (answer, (source, offset, field)) in wanted.iter().enumerate() {
        if one_line.contains(source) && sources.get(source.index()).is_some_and(|n| n != "-") {
            if let Some(answer) = answers.get_mut(answer) {
                *answer = Some(1);
            }
            continue;
        }
        places.push((*source, *offset, (answer, *field)));
    }
    again::visit(sources, places, &mut |window, spot, fields| {
        let one_line = spot.next.is_some_and(|next| is_one_line(window, next));
        for (answer, field) in fields {
            let steps = steps(field);
            let at = match window.byte(0) {
                _ if one_line || steps.is_empty() => 0,
                Some(b'{') => in_json(window, &steps),
                _ => in_yaml(window, spot.column, &steps),
            };
            let passed = newlines(window.rest().get(..at).unwrap_or(&[]));
            if let Some(answer) = answers.get_mut(answer) {
                *answer = Some(spot.line + passed);
            }
        }
    });
    answers
}

/// Whether no line begins in the next `count` bytes, as far as a block can tell: then the object
/// that begins here, and ends before those do, need not be walked. API servers write one line.
fn is_one_line(window: &mut Window<'_>, count: u64) -> bool {
    let Ok(count) = usize::try_from(count) else { return false };
    if count > window.rest().len() && count <= BLOCK {
        window.more();
    }
    window.rest().get(..count).is_some_and(|text| memchr::memchr(b'\n', text).is_none())
}

/// One step of a field's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item of a list.
    Index(usize),
}

/// The steps of a path: `.key`, `["key"]`, `[index]`.
#[must_use]
pub fn steps(field: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = field;
    while let Some(first) = rest.chars().next() {
        let (step, tail) = match rest.strip_prefix('[') {
            Some(inner) if inner.starts_with(['"', '\'']) => {
                let mut parts = inner.splitn(3, ['"', '\'']).skip(1);
                let key = parts.next().unwrap_or("");
                let tail = parts.next().unwrap_or("");
                (Step::Key(key.to_owned()), tail.strip_prefix(']').unwrap_or(tail))
            }
            Some(inner) => {
                let (index, tail) = inner.split_once(']').unwrap_or((inner, ""));
                match index.parse() {
                    Ok(index) => (Step::Index(index), tail),
                    Err(_) => return steps,
                }
            }
            None => {
                let name = if first == '.' { rest.strip_prefix('.').unwrap_or("") } else { rest };
                let end = name.find(['.', '[']).unwrap_or(name.len());
                let (key, tail) = name.split_at_checked(end).unwrap_or((name, ""));
                (Step::Key(key.to_owned()), tail)
            }
        };
        if step == Step::Key(String::new()) && tail.len() == rest.len() {
            return steps;
        }
        if step != Step::Key(String::new()) {
            steps.push(step);
        }
        rest = tail;
    }
    steps
}

/// Where the deepest part of a path stands in the JSON object that begins here.
fn in_json(window: &mut Window<'_>, steps: &[Step]) -> usize {
    let (mut found, mut at) = (0, 0);
    for step in steps {
        let (open, mut index) = (window.byte(at), 0);
        let mut next = at + 1;
        loop {
            next = window.space(next);
            match (window.byte(next), open, step) {
                (Some(b','), ..) => {
                    next += 1;
                    continue;
                }
                (Some(b'"'), Some(b'{'), Step::Key(wanted)) => {
                    let Ok((key, value)) = window.key(next) else { return found };
                    if key == *wanted {
                        (found, at) = (next, value);
                        break;
                    }
                    next = value;
                }
                (Some(byte), Some(b'['), Step::Index(wanted)) if byte != b']' => {
                    if index == *wanted {
                        (found, at) = (next, next);
                        break;
                    }
                    index += 1;
                }
                _ => return found,
            }
            match window.skip(next) {
                Ok(end) => next = end,
                Err(_) => return found,
            }
        }
    }
    found
}

/// A line of block-style YAML: where it begins, the column of its text, and its text. What stands
/// behind a list's dash is a line of its own, further to the right.
struct Row {
    at: usize,
    column: usize,
    text: String,
}

/// Where the deepest part of a path stands in the YAML that begins here, in some column.
fn in_yaml(window: &mut Window<'_>, column: usize, steps: &[Step]) -> usize {
    let dash = window.byte(0) == Some(b'-');
    let (mut rows, mut at) = (Vec::new(), 0);
    while let Some((end, next)) = window.line(at) {
        let line = window.rest().get(at..end).unwrap_or(&[]);
        let text = String::from_utf8_lossy(line);
        let inner = text.trim_start();
        let left = if at == 0 { column } else { text.len() - inner.len() };
        let blank = inner.is_empty() || inner.starts_with('#');
        // A certificate in a block of text begins with dashes, too, but further to the right.
        let border = left == 0 && inner.starts_with("---");
        if at > 0 && !blank && ((dash && left <= column) || border) {
            break;
        }
        let (mut inner, mut left) = (inner, left);
        while let Some(behind) = inner.strip_prefix('-').filter(|b| b.starts_with([' ', '\t'])) {
            rows.push(Row { at, column: left, text: "-".to_owned() });
            let trimmed = behind.trim_start();
            left += inner.len() - trimmed.len();
            inner = trimmed;
        }
        if !blank {
            rows.push(Row { at, column: left, text: inner.trim_end().to_owned() });
        }
        if next == at {
            break;
        }
        at = next;
    }
    walk(rows.get(usize::from(dash)..).unwrap_or(&[]), steps)
}

fn walk(mut rows: &[Row], steps: &[Step]) -> usize {
    let mut found = rows.first().map_or(0, |row| row.at);
    for step in steps {
        let Some(column) = rows.first().map(|row| row.column) else { return found };
        let mut seen = 0;
        let here = rows.iter().position(|row| {
            row.column == column
                && match step {
                    Step::Key(key) => is_key(&row.text, key),
                    Step::Index(index) => {
                        seen += usize::from(row.text == "-");
                        row.text == "-" && seen == index + 1
                    }
                }
        });
        let Some(here) = here else { return found };
        found = rows.get(here).map_or(found, |row| row.at);
        let below = rows.get(here + 1..).unwrap_or(&[]);
        // A list may stand in the column of its key.
        let listed = matches!(step, Step::Key(_))
            && below.first().is_some_and(|row| row.column == column && row.text == "-");
        let end = below.iter().position(|row| {
            row.column < column || (row.column == column && !(listed && row.text == "-"))
        });
        rows = below.get(..end.unwrap_or(below.len())).unwrap_or(&[]);
    }
    found
}

/// Whether a line begins with a key, quoted or not.
fn is_key(text: &str, key: &str) -> bool {
    let bare = text.strip_prefix(['"', '\'']).unwrap_or(text);
    bare.strip_prefix(key)
        .map(|rest| rest.strip_prefix(['"', '\'']).unwrap_or(rest))
        .is_some_and(|rest| rest.starts_with(':'))
}

/// How many lines were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// One so far.
    One,
    /// One, and its line feed.
    Ended,
    /// More than one.
    Many,
}

impl Lines {
    /// With more text. What has many lines is not looked at.
    pub(super) fn with(self, text: &[u8]) -> Self {
        match (self, text.split_last()) {
            (Self::Many, _) | (_, None) => self,
            (Self::Ended, Some(_)) => Self::Many,
            (Self::One, Some((last, rest))) => match (memchr::memchr(b'\n', rest), last) {
                (Some(_), _) => Self::Many,
                (None, b'\n') => Self::Ended,
                (None, _) => Self::One,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn paths_have_steps() {
        let key = |text: &str| Step::Key(text.to_owned());
        assert_eq!(
            steps(".spec.volumes[1].hostPath"),
            [key("spec"), key("volumes"), Step::Index(1), key("hostPath")]
        );
        assert_eq!(steps(r#".labels["a.b/c"].x"#), [key("labels"), key("a.b/c"), key("x")]);
        for odd in ["", ".", "..", "[", "[]", "[x]", "[\"", "a[", "é.ü", "[1"] {
            let _ = steps(odd);
        }
    }

    fn look(text: &str, offset: u64, field: &str) -> u64 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, text).unwrap();
        let sources = [path.display().to_string()];
        lines(&sources, &BTreeSet::new(), &[(SourceId(0), offset, field)])[0].unwrap()
    }

    #[test]
    fn fields_of_json_objects_have_lines() {
        let text = "{\n \"items\": [\n  {},\n  {\n   \"spec\": {\n    \"a\": [\n     1,\n     \
                    {\n      \"b\": 2\n     }\n    ]\n   }\n  }\n ]\n}";
        let object = text.find("{\n   \"spec").unwrap() as u64;
        assert_eq!(look(text, object, ""), 4);
        assert_eq!(look(text, object, ".spec"), 5);
        assert_eq!(look(text, object, ".spec.a[1]"), 8);
        assert_eq!(look(text, object, ".spec.a[1].b"), 9);
        assert_eq!(look(text, object, ".spec.a[7].b"), 6);
        assert_eq!(look(text, object, ".status.x"), 4);
    }

    #[test]
    fn fields_of_yaml_objects_have_lines() {
        let text = "items:\n- kind: Pod\n  spec:\n    containers:\n    - name: a\n      image: x\n    \
                    # more\n    - image: y\n      name: b\n    volumes:\n    - name: v\n- kind: Role\n  \
                    \"rules\":\n  - verbs:\n    - get\n    - list\n";
        let pod = text.find("- kind: Pod").unwrap() as u64;
        let role = text.find("- kind: Role").unwrap() as u64;
        assert_eq!(look(text, pod, ""), 2);
        assert_eq!(look(text, pod, ".spec.containers[0].image"), 6);
        assert_eq!(look(text, pod, ".spec.containers[1]"), 8);
        assert_eq!(look(text, pod, ".spec.containers[1].name"), 9);
        assert_eq!(look(text, pod, ".spec.volumes[0].name"), 11);
        assert_eq!(look(text, role, ".rules[0].verbs[1]"), 16);
        assert_eq!(look(text, role, ".metadata"), 12);
    }

    #[test]
    fn what_cannot_be_read_again_has_no_line() {
        let sources = ["-".to_owned(), "/no/such:file".to_owned()];
        let wanted = [(SourceId(0), 0, ""), (SourceId(1), 0, ""), (SourceId(9), 0, "")];
        assert_eq!(lines(&sources, &BTreeSet::new(), &wanted), [None, None, None]);
    }
}
