//! The walk: what the policies of one end say about a connection.

use super::Network;
use super::address;
use super::class::ClassIx;
use super::entry::Entry;
use super::expr::{Attributes, Expr, Key, Truth};
use super::form::{Action, Direction, Entity, Family, Peer, Ports, Rule};
use super::verdict::PortSpec;
use crate::sym::Sym;
use crate::world::{NodeIx, ObjectId, World};
use ipnet::IpNet;

/// Whether a connection comes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Denied,
    /// It cannot be told.
    Unknown,
    Allowed,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// No policy selects the pod in this direction, or none decides.
    Free,
    /// It uses its node's network: policies do not apply.
    HostNetwork,
    /// It is the node itself, which its pods let in.
    OwnNode,
    /// The pod speaks to itself.
    Itself,
    /// The end is not in the cluster, or is a node: policies of pods do not speak for it.
    NoPod,
    /// It is a node, and policies of nodes are there that are not evaluated.
    NodePolicies,
    /// A rule matches; not surely where `sure` is false, for the reason in
    /// `doubt`.
    Rule { policy: ObjectId, field: Sym, action: Action, sure: bool, doubt: Option<Doubt> },
    /// These policies isolate the pod, and no rule matches.
    Isolated(Vec<(ObjectId, Family)>),
    /// This policy is of a kind that is not evaluated, and may say otherwise.
    Unread(ObjectId),
    /// Whether policies of this family are enforced is not known.
    Enforcement(Family),
    /// Whether a policy isolates the pod is not known, for the reason given.
    Vague(ObjectId, Doubt),
    /// Both ends are on this network too, which the policies are not about: what they connect
    /// over it is not known. It decides nothing.
    Beside(Sym),
}

impl Reason {
    /// The policy that leaves it open, where it is one.
    #[must_use]
    pub const fn open(&self) -> Option<ObjectId> {
        match self {
            Self::Unread(policy) | Self::Vague(policy, _) => Some(*policy),
            _ => None,
        }
    }

    /// Whether it leaves open what becomes of a connection, so that an unknown verdict rests on it.
    #[must_use]
    pub const fn is_unsure(&self) -> bool {
        match self {
            Self::Rule { doubt, .. } => doubt.is_some(),
            Self::OwnNode
            | Self::NodePolicies
            | Self::Unread(_)
            | Self::Enforcement(_)
            | Self::Vague(..) => true,
            Self::Free
            | Self::HostNetwork
            | Self::Itself
            | Self::NoPod
            | Self::Isolated(_)
            | Self::Beside(_) => false,
        }
    }
}

/// Why a rule may match and may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Whether its block of addresses is meant to match pods, or holds this one, is not known.
    Address,
    /// On OpenShift, a label of namespaces that stands for the nodes' network or its routers.
    PolicyGroup,
    /// A selector could not be read in full.
    Selector,
    /// The namespace or the service account was not collected, and so its labels are not known.
    Labels,
    /// Which node it is, or which addresses serve the API, is not known.
    Node,
    /// Another policy stands at the same place: which one is asked first is not defined.
    Tie,
    /// The tier that a policy stands in was not collected.
    Tier,
    /// Nothing is known of the other end.
    Anyone,
    /// In words.
    Said(Sym),
}

/// What one end says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub state: State,
    pub reasons: Vec<Reason>,
}

impl Judgement {
    pub(super) fn allowed(reason: Reason) -> Self {
        Self { state: State::Allowed, reasons: vec![reason] }
    }
}

/// What may come of a walk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct May {
    pub(super) allow: bool,
    pub(super) deny: bool,
}

impl May {
    pub(super) const fn state(self) -> State {
        match self {
            Self { allow: true, deny: false } => State::Allowed,
            Self { allow: true, deny: true } => State::Unknown,
            Self { allow: false, .. } => State::Denied,
        }
    }
}

/// The other end of a connection, as policies see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    Class(ClassIx),
    Node(NodeIx),
    /// Addresses outside the cluster.
    Outside(IpNet),
    /// Some node.
    Nodes,
    /// Whoever.
    Anyone,
}

/// The labels of a node.
struct NodeLabels<'w>(&'w World, NodeIx);

