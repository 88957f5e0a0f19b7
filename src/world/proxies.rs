//! Pods that pass requests on: which of them belong together, which Services lead to them, and from
//! where they are reached.
//!
//! Whoever reaches such a pod by any of its Services, or by a port of its machine, reaches all that
//! it serves: an internal address in a status says nothing of a public Service beside it.

use super::exposure::{Reach, Sure, Via};
use super::gateway::Fronts;
use super::hosts::Host;
use super::rows::ServicePort;
use super::{PodIx, ServiceIx, World};
use crate::sym::Sym;
use std::collections::BTreeSet;

/// Words in the names of ports that serve those who watch a proxy, and not its clients.
const ASIDE: &[&str] =
    &["metric", "prometheus", "webhook", "admin", "status", "health", "stats", "dashboard"];

/// The pods that pass requests on, and what leads to them.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    /// The Services that lead to their ports for clients.
    pub(super) services: Vec<ServiceIx>,
    /// The widest way to them; `None` where nothing shows one.
    pub(super) reach: Option<Reach>,
    /// By what they are known.
    pub(super) via: Via,
}

/// A way that something shows comes before one that nothing does; then the widest.
fn rank(reach: &Reach) -> (bool, super::exposure::Scope, f64) {
    (reach.sure != Sure::Unknown, reach.scope, reach.likelihood)
}

impl World {
    /// What runs as something else does: the running pods of its workload, or itself.
    #[must_use]
    pub fn alike(&self, host: Host) -> Vec<Host> {
        let Host::Pod(ix) = host else { return vec![host] };
        let Some(workload) = self.pods[ix.index()].workload else { return vec![host] };
        let pods = self.pods_of(self.pods[ix.index()].ns).map(PodIx::new);
        let same =
            pods.filter(|p| self.pods[p.index()].workload == Some(workload) && self.is_running(*p));
        same.map(Host::Pod).collect()
    }

    /// The Services of a namespace.
    fn services_of(&self, ns: Sym) -> impl Iterator<Item = ServiceIx> + use<> {
        let first = self.services.partition_point(|s| s.ns < ns);
        (first..self.services.partition_point(|s| s.ns <= ns)).map(ServiceIx::new)
    }

    /// Whether a Service's port is one for clients.
    pub(super) fn is_for_clients(&self, port: &ServicePort) -> bool {
        let name = self.text(port.name).to_ascii_lowercase();
        !ASIDE.iter().any(|word| name.contains(word))
    }

    /// The labels of what runs, by number.
    pub(super) fn labels_number(&self, host: Host) -> u32 {
        match host {
            Host::Pod(pod) => self.objects[self.pods[pod.index()].object.index()].labels,
            Host::Template(workload) => self.workloads[workload.index()].template_labels,
        }
    }

    /// The Services that lead to some of these, which are of one namespace, by a port that counts.
    fn services_before(
        &self,
        hosts: &[Host],
        counts: impl Fn(&ServicePort) -> bool,
    ) -> Vec<ServiceIx> {
        let Some((_, ns)) = hosts.first().map(|host| self.host_object(*host)) else {
            return Vec::new();
        };
        let labels: BTreeSet<u32> = hosts.iter().map(|host| self.labels_number(*host)).collect();
        let hosts: BTreeSet<Host> = hosts.iter().copied().collect();
        let leads = |ix: &ServiceIx| {
            let service = &self.services[ix.index()];
            let selects = |n: &u32| match (self.labels.get(*n as usize), service.selector.as_ref())
            {
                (Some(labels), Some(selector)) => selector.selects(labels),
                _ => false,
            };
            labels.iter().any(selects)
                && service.ports.iter().enumerate().any(|(port, of)| {
                    counts(of) && self.endpoints(*ix, port).iter().any(|e| hosts.contains(&e.host))
                })
        };
        self.services_of(ns).filter(leads).collect()
    }

