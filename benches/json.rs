//! A `List` as `kubectl get -o json` prints it, written one object at a time.

use std::io::{self, Write};

use memchr::memchr3;
use serde::Serialize;
use serde_json::{Value, ser::Formatter, ser::Serializer};

/// How the text is laid out.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// Lines indented by four as kubectl prints them, instead of none as the API server sends them.
    pub(crate) indent: bool,
    /// Whether `managedFields` are kept, as with `--show-managed-fields`.
    pub(crate) managed_fields: bool,
}

const COMPACT_END: &[u8] = br#"],"kind":"List","metadata":{"resourceVersion":""}}
"#;

const INDENTED_END: &[u8] = br#"
    ],
    "kind": "List",
    "metadata": {
        "resourceVersion": ""
    }
}
"#;

/// The `List` being written.
pub(crate) struct List<W> {
    out: W,
    style: Style,
    items: usize,
}

impl<W: Write> List<W> {
    pub(crate) fn begin(mut out: W, style: Style) -> io::Result<Self> {
        out.write_all(if style.indent {
            b"{\n    \"apiVersion\": \"v1\",\n    \"items\": ["
        } else {
            b"{\"apiVersion\":\"v1\",\"items\":["
        })?;
        Ok(Self { out, style, items: 0 })
    }

    /// Writes one object. Its keys come out sorted, since [`Value`] keeps them so.
    pub(crate) fn item(&mut self, mut object: Value) -> io::Result<()> {
        if !self.style.managed_fields
            && let Some(metadata) = object["metadata"].as_object_mut()
        {
            metadata.remove("managedFields");
        }
        if self.items > 0 {
            self.out.write_all(b",")?;
        }
        let layout = Layout { indent: self.style.indent, depth: 2, empty: true };
        layout.line(&mut self.out)?;
        object.serialize(&mut Serializer::with_formatter(&mut self.out, layout))?;
        self.items += 1;
        Ok(())
    }

    /// Closes the `List` and returns how many objects it holds.
    pub(crate) fn end(mut self) -> io::Result<usize> {
        self.out.write_all(if self.style.indent { INDENTED_END } else { COMPACT_END })?;
        self.out.flush()?;
        Ok(self.items)
    }
}

/// JSON inside a string, with Go's escapes: the text of a `last-applied-configuration`.
pub(crate) fn embedded(value: &Value) -> String {
    let mut text = value.to_string();
    for (plain, escaped) in [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")] {
        if text.contains(plain) {
            text = text.replace(plain, escaped);
        }
    }
    text.push('\n');
    text
}

/// Lays JSON out as Go does, which escapes `<`, `>` and `&` for the sake of browsers.
#[derive(Clone, Copy)]
struct Layout {
    indent: bool,
    depth: usize,
    /// Nothing was written yet between the current pair of brackets.
    empty: bool,
}

impl Layout {
    fn line<W: ?Sized + Write>(self, out: &mut W) -> io::Result<()> {
        if self.indent {
            out.write_all(b"\n")?;
            for _ in 0..self.depth {
                out.write_all(b"    ")?;
            }
        }
        Ok(())
    }

    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: u8) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        out.write_all(&[bracket])
    }

    fn next<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.empty = false;
        if !first {
            out.write_all(b",")?;
        }
        self.line(out)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: u8) -> io::Result<()> {
        self.depth -= 1;
        if !self.empty {
            self.line(out)?;
        }
        self.empty = false;
        out.write_all(&[bracket])
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b'[')
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b']')
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b'{')
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b'}')
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(if self.indent { b": " } else { b":" })
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment.as_bytes();
        while let Some(at) = memchr3(b'<', b'>', b'&', rest) {
            let (before, after) = rest.split_at(at);
            out.write_all(before)?;
            let Some((special, after)) = after.split_first() else { break };
            write!(out, "\\u{special:04x}")?;
            rest = after;
        }
        out.write_all(rest)
    }
}
