//! Kubelets that ask nobody who he is.
//!
//! A kubelet's own configuration is no object of the cluster. Kubeadm keeps a copy for the nodes
//! that join in a ConfigMap of `kube-system`, and that is what a snapshot shows of it. What the
//! read-only port shows is the specifications of pods, which lead nowhere by themselves.

use super::Family;
use super::exposure::isolates_egress;
use super::secrets::enterable;
use super::sets::PODS;
use crate::graph::{Confidence, Fact, Odds, SetKey, Sink, Thing};
use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::{PolicyIx, World};
use rustc_hash::FxHashMap;

crate::attack! {
    /// Runs commands in any pod by a kubelet that answers everybody.
    ///
    /// ## Needs
    /// Kubelets with `authentication.anonymous.enabled: true` and `authorization.mode: AlwaysAllow`,
    /// as the ConfigMap `kubelet-config` of `kube-system` has them for the nodes that join, and the
    /// network's way from a container to port 10250 of the nodes.
    /// ## Abuse
    /// `curl -sk https://NODE:10250/pods`, then `curl -sk -X POST
    /// 'https://NODE:10250/run/NAMESPACE/POD/CONTAINER' -d cmd=id`.
    /// ## Stopped by
    /// Either setting alone: with `authorization.mode: Webhook` the anonymous user needs a grant on
    /// `nodes/proxy`. A node whose own file differs from the ConfigMap, since a later change of the
    /// ConfigMap reaches no node before its next upgrade. A NetworkPolicy that isolates the pod's
    /// egress may: whether it does is unknown until policies are evaluated. A firewall around the
    /// nodes' port 10250 against pods is rare.
    /// ## Fix
    /// In the ConfigMap and in `/var/lib/kubelet/config.yaml` of each node set
    /// `authentication.anonymous.enabled: false` and `authorization.mode: Webhook`, then restart the
    /// kubelets.
    /// ## Detect
    /// Connections of pods to port 10250 of nodes. The API server's audit log shows nothing of it.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/>
    /// - CIS Kubernetes Benchmark 4.2.1 and 4.2.2
    pub(super) static KUBELET_ANONYMOUS = {
        id: "kubelet-anonymous", title: "Run commands by an open kubelet",
        mitre: &["T1133", "T1609", "MS-TA9005"], odds: Odds::likely(0.8),
    }
}

/// What a kubelet's port gives to whoever reaches it.
pub(super) static FAMILY: Family =
    Family { name: "H Kubelet's port", attacks: &[&KUBELET_ANONYMOUS], find };

fn find(world: &World, sink: &mut Sink<'_>) {
    let Some(map) = world.config_maps.iter().find(|map| map.open_kubelet) else { return };
    let value = "authentication.anonymous.enabled true, authorization.mode AlwaysAllow";
    let open = sink.fact(map.object, ".data.kubelet", value);
    let pods = Thing::Set(SetKey { kind: &PODS, ns: Sym::EMPTY, of: 0 });
    let mut isolated: FxHashMap<(Sym, u32), Option<PolicyIx>> = FxHashMap::default();
    for host in world.hosts() {
        let (object, ns) = world.host_object(host);
        let spec = world.host_spec(host);
        let labels = match host {
            Host::Pod(_) => world.objects[object.index()].labels,
            Host::Template(workload) => world.workloads[workload.index()].template_labels,
        };
        let mut odds = KUBELET_ANONYMOUS.odds;
        let mut isolates: Option<Fact> = None;
        if !spec.host_network
            && let Some(policy) =
                *isolated.entry((ns, labels)).or_insert_with(|| isolates_egress(world, ns, labels))
        {
            odds = odds.but(0.5, Confidence::Unknown);
            let policy = world.policies[policy.index()].object;
            let value = "isolates egress; not evaluated";
            isolates = Some(sink.fact(policy, ".spec.podSelector", value));
        }
        let shape = world.host_field(host, ".spec.containers");
        let runs = sink.fact(object, &shape, "its network leads to the nodes");
        let facts: Vec<Fact> = [runs, open].into_iter().chain(isolates).collect();
        for (i, container) in spec.containers.iter().enumerate() {
            if enterable(world, host, container) {
                sink.edge_with(Thing::Container(host, i), pods, &KUBELET_ANONYMOUS, odds, &facts);
            }
        }
    }
}