    /// The pods of one workload that pass requests on.
    pub(super) fn pass(&self, hosts: &[Host], fronts: &Fronts) -> Option<Pass> {
        let services = self.services_before(hosts, |port| self.is_for_clients(port));
        self.passing(*hosts.first()?, hosts, services, fronts)
    }

    /// The pods behind a Service that pass requests on, with all other Services that lead to the
    /// same ports of theirs. `counts` tells the ports of the Service that are meant.
    pub(super) fn pass_behind(
        &self,
        service: ServiceIx,
        counts: impl Fn(&ServicePort) -> bool,
        fronts: &Fronts,
    ) -> Option<Pass> {
        let of = &self.services[service.index()];
        let meant: Vec<usize> = (0..of.ports.len()).filter(|p| counts(&of.ports[*p])).collect();
        let meant = if meant.is_empty() { (0..of.ports.len()).collect() } else { meant };
        let mut hosts: BTreeSet<Host> = BTreeSet::new();
        let mut targets: BTreeSet<u16> = BTreeSet::new();
        for port in meant {
            for end in self.endpoints(service, port) {
                targets.extend(end.numbers(self));
                hosts.insert(end.host);
            }
        }
        let hosts: Vec<Host> = hosts.into_iter().collect();
        let Some(first) = hosts.first().copied() else {
            let reach = self.service_reach(service, fronts);
            return Some(Pass { services: vec![service], reach, via: Via::Proxies(service) });
        };
        let mut services = self.services_before(&hosts, |port| {
            self.port_numbers(first, port).iter().any(|n| targets.contains(n))
        });
        // The one that is meant comes first, and so before others as wide.
        services.retain(|ix| *ix != service);
        services.insert(0, service);
        self.passing(first, &hosts, services, fronts)
    }

    fn passing(
        &self,
        first: Host,
        hosts: &[Host],
        services: Vec<ServiceIx>,
        fronts: &Fronts,
    ) -> Option<Pass> {
        let own = services.first().map_or(Via::Pods(first), |ix| Via::Proxies(*ix));
        let mut best: Option<(Reach, Via)> = None;
        let mut offer = |reach: Reach, via: Via| {
            if best.as_ref().is_none_or(|(known, _)| rank(&reach) > rank(known)) {
                best = Some((reach, via));
            }
        };
        for ix in &services {
            if let Some(reach) = self.service_reach(*ix, fronts) {
                offer(reach, Via::Proxies(*ix));
            }
        }
        for host in hosts {
            if let Some(reach) = self.machine_ports_reach(*host) {
                offer(reach, own);
            }
        }
        let (reach, via) = best.map_or((None, own), |(reach, via)| (Some(reach), via));
        Some(Pass { services, reach, via })
    }

    /// From where the ports of a pod are reached on its machine's addresses.
    pub(super) fn machine_ports_reach(&self, host: Host) -> Option<Reach> {
        let Host::Pod(pod) = host else { return None };
        let pod = &self.pods[pod.index()];
        let spec = self.host_spec(host);
        let mut best: Option<Reach> = None;
        let mut declares = false;
        for container in spec.containers.iter().filter(|c| c.keeps_running()) {
            for port in container.ports.iter().filter(|p| p.host_port != 0) {
                declares = true;
                if ASIDE.iter().any(|word| self.text(port.name).contains(word)) {
                    continue;
                }
                let field = format!("{}.ports[{}]", container.field(), port.place);
                let fact = (pod.object, field, port.host_port.to_string());
                if let Some(reach) = self.machine_port_reach(pod.node, port.host_ip, fact) {
                    Reach::offer(&mut best, reach);
                }
            }
        }
        if declares || !spec.host_network {
            return best;
        }
        // What listens on a machine's network needs no declaration.
        let fact = (pod.object, ".spec.hostNetwork".to_owned(), "true".to_owned());
        Some(self.machine_reach(pod.node)?.after([fact]))
    }
}
