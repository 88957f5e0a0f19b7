//! What the pods of one machine leave on it: the tokens and Secrets that they mount, and those in
//! their environments. Sets, so that many readers of a machine do not each lead to every pod.

use super::escape::is_unseen;
use super::sets::SET_MEMBER;
use super::tokens::api_audiences;
use crate::graph::{Fact, Odds, SetKey, SetKind, Sink, Thing, Value};
use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::nodes::ControlPlane;
use crate::world::pods::{Given, PodSpec, Volume};
use crate::world::{AccountIx, NodeIx, UNKNOWN_NODE, WorkloadIx, World};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Tokens and Secrets in the volumes of a machine's pods; the machine is told by the number.
pub(super) static MOUNTED: SetKind =
    SetKind { id: "mounted-credentials", noun: "credentials mounted into pods of one node" };
/// The accounts among them, whose tokens for the API server are mounted.
pub(super) static TOKENS: SetKind =
    SetKind { id: "mounted-tokens", noun: "tokens mounted into pods of one node" };
/// The Secrets among them.
pub(super) static FILES: SetKind =
    SetKind { id: "mounted-secrets", noun: "secrets mounted into pods of one node" };
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

/// Puts the members of the machines' sets among `keys` into the sink. O(pods of those machines).
pub(super) fn members(world: &World, sink: &mut Sink<'_>, keys: &[SetKey]) {
    let mut machines: BTreeMap<u32, Vec<&'static SetKind>> = BTreeMap::new();
    for key in keys {
        if key.kind == &MOUNTED {
            let part =
                sink.fact(world.nodes[key.of as usize - 1].object, "", "what its pods mount");
            for kind in [&TOKENS, &FILES] {
                sink.edge(
                    Thing::Set(*key),
                    Thing::Set(SetKey { kind, ..*key }),
                    &SET_MEMBER,
                    &[part],
                );
                machines.entry(key.of).or_default().push(kind);
            }
        } else if [&TOKENS, &FILES, &ENVIRONMENT].contains(&key.kind) {
            machines.entry(key.of).or_default().push(key.kind);
        }
    }
    let audiences = api_audiences(world);
    // What a pod leaves behind follows from its specification and what names mean around it.
    let mut known: FxHashMap<_, Vec<Credential>> = FxHashMap::default();
    let placed = sink.field(".spec.nodeName");
    for (of, kinds) in machines {
        let node = NodeIx(of - 1);
        let row = &world.nodes[node.index()];
        // That two pods whose nodes are not known share one is a guess.
        let unplaced = world.text(row.name) == UNKNOWN_NODE;
        let odds = if unplaced { Odds::unknown(0.5) } else { Odds::certain(1.0) };
        let put = |sink: &mut Sink<'_>, object, on: Option<Fact>, credential: &Credential| {
            if kinds.contains(&credential.kind) {
                let fact = Fact { object, field: credential.field, value: Value::TARGET };
                let both = [on.unwrap_or(fact), fact];
                let facts = if on.is_some() { &both[..] } else { &both[1..] };
                let set = Thing::Set(self::on(credential.kind, node));
                sink.edge_with(set, credential.thing, &SET_MEMBER, odds, facts);
            }
        };
        let name = sink.fact(row.object, "", world.text(row.name)).value;
        for ix in world.pods_on(node).iter().filter(|p| world.is_running(**p)) {
            let pod = &world.pods[ix.index()];
            if pod.mirror {
                // A static pod may name no other object of the API.
                continue;
            }
            let host = Host::Pod(*ix);
            let left = known
                .entry(world.host_unit(host))
                .or_insert_with(|| left_behind(world, sink, &audiences, host));
            let on = Fact { object: pod.object, field: placed, value: name };
            for credential in left {
                put(sink, pod.object, Some(on).filter(|_| !unplaced), credential);
            }
        }
        if unplaced && is_unseen(world, node) {
            let templates = (0..world.workloads.len()).map(WorkloadIx::new);
            for workload in templates.filter(|w| world.is_template(*w)) {
                let host = Host::Template(workload);
                for credential in left_behind(world, sink, &audiences, host) {
                    put(sink, world.host_object(host).0, None, &credential);
                }
            }
        }
    }
}

/// A credential that a pod leaves on its machine, and the field that puts it there.
struct Credential {
    kind: &'static SetKind,
    thing: Thing<'static>,
    field: Sym,
}

/// What a pod leaves on its machine.
fn left_behind(
    world: &World,
    sink: &mut Sink<'_>,
    audiences: &[Sym],
    host: Host,
) -> Vec<Credential> {
    let (_, ns) = world.host_object(host);
    let spec = world.host_spec(host);
    let mut left = Vec::new();
    let mut leave = |kind, thing, field: &str| {
        let field = sink.field(&world.host_field(host, field));
        left.push(Credential { kind, thing, field });
    };
    if let Some((account, field)) = api_token(world, audiences, host) {
        leave(&TOKENS, Thing::Account(account), &field);
    }
    references(spec, &mut |name, field, kind| {
        if let (Some(kind), Some(secret)) = (kind, world.secret(ns, name)) {
            leave(kind, Thing::Secret(secret), &field);
        }
    });
    left
}

/// Every Secret that a specification names, with the field, and the set of what stays on the
/// machine that it is put in by that while the pod runs.
pub(super) fn references(
    spec: &PodSpec,
    add: &mut impl FnMut(Sym, String, Option<&'static SetKind>),
) {
    let files = |given: &Given| (!given.public).then_some(&FILES);
    for (i, volume) in spec.volumes.iter().enumerate() {
        let at = format!(".spec.volumes[{i}]");
        match volume {
            Volume::Secret(given) => {
                add(given.secret, format!("{at}.secret.secretName"), files(given));
            }
            Volume::Csi { secret } => {
                add(*secret, format!("{at}.csi.nodePublishSecretRef.name"), None);
            }
            Volume::Projected { secrets, .. } => {
                for (source, given) in secrets {
                    let field = format!("{at}.projected.sources[{source}].secret.name");
                    add(given.secret, field, files(given));
                }
            }
            Volume::HostPath(_) | Volume::Claim { .. } | Volume::Other => {}
        }
    }
    for container in &spec.containers {
        let left = container.keeps_running().then_some(&ENVIRONMENT);
        for env in &container.env {
            let at = container.field();
            let field = if env.from {
                format!("{at}.envFrom[{}].secretRef.name", env.place)
            } else {
                format!("{at}.env[{}].valueFrom.secretKeyRef.name", env.place)
            };
            add(env.secret, field, left.filter(|_| !env.public));
        }
    }
    for (i, name) in spec.pull_secrets.iter().enumerate() {
        add(*name, format!(".spec.imagePullSecrets[{i}].name"), None);
    }
}

/// The account whose API token lies in a pod's volumes, and the field that says so.
fn api_token(world: &World, audiences: &[Sym], host: Host) -> Option<(AccountIx, String)> {
    let spec = world.host_spec(host);
    let account = world.host_account(host)?;
    if !world.accounts[account.index()].exists {
        return None;
    }
    let is_api = |audience| super::tokens::is_api_audience(world, audiences, audience);
    if let Some((volume, source)) = spec.api_tokens(is_api).next() {
        let field =
            format!(".spec.volumes[{volume}].projected.sources[{source}].serviceAccountToken");
        return Some((account, field));
    }
    // Admission has not put the volume in yet.
    let automount = spec.automount.or(world.accounts[account.index()].automount) != Some(false);
    (!world.is_served(host) && automount).then(|| (account, ".spec.serviceAccountName".to_owned()))
}
