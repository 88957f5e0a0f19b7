//! Whom a class is connected with, without asking for every pair of classes.

use super::Network;
use super::class::ClassIx;
use super::entry::Entry;
use super::expr::Truth;
use super::find::Finder;
use super::form::{Action, Direction, Peer, Pods, Ports};
use super::judge::State;
use super::verdict::{End, PortSpec};
use std::ops::ControlFlow;

/// Whom the policies of one end may mean.
enum Meant<'w> {
    /// Anybody: each has to be asked for.
    Anybody,
    /// The pods of some peers, and the nodes if so.
    These(Vec<&'w Pods>, bool),
}

/// The other ends of connections of classes. It keeps what selectors mean from one question to the
/// next.
pub struct Across<'w> {
    network: Network<'w>,
    finder: Finder<'w>,
    /// How many classes were asked for.
    looked: usize,
}

impl<'w> Across<'w> {
    /// Gets ready to ask of a network.
    #[must_use]
    pub fn new(network: Network<'w>) -> Self {
        Self { network, finder: Finder::new(network.tables, network.world), looked: 0 }
    }

    /// How many classes were asked for up to now.
    #[must_use]
    pub const fn looked(&self) -> usize {
        self.looked
    }

    /// One of some classes that reaches a port of a class (`Ingress`), or that a class reaches by
    /// a port (`Egress`): one for which that is sure before one for which it is not, and of these
    /// the first to be found. O(the classes that the rules mean); all of them where rules deny or
    /// cannot be told.
    pub fn best(
        &mut self,
        class: ClassIx,
        direction: Direction,
        port: PortSpec,
        among: &dyn Fn(ClassIx) -> bool,
    ) -> Option<(ClassIx, State)> {
        let network = self.network;
        let mut best: Option<(ClassIx, State)> = None;
        let mut looked = 0;
        let mut ask = |number: u32| {
            let other = ClassIx(number);
            looked += 1;
            if !among(other) {
                return ControlFlow::Continue(());
            }
            let (from, to) = match direction {
                Direction::Ingress => (other, class),
                Direction::Egress => (class, other),
            };
            let state = network.state(End::Class(from), End::Class(to), port);
            if state != State::Denied && best.is_none_or(|(_, known)| state > known) {
                best = Some((other, state));
            }
            if state == State::Allowed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let unread = network.is_unread(class, direction);
        let all = 0..u32::try_from(network.tables.classes.len()).unwrap_or(u32::MAX);
        // What one breaks off the rest need not look at.
        let _ = match meant(network, class, direction, port) {
            Meant::These(peers, nodes) if !unread => {
                let of_nodes = if nodes { network.nodes() } else { 0..0 };
                let mut peers = peers.into_iter();
                peers.try_for_each(|pods| self.finder.visit(pods, &mut ask)).is_continue()
                    && of_nodes.into_iter().try_for_each(ask).is_continue()
            }
            _ => all.into_iter().try_for_each(ask).is_continue(),
        };
        self.looked += looked;
        best
    }
}

/// Whom the policies of one end may mean.
fn meant<'w>(
    network: Network<'w>,
    class: ClassIx,
    direction: Direction,
    port: PortSpec,
) -> Meant<'w> {
    let (tables, switches) = (network.tables, network.switches);
    if network.nodes().contains(&class.0) && tables.of_nodes
        || !network.is_selected(class, direction)
    {
        return Meant::Anybody;
    }
    let on = |e: &&Entry| switches.enforced(e.family) != Truth::No;
    let entries = || network.selecting(class, direction).filter(on);
    // Only what allows, where all else is denied for sure, can be read from the peers.
    let plain = entries().all(|e| {
        e.vague.is_none()
            && switches.enforced(e.family) == Truth::Yes
            && network.rules(e).all(|r| r.action == Action::Allow)
    });
    if !plain || !entries().any(|e| e.isolates == Truth::Yes) {
        return Meant::Anybody;
    }
    let (mut peers, mut nodes) = (Vec::new(), false);
    for rule in entries().flat_map(|e| network.rules(e)) {
        let ports = |one: &Ports| match one {
            Ports::Numbers(of, first, last) => {
                of.is_none_or(|of| of == port.protocol) && (*first..=*last).contains(&port.port)
            }
            Ports::Named(..) => true,
        };
        if rule.ports.as_ref().is_some_and(|list| !list.iter().any(ports)) {
            continue;
        }
        for peer in &rule.peers {
            match peer {
                Peer::Pods(pods) => peers.push(pods),
                // Pods of nodes' networks may still be meant by their nodes' addresses.
                Peer::Block(block)
                    if switches.blocks_match_pods == Truth::No
                        || tables.blocks.get(block) == Some(&Truth::No) =>
                {
                    nodes = true;
                }
                _ => return Meant::Anybody,
            }
        }
    }
    Meant::These(peers, nodes)
}
