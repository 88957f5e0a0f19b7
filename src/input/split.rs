//! One big list, read by several threads.
//!
//! Where an item of YAML begins, its line tells. In JSON it cannot be known without parsing what stands before it, but it
//! can be guessed. The leading thread cuts its blocks where an item seems to begin and has each
//! chunk parsed by whoever is free. A chunk that turns out to be whole items, first byte to last,
//! proves that the next one begins with an item as well; the first begins with one by itself. So
//! if every chunk is whole, every guess was right. If one is not, everything that came out of the
//! file is thrown away, and the file is read again in one piece. Files that fool the guess are
//! rare, and cost time only.

use super::json;
use super::sink::{Hint, Sink, Worker};
use super::window::{BLOCK, LIMIT, Part, Window};
use super::{Collect, SourceId, text, yaml};
use memchr::memmem;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};

/// Other threads that parse a part of a list.
pub(super) trait Share {
    /// Takes items of JSON from where the window stands, which is before one of a list or the
    /// comma before it, and leaves it before another or at the list's end.
    fn share(&mut self, window: &mut Window<'_>, hint: &Hint, sink: &mut Sink<'_>);

    /// Takes the next `count` bytes, which are items of YAML whose dashes stand in one column.
    fn give(
        &mut self,
        window: &mut Window<'_>,
        count: usize,
        column: usize,
        hint: &Hint,
        sink: &mut Sink<'_>,
    );
}

/// Reads a stream of JSON or YAML with several threads; nothing if a guess was wrong.
pub(super) fn read<C: Collect>(
    threads: usize,
    make: &(dyn Fn() -> C + Sync),
    reader: &mut dyn Read,
    hint: &Hint,
    source: SourceId,
) -> Option<Vec<Worker<C>>> {
    read_blocks(threads, make, reader, hint, source, BLOCK)
}

/// The same with blocks of another size.
pub(super) fn read_blocks<C: Collect>(
    threads: usize,
    make: &(dyn Fn() -> C + Sync),
    reader: &mut dyn Read,
    hint: &Hint,
    source: SourceId,
    block: usize,
) -> Option<Vec<Worker<C>>> {
    let pool = Pool::default();
    let (queue, chunks) = sync_channel(threads);
    let chunks = Mutex::new(chunks);
    let mut workers: Vec<Worker<C>> = (0..threads.max(1)).map(|_| Worker::new(make())).collect();
    // The threads that derive later on: the room that reading leaves free is theirs to use, while
    // that of a thread which has ended is nobody's. Should none of them be free, the leader parses
    // everything.
    rayon::in_place_scope(|scope| {
        let Some((leader, helpers)) = workers.split_first_mut() else { return };
        for helper in helpers {
            scope.spawn(|_| help(&chunks, &pool, helper, source));
        }
        let mut window = Window::with_sizes(reader, Vec::new(), block, LIMIT);
        let mut cutter = Cutter { queue, pool: &pool };
        leader.sink(source).whole(|sink| {
            text::read_shared(&mut window, hint, sink, &mut cutter);
        });
    });
    (!pool.failed()).then_some(workers)
}

/// What the threads share.
#[derive(Default)]
struct Pool {
    failed: AtomicBool,
    /// Buffers of chunks that were parsed.
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn buffer(&self) -> Vec<u8> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Parses a chunk and keeps its buffer.
    fn parse(&self, chunk: Chunk, sink: &mut Sink<'_>) {
        let mut window = Window::part(chunk.part);
        let whole = match chunk.column {
            None => json::read_items(&mut window, &chunk.hint, sink),
            Some(column) => yaml::read_items(&mut window, column, &chunk.hint, sink),
        };
        if !whole {
            self.failed.store(true, Ordering::Relaxed);
        }
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(window.into_buffer());
    }
}

/// A part of a list that should hold whole items.
struct Chunk {
    part: Part,
    hint: Hint,
    /// Where the dashes stand, if it is YAML.
    column: Option<usize>,
}

fn help<C: Collect>(
    chunks: &Mutex<Receiver<Chunk>>,
    pool: &Pool,
    worker: &mut Worker<C>,
    source: SourceId,
) {
    loop {
        let chunk = chunks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match chunk {
            Ok(chunk) => pool.parse(chunk, &mut worker.sink(source)),
            Err(_) => return,
        }
    }
}

/// The leading thread's way to the others.
struct Cutter<'p> {
    queue: SyncSender<Chunk>,
    pool: &'p Pool,
}

