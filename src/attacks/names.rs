//! What the sets and gates are called that belong to one thing.
//!
//! Attacks number such sets, by the row of the thing in a table or of their own list. A row's
//! number means nothing to a reader and moves when objects are added elsewhere, so the set is
//! called by the thing: `endpoints of Service shop/web, port 80`.

use super::flaws::NODE_FLAWS;
use super::workload_patch::TEMPLATES;
use crate::graph::{Graph, Namer, NodeId, NodeKind, SetKey, is_parted};
use crate::world::World;
use crate::world::exposure::Via;
use crate::world::hosts::Host;

/// Calls every numbered set and gate by what it belongs to.
pub(super) fn name_sets(graph: &mut Graph) {
    let ports = first_ports(graph.world());
    graph.name_sets(Namer::new(move |graph, node, key| {
        let world = graph.world();
        let of = match key.kind.id {
            "endpoints" => return endpoints(world, &ports, key),
            _ if key.ns.is_empty() && is_parted(key.kind) => {
                return Some(format!("{} where nothing may refuse it", key.kind.noun));
            }
            _ => belongs_to(world, key).or_else(|| first_member(graph, node)),
        };
        Some(format!("{}: {}", key.kind.noun, of?))
    }));
}

/// The number of each Service's first port: they are numbered through.
pub(super) fn first_ports(world: &World) -> Vec<u32> {
    let mut count = 1_u32;
    let mut first = Vec::with_capacity(world.services.len());
    for service in &world.services {
        first.push(count);
        count += u32::try_from(service.ports.len()).unwrap_or(u32::MAX);
    }
    first
}

/// How many ports Services have, by which the numbers of endpoints go round.
fn port_count(world: &World) -> u64 {
    world.services.iter().map(|s| s.ports.len() as u64).sum::<u64>().max(1)
}

/// The number of the endpoints of a port, by the way that leads to them: `None` for any.
pub(super) fn ways(world: &World, port: u32, via: Option<Via>) -> u32 {
    let way = match via {
        None => 0,
        Some(Via::Client) => 1,
        Some(Via::Hidden) => 2,
        Some(Via::Balancers) => 3,
        Some(Via::Neighbour) => 4,
        Some(Via::Proxies(service)) => 5 + service.index() as u64,
        Some(Via::Pods(host)) => 5 + world.services.len() as u64 + workload_or_pod(world, host),
    };
    u32::try_from(u64::from(port) + way * port_count(world)).unwrap_or(u32::MAX)
}

/// The number of what pods belong to: workloads are numbered before pods that have none.
fn workload_or_pod(world: &World, host: Host) -> u64 {
    match host {
        Host::Template(workload) => workload.index() as u64,
        Host::Pod(pod) => match world.pods[pod.index()].workload {
            Some(workload) => workload.index() as u64,
            None => (world.workloads.len() + pod.index()) as u64,
        },
    }
}

/// The pods of a number, as they are called.
fn called(world: &World, number: usize) -> Option<String> {
    let full = |ns, name| format!("{}/{}", world.text(ns), world.text(name));
    if let Some(workload) = world.workloads.get(number) {
        return Some(full(workload.ns, workload.name));
    }
    let pod = world.pods.get(number - world.workloads.len())?;
    Some(full(pod.ns, pod.name))
}

fn endpoints(world: &World, first: &[u32], key: &SetKey) -> Option<String> {
    let count = port_count(world);
    let way = (u64::from(key.of) - 1) / count;
    let by = match way {
        0 => String::new(),
        1 => ", from outside".to_owned(),
        2 => ", through what is not shown".to_owned(),
        3 => ", through balancers of the cloud".to_owned(),
        4 => ", from networks around the cluster".to_owned(),
        _ => {
            let at = usize::try_from(way - 5).ok()?;
            let by = match world.services.get(at) {
                Some(of) => format!("{}/{}", world.text(of.ns), world.text(of.name)),
                None => called(world, at - world.services.len())?,
            };
            format!(", through {by}")
        }
    };
    let key = u32::try_from((u64::from(key.of) - 1) % count + 1).ok()?;
    // Services without ports have the number of the next one.
    let at = first.partition_point(|first| *first <= key).checked_sub(1)?;
    let service = &world.services[at];
    let port = service.ports.get((key - first[at]) as usize)?;
    let (ns, name) = (world.text(service.ns), world.text(service.name));
    let called = world.text(port.name);
    let called = if called.is_empty() { String::new() } else { format!(" ({called})") };
    Some(format!("endpoints of Service {ns}/{name}, port {}{called}{by}", port.port))
}

/// The row that a set's number means.
fn belongs_to(world: &World, key: &SetKey) -> Option<String> {
    let at = (key.of as usize).checked_sub(1)?;
    let full = |ns, name| format!("{}/{}", world.text(ns), world.text(name));
    Some(match key.kind.id {
        "mounted-credentials"
        | "mounted-tokens"
        | "mounted-secrets"
        | "environment-secrets"
        | "pods-on-node"
        | "open-kubelet"
        | "node-metadata" => world.text(world.nodes.get(at)?.name).to_owned(),
        "service-traffic" | "webhook-answers" | "webhook-keys" | "webhook-posed" => {
            let service = world.services.get(at)?;
            full(service.ns, service.name)
        }
        "labelled-for-webhook" => {
            let service = world.services.get(at)?;
            let service = full(service.ns, service.name);
            match world.text(key.ns) {
                "" => service,
                ns => format!("{service} in namespace {ns}"),
            }
        }
        "account-tokens" | "absent-service-account" => {
            let account = world.accounts.get(at)?;
            full(account.ns, account.name)
        }
        "containers-by-secret" => {
            let secret = world.secrets.get(at)?;
            full(secret.ns, secret.name)
        }
        "released-secrets" => {
            let (ns, release) = world.secrets.get(at)?.release;
            full(ns, release)
        }
        "volume-path" => world.text(world.volumes.get(at)?.name).to_owned(),
        "flawed-nodes" => NODE_FLAWS.get(at)?.id.to_owned(),
        "claims-beside-workloads" => TEMPLATES.get(at)?.kind.to_owned(),
        "clouds-of-nodes" => "for pods on the host network".to_owned(),
        _ => return None,
    })
}

/// What the set leads to first, if its number means nothing that outlasts a run.
fn first_member(graph: &Graph, set: NodeId) -> Option<String> {
    let (_, member) = graph.outgoing(set).next()?;
    let member = graph.fold(member);
    if matches!(graph.kind(member), NodeKind::Set | NodeKind::Gate) {
        // The name tells its namespace; one that is called by its first member may lead back here.
        return Some(graph.plain_set_name(member));
    }
    let name = graph.name(member);
    Some(match graph.namespace(member) {
        Some(ns) => format!("{ns}/{name}"),
        None => name.into_owned(),
    })
}
