//! What faces the internet, and what an attacker there may take over.
//!
//! A network step says that a packet may arrive; taking over what it reaches is a step of its own.
//! Doors lead to sets of endpoints, so that many doors of one Service are few edges. Those that only
//! networks around the cluster reach are doors without an edge from the internet.

use super::Family;
use super::door_policies::Doors;
use super::exposed_route::{EXPOSED_OPENSHIFT_ROUTE, EXPOSED_ROUTE, EXPOSED_VIRTUAL_SERVICE};
use super::interfaces::{DASHBOARD_EXPOSED, open_interface};
use super::outcome::Outcome;
use crate::graph::{Attack, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::world::endpoints::{By, Endpoint};
use crate::world::exposure::{Door, Scope, Sure, Via};
use crate::world::hosts::Host;
use crate::world::network::{PortSpec, State};
use crate::world::rows::Target;
use crate::world::{ObjectId, ServiceIx, World};
use rustc_hash::FxHashMap;
use std::rc::Rc;

crate::attack! {
    /// The internet reaches a Service by its load balancer, its node port or an external address.
    ///
    /// ## Needs
    /// Type `LoadBalancer` with a public address, or without an address yet and without an
    /// annotation that makes it internal; or a node port on a node with a public address; or a
    /// public address among `externalIPs`. `loadBalancerSourceRanges` narrow who gets through.
    /// Type `NodePort` on nodes that show no public address is unknown: what leads to the nodes
    /// from outside is not in a snapshot.
    /// ## Abuse
    /// `curl http://ADDRESS:PORT/`; scanners find the address without being told.
    /// ## Stopped by
    /// Source ranges, an internal load balancer, a firewall before node ports. Network policies close
    /// the pods behind it, not the address: see `network-reach`.
    /// ## Fix
    /// Make the Service `ClusterIP`, or the balancer internal by its provider's annotation, or set
    /// `loadBalancerSourceRanges`.
    /// ## Detect
    /// The load balancer's access logs; audit events that create or change Services.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer>
    pub(super) static EXPOSED_SERVICE = {
        id: "exposed-service", title: "Reach a Service from the internet",
        mitre: &["T1190", "MS-TA9005"], odds: Odds::certain(1.0),
    }
}

crate::attack! {
    /// The internet reaches the backends of an Ingress through its controller.
    ///
    /// ## Needs
    /// A rule or default backend that names a Service, a class that something serves, and a
    /// controller that is exposed itself: the Ingress' own address or the controller's Service
    /// tells. Without a class, or with one that an annotation names and no object, a controller
    /// serves it if its flags say so, which makes it possible. A host name in a rule says nothing
    /// about who may connect.
    /// ## Abuse
    /// `curl -H 'Host: HOST' https://ADDRESS/PATH`
    /// ## Stopped by
    /// An internal controller; authentication at the controller, which is not judged here.
    /// ## Fix
    /// Remove the path, or move the Ingress to a class whose controller is internal.
    /// ## Detect
    /// The controller's access logs; audit events that create or change Ingresses.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/services-networking/ingress/>
    pub(super) static EXPOSED_INGRESS = {
        id: "exposed-ingress", title: "Reach an Ingress from the internet",
        mitre: &["T1190"], odds: Odds::certain(1.0),
    }
}

crate::attack! {
    /// The internet reaches a pod's port on its node's public address.
    ///
    /// ## Needs
    /// A `hostPort`, or a declared port of a pod on the machine's network, and a node with a public
    /// address. A firewall between is not in a snapshot.
    /// ## Abuse
    /// `curl http://NODE-ADDRESS:PORT/`
    /// ## Stopped by
    /// A firewall or security group; a `hostIP` that is not the public address. Network policies
    /// apply to the pod behind a `hostPort`, by the pod's own port, and not to pods on the machine's
    /// network.
    /// ## Fix
    /// Remove the `hostPort`; expose the pod by a Service.
    /// ## Detect
    /// Connections to the node's port from outside.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
    pub(super) static EXPOSED_HOST_PORT = {
        id: "exposed-host-port", title: "Reach a port of a node from the internet",
        mitre: &["T1190"], odds: Odds::possible(0.5),
    }
}

crate::attack! {
    /// A packet may arrive at the endpoints behind a door.
    ///
    /// ## Needs
    /// A Service port whose selector matches running pods that listen on its target port.
    /// ## Abuse
    /// Connect; this step alone takes nothing over.
    /// ## Stopped by
    /// Network policies that deny it, where the network plugin enforces them. What decides is the
    /// address that the pod sees: the client's at a Service with `externalTrafficPolicy: Local`, the
    /// client's or a node's at others, the proxies' behind an Ingress, a Gateway or a Route. Where a
    /// policy treats these differently, or the snapshot does not show the plugin or the proxies,
    /// it is unknown.
    /// ## Fix
    /// Select fewer pods, or write a NetworkPolicy that admits the sources that are meant.
    /// ## Detect
    /// Flow logs of the network plugin.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/services-networking/network-policies/>
    pub(super) static NETWORK_REACH = {
        id: "network-reach", title: "Reach over the network", mitre: &["T1046"],
        odds: Odds::certain(1.0),
    }
}

crate::attack! {
    /// Takes over a container through a flaw of the program that listens in it.
    ///
    /// ## Needs
    /// A flaw. None is known from a snapshot: the step assumes that one exposed program in ten has
    /// one, and answers tell paths that need it from paths that do not.
    /// ## Abuse
    /// Whatever the flaw allows, up to running commands as the program's user in its container.
    /// ## Stopped by
    /// Programs without flaws; network policies that keep what comes through the door from the pod:
    /// see `network-reach` for what they are held against.
    /// ## Fix
    /// Update the image; put authentication before the program; expose less.
    /// ## Detect
    /// Processes that the container does not start by itself; requests that scanners send.
    /// ## References
    /// - <https://attack.mitre.org/techniques/T1190/>
    /// - <https://kubehound.io/reference/attacks/ENDPOINT_EXPLOIT/>
    pub(super) static EXPLOIT_PUBLIC_APP = {
        id: "exploit-public-app", title: "Exploit an exposed program",
        mitre: &["T1190", "MS-TA9004"], odds: Odds::possible(0.1),
    }
}

/// The endpoints of one Service port.
pub(super) static ENDPOINTS: SetKind = SetKind { id: "endpoints", noun: "endpoints" };

/// Entry points and the steps behind them.
pub(super) static FAMILY: Family = Family {
    name: "O Entry points and reach",
    attacks: &[
        &EXPOSED_SERVICE,
        &EXPOSED_INGRESS,
        &EXPOSED_ROUTE,
        &EXPOSED_OPENSHIFT_ROUTE,
        &EXPOSED_VIRTUAL_SERVICE,
        &EXPOSED_HOST_PORT,
        &NETWORK_REACH,
        &EXPLOIT_PUBLIC_APP,
        &DASHBOARD_EXPOSED,
    ],
    find,
};

/// The sets of endpoints that exist, by Service port and by whose packets arrive.
struct Sets<'w> {
    doors: Doors<'w>,
    /// The number of each Service's first port.
    first: Vec<u32>,
    /// `None`: policies let nothing through.
    known: FxHashMap<(ServiceIx, usize, Option<Via>), Option<SetKey>>,
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let (doors, first) = (Doors::new(world), super::names::first_ports(world));
    let mut sets = Sets { doors, first, known: FxHashMap::default() };
    let entries = sink.entries();
    for (i, entry) in entries.iter().enumerate() {
        let thing = Thing::Entry(u32::try_from(i).unwrap_or(u32::MAX));
        let attack = match entry.door {
            Door::Service(_) => &EXPOSED_SERVICE,
            Door::Ingress(_) => &EXPOSED_INGRESS,
            Door::Route(_) => &EXPOSED_ROUTE,
            Door::Router(_) => &EXPOSED_OPENSHIFT_ROUTE,
            Door::Mesh(_) => &EXPOSED_VIRTUAL_SERVICE,
            Door::HostPort(..) => &EXPOSED_HOST_PORT,
        };
        let odds = match entry.sure {
            Sure::Certain => Odds::certain(entry.likelihood),
            Sure::Likely => Odds::likely(entry.likelihood),
            Sure::Possible => Odds::possible(entry.likelihood),
            Sure::Unknown => Odds::unknown(entry.likelihood),
        };
        let facts: Vec<Fact> =
            entry.facts.iter().map(|(o, field, value)| sink.fact(*o, field, value)).collect();
        if entry.scope == Scope::Internet {
            sink.edge_with(Thing::Internet, thing, attack, odds, &facts);
        }
        for (service, port, by) in &entry.backends {
            let of = &world.services[service.index()];
            let mut facts: Vec<Fact> =
                by.iter().map(|(o, field, value)| sink.fact(*o, field, value)).collect();
            let field = format!(".spec.ports[{port}]");
            let number = of.ports.get(*port).map_or(0, |p| p.port);
            facts.push(sink.fact(of.object, &field, &number.to_string()));
            let mut led: Vec<SetKey> = Vec::new();
            for via in &entry.via {
                let set = endpoints(world, sink, &mut sets, (*service, *port), *via);
                if let Some(set) = set.filter(|set| !led.contains(set)) {
                    sink.edge(thing, Thing::Set(set), &NETWORK_REACH, &facts);
                    led.push(set);
                }
            }
        }
        if let Door::HostPort(pod, port) = entry.door {
            let host = Host::Pod(pod);
            let object = world.pods[pod.index()].object;
            let containers = &world.host_spec(host).containers;
            for (index, container) in containers.iter().enumerate() {
                if !world.keeps_running(host, container) {
                    continue;
                }
                for declared in container.ports.iter().filter(|p| p.host_port == port) {
                    let field = format!("{}.ports[{}]", container.field(), declared.place);
                    let fact = sink.fact(object, &field, &port.to_string());
                    let own = PortSpec { protocol: declared.protocol, port: declared.number };
                    let outcome = sets.doors.host_port(host, own, entry.scope);
                    let by = (object, &*outcome, 1.0);
                    let at = (host, index, Some(declared.number));
                    exploit(world, sink, thing, at, vec![fact], by);
                }
            }
        }
    }
}

