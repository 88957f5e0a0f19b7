//! Policies of kinds that are not evaluated: what they select is unknown.

use super::form::Role;
use crate::world::World;

/// A kind of policy that is not evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// Kind and group.
    pub(super) name: String,
    /// It can only say where pods may go outside the cluster.
    pub(super) outside: bool,
}

/// Groups whose kinds say who may connect, with the names of these kinds, and whether they say so
/// of what is outside alone.
const KINDS: &[(&str, &[&str], bool)] = &[
    ("crd.antrea.io", &["ClusterNetworkPolicy", "NetworkPolicy"], false),
    ("networking.k8s.aws", &["ApplicationNetworkPolicy", "ClusterNetworkPolicy"], false),
    ("security.antrea.tanzu.vmware.com", &["ClusterNetworkPolicy", "NetworkPolicy"], false),
    ("crd.nsx.vmware.com", &["SecurityPolicy"], false),
    ("nsx.vmware.com", &["SecurityPolicy"], false),
    ("k8s.ovn.org", &["EgressFirewall"], true),
    ("network.openshift.io", &["EgressNetworkPolicy"], true),
];

/// The kinds of policies that a world holds and that are not evaluated.
pub(super) fn unread(world: &World) -> Vec<Unread> {
    let mut found = Vec::new();
    for ((group, kind), count) in &world.seen {
        let known = KINDS.iter().find(|(g, kinds, _)| g == group && kinds.contains(&kind.as_str()));
        if let Some((.., outside)) = known.filter(|_| *count > 0) {
            found.push(Unread { name: format!("{kind}.{group}"), outside: *outside });
        }
    }
    found
}

/// Whether policies speak of nodes' own traffic: those of Cilium that select nodes, and those that
/// Calico applies to the interfaces of hosts.
pub(super) fn of_nodes(world: &World) -> bool {
    let calico = |group: &str| matches!(group, "crd.projectcalico.org" | "projectcalico.org");
    let interfaces = |((group, kind), count): (&(String, String), &u64)| {
        calico(group) && kind == "HostEndpoint" && *count > 0
    };
    world.seen.iter().any(interfaces)
        || world.network.others.iter().any(|row| matches!(row.says.role, Role::OfNodes))
}
