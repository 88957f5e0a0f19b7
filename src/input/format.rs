//! What a stream of bytes is, told by how it begins.
//!
//! One table, [`FORMATS`], and the thin readers that turn one format into another: gzip into what
//! is in it, UTF-16 into UTF-8. It knows no objects.

use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, Read};

/// What to do with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// Decompress it and look again.
    Gzip,
    /// Convert it and look again.
    Utf16,
    /// An archive of members.
    Tar,
    Zip,
    /// Compressed by something that is not built in.
    Foreign,
    /// A page, where objects were expected.
    Html,
    /// Not text.
    Binary,
    /// Nothing at all.
    Empty,
    Json,
    Yaml,
    /// Text without objects.
    Other,
}

/// One format and how it begins.
pub(super) struct Format {
    /// What it is called in a message.
    pub(super) name: &'static str,
    pub(super) layer: Layer,
    begins: fn(&[u8]) -> bool,
}

/// The formats, in the order in which they are tried.
pub(super) const FORMATS: &[Format] = &[
    Format { name: "empty", layer: Layer::Empty, begins: |head| head.trim_ascii().is_empty() },
    Format { name: "gzip", layer: Layer::Gzip, begins: |head| head.starts_with(b"\x1f\x8b") },
    Format { name: "zip", layer: Layer::Zip, begins: is_zip },
    Format { name: "zstd", layer: Layer::Foreign, begins: |h| h.starts_with(b"\x28\xb5\x2f\xfd") },
    Format { name: "bzip2", layer: Layer::Foreign, begins: |head| head.starts_with(b"BZh") },
    Format { name: "xz", layer: Layer::Foreign, begins: |h| h.starts_with(b"\xfd7zXZ\0") },
    Format { name: "7z", layer: Layer::Foreign, begins: |h| h.starts_with(b"7z\xbc\xaf\x27\x1c") },
    Format { name: "tar", layer: Layer::Tar, begins: is_tar },
    Format { name: "UTF-16", layer: Layer::Utf16, begins: |h| utf16(h).is_some() },
    Format { name: "JSON", layer: Layer::Json, begins: is_json },
    Format { name: "YAML", layer: Layer::Yaml, begins: is_yaml },
    Format { name: "HTML", layer: Layer::Html, begins: |h| h.trim_ascii_start().starts_with(b"<") },
    Format { name: "binary", layer: Layer::Binary, begins: is_binary },
    Format { name: "JSON", layer: Layer::Json, begins: has_json },
    Format { name: "text", layer: Layer::Other, begins: |_| true },
];

/// The format of a stream that begins like this.
pub(super) fn of(head: &[u8]) -> &'static Format {
    const TEXT: Format = Format { name: "text", layer: Layer::Other, begins: |_| true };
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    FORMATS.iter().find(|format| (format.begins)(head)).unwrap_or(&TEXT)
}

/// How far ahead text is searched for what tells it from any other.
const SEARCHED: usize = 64 << 10;

fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// A tar header sums its own bytes; the word `ustar` is missing in old ones.
fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..512) else { return false };
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
        .sum();
    let digits = block.get(148..156).unwrap_or(&[]);
    let digits: String = digits.iter().map(|b| char::from(*b)).collect();
    let digits = digits.trim_matches([' ', '\0']);
    u64::from_str_radix(digits, 8).is_ok_and(|stated| stated == sum) && sum > 256
}

fn is_json(head: &[u8]) -> bool {
    let mut ahead = head.iter().filter(|b| !b.is_ascii_whitespace());
    match (ahead.next(), ahead.next()) {
        (Some(b'{'), None | Some(b'"' | b'}')) | (Some(b'['), None) => true,
        // `[2024-01-01] started` is a log.
        (Some(b'['), Some(b'{' | b'[' | b']')) => true,
        _ => false,
    }
}

/// JSON with other text before it, such as kubectl's warnings.
fn has_json(head: &[u8]) -> bool {
    let head = head.get(..SEARCHED).unwrap_or(head);
    memchr::memchr_iter(b'\n', head).any(|at| is_json(head.get(at + 1..).unwrap_or(&[])))
}

fn is_yaml(head: &[u8]) -> bool {
    const KEYS: &[&[u8]] = &[b"apiVersion:", b"kind:", b"items:", b"metadata:"];
    let head = head.get(..SEARCHED).unwrap_or(head);
    head.split(|b| *b == b'\n').any(|line| {
        let line = line.strip_prefix(b"- ").unwrap_or(line);
        KEYS.iter().any(|key| line.starts_with(key))
    })
}

fn is_binary(head: &[u8]) -> bool {
    memchr::memchr(0, head.get(..8 << 10).unwrap_or(head)).is_some()
}

/// Whether text is UTF-16 and, if so, whether its first byte is the low one.
fn utf16(head: &[u8]) -> Option<bool> {
    match head {
        [0xff, 0xfe, ..] => Some(true),
        [0xfe, 0xff, ..] => Some(false),
        _ => None,
    }
}