/// The set of a Service port's endpoints for what arrives in one way, with its edges to the
/// containers that may listen; the endpoints that no policy keeps it from. Where policies say
/// nothing, all ways share one set.
fn endpoints(
    world: &World,
    sink: &mut Sink<'_>,
    sets: &mut Sets<'_>,
    (service, port): (ServiceIx, usize),
    via: Via,
) -> Option<SetKey> {
    if let Some(known) = sets.known.get(&(service, port, Some(via))) {
        return *known;
    }
    let mut listeners: Vec<(Endpoint, Rc<Outcome>)> = Vec::new();
    let mut plain = true;
    let mut denied = false;
    for listener in world.endpoints(service, port) {
        let outcome = sets.doors.endpoint(service, via, &listener);
        plain &= outcome.is_plain();
        match outcome.state {
            State::Denied => denied = true,
            _ => listeners.push((listener, outcome)),
        }
    }
    if denied && listeners.is_empty() {
        sets.known.insert((service, port, Some(via)), None);
        return None;
    }
    let key = (service, port, if plain { None } else { Some(via) });
    if let Some(known) = sets.known.get(&key).copied() {
        sets.known.insert((service, port, Some(via)), known);
        return known;
    }
    let number = sets.first[service.index()] + u32::try_from(port).unwrap_or(0);
    let ns = world.services[service.index()].ns;
    let set = SetKey { kind: &ENDPOINTS, ns, of: super::names::ways(world, number, key.2) };
    sets.known.insert(key, Some(set));
    sets.known.insert((service, port, Some(via)), Some(set));
    let of = &world.services[service.index()];
    let mut selected: Option<Vec<Fact>> = None;
    for (end, outcome) in listeners {
        let host = end.host;
        let (object, _) = world.host_object(host);
        let spec = world.host_spec(host);
        // Which of several listens is not said.
        let factor = if end.declared || end.containers.len() == 1 { 1.0 } else { 0.5 };
        // A selector says the same of all that it selects.
        let leads = match &selected {
            Some(known) if end.by == By::Selector => known.clone(),
            _ => leads_to(world, sink, (service, port), &end),
        };
        if end.by == By::Selector && selected.is_none() {
            selected = Some(leads.clone());
        }
        for index in &end.containers {
            let index = *index;
            let Some(container) = spec.containers.get(index) else { continue };
            let mut facts = leads.clone();
            let listens = container.ports.iter().find(|p| end.port.means(p));
            let (field, value) = match listens {
                Some(port) => (
                    format!("{}.ports[{}]", container.field(), port.place),
                    port.number.to_string(),
                ),
                None => (container.field(), "may listen there".to_owned()),
            };
            facts.push(sink.fact(object, &world.host_field(host, &field), &value));
            let by = (of.object, &*outcome, factor);
            let arrives = match end.port.target {
                Target::Number(number) => Some(number),
                Target::Name(_) => listens.map(|port| port.number),
            };
            exploit(world, sink, Thing::Set(set), (host, index, arrives), facts, by);
        }
    }
    Some(set)
}

