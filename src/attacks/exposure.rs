//! What faces the internet, and what an attacker there may take over.
//!
//! A network step says that a packet may arrive; taking over what it reaches is a step of its own.
//! Doors lead to sets of endpoints, so that many doors of one Service are few edges.

use super::Family;
use super::exposed_route::{EXPOSED_OPENSHIFT_ROUTE, EXPOSED_ROUTE, EXPOSED_VIRTUAL_SERVICE};
use super::interfaces::{DASHBOARD_EXPOSED, open_interface};
use crate::graph::{Attack, Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::exposure::{Door, Sure};
use crate::world::hosts::Host;
use crate::world::rows::Target;
use crate::world::{Policy, PolicyIx, ServiceIx, World};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

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
    /// Source ranges, an internal load balancer, a firewall before node ports.
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
    /// A firewall or security group; a `hostIP` that is not the public address.
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
    /// A NetworkPolicy that isolates the pod, where the network plugin enforces it.
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
    /// Programs without flaws. Where a NetworkPolicy isolates the pod, whether the door still leads
    /// to it is unknown until the policy is evaluated.
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

/// Policies that isolate pods with a label set in a namespace, found once each.
type Isolated = FxHashMap<(Sym, u32), Option<PolicyIx>>;

fn find(world: &World, sink: &mut Sink<'_>) {
    // Service ports are numbered through, so that a set is told by a number.
    let first = super::names::first_ports(world);
    let key = |service: ServiceIx, port: usize| SetKey {
        kind: &ENDPOINTS,
        ns: world.services[service.index()].ns,
        of: first[service.index()] + u32::try_from(port).unwrap_or(0),
    };
    let mut isolated = Isolated::default();
    let mut behind = BTreeSet::new();
    for (i, entry) in sink.entries().iter().enumerate() {
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
        sink.edge_with(Thing::Internet, thing, attack, odds, &facts);
        for (service, port, by) in &entry.backends {
            let of = &world.services[service.index()];
            let mut facts: Vec<Fact> =
                by.iter().map(|(o, field, value)| sink.fact(*o, field, value)).collect();
            let field = format!(".spec.ports[{port}]");
            let number = of.ports.get(*port).map_or(0, |p| p.port);
            facts.push(sink.fact(of.object, &field, &number.to_string()));
            sink.edge(thing, Thing::Set(key(*service, *port)), &NETWORK_REACH, &facts);
            behind.insert((*service, *port));
        }
        if let Door::HostPort(pod, port) = entry.door {
            let host = Host::Pod(pod);
            let object = world.pods[pod.index()].object;
            let containers = &world.host_spec(host).containers;
            for (index, container) in containers.iter().enumerate() {
                if !container.keeps_running() {
                    continue;
                }
                for declared in container.ports.iter().filter(|p| p.host_port == port) {
                    let field = format!("{}.ports[{}]", container.field(), declared.place);
                    let fact = sink.fact(object, &field, &port.to_string());
                    exploit(world, sink, &mut isolated, thing, (host, index), vec![fact], 1.0);
                }
            }
        }
    }
    for (service, port) in behind {
        endpoints(world, sink, &mut isolated, Thing::Set(key(service, port)), service, port);
    }
}

/// The edges from a Service port to the containers that may listen on it.
fn endpoints(
    world: &World,
    sink: &mut Sink<'_>,
    isolated: &mut Isolated,
    set: Thing<'_>,
    service: ServiceIx,
    port: usize,
) {
    let of = &world.services[service.index()];
    let Some(target) = of.ports.get(port).map(|p| p.target) else { return };
    let selector = sink.fact(of.object, ".spec.selector", "selects the pod");
    let (field, value) = match target {
        Target::Number(number) => (format!(".spec.ports[{port}].targetPort"), number.to_string()),
        Target::Name(name) => {
            (format!(".spec.ports[{port}].targetPort"), world.text(name).to_owned())
        }
    };
    let targets = sink.fact(of.object, &field, &value);
    for (host, containers, declared) in world.endpoints(service, port) {
        let (object, _) = world.host_object(host);
        let spec = world.host_spec(host);
        // Which of several listens is not said.
        let factor = if declared || containers.len() == 1 { 1.0 } else { 0.5 };
        for index in containers {
            let Some(container) = spec.containers.get(index) else { continue };
            let mut facts = vec![selector, targets];
            let listens = container.ports.iter().find(|p| match target {
                Target::Number(number) => p.number == number,
                Target::Name(name) => p.name == name,
            });
            let (field, value) = match listens {
                Some(port) => (
                    format!("{}.ports[{}]", container.field(), port.place),
                    port.number.to_string(),
                ),
                None => (container.field(), "may listen there".to_owned()),
            };
            facts.push(sink.fact(object, &world.host_field(host, &field), &value));
            exploit(world, sink, isolated, set, (host, index), facts, factor);
        }
    }
}

/// One edge to a container that a packet may reach.
fn exploit(
    world: &World,
    sink: &mut Sink<'_>,
    isolated: &mut Isolated,
    from: Thing<'_>,
    (host, container): (Host, usize),
    mut facts: Vec<Fact>,
    factor: f64,
) {
    let mut circumstance = (factor, Confidence::Certain);
    let (object, ns) = world.host_object(host);
    let labels = match host {
        Host::Pod(_) => world.objects[object.index()].labels,
        Host::Template(workload) => world.workloads[workload.index()].template_labels,
    };
    // Policies do not apply to pods on the machine's network.
    if !world.host_spec(host).host_network
        && let Some(policy) =
            *isolated.entry((ns, labels)).or_insert_with(|| isolates(world, ns, labels))
    {
        circumstance = (factor * 0.5, Confidence::Unknown);
        let policy = world.policies[policy.index()].object;
        let value = "isolates ingress; not evaluated";
        facts.push(sink.fact(policy, ".spec.podSelector", value));
    }
    let odds = |attack: &Attack| attack.odds.but(circumstance.0, circumstance.1);
    let to = Thing::Container(host, container);
    sink.edge_with(from, to, &EXPLOIT_PUBLIC_APP, odds(&EXPLOIT_PUBLIC_APP), &facts);
    if let Some((account, says)) = open_interface(world, sink, host, container) {
        facts.extend(says);
        let odds = odds(&DASHBOARD_EXPOSED);
        sink.edge_with(from, Thing::Account(account), &DASHBOARD_EXPOSED, odds, &facts);
    }
}

/// The first policy of a namespace that isolates pods with these labels from what comes in.
pub(super) fn isolates(world: &World, ns: Sym, labels: u32) -> Option<PolicyIx> {
    first_policy(world, ns, labels, |policy| policy.ingress)
}

/// The first policy of a namespace that isolates pods with these labels from where they go.
pub(super) fn isolates_egress(world: &World, ns: Sym, labels: u32) -> Option<PolicyIx> {
    first_policy(world, ns, labels, |policy| policy.egress)
}

fn first_policy(
    world: &World,
    ns: Sym,
    labels: u32,
    direction: impl Fn(&Policy) -> bool,
) -> Option<PolicyIx> {
    let labels = world.labels.get(labels as usize)?;
    let start = world.policies.partition_point(|p| p.ns < ns);
    world.policies[start..]
        .iter()
        .take_while(|p| p.ns == ns)
        .position(|p| direction(p) && p.selector.selects(labels))
        .map(|i| PolicyIx::new(start + i))
}
