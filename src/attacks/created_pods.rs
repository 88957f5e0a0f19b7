//! What a pod of one's own reaches on its node's network where it may not be privileged: the metadata
//! service, which neither `baseline` nor `restricted` keeps it from.
//!
//! Whoever creates the pod names its node, so it is every machine's identity. Where privileged pods
//! are let in without doubt the machine itself is reached, and with it what its metadata gives.

use super::cloud_machines::{Guard, IMDS_NODE_ROLE, given, is_aws};
use super::custom_resources;
use super::impersonation::cluster;
use super::node::cloud_identity;
use super::openshift;
use super::passage::new_pod_to_metadata;
use super::pod_api::{admits, enforced, set_of};
use super::sets::SET_MEMBER;
use super::workloads::creators;
use crate::graph::{Fact, Odds, SetKind, Sink};
use crate::world::admission::Level;
use crate::world::grants::Scope;
use crate::world::{Namespace, NodeIx, World};
use std::collections::{BTreeMap, BTreeSet};

static CREATED: SetKind = SetKind { id: "created-pods", noun: "pods to create on any node" };
static ANSWERING: SetKind =
    SetKind { id: "metadata-answering", noun: "nodes whose metadata service answers pods" };
static UNSEEN: SetKind =
    SetKind { id: "metadata-unseen", noun: "nodes whose metadata service may answer pods" };
static BY_DEFAULT: SetKind =
    SetKind { id: "metadata-refusing", noun: "nodes whose metadata service refuses by default" };

/// What creating the pod is worth; what the service makes of it stands on the next edge.
const CREATE: Odds = Odds::certain(0.95);

pub(super) fn find(world: &World, sink: &mut Sink<'_>) {
    let mut nodes: BTreeMap<&'static str, (&'static SetKind, Odds, Vec<NodeIx>)> = BTreeMap::new();
    for node in (0..world.nodes.len()).map(NodeIx::new) {
        if cloud_identity(world, node).is_none() {
            continue;
        }
        let guard = Guard::of(world, node);
        let (Some(odds), Some(kind)) = (guard.odds(), kind(guard)) else { continue };
        nodes.entry(kind.id).or_insert((kind, odds, Vec::new())).2.push(node);
    }
    if nodes.is_empty() {
        return;
    }
    let mut scopes = BTreeSet::new();
    let held: Vec<bool> = world.namespaces.iter().map(|n| is_held(world, sink, n)).collect();
    let own = creators(world, sink).into_iter().map(|maker| (maker, CREATE));
    let makers: Vec<_> = own.chain(custom_resources::makers(world, sink)).collect();
    for (maker, odds) in makers {
        let some = match maker.scope {
            // Who creates pods everywhere creates the privileged one where it is let in.
            Scope::Cluster => !held.contains(&false),
            Scope::Namespace(ns) => world.namespace(ns).is_some_and(|n| held[n.index()]),
        };
        if some {
            scopes.insert(maker.scope);
            let to = set_of(&CREATED, maker.scope);
            sink.edge_with(maker.from, to, &IMDS_NODE_ROLE, odds, &maker.facts);
        }
    }
    if scopes.is_empty() {
        return;
    }
    let everywhere = scopes.contains(&Scope::Cluster);
    let aws = nodes.values().any(|(.., members)| members.iter().any(|n| is_aws(world, *n)));
    for (namespace, _) in world.namespaces.iter().zip(held).filter(|(_, held)| *held) {
        let scope = Scope::Namespace(namespace.name);
        if !everywhere && !scopes.contains(&scope) {
            continue;
        }
        let (level, _) = enforced(world, sink, namespace);
        let from = set_of(&CREATED, scope);
        if everywhere {
            sink.edge(cluster(&CREATED), from, &SET_MEMBER, &[level]);
        }
        let Some(way) = new_pod_to_metadata(world, sink, namespace.name, aws) else { continue };
        let facts: Vec<Fact> = [level].into_iter().chain(way.facts.iter().copied()).collect();
        for (kind, odds, _) in nodes.values() {
            sink.edge_with(from, cluster(kind), &IMDS_NODE_ROLE, way.odds(*odds), &facts);
        }
    }
    for (kind, _, members) in nodes.values() {
        for node in members {
            let of = &world.nodes[node.index()];
            let provider = sink.fact(of.object, ".spec.providerID", world.text(of.provider));
            sink.edge(cluster(kind), given(*node), &SET_MEMBER, &[provider]);
        }
    }
}

const fn kind(guard: Guard) -> Option<&'static SetKind> {
    match guard {
        Guard::Answers => Some(&ANSWERING),
        Guard::Unseen => Some(&UNSEEN),
        Guard::RefusesByDefault => Some(&BY_DEFAULT),
        Guard::Refuses => None,
    }
}

/// Whether something keeps privileged pods out of a namespace, or makes them less likely there.
fn is_held(world: &World, sink: &mut Sink<'_>, namespace: &Namespace) -> bool {
    !admits(namespace, Level::Privileged)
        || openshift::admission(world, sink, namespace).1.likelihood < 0.9
}
