//! The screens, one file each, and the one table of them.
//!
//! A screen draws itself from the model, answers what keys ask of it, and tells what is under its
//! cursor; what is done with that (to mark it, to explore it, to search from it) is the same
//! everywhere and stands in `update`.

pub mod access;
pub mod blast;
pub mod coverage;
pub mod cuts;
pub mod evidence;
pub mod explorer;
pub mod help;
pub mod network;
pub mod overview;
pub mod paths;

use super::canvas::{Canvas, paragraph, span, wrap};
use super::message::{Effect, Msg};
use super::model::Model;
use super::theme::Theme;
use super::worker::Topic;
use crate::graph::{EdgeId, Fact, NodeId};
use ratatui::layout::Rect;
use ratatui::text::Line;

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each has its own page")]
pub enum Screen {
    Overview,
    Paths,
    Explorer,
    Blast,
    Cuts,
    Network,
    Access,
    Coverage,
    Help,
}

impl Screen {
    /// Every screen, in the order of their numbers.
    pub const ALL: &'static [Self] = &[
        Self::Overview,
        Self::Paths,
        Self::Explorer,
        Self::Blast,
        Self::Cuts,
        Self::Network,
        Self::Access,
        Self::Coverage,
        Self::Help,
    ];

    /// What belongs to it.
    #[must_use]
    pub fn room(self) -> &'static Room {
        match self {
            Self::Overview => &overview::ROOM,
            Self::Paths => &paths::ROOM,
            Self::Explorer => &explorer::ROOM,
            Self::Blast => &blast::ROOM,
            Self::Cuts => &cuts::ROOM,
            Self::Network => &network::ROOM,
            Self::Access => &access::ROOM,
            Self::Coverage => &coverage::ROOM,
            Self::Help => &help::ROOM,
        }
    }
}

/// What belongs to a screen.
pub struct Room {
    /// Its name in the row of screens.
    pub title: &'static str,
    /// How many panes it has.
    pub panes: usize,
    /// Draws it.
    pub view: fn(&Model, &mut Canvas<'_>, Rect),
    /// Answers what is not the same on every screen: to move, to open, to leave, and what only
    /// this screen has.
    pub update: fn(&mut Model, Msg) -> Vec<Effect>,
    /// Gets ready to be shown, or shown anew: the node, the filter, the answers or what is
    /// pretended may have changed.
    pub refresh: fn(&mut Model) -> Vec<Effect>,
    /// What is under the cursor.
    pub under: fn(&Model) -> Under,
    /// The arguments of a command that shows the same as text, after `kspm-graph`.
    pub command: fn(&Model) -> String,
    /// The view as Markdown.
    pub markdown: fn(&Model) -> String,
}

/// What is under the cursor.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Under {
    /// The node.
    pub node: Option<NodeId>,
    /// The edge that leads to it, or from it.
    pub edge: Option<EdgeId>,
    /// The fact.
    pub fact: Option<Fact>,
}

/// What each screen keeps.
#[derive(Default)]
#[expect(missing_docs, reason = "they are the screens' names")]
pub struct States {
    pub overview: overview::State,
    pub paths: paths::State,
    pub explorer: explorer::State,
    pub blast: blast::State,
    pub cuts: cuts::State,
    pub network: network::State,
    pub access: access::State,
    pub coverage: coverage::State,
    pub help: help::State,
}

/// What stands where an answer is waited for; and once it was stopped, what asks again.
#[must_use]
pub fn waiting(model: &Model, topic: Topic, doing: &str, again: &str) -> String {
    if model.busy.iter().any(|(busy, _)| *busy == topic) {
        format!("{doing} ...")
    } else {
        format!("stopped: {again} asks again")
    }
}

/// Says why there is nothing to see.
pub fn empty(buf: &mut Canvas<'_>, area: Rect, text: &str, theme: Theme) {
    let lines: Vec<Line<'_>> = wrap(text, usize::from(area.width).saturating_sub(2))
        .into_iter()
        .map(|line| Line::from(span(format!("  {line}"), theme.dim())))
        .collect();
    paragraph(buf, area, &lines);
}
