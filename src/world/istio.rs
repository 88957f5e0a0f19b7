//! Istio's VirtualServices as doors: which servers of a Gateway take one, behind which Services its
//! proxies stand, and where the requests go.

use super::exposure::{Door, Entry, Reach, Said, Sure, Via};
use super::gateway::{Item, meet, table};
use super::hosts::Host;
use super::network::Protocol;
use super::objects::Objects;
use super::remap::{Map, Remap};
use super::rows::{Row, Selector, Target};
use super::{PodIx, ServiceIx, WorkloadIx, World};
use crate::sym::Sym;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

crate::index! { /// A VirtualService of Istio.
VirtualServiceIx }

/// What a route looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Http,
    Tls,
    Tcp,
}

/// What a Gateway of Istio says.
#[derive(Debug, Clone)]
pub struct IstioGatewayRow {
    pub kind: Sym,
    /// Its proxies, in any namespace; an empty one selects them all.
    pub selector: Selector,
    pub servers: Box<[Server]>,
}

/// One of its servers.
#[derive(Debug, Clone)]
pub struct Server {
    pub place: u16,
    pub port: u16,
    pub protocol: Sym,
    pub form: Form,
    /// The namespace of the VirtualServices that it is for (`*` or `.`, its own), and the name.
    pub hosts: Box<[(Sym, Sym)]>,
}

/// What a VirtualService says.
#[derive(Debug, Clone)]
pub struct VirtualServiceRow {
    pub kind: Sym,
    pub hosts: Box<[Sym]>,
    /// Namespace and name of each Gateway, with its place.
    pub gateways: Box<[(Sym, Sym, u16)]>,
    /// Namespaces, `.` for its own and `*`; empty for all.
    pub export_to: Box<[Sym]>,
    pub destinations: Vec<Destination>,
    pub delegates: Vec<Delegate>,
}

/// The gateways at which a route is taken, by namespace and name; `None` for all that its
/// VirtualService names.
pub type AtGateways = Option<Box<[(Sym, Sym)]>>;

/// A Service that requests are sent to.
#[derive(Debug, Clone)]
pub struct Destination {
    pub form: Form,
    pub at: AtGateways,
    pub field: Sym,
    pub ns: Sym,
    pub service: Sym,
    pub port: Option<u16>,
}

/// A VirtualService that says where the requests go.
#[derive(Debug, Clone)]
pub struct Delegate {
    pub at: AtGateways,
    pub field: Sym,
    pub ns: Sym,
    pub name: Sym,
}

/// The objects of Istio, each table sorted by namespace and name.
#[derive(Debug)]
pub struct Tables {
    pub gateways: Vec<Item<IstioGatewayRow>>,
    pub services: Vec<Item<VirtualServiceRow>>,
}

pub(super) fn resolve(
    gateways: Vec<Row<IstioGatewayRow>>,
    services: Vec<Row<VirtualServiceRow>>,
    objects: &mut Objects,
) -> Tables {
    Tables {
        gateways: table(gateways, |row| row.kind, objects),
        services: table(services, |row| row.kind, objects),
    }
}

impl Remap for IstioGatewayRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        self.selector.remap(map);
        for server in &mut self.servers {
            map.sym(&mut server.protocol);
            map.pairs(&mut server.hosts);
        }
    }
}

impl Remap for VirtualServiceRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        map.all(&mut self.hosts);
        map.all(&mut self.export_to);
        for (ns, name, _) in &mut self.gateways {
            map.sym(ns);
            map.sym(name);
        }
        let destinations = self.destinations.iter_mut().map(|to| &mut to.at);
        let delegates = self.delegates.iter_mut().map(|to| &mut to.at);
        for at in destinations.chain(delegates).flatten() {
            map.pairs(at);
        }
        for to in &mut self.destinations {
            for sym in [&mut to.field, &mut to.ns, &mut to.service] {
                map.sym(sym);
            }
        }
        for to in &mut self.delegates {
            for sym in [&mut to.field, &mut to.ns, &mut to.name] {
                map.sym(sym);
            }
        }
    }
}

/// A Service that is a door, and the label sets of what it selects.
struct Front<'e> {
    entry: &'e Entry,
    service: ServiceIx,
    labels: BTreeSet<u32>,
}

/// Whether a route is taken at a gateway.
fn is_taken(at: &AtGateways, gateway: (Sym, Sym)) -> bool {
    at.as_ref().is_none_or(|at| at.contains(&gateway))
}

/// What stands behind a selector of proxies.
struct Proxies {
    /// Places among the fronts, the likeliest first, by the server's port.
    fronts: BTreeMap<u16, Vec<usize>>,
    /// Anything in the snapshot is selected.
    any: bool,
}

