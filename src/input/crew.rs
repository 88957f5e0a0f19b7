//! Several threads over many sources.
//!
//! One thread leads: it opens sources and unpacks archives, in order, and hands each to whoever is
//! free; when all are busy it reads the source itself. So the queue stays short, nothing waits,
//! and the sources are numbered by the leader alone, whatever the number of threads.

use super::format::Layer;
use super::sink::{Hint, Worker};
use super::window::Window;
use super::{Collect, SourceId, layout, split, text};
use std::io::Read;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};

/// One source to be read.
pub(super) struct Task<'a> {
    pub(super) body: Body<'a>,
    pub(super) name: String,
    pub(super) source: SourceId,
    /// Whether the user named it, so that it is worth a word if it holds nothing.
    pub(super) named: bool,
}

/// Where a source's bytes are.
pub(super) enum Body<'a> {
    Held(Vec<u8>),
    Stream(Box<dyn Read + Send + 'a>),
}

/// The leading thread's part.
pub(super) struct Lead<'a, C> {
    pub(super) worker: Worker<C>,
    queue: Option<SyncSender<Task<'a>>>,
    threads: usize,
    /// The size from which on a file is read by all threads together.
    from: u64,
    make: &'a (dyn Fn() -> C + Sync),
    /// What came out of files that all threads read together.
    shared: Vec<Worker<C>>,
}

/// So many files are read by all threads together; the collectors of more would cost too much.
const SHARED: usize = 8;

impl<'a, C: Collect> Lead<'a, C> {
    /// Has a source read by another thread, or by this one if all are busy.
    pub(super) fn give(&mut self, task: Task<'a>) {
        let task = match &self.queue {
            None => task,
            Some(queue) => match queue.try_send(task) {
                Ok(()) => return,
                Err(TrySendError::Full(task) | TrySendError::Disconnected(task)) => task,
            },
        };
        perform(&mut self.worker, task);
    }

    /// Has all threads read one big stream of JSON or YAML; `false` if that cannot be done.
    pub(super) fn share(&mut self, reader: &mut dyn Read, name: &str, source: SourceId) -> bool {
        let hint = Hint::from(layout::kind_of_path(name));
        let read = split::read(self.threads, self.make, reader, &hint, source);
        read.is_some_and(|workers| {
            self.shared.extend(workers);
            true
        })
    }

    /// Whether text of this size, in this format and below that one, should be read by all threads
    /// together.
    pub(super) fn may_share(&self, size: u64, outer: Layer, inner: Layer) -> bool {
        // What takes longer to read is worth sharing earlier.
        let slow = outer == Layer::Gzip || inner == Layer::Yaml;
        matches!(inner, Layer::Json | Layer::Yaml)
            && size >= if slow { self.from / 8 } else { self.from }
            && self.threads > 1
            && self.shared.len() < SHARED * self.threads
    }
}

/// Runs the leader together with its helpers, all of them on one file from a size on; gives every
/// thread's worker.
pub(super) fn run<'a, C: Collect>(
    threads: usize,
    from: u64,
    make: &'a (dyn Fn() -> C + Sync),
    lead: impl FnOnce(&mut Lead<'a, C>),
) -> Vec<Worker<C>> {
    let mut workers = Vec::with_capacity(threads.max(1));
    let (sender, receiver) = sync_channel(threads.max(1));
    let receiver = &Mutex::new(receiver);
    std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads.max(1))
            .map(|_| scope.spawn(move || help(receiver, Worker::new(make()))))
            .collect();
        let mut leader = Lead {
            worker: Worker::new(make()),
            queue: (!helpers.is_empty()).then_some(sender),
            threads,
            from,
            make,
            shared: Vec::new(),
        };
        lead(&mut leader);
        drop(leader.queue.take());
        workers.push(leader.worker);
        workers.append(&mut leader.shared);
        for helper in helpers {
            workers.push(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
    });
    workers
}

fn help<'a, C: Collect>(tasks: &Mutex<Receiver<Task<'a>>>, mut worker: Worker<C>) -> Worker<C> {
    loop {
        // Whoever holds the lock waits for the next task; the others wait for the lock.
        let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match task {
            Ok(task) => perform(&mut worker, task),
            Err(_) => return worker,
        }
    }
}

fn perform<C: Collect>(worker: &mut Worker<C>, task: Task<'_>) {
    let Task { body, name, source, named } = task;
    match body {
        Body::Held(bytes) => {
            text::read(&mut Window::held(bytes), &name, named, &mut worker.sink(source));
        }
        Body::Stream(mut reader) => stream(worker, &mut reader, &name, source, named),
    }
}

/// Reads a source on this thread, in this thread's buffer.
pub(super) fn stream<C: Collect>(
    worker: &mut Worker<C>,
    reader: &mut dyn Read,
    name: &str,
    source: SourceId,
    named: bool,
) {
    let mut window = Window::new(reader, std::mem::take(&mut worker.buffer));
    text::read(&mut window, name, named, &mut worker.sink(source));
    worker.buffer = window.into_buffer();
}
