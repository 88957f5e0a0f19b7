//! What faces the outside: Services, Ingresses and ports on the node, with how sure that is.
//!
//! Addresses, annotations and source ranges decide; what network policies make of it is asked by
//! who reads the entries, and [`Via`] says whose packets the policies see. A rule's host name is
//! never evidence in either direction.

use super::balancer::{assigned_scope, is_public};
use super::controllers::Controllers;
use super::gateway::{Fronts, RouteIx};
use super::hosts::Host;
use super::istio::VirtualServiceIx;
use super::routers::RouterRouteIx;
use super::{IngressIx, NodeIx, ObjectId, PodIx, ServiceIx, World};
use crate::sym::Sym;

/// What makes an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    Service(ServiceIx),
    Ingress(IngressIx),
    /// A route of Gateway API.
    Route(RouteIx),
    /// A Route of OpenShift.
    Router(RouterRouteIx),
    /// A VirtualService of Istio.
    Mesh(VirtualServiceIx),
    /// A pod's port on its node's address.
    HostPort(PodIx, u16),
}

/// From where an entry is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Only from networks around the cluster: what shuts out the internet is among the facts.
    Private,
    Internet,
}

/// How sure it is that an entry is reached from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sure {
    /// The assigned address is public.
    Certain,
    /// The specification says so; the address is not in the snapshot.
    Likely,
    /// It depends on something that is not in the snapshot: a firewall, a provider's default.
    Possible,
    /// Nothing shows it, and nothing excludes it.
    Unknown,
}

/// Whose packets arrive at the backends of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// The client's, or those of a node that puts its own address in their place.
    Client,
    /// The same, of clients in networks around the cluster.
    Neighbour,
    /// Something that the snapshot does not show passes requests on.
    Hidden,
    /// Balancers of a cloud pass requests on, with addresses beside the cluster's.
    Balancers,
    /// The pods behind a Service do.
    Proxies(ServiceIx),
    /// Pods that no Service leads to do: those of one workload, by one of them.
    Pods(Host),
}

impl Via {
    /// The clients of a scope.
    pub(super) const fn of(scope: Scope) -> Self {
        match scope {
            Scope::Internet => Self::Client,
            Scope::Private => Self::Neighbour,
        }
    }
}

/// A fact before it is evidence: this object says this at this field.
pub type Said = (ObjectId, String, String);

/// From where something is reached, how surely and how likely, and the facts that say so.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) scope: Scope,
    pub(super) sure: Sure,
    pub(super) likelihood: f64,
    pub(super) facts: Vec<Said>,
}

impl Reach {
    pub(super) const fn internet(sure: Sure, likelihood: f64, facts: Vec<Said>) -> Self {
        Self { scope: Scope::Internet, sure, likelihood, facts }
    }

    pub(super) const fn private(sure: Sure, facts: Vec<Said>) -> Self {
        Self { scope: Scope::Private, sure, likelihood: 1.0, facts }
    }

    /// The same with other facts before its own.
    pub(super) fn after(mut self, facts: impl IntoIterator<Item = Said>) -> Self {
        self.facts.splice(0..0, facts);
        self
    }

    /// The same, less sure and less likely.
    pub(super) fn but(mut self, sure: Sure, times: f64) -> Self {
        (self.sure, self.likelihood) = (self.sure.max(sure), self.likelihood * times);
        self
    }

    /// The widest of several ways, and of these the likeliest; with whose packets arrive by those
    /// that are as wide.
    pub(super) fn widest(ways: Vec<(Self, Via)>) -> Option<(Self, Vec<Via>)> {
        let scope = ways.iter().map(|(way, _)| way.scope).max()?;
        let mut best = None;
        let mut via = Vec::new();
        for (way, by) in ways.into_iter().filter(|(way, _)| way.scope == scope) {
            Self::offer(&mut best, way);
            via.push(by);
        }
        via.sort_unstable();
        via.dedup();
        Some((best?, via))
    }

    /// Keeps the wider of two ways, and of these the likelier.
    pub(super) fn offer(best: &mut Option<Self>, other: Self) {
        let better =
            |known: &Self| (other.scope, other.likelihood) > (known.scope, known.likelihood);
        if best.as_ref().is_none_or(better) {
            *best = Some(other);
        }
    }
}

/// An exposed door.
#[derive(Debug)]
pub struct Entry {
    pub door: Door,
    pub scope: Scope,
    pub sure: Sure,
    /// How likely a packet from anywhere in its scope arrives.
    pub likelihood: f64,
    /// The facts that say so: object, field and value. Never empty.
    pub facts: Vec<Said>,
    /// The Service ports behind it, each with the facts that lead there.
    pub backends: Vec<(ServiceIx, usize, Vec<Said>)>,
    /// Whose packets arrive there: alternatives, each once.
    pub via: Vec<Via>,
}

impl Entry {
    pub(super) fn new(
        door: Door,
        reach: Reach,
        backends: Vec<(ServiceIx, usize, Vec<Said>)>,
        via: Vec<Via>,
    ) -> Self {
        let Reach { scope, sure, likelihood, facts } = reach;
        Self { door, scope, sure, likelihood, facts, backends, via }
    }

    pub(super) fn reach(&self) -> Reach {
        let (scope, sure, likelihood) = (self.scope, self.sure, self.likelihood);
        Reach { scope, sure, likelihood, facts: self.facts.clone() }
    }
}

