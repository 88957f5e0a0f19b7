//! The thread that works: it reads the snapshot, then does one job after another, so that keys are
//! answered while it does.
//!
//! A job that a newer one of its topic replaces is not begun, and one that was begun is told to
//! stop; what it found is thrown away.

use super::loaded::Loaded;
use super::message::Found;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a job is about. Of each topic the last one asked for counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the screens' names")]
pub enum Topic {
    Answers,
    Ways,
    Blast,
    Network,
    Access,
    Evidence,
    Export,
}

/// How many topics there are.
const TOPICS: usize = 7;

/// Finds something out.
pub type Work = Box<dyn FnOnce(&Arc<Loaded>, &Stop) -> Found + Send>;

/// Something to be found out.
pub struct Job {
    /// What it is about.
    pub topic: Topic,
    /// What the status line says meanwhile.
    pub doing: &'static str,
    /// The work.
    pub run: Work,
}

/// Tells a job to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    wanted: Arc<[AtomicU64; TOPICS]>,
    topic: usize,
    number: u64,
}

impl Stop {
    /// Whether nobody waits for the job any more. A long job asks now and then.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.wanted.get(self.topic).is_some_and(|n| n.load(Ordering::Relaxed) != self.number)
    }
}

/// What the worker tells.
pub enum News {
    /// How far reading is.
    Reading(String),
    /// The snapshot has been read.
    Loaded(Arc<Loaded>),
    /// It cannot be.
    Failed(String),
    /// A job is done.
    Found(Topic, Found),
    /// A job was stopped.
    Stopped(Topic),
}

/// The other end of the worker.
pub struct Worker {
    jobs: Sender<(Job, Stop)>,
    wanted: Stop,
    /// What it tells.
    pub news: Receiver<News>,
}

/// Reads the snapshot, telling how far it is.
pub type Load = Box<dyn FnOnce(&(dyn Fn(String) + Sync)) -> Result<Loaded, String> + Send>;

impl Worker {
    /// Starts the thread.
    #[must_use]
    pub fn start(load: Load) -> Self {
        let (jobs, todo) = mpsc::channel::<(Job, Stop)>();
        let (tell, news) = mpsc::channel();
        thread::spawn(move || {
            // Nobody listens any more once the program ends.
            let _ = work(load, &todo, &tell);
        });
        Self { jobs, wanted: Stop::default(), news }
    }

    /// Gives it a job, in place of any other of its topic.
    pub fn give(&self, job: Job) {
        let topic = job.topic as usize;
        let number =
            self.wanted.wanted.get(topic).map_or(0, |n| n.fetch_add(1, Ordering::Relaxed) + 1);
        let stop = Stop { topic, number, ..self.wanted.clone() };
        let _ = self.jobs.send((job, stop));
    }

    /// Stops all jobs.
    pub fn stop(&self) {
        for number in self.wanted.wanted.iter() {
            number.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn work(
    load: Load,
    todo: &Receiver<(Job, Stop)>,
    tell: &Sender<News>,
) -> Result<(), mpsc::SendError<News>> {
    let told = Mutex::new(tell.clone());
    let progress = |text: String| {
        if let Ok(tell) = told.lock() {
            let _ = tell.send(News::Reading(text));
        }
    };
    let loaded = match load(&progress) {
        Ok(loaded) => Arc::new(loaded),
        Err(message) => return tell.send(News::Failed(message)),
    };
    tell.send(News::Loaded(Arc::clone(&loaded)))?;
    while let Ok((job, stop)) = todo.recv() {
        let topic = job.topic;
        if stop.asked() {
            tell.send(News::Stopped(topic))?;
            continue;
        }
        let found = (job.run)(&loaded, &stop);
        let news = if stop.asked() { News::Stopped(topic) } else { News::Found(topic, found) };
        tell.send(news)?;
    }
    Ok(())
}
