//! Kubelets that NodeRestriction does not hold back: the API server's flags say so.
//!
//! The node authorizer lets every kubelet create and delete pods and change nodes; which pods and
//! which nodes is for the admission plugin to say, and the plugin is off unless a flag turns it on.

use super::Family;
use super::pod_api::{admits, set_of};
use super::sets::{PRIVILEGED_PODS, SECRETS, SERVICE_ACCOUNTS};
use crate::graph::{Confidence, Fact, Odds, Sink, Thing};
use crate::world::admission::Level;
use crate::world::grants::Scope;
use crate::world::pods::Container;
use crate::world::{NodeIx, UNKNOWN_NODE, World};

crate::attack! {
    /// Creates any pod as a node's kubelet, where NodeRestriction is off.
    ///
    /// ## Needs
    /// The identity of any node, and a kube-apiserver that authorizes by `Node` and whose
    /// `--enable-admission-plugins` does not name `NodeRestriction` (it is not among the plugins
    /// that are on by default), or whose `--disable-admission-plugins` does.
    /// ## Abuse
    /// `kubectl --kubeconfig /etc/kubernetes/kubelet.conf create -f pod.yaml` with an account of
    /// choice in a namespace of choice: the node authorizer grants `create` and `delete` on pods,
    /// and `patch` on every node, and leaves it to the plugin to narrow them down to mirror pods
    /// and the node itself.
    /// ## Stopped by
    /// The Pod Security level of the namespace, for the pod itself; other admission. Without the
    /// `Node` mode a kubelet has only what RBAC gives it. Managed control planes have the plugin on.
    /// ## Fix
    /// Start every API server with `--enable-admission-plugins=NodeRestriction`.
    /// ## Detect
    /// Audit events of `system:node:NAME` that create pods without the annotation
    /// `kubernetes.io/config.mirror`, or that change another node.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction>
    /// - kubernetes `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`, `NodeRules`, and
    ///   `pkg/kubeapiserver/options/plugins.go`, `DefaultOffAdmissionPlugins`
    pub(super) static NODE_RESTRICTION_OFF = {
        id: "node-restriction-off", title: "Create pods as the kubelet", mitre: &["T1610", "T1078"],
        odds: Odds::certain(0.95),
    }
}

/// Kubelets that nothing holds back.
pub(super) static FAMILY: Family =
    Family { name: "K Node restriction", attacks: &[&NODE_RESTRICTION_OFF], find };

fn find(world: &World, sink: &mut Sink<'_>) {
    let Some((odds, facts)) = unrestricted(world, sink) else { return };
    let privileged = world.namespaces.iter().any(|n| admits(n, Level::Privileged));
    for (i, node) in world.nodes.iter().enumerate() {
        if world.text(node.name) == UNKNOWN_NODE {
            continue;
        }
        let from = Thing::NodeIdentity(NodeIx::new(i));
        let mut lead = |kind| {
            let to = set_of(kind, Scope::Cluster);
            sink.edge_with(from, to, &NODE_RESTRICTION_OFF, odds, &facts);
        };
        lead(&SERVICE_ACCOUNTS);
        lead(&SECRETS);
        if privileged {
            lead(&PRIVILEGED_PODS);
        }
    }
}

/// How sure it is that an API server does not restrict kubelets, and what says so. One of several
/// is enough, since a kubelet may talk to any.
fn unrestricted(world: &World, sink: &mut Sink<'_>) -> Option<(Odds, Vec<Fact>)> {
    let mut found: Option<(Odds, Vec<Fact>)> = None;
    for (object, container) in world.api_servers() {
        let Some((odds, values)) = says(world, container) else { continue };
        if found.as_ref().is_none_or(|(best, _)| odds.confidence < best.confidence) {
            let field = format!("{}.command", container.field());
            let facts = values.iter().map(|v| sink.fact(object, &field, v)).collect();
            found = Some((odds, facts));
        }
    }
    found
}

/// Whether the flags of an API server leave NodeRestriction off, and what they say.
fn says(world: &World, container: &Container) -> Option<(Odds, Vec<String>)> {
    let names = |list: &str| list.split(',').any(|p| p.trim() == "NodeRestriction");
    let mut odds = NODE_RESTRICTION_OFF.odds;
    let mut values = Vec::new();
    let off = world.listed(container, "--disable-admission-plugins");
    if names(&off) {
        values.push(format!("--disable-admission-plugins={off}"));
    } else {
        let on = world.listed(container, "--enable-admission-plugins");
        // The old flag names every plugin that is on.
        if names(&on) || names(&world.listed(container, "--admission-control")) {
            return None;
        }
        values.push(match &*on {
            "" => "no --enable-admission-plugins".to_owned(),
            on => format!("--enable-admission-plugins={on}"),
        });
    }
    let modes = world.listed(container, "--authorization-mode");
    if modes.split(',').any(|mode| mode.trim() == "Node") {
        values.push(format!("--authorization-mode={modes}"));
    } else if modes.is_empty() && !world.listed(container, "--authorization-config").is_empty() {
        // A file that the snapshot does not hold names the modes, `Node` among them as a rule.
        odds = odds.but(0.9, Confidence::Likely);
        values.push("--authorization-config".to_owned());
    } else {
        return None;
    }
    Some((odds, values))
}
