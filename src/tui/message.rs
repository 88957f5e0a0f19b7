//! What can happen: everything that a key, a command or the worker asks of the model.

use super::model::Model;
use super::screens::Screen;
use crate::tui::worker::Job;
use std::fmt;

/// Moves the cursor of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Motion {
    Up,
    Down,
    HalfUp,
    HalfDown,
    PageUp,
    PageDown,
    First,
    Last,
    /// To a row, by its place.
    Row(usize),
}

/// Changes a line that is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Edit {
    Left,
    Right,
    Start,
    End,
    Backspace,
    Delete,
    /// The word before the cursor.
    Word,
    /// Everything before the cursor.
    Line,
}

/// What somebody wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Msg {
    /// Move the cursor.
    Move(Motion),
    /// Show a screen.
    Show(Screen),
    /// Show the next screen of the row, or the one before.
    Turn(bool),
    /// Open what is under the cursor.
    Open,
    /// Leave: the prompt, the page over the screen, the filter, the screen.
    Back,
    /// Go on to the next pane, or back to the one before.
    Pane(bool),
    /// Give the pane the whole screen, or take it back.
    Enlarge,
    /// Type a filter.
    Filter,
    /// Type a command.
    Palette,
    /// Take what is typed.
    Accept,
    /// Change what is typed.
    Edit(Edit),
    /// Go through what is offered.
    Offer(bool),
    /// Look at the next of several ways, or at the one before.
    Way(bool),
    /// Pretend that the fact under the cursor is gone, or no longer.
    Mark,
    /// Leave the edge under the cursor out of all paths, or its whole attack.
    Exclude {
        /// The attack, wherever it is used.
        attack: bool,
    },
    /// Leave the node under the cursor out of all paths, with all that folds into it.
    ExcludeNode,
    /// Forget all that is pretended.
    Restore,
    /// Take back the last change.
    Undo,
    /// The node under the cursor is where paths start, or where they end.
    Set {
        /// The end rather than the start.
        end: bool,
    },
    /// Look for paths from the start to the end that were set.
    Find,
    /// Look for paths the other way round.
    Reverse,
    /// Go to what owns the node under the cursor.
    Owner,
    /// Show the evidence under the cursor as it stands in its source.
    Evidence,
    /// Copy the selector of the node under the cursor.
    CopyName,
    /// Copy a command line that shows the same.
    CopyCommand,
    /// Write the view into a file.
    Export(Export),
    /// Show what begins at Kubernetes' own components too, or hide it.
    System,
    /// The next theme.
    Theme,
    /// Letters instead of lines, or lines again.
    Ascii,
    /// Listen to the mouse, or no longer.
    Mouse,
    /// Stop what is being worked on.
    Stop,
    /// Leave the program.
    Quit,
    /// Leave it to the shell for a while.
    Suspend,
}

/// The form in which a view is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the formats' names")]
pub enum Export {
    Dot,
    Svg,
    Markdown,
}

/// What has to be done outside of the model.
pub enum Effect {
    /// Work that takes a while.
    Work(Job),
    /// Stop all work.
    Stop,
    /// Put text where it can be pasted from.
    Copy(String),
    /// Write a file.
    Write {
        /// Its name, in the folder that the program runs in.
        name: String,
        /// What is in it.
        bytes: Vec<u8>,
    },
    /// Listen to the mouse, or no longer.
    Mouse(bool),
    /// Leave the program.
    Quit,
    /// Leave it to the shell.
    Suspend,
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Work(_) => "Work",
            Self::Stop => "Stop",
            Self::Copy(_) => "Copy",
            Self::Write { .. } => "Write",
            Self::Mouse(_) => "Mouse",
            Self::Quit => "Quit",
            Self::Suspend => "Suspend",
        })
    }
}

/// Puts what was found into the model.
pub type Found = Box<dyn FnOnce(&mut Model) -> Vec<Effect> + Send>;
