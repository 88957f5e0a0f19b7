//! Volumes that wait for a claim: whoever makes pods claims one, and has its path of a machine.
//!
//! A claim that names the volume and its class is bound to it before any other, and it takes no right
//! on PersistentVolumes. A pod brings a claim of its own by an `ephemeral` volume, so no right on
//! claims is needed either. One that is kept for a claim of a namespace (`claimRef` without a uid)
//! goes to whoever makes that claim.

use super::Family;
use super::claims::volume_path;
use super::impersonation::cluster;
use super::pod_api::{behind_claim, enforced, set_of};
use super::sets::{SET_MEMBER, of_admin};
use super::storage::{weakest, weakest_with};
use super::workload_patch::patchers;
use super::workloads::{creators, pod_creation, together};
use crate::graph::{Confidence, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::rows::Free;
use crate::world::{VolumeIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Claims a volume that nobody has claimed, mounts it and has the path of a machine that it is.
    ///
    /// ## Needs
    /// A PersistentVolume with a `hostPath` or `local` path that matters, whose phase is `Available`,
    /// and creating pods, or changing a workload, in some namespace. No right on volumes or on claims
    /// is asked for: a pod's `ephemeral` volume, and a StatefulSet's `volumeClaimTemplates`, bring a
    /// claim. A volume that is kept for a claim of one namespace by its `claimRef` needs a claim of
    /// that name there.
    /// ## Abuse
    /// Create a pod with a volume `ephemeral: {volumeClaimTemplate: {spec: {volumeName: NAME,
    /// storageClassName: CLASS, accessModes: [...], resources: ...}}}`, or a claim that says so and a
    /// pod that mounts it. Without `nodeAffinity` the path is that of whichever node the pod names.
    /// ## Stopped by
    /// No Pod Security level: claims are allowed at each. `restricted` refuses root inside, so the
    /// files' modes apply. A volume whose `claimRef` bears the uid of a claim is bound to no other.
    /// ## Fix
    /// Delete volumes that are paths of a machine, or keep each for its claim by `claimRef`.
    /// ## Detect
    /// Audit events with verb `create` on pods and claims whose request names a volume
    /// (`spec.volumeName`), by others than the controller manager.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reserving-a-persistentvolume>
    /// - <https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#security>
    /// - kubernetes `pkg/controller/volume/persistentvolume/pv_controller.go`, `syncUnboundClaim`
    pub(super) static PV_CLAIM_AVAILABLE = {
        id: "pv-claim-available", title: "Claim a free volume", mitre: &["T1610", "T1611"],
        odds: Odds::certain(0.9),
    }
}

/// Volumes that wait for a claim.
pub(super) static FAMILY: Family =
    Family { name: "M Free volumes", attacks: &[&PV_CLAIM_AVAILABLE], find };

/// What whoever makes pods in a namespace, or in any, may claim.
static CLAIMABLE: SetKind = SetKind { id: "claimable-volumes", noun: "free volumes to claim" };
/// What whoever makes pods and claims in a namespace may claim: volumes kept for it.
static KEPT: SetKind = SetKind { id: "kept-volumes", noun: "volumes kept for a claim to make" };
/// What whoever makes pods in a namespace may claim of those: a pod's own claim can bear the name.
static KEPT_FOR_POD: SetKind =
    SetKind { id: "volumes-kept-for-pods", noun: "volumes kept for the claim of a pod to make" };
/// Every free volume that is kept for no claim.
static FREE: SetKind = SetKind { id: "free-volumes", noun: "free volumes" };

/// The volumes that wait for a claim and are a path that matters: those kept for none, and those
/// kept for a claim that does not exist, by its namespace.
#[derive(Debug, Default)]
struct Waiting {
    free: Vec<VolumeIx>,
    kept: BTreeMap<Sym, Vec<VolumeIx>>,
}

fn waiting(world: &World) -> Waiting {
    let mut found = Waiting::default();
    let named: BTreeSet<VolumeIx> = world.claims.iter().filter_map(|c| c.volume).collect();
    for ix in (0..world.volumes.len()).map(VolumeIx::new) {
        let volume = &world.volumes[ix.index()];
        let waits = volume.free != Free::No && !named.contains(&ix);
        if !waits || volume_path(world, ix).is_none() {
            continue;
        }
        let (ns, name) = volume.claim;
        if name.is_empty() {
            found.free.push(ix);
        } else if world.claim(ns, name).is_none() {
            found.kept.entry(ns).or_default().push(ix);
        }
    }
    found
}

/// Whether a pod's `ephemeral` volume can bring the claim that a volume is kept for: its name is the
/// pod's, a hyphen and the volume's.
fn is_of_a_pod(world: &World, volume: VolumeIx) -> bool {
    let (_, claim) = world.volumes[volume.index()].claim;
    world.text(claim).trim_matches('-').contains('-')
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let Waiting { free, kept } = waiting(world);
    if free.is_empty() && kept.is_empty() {
        return;
    }
    let attack = &PV_CLAIM_AVAILABLE;
    let (narrow, wide) = patchers(world, sink);
    let patched = attack.odds.but(0.95, Confidence::Certain);
    for (by, odds) in [(creators(world, sink), attack.odds), (narrow, patched)] {
        for m in by.iter().filter(|_| !free.is_empty()) {
            sink.edge_with(m.from, set_of(&CLAIMABLE, m.scope), attack, odds, &m.facts);
        }
    }
    // A kind of workload is changed in the namespaces that have one; the weakest of them counts.
    let mut places = BTreeMap::new();
    for (template, m) in wide.into_iter().filter(|_| !free.is_empty()) {
        let place = places.entry(template.kind).or_insert_with(|| weakest_with(world, template));
        let Some(namespace) = place else { continue };
        let mut facts = m.facts;
        facts.push(template.stands(sink, namespace));
        let to = set_of(&CLAIMABLE, Scope::Namespace(namespace.name));
        sink.edge_with(m.from, to, attack, patched, &facts);
    }
    if kept.is_empty() {
        return;
    }
    let claims = world.grants(&Permission::namespaced("create", "", "persistentvolumeclaims"));
    let mut pods = world.grants_any(pod_creation());
    pods.retain(|grant| grant.names == Names::All);
    for pair in world.pairs(&pods, &claims) {
        let (from, facts) = together(world, sink, &pair);
        for ns in kept.keys().filter(|ns| pair.scope.covers(**ns)) {
            sink.edge(from, set_of(&KEPT, Scope::Namespace(*ns)), attack, &facts);
        }
    }
    // The name of a pod is chosen by whoever creates it, and by no controller.
    for grant in world.grants(&Permission::namespaced("create", "", "pods")) {
        let facts = sink.grant(&grant);
        for (ns, volumes) in kept.iter().filter(|(ns, _)| grant.scope.covers(**ns)) {
            if grant.names == Names::All && volumes.iter().any(|v| is_of_a_pod(world, *v)) {
                let to = set_of(&KEPT_FOR_POD, Scope::Namespace(*ns));
                sink.edge(Thing::Binding(grant.binding), to, attack, &facts);
            }
        }
    }
}

/// Fills the sets of volumes to claim. `admins`: the namespaces over which somebody has power. Adds
/// the sets of what lies in the volumes to the keys that need members.
pub(super) fn members(world: &World, sink: &mut Sink<'_>, keys: &mut Vec<SetKey>, admins: &[Sym]) {
    let of = |kind: &'static SetKind| {
        keys.iter().filter(move |k| k.kind == kind).map(|k| k.ns).collect::<BTreeSet<Sym>>()
    };
    let (mut claimable, mut makers, by_pods) = (of(&CLAIMABLE), of(&KEPT), of(&KEPT_FOR_POD));
    if [&claimable, &makers, &by_pods].iter().all(|set| set.is_empty()) && admins.is_empty() {
        return;
    }
    let Waiting { free, kept } = waiting(world);
    for ix in admins.iter().filter_map(|ns| world.namespace(*ns)) {
        let namespace = &world.namespaces[ix.index()];
        if namespace.closed.is_some() {
            continue;
        }
        let fact = of_admin(sink, namespace);
        let from = Thing::NamespaceAdmin(ix);
        let scope = Scope::Namespace(namespace.name);
        if !free.is_empty() {
            sink.edge(from, set_of(&CLAIMABLE, scope), &PV_CLAIM_AVAILABLE, &[fact]);
            claimable.insert(namespace.name);
        }
        if kept.contains_key(&namespace.name) {
            sink.edge(from, set_of(&KEPT, scope), &PV_CLAIM_AVAILABLE, &[fact]);
            makers.insert(namespace.name);
        }
    }
    let all = cluster(&FREE);
    let mut used = false;
    for ns in claimable.iter().copied().filter(|_| !free.is_empty()) {
        let scope = if ns.is_empty() { Scope::Cluster } else { Scope::Namespace(ns) };
        let open = world.reached(scope).iter().filter(|n| n.closed.is_none() || !ns.is_empty());
        let Some(namespace) = weakest(open) else { continue };
        let (level, sure) = enforced(world, sink, namespace);
        let held = behind_claim(namespace);
        let odds = held.but(1.0, sure);
        sink.edge_with(set_of(&CLAIMABLE, scope), all, &SET_MEMBER, odds, &[level]);
        used = true;
    }
    for volume in free.into_iter().filter(|_| used) {
        lead(world, sink, keys, (all, Odds::certain(1.0)), volume);
    }
    for (ns, volumes) in kept {
        let Some(namespace) = world.namespace(ns).map(|ix| &world.namespaces[ix.index()]) else {
            continue;
        };
        let (_, sure) = enforced(world, sink, namespace);
        let odds = behind_claim(namespace).but(1.0, sure);
        let scope = Scope::Namespace(ns);
        for volume in volumes {
            if makers.contains(&ns) {
                lead(world, sink, keys, (set_of(&KEPT, scope), odds), volume);
            }
            if by_pods.contains(&ns) && is_of_a_pod(world, volume) {
                lead(world, sink, keys, (set_of(&KEPT_FOR_POD, scope), odds), volume);
            }
        }
    }
}

/// Leads a set to the path of one volume.
fn lead(
    world: &World,
    sink: &mut Sink<'_>,
    keys: &mut Vec<SetKey>,
    (from, odds): (Thing<'static>, Odds),
    volume: VolumeIx,
) {
    let Some(Thing::Set(path)) = volume_path(world, volume) else { return };
    let row = &world.volumes[volume.index()];
    let (shown, sure) = match row.free {
        Free::Yes => ("Available", Confidence::Certain),
        Free::Unsaid | Free::No => ("not shown", Confidence::Likely),
    };
    let mut facts = vec![sink.fact(row.object, ".status.phase", shown)];
    let (ns, name) = row.claim;
    if !name.is_empty() {
        let text = format!("{}/{}, which does not exist", world.text(ns), world.text(name));
        facts.push(sink.fact(row.object, ".spec.claimRef", &text));
    }
    // The edge into the set bears the likelihood of making the pod.
    let odds = odds.but(1.0, sure);
    sink.edge_with(from, Thing::Set(path), &PV_CLAIM_AVAILABLE, odds, &facts);
    keys.push(path);
}
