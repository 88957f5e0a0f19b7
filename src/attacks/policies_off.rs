//! Switching off the admission policies of a namespace, and making privileged pods in it.
//!
//! Policies bind whoever creates pods, but they are objects, and so are the configurations of the
//! webhooks by which engines are asked. One right removes them, another makes pods; two requests, so
//! different conquered identities may hold them. Each namespace with policies in force has a gate.

use super::Family;
use super::gate::{PART, gate};
use super::impersonation::cluster;
use super::openshift;
use super::pod_api::{enforced, set_of};
use super::sets::node_sets;
use super::together::parts;
use crate::graph::{Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::guards::Form;
use crate::world::{Namespace, World};

crate::attack! {
    /// Removes the admission policies that refuse privileged pods, then runs one on any node.
    ///
    /// ## Needs
    /// Two rights, which may be held by different conquered identities: making pods as in
    /// `pod-create-privileged` or `workload-patch`, in a namespace where policies are in force and
    /// that enforces no Pod Security level; and for each kind of policy in force there `delete`,
    /// `deletecollection`, `update` or `patch`, by a ClusterRoleBinding, on the policies
    /// (`clusterpolicies` of `kyverno.io`, `validatingpolicies` of `policies.kyverno.io`, the
    /// constraints or `constrainttemplates` of Gatekeeper, `validatingadmissionpolicies` or their
    /// bindings), or on `validatingwebhookconfigurations`, by which Kyverno and Gatekeeper are asked.
    /// ## Abuse
    /// `kubectl delete clusterpolicy --all`, or `kubectl patch` it to `Audit`; for a policy of the
    /// API server `kubectl delete validatingadmissionpolicybinding NAME`. Then create a pod with
    /// `privileged: true`, `hostPID: true` and the volume `hostPath: /`.
    /// ## Stopped by
    /// `resourceNames` that leave out a policy in force. An engine or a GitOps controller that
    /// restores what was removed, as Kyverno does with its webhooks within minutes. Pod Security
    /// levels, which no policy lifts.
    /// ## Fix
    /// Remove write verbs on policies and webhook configurations from roles of anyone but the
    /// engine; enforce `pod-security.kubernetes.io/enforce=baseline` on the namespaces as well.
    /// ## Detect
    /// Audit events with verb `delete`, `deletecollection`, `update` or `patch` on these resources
    /// by anyone but the engine's accounts.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>
    /// - <https://kyverno.io/docs/installation/customization/>
    /// - <https://open-policy-agent.github.io/gatekeeper/website/docs/emergency/>
    pub(super) static ADMISSION_CONTROL_DISABLE = {
        id: "admission-control-disable", title: "Switch off policies and run a privileged pod",
        mitre: &["T1562.001", "T1610", "T1611"], odds: Odds::likely(0.85),
    }
}

/// Admission policies.
pub(super) static FAMILY: Family = Family {
    name: "G Admission & API machinery: admission policies",
    attacks: &[&ADMISSION_CONTROL_DISABLE],
    find,
};

/// What switches off one form of policy: its resources, and whether a webhook asks it.
struct Off {
    form: Form,
    set: SetKind,
    /// Group and resource. A resource that no engine serves stands for a rule that names all.
    resources: &'static [(&'static str, &'static str)],
    /// The usual name of the webhook configuration.
    webhook: Option<&'static str>,
}

const API: &str = "admissionregistration.k8s.io";
const KYVERNO: Option<&str> = Some("kyverno-resource-validating-webhook-cfg");
const WEBHOOKS: &str = "validatingwebhookconfigurations";

static OFF: &[Off] = &[
    Off {
        form: Form::ClusterPolicy,
        set: SetKind { id: "cluster-policies-off", noun: "rights to switch off ClusterPolicies" },
        resources: &[("kyverno.io", "clusterpolicies")],
        webhook: KYVERNO,
    },
    Off {
        form: Form::ValidatingPolicy,
        set: SetKind {
            id: "validating-policies-off",
            noun: "rights to switch off ValidatingPolicies",
        },
        resources: &[("policies.kyverno.io", "validatingpolicies")],
        webhook: KYVERNO,
    },
    Off {
        form: Form::Namespaced,
        set: SetKind { id: "kyverno-off", noun: "rights to switch off Kyverno's webhooks" },
        resources: &[],
        webhook: KYVERNO,
    },
    Off {
        form: Form::Constraint,
        set: SetKind { id: "constraints-off", noun: "rights to switch off constraints" },
        resources: &[
            ("constraints.gatekeeper.sh", "every-one"),
            ("templates.gatekeeper.sh", "constrainttemplates"),
        ],
        webhook: Some("gatekeeper-validating-webhook-configuration"),
    },
    Off {
        form: Form::ApiServer,
        set: SetKind {
            id: "admission-policies-off",
            noun: "rights to switch off ValidatingAdmissionPolicies",
        },
        resources: &[
            (API, "validatingadmissionpolicies"),
            (API, "validatingadmissionpolicybindings"),
        ],
        webhook: None,
    },
];

static MAKE: SetKind = SetKind { id: "guarded-pods", noun: "pods that policies refuse" };
/// Opens when the policies of a namespace can be switched off and pods be made there.
static OPEN: SetKind = SetKind { id: "policies-off", noun: "privileged pods let in" };

fn find(world: &World, sink: &mut Sink<'_>) {
    for off in OFF {
        if !world.guards.iter().any(|g| g.form == off.form && !g.rules.is_empty()) {
            continue;
        }
        let verbs = ["delete", "update", "patch", "deletecollection"];
        let on = |group, resource| verbs.map(|verb| Permission::cluster(verb, group, resource));
        for (group, resource) in off.resources {
            for grant in parts(world, &on(group, resource)) {
                // Names must take in every policy; those of templates and bindings are others.
                let all = world
                    .guards
                    .iter()
                    .filter(|g| g.form == off.form)
                    .all(|g| grant.names.covers(world.objects[g.object.index()].name));
                let own = matches!(off.form, Form::ClusterPolicy | Form::ValidatingPolicy)
                    || *resource == "validatingadmissionpolicies";
                if grant.names == Names::All || own && all {
                    let facts = sink.grant(&grant);
                    let from = Thing::Binding(grant.binding);
                    let attack = &ADMISSION_CONTROL_DISABLE;
                    sink.edge_with(from, cluster(&off.set), attack, PART, &facts);
                }
            }
        }
        let Some(webhook) = off.webhook else { continue };
        let webhook = world.symbols.get(webhook);
        for grant in parts(world, &on(API, WEBHOOKS)) {
            if grant.names == Names::All || webhook.is_some_and(|name| grant.names.covers(name)) {
                let facts = sink.grant(&grant);
                let from = Thing::Binding(grant.binding);
                // An engine restores its webhooks after a while.
                let odds = Odds::likely(0.8);
                let attack = &ADMISSION_CONTROL_DISABLE;
                sink.edge_with(from, cluster(&off.set), attack, odds, &facts);
            }
        }
    }
}

/// The gate of a namespace whose policies can be switched off, fed by its set of privileged pods.
/// `keys` are the sets that edges lead to: a right that nobody has opens nothing.
pub(super) fn open(
    world: &World,
    sink: &mut Sink<'_>,
    namespace: &Namespace,
    pods: Thing<'static>,
    keys: &[SetKey],
) {
    let Some(guarded) = &namespace.guarded else { return };
    let needed: Vec<&Off> = OFF.iter().filter(|off| guarded.forms.contains(&off.form)).collect();
    let held = |off: &&Off| keys.iter().any(|key| key.kind == &off.set);
    if needed.is_empty() || !needed.iter().all(held) {
        return;
    }
    let attack = &ADMISSION_CONTROL_DISABLE;
    let made = set_of(&MAKE, Scope::Namespace(namespace.name));
    let (level, _) = enforced(world, sink, namespace);
    sink.edge_with(pods, made, attack, PART, &[level]);
    let mut inputs = vec![made];
    inputs.extend(needed.iter().map(|off| cluster(&off.set)));
    let key = SetKey { kind: &OPEN, ns: namespace.name, of: 0 };
    let gate = gate(world, sink, key, attack, &inputs);
    let (facts, held) = openshift::unguarded(world, sink, namespace);
    let odds = attack.odds.but(held.likelihood, held.confidence);
    for nodes in node_sets(world) {
        let to = Thing::Set(SetKey { kind: nodes, ns: Sym::EMPTY, of: 0 });
        sink.edge_with(gate, to, attack, odds, &facts);
    }
}
