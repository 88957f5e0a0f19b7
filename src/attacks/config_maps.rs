//! ConfigMaps that hold credentials, which many may read who may read no Secret.
//!
//! Only such ConfigMaps are things here: one that holds none leads nowhere.

use super::Family;
use super::pod_api::{named, set_of};
use super::sets::{ADMIN_ACTS, SET_MEMBER, of_admin};
use super::workloads::{POD_CREATE_MOUNT_SECRET, creators};
use crate::graph::{Attack, Confidence, Fact, Odds, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::hosts::Host;
use crate::world::{MapIx, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Reads a ConfigMap that holds a credential.
    ///
    /// ## Needs
    /// `get`, `list`, `watch`, `patch` or `deletecollection` on `configmaps`, as `view` allows it,
    /// and a ConfigMap with a kubeconfig that signs in, with a key of a cloud, or the
    /// `full-cluster-state` of RKE. `resourceNames` are honoured, but not by `deletecollection`.
    /// ## Abuse
    /// `kubectl get configmap -n NAMESPACE NAME -o yaml`; with `patch` alone a PATCH of `{}`, with
    /// `deletecollection` alone a dry run: both answer with the data.
    /// ## Stopped by
    /// `resourceNames` limit it to those ConfigMaps.
    /// ## Fix
    /// Move the credential into a Secret and change it; RKE does so since 1.4.19 and 1.5.10.
    /// ## Detect
    /// Audit events with verb `get` or `list` on the ConfigMap.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/configuration/configmap/>: not for confidential data
    /// - <https://github.com/rancher/rke/security/advisories/GHSA-6gr4-52w6-vmqx> (CVE-2023-32191)
    pub(super) static CONFIG_MAP_READ = {
        id: "config-map-read", title: "Read a ConfigMap with a credential",
        mitre: &["T1552.001", "MS-TA9027"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// A container has a ConfigMap with a credential in a volume or in its environment.
    ///
    /// ## Needs
    /// The container mounts a volume from the ConfigMap, or refers to it in `env` or `envFrom`.
    /// ## Abuse
    /// In the container: `cat` the files under the mount's path, or `env`.
    /// ## Stopped by
    /// A sidecar without the mount does not hold it. An init container that has ended cannot be
    /// entered.
    /// ## Fix
    /// Move the credential into a Secret that only the container which needs it mounts, and change
    /// it.
    /// ## Detect
    /// File access under the mount's path by other programs than the container's own, as runtime
    /// sensors on the node report it.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/configuration/configmap/#using-configmaps>
    pub(super) static POD_MOUNTS_CONFIG_MAP = {
        id: "pod-mounts-config-map", title: "Holds a ConfigMap with a credential",
        mitre: &["T1552.001"], odds: Odds::certain(0.98),
    }
}

/// ConfigMaps that hold credentials.
pub(super) static FAMILY: Family =
    Family { name: "D ConfigMaps", attacks: &[&CONFIG_MAP_READ, &POD_MOUNTS_CONFIG_MAP], find };

/// ConfigMaps that hold credentials.
static MAPS: SetKind = SetKind { id: "config-maps", noun: "config maps with credentials" };

/// The verbs whose answers hold the data, and whether they tell names that were not known.
pub(super) static READS: &[(&str, bool)] = &[
    ("get", false),
    ("list", true),
    ("watch", true),
    ("patch", false),
    ("deletecollection", true),
];

fn find(world: &World, sink: &mut Sink<'_>) {
    if world.credential_maps.is_empty() {
        return;
    }
    let namespaces: BTreeSet<Sym> = world.credential_maps.iter().map(|m| m.ns).collect();
    for (verb, tells_names) in READS {
        reads(world, sink, verb, *tells_names, &namespaces);
    }
    // Whoever makes a pod may mount what stands in its namespace.
    for maker in creators(world, sink) {
        let attack = &POD_CREATE_MOUNT_SECRET;
        lead(sink, maker.from, maker.scope, attack, attack.odds, &maker.facts, &namespaces);
    }
    for ns in &namespaces {
        let Some(namespace) = world.namespace(*ns) else { continue };
        let object = world.namespaces[namespace.index()].object;
        let (part, whole) = (set_of(&MAPS, Scope::Namespace(*ns)), set_of(&MAPS, Scope::Cluster));
        let fact = sink.fact(object, "", "has config maps with credentials");
        sink.edge(whole, part, &SET_MEMBER, &[fact]);
        let fact = of_admin(sink, &world.namespaces[namespace.index()]);
        let admin = Thing::NamespaceAdmin(namespace);
        sink.edge_with(admin, part, &super::structure::IS_NAMESPACE_ADMIN, ADMIN_ACTS, &[fact]);
        let fact = sink.fact(object, "", "what stands in it belongs to the set");
        for map in world.credential_maps_of(*ns).map(MapIx::new) {
            sink.edge(part, Thing::ConfigMap(map), &SET_MEMBER, &[fact]);
        }
    }
    mounts(world, sink);
}

/// Leads to the ConfigMaps of a scope, if it has some.
fn lead(
    sink: &mut Sink<'_>,
    from: Thing<'static>,
    scope: Scope,
    attack: &'static Attack,
    odds: Odds,
    facts: &[Fact],
    namespaces: &BTreeSet<Sym>,
) {
    let reached = match scope {
        Scope::Cluster => true,
        Scope::Namespace(ns) => namespaces.contains(&ns),
    };
    if reached {
        sink.edge_with(from, set_of(&MAPS, scope), attack, odds, facts);
    }
}

fn reads(
    world: &World,
    sink: &mut Sink<'_>,
    verb: &'static str,
    tells_names: bool,
    namespaces: &BTreeSet<Sym>,
) {
    let permission = Permission::namespaced(verb, "", "configmaps");
    let odds = CONFIG_MAP_READ.odds;
    let all = if tells_names { odds } else { odds.but(0.95, Confidence::Likely) };
    for grant in world.grants(&permission).iter().filter(|g| g.names == Names::All) {
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(grant);
        lead(sink, from, grant.scope, &CONFIG_MAP_READ, all, &facts, namespaces);
    }
    if verb == "deletecollection" {
        return;
    }
    for grant in world.grants(&permission.with_name()) {
        let Names::Only(names) = grant.names else { continue };
        let facts = sink.grant(&grant);
        for map in named(world, grant.scope, names, |ns, name| world.credential_map(ns, name)) {
            let (from, to) = (Thing::Binding(grant.binding), Thing::ConfigMap(map));
            sink.edge(from, to, &CONFIG_MAP_READ, &facts);
        }
    }
}

fn mounts(world: &World, sink: &mut Sink<'_>) {
    for host in world.hosts() {
        let (_, ns) = world.host_object(host);
        if world.credential_maps_of(ns).is_empty() {
            continue;
        }
        for (container, name, field) in held(world, host) {
            let Some(map) = world.credential_map(ns, name) else { continue };
            let (object, _) = world.host_object(host);
            let fact = sink.fact(object, &world.host_field(host, &field), world.text(name));
            let from = Thing::Container(host, container);
            sink.edge(from, Thing::ConfigMap(map), &POD_MOUNTS_CONFIG_MAP, &[fact]);
        }
    }
}

/// The ConfigMaps in containers that can be entered, and the fields that put them there.
fn held(world: &World, host: Host) -> Vec<(usize, Sym, String)> {
    let spec = world.host_spec(host);
    let mut found = Vec::new();
    for (i, container) in spec.containers.iter().enumerate() {
        if !world.is_enterable(host, container) {
            continue;
        }
        for env in &container.map_env {
            let list = if env.from { "envFrom" } else { "env" };
            let reference = if env.from { "configMapRef" } else { "valueFrom.configMapKeyRef" };
            let field = format!("{}.{list}[{}].{reference}.name", container.field(), env.place);
            found.push((i, env.secret, field));
        }
        for (volume, source, name) in &spec.map_volumes {
            if container.mounts.iter().any(|mount| mount.volume == *volume) {
                let source =
                    source.map_or_else(String::new, |s| format!(".projected.sources[{s}]"));
                found.push((i, *name, format!(".spec.volumes[{volume}]{source}.configMap.name")));
            }
        }
    }
    found
}
