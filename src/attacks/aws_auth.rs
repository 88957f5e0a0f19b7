//! The ConfigMap by which EKS maps identities of AWS to users and groups of the cluster.

use super::Family;
use super::certificates::eks_sign;
use super::workloads::applied;
use crate::graph::{Fact, Odds, Sink, Thing};
use crate::world::World;
use crate::world::grants::{Names, Permission};
use std::collections::BTreeSet;

crate::attack! {
    /// Writes oneself into the ConfigMap `aws-auth` as a member of `system:masters`.
    ///
    /// ## Needs
    /// `update` or `patch` on the ConfigMap `kube-system/aws-auth` of an EKS cluster, and any
    /// identity in AWS, one's own account's too. Where the ConfigMap is missing, `create` on
    /// `configmaps` in `kube-system`.
    /// ## Abuse
    /// `kubectl -n kube-system patch configmap aws-auth`, with an entry of `mapUsers` or `mapRoles`
    /// that gives one's ARN the group `system:masters`; then `aws eks get-token` signs in.
    /// ## Stopped by
    /// The cluster's authentication mode `API`, which ignores the ConfigMap and is not in a
    /// snapshot. `resourceNames` limit it to other ConfigMaps. In other clusters the name has no
    /// meaning.
    /// ## Fix
    /// Set the authentication mode to `API` and use access entries; take writes on ConfigMaps of
    /// `kube-system` out of the role.
    /// ## Detect
    /// Audit events with verb `update`, `patch` or `create` on `configmaps` of that name; sign-ins
    /// by ARNs that are new, in the log of the authenticator.
    /// ## References
    /// - <https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html>
    /// - <https://docs.aws.amazon.com/eks/latest/userguide/grant-k8s-access.html>
    pub(super) static AWS_AUTH_WRITE = {
        id: "aws-auth-write", title: "Map an AWS identity to system:masters",
        mitre: &["T1098", "T1078.004"], odds: Odds::likely(0.85),
    }
}

/// Sign-in by AWS.
pub(super) static FAMILY: Family =
    Family { name: "Q Cloud sign-in", attacks: &[&AWS_AUTH_WRITE], find };

const NAMESPACE: &str = "kube-system";
const NAME: &str = "aws-auth";

fn find(world: &World, sink: &mut Sink<'_>) {
    let Some(masters) = world.group("system:masters") else { return };
    let Some(ns) = world.symbols.get(NAMESPACE) else { return };
    let to = Thing::Group(masters);
    let map = world.config_maps.iter().find(|m| m.ns == ns && world.text(m.name) == NAME);
    let name = world.symbols.get(NAME);
    let right = |verb| Permission::namespaced(verb, "", "configmaps");
    let covers = |names: Names<'_>| match names {
        Names::All => true,
        Names::Only(only) => name.is_some_and(|name| only.contains(&name)),
    };
    // Where no ConfigMap was collected, that of an EKS cluster may be there.
    let collected = world.count(crate::k8s::Kind::ConfigMap) > 0;
    let there = match map {
        Some(map) => Some((sink.fact(map.object, ".metadata.name", NAME), AWS_AUTH_WRITE.odds)),
        None if !collected => eks_fact(world, sink).map(|fact| (fact, Odds::possible(0.5))),
        None => None,
    };
    if let Some((fact, odds)) = there {
        let grants = world.grants_any(&[right("update"), right("patch")]);
        for grant in grants.iter().filter(|g| g.scope.covers(ns) && covers(g.names)) {
            let facts: Vec<Fact> = sink.grant(grant).into_iter().chain([fact]).collect();
            sink.edge_with(Thing::Binding(grant.binding), to, &AWS_AUTH_WRITE, odds, &facts);
        }
        return;
    }
    let Some(eks) = eks_fact(world, sink) else { return };
    // A cluster without the ConfigMap may well be one of the mode that ignores it.
    let odds = Odds::possible(0.4);
    let creates = world.grants(&right("create"));
    let mut seen = BTreeSet::new();
    for grant in creates.iter().filter(|g| g.scope.covers(ns) && g.names == Names::All) {
        if seen.insert((grant.binding, grant.rule)) {
            let facts: Vec<Fact> = sink.grant(grant).into_iter().chain([eks]).collect();
            sink.edge_with(Thing::Binding(grant.binding), to, &AWS_AUTH_WRITE, odds, &facts);
        }
    }
    // By server-side apply a right on the name alone creates it.
    let other = |of, named| of != ns || Some(named) != name;
    for one in applied(world, sink, "", "configmaps", other) {
        if one.scope.covers(ns) {
            let facts: Vec<Fact> = one.facts.into_iter().chain([eks]).collect();
            sink.edge_with(one.from, to, &AWS_AUTH_WRITE, odds, &facts);
        }
    }
}

/// What tells that the cluster is one of EKS.
fn eks_fact(world: &World, sink: &mut Sink<'_>) -> Option<Fact> {
    let sign = eks_sign(world)?;
    Some(sink.fact(sign, "", "a cluster of EKS, whose ConfigMap aws-auth is not shown"))
}
