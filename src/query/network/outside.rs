//! Who is reached from other namespaces.
//!
//! Pairs of classes are not looked at where one will do: a class that holds nothing back is asked
//! for all that are like it, and whom a policy lets in is read from the policy.

use super::find::Finder;
use super::judge::Judged;
use crate::world::network::{ClassIx, Direction, End, Network, PortSpec, Protocol, State};
use std::collections::BTreeSet;

impl Finder<'_, '_> {
    /// The first classes of two namespaces: one of them is another than any third.
    pub(super) fn of_two(&self, classes: impl Iterator<Item = ClassIx>) -> Vec<ClassIx> {
        let network = self.judge.ground.network;
        let mut found: Vec<ClassIx> = Vec::new();
        for class in classes {
            let of = &network.classes()[class.index()];
            let known = |c: &ClassIx| network.classes()[c.index()].ns == of.ns;
            if of.node.is_none() && !found.iter().any(known) {
                found.push(class);
                if found.len() == 2 {
                    break;
                }
            }
        }
        found
    }

    /// Whether pods of other namespaces reach a class.
    pub(super) fn entered(&mut self, class: ClassIx) -> Judged {
        let network = self.judge.ground.network;
        let ns = network.classes()[class.index()].ns;
        let list = self.ports_of(class);
        let elsewhere = |c: ClassIx| {
            let of = &network.classes()[c.index()];
            of.node.is_none() && of.ns != ns
        };
        let free = self.free.iter().copied().find(|c| elsewhere(*c));
        let doubted = network.switches().meant() != network.switches();
        let any = self.any.iter().copied().find(|c| elsewhere(*c));
        let mut best: Option<(State, ClassIx, PortSpec)> = None;
        for port in list {
            if let Some(free) = free
                && network.state(End::Class(free), End::Class(class), port) == State::Allowed
            {
                best = Some((State::Allowed, free, port));
                break;
            }
            // What is not evaluated, or perhaps not enforced, may let in anybody.
            let may =
                any.map(|other| (network.state(End::Class(other), End::Class(class), port), other));
            if let Some((State::Unknown, other)) = may {
                best = best.or(Some((State::Unknown, other, port)));
                if network.is_unread(class, Direction::Ingress) {
                    break;
                }
            }
            if self.work == 0 {
                let text = "there was too much to look at";
                return best.map_or_else(
                    || Judged::of(State::Unknown, text),
                    |(state, other, port)| self.reached(class, state, other, port),
                );
            }
            let before = self.across.looked();
            let found = self.across.best(class, Direction::Ingress, port, &elsewhere);
            self.work = self.work.saturating_sub((self.across.looked() - before).max(1));
            if let Some((other, mut state)) = found {
                if doubted {
                    state = network.state(End::Class(other), End::Class(class), port);
                }
                if best.is_none_or(|(known, ..)| state > known) {
                    best = Some((state, other, port));
                }
                if state == State::Allowed {
                    break;
                }
            }
        }
        match best {
            Some((state, other, port)) => self.reached(class, state, other, port),
            None => Judged::no(),
        }
    }

    /// A class that another one reaches.
    fn reached(&self, class: ClassIx, state: State, other: ClassIx, port: PortSpec) -> Judged {
        let network = self.judge.ground.network;
        let verdict = network.verdict(End::Class(other), End::Class(class), port);
        let mut judged = match state {
            State::Allowed => self.judge.open(class, Direction::Ingress, &verdict),
            _ => self.judge.told(state, &verdict),
        };
        let world = self.judge.ground.world;
        judged.by = vec![format!("from {}", world.text(network.classes()[other.index()].ns))];
        judged
    }

    /// The ports to ask a class about: those of the question, or those at which the policies of
    /// either end may begin to say something else.
    fn ports_of(&self, class: ClassIx) -> Vec<PortSpec> {
        if !self.question.ports.is_empty() {
            return self.question.ports.clone();
        }
        let network = self.judge.ground.network;
        let to = End::Class(class);
        let mut list: Vec<PortSpec> = borders(network, End::Anyone, to).collect();
        list.extend(&self.sent);
        list.sort_unstable();
        list.dedup();
        list.retain(|port| network.state(End::Anyone, to, *port) != State::Denied);
        list
    }

    /// Where the policies on what is sent begin to say something else, of all classes together.
    pub(super) fn all_sent(&self) -> Vec<PortSpec> {
        let network = self.judge.ground.network;
        let mut all: BTreeSet<PortSpec> = BTreeSet::new();
        for class in (0..network.classes().len()).map(ClassIx::new) {
            all.extend(borders(network, End::Class(class), End::Anyone));
        }
        all.into_iter().collect()
    }
}

/// The ports at which a connection may begin to be treated otherwise.
fn borders(network: Network<'_>, from: End, to: End) -> impl Iterator<Item = PortSpec> {
    [Protocol::Tcp, Protocol::Udp, Protocol::Sctp].into_iter().flat_map(move |protocol| {
        let all = network.borders(from, to, protocol).into_iter();
        // Port 0 is none, and stands for those after it.
        all.map(move |port| PortSpec { protocol, port: port.max(1) })
    })
}