/// The text in a gzip stream of one or several members, never more than is plausible.
pub(super) fn gunzip<R: BufRead>(reader: R) -> impl Read {
    Bound { inner: MultiGzDecoder::new(Counted { inner: reader, count: 0 }), given: 0 }
}

/// Counts the bytes consumed.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }
    fn consume(&mut self, count: usize) {
        self.count += count as u64;
        self.inner.consume(count);
    }
}

/// Ends a stream that unfolds beyond anything a dump would.
struct Bound<R> {
    inner: MultiGzDecoder<Counted<R>>,
    given: u64,
}

/// What is said of such a stream.
pub(super) const BOMB: &str = "the compressed data unfolds to over 200 times its size";

/// How much text so many compressed bytes may become: any amount up to a size that does no harm,
/// above that what the most repetitive dump might.
pub(super) const fn allowance(compressed: u64) -> u64 {
    let (free, ratio) = (1 << 30, 200);
    let most = compressed.saturating_mul(ratio);
    if most > free { most } else { free }
}

impl<R: BufRead> Read for Bound<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.inner.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(io::Error::other("the compressed data ends early"));
            }
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                return Err(io::Error::other(format!("the compressed data is damaged: {error}")));
            }
            other => other?,
        };
        self.given += count as u64;
        if self.given > allowance(self.inner.get_ref().count) {
            return Err(io::Error::other(BOMB));
        }
        Ok(count)
    }
}

/// Converts UTF-16 with its byte-order mark to UTF-8.
pub(super) struct Utf16<R> {
    inner: R,
    low_first: Option<bool>,
    /// Bytes that wait for the other half of their unit or character.
    pending: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
}

impl<R: Read> Utf16<R> {
    pub(super) const fn new(inner: R) -> Self {
        Self { inner, low_first: None, pending: Vec::new(), ready: Vec::new(), given: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut block = [0; 16 << 10];
        let count = self.inner.read(&mut block)?;
        self.pending.extend_from_slice(block.get(..count).unwrap_or(&[]));
        let mut bytes = &*self.pending;
        if self.low_first.is_none() && bytes.len() >= 2 {
            self.low_first = Some(utf16(bytes).unwrap_or(true));
            bytes = bytes.get(2..).unwrap_or(&[]);
        }
        let low_first = self.low_first.unwrap_or(true);
        let mut units: Vec<u16> = bytes
            .chunks_exact(2)
            .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
            .map(|pair| if low_first { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
            .collect();
        // The first half of a pair waits for the second.
        if count > 0 && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            units.pop();
        }
        let keep = bytes.len() - units.len() * 2;
        let text: String = char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        self.ready = text.into_bytes();
        self.given = 0;
        let done = self.pending.len() - keep;
        self.pending.drain(..done);
        if count == 0 {
            self.pending.clear();
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            let waiting = self.pending.len();
            self.refill()?;
            if self.ready.is_empty() && self.pending.len() <= waiting {
                return Ok(0);
            }
        }
        let count = self.ready.get(self.given..).unwrap_or(&[]).read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_how_they_begin() {
        for (head, layer) in [
            ("", Layer::Empty),
            (" \n", Layer::Empty),
            ("\x1f\u{8b}", Layer::Other),
            ("PK\x03\x04", Layer::Zip),
            ("{\"kind\":", Layer::Json),
            ("\u{feff}{ \"a\"", Layer::Json),
            ("[\n  {", Layer::Json),
            ("Warning: x\n{\n \"a\"", Layer::Json),
            ("---\napiVersion: v1\n", Layer::Yaml),
            ("- kind: Pod\n", Layer::Yaml),
            ("{{ .Values.x }}\nkind: Pod\n", Layer::Yaml),
            ("<!DOCTYPE html>", Layer::Html),
            ("[2024-01-01] started", Layer::Other),
            ("a: 1\n", Layer::Other),
            ("a\0b", Layer::Binary),
        ] {
            assert_eq!(of(head.as_bytes()).layer, layer, "{head:?}");
        }
        assert_eq!(of(b"\xff\xfe{\0").layer, Layer::Utf16);
        assert_eq!(of(b"\x1f\x8b\x08").layer, Layer::Gzip);
    }

    #[test]
    fn utf16_becomes_utf8_in_both_orders() {
        let text = "{\"name\":\"käse 🧀\"}".repeat(5000);
        for low in [true, false] {
            let mut bytes = if low { vec![0xff, 0xfe] } else { vec![0xfe, 0xff] };
            for unit in text.encode_utf16() {
                bytes.extend(if low { unit.to_le_bytes() } else { unit.to_be_bytes() });
            }
            let mut read = String::new();
            Utf16::new(&*bytes).read_to_string(&mut read).unwrap();
            assert!(read == text);
        }
    }
}
