//! Where the containers of a pod stand in their lives, as far as the kubelet has said.
//!
//! A runtime starts a process in a container that runs and in no other, so what has ended for good
//! is nobody's to enter. Of most pods nothing is to be kept: whatever no status speaks of runs.

use super::pods::{Container, List};

/// Which containers of a pod have ended for good, one bit each, and whether any has come up yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct States(u64);

/// Where each list's bits begin, and how many it has. Places beyond count as running.
const fn room(list: List) -> (u16, u16) {
    match list {
        List::Main => (0, 32),
        List::Init => (32, 16),
        List::Ephemeral => (48, 15),
    }
}

const HELD_UP: u64 = 1 << 63;

const fn bit(list: List, place: u16) -> u64 {
    let (start, length) = room(list);
    if place < length { 1 << (start + place) } else { 0 }
}

impl States {
    /// How many containers of a list it tells apart.
    #[must_use]
    pub fn length(list: List) -> usize {
        usize::from(room(list).1)
    }

    /// Says that a container has ended for good.
    pub const fn end(&mut self, list: List, place: u16) {
        self.0 |= bit(list, place);
    }

    /// Says that the pod's containers wait for something that need not come.
    pub const fn hold_up(&mut self) {
        self.0 |= HELD_UP;
    }

    /// Whether a container has ended, and neither its policy nor the pod starts it anew.
    #[must_use]
    pub const fn has_ended(self, container: &Container) -> bool {
        self.0 & bit(container.list, container.place) != 0
    }

    /// Whether none of the pod's containers runs, and what keeps them from it (an image that cannot
    /// be pulled, a Secret that is missing) may last.
    #[must_use]
    pub const fn is_held_up(self) -> bool {
        self.0 & HELD_UP != 0
    }
}