impl Attributes for NodeLabels<'_> {
    fn value(&self, key: Key) -> Option<Sym> {
        let Key::Label(key) = key else { return None };
        let labels = self.0.labels_of(self.0.nodes[self.1.index()].object);
        labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
    }

    /// Every node has labels, whether or not it was collected.
    fn shows(&self, _: Key) -> bool {
        self.0.objects[self.0.nodes[self.1.index()].object.index()].is_present()
    }

    fn text(&self, sym: Sym) -> &str {
        self.0.text(sym)
    }
}

/// One end, one direction, the other end and the port.
#[derive(Clone, Copy)]
pub(super) struct Walk<'n, 'w> {
    pub(super) network: &'n Network<'w>,
    pub(super) class: ClassIx,
    pub(super) direction: Direction,
    pub(super) other: Other,
    pub(super) port: PortSpec,
}

impl<'w> Walk<'_, 'w> {
    pub(super) fn judge(&self) -> Judgement {
        let mut reasons = Vec::new();
        let may = self.walk(&mut |reason| reasons.push(reason()));
        Judgement { state: may.state(), reasons }
    }

    /// Collects what may happen, enforced or not where that is not known.
    pub(super) fn walk(&self, say: &mut dyn FnMut(&dyn Fn() -> Reason)) -> May {
        let switches = self.network.switches;
        let mut doubted: Vec<Family> = Vec::new();
        for family in self.network.selecting(self.class, self.direction).map(|e| e.family) {
            // What is not evaluated leaves all open, enforced or not.
            let doubt = family.is_evaluated() && switches.enforced(family) == Truth::Maybe;
            if doubt && !doubted.contains(&family) {
                doubted.push(family);
            }
        }
        let mut may = self.under(&[], say);
        // At most five families, and as a rule one.
        for some in 1..1_u32 << doubted.len() {
            let off = doubted.iter().enumerate().filter(|(i, _)| some >> i & 1 == 1);
            let off: Vec<Family> = off.map(|(_, family)| *family).collect();
            let other = self.under(&off, &mut |_| {});
            if let (true, Some(family)) = (other != may, off.first()) {
                say(&|| Reason::Enforcement(*family));
            }
            may = May { allow: may.allow || other.allow, deny: may.deny || other.deny };
        }
        may
    }

    /// What may happen if no policy of some families is enforced.
    fn under(&self, off: &[Family], say: &mut dyn FnMut(&dyn Fn() -> Reason)) -> May {
        let world = self.network.world;
        let mut may = May::default();
        let on = |e: &&Entry| {
            !off.contains(&e.family) && self.network.switches.enforced(e.family) != Truth::No
        };
        let entries = || self.network.selecting(self.class, self.direction).filter(on);
        for entry in entries() {
            match entry.unread(world) {
                // It opens nothing, and closes only what leads out.
                Some(true) if matches!(self.other, Other::Class(_)) => {}
                Some(outside) => {
                    may.deny = true;
                    may.allow |= !outside;
                    say(&|| Reason::Unread(entry.policy));
                }
                None => {}
            }
        }
        let mut rest = entries().filter(|e| e.family.is_evaluated()).peekable();
        let mut tier = Vec::new();
        while let Some(first) = rest.next() {
            tier.clear();
            tier.push(first);
            tier.extend(std::iter::from_fn(|| rest.next_if(|e| e.tier == first.tier)));
            if !self.tier(world, &tier, &mut may, say) {
                return may;
            }
        }
        may.allow = true;
        say(&|| Reason::Free);
        may
    }

    /// Walks one tier; whether the next one may be reached.
    fn tier(
        &self,
        world: &'w World,
        tier: &[&Entry],
        may: &mut May,
        say: &mut dyn FnMut(&dyn Fn() -> Reason),
    ) -> bool {
        let mut isolated = Truth::No;
        let mut vague = None;
        let mut passed = false;
        // The policy whose rule surely matched.
        let mut settled: Option<&Entry> = None;
        for entry in tier {
            let unsure = self.unsure(entry);
            let force = if unsure.is_some() { Truth::Maybe } else { Truth::Yes };
            let isolates = force.min(entry.isolates);
            isolated = isolated.max(isolates);
            if let (Truth::Maybe, Some(doubt)) = (isolates, unsure) {
                vague.get_or_insert((entry.policy, doubt));
            }
            // Only what has no order of its own is asked after a rule that surely matches.
            let tie = settled.is_some_and(|first| first.ties(entry, world));
            if settled.is_some() && !tie {
                continue;
            }
            for rule in self.network.rules(entry) {
                let (hit, why) = self.matches(entry, rule);
                let why = unsure.filter(|_| hit != Truth::No).or(why);
                let why = if tie { why.or(Some(Doubt::Tie)) } else { why };
                let hit = hit.min(force);
                if hit == Truth::No {
                    continue;
                }
                match rule.action {
                    Action::Allow => may.allow = true,
                    Action::Deny => may.deny = true,
                    Action::Pass => passed = true,
                }
                say(&|| Reason::Rule {
                    policy: entry.policy,
                    field: rule.field,
                    action: rule.action,
                    sure: hit == Truth::Yes && !tie,
                    doubt: why,
                });
                if hit == Truth::Yes {
                    settled = settled.or(Some(entry));
                    break;
                }
            }
        }
        if settled.is_none() {
            if isolated != Truth::No {
                may.deny = true;
                if let Some((policy, doubt)) = vague.filter(|_| isolated == Truth::Maybe) {
                    say(&|| Reason::Vague(policy, doubt));
                }
                let isolating = tier.iter().filter(|e| e.isolates != Truth::No);
                say(&|| {
                    Reason::Isolated(isolating.clone().map(|e| (e.policy, e.family)).collect())
                });
            }
            passed |= isolated != Truth::Yes;
        }
        passed
    }

    /// What leaves open whether a policy selects the pod.
    fn unsure(&self, entry: &Entry) -> Option<Doubt> {
        let Network { tables, world, .. } = self.network;
        entry.vague.or_else(|| {
            // Only where labels are not shown, the selector is asked again.
            let hidden = tables.hidden
                && entry.by_others
                && tables.holds(world, &entry.pods(world), self.class) == Truth::Maybe;
            hidden.then_some(Doubt::Labels)
        })
    }

    /// Whether a rule matches the other end and the port, and what makes that unsure.
    fn matches(&self, entry: &Entry, rule: &Rule) -> (Truth, Option<Doubt>) {
        let Network { tables, world, .. } = self.network;
        let ports = match &rule.ports {
            None => Truth::Yes,
            Some(list) => list.iter().map(|ports| self.opens(ports)).max().unwrap_or(Truth::No),
        };
        if ports == Truth::No {
            return (Truth::No, None);
        }
        let own = rule.own.as_ref().map_or(Truth::Yes, |own| {
            own.selects(&tables.seen(world, &tables.classes[self.class.index()]))
        });
        if own == Truth::No {
            return (Truth::No, None);
        }
        let (mut peer, mut why) = (Truth::No, None);
        for one in &rule.peers {
            let (truth, doubt) = self.is(entry, one);
            if truth > peer {
                (peer, why) = (truth, doubt);
            }
            if peer == Truth::Yes {
                break;
            }
        }
        let hit = peer.min(own).min(ports);
        match rule.doubt {
            Some(doubt) if hit != Truth::No => (Truth::Maybe, Some(Doubt::Said(doubt))),
            _ if hit == Truth::Maybe => {
                let vague = rule.own.as_ref().is_none_or(Expr::is_vague);
                let own = if vague { Doubt::Selector } else { Doubt::Labels };
                (hit, why.or(Some(own)))
            }
            _ => (hit, None),
        }
    }

    /// Whether the port is one of them, for the pod that is connected to.
    fn opens(&self, ports: &Ports) -> Truth {
        let PortSpec { protocol, port } = self.port;
        Truth::from(match ports {
            Ports::Numbers(of, first, last) => {
                of.is_none_or(|of| of == protocol) && (*first..=*last).contains(&port)
            }
            Ports::Named(of, name) => {
                let to = match (self.direction, self.other) {
                    (Direction::Ingress, _) => self.class,
                    (Direction::Egress, Other::Class(class)) => class,
                    // Nothing outside the cluster's pods has named ports.
                    (Direction::Egress, _) => return Truth::No,
                };
                let named = &self.network.tables.classes[to.index()].ports;
                of.is_none_or(|of| of == protocol)
                    && named
                        .iter()
                        // The first of a name and protocol counts (`FindPort`).
                        .find(|(n, p, _)| n == name && *p == protocol)
                        .is_some_and(|(.., number)| *number == port)
            }
        })
    }

    /// Whether the other end is a peer, and what makes that unsure.
    fn is(&self, entry: &Entry, peer: &Peer) -> (Truth, Option<Doubt>) {
        let Network { tables, world, switches, .. } = self.network;
        let truth = match (peer, self.other) {
            (Peer::Any, _) => Truth::Yes,
            (Peer::Unknown(what, _), Other::Anyone) => {
                return (Truth::Maybe, Some(Doubt::Said(*what)));
            }
            (_, Other::Anyone) => return (Truth::Maybe, Some(Doubt::Anyone)),
            (Peer::Pods(pods), Other::Class(class)) => {
                let truth = tables.holds(world, pods, class);
                let vague = || pods.pods.is_vague() || pods.spaces.is_vague();
                let labels = truth == Truth::Maybe && !vague();
                return (truth, labels.then_some(Doubt::Labels));
            }
            (Peer::Pods(pods), Other::Outside(net)) if entry.family == Family::Calico => {
                tables.in_set(world, pods, &net)
            }
            (Peer::Block(block), Other::Class(_)) => {
                let by_address = match entry.family {
                    Family::Kubernetes => switches.blocks_match_pods,
                    Family::Admin | Family::Cluster | Family::Calico => Truth::Yes,
                    Family::Cilium => Truth::No,
                    Family::Antrea | Family::Aws | Family::Other => Truth::Maybe,
                };
                let holds = tables.blocks.get(block).copied().unwrap_or(Truth::Maybe);
                return (by_address.min(holds), Some(Doubt::Address));
            }
            (Peer::Block(block), Other::Outside(net)) => {
                return (address::within(block, &net), Some(Doubt::Address));
            }
            (Peer::Block(block), Other::Node(_) | Other::Nodes) => {
                // Cilium knows nodes by what they are, unless it is told otherwise.
                let by_address = match entry.family {
                    Family::Kubernetes => switches.blocks_match_nodes,
                    Family::Cilium => switches.cidrs_match_nodes,
                    Family::Antrea | Family::Aws | Family::Other => Truth::Maybe,
                    Family::Admin | Family::Cluster | Family::Calico => Truth::Yes,
                };
                let holds = match self.other {
                    Other::Node(node) => address::node_within(world, block, node),
                    _ => address::nodes_within(world, block),
                };
                return (by_address.min(holds), Some(Doubt::Address));
            }
            (Peer::Nodes(_), Other::Nodes) => return (Truth::Maybe, Some(Doubt::Node)),
            (Peer::Nodes(expr), Other::Node(node)) => {
                return (expr.selects(&NodeLabels(world, node)), Some(Doubt::Node));
            }
            // The namespace of that label has no pods: the plugin puts the nodes into it.
            (Peer::Pods(pods), Other::Node(_) | Other::Nodes) if tables.means_nodes(pods) => {
                return (Truth::Maybe, Some(Doubt::PolicyGroup));
            }
            (Peer::Pods(_) | Peer::Nodes(_), _) => Truth::No,
            (Peer::Entity(entity), other) => {
                return (self.entity(*entity, other), Some(Doubt::Node));
            }
            (Peer::Unknown(_, true), Other::Class(_)) => Truth::No,
            (Peer::Unknown(what, _), _) => return (Truth::Maybe, Some(Doubt::Said(*what))),
        };
        (truth, None)
    }

    fn entity(&self, entity: Entity, other: Other) -> Truth {
        match (entity, other) {
            (Entity::World, Other::Outside(_))
            | (Entity::WorldV4, Other::Outside(IpNet::V4(_)))
            | (Entity::WorldV6, Other::Outside(IpNet::V6(_)))
            | (Entity::Cluster, Other::Class(_) | Other::Node(_) | Other::Nodes) => Truth::Yes,
            // Which node a class of pods is on is not known, nor which nodes serve the API.
            (
                Entity::Host | Entity::RemoteNode | Entity::ApiServer,
                Other::Node(_) | Other::Nodes,
            )
            | (Entity::ApiServer, Other::Outside(_)) => Truth::Maybe,
            _ => Truth::No,
        }
    }
}
