//! Answering for an API group: whoever points its APIService at a Service of one's own.

use super::Family;
use super::gate::{PART, gate, needed_together};
use super::impersonation::cluster;
use super::service_hijack::useful;
use super::together::parts;
use super::workloads::pod_creation;
use crate::graph::{Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::World;
use crate::world::grants::{Names, Permission};

crate::attack! {
    /// Points the APIService of a built-in group at a Service of one's own, and answers for the API.
    ///
    /// ## Needs
    /// Two rights, which may be held by different conquered identities: `update` or `patch` on
    /// `apiservices` of `apiregistration.k8s.io`, by a ClusterRoleBinding, for one of a built-in
    /// group such as `v1.` or `v1.rbac.authorization.k8s.io`; and a Service that leads to a program
    /// of one's own: writing Services, or making pods.
    /// ## Abuse
    /// Patch `v1.rbac.authorization.k8s.io`: set `spec.service`, `insecureSkipTLSVerify: true`, and
    /// remove the label `kube-aggregator.kubernetes.io/automanaged`. The API server then asks that
    /// Service for ClusterRoleBindings, its own authorizer included, and hands it the bodies of all
    /// requests to the group.
    /// ## Stopped by
    /// The API server puts a built-in APIService back when it starts, if the label is still there.
    /// `resourceNames` of aggregated groups such as `v1beta1.metrics.k8s.io`, whose forged answers
    /// give no right. `create` alone adds versions that nobody asks for. No token is to be had: the
    /// `Authorization` header is removed before the request is passed on.
    /// ## Fix
    /// Limit `update` and `patch` on `apiservices` by `resourceNames` to the extension's own.
    /// ## Detect
    /// Audit events that write `apiservices`; any APIService of a built-in group with
    /// `spec.service`.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/>
    /// - kubernetes kube-aggregator `pkg/controllers/autoregister/autoregister_controller.go`: what
    ///   it puts back; `pkg/apiserver/handler_proxy.go`
    /// - from the source, not executed
    pub(super) static API_SERVICE_HIJACK = {
        id: "api-service-hijack", title: "Answer for an API group",
        mitre: &["T1557"], odds: Odds::possible(0.3),
    }
}

/// Aggregation.
pub(super) static FAMILY: Family = Family {
    name: "G Admission & API machinery: aggregation",
    attacks: &[&API_SERVICE_HIJACK],
    find,
};

static REGISTER: SetKind = SetKind { id: "api-services", noun: "rights to point API groups" };
static SERVE: SetKind = SetKind { id: "services-of-ones-own", noun: "Services of one's own" };
/// Opens when a group can be pointed at a Service, and a Service be had.
static ANSWERED: SetKind = SetKind { id: "api-group", noun: "API groups answered for" };

/// The groups whose answers give power over the cluster: rights, pods and what makes them, Secrets,
/// admission.
const GROUPS: &[&str] = &[
    "",
    "rbac.authorization.k8s.io",
    "apps",
    "batch",
    "admissionregistration.k8s.io",
    "certificates.k8s.io",
];

fn find(world: &World, sink: &mut Sink<'_>) {
    const GROUP: &str = "apiregistration.k8s.io";
    let attack = &API_SERVICE_HIJACK;
    let write = ["update", "patch"].map(|verb| Permission::cluster(verb, GROUP, "apiservices"));
    let mut writers = parts(world, &write);
    writers.retain(|grant| match grant.names {
        Names::All => true,
        Names::Only(names) => names.iter().any(|name| is_built_in(world.text(*name))),
    });
    if writers.is_empty() {
        return;
    }
    let services =
        ["create", "update", "patch"].map(|verb| Permission::namespaced(verb, "", "services"));
    let mut servers = Vec::new();
    for grant in [useful(world, &services), useful(world, pod_creation())].concat() {
        servers.push((Thing::Binding(grant.binding), sink.grant(&grant)));
    }
    if servers.is_empty() {
        return;
    }
    for grant in writers {
        let facts = sink.grant(&grant);
        let from = Thing::Binding(grant.binding);
        sink.edge_with(from, cluster(&REGISTER), attack, PART, &facts);
    }
    for (from, facts) in servers {
        sink.edge_with(from, cluster(&SERVE), attack, PART, &facts);
    }
    let key = SetKey { kind: &ANSWERED, ns: Sym::EMPTY, of: 0 };
    let gate = gate(world, sink, key, attack, &[&REGISTER, &SERVE].map(cluster));
    let together = needed_together(world, sink);
    sink.edge(gate, Thing::ClusterAdmin, attack, &[together]);
}

/// Whether an APIService of this name is there in every cluster: `VERSION.GROUP`.
fn is_built_in(name: &str) -> bool {
    name.split_once('.').is_some_and(|(version, group)| version == "v1" && GROUPS.contains(&group))
}

#[cfg(test)]
mod tests {
    use super::is_built_in;

    #[test]
    fn names_of_built_in_groups() {
        assert!(is_built_in("v1.") && is_built_in("v1.rbac.authorization.k8s.io"));
        assert!(!is_built_in("v1beta1.metrics.k8s.io") && !is_built_in("v1") && !is_built_in("*"));
    }
}
