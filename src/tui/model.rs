//! Everything that is shown, as plain data: no terminal, no thread, no lock.

use super::keymap::Keys;
use super::list::List;
use super::loaded::{Changes, Loaded, Places};
use super::prompt::Prompt;
use super::screens::{self, Screen};
use super::theme::Theme;
use super::worker::Topic;
use crate::graph::{Fact, Graph, NodeId};
use crate::query::gate::Gate;
use crate::query::{Asked, spell};
use std::sync::Arc;

/// The smallest terminal that the screens are made for.
pub const LEAST: (u16, u16) = (40, 10);

/// The whole state.
pub struct Model {
    /// The snapshot, once it has been read.
    pub loaded: Option<Arc<Loaded>>,
    /// Where the nodes of its objects are.
    pub places: Places,
    /// How far reading is, until then.
    pub reading: String,
    /// Why it cannot be read.
    pub failure: Option<String>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// How things look.
    pub theme: Theme,
    /// Whether the mouse is listened to.
    pub mouse: bool,
    /// What is shown.
    pub screen: Screen,
    /// The pane that keys move in: 0 is the left one.
    pub pane: usize,
    /// Whether that pane has the whole screen.
    pub enlarged: bool,
    /// Where Back leads, the last place last.
    pub trail: Vec<Place>,
    /// The node that Explorer, Blast and Network look at.
    pub node: Option<NodeId>,
    /// Where paths shall start and end.
    pub ends: (Option<NodeId>, Option<NodeId>),
    /// The line being typed.
    pub prompt: Option<Prompt>,
    /// Commands that were typed, the last one last.
    pub typed: Vec<String>,
    /// The filter of each screen, in the order of [`Screen::ALL`].
    pub filters: Vec<String>,
    /// The keys, with the user's own.
    pub keys: Keys,
    /// What has to be said, in the last line but one.
    pub status: String,
    /// What is being worked on.
    pub busy: Vec<(Topic, &'static str)>,
    /// What is pretended.
    pub changes: Changes,
    /// What was pretended before, the last state last.
    pub undo: Vec<Changes>,
    /// All answers, while nothing is pretended and as things are pretended to be.
    pub all: [Arc<Asked>; 2],
    /// Whether answers that begin at Kubernetes' own components are shown too.
    pub system: bool,
    /// The answers that are shown while nothing is pretended.
    pub before: Arc<Asked>,
    /// The answers that are shown, as things are pretended to be.
    pub asked: Arc<Asked>,
    /// Whether there are answers yet.
    pub answered: bool,
    /// What fails a build, as `--fail-on` says it.
    pub gates: Vec<Gate>,
    /// The page over the screen.
    pub page: Option<screens::evidence::Page>,
    /// What each screen keeps.
    pub on: screens::States,
}

/// A place to come back to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The screen.
    pub screen: Screen,
    /// The node that it looked at.
    pub node: Option<NodeId>,
    /// The pane.
    pub pane: usize,
    /// Its cursors in Explorer.
    pub lists: [List; 2],
}

impl Model {
    /// The state before anything has been read.
    #[must_use]
    pub fn new(size: (u16, u16), theme: Theme) -> Self {
        Self {
            loaded: None,
            places: Places::default(),
            reading: "reading".to_owned(),
            failure: None,
            size,
            theme,
            mouse: false,
            screen: Screen::Paths,
            pane: 0,
            enlarged: false,
            trail: Vec::new(),
            node: None,
            ends: (None, None),
            prompt: None,
            typed: Vec::new(),
            filters: vec![String::new(); Screen::ALL.len()],
            keys: Keys::default(),
            status: String::new(),
            busy: Vec::new(),
            changes: Changes::default(),
            undo: Vec::new(),
            all: Default::default(),
            system: false,
            before: Arc::default(),
            asked: Arc::default(),
            answered: false,
            gates: Vec::new(),
            page: None,
            on: screens::States::default(),
        }
    }

    /// The graph, once there is one.
    #[must_use]
    pub fn graph(&self) -> Option<&Graph> {
        self.loaded.as_deref().map(|loaded| &loaded.graph)
    }

    /// The filter of the screen that is shown.
    #[must_use]
    pub fn filter(&self) -> &str {
        self.filters.get(self.screen as usize).map_or("", String::as_str)
    }

    /// How many rows of a list are seen at once, about: what a page is.
    #[must_use]
    pub fn page_rows(&self) -> usize {
        usize::from(self.size.1).saturating_sub(6).max(1)
    }

    /// Where it is now.
    #[must_use]
    pub fn place(&self) -> Place {
        let lists = self.on.explorer.lists;
        Place { screen: self.screen, node: self.node, pane: self.pane, lists }
    }

    /// The selector of a node.
    #[must_use]
    pub fn spelled(&self, node: NodeId) -> String {
        self.graph().map_or_else(String::new, |graph| spell(graph, node))
    }

    /// The node of the object that a fact is of, if it is one.
    #[must_use]
    pub fn node_of(&self, fact: Fact) -> Option<NodeId> {
        self.places.node_of(self.graph()?, fact.object)
    }

    /// The snapshots, as commands that take several have them.
    #[must_use]
    pub fn inputs(&self) -> String {
        self.joined(" ")
    }

    /// The snapshots, as commands that take one have them, and further ones by a flag.
    #[must_use]
    pub fn input(&self) -> String {
        self.joined(" --with ")
    }

    fn joined(&self, between: &str) -> String {
        let inputs = self.loaded.as_ref().map_or(&[][..], |l| &l.snapshot.inputs);
        inputs.iter().map(|i| quote(i)).collect::<Vec<_>>().join(between)
    }
}

/// A word as a shell takes it.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_survive_a_shell() {
        assert_eq!(super::quote("sa/shop/web"), "sa/shop/web");
        assert_eq!(super::quote("kind:pod ns:shop"), "'kind:pod ns:shop'");
        assert_eq!(super::quote("a'b$(c)"), "'a'\\''b$(c)'");
    }
}
