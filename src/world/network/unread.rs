//! Policies of kinds that are not evaluated: what they select is unknown.

use super::Switches;
use super::expr::Truth;
use super::form::{Direction, Role};
use crate::world::World;

/// A kind of policy that is not evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// Kind and group.
    pub(super) name: String,
    reach: Reach,
    whose: Whose,
}

/// What a kind can speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    All,
    Egress,
    /// Where pods go outside the cluster.
    Outside,
}

/// Who would enforce a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Antrea,
    Aws,
    Other,
}

impl Unread {
    /// Whether it may have a say: it speaks of such connections, and may be enforced.
    pub(super) fn speaks(&self, direction: Direction, outside: bool, switches: &Switches) -> bool {
        let enforced = match self.whose {
            Whose::Antrea => switches.antrea,
            Whose::Aws => switches.aws,
            Whose::Other => switches.others,
        };
        let meant = match self.reach {
            Reach::All => true,
            Reach::Egress => direction == Direction::Egress,
            Reach::Outside => direction == Direction::Egress && outside,
        };
        meant && enforced != Truth::No
    }
}

/// Groups whose kinds say who may connect, with the names of these kinds, and of what they say so.
#[rustfmt::skip]
const KINDS: &[(&str, &[&str], Reach, Whose)] = &[
    ("crd.antrea.io", &["ClusterNetworkPolicy", "NetworkPolicy"], Reach::All, Whose::Antrea),
    ("networking.k8s.aws", &["ApplicationNetworkPolicy", "ClusterNetworkPolicy"], Reach::All, Whose::Aws),
    ("security.antrea.tanzu.vmware.com", &["ClusterNetworkPolicy", "NetworkPolicy"], Reach::All, Whose::Antrea),
    ("crd.nsx.vmware.com", &["SecurityPolicy"], Reach::All, Whose::Other),
    ("nsx.vmware.com", &["SecurityPolicy"], Reach::All, Whose::Other),
    ("networking.gke.io", &["FQDNNetworkPolicy"], Reach::Egress, Whose::Other),
    ("k8s.ovn.org", &["EgressFirewall"], Reach::Outside, Whose::Other),
    ("network.openshift.io", &["EgressNetworkPolicy"], Reach::Outside, Whose::Other),
];

/// The kinds of policies that a world holds and that are not evaluated.
pub(super) fn unread(world: &World) -> Vec<Unread> {
    let mut found = Vec::new();
    for ((group, kind), count) in &world.seen {
        let known =
            KINDS.iter().find(|(g, kinds, ..)| g == group && kinds.contains(&kind.as_str()));
        if let Some((.., reach, whose)) = known.filter(|_| *count > 0) {
            let name = format!("{kind}.{group}");
            found.push(Unread { name, reach: *reach, whose: *whose });
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
