//! Services as doors: from where their balancers, node ports and external addresses are reached.

use super::balancer::{Wanted, is_public, reaches_public};
use super::exposure::{Door, Entry, Reach, Said, Scope, Sure, Via};
use super::gateway::Fronts;
use super::hosts::Host;
use super::rows::{Selector, ServicePort};
use super::{NodeIx, ObjectId, ServiceIx, World};
use crate::sym::Sym;
use ipnet::IpNet;
use std::collections::BTreeSet;

/// A Service. Fields without a word of their own are those of `ServiceRow`.
#[derive(Debug)]
pub struct Service {
    pub object: ObjectId,
    pub ns: Sym,
    pub name: Sym,
    pub kind: Sym,
    pub selector: Option<Selector>,
    pub ports: Box<[ServicePort]>,
    pub external_ips: Box<[Sym]>,
    /// It has addresses of one family alone: of IPv6, or of IPv4.
    pub v6: Option<bool>,
    pub source_ranges: Box<[Sym]>,
    pub ranges_at: Sym,
    pub balancer: Box<[(Sym, Sym)]>,
    pub has_class: bool,
    pub wanted_ip: (Sym, Sym),
    pub scheme: Option<(Sym, Sym, Wanted)>,
    pub targets_pods: Option<bool>,
    pub node_ports: bool,
    pub keeps_client: bool,
    pub headless: bool,
    pub external_name: Sym,
}

impl World {
    pub(super) fn service_entry(&self, ix: ServiceIx, fronts: &Fronts) -> Option<Entry> {
        let service = &self.services[ix.index()];
        let reach = self.service_reach(ix, fronts)?;
        let backends = (0..service.ports.len()).map(|port| (ix, port, Vec::new())).collect();
        let via = vec![Via::of(reach.scope)];
        Some(Entry::new(Door::Service(ix), reach, backends, via))
    }

    /// The widest way by which a Service's own addresses or ports are reached from outside.
    pub(super) fn service_reach(&self, ix: ServiceIx, fronts: &Fronts) -> Option<Reach> {
        let service = &self.services[ix.index()];
        let is = |kind: &str| self.text(service.kind) == kind;
        // Nodes forward nothing to these (`ShouldSkipService` of kube-proxy).
        if service.headless || is("ExternalName") {
            return None;
        }
        let mut best = None;
        let kind = (service.object, ".spec.type".to_owned(), self.text(service.kind).to_owned());
        if is("LoadBalancer")
            && let Some(reach) = self.load_balancer(service)
        {
            Reach::offer(&mut best, reach.after([kind.clone()]));
        }
        if self.has_node_port(service) {
            match self.node_of(ix, fronts) {
                // A firewall between the internet and the node is not in the snapshot.
                Some(node) => {
                    let reach = Reach::internet(Sure::Possible, 0.5, vec![kind, node]);
                    Reach::offer(&mut best, reach);
                }
                // Whoever asks for node ports alone has something before the nodes, or people in
                // their network. What leads there is not in the snapshot.
                None if is("NodePort") => {
                    let facts = [kind].into_iter().chain(fronts.private.clone()).collect();
                    Reach::offer(&mut best, Reach::internet(Sure::Unknown, 0.2, facts));
                }
                None => {}
            }
        }
        for (i, ip) in service.external_ips.iter().enumerate() {
            let field = format!(".spec.externalIPs[{i}]");
            let facts = vec![(service.object, field, self.text(*ip).to_owned())];
            match is_public(self.text(*ip)) {
                // Whether it leads to a node is not in the snapshot.
                Some(true) => Reach::offer(&mut best, Reach::internet(Sure::Possible, 0.5, facts)),
                Some(false) => Reach::offer(&mut best, Reach::private(Sure::Possible, facts)),
                None => {}
            }
        }
        best
    }

    /// Whether the nodes listen for a Service. A node port that once was given stays although no
    /// new one is asked for.
    fn has_node_port(&self, service: &Service) -> bool {
        match self.text(service.kind) {
            "NodePort" => true,
            "LoadBalancer" => {
                let unserved = service.node_ports && service.balancer.is_empty();
                unserved || service.ports.iter().any(|p| p.node_port != 0)
            }
            _ => false,
        }
    }

