//! Volumes that are paths of a machine: creating one, and mounting it behind a claim.
//!
//! Pod Security admission looks at a pod's own volumes and not behind its claims, so a
//! PersistentVolume with `hostPath` reaches the machine from a namespace of any level. Making the
//! volume and making the pod are two requests, which two conquered identities may make: a gate.

use super::Family;
use super::gate::{PART, gate};
use super::impersonation::cluster;
use super::pod_api::{admits, behind_claim, enforced, set_of};
use super::sets::{node_keys, node_sets, of_admin};
use super::structure::IS_NAMESPACE_ADMIN;
use super::together::allows_everything;
use super::workload_patch::{Template, WORKLOAD_PATCH, patchers};
use super::workloads::{Maintainer, creators, is_name, together};
use crate::graph::{Confidence, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::{Namespace, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Creates a volume that is a directory of the machine, and a pod that mounts it by a claim.
    ///
    /// ## Needs
    /// `create` on `persistentvolumes` by a ClusterRoleBinding, and creating pods, or changing a
    /// workload, in some namespace; two identities may hold the two. `create` on
    /// `persistentvolumeclaims` is one way to the claim and not the only one: the controllers make
    /// the claims of a pod's `ephemeral` volume (from Kubernetes 1.21 on) and of a StatefulSet's
    /// `volumeClaimTemplates` for whoever made the pod or the StatefulSet.
    /// ## Abuse
    /// Create a PersistentVolume with `hostPath: {path: /}` and `storageClassName: manual`, then a
    /// pod with `nodeName: NODE` and a volume `ephemeral: {volumeClaimTemplate: {spec:
    /// {storageClassName: manual, volumeName: NAME, ...}}}`, or one of a claim that names the volume.
    /// ## Stopped by
    /// No Pod Security level: claims are allowed at each. `restricted` refuses root inside, so the
    /// files' modes apply; group 0 (`runAsGroup`) remains free to choose, which is the group of the
    /// container runtime's socket. An admission policy on PersistentVolumes stops it. The source of
    /// an existing volume cannot be changed, so `patch` and `update` do not give this; a RoleBinding
    /// grants nothing on PersistentVolumes.
    /// ## Fix
    /// Leave PersistentVolumes to administrators and to the provisioners, and refuse `hostPath` and
    /// `local` in them by a ValidatingAdmissionPolicy.
    /// ## Detect
    /// Audit events with verb `create` on `persistentvolumes` whose request has `spec.hostPath` or
    /// `spec.local`, by others than a provisioner.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#persistent-volume-creation>
    /// - <https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#security>
    /// - executed on kube-apiserver 1.36: a claim on a hostPath volume binds, and its pod passes
    ///   `restricted`
    pub(super) static PV_HOST_PATH_CREATE = {
        id: "pv-host-path-create", title: "Create a host path behind a claim",
        mitre: &["T1610", "T1611"], odds: Odds::certain(0.95),
    }
}

/// Volumes that are paths of a machine.
pub(super) static FAMILY: Family =
    Family { name: "M Storage", attacks: &[&PV_HOST_PATH_CREATE], find };

/// Whoever may create a PersistentVolume.
static VOLUMES: SetKind = SetKind { id: "new-volumes", noun: "host-path volumes to create" };
/// Whoever may create a pod that mounts a claim, in a namespace or in some.
static MOUNTERS: SetKind = SetKind { id: "claiming-pods", noun: "pods to create with a claim" };
/// Opens when the volume and the pod can be made.
static MOUNTED: SetKind = SetKind { id: "mounted-host-path", noun: "host paths behind a claim" };

const VERB: Permission = Permission::cluster("create", "", "persistentvolumes");

fn find(world: &World, sink: &mut Sink<'_>) {
    let (masters, mut grants): (Vec<_>, Vec<_>) =
        world.grants(&VERB).into_iter().partition(|g| allows_everything(world, g));
    grants.dedup_by_key(|g| (g.binding, g.rule));
    let mut makers: Vec<Maintainer> =
        grants.iter().map(|grant| Maintainer::by(sink, grant)).collect();
    makers.extend(applied(world, sink));
    if makers.is_empty() {
        return;
    }
    for m in &makers {
        sink.edge_with(m.from, cluster(&VOLUMES), &PV_HOST_PATH_CREATE, PART, &m.facts);
    }
    // Whoever may do everything needs no gate.
    let masters: BTreeSet<Thing<'_>> = masters.iter().map(|g| Thing::Binding(g.binding)).collect();
    let (narrow, wide) = patchers(world, sink);
    for (by, odds) in [(creators(world, sink), PART), (narrow, WORKLOAD_PATCH.odds)] {
        for m in by.iter().filter(|m| !masters.contains(&m.from)) {
            let to = set_of(&MOUNTERS, m.scope);
            sink.edge_with(m.from, to, &PV_HOST_PATH_CREATE, odds, &m.facts);
        }
    }
    // Changing workloads everywhere changes the one in the namespace of the weakest level.
    let mut places = BTreeMap::new();
    for (template, m) in wide.into_iter().filter(|(_, m)| !masters.contains(&m.from)) {
        let place = places.entry(template.kind).or_insert_with(|| weakest_with(world, template));
        let Some(namespace) = place else { continue };
        let mut facts = m.facts;
        facts.push(template.stands(sink, namespace));
        let mut odds = WORKLOAD_PATCH.odds;
        if !admits(namespace, Level::Baseline) {
            odds = odds.but(1.0, Confidence::Likely);
        }
        sink.edge_with(m.from, cluster(&MOUNTERS), &PV_HOST_PATH_CREATE, odds, &facts);
    }
}

/// Whoever may create a PersistentVolume by server-side apply: `create` and `patch` on one name,
/// which none bears yet.
fn applied(world: &World, sink: &mut Sink<'_>) -> Vec<Maintainer> {
    let mut creates = world.grants(&VERB.with_name());
    creates.retain(|g| matches!(g.names, Names::Only(_)));
    if creates.is_empty() {
        return Vec::new();
    }
    let patches = world.grants(&Permission::cluster("patch", "", "persistentvolumes"));
    let mut found = Vec::new();
    for pair in world.pairs(&creates, &patches) {
        let Names::Only(names) = pair.first.names else { continue };
        let free = |name: &&Sym| {
            is_name(world.text(**name))
                && pair.second.names.covers(**name)
                && world.volumes.binary_search_by_key(*name, |v| v.name).is_err()
        };
        if names.iter().any(|name| free(&name)) {
            let (from, facts) = together(world, sink, &pair);
            found.push(Maintainer { from, scope: Scope::Cluster, facts });
        }
    }
    found
}

/// The namespace whose level refuses least, the first of several.
pub(super) fn weakest<'w>(
    namespaces: impl Iterator<Item = &'w Namespace>,
) -> Option<&'w Namespace> {
    let worth = |n: &Namespace| behind_claim(n).likelihood;
    namespaces.max_by(|a, b| worth(a).total_cmp(&worth(b)).then(b.name.cmp(&a.name)))
}