impl World {
    /// Every VirtualService that is reached from outside; the first `services` entries are those of
    /// Services.
    pub(super) fn mesh_entries(&self, services: usize, entries: &mut Vec<Entry>) {
        if self.istio.gateways.is_empty() || self.istio.services.is_empty() {
            return;
        }
        let fronts: Vec<Front<'_>> =
            entries[..services].iter().filter_map(|entry| self.front(entry)).collect();
        let pods = (0..self.pods.len()).map(PodIx::new).filter(|p| self.is_running(*p));
        let mut all: BTreeSet<u32> = pods.map(|p| self.pod_labels(p)).collect();
        let templates = (0..self.workloads.len()).map(WorkloadIx::new);
        let templates = templates.filter(|w| self.is_template(*w));
        all.extend(templates.map(|w| self.workloads[w.index()].template_labels));
        let mut proxies: FxHashMap<&Selector, Proxies> = FxHashMap::default();
        for gateway in &self.istio.gateways {
            let selector = &gateway.says.selector;
            proxies.entry(selector).or_insert_with(|| {
                let selects =
                    |n: &u32| self.labels.get(*n as usize).is_some_and(|l| selector.selects(l));
                let mut by_port: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
                for (at, front) in fronts.iter().enumerate() {
                    if !front.labels.iter().any(selects) {
                        continue;
                    }
                    for port in self.server_ports(front.service) {
                        by_port.entry(port).or_default().push(at);
                    }
                }
                for list in by_port.values_mut() {
                    list.sort_by(|a, b| {
                        let (a, b) = (fronts[*a].entry, fronts[*b].entry);
                        let wider = b.scope.cmp(&a.scope);
                        wider.then(b.likelihood.total_cmp(&a.likelihood))
                    });
                }
                Proxies { fronts: by_port, any: all.iter().any(selects) }
            });
        }
        let found: Vec<Entry> = (0..self.istio.services.len())
            .filter_map(|i| self.mesh_entry(VirtualServiceIx::new(i), &fronts, &proxies))
            .collect();
        entries.extend(found);
    }

    fn pod_labels(&self, pod: PodIx) -> u32 {
        self.objects[self.pods[pod.index()].object.index()].labels
    }

    fn host_labels(&self, host: Host) -> u32 {
        match host {
            Host::Pod(pod) => self.pod_labels(pod),
            Host::Template(workload) => self.workloads[workload.index()].template_labels,
        }
    }

