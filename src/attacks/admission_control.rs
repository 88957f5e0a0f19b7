//! Control of admission: whoever configures what the API server asks about each write reads and
//! changes the writes of others.
//!
//! All of it waits for somebody else's write, so no step here is certain.

use super::Family;
use super::gate::{PART, gate, needed_together};
use super::impersonation::cluster;
use super::pod_api::shown;
use super::sets::SECRETS;
use super::together::parts;
use super::workloads::is_name;
use crate::graph::{Attack, Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::World;
use crate::world::grants::{Grant, Names, Permission};

crate::attack! {
    /// Sends the writes of others through a webhook that changes them.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `mutatingwebhookconfigurations`, by a ClusterRoleBinding,
    /// an HTTPS endpoint that the API server reaches, and a later write by somebody else: a pod of
    /// any controller, a ClusterRoleBinding of an administrator. `update` and `patch` need a
    /// configuration that is there.
    /// ## Abuse
    /// Create a MutatingWebhookConfiguration with `clientConfig.url` and `caBundle` of one's own
    /// for `clusterrolebindings`, and add a subject to what passes; or for `pods`, and put an image,
    /// an account and a volume into a pod of `kube-system`.
    /// ## Stopped by
    /// A control plane without a way to the endpoint. Pod Security runs after the mutation and
    /// refuses pods above the namespace's level. Webhook configurations are not sent to webhooks.
    /// Some providers keep webhooks from `kube-system`.
    /// ## Fix
    /// Limit `update` and `patch` by `resourceNames` to the operator's own configuration, and let
    /// the installer create it; inject `caBundle` by nobody else.
    /// ## Detect
    /// Audit events that write `mutatingwebhookconfigurations`, and the annotations
    /// `mutation.webhook.admission.k8s.io/*` of webhooks that nobody installed.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks>
    /// - Palo Alto Networks, rbac-police policy `control_webhooks`
    pub(super) static MUTATING_WEBHOOK_CONTROL = {
        id: "mutating-webhook-control", title: "Change the writes of others",
        mitre: &["T1546", "MS-TA9015"], odds: Odds::likely(0.5),
    }
}

crate::attack! {
    /// Reads the Secrets that others write, by a validating webhook.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `validatingwebhookconfigurations`, by a ClusterRoleBinding,
    /// an HTTPS endpoint that the API server reaches, and a later write of the Secret: a webhook
    /// sees what is created, changed or deleted, not what lies still. `update` and `patch` need a
    /// configuration that is there.
    /// ## Abuse
    /// Create a ValidatingWebhookConfiguration with `clientConfig.url` of one's own for all
    /// operations on `secrets`; each request holds the object and the one before.
    /// ## Stopped by
    /// A control plane without a way to the endpoint; Secrets that nobody writes again.
    /// ## Fix
    /// Limit `update` and `patch` by `resourceNames` to the operator's own configuration.
    /// ## Detect
    /// Audit events that write `validatingwebhookconfigurations`.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks>
    /// - kubernetes `staging/src/k8s.io/api/admission/v1`: `object` and `oldObject`
    pub(super) static VALIDATING_WEBHOOK_CONTROL = {
        id: "validating-webhook-control", title: "Read Secrets as they are written",
        mitre: &["T1546", "T1557"], odds: Odds::possible(0.3),
    }
}

crate::attack! {
    /// Changes the writes of others by an expression in a MutatingAdmissionPolicy, without any
    /// endpoint.
    ///
    /// ## Needs
    /// Two rights, both by ClusterRoleBindings, which may be held by different conquered
    /// identities: `create`, `update` or `patch` on `mutatingadmissionpolicies`, and the same on
    /// `mutatingadmissionpolicybindings`; and a later write by somebody else. The API is served
    /// by default since 1.36; from 1.32 to 1.35 it needs a feature gate and `--runtime-config`.
    /// ## Abuse
    /// Create a policy for `clusterrolebindings` whose expression adds a subject, and a binding
    /// that names the policy; the next ClusterRoleBinding of an administrator carries it.
    /// ## Stopped by
    /// Without a binding a policy does nothing. Pod Security runs after the mutation. Policies do
    /// not apply to policies and their bindings.
    /// ## Fix
    /// Remove the write verbs on both resources from the role; `*` on `admissionregistration.k8s.io`
    /// includes them.
    /// ## Detect
    /// Audit events that write `mutatingadmissionpolicies` or `mutatingadmissionpolicybindings`.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/>
    /// - executed on kube-apiserver 1.36: the policy alone does nothing; with its binding it adds a
    ///   subject to an administrator's ClusterRoleBinding; it cannot evade Pod Security
    pub(super) static MUTATING_ADMISSION_POLICY_CONTROL = {
        id: "mutating-admission-policy-control", title: "Change the writes of others by a policy",
        mitre: &["T1546"], odds: Odds::likely(0.6),
    }
}

/// Admission control.
pub(super) static FAMILY: Family = Family {
    name: "G Admission & API machinery: admission control",
    attacks: &[
        &MUTATING_WEBHOOK_CONTROL,
        &VALIDATING_WEBHOOK_CONTROL,
        &MUTATING_ADMISSION_POLICY_CONTROL,
    ],
    find,
};

const GROUP: &str = "admissionregistration.k8s.io";

static POLICIES: SetKind =
    SetKind { id: "mutating-policies", noun: "rights to write mutating policies" };
static BINDINGS: SetKind =
    SetKind { id: "mutating-policy-bindings", noun: "rights to bind mutating policies" };
/// Opens when a mutating policy can be written and bound.
static IN_FORCE: SetKind = SetKind { id: "mutating-policy", noun: "mutating policies in force" };

fn find(world: &World, sink: &mut Sink<'_>) {
    let webhooks = "mutatingwebhookconfigurations";
    for (grant, odds) in
        writers(world, webhooks, "MutatingWebhookConfiguration", MUTATING_WEBHOOK_CONTROL.odds)
    {
        lead(sink, &grant, Thing::ClusterAdmin, &MUTATING_WEBHOOK_CONTROL, odds);
    }
    let webhooks = "validatingwebhookconfigurations";
    for (grant, odds) in
        writers(world, webhooks, "ValidatingWebhookConfiguration", VALIDATING_WEBHOOK_CONTROL.odds)
    {
        lead(sink, &grant, cluster(&SECRETS), &VALIDATING_WEBHOOK_CONTROL, odds);
    }
    policies(world, sink);
}

fn lead(
    sink: &mut Sink<'_>,
    grant: &Grant<'_>,
    to: Thing<'_>,
    attack: &'static Attack,
    odds: Odds,
) {
    let facts = sink.grant(grant);
    sink.edge_with(Thing::Binding(grant.binding), to, attack, odds, &facts);
}

/// Everyone who may write configurations of a kind, and how likely that helps. Of those that are
/// there a snapshot shows the number at most, so a right to change what may not be there is less.
fn writers<'w>(
    world: &'w World,
    resource: &'static str,
    kind: &str,
    odds: Odds,
) -> Vec<(Grant<'w>, Odds)> {
    let of = |verb| Permission::cluster(verb, GROUP, resource);
    let creates = parts(world, &[of("create")]);
    let some = world.seen.iter().any(|((_, name), count)| name == kind && *count > 0);
    let mut found: Vec<(Grant<'w>, Odds)> = Vec::new();
    for grant in parts(world, &[of("update"), of("patch")]) {
        let key = (grant.binding, grant.rule);
        if creates.binary_search_by_key(&key, |g| (g.binding, g.rule)).is_ok() {
            continue;
        }
        let odds = match grant.names {
            Names::All if some => odds,
            Names::All => odds.but(0.3, Confidence::Possible),
            // A name is worth something only where a configuration can bear it.
            Names::Only(names) if some && names.iter().any(|n| is_name(world.text(*n))) => {
                odds.but(0.8, Confidence::Possible)
            }
            Names::Only(_) => continue,
        };
        found.push((grant, odds));
    }
    found.extend(creates.into_iter().map(|grant| (grant, odds)));
    found
}

/// Policies and their bindings: two requests.
fn policies(world: &World, sink: &mut Sink<'_>) {
    let attack = &MUTATING_ADMISSION_POLICY_CONTROL;
    let Some((odds, version)) = served(world, sink) else { return };
    let policies = writers(world, "mutatingadmissionpolicies", "MutatingAdmissionPolicy", PART);
    let bindings =
        writers(world, "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", PART);
    if policies.is_empty() || bindings.is_empty() {
        return;
    }
    for (set, writers) in [(&POLICIES, policies), (&BINDINGS, bindings)] {
        for (grant, odds) in writers {
            lead(sink, &grant, cluster(set), attack, odds);
        }
    }
    let key = SetKey { kind: &IN_FORCE, ns: Sym::EMPTY, of: 0 };
    let gate = gate(world, sink, key, attack, &[&POLICIES, &BINDINGS].map(cluster));
    let together = needed_together(world, sink);
    let facts: Vec<Fact> = version.into_iter().chain([together]).collect();
    sink.edge_with(gate, Thing::ClusterAdmin, attack, odds, &facts);
}

/// Whether the API of mutating policies is served: by default since 1.36, on demand since 1.32. A
/// kubelet's version bounds the server's from below.
fn served(world: &World, sink: &mut Sink<'_>) -> Option<(Odds, Option<Fact>)> {
    let odds = MUTATING_ADMISSION_POLICY_CONTROL.odds;
    let Some(version) = world.server_version() else {
        return Some((odds.but(0.5, Confidence::Possible), None));
    };
    if version.exact && version.is_before(1, 32) {
        return None;
    }
    let fact = shown(world, sink, version);
    let odds = if version.is_before(1, 36) { odds.but(0.2, Confidence::Possible) } else { odds };
    Some((odds, Some(fact)))
}
