//! Labels of namespaces as a way in: a webhook that is held is asked about one namespace more.

use super::Family;
use super::gate::gate;
use super::impersonation::cluster;
use super::pod_api::{admits, enforced, set_of};
use super::psa_relax::{Relaxer, relaxers};
use super::sets::{PRIVILEGED_PODS, SECRETS, SERVICE_ACCOUNTS};
use super::webhook_hijack::{answers, labels_of};
use crate::graph::{Confidence, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::grants::Scope;
use crate::world::rows::{Hook, Operator};
use crate::world::{Namespace, ServiceIx, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Gives a namespace the label by which a webhook selects, so that a webhook which is held is
    /// asked about the pods there too.
    ///
    /// ## Needs
    /// Two things, which may be held by different conquered identities: `patch` or `update` on the
    /// Namespace (as for `namespace-psa-relax`), and the answers of a mutating webhook for pods or
    /// workloads (as for `webhook-service-hijack`) whose `namespaceSelector` leaves the namespace
    /// out by a label that can be changed. And a pod that is created there later.
    /// ## Abuse
    /// `kubectl label namespace kube-system istio-injection=enabled`, then answer the
    /// AdmissionReviews of its pods.
    /// ## Stopped by
    /// A selector on `kubernetes.io/metadata.name`, which the API server sets by itself.
    /// `resourceNames` without the namespace's name. An admission policy that pins labels.
    /// ## Fix
    /// Exempt `kube-system` from webhooks by `kubernetes.io/metadata.name`; take `patch` and
    /// `update` on `namespaces` from roles that are bound inside a namespace.
    /// ## Detect
    /// Audit events with verb `patch` or `update` on `namespaces` that change a label which a
    /// webhook selects by.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#namespace-modification>
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-namespaceselector>
    pub(super) static NAMESPACE_LABEL_SPOOF = {
        id: "namespace-label-spoof", title: "Label a namespace for a held webhook",
        mitre: &["T1562"], odds: Odds::likely(0.5),
    }
}

/// Labels of namespaces. `webhook_hijack` calls the walk with the webhooks that can be held.
pub(super) static FAMILY: Family = Family {
    name: "G Admission & API machinery: labels of namespaces",
    attacks: &[&NAMESPACE_LABEL_SPOOF],
    find: super::webhook_hijack::labels,
};

static LABEL: SetKind = SetKind { id: "namespace-labels", noun: "rights to label namespaces" };
/// The pods of a namespace, as somebody else creates them.
static WRITES: SetKind = SetKind { id: "pods-to-come", noun: "pods that others create" };
/// Opens when a webhook's answers are held and a namespace can be labelled for it.
static SPOOFED: SetKind = SetKind { id: "labelled-for-webhook", noun: "webhooks asked by label" };

/// What can be reached by labels that a Service's webhooks select by. Adds the namespaces, which
/// `members` then leads on.
pub(super) fn spoof(
    world: &World,
    sink: &mut Sink<'_>,
    service: ServiceIx,
    hooks: &[&Hook],
    opened: &mut BTreeSet<Sym>,
) {
    let attack = &NAMESPACE_LABEL_SPOOF;
    let targets: Vec<&Namespace> = world
        .namespaces
        .iter()
        .filter(|n| {
            let selected = |hook: &&&Hook| hook.namespaces.selects(&labels_of(world, n));
            !hooks.iter().any(|hook| selected(&hook))
                && hooks.iter().any(|hook| can_be_selected(world, hook, n))
        })
        .collect();
    if targets.is_empty() {
        return;
    }
    let found = relaxers(world, &targets);
    let of = u32::try_from(service.index() + 1).unwrap_or(u32::MAX);
    let (mut all, mut some) = (false, Vec::new());
    for Relaxer { grant, odds, only } in &found {
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(grant);
        match only {
            None => {
                all = true;
                sink.edge_with(from, cluster(&LABEL), attack, *odds, &facts);
            }
            Some(only) => {
                for ns in only {
                    some.push(*ns);
                    let to = set_of(&LABEL, Scope::Namespace(*ns));
                    sink.edge_with(from, to, attack, *odds, &facts);
                }
            }
        }
    }
    some.sort_unstable();
    some.dedup();
    let mut open = |ns: Sym, scope: Scope, targets: &[&Namespace]| {
        let key = SetKey { kind: &SPOOFED, ns, of };
        let parts = [answers(world, service), set_of(&LABEL, scope)];
        let gate = gate(world, sink, key, attack, &parts);
        for namespace in targets {
            let fact = sink.fact(namespace.object, ".metadata.labels", "do not select it yet");
            sink.edge(gate, set_of(&WRITES, Scope::Namespace(namespace.name)), attack, &[fact]);
            opened.insert(namespace.name);
        }
    };
    if all {
        open(Sym::EMPTY, Scope::Cluster, &targets);
    }
    for ns in some {
        if let Ok(at) = targets.binary_search_by_key(&ns, |n| n.name) {
            open(ns, Scope::Namespace(ns), &targets[at..=at]);
        }
    }
}

/// What changing the pods that others create gives in each namespace.
pub(super) fn members(world: &World, sink: &mut Sink<'_>, opened: &BTreeSet<Sym>) {
    let attack = &NAMESPACE_LABEL_SPOOF;
    for namespace in opened.iter().filter_map(|ns| world.namespace(*ns)) {
        let namespace = &world.namespaces[namespace.index()];
        let to = |kind| set_of(kind, Scope::Namespace(namespace.name));
        let (level, _) = enforced(world, sink, namespace);
        let sure = Odds::certain(1.0);
        sink.edge_with(to(&WRITES), to(&SERVICE_ACCOUNTS), attack, sure, &[level]);
        let mount = sure.but(0.95, Confidence::Likely);
        sink.edge_with(to(&WRITES), to(&SECRETS), attack, mount, &[level]);
        if admits(namespace, Level::Privileged) {
            sink.edge_with(to(&WRITES), to(&PRIVILEGED_PODS), attack, sure, &[level]);
        }
    }
}

/// Whether labels of one's choice make a webhook's selector select a namespace: all but its name,
/// which the API server keeps among its labels.
fn can_be_selected(world: &World, hook: &Hook, namespace: &Namespace) -> bool {
    hook.namespaces.0.iter().all(|r| match r.operator {
        Operator::Invalid => false,
        _ if world.text(r.key) != "kubernetes.io/metadata.name" => true,
        Operator::In => r.values.contains(&namespace.name),
        Operator::NotIn => !r.values.contains(&namespace.name),
        Operator::Exists => true,
        Operator::DoesNotExist => false,
    })
}