/// The namespace of the weakest level in which a workload of a kind stands.
pub(super) fn weakest_with<'w>(world: &'w World, template: &Template) -> Option<&'w Namespace> {
    let standing = template.namespaces(world);
    let named = standing.iter().filter_map(|ns| world.namespace(*ns));
    weakest(named.map(|ix| &world.namespaces[ix.index()]))
}

/// Builds the gate of each scope in which somebody may make the pod, and leads it to the nodes.
/// `admins`: the namespaces over which somebody has power. Adds the sets of nodes to the keys that
/// need members.
pub(super) fn members(world: &World, sink: &mut Sink<'_>, keys: &mut Vec<SetKey>, admins: &[Sym]) {
    let whole = |kind| SetKey { kind, ns: Sym::EMPTY, of: 0 };
    if !keys.contains(&whole(&VOLUMES)) {
        return;
    }
    for ix in admins.iter().filter_map(|ns| world.namespace(*ns)) {
        let namespace = &world.namespaces[ix.index()];
        let key = SetKey { kind: &MOUNTERS, ns: namespace.name, of: 0 };
        let fact = of_admin(sink, namespace);
        let from = Thing::NamespaceAdmin(ix);
        sink.edge(from, Thing::Set(key), &IS_NAMESPACE_ADMIN, &[fact]);
        keys.push(key);
    }
    let places: BTreeSet<Sym> = keys.iter().filter(|k| k.kind == &MOUNTERS).map(|k| k.ns).collect();
    for ns in places {
        let scope = if ns.is_empty() { Scope::Cluster } else { Scope::Namespace(ns) };
        let Some(namespace) = weakest(world.reached(scope).iter()) else { continue };
        let parts = [cluster(&VOLUMES), set_of(&MOUNTERS, scope)];
        let key = SetKey { kind: &MOUNTED, ns, of: 0 };
        let gate = gate(world, sink, key, &PV_HOST_PATH_CREATE, &parts);
        let (level, sure) = enforced(world, sink, namespace);
        let held = behind_claim(namespace);
        let odds = PV_HOST_PATH_CREATE.odds.but(held.likelihood, held.confidence.max(sure));
        for kind in node_sets(world) {
            sink.edge_with(gate, cluster(kind), &PV_HOST_PATH_CREATE, odds, &[level]);
        }
        keys.extend(node_keys(world));
    }
}