impl World {
    /// Every door to the outside: those that the internet may reach, and those that only networks
    /// around the cluster do. They are looked for at the first call.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        self.doors.get_or_init(|| self.find_entries())
    }

    fn find_entries(&self) -> Vec<Entry> {
        let fronts = Fronts::new(self);
        let mut entries = Vec::new();
        for i in 0..self.services.len() {
            entries.extend(self.service_entry(ServiceIx::new(i), &fronts));
        }
        let services = entries.len();
        let mut controllers = Controllers::new(self, &fronts);
        for i in 0..self.ingresses.len() {
            let entry = self.ingress_entry(IngressIx::new(i), &fronts, &mut controllers);
            entries.extend(entry);
        }
        self.route_entries(&mut entries, &fronts);
        self.router_entries(&mut entries, &fronts);
        self.mesh_entries(services, &mut entries);
        for i in 0..self.pods.len() {
            self.host_ports(PodIx::new(i), &mut entries);
        }
        entries.shrink_to_fit();
        entries
    }

    /// What the addresses and names of a status say, the widest of them; each with its field. Names
    /// that tell nothing count where nothing else tells, and then the other answer is true.
    pub(super) fn told<'t>(
        &self,
        object: ObjectId,
        status: impl Iterator<Item = (String, &'t str, &'t str)>,
    ) -> Option<(Reach, bool)> {
        let (mut told, mut untold) = (None, None);
        for (field, ip, host) in status {
            let value = if ip.is_empty() { host } else { ip };
            let facts = vec![(object, field, value.to_owned())];
            match assigned_scope(ip, host) {
                Some(Scope::Internet) => {
                    Reach::offer(&mut told, Reach::internet(Sure::Certain, 1.0, facts));
                }
                Some(Scope::Private) => {
                    Reach::offer(&mut told, Reach::private(Sure::Certain, facts));
                }
                None if value.is_empty() => {}
                None => Reach::offer(&mut untold, Reach::internet(Sure::Likely, 0.8, facts)),
            }
        }
        told.map(|reach| (reach, false)).or_else(|| untold.map(|reach| (reach, true)))
    }

    /// The addresses of a balancer's status, each with its field.
    pub(super) fn balanced<'w>(
        &'w self,
        balancer: &'w [(Sym, Sym)],
    ) -> impl Iterator<Item = (String, &'w str, &'w str)> {
        balancer.iter().enumerate().map(|(i, (ip, host))| {
            let field = if ip.is_empty() { "hostname" } else { "ip" };
            let at = format!(".status.loadBalancer.ingress[{i}].{field}");
            (at, self.text(*ip), self.text(*host))
        })
    }

    /// A node with a public address, or this one's: the object and the fact.
    pub(super) fn public_node(&self, only: Option<NodeIx>) -> Option<Said> {
        let nodes = match only {
            Some(node) => &self.nodes[node.index()..=node.index()],
            None => &self.nodes[..],
        };
        nodes.iter().find_map(|node| {
            let (i, (_, address)) =
                node.addresses.iter().enumerate().find(|(_, (kind, address))| {
                    matches!(self.text(*kind), "ExternalIP" | "InternalIP")
                        && is_public(self.text(*address)) == Some(true)
                })?;
            let field = format!(".status.addresses[{i}].address");
            Some((node.object, field, self.text(*address).to_owned()))
        })
    }

    /// From where a node's ports are reached.
    pub(super) fn machine_reach(&self, node: NodeIx) -> Option<Reach> {
        if let Some(fact) = self.public_node(Some(node)) {
            // A firewall between the internet and the node is not in the snapshot.
            return Some(Reach::internet(Sure::Possible, 0.5, vec![fact]));
        }
        let row = &self.nodes[node.index()];
        let (_, address) = row.addresses.first()?;
        let field = ".status.addresses[0].address".to_owned();
        let fact = (row.object, field, format!("{}: no public address", self.text(*address)));
        Some(Reach::private(Sure::Certain, vec![fact]))
    }

    /// From where a port of a pod is reached that its machine listens on, at all addresses or at
    /// one; `None` if nothing outside the machine comes there.
    pub(super) fn machine_port_reach(&self, node: NodeIx, ip: Sym, fact: Said) -> Option<Reach> {
        let bound = || (fact.0, format!("{}.hostIP", fact.1), self.text(ip).to_owned());
        let reach = match self.text(ip) {
            "" | "0.0.0.0" | "::" => self.machine_reach(node)?,
            // Nothing outside the machine comes there.
            ip if ip.starts_with("127.") || ip == "::1" => return None,
            ip => match is_public(ip) {
                Some(true) => Reach::internet(Sure::Possible, 0.5, vec![bound()]),
                Some(false) => Reach::private(Sure::Certain, vec![bound()]),
                None => self.machine_reach(node)?,
            },
        };
        Some(reach.after([fact]))
    }

    fn host_ports(&self, ix: PodIx, entries: &mut Vec<Entry>) {
        let pod = &self.pods[ix.index()];
        let spec = &self.specs[pod.spec as usize];
        if !spec.containers.iter().any(|c| c.ports.iter().any(|p| p.host_port != 0))
            || !self.is_running(ix)
        {
            return;
        }
        if self.nodes[pod.node.index()].addresses.is_empty() {
            return;
        }
        for container in spec.containers.iter().filter(|c| c.keeps_running()) {
            for port in container.ports.iter().filter(|p| p.host_port != 0) {
                let at = format!("{}.ports[{}]", container.field(), port.place);
                let fact = (pod.object, at, port.host_port.to_string());
                let door = Door::HostPort(ix, port.host_port);
                let own = self.machine_port_reach(pod.node, port.host_ip, fact);
                let Some(reach) = own else { continue };
                let via = vec![Via::of(reach.scope)];
                entries.push(Entry::new(door, reach, Vec::new(), via));
            }
        }
    }
}
