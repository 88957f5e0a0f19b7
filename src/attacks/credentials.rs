//! What the pods of one machine leave on it: the tokens and Secrets that they mount, and those in
//! their environments. Sets, so that many readers of a machine do not each lead to every pod.

use super::escape::is_unseen;
use super::sets::SET_MEMBER;
use super::tokens::api_audiences;
use crate::graph::{Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::nodes::ControlPlane;
use crate::world::pods::Volume;
use crate::world::{AccountIx, NodeIx, PodIx, UNKNOWN_NODE, WorkloadIx, World};
use std::collections::BTreeSet;

/// Tokens and Secrets in the volumes of a machine's pods; the machine is told by the number.
pub(super) static MOUNTED: SetKind =
    SetKind { id: "mounted-credentials", noun: "credentials mounted into pods of one node" };
/// Secrets in the environments of a machine's pods.
pub(super) static ENVIRONMENT: SetKind =
    SetKind { id: "environment-secrets", noun: "secrets in environments of pods of one node" };

/// The set of one kind of one machine.
pub(super) fn on(kind: &'static SetKind, node: NodeIx) -> SetKey {
    SetKey { kind, ns: Sym::EMPTY, of: u32::try_from(node.index() + 1).unwrap_or(u32::MAX) }
}

/// The fact that a node is part of the control plane.
pub(super) fn control_plane(world: &World, sink: &mut Sink<'_>, node: NodeIx) -> Option<Fact> {
    let of = &world.nodes[node.index()];
    match of.control_plane {
        ControlPlane::No => None,
        ControlPlane::Label(key) => {
            let field = format!(".metadata.labels[{:?}]", world.text(key));
            let value = world.label(of.object, world.text(key)).map_or("", |v| world.text(v));
            Some(sink.fact(of.object, &field, value))
        }
        ControlPlane::StaticPod(pod) => {
            let object = world.pods[pod.index()].object;
            Some(sink.fact(object, ".spec.nodeName", world.text(of.name)))
        }
    }
}

/// Puts the members of some machines' sets into the sink. O(pods of those machines).
pub(super) fn members(world: &World, sink: &mut Sink<'_>, nodes: &BTreeSet<NodeIx>) {
    if nodes.is_empty() {
        return;
    }
    let audiences = api_audiences(world);
    for node in nodes {
        for pod in world.pods_on(*node).iter().filter(|p| world.is_running(**p)) {
            member(world, sink, &audiences, *node, Host::Pod(*pod));
        }
        if world.text(world.nodes[node.index()].name) == UNKNOWN_NODE && is_unseen(world, *node) {
            let templates = (0..world.workloads.len()).map(WorkloadIx::new);
            for workload in templates.filter(|w| world.is_template(*w)) {
                member(world, sink, &audiences, *node, Host::Template(workload));
            }
        }
    }
}

fn member(world: &World, sink: &mut Sink<'_>, audiences: &[Sym], node: NodeIx, host: Host) {
    let (object, ns) = world.host_object(host);
    let spec = world.host_spec(host);
    // That two pods whose nodes are not known share one is a guess.
    let unplaced = world.text(world.nodes[node.index()].name) == UNKNOWN_NODE;
    let odds = if unplaced { Odds::unknown(0.5) } else { Odds::certain(1.0) };
    let mut facts = Vec::new();
    if let Host::Pod(_) = host
        && !unplaced
    {
        let name = world.text(world.nodes[node.index()].name);
        facts.push(sink.fact(object, ".spec.nodeName", name));
    }
    let mounted = Thing::Set(on(&MOUNTED, node));
    if let Some((account, field, value)) = api_token(world, audiences, host) {
        let fact = sink.fact(object, &world.host_field(host, &field), &value);
        let facts = [&facts[..], &[fact]].concat();
        sink.edge_with(mounted, Thing::Account(account), &SET_MEMBER, odds, &facts);
    }
    let mut secret = |set: Thing<'_>, name: Sym, field: &str| {
        if let Some(secret) = world.secret(ns, name) {
            let field = world.host_field(host, field);
            let fact = sink.fact(object, &field, world.text(name));
            let facts = [&facts[..], &[fact]].concat();
            sink.edge_with(set, Thing::Secret(secret), &SET_MEMBER, odds, &facts);
        }
    };
    for (i, volume) in spec.volumes.iter().enumerate() {
        match volume {
            Volume::Secret(name) => {
                secret(mounted, *name, &format!(".spec.volumes[{i}].secret.secretName"));
            }
            Volume::Projected { secrets, .. } => {
                for (source, name) in secrets {
                    let field = format!(".spec.volumes[{i}].projected.sources[{source}].secret");
                    secret(mounted, *name, &field);
                }
            }
            Volume::HostPath(_) | Volume::Claim { .. } | Volume::Csi { .. } | Volume::Other => {}
        }
    }
    for container in spec.containers.iter().filter(|c| c.keeps_running()) {
        for env in &container.env {
            let list = if env.from { "envFrom" } else { "env" };
            let field = format!("{}.{list}[{}]", container.field(), env.place);
            secret(Thing::Set(on(&ENVIRONMENT, node)), env.secret, &field);
        }
    }
}

/// The account whose API token lies in a pod's volumes, and the field that says so.
fn api_token(world: &World, audiences: &[Sym], host: Host) -> Option<(AccountIx, String, String)> {
    let spec = world.host_spec(host);
    let (account, served) = match host {
        Host::Pod(pod) => (world.pods[pod.index()].account?, is_served(world, pod)),
        Host::Template(workload) => (world.workloads[workload.index()].account?, false),
    };
    if !world.accounts[account.index()].exists {
        return None;
    }
    let name = world.text(world.accounts[account.index()].name).to_owned();
    let is_api = |audience| super::tokens::is_api_audience(world, audiences, audience);
    if let Some((volume, source)) = spec.api_tokens(is_api).next() {
        let field =
            format!(".spec.volumes[{volume}].projected.sources[{source}].serviceAccountToken");
        return Some((account, field, name));
    }
    // Admission has not put the volume in yet.
    let automount = spec.automount.or(world.accounts[account.index()].automount) != Some(false);
    (!served && automount).then(|| (account, ".spec.serviceAccountName".to_owned(), name))
}

fn is_served(world: &World, pod: PodIx) -> bool {
    world.pods[pod.index()].live
}
