//! The program before a terminal of its own: it draws, answers keys, and gives the terminal back
//! however it ends.

use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// The other screen is entered and left by these.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";

/// A program on a terminal.
struct Seat {
    child: Child,
    keys: File,
    shown: Receiver<Vec<u8>>,
    text: String,
}

impl Seat {
    fn new(arguments: &[&str], no_colour: bool) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(&size, None).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_kspm-graph"));
        command.args(arguments).env("TERM", "xterm-256color").env_remove("NO_COLOR");
        if no_colour {
            command.env("NO_COLOR", "1");
        }
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        drop(slave);
        let mut reader = File::from(master.try_clone().unwrap());
        let (tell, shown) = mpsc::channel();
        std::thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut block) {
                if tell.send(block[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys: File::from(master), shown, text: String::new() }
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
