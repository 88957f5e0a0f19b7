//! Routes of OpenShift as doors: which router serves one, how the internet reaches that router, and
//! to which ports of which Services it leads.

use super::exposure::{Door, Entry, Reach, Sure, Via};
use super::gateway::{Answer, Fronts, Item, condition};
use super::hosts::Host;
use super::remap::{Map, Remap};
use super::rows::Target;
use super::{PodIx, ServiceIx, World};
use crate::sym::Sym;

crate::index! { /// A Route of OpenShift.
RouterRouteIx }

/// What a Route of OpenShift says.
#[derive(Debug, Clone)]
pub struct RouterRouteRow {
    pub kind: Sym,
    /// The field and the Service's name; it stands in the Route's namespace.
    pub backends: Box<[(Sym, Sym)]>,
    /// The port of the endpoints: its number, or the name of the Service's port. `None` for all.
    pub port: Option<Target>,
    pub answers: Box<[RouterAnswer]>,
}

/// What a router says of a Route.
#[derive(Debug, Clone)]
pub struct RouterAnswer {
    pub router: Sym,
    /// Its place in `status.ingress`.
    pub place: u16,
    pub admitted: Answer,
}

impl Remap for RouterRouteRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        map.pairs(&mut self.backends);
        if let Some(port) = &mut self.port {
            port.remap(map);
        }
        self.answers.iter_mut().for_each(|answer| map.sym(&mut answer.router));
    }
}

/// Where OpenShift runs its routers.
const NAMESPACE: &str = "openshift-ingress";

/// The label by which a router's pods bear its name.
const LABEL: &str = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller";

impl World {
    /// Every Route of OpenShift that is reached from outside.
    pub(super) fn router_entries(&self, entries: &mut Vec<Entry>, fronts: &Fronts) {
        let mut known = std::collections::BTreeMap::new();
        for (i, route) in self.router_routes.iter().enumerate() {
            let mut reach = |router: &str| {
                let of = || self.router_reach(router, fronts);
                known.entry(router.to_owned()).or_insert_with(of).clone()
            };
            entries.extend(self.router_entry(RouterRouteIx::new(i), route, &mut reach));
        }
    }

    fn router_entry(
        &self,
        ix: RouterRouteIx,
        route: &Item<RouterRouteRow>,
        reach: &mut impl FnMut(&str) -> Option<(Reach, Via)>,
    ) -> Option<Entry> {
        let mut backends = Vec::new();
        for (field, name) in &route.says.backends {
            let Some(service) = self.service(route.ns, *name) else { continue };
            let (field, name) = (self.text(*field).to_owned(), self.text(*name).to_owned());
            for port in 0..self.services[service.index()].ports.len() {
                if route.says.port.is_none_or(|wanted| self.is_port(service, port, wanted)) {
                    let fact = (route.object, field.clone(), name.clone());
                    backends.push((service, port, vec![fact]));
                }
            }
        }
        let first = backends.first()?.2.clone();
        let mut ways: Vec<(Reach, Via)> = Vec::new();
        if route.says.answers.is_empty() {
            // No router has said anything: the one that is there by default may take it.
            let (own, via) = reach("default")?;
            ways.push((own.but(Sure::Possible, 0.5).after(first), via));
        }
        for answer in &route.says.answers {
            let router = self.text(answer.router);
            let Some((own, via)) = reach(router) else { continue };
            let at = format!(".status.ingress[{}]", answer.place);
            let own = match answer.admitted {
                Some((false, _)) => continue,
                Some(said) => own.after([condition(route.object, &at, said, "Admitted")]),
                None => {
                    let fact = (route.object, format!("{at}.routerName"), router.to_owned());
                    own.but(Sure::Likely, 0.8).after([fact])
                }
            };
            ways.push((own, via));
        }
        let (best, via) = Reach::widest(ways)?;
        Some(Entry::new(Door::Router(ix), best, backends, via))
    }

    /// Whether a Service's port is the one that a Route means: by its own name, or by the number of
    /// the pods' port (`endpointsForAlias` of openshift/router).
    fn is_port(&self, service: ServiceIx, port: usize, wanted: Target) -> bool {
        let Some(own) = self.services[service.index()].ports.get(port) else { return false };
        match (wanted, own.target) {
            (Target::Name(name), _) => own.name == name,
            (Target::Number(number), Target::Number(target)) => number == target,
            (Target::Number(number), Target::Name(name)) => {
                let declares = |host: Host| {
                    let containers = self.host_spec(host).containers.iter();
                    let mut ports = containers.flat_map(|c| c.ports.iter());
                    ports.any(|p| p.name == name && p.number == number)
                };
                self.endpoints(service, port).into_iter().any(|end| declares(end.host))
            }
        }
    }

    /// From where a router is reached, and its pods, by a Service of theirs. Those on the network of
    /// machines have none that tells, and what policies take them for depends on the plugin.
    fn router_reach(&self, router: &str, fronts: &Fronts) -> Option<(Reach, Via)> {
        let Some(ns) = self.symbols.get(NAMESPACE) else {
            // The router's own exposure is not in the snapshot.
            return Some((Reach::internet(Sure::Possible, 0.5, Vec::new()), Via::Hidden));
        };
        let service =
            |prefix: &str| self.service(ns, self.symbols.get(&format!("{prefix}{router}"))?);
        let published = service("router-").or_else(|| service("router-nodeport-"));
        let inner = service("router-internal-");
        // Somebody's own Service may lead to the same pods.
        let pass = published
            .or(inner)
            .and_then(|own| self.pass_behind(own, |port| self.is_for_clients(port), fronts));
        let shown = pass.and_then(|pass| Some((pass.reach?, pass.via)));
        match shown {
            Some((reach, via)) if published.is_some() => return Some((reach, via)),
            Some((reach, via)) if matches!(via, Via::Proxies(own) if Some(own) != inner) => {
                return Some((reach, via));
            }
            _ if published.is_some() => return None,
            _ => {}
        }
        let via = inner.map_or(Via::Hidden, Via::Proxies);
        self.machines_reach(ns, router, inner.is_some()).map(|reach| (reach, via))
    }

    /// From where a router without a Service for others is reached.
    fn machines_reach(&self, ns: Sym, router: &str, inner: bool) -> Option<Reach> {
        let name = self.symbols.get(router);
        let on_machines = self.pods_of(ns).map(PodIx::new).filter(|ix| {
            let pod = &self.pods[ix.index()];
            name.is_some()
                && self.label(pod.object, LABEL) == name
                && self.specs[pod.spec as usize].host_network
        });
        let mut machine = None;
        for ix in on_machines {
            let pod = &self.pods[ix.index()];
            let fact = (pod.object, ".spec.hostNetwork".to_owned(), "true".to_owned());
            if let Some(node) = self.public_node(Some(pod.node)) {
                // A firewall between the internet and the node is not in the snapshot.
                return Some(Reach::internet(Sure::Possible, 0.5, vec![fact, node]));
            }
            machine = machine.or(Some(fact));
        }
        match machine {
            // What leads to the machines from outside is not in the snapshot.
            Some(fact) => Some(Reach::internet(Sure::Unknown, 0.2, vec![fact])),
            // It publishes nothing.
            None if inner => None,
            None => Some(Reach::internet(Sure::Possible, 0.5, Vec::new())),
        }
    }
}
