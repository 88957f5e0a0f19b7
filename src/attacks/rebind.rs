//! Volumes of others, bound to a claim of one's own.
//!
//! A claim is a thing of the graph that stands for its data, and a volume whose claim is gone stands
//! for what was left on it. Changing the volume and making the pod are two requests, which two
//! conquered identities may make: a gate.

use super::Family;
use super::claims::volume_path;
use super::credentials;
use super::gate::{PART, gate};
use super::impersonation::cluster;
use super::together::{allows_everything, parts};
use super::workload_patch::{WORKLOAD_PATCH, patchers};
use super::workloads::creators;
use crate::graph::{Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission};
use crate::world::{ClaimIx, NodeIx, VolumeIx, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Binds a volume that holds another's data to a claim of one's own.
    ///
    /// ## Needs
    /// Two things, which two conquered identities may hold: `patch` or `update` on
    /// `persistentvolumes` by a ClusterRoleBinding, and creating pods, or changing a workload, in
    /// some namespace. No right on claims is needed: a pod's `ephemeral` volume brings its own. A
    /// volume that is a path of a machine gives that path.
    /// ## Abuse
    /// `kubectl patch pv NAME -p '{"spec":{"claimRef":{"namespace":"MINE","name":"POD-VOLUME","uid":null,
    /// "resourceVersion":null}}}'`, then create the pod with an `ephemeral` volume whose template names
    /// `volumeName: NAME` and the volume's class.
    /// ## Stopped by
    /// A volume that is attached elsewhere attaches here only on the same node, or when its pod
    /// ends. Its old claim is `Lost`, which its owner notices. `reclaimPolicy: Delete` leaves no
    /// volume behind a deleted claim. A RoleBinding grants nothing on PersistentVolumes, and what a
    /// volume is made of cannot be changed.
    /// ## Fix
    /// Leave PersistentVolumes to administrators and to the provisioners; delete volumes that are
    /// `Released`.
    /// ## Detect
    /// Audit events `patch` and `update` on `persistentvolumes` that change `spec.claimRef`, by
    /// others than the controller manager; claims with the phase `Lost`.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reserving-a-persistentvolume>
    /// - kubernetes `pkg/apis/core/validation/validation.go`, `ValidatePersistentVolumeUpdate`, and
    ///   `pkg/controller/volume/persistentvolume/pv_controller.go`
    pub(super) static PV_REBIND_FOREIGN_DATA = {
        id: "pv-rebind-foreign-data", title: "Bind another's volume", mitre: &["T1530"],
        odds: Odds::likely(0.6),
    }
}

/// Volumes of others.
pub(super) static FAMILY: Family =
    Family { name: "M Volumes of others", attacks: &[&PV_REBIND_FOREIGN_DATA], find };

/// Rights to bind volumes anew: one told by the number, or any.
static REBINDERS: SetKind = SetKind { id: "volume-rebinding", noun: "rights to bind volumes anew" };
/// Rights to make a pod that mounts a claim.
static MOUNTERS: SetKind =
    SetKind { id: "pods-with-claims", noun: "rights to make pods with a claim" };
/// Opens when a volume can be bound and mounted.
static BOUND: SetKind = SetKind { id: "rebound-volumes", noun: "volumes bound anew" };

const CHANGE: &[Permission] = &[
    Permission::cluster("patch", "", "persistentvolumes"),
    Permission::cluster("update", "", "persistentvolumes"),
];

fn find(world: &World, sink: &mut Sink<'_>) {
    let claimed = |v: &VolumeIx| !world.volumes[v.index()].claim.1.is_empty();
    let volumes: Vec<VolumeIx> =
        (0..world.volumes.len()).map(VolumeIx::new).filter(&claimed).collect();
    let grants = parts(world, CHANGE);
    if volumes.is_empty() || grants.is_empty() {
        return;
    }
    let attack = &PV_REBIND_FOREIGN_DATA;
    let mut named: BTreeSet<VolumeIx> = BTreeSet::new();
    let mut whole = false;
    for grant in &grants {
        let facts = sink.grant(grant);
        let from = Thing::Binding(grant.binding);
        let Names::Only(names) = grant.names else {
            whole = true;
            sink.edge_with(from, cluster(&REBINDERS), attack, PART, &facts);
            continue;
        };
        let of = |name| world.volumes.binary_search_by_key(name, |v| v.name).ok();
        for volume in names.iter().filter_map(of).map(VolumeIx::new).filter(&claimed) {
            named.insert(volume);
            sink.edge_with(from, Thing::Set(key(&REBINDERS, volume)), attack, PART, &facts);
        }
    }
    if !whole && named.is_empty() {
        return;
    }
    let (narrow, wide) = patchers(world, sink);
    let wide = wide.into_iter().map(|(_, maker)| maker);
    // Whoever may do everything needs no gate.
    let masters: BTreeSet<Thing<'_>> = world
        .grants_any(CHANGE)
        .iter()
        .filter(|grant| allows_everything(world, grant))
        .map(|grant| Thing::Binding(grant.binding))
        .collect();
    let patched = narrow.into_iter().chain(wide).map(|maker| (maker, WORKLOAD_PATCH.odds));
    for (maker, odds) in creators(world, sink).into_iter().map(|m| (m, PART)).chain(patched) {
        if !masters.contains(&maker.from) {
            sink.edge_with(maker.from, cluster(&MOUNTERS), attack, odds, &maker.facts);
        }
    }
    if whole {
        let parts = [cluster(&REBINDERS), cluster(&MOUNTERS)];
        let bound = SetKey { kind: &BOUND, ns: Sym::EMPTY, of: 0 };
        let gate = gate(world, sink, bound, attack, &parts);
        for volume in volumes {
            data(world, sink, gate, volume);
        }
    }
    for volume in named {
        let parts = [Thing::Set(key(&REBINDERS, volume)), cluster(&MOUNTERS)];
        let gate = gate(world, sink, key(&BOUND, volume), attack, &parts);
        data(world, sink, gate, volume);
    }
}

/// The key of a kind of one volume.
fn key(kind: &'static SetKind, volume: VolumeIx) -> SetKey {
    // Nodes and volumes are both told by their place.
    credentials::on(kind, NodeIx::new(volume.index()))
}

/// What a volume holds: the data of its claim, what a claim that is gone has left, and the path
/// that it is.
fn data(world: &World, sink: &mut Sink<'_>, from: Thing<'static>, volume: VolumeIx) {
    let row = &world.volumes[volume.index()];
    let (ns, name) = row.claim;
    let text = format!("{}/{}", world.text(ns), world.text(name));
    let fact = sink.fact(row.object, ".spec.claimRef", &text);
    let bound = |c: &ClaimIx| world.claims[c.index()].volume == Some(volume);
    let to = world.claim(ns, name).filter(bound).map_or(Thing::Volume(volume), Thing::Claim);
    sink.edge(from, to, &PV_REBIND_FOREIGN_DATA, &[fact]);
    if let Some(path) = volume_path(world, volume) {
        sink.edge(from, path, &PV_REBIND_FOREIGN_DATA, &[fact]);
    }
}
