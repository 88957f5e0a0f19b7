//! The terminal: keys come from it, cells go to it, and it is given back as it was found, after an
//! error, a panic or a signal too.

use super::key::{Code, Key};
use super::message::Effect;
use super::model::Model;
use super::mouse::{click, wheel};
use super::pilot::opened;
use super::update::press;
use super::view::view;
use super::worker::{Load, News, Worker};
use ratatui::crossterm::clipboard::CopyToClipboard;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{
    self, DisableMouseCapture, EnableMouseCapture, Event, KeyCode, KeyEvent, KeyEventKind,
    KeyModifiers, MouseButton, MouseEventKind,
};
use ratatui::crossterm::execute;
use ratatui::{DefaultTerminal, crossterm};
use std::io::{self, stdout};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

/// How often the worker is listened to while no key is pressed.
const TICK: Duration = Duration::from_millis(50);

/// How long a thread that panics may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Runs until somebody leaves.
///
/// # Errors
/// When the terminal cannot be read or written, and when the thread that works panics.
pub fn run(model: Model, load: Load) -> io::Result<()> {
    let given_back = give_back_in_a_panic();
    // The hook that is set here leaves the screen, and goes on to the one that was set before.
    let mut terminal = ratatui::try_init()?;
    if model.mouse {
        execute!(stdout(), EnableMouseCapture)?;
    }
    let ended = signals::ended()?;
    signals::watch();
    let worker = Worker::start(load);
    let running = Running { model, worker, ended, given_back: Arc::clone(&given_back) };
    let result = running.run(&mut terminal);
    if result.is_err() {
        signals::check();
    }
    // To leave the screen twice would move the cursor up, over what the panic said.
    if !given_back.load(Ordering::Relaxed) {
        let _ = execute!(stdout(), DisableMouseCapture);
        ratatui::try_restore()?;
    }
    result
}

/// Has a panic of any thread give back what leaving the screen does not: the mouse and the cursor.
/// What is returned is set by then.
fn give_back_in_a_panic() -> Arc<AtomicBool> {
    let given_back = Arc::new(AtomicBool::new(false));
    let (set, before) = (Arc::clone(&given_back), panic::take_hook());
    panic::set_hook(Box::new(move |about| {
        set.store(true, Ordering::Relaxed);
        let _ = execute!(stdout(), DisableMouseCapture, Show);
        before(about);
    }));
    given_back
}

struct Running {
    model: Model,
    worker: Worker,
    /// Set once the system wants the program to end.
    ended: Arc<AtomicBool>,
    /// Set once a panic has given the terminal back: nothing is drawn any more.
    given_back: Arc<AtomicBool>,
}

impl Running {
    fn run(mut self, terminal: &mut DefaultTerminal) -> io::Result<()> {
        let mut changed = true;
        loop {
            if self.given_back.load(Ordering::Relaxed) {
                // What it says must be out before the program ends.
                while self.worker.news.recv_timeout(LAST_WORDS).is_ok() {}
                return Err(panicked());
            }
            if changed {
                self.draw(terminal)?;
            }
            changed = false;
            // Keys that came while it was drawn are answered together.
            let mut wait = TICK;
            while event::poll(wait)? {
                wait = Duration::ZERO;
                changed = true;
                if !self.event(&event::read()?, terminal)? {
                    return Ok(());
                }
            }
            if self.ended.load(Ordering::Relaxed) {
                return Ok(());
            }
            loop {
                match self.worker.news.try_recv() {
                    Ok(news) => {
                        changed = true;
                        if !self.news(news, terminal)? {
                            return Ok(());
                        }
                    }
                    Err(TryRecvError::Empty) => break,
                    // It has said why it cannot read, or has not come so far.
                    Err(TryRecvError::Disconnected) if self.model.failure.is_none() => {
                        return Err(panicked());
                    }
                    Err(TryRecvError::Disconnected) => break,
                }
            }
        }
    }