/// The facts that lead from a Service's port to an endpoint.
pub(super) fn leads_to(
    world: &World,
    sink: &mut Sink<'_>,
    (service, port): (ServiceIx, usize),
    end: &Endpoint,
) -> Vec<Fact> {
    let facts = world.endpoint_facts(service, port, end);
    facts.iter().map(|(object, field, value)| sink.fact(*object, field, value)).collect()
}

/// One edge to a container that a packet may reach, by what policies make of it.
fn exploit(
    world: &World,
    sink: &mut Sink<'_>,
    from: Thing<'_>,
    (host, container, port): (Host, usize, Option<u16>),
    mut facts: Vec<Fact>,
    (by, outcome, factor): (ObjectId, &Outcome, f64),
) {
    if outcome.state == State::Denied {
        return;
    }
    let (left, confidence) = outcome.odds();
    facts.extend(outcome.evidence(sink, by));
    let odds = |attack: &Attack| attack.odds.but(factor * left, confidence);
    let to = Thing::Container(host, container);
    sink.edge_with(from, to, &EXPLOIT_PUBLIC_APP, odds(&EXPLOIT_PUBLIC_APP), &facts);
    if let Some((open, gives, says)) = open_interface(world, sink, host, container)
        && open.answers(port)
    {
        facts.extend(says);
        let odds = open.odds.but(factor * left, confidence);
        sink.edge_with(from, gives, open.attack, odds, &facts);
    }
}