    fn front<'e>(&self, entry: &'e Entry) -> Option<Front<'e>> {
        let Door::Service(ix) = entry.door else { return None };
        let service = &self.services[ix.index()];
        let Some(selector) = &service.selector else {
            let labels = self.behind(ix).into_iter().map(|host| self.host_labels(host)).collect();
            return Some(Front { entry, service: ix, labels });
        };
        let selects = |n: &u32| self.labels.get(*n as usize).is_some_and(|l| selector.selects(l));
        let pods = self.pods_of(service.ns).map(PodIx::new).filter(|p| self.is_running(*p));
        let templates = self.workloads_of(service.ns).map(WorkloadIx::new);
        let templates = templates.filter(|w| self.is_template(*w));
        let templates = templates.map(|w| self.workloads[w.index()].template_labels);
        let labels = pods.map(|p| self.pod_labels(p)).chain(templates).filter(selects).collect();
        Some(Front { entry, service: ix, labels })
    }

    fn mesh_entry(
        &self,
        ix: VirtualServiceIx,
        fronts: &[Front<'_>],
        proxies: &FxHashMap<&Selector, Proxies>,
    ) -> Option<Entry> {
        let own = &self.istio.services[ix.index()];
        let mut ways = Vec::new();
        let mut backends = Vec::new();
        for (ns, name, place) in &own.says.gateways {
            let key = |g: &Item<IstioGatewayRow>| (g.ns, g.name);
            let gateways = &self.istio.gateways;
            let Ok(at) = gateways.binary_search_by_key(&(*ns, *name), key) else { continue };
            let gateway = &gateways[at];
            let Some(proxies) = proxies.get(&gateway.says.selector) else { continue };
            for server in &gateway.says.servers {
                if !self.hosts_meet(gateway, server, own) {
                    continue;
                }
                let Some((reach, by)) = self.server_reach(gateway, server, own, fronts, proxies)
                else {
                    continue;
                };
                let leads = self.leads(own, server, (*ns, *name));
                if leads.is_empty() {
                    continue;
                }
                backends.extend(leads.into_iter().map(|lead| (reach.scope, lead)));
                let named = format!("{}/{}", self.text(*ns), self.text(*name));
                let speaks = format!("{} {}", self.text(server.protocol), server.port);
                let facts = [
                    (own.object, format!(".spec.gateways[{place}]"), named),
                    (gateway.object, format!(".spec.servers[{}]", server.place), speaks),
                ];
                ways.push((reach.after(facts), by));
            }
        }
        let (reach, via) = Reach::widest(ways)?;
        // What narrower servers lead to is not reached by wider ones.
        let wide = backends.into_iter().filter(|(scope, _)| *scope == reach.scope);
        let mut backends: Vec<_> = wide.map(|(_, lead)| lead).collect();
        // Several servers may lead to the same place.
        backends.sort_by_key(|(service, port, _)| (*service, *port));
        backends.dedup_by_key(|(service, port, _)| (*service, *port));
        Some(Entry::new(Door::Mesh(ix), reach, backends, via))
    }

    /// Whether a server is for a VirtualService: by its namespace, and by one of its hosts.
    fn hosts_meet(
        &self,
        gateway: &Item<IstioGatewayRow>,
        server: &Server,
        own: &Item<VirtualServiceRow>,
    ) -> bool {
        server.hosts.iter().any(|(ns, host)| {
            let for_it = match self.text(*ns) {
                "*" => true,
                "." => gateway.ns == own.ns,
                _ => *ns == own.ns,
            };
            for_it && own.says.hosts.iter().any(|h| meet(self.text(*h), self.text(*host)))
        })
    }

    /// Whether a VirtualService is to be seen from a namespace.
    fn is_exported(&self, own: &Item<VirtualServiceRow>, to: Sym) -> bool {
        own.says.export_to.is_empty()
            || own.says.export_to.iter().any(|ns| match self.text(*ns) {
                "*" => true,
                "." => own.ns == to,
                _ => *ns == to,
            })
    }

    /// From where a server's proxies are reached, and who these are.
    fn server_reach(
        &self,
        gateway: &Item<IstioGatewayRow>,
        server: &Server,
        own: &Item<VirtualServiceRow>,
        fronts: &[Front<'_>],
        proxies: &Proxies,
    ) -> Option<(Reach, Via)> {
        let selector =
            |value: &str| (gateway.object, ".spec.selector".to_owned(), value.to_owned());
        if !proxies.any {
            // They may run where the snapshot does not look.
            let facts = vec![selector("selects no pod of the snapshot")];
            return Some((Reach::internet(Sure::Unknown, 0.2, facts), Via::Hidden));
        }
        let mut likeliest =
            proxies.fronts.get(&server.port)?.iter().filter_map(|at| fronts.get(*at));
        let front = likeliest
            .find(|front| self.is_exported(own, self.services[front.service.index()].ns))?;
        let service = &self.services[front.service.index()];
        let name = format!("{}/{}", self.text(service.ns), self.text(service.name));
        let fact = selector(&format!("selects pods of Service {name}"));
        // No status says that the proxies have it.
        let reach = front.entry.reach().but(Sure::Likely, 0.9).after([fact]);
        Some((reach, Via::Proxies(front.service)))
    }

    /// The numbers by which servers mean a Service's ports: its own, and those of the pods.
    fn server_ports(&self, service: ServiceIx) -> BTreeSet<u16> {
        let numbers = |port: &super::rows::ServicePort| match port.target {
            Target::Number(target) => [port.port, target],
            Target::Name(_) => [port.port, port.port],
        };
        self.services[service.index()].ports.iter().flat_map(numbers).collect()
    }

    /// The Service ports that a server's requests go to, by the VirtualService or its delegates.
    fn leads(
        &self,
        own: &Item<VirtualServiceRow>,
        server: &Server,
        gateway: (Sym, Sym),
    ) -> Vec<(ServiceIx, usize, Vec<Said>)> {
        let mut leads = Vec::new();
        self.own_leads(own, (server, gateway), &[], &mut leads);
        for delegate in own.says.delegates.iter().filter(|to| is_taken(&to.at, gateway)) {
            let services = &self.istio.services;
            let key = |v: &Item<VirtualServiceRow>| (v.ns, v.name);
            let at = services.binary_search_by_key(&(delegate.ns, delegate.name), key);
            // One that names hosts or gateways is no delegate.
            let to = at.ok().map(|at| &services[at]).filter(|to| {
                to.says.hosts.is_empty()
                    && to.says.gateways.is_empty()
                    && self.is_exported(to, own.ns)
            });
            if let Some(to) = to
                && server.form == Form::Http
            {
                let name = format!("{}/{}", self.text(to.ns), self.text(to.name));
                let by = (own.object, self.text(delegate.field).to_owned(), name);
                self.own_leads(to, (server, gateway), &[by], &mut leads);
            }
        }
        leads
    }

    fn own_leads(
        &self,
        own: &Item<VirtualServiceRow>,
        (server, gateway): (&Server, (Sym, Sym)),
        by: &[Said],
        leads: &mut Vec<(ServiceIx, usize, Vec<Said>)>,
    ) {
        let taken = |to: &&Destination| to.form == server.form && is_taken(&to.at, gateway);
        for to in own.says.destinations.iter().filter(taken) {
            let Some(service) = self.service(to.ns, to.service) else { continue };
            let ports = &self.services[service.index()].ports;
            let port = match to.port {
                None if ports.len() == 1 => Some(0),
                port => {
                    let wanted = port.unwrap_or(server.port);
                    ports.iter().position(|p| p.port == wanted && p.protocol == Protocol::Tcp)
                }
            };
            if let Some(port) = port {
                let mut facts = by.to_vec();
                let (field, name) = (self.text(to.field), self.text(to.service));
                facts.push((own.object, field.to_owned(), name.to_owned()));
                leads.push((service, port, facts));
            }
        }
    }
}
