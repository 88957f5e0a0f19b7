//! Making a namespace: a new one bears no Pod Security level.

use super::Family;
use super::gate::{PART, gate};
use super::impersonation::cluster;
use super::pod_api::{admits, enforced};
use super::policies;
use super::sets::node_sets;
use super::together::parts;
use super::workloads::{creators, is_name, together};
use crate::graph::{Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::World;
use crate::world::admission::Level;
use crate::world::grants::{Names, Permission, Scope};

crate::attack! {
    /// Makes a namespace without a Pod Security level and runs a privileged pod in it, on any node.
    ///
    /// ## Needs
    /// Two rights, both by ClusterRoleBindings, which may be held by different conquered
    /// identities: `create` on `namespaces` (with `resourceNames`, `create` and `patch` on a name
    /// that no namespace bears), and `create` on `pods` or on a workload that makes pods. Shown
    /// where every namespace of the snapshot enforces a level: otherwise whoever creates pods in
    /// the whole cluster needs no new namespace.
    /// ## Abuse
    /// `kubectl create namespace x`, then create a pod in it with `privileged: true`,
    /// `hostPID: true` and `nodeName` set to the node of one's choice.
    /// ## Stopped by
    /// A default level in the API server's AdmissionConfiguration, which a snapshot does not show;
    /// an admission policy that labels or refuses new namespaces. In OpenShift its constraints. A
    /// right to create pods in single namespaces does not reach the new one.
    /// ## Fix
    /// Set `defaults.enforce: baseline` in the API server's PodSecurityConfiguration; take
    /// `create` on `namespaces` from whoever creates pods.
    /// ## Detect
    /// Audit events with verb `create` on `namespaces`, followed by pods of the same caller there.
    /// ## References
    /// - <https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-admission-controller/>
    /// - <https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces>
    pub(super) static NAMESPACE_CREATE_UNLABELLED = {
        id: "namespace-create-unlabelled", title: "Run a privileged pod in a new namespace",
        mitre: &["T1562.001", "T1610", "T1611"], odds: Odds::likely(0.85),
    }
}

/// Making namespaces.
pub(super) static FAMILY: Family = Family {
    name: "G Admission & API machinery: namespaces",
    attacks: &[&NAMESPACE_CREATE_UNLABELLED],
    find,
};

static NEW: SetKind = SetKind { id: "namespace-creation", noun: "rights to make namespaces" };
static PODS_ANYWHERE: SetKind =
    SetKind { id: "pod-creation-anywhere", noun: "rights to make pods in any namespace" };
/// Opens when a namespace can be made, and pods in it.
static OPEN: SetKind = SetKind { id: "new-namespace", noun: "new namespaces without a level" };

fn find(world: &World, sink: &mut Sink<'_>) {
    let attack = &NAMESPACE_CREATE_UNLABELLED;
    // OpenShift's constraints hold in a new namespace as well.
    if world.openshift || world.namespaces.iter().any(|n| admits(n, Level::Privileged)) {
        return;
    }
    let Some(namespace) = world.namespaces.first() else { return };
    let founders = founders(world, sink);
    let mut makers = creators(world, sink);
    makers.retain(|m| m.scope == Scope::Cluster);
    if founders.is_empty() || makers.is_empty() {
        return;
    }
    for (from, facts) in founders {
        sink.edge_with(from, cluster(&NEW), attack, PART, &facts);
    }
    for maker in makers {
        sink.edge_with(maker.from, cluster(&PODS_ANYWHERE), attack, PART, &maker.facts);
    }
    let key = SetKey { kind: &OPEN, ns: Sym::EMPTY, of: 0 };
    let gate = gate(world, sink, key, attack, &[&NEW, &PODS_ANYWHERE].map(cluster));
    let (level, _) = enforced(world, sink, namespace);
    let mut facts = vec![level];
    let left = policies::weigh_new(world, sink, &mut facts);
    let odds = attack.odds.but(left.likelihood, left.confidence);
    for nodes in node_sets(world) {
        sink.edge_with(gate, cluster(nodes), attack, odds, &facts);
    }
}

/// Everyone who may make a namespace.
fn founders(world: &World, sink: &mut Sink<'_>) -> Vec<(Thing<'static>, Vec<Fact>)> {
    let create = Permission::cluster("create", "", "namespaces");
    let mut found = Vec::new();
    for grant in parts(world, &[create]) {
        found.push((Thing::Binding(grant.binding), sink.grant(&grant).to_vec()));
    }
    // By server-side apply of a name that is free.
    let mut named = world.grants(&create.with_name());
    named.retain(|g| matches!(g.names, Names::Only(_)));
    let patches = world.grants(&Permission::cluster("patch", "", "namespaces"));
    for pair in world.pairs(&named, &patches) {
        let Names::Only(names) = pair.first.names else { continue };
        let free = |name: &Sym| {
            is_name(world.text(*name))
                && pair.second.names.covers(*name)
                && world.namespace(*name).is_none()
        };
        if names.iter().any(free) {
            found.push(together(world, sink, &pair));
        }
    }
    found
}