    /// A node with a public address that has a Service's port open: any of them, or with
    /// `externalTrafficPolicy: Local` one with an endpoint.
    fn node_of(&self, ix: ServiceIx, fronts: &Fronts) -> Option<Said> {
        let any = fronts.public.clone()?;
        let service = &self.services[ix.index()];
        if !service.keeps_client || service.selector.is_none() {
            return Some(any);
        }
        let mut nodes: BTreeSet<NodeIx> = BTreeSet::new();
        for host in self.behind(ix) {
            match host {
                Host::Pod(pod) if self.is_placed(pod) => nodes.insert(self.pods[pod.index()].node),
                // Where it will run is not said.
                _ => return Some(any),
            };
        }
        nodes.into_iter().find_map(|node| self.public_node(Some(node)))
    }

    /// From where a Service's load balancer is reached. Its address decides before any annotation,
    /// and an annotation before the provider's default.
    fn load_balancer(&self, service: &Service) -> Option<Reach> {
        let told = self.told(service.object, self.balanced(&service.balancer));
        let reach = match told {
            Some((reach, false)) => reach,
            // A name that does not tell.
            Some((reach, true)) => self.asked(service, reach),
            None if !service.balancer.is_empty() => return None,
            None => {
                // A class of its own may have a default of its own.
                let (sure, likelihood) = match service.has_class {
                    true => (Sure::Possible, 0.3),
                    false => (Sure::Likely, 0.5),
                };
                self.asked(service, Reach::internet(sure, likelihood, Vec::new()))
            }
        };
        if reach.scope == Scope::Internet {
            return Some(self.through_ranges(service, reach));
        }
        Some(reach)
    }

    /// What is asked for where nothing that was given tells.
    fn asked(&self, service: &Service, default: Reach) -> Reach {
        let Some((field, value, wanted)) = service.scheme else {
            let (field, wanted) = service.wanted_ip;
            let (field, wanted) = (self.text(field), self.text(wanted));
            let fact = || (service.object, field.to_owned(), wanted.to_owned());
            return match is_public(wanted) {
                Some(true) => Reach::internet(Sure::Likely, 0.8, default.facts).after([fact()]),
                Some(false) => Reach::private(Sure::Likely, default.facts).after([fact()]),
                None => default,
            };
        };
        let fact = (service.object, self.text(field).to_owned(), self.text(value).to_owned());
        let reach = match wanted {
            Wanted::Internal => Reach::private(Sure::Likely, default.facts),
            Wanted::Facing => Reach::internet(Sure::Likely, 0.8, default.facts),
            Wanted::Either => Reach::internet(Sure::Possible, 0.3, default.facts),
        };
        Reach { facts: [reach.facts.clone(), vec![fact]].concat(), ..reach }
    }

    /// What a balancer's source ranges leave of its way to the internet. The node ports behind it
    /// are as open as they were.
    fn through_ranges(&self, service: &Service, reach: Reach) -> Reach {
        let field = self.text(service.ranges_at).to_owned();
        self.narrowed(reach, &service.source_ranges, (service.object, field))
    }

    /// What is left of a way from the internet if only some blocks of addresses are let in, which
    /// stand at a field.
    pub(super) fn narrowed(
        &self,
        mut reach: Reach,
        ranges: &[Sym],
        (object, field): (ObjectId, String),
    ) -> Reach {
        let ranges: Vec<&str> = ranges.iter().map(|r| self.text(*r)).collect();
        let nets: Vec<IpNet> = ranges.iter().filter_map(|r| r.parse().ok()).collect();
        // Two halves let in as much as the whole.
        let whole = IpNet::aggregate(&nets).iter().any(|net| net.prefix_len() == 0);
        if ranges.is_empty() || whole {
            return reach;
        }
        reach.facts.push((object, field, ranges.join(",")));
        if ranges.iter().any(|range| reaches_public(range) != Some(false)) {
            return reach.but(Sure::Possible, 0.2);
        }
        Reach::private(reach.sure, reach.facts)
    }
}
