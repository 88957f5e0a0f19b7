//! One stream from its first byte to its objects: layers are taken off until there is text.
//!
//! It decides what is skipped without a word (a picture in a folder) and what is said (a page of
//! HTML where a dump was named).

use super::format::{self, Layer, Utf16, gunzip};
use super::sink::{Hint, Sink};
use super::split::Share;
use super::window::Window;
use super::{json, layout, yaml};
use std::io::{self, BufRead, Read};

/// How many layers may be in one another: UTF-16 in gzip in gzip.
const LAYERS: u8 = 3;

/// Endings of files that hold no objects, whatever they hold.
const IDLE: &[&str] = &[
    "bmp", "bz2", "class", "conf", "crt", "css", "csv", "dll", "exe", "gif", "go", "htm", "html",
    "ico", "ini", "jar", "jpeg", "jpg", "js", "key", "lock", "log", "lz4", "md", "mp4", "pdf",
    "pem", "png", "prom", "py", "rs", "service", "sh", "so", "sql", "sum", "svg", "toml", "ts",
    "ttf", "webp", "woff", "woff2", "xml", "xz", "zst",
];

/// Whether a file's ending says that it holds no objects.
pub(super) fn is_idle(name: &str) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.rsplit_once('.').is_some_and(|(_, ending)| {
        IDLE.binary_search(&ending.to_ascii_lowercase().as_str()).is_ok()
    })
}

/// Whether a file's name says that it is an archive, which is not opened inside another.
pub(super) fn is_archive(name: &str) -> bool {
    const ENDINGS: &[&str] = &[".tar", ".tar.gz", ".tgz", ".zip"];
    let lower = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

/// Reads everything in a window. `named` says that the user asked for just this source.
pub(super) fn read(window: &mut Window<'_>, name: &str, named: bool, sink: &mut Sink<'_>) {
    let hint = Hint::from(layout::kind_of_path(name));
    sink.whole(|sink| layer(window, &hint, named, LAYERS, sink));
}

fn layer(window: &mut Window<'_>, hint: &Hint, named: bool, layers: u8, sink: &mut Sink<'_>) {
    if window.rest().is_empty() {
        window.more();
    }
    let wanted = named || *hint != Hint::None;
    let found = format::of(window.rest());
    match found.layer {
        Layer::Gzip if layers > 0 => {
            let mut inner = gunzip(window);
            layer(&mut Window::new(&mut inner, Vec::new()), hint, named, layers - 1, sink);
        }
        Layer::Utf16 if layers > 0 => {
            let mut inner = Utf16::new(window);
            layer(&mut Window::new(&mut inner, Vec::new()), hint, named, layers - 1, sink);
        }
        Layer::Json | Layer::Yaml => documents(window, hint, sink, None, found.layer),
        Layer::Empty => {
            match window.take_failure() {
                Some(failure) => sink.refuse(failure.to_string()),
                None => sink.skipped().empty += 1,
            }
            sink.list();
        }
        Layer::Html if wanted => sink.refuse("a page of HTML, perhaps an error or a login"),
        Layer::Foreign if wanted => {
            sink.refuse(format!("compressed by {}; unpack it first", found.name));
        }
        Layer::Binary | Layer::Other if wanted => sink.refuse("neither JSON nor YAML of objects"),
        Layer::Gzip | Layer::Utf16 | Layer::Tar | Layer::Zip | Layer::Foreign => {
            sink.skipped().archives += 1;
            sink.list();
        }
        Layer::Html | Layer::Binary | Layer::Other => {}
    }
}

/// Reads text of JSON or YAML together with other threads.
pub(super) fn read_shared(
    window: &mut Window<'_>,
    hint: &Hint,
    sink: &mut Sink<'_>,
    others: &mut dyn Share,
) {
    window.more();
    let layer = format::of(window.rest()).layer;
    documents(window, hint, sink, Some(others), layer);
}

fn documents(
    window: &mut Window<'_>,
    hint: &Hint,
    sink: &mut Sink<'_>,
    others: Option<&mut dyn Share>,
    layer: Layer,
) {
    if window.rest().starts_with(b"\xef\xbb\xbf") {
        window.advance(3);
    }
    match layer {
        Layer::Yaml => yaml::read(window, hint, sink, others),
        _ => json::read(window, hint, sink, others),
    }
    sink.bytes(window.offset());
    if window.is_one_line() {
        sink.one_line();
    }
}

/// A window can be read from, so that a decoder can stand behind it.
impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.advance(count);
        Ok(count)
    }
}

impl BufRead for Window<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest().is_empty() && !self.more() {
            self.take_failure().map_or(Ok(()), Err)?;
        }
        Ok(self.rest())
    }
    fn consume(&mut self, count: usize) {
        self.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_endings_are_sorted_and_found() {
        assert!(IDLE.is_sorted());
        assert!(is_idle("a/b.PNG") && is_idle("x.log"));
        assert!(!is_idle("pods.json") && !is_idle("dump") && !is_idle("a.log/pods.json"));
    }
}
