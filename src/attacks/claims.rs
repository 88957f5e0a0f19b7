//! Claims that exist: whoever makes pods in their namespace mounts them, and pods that mount the
//! same one meet in its files.
//!
//! A claim is a thing of the graph of its own, which stands for its data. Where its volume is a path
//! of a machine, mounting it gives what the table of `host_paths` says of that path.

use super::Family;
use super::credentials;
use super::host_paths::{Distribution, Gain, PATHS};
use super::impersonation::{NODE_IDENTITIES, cluster, node_members};
use super::pod_api::{behind_claim, enforced, set_of};
use super::resolved_paths::resolved;
use super::sets::{SET_MEMBER, node_keys, node_sets, of_admin};
use super::structure::IS_NAMESPACE_ADMIN;
use super::workload_patch::{TEMPLATES, patchers};
use super::workloads::creators;
use crate::graph::{Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::Scope;
use crate::world::hosts::Host;
use crate::world::pods::Volume;
use crate::world::{ClaimIx, NodeIx, VolumeIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Mounts a claim of the namespace in a pod of one's own, and has its data.
    ///
    /// ## Needs
    /// Creating pods in the claim's namespace, or changing a workload there. No right on
    /// `persistentvolumeclaims` is asked for. Where the claim's volume is a `hostPath` or `local`
    /// path of a machine, the pod has that path, on any node if the volume has no `nodeAffinity`.
    /// ## Abuse
    /// Create a pod with `volumes: [{name: d, persistentVolumeClaim: {claimName: NAME}}]`; for a
    /// `ReadWriteOnce` volume with the `nodeName` of the pod that uses it.
    /// ## Stopped by
    /// `ReadWriteOncePod` while another pod uses the claim. Pod Security allows claims at every
    /// level; `restricted` refuses root inside, so the files' modes apply.
    /// ## Fix
    /// Keep data of others in another namespace; replace volumes that are paths of a machine.
    /// ## Detect
    /// Audit events with verb `create` on pods whose request names a claim that no other pod of the
    /// caller uses.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#claims-as-volumes>
    /// - executed on kube-apiserver 1.36: a claim on a hostPath volume passes `restricted`
    pub(super) static PVC_MOUNT_EXISTING = {
        id: "pvc-mount-existing", title: "Mount a claim", mitre: &["T1530"],
        odds: Odds::certain(0.9),
    }
}

crate::attack! {
    /// Changes files in a volume that another pod mounts and perhaps executes or trusts.
    ///
    /// ## Needs
    /// Two pods that mount the same claim, one of them writable and as a whole. Whether the other
    /// executes what lies there is not in the snapshot, so the step into it is `possible` at best.
    /// ## Abuse
    /// Put a plugin, script, template or configuration into the volume that the other pod loads;
    /// plant a link where it writes.
    /// ## Stopped by
    /// A read-only mount (`readOnly: true`) in the pod that is taken over; the files' modes.
    /// ## Fix
    /// Mount read-only where nothing is written, a volume of its own for each application, or
    /// `subPath` for each.
    /// ## Detect
    /// Changes of executables and configuration on shared volumes.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes>
    /// - <https://kubehound.io/reference/attacks/VOLUME_ACCESS/>
    pub(super) static SHARED_VOLUME_LATERAL = {
        id: "shared-volume-lateral", title: "Meet in a volume", mitre: &["T1080"],
        odds: Odds::possible(0.2),
    }
}

/// Claims that exist.
pub(super) static FAMILY: Family =
    Family { name: "M Claims", attacks: &[&PVC_MOUNT_EXISTING, &SHARED_VOLUME_LATERAL], find };

/// Claims that a pod of one's own may mount.
static CLAIMS: SetKind = SetKind { id: "claims", noun: "claims to mount" };
/// Claims in namespaces that have a workload of a kind; the kind is told by the number.
static CLAIMS_BESIDE: SetKind =
    SetKind { id: "claims-beside-workloads", noun: "claims beside workloads" };
/// What a pod of one's own has of a path of a machine; the volume is told by the number.
static PATH: SetKind = SetKind { id: "volume-path", noun: "paths of a machine in a volume" };
/// What the pods of any node mount.
static ANY_MOUNTED: SetKind =
    SetKind { id: "any-mounted-credentials", noun: "credentials mounted into pods" };

fn find(world: &World, sink: &mut Sink<'_>) {
    if world.claims.is_empty() {
        return;
    }
    let (narrow, wide) = patchers(world, sink);
    let odds = PVC_MOUNT_EXISTING.odds;
    let patched = odds.but(0.95, Confidence::Certain);
    for (by, odds) in [(creators(world, sink), odds), (narrow, patched)] {
        for m in by.iter().filter(|m| has_claims(world, m.scope)) {
            let to = set_of(&CLAIMS, m.scope);
            sink.edge_with(m.from, to, &PVC_MOUNT_EXISTING, odds, &m.facts);
        }
    }
    for (template, m) in wide {
        let Some(at) = TEMPLATES.iter().position(|t| t.kind == template.kind) else { continue };
        let key = SetKey { kind: &CLAIMS_BESIDE, ns: Sym::EMPTY, of: number(at) };
        sink.edge_with(m.from, Thing::Set(key), &PVC_MOUNT_EXISTING, patched, &m.facts);
    }
    shared(world, sink);
}

fn has_claims(world: &World, scope: Scope) -> bool {
    match scope {
        Scope::Cluster => true,
        Scope::Namespace(ns) => !world.claims_of(ns).is_empty(),
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

/// A mount of a claim: what runs, its container, the mount's place in it.
type User = (Host, usize, usize);

/// Who mounts each claim.
fn users(world: &World) -> BTreeMap<ClaimIx, Vec<User>> {
    let mut found: BTreeMap<ClaimIx, Vec<User>> = BTreeMap::new();
    for host in world.hosts() {
        let spec = world.host_spec(host);
        let (_, ns) = world.host_object(host);
        for (index, container) in spec.containers.iter().enumerate() {
            for (place, mount) in container.mounts.iter().enumerate().filter(|(_, m)| !m.device) {
                if let Some(Volume::Claim { name, .. }) =
                    spec.volumes.get(usize::from(mount.volume))
                    && let Some(claim) = world.claim(ns, *name)
                {
                    found.entry(claim).or_default().push((host, index, place));
                }
            }
        }
    }
    found
}

/// Whether a claim's volume is kept for another claim, so that no pod mounts it by this one.
fn is_foreign(world: &World, claim: ClaimIx) -> bool {
    let claim = &world.claims[claim.index()];
    claim.volume.is_some_and(|volume| {
        let of = world.volumes[volume.index()].claim;
        !of.1.is_empty() && of != (claim.ns, claim.name)
    })
}

/// The containers that write into a claim lead to it, and it to those of other pods.
fn shared(world: &World, sink: &mut Sink<'_>) {
    for (claim, users) in users(world) {
        // The replicas of one specification hold the same already.
        let shapes: BTreeSet<_> = users.iter().map(|u| world.host_shape(u.0)).collect();
        if shapes.len() < 2 || is_foreign(world, claim) {
            continue;
        }
        let data = Thing::Claim(claim);
        for (host, index, place) in users {
            let spec = world.host_spec(host);
            let container = &spec.containers[index];
            if !world.is_enterable(host, container) {
                continue;
            }
            let mount = &container.mounts[place];
            let volume = &spec.volumes[usize::from(mount.volume)];
            let only = matches!(volume, Volume::Claim { read_only: true, .. });
            let (object, _) = world.host_object(host);
            let field = format!(".spec.volumes[{}].persistentVolumeClaim.claimName", mount.volume);
            let name = world.text(world.claims[claim.index()].name);
            let of = sink.fact(object, &world.host_field(host, &field), name);
            let field = format!("{}.volumeMounts[{}]", container.field(), mount.place);
            let writes = !only && !mount.read_only;
            let how = if writes { "read-write" } else { "read-only" };
            let how = sink.fact(object, &world.host_field(host, &field), how);
            let itself = Thing::Container(host, index);
            if writes && mount.sub_path.is_empty() {
                let sure = Odds::likely(0.9);
                sink.edge_with(itself, data, &SHARED_VOLUME_LATERAL, sure, &[of, how]);
            }
            if world.keeps_running(host, container) {
                sink.edge(data, itself, &SHARED_VOLUME_LATERAL, &[of, how]);
            }
        }
    }
}

/// Fills the sets of claims. `admins`: the namespaces over which somebody has power. Adds the sets
/// that need members to the keys.
pub(super) fn members(world: &World, sink: &mut Sink<'_>, keys: &mut Vec<SetKey>, admins: &[Sym]) {
    let mut places: BTreeSet<Sym> =
        keys.iter().filter(|k| k.kind == &CLAIMS).map(|k| k.ns).collect();
    let beside: Vec<u32> = keys.iter().filter(|k| k.kind == &CLAIMS_BESIDE).map(|k| k.of).collect();
    let part = |ns| set_of(&CLAIMS, Scope::Namespace(ns));
    let mut join = |sink: &mut Sink<'_>, from, ns: Sym, attack, fact| {
        if !world.claims_of(ns).is_empty() {
            sink.edge(from, part(ns), attack, &[fact]);
            places.insert(ns);
        }
    };
    for ix in admins.iter().filter_map(|ns| world.namespace(*ns)) {
        let namespace = &world.namespaces[ix.index()];
        let fact = of_admin(sink, namespace);
        join(sink, Thing::NamespaceAdmin(ix), namespace.name, &IS_NAMESPACE_ADMIN, fact);
    }
    for of in beside {
        let Some(template) = TEMPLATES.get(of as usize - 1) else { continue };
        let from = Thing::Set(SetKey { kind: &CLAIMS_BESIDE, ns: Sym::EMPTY, of });
        for ix in template.namespaces(world).iter().filter_map(|ns| world.namespace(*ns)) {
            let namespace = &world.namespaces[ix.index()];
            let fact = template.stands(sink, namespace);
            join(sink, from, namespace.name, &SET_MEMBER, fact);
        }
    }
    if keys.contains(&SetKey { kind: &CLAIMS, ns: Sym::EMPTY, of: 0 }) {
        for namespace in &world.namespaces {
            let fact = sink.fact(namespace.object, "", "a namespace of the cluster");
            join(sink, cluster(&CLAIMS), namespace.name, &SET_MEMBER, fact);
        }
    }
    let bound_anew: Vec<VolumeIx> = keys
        .iter()
        .filter(|k| k.kind == &PATH)
        .filter_map(|k| Some(VolumeIx::new(k.of.checked_sub(1)? as usize)))
        .collect();
    if places.is_empty() && bound_anew.is_empty() {
        return;
    }
    let users = users(world);
    let mut paths: BTreeMap<VolumeIx, BTreeSet<NodeIx>> = BTreeMap::new();
    for volume in bound_anew {
        let (ns, name) = world.volumes[volume.index()].claim;
        let used = world.claim(ns, name).and_then(|claim| users.get(&claim));
        let nodes = used.into_iter().flatten().filter_map(|u| world.host_node(u.0));
        paths.entry(volume).or_default().extend(nodes);
    }
    for ns in places {
        let Some(namespace) = world.namespace(ns).map(|ix| &world.namespaces[ix.index()]) else {
            continue;
        };
        for ix in world.claims_of(ns).map(ClaimIx::new).filter(|ix| !is_foreign(world, *ix)) {
            let claim = &world.claims[ix.index()];
            let used = users.get(&ix).map_or(&[][..], Vec::as_slice);
            let mut odds = Odds::certain(1.0);
            let mut facts = vec![sink.fact(claim.object, ".metadata.namespace", world.text(ns))];
            if claim.one_pod && !used.is_empty() {
                odds = odds.but(0.3, Confidence::Possible);
                let mode = sink.fact(claim.object, ".spec.accessModes", "ReadWriteOncePod");
                facts.push(mode);
            }
            sink.edge_with(part(ns), Thing::Claim(ix), &SET_MEMBER, odds, &facts);
            let Some(volume) = claim.volume else { continue };
            let row = &world.volumes[volume.index()];
            if gains(world.text(row.path)).is_empty() {
                continue;
            }
            let (level, sure) = enforced(world, sink, namespace);
            let held = behind_claim(namespace);
            facts.push(sink.fact(claim.object, ".spec.volumeName", world.text(row.name)));
            facts.push(level);
            let to = Thing::Set(SetKey { kind: &PATH, ns: Sym::EMPTY, of: number(volume.index()) });
            sink.edge_with(
                part(ns),
                to,
                &SET_MEMBER,
                odds.but(held.likelihood, held.confidence.max(sure)),
                &facts,
            );
            let nodes = used.iter().filter_map(|u| world.host_node(u.0));
            paths.entry(volume).or_default().extend(nodes);
        }
    }
    for (volume, nodes) in paths {
        path(world, sink, keys, volume, &nodes);
    }
}

/// What a pod of one's own has of a volume that is a path of a machine, if the path matters.
pub(super) fn volume_path(world: &World, volume: VolumeIx) -> Option<Thing<'static>> {
    let path = world.text(world.volumes[volume.index()].path);
    let key = SetKey { kind: &PATH, ns: Sym::EMPTY, of: number(volume.index()) };
    (!gains(path).is_empty()).then_some(Thing::Set(key))
}

/// The best of what writing a path gives, by kind and the distribution that it takes.
fn gains(path: &str) -> BTreeMap<(Gain, Option<Distribution>), Odds> {
    let mut best: BTreeMap<_, Odds> = BTreeMap::new();
    let Some((path, sure)) = resolved(path, "") else { return best };
    // Logs and processes are judged where a container mounts them.
    let wanted = |gain| !matches!(gain, Gain::Logs | Gain::PodLogs | Gain::Processes);
    for row in PATHS.iter().filter(|r| wanted(r.gain) && r.place(&path).is_some()) {
        let odds = best.entry((row.gain, row.distribution(&path))).or_insert(row.odds);
        if row.odds.likelihood > odds.likelihood {
            *odds = row.odds;
        }
    }
    best.values_mut().for_each(|odds| *odds = odds.but(1.0, sure));
    best
}

/// What a pod of one's own that mounts a volume has of its path: on the node of one's choice, or,
/// if the volume is tied to nodes, on those that it selects and those where it is mounted now.
fn path(
    world: &World,
    sink: &mut Sink<'_>,
    keys: &mut Vec<SetKey>,
    volume: VolumeIx,
    nodes: &BTreeSet<NodeIx>,
) {
    let row = &world.volumes[volume.index()];
    let field = if row.local { ".spec.local.path" } else { ".spec.hostPath.path" };
    let says = sink.fact(row.object, field, world.text(row.path));
    let from = Thing::Set(SetKey { kind: &PATH, ns: Sym::EMPTY, of: number(volume.index()) });
    let any = !row.local && !row.placed;
    let all: Vec<NodeIx> = if any {
        (0..world.nodes.len()).map(NodeIx::new).collect()
    } else {
        let mut nodes = nodes.clone();
        nodes.extend(world.selected_nodes(volume));
        nodes.into_iter().collect()
    };
    let master = all.iter().find_map(|n| credentials::control_plane(world, sink, *n));
    let put = |sink: &mut Sink<'_>, to: Thing<'_>, odds, facts: &[Fact]| {
        sink.edge_with(from, to, &PVC_MOUNT_EXISTING, odds, facts);
    };
    for ((gain, distribution), odds) in gains(world.text(row.path)) {
        if distribution.is_some_and(|d| !all.iter().any(|n| d.runs(world, *n))) {
            continue;
        }
        if gain.is_of_control_plane() || gain == Gain::StaticPods {
            let to = match gain {
                Gain::Scheduler => world.user("system:kube-scheduler").map(Thing::User),
                _ => Some(Thing::ClusterAdmin),
            };
            if let (Some(master), Some(to)) = (master, to) {
                put(sink, to, odds, &[says, master]);
            }
        }
        match gain {
            Gain::Kubelet if any => {
                put(sink, cluster(&NODE_IDENTITIES), odds, &[says]);
                node_members(world, sink);
            }
            Gain::Kubelet => {
                all.iter().for_each(|n| put(sink, Thing::NodeIdentity(*n), odds, &[says]));
            }
            Gain::Pods if any => {
                put(sink, cluster(&ANY_MOUNTED), odds, &[says]);
                for node in &all {
                    let key = credentials::on(&credentials::MOUNTED, *node);
                    let object = world.nodes[node.index()].object;
                    let fact = sink.fact(object, "", "a node of the cluster");
                    sink.edge(cluster(&ANY_MOUNTED), Thing::Set(key), &SET_MEMBER, &[fact]);
                    keys.push(key);
                }
            }
            Gain::Pods => {
                for node in &all {
                    let key = credentials::on(&credentials::MOUNTED, *node);
                    put(sink, Thing::Set(key), odds, &[says]);
                    keys.push(key);
                }
            }
            Gain::Socket | Gain::Execute | Gain::CorePattern | Gain::StaticPods if any => {
                for nodes in node_sets(world) {
                    put(sink, cluster(nodes), odds, &[says]);
                }
                keys.extend(node_keys(world));
            }
            Gain::Socket | Gain::Execute | Gain::CorePattern | Gain::StaticPods => {
                all.iter().for_each(|n| put(sink, Thing::Node(*n), odds, &[says]));
            }
            Gain::Applied
            | Gain::Keys
            | Gain::Admin
            | Gain::Scheduler
            | Gain::Etcd
            | Gain::Logs
            | Gain::PodLogs
            | Gain::Processes => {}
        }
    }
}
