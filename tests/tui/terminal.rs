//! The program before a terminal of its own: it draws, answers keys, and gives the terminal back
//! however it ends.

use super::PLAIN;
use super::clusters::open;
use kspm_graph::tui::screens::Screen;
use kspm_graph::tui::worker::Load;
use kspm_graph::tui::{Model, terminal};
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The other screen is entered and left by these.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";

/// A program on a terminal.
struct Seat {
    child: Child,
    keys: File,
    shown: Receiver<Vec<u8>>,
    reader: Option<JoinHandle<()>>,
    text: String,
}

impl Seat {
    fn new(arguments: &[&str], no_colour: bool) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kspm-graph"));
        command.args(arguments).env_remove("NO_COLOR");
        if no_colour {
            command.env("NO_COLOR", "1");
        }
        Self::start(command, None)
    }

    /// Starts a program; its errors go to the terminal too, or to a file.
    fn start(mut command: Command, errors: Option<File>) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        // Unlike the first ones, copies are closed in programs that are started.
        let (master, slave) = {
            let OpenptyResult { master, slave } = openpty(&size, None).unwrap();
            (master.try_clone().unwrap(), slave.try_clone().unwrap())
        };
        let end = || Stdio::from(slave.try_clone().unwrap());
        let errors = errors.map_or_else(end, Stdio::from);
        command.env("TERM", "xterm-256color").stdin(end()).stdout(end()).stderr(errors);
        let child = command.spawn().unwrap();
        drop(command);
        drop(slave);
        let mut reader = File::from(master.try_clone().unwrap());
        let (tell, shown) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut block) {
                if tell.send(block[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys: File::from(master), shown, reader: Some(reader), text: String::new() }
    }

    /// Waits until something has been shown.
    fn wait_for(&mut self, wanted: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.text.contains(wanted) {
            let left = end.saturating_duration_since(Instant::now());
            let block = self.shown.recv_timeout(left);
            let block = block.unwrap_or_else(|_| panic!("no {wanted:?} in {:?}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&block));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Lets go of the other end of the terminal, as a window that is closed does.
    fn hang_up(&mut self) {
        // What reads it ends once it has something to tell, and nobody to tell it to.
        self.shown = mpsc::channel().1;
        self.press("m");
        self.reader.take().unwrap().join().unwrap();
        // It is back at waiting for keys by then.
        std::thread::sleep(Duration::from_millis(500));
        self.keys = File::open("/dev/null").unwrap();
    }

    /// Waits for the end of the program; its exit code.
    fn end(mut self) -> Option<i32> {
        self.wait_for(LEAVE);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Seat {
    /// A test that fails leaves no program behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn it_draws_answers_keys_and_gives_the_terminal_back() {
    let mut seat = Seat::new(&["tui", "snapshots/leaky-ingress"], false);
    seat.wait_for(ENTER);
    seat.wait_for("[2 Paths]");
    seat.wait_for("cluster-admin");
    // Colours are asked for.
    assert!(seat.text.contains("\x1b[38;5;") || seat.text.contains("\x1b[36m"), "{:?}", seat.text);
    seat.press("8");
    seat.wait_for("[8 Coverage]");
    seat.press("q");
    assert_eq!(seat.end(), Some(0));
}

#[test]
fn without_colour_the_cursor_is_still_seen() {
    let mut seat = Seat::new(&["tui", "--ascii", "snapshots/leaky-ingress"], true);
    seat.wait_for("[2 Paths]");
    seat.wait_for("-> cluster-admin");
    assert!(!seat.text.contains("\x1b[38;") && !seat.text.contains("\x1b[48;"), "{:?}", seat.text);
    // The row under the cursor is turned around.
    assert!(seat.text.contains("\x1b[7m"), "{:?}", seat.text);
    assert!(!seat.text.contains('▶'), "{:?}", seat.text);
    seat.press("q");
    assert_eq!(seat.end(), Some(0));
}

#[test]
fn a_signal_to_end_gives_the_terminal_back() {
    let mut seat = Seat::new(&["tui", "snapshots/leaky-ingress"], false);
    seat.wait_for("[2 Paths]");
    let pid = Pid::from_raw(i32::try_from(seat.child.id()).unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(seat.end(), Some(0));
}

#[test]
fn a_terminal_that_goes_away_ends_it() {
    let mut seat = Seat::new(&["tui", "snapshots/leaky-ingress"], false);
    seat.wait_for("[2 Paths]");
    let pid = Pid::from_raw(i32::try_from(seat.child.id()).unwrap());
    kill(pid, Signal::SIGHUP).unwrap();
    assert_eq!(seat.child.wait().unwrap().code(), Some(129));
}

#[test]
fn a_terminal_that_goes_away_without_a_signal_ends_it() {
    let said = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kspm-graph"));
    command.args(["tui", "snapshots/leaky-ingress"]);
    let mut seat = Seat::start(command, Some(said.reopen().unwrap()));
    // Nothing is drawn after this, and so nothing but the lack of a terminal can end it.
    seat.wait_for("cluster-admin");
    seat.hang_up();
    let end = Instant::now() + Duration::from_secs(30);
    let code = loop {
        match seat.child.try_wait().unwrap() {
            Some(status) => break status.code(),
            None if Instant::now() > end => panic!("it is still there"),
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    assert_eq!(code, Some(129));
    let said = std::fs::read_to_string(said.path()).unwrap();
    assert_eq!(said, "error: the terminal is gone\n");
}

/// Set for the programs of the next tests, which are this one again.
const PANICS: &str = "KSPM_GRAPH_TEST_PANICS";

/// Opens the interface as the program does, and gives it what makes it panic.
fn opened_to_panic(prepare: impl FnOnce(&mut Model), load: Load) {
    if std::env::var_os(PANICS).is_none() {
        return;
    }
    let mut model = Model::new((80, 24), PLAIN);
    model.mouse = true;
    prepare(&mut model);
    let _ = terminal::run(model, load);
}

#[test]
#[ignore = "panics; another test runs it on a terminal"]
fn panics_where_it_draws() {
    // A node that the cluster does not have.
    let far = open(Path::new("snapshots/shop"), None).graph.nodes().last();
    let load = |_: &(dyn Fn(String) + Sync)| Ok(open(Path::new("snapshots/leaky-ingress"), None));
    let prepare = |model: &mut Model| (model.screen, model.node) = (Screen::Explorer, far);
    opened_to_panic(prepare, Box::new(load));
}

#[test]
#[ignore = "panics; another test runs it on a terminal"]
fn panics_where_it_works() {
    opened_to_panic(|_| (), Box::new(|_| panic!("nobody can read this")));
}

#[test]
fn a_panic_gives_the_terminal_back_and_can_be_read() {
    for (test, message) in [
        ("panics_where_it_draws", "index out of bounds"),
        ("panics_where_it_works", "nobody can read this"),
    ] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let name = format!("tui::terminal::{test}");
        command.args([&name, "--exact", "--ignored", "--nocapture"]).env(PANICS, "1");
        let mut seat = Seat::start(command, None);
        seat.wait_for(ENTER);
        seat.wait_for(LEAVE);
        seat.wait_for(message);
        seat.wait_for("test result: ");
        let (on_screen, after) = seat.text.split_once(LEAVE).unwrap();
        assert!(!on_screen.contains("panicked at"), "{test}: {on_screen:?}");
        let at = after.find("panicked at").unwrap_or_else(|| panic!("{test}: {after:?}"));
        // Neither the screen nor the cursor's place changes any more: the message stays.
        let rest = after.get(at..).unwrap();
        assert!(!rest.contains("\x1b[?1049"), "{test}: {rest:?}");
        let last = |what: &str| seat.text.rfind(what);
        assert!(last("\x1b[?25h") > last("\x1b[?25l"), "{test}: the cursor is hidden");
        assert!(last("\x1b[?1000l") > last("\x1b[?1000h"), "{test}: the mouse is listened to");
        let mode = tcgetattr(&seat.keys).unwrap().local_flags;
        assert!(mode.contains(LocalFlags::ICANON | LocalFlags::ECHO), "{test}: {mode:?}");
    }
}

#[test]
fn what_cannot_be_read_is_told_on_the_screen() {
    let mut seat = Seat::new(&["tui", "snapshots/nowhere"], false);
    seat.wait_for("help:");
    seat.press("q");
    assert_eq!(seat.end(), Some(0));
}

#[test]
fn without_a_terminal_it_names_what_prints_the_same() {
    let mut command = assert_cmd::Command::cargo_bin("kspm-graph").unwrap();
    let run = command.args(["tui", "snapshots/leaky-ingress"]).assert().code(2);
    let error = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(error.contains("`tui` needs a terminal"), "{error}");
    assert!(error.contains("help: `kspm-graph analyze snapshots/leaky-ingress`"), "{error}");
}