impl Share for Cutter<'_> {
    /// Has the items that lie ahead parsed, as far as borders are found.
    fn share(&mut self, window: &mut Window<'_>, hint: &Hint, sink: &mut Sink<'_>) {
        let Some(style) = Style::of(window) else { return };
        loop {
            if self.pool.failed() {
                window.abandon();
                return;
            }
            if !window.more() || window.ended() {
                return;
            }
            let Some(border) = style.last(window.rest()) else { return };
            let part = window.split(border, self.pool.buffer());
            self.send(Chunk { part, hint: hint.clone(), column: None }, sink);
        }
    }

    fn give(
        &mut self,
        window: &mut Window<'_>,
        count: usize,
        column: usize,
        hint: &Hint,
        sink: &mut Sink<'_>,
    ) {
        let part = window.split(count, self.pool.buffer());
        self.send(Chunk { part, hint: hint.clone(), column: Some(column) }, sink);
        if self.pool.failed() {
            window.abandon();
        }
    }
}

impl Cutter<'_> {
    /// Has a chunk parsed by another thread, or by this one if all are busy.
    fn send(&self, chunk: Chunk, sink: &mut Sink<'_>) {
        match self.queue.try_send(chunk) {
            Ok(()) => {}
            Err(TrySendError::Full(chunk) | TrySendError::Disconnected(chunk)) => {
                self.pool.parse(chunk, sink);
            }
        }
    }
}

/// How the items of a list begin.
struct Style {
    /// What stands between two items, and the first key of the second.
    begin: Vec<u8>,
    /// How much of that stands before the item.
    before: usize,
    /// Whether items stand on lines of their own, where the indentation tells them from all else.
    lines: bool,
}

/// No first key, and no indentation, is longer than this.
const KEY: usize = 256;

impl Style {
    /// The style of the item that the window stands before.
    fn of(window: &mut Window<'_>) -> Option<Self> {
        window.byte(KEY);
        let head = window.rest();
        let head = head.strip_prefix(b",").unwrap_or(head);
        let blank = head.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let space = head.get(..blank)?;
        let item = head.get(blank..)?;
        let lines = space.contains(&b'\n') && space.last() == Some(&b' ');
        if lines {
            // Nothing else is indented like this.
            return item.starts_with(b"{").then(|| Self {
                begin: [space, b"{"].concat(),
                before: blank,
                lines,
            });
        }
        let colon = memchr::memchr(b':', item.strip_prefix(b"{")?.get(..KEY)?)? + 1;
        Some(Self { begin: item.get(..=colon)?.to_owned(), before: 0, lines })
    }

    /// Where the last item in the text seems to begin.
    fn last(&self, text: &[u8]) -> Option<usize> {
        let mut end = text.len();
        // What is nested looks like an item now and then, but not all the time.
        for _ in 0..64 {
            let found = memmem::rfind(text.get(..end)?, &self.begin)?;
            let item = found + self.before;
            let above = text.get(..found)?.trim_ascii_end();
            let follows = above.strip_suffix(b",").is_some_and(|above| above.ends_with(b"}"));
            if follows && (self.lines || is_item(text.get(item..)?)) {
                return Some(item);
            }
            end = found;
        }
        None
    }
}

/// Whether compact text that begins an object with `apiVersion` or `metadata` goes on as an item
/// does, and not as an owner reference or a managed field.
fn is_item(text: &[u8]) -> bool {
    const ITEM: &[&str] = &[
        "aggregationRule",
        "automountServiceAccountToken",
        "data",
        "imagePullSecrets",
        "immutable",
        "metadata",
        "roleRef",
        "rules",
        "secrets",
        "spec",
        "status",
        "webhooks",
    ];
    let Some(text) = text.get(..KEY.min(text.len())) else { return false };
    let mut words = text.split(|b| *b == b'"').skip(1).step_by(2);
    // Values of text stand between the keys.
    let (first, second, third) = (words.next(), words.nth(1), words.nth(1));
    let next = match (first, second) {
        (Some(b"metadata"), _) => return true,
        // `addressType`: only items have something before these.
        (Some(key), Some(b"apiVersion")) if key != b"kind" => return true,
        (Some(b"apiVersion"), Some(b"kind")) | (Some(b"kind"), Some(b"apiVersion")) => third,
        (Some(b"apiVersion"), other) => other,
        _ => return false,
    };
    next.is_some_and(|key| ITEM.iter().any(|item| item.as_bytes() == key))
}
