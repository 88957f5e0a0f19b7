//! Which workloads stand behind a door to the internet.

use super::find::Finder;
use super::judge::Judged;
use crate::query::reach::doors::LEFT_OPEN;
use crate::world::exposure::Scope;
use crate::world::network::State;
use std::collections::BTreeMap;

/// How many doors of a workload are named.
const DOORS: usize = 3;

impl Finder<'_, '_> {
    /// The workloads behind the internet's doors, with the doors.
    pub(super) fn doors(&mut self) -> BTreeMap<u32, Judged> {
        let mut found: BTreeMap<u32, Judged> = BTreeMap::new();
        let all = self.judge.ground.exposed(false).into_iter();
        for door in all.filter(|door| door.scope == Scope::Internet) {
            let sure = matches!(door.confidence, "certain" | "likely");
            let (state, reason) = match (door.state, sure, door.reason) {
                (State::Allowed, true, _) => {
                    (State::Allowed, "the internet comes to its door".to_owned())
                }
                (_, _, Some(reason)) if reason == LEFT_OPEN => {
                    let text = "whether policies close it to its door is not known";
                    (State::Unknown, text.to_owned())
                }
                (_, _, Some(reason)) => (State::Unknown, reason),
                _ => {
                    let text = "what stands before its door is not shown";
                    (State::Unknown, text.to_owned())
                }
            };
            let one =
                Judged { by: vec![format!("by {}", door.entry)], ..Judged::of(state, &reason) };
            match found.get_mut(&door.group) {
                Some(known) if known.state == state => {
                    if known.by.len() < DOORS && !known.by.contains(&one.by[0]) {
                        known.by.extend(one.by);
                    }
                }
                Some(known) if known.state > state => {}
                _ => drop(found.insert(door.group, one)),
            }
        }
        found
    }
}