    /// Draws the screen anew.
    fn draw(&mut self, terminal: &mut DefaultTerminal) -> io::Result<()> {
        terminal.draw(|frame| {
            let area = frame.area();
            self.model.size = (area.width, area.height);
            if let Some(cursor) = view(&self.model, frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        })?;
        Ok(())
    }

    /// Answers an event; whether to go on.
    fn event(&mut self, event: &Event, terminal: &mut DefaultTerminal) -> io::Result<bool> {
        let effects = match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => match key_of(key) {
                Some(key) => {
                    let table = self.model.keys.clone();
                    press(&mut self.model, &table, key)
                }
                None => Vec::new(),
            },
            Event::Mouse(event) => {
                let (model, at) = (&mut self.model, (event.column, event.row));
                match event.kind {
                    MouseEventKind::ScrollUp => wheel(model, at, false),
                    MouseEventKind::ScrollDown => wheel(model, at, true),
                    MouseEventKind::Down(MouseButton::Left) => click(model, at.0, at.1),
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        };
        self.effects(effects, terminal)
    }

    fn news(&mut self, news: News, terminal: &mut DefaultTerminal) -> io::Result<bool> {
        let model = &mut self.model;
        let effects = match news {
            News::Reading(text) => {
                model.reading = text;
                Vec::new()
            }
            News::Loaded(loaded) => opened(model, loaded),
            News::Failed(message) => {
                model.failure = Some(message);
                Vec::new()
            }
            News::Found(topic, found) => {
                forget(model, topic);
                found(model)
            }
            News::Stopped(topic) => {
                forget(model, topic);
                Vec::new()
            }
        };
        self.effects(effects, terminal)
    }

    fn effects(
        &mut self,
        effects: Vec<Effect>,
        terminal: &mut DefaultTerminal,
    ) -> io::Result<bool> {
        for effect in effects {
            match effect {
                Effect::Work(job) => {
                    self.model.busy.push((job.topic, job.doing));
                    self.worker.give(job);
                }
                Effect::Stop => self.worker.stop(),
                Effect::Copy(text) => execute!(stdout(), CopyToClipboard::to_clipboard_from(text))?,
                Effect::Write { name, bytes } => {
                    if let Err(error) = std::fs::write(&name, bytes) {
                        self.model.status = format!("cannot write `{name}`: {error}");
                    }
                }
                Effect::Mouse(true) => execute!(stdout(), EnableMouseCapture)?,
                Effect::Mouse(false) => execute!(stdout(), DisableMouseCapture)?,
                Effect::Quit => return Ok(false),
                Effect::Suspend => suspend(terminal, self.model.mouse)?,
            }
        }
        Ok(true)
    }
}

fn forget(model: &mut Model, topic: super::worker::Topic) {
    if let Some(place) = model.busy.iter().position(|(busy, _)| *busy == topic) {
        model.busy.remove(place);
    }
}

fn panicked() -> io::Error {
    io::Error::other("the thread that works has panicked")
}

/// Gives the terminal to the shell until it is given back.
fn suspend(terminal: &mut DefaultTerminal, mouse: bool) -> io::Result<()> {
    if mouse {
        execute!(stdout(), DisableMouseCapture)?;
    }
    terminal.show_cursor()?;
    ratatui::try_restore()?;
    signals::suspend()?;
    crossterm::terminal::enable_raw_mode()?;
    execute!(stdout(), crossterm::terminal::EnterAlternateScreen)?;
    if mouse {
        execute!(stdout(), EnableMouseCapture)?;
    }
    terminal.clear()
}

#[cfg(unix)]
mod signals {
    //! What the system and the shell tell a program.

    use signal_hook::consts::{SIGHUP, SIGTERM, SIGTSTP};
    use std::fs::File;
    use std::io::{self, IsTerminal, Write};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::thread;
    use std::time::Duration;

    /// The exit code of a program whose terminal went away, as shells count it.
    const HUNG_UP: i32 = 128 + SIGHUP;

    /// How often it is checked that there still is a terminal.
    const WATCH: Duration = Duration::from_secs(1);

    /// Set once the program shall end.
    pub(super) fn ended() -> io::Result<Arc<AtomicBool>> {
        let ended = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGTERM, Arc::clone(&ended))?;
        // The terminal is gone: there is nothing to give back, and to wait for its keys never ends.
        let gone = Arc::new(AtomicBool::new(true));
        signal_hook::flag::register_conditional_shutdown(SIGHUP, HUNG_UP, gone)?;
        Ok(ended)
    }

    /// Hangs up once the terminal is gone. Mostly a signal tells that; where none does, what waits
    /// for keys reads the end of its input again and again, and never returns.
    pub(super) fn watch() {
        let keys = Keys::open();
        if keys.are_there() {
            thread::spawn(move || {
                while keys.are_there() {
                    thread::sleep(WATCH);
                }
                hang_up();
            });
        }
    }

    /// Where keys come from.
    enum Keys {
        Input(io::Stdin),
        /// If standard input is no terminal.
        Other(File),
    }

    impl Keys {
        fn open() -> Self {
            let input = io::stdin();
            match File::open("/dev/tty") {
                Ok(other) if !input.is_terminal() => Self::Other(other),
                _ => Self::Input(input),
            }
        }

        fn are_there(&self) -> bool {
            match self {
                Self::Input(input) => input.is_terminal(),
                Self::Other(other) => other.is_terminal(),
            }
        }
    }

    /// Ends the program as the signal does, but not without a word: whoever has sent errors
    /// elsewhere can still read it.
    fn hang_up() {
        let _ = writeln!(io::stderr(), "error: the terminal is gone");
        let _ = signal_hook::low_level::raise(SIGHUP);
    }

    /// Hangs up if what is drawn goes nowhere.
    pub(super) fn check() {
        if !io::stdout().is_terminal() {
            hang_up();
        }
    }

    /// Stops until the shell goes on with the program.
    pub(super) fn suspend() -> io::Result<()> {
        signal_hook::low_level::emulate_default_handler(SIGTSTP)
    }
}

#[cfg(not(unix))]
mod signals {
    //! Other systems have no such signals.

    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    pub(super) fn ended() -> io::Result<Arc<AtomicBool>> {
        Ok(Arc::default())
    }

    pub(super) fn watch() {}

    pub(super) fn check() {}

    pub(super) fn suspend() -> io::Result<()> {
        Ok(())
    }
}

fn key_of(event: &KeyEvent) -> Option<Key> {
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        _ => return None,
    };
    Some(Key { code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) })
}
