//! Deputies that govern: policy engines and the operators of tenants. They change what others
//! write, or write for them.

use super::Family;
use super::controllers::{Controller, Found};
use super::deputies::{Deputy, Reach, Reads, Steer, To, walk};
use super::gitops::everywhere;
use crate::graph::{Confidence, Odds, SetKind, Sink};
use crate::world::World;

crate::attack! {
    /// Has Kyverno generate or change objects with its own accounts, or change what others write.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `clusterpolicies` of `kyverno.io`, or on `mutatingpolicies`
    /// or `generatingpolicies` of `policies.kyverno.io`, by a ClusterRoleBinding, and Kyverno's
    /// controllers running. Before 1.19.2 flaws let the namespaced `policies`,
    /// `namespacedmutatingpolicies` and `namespacedgeneratingpolicies` act outside their namespace.
    /// ## Abuse
    /// A ClusterPolicy with a `generate` rule has the background controller create any object that
    /// its account may create, and its `apiCall` reads what the controllers may read. A `mutate`
    /// rule for ClusterRoleBindings adds a subject to the next one that somebody writes.
    /// ## Stopped by
    /// What Kyverno's own accounts may do: what is generated is limited by it. Kyverno's
    /// `resourceFilters` and the namespaces that its webhooks leave out, `kube-system` by default,
    /// limit what is changed; objects without a namespace are not left out.
    /// ## Fix
    /// Remove write verbs on cluster-wide policies from the role; run 1.19.2 or newer; take the
    /// label `rbac.authorization.k8s.io/aggregate-to-admin` from Kyverno's roles.
    /// ## Detect
    /// Audit events that write policies, and what `kyverno-background-controller` creates.
    /// ## References
    /// - <https://kyverno.io/docs/policy-types/cluster-policy/generate/>
    /// - CVE-2026-22039, CVE-2026-54523, CVE-2026-122302, CVE-2026-122303
    pub(super) static KYVERNO_POLICY_WRITE = {
        id: "kyverno-policy-write", title: "Write a policy of Kyverno", mitre: &["T1078", "T1546"],
        odds: Odds::likely(0.7),
    }
}

crate::attack! {
    /// Has Gatekeeper change what others write.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `assign` or `modifyset` of `mutations.gatekeeper.sh` by a
    /// ClusterRoleBinding, Gatekeeper running with its mutation webhook, and a later write by
    /// somebody else.
    /// ## Abuse
    /// Create an Assign for ClusterRoleBindings with `location: roleRef.name` and the value
    /// `cluster-admin`; or an Assign or AssignImage for the pods of `kube-system`.
    /// ## Stopped by
    /// A Gatekeeper whose pods are started without `--operation=mutation-webhook`. Namespaces
    /// labelled `admission.gatekeeper.sh/ignore`. AssignMetadata adds labels and annotations only.
    /// ## Fix
    /// Remove write verbs on these resources from the role; `disableMutation: true` in the chart
    /// where nothing uses them.
    /// ## Detect
    /// Audit events that write resources of `mutations.gatekeeper.sh`.
    /// ## References
    /// - <https://open-policy-agent.github.io/gatekeeper/website/docs/mutation/>
    pub(super) static GATEKEEPER_MUTATION = {
        id: "gatekeeper-mutation", title: "Change the writes of others by Gatekeeper",
        mitre: &["T1078", "T1546"], odds: Odds::likely(0.5),
    }
}

crate::attack! {
    /// Has an operator of tenants grant roles, or apply objects, in namespaces of others.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `tenants` or `globaltenantresources` of
    /// `capsule.clastix.io` by a ClusterRoleBinding with Capsule running; or on
    /// `hierarchyconfigurations` of `hnc.x-k8s.io` in a namespace with the hierarchical namespace
    /// controller running.
    /// ## Abuse
    /// A GlobalTenantResource with `rawItems` is applied by Capsule's account; a Tenant with
    /// `additionalRoleBindings` makes RoleBindings to any ClusterRole in its namespaces. Setting
    /// `spec.parent` of a namespace's HierarchyConfiguration to a namespace of one's own copies
    /// one's RoleBindings into it.
    /// ## Stopped by
    /// The webhook of the hierarchical namespace controller, which asks that the writer be an
    /// administrator of both trees. Tenants apply to namespaces that belong to them.
    /// ## Fix
    /// Remove write verbs on these resources from the role.
    /// ## Detect
    /// Audit events that write these resources; RoleBindings that Capsule or the hierarchical
    /// namespace controller makes.
    /// ## References
    /// - <https://projectcapsule.dev/docs/replications/>
    /// - <https://github.com/kubernetes-retired/hierarchical-namespaces/blob/master/docs/user-guide/concepts.md>
    pub(super) static HNC_CAPSULE_PROPAGATION = {
        id: "hnc-capsule-propagation", title: "Have roles spread into namespaces",
        mitre: &["T1078", "T1098"], odds: Odds::likely(0.5),
    }
}

/// Government.
pub(super) static FAMILY: Family = Family {
    name: "R Third-party controllers: policies and tenants",
    attacks: &[&KYVERNO_POLICY_WRITE, &GATEKEEPER_MUTATION, &HNC_CAPSULE_PROPAGATION],
    find,
};

static KYVERNO_ADMISSION: Controller = Controller {
    images: &["kyverno/kyverno"],
    parts: &[],
    labels: &["kyverno-admission-controller"],
};
static KYVERNO_BACKGROUND: Controller = Controller {
    images: &["kyverno/background-controller"],
    parts: &[],
    labels: &["kyverno-background-controller"],
};
static GATEKEEPER: Controller = Controller {
    images: &[
        "openpolicyagent/gatekeeper",
        "gatekeeper/gatekeeper",
        "oss/open-policy-agent/gatekeeper",
    ],
    parts: &[],
    labels: &[],
};
static CAPSULE: Controller = Controller {
    images: &["clastix/capsule", "projectcapsule/capsule"],
    parts: &[],
    labels: &["capsule"],
};
static HNC: Controller = Controller { images: &["hnc-manager"], parts: &[], labels: &[] };

const KYVERNO: &str = "kyverno.io";
const POLICIES: &str = "policies.kyverno.io";

pub(super) static ROWS: &[Deputy] = &[
    Deputy {
        attack: &KYVERNO_POLICY_WRITE,
        controller: &KYVERNO_BACKGROUND,
        beside: None,
        steers: &[
            Steer::wide(KYVERNO, &["clusterpolicies"], KYVERNO_POLICY_WRITE.odds),
            Steer::wide(
                POLICIES,
                &["generatingpolicies", "mutatingpolicies"],
                KYVERNO_POLICY_WRITE.odds,
            ),
        ],
        judge: everywhere,
        to: To::Account,
        set: SetKind { id: "kyverno-background", noun: "Kyverno's background controllers" },
        wide: SetKind {
            id: "kyverno-background-all",
            noun: "Kyverno's background controllers of all",
        },
    },
    Deputy {
        attack: &KYVERNO_POLICY_WRITE,
        controller: &KYVERNO_ADMISSION,
        beside: None,
        // What the account reads, by `apiCall`; older releases generate by it too.
        steers: &[
            Steer::wide(KYVERNO, &["clusterpolicies"], Odds::likely(0.6)),
            Steer::wide(POLICIES, &["generatingpolicies", "mutatingpolicies"], Odds::likely(0.6)),
        ],
        judge: everywhere,
        to: To::Account,
        set: SetKind { id: "kyverno-admission", noun: "Kyverno's admission controllers" },
        wide: SetKind {
            id: "kyverno-admission-all",
            noun: "Kyverno's admission controllers of all",
        },
    },
    Deputy {
        attack: &KYVERNO_POLICY_WRITE,
        controller: &KYVERNO_ADMISSION,
        beside: None,
        // As good as a mutating webhook, which waits for the write of somebody else.
        steers: &[
            Steer::wide(KYVERNO, &["clusterpolicies"], Odds::likely(0.5)),
            Steer::wide(POLICIES, &["mutatingpolicies"], Odds::likely(0.5)),
        ],
        judge: everywhere,
        to: To::ClusterAdmin,
        set: SetKind { id: "kyverno-mutation", noun: "Kyverno's webhooks" },
        wide: SetKind { id: "kyverno-mutation-all", noun: "Kyverno's webhooks of all" },
    },
    Deputy {
        attack: &KYVERNO_POLICY_WRITE,
        controller: &KYVERNO_BACKGROUND,
        beside: None,
        steers: &[
            Steer::on(KYVERNO, &["policies"], Odds::possible(0.4)),
            Steer::on(
                POLICIES,
                &["namespacedgeneratingpolicies", "namespacedmutatingpolicies"],
                Odds::possible(0.4),
            ),
        ],
        judge: flawed_kyverno,
        to: To::Account,
        set: SetKind { id: "kyverno-flawed", noun: "Kyverno's controllers that read Policies" },
        wide: SetKind { id: "kyverno-flawed-all", noun: "Kyverno's controllers with known flaws" },
    },
    Deputy {
        attack: &GATEKEEPER_MUTATION,
        controller: &GATEKEEPER,
        beside: None,
        steers: &[Steer::wide(
            "mutations.gatekeeper.sh",
            &["assign", "modifyset"],
            GATEKEEPER_MUTATION.odds,
        )],
        judge: mutates,
        to: To::ClusterAdmin,
        set: SetKind { id: "gatekeeper", noun: "Gatekeeper's webhooks" },
        wide: SetKind { id: "gatekeeper-all", noun: "Gatekeeper's webhooks of all" },
    },
    Deputy {
        attack: &HNC_CAPSULE_PROPAGATION,
        controller: &CAPSULE,
        beside: None,
        steers: &[
            Steer::wide("capsule.clastix.io", &["globaltenantresources"], Odds::likely(0.7)),
            Steer::wide("capsule.clastix.io", &["tenants"], HNC_CAPSULE_PROPAGATION.odds),
        ],
        judge: everywhere,
        to: To::Account,
        set: SetKind { id: "capsule", noun: "Capsule controllers" },
        wide: SetKind { id: "capsule-all", noun: "Capsule controllers of all" },
    },
    Deputy {
        attack: &HNC_CAPSULE_PROPAGATION,
        controller: &HNC,
        beside: None,
        steers: &[Steer::on("hnc.x-k8s.io", &["hierarchyconfigurations"], Odds::possible(0.3))],
        judge: everywhere,
        to: To::NamespaceAdmin,
        set: SetKind { id: "hnc", noun: "controllers of hierarchical namespaces" },
        wide: SetKind { id: "hnc-all", noun: "controllers of all hierarchical namespaces" },
    },
];

/// Before 1.19.2 Kyverno does not keep every policy to its namespace.
fn flawed_kyverno(world: &World, found: &Found) -> Option<Reach> {
    let reach = Reach::of(Reads::All);
    match found.version(world) {
        Some(version) if version >= (1, 19, 2) => None,
        Some(_) => Some(reach),
        // A digest tells no version.
        None => Some(reach.but(0.4, Confidence::Unknown)),
    }
}

/// Gatekeeper's pods do what their flags list: everything, if they list nothing.
fn mutates(world: &World, found: &Found) -> Option<Reach> {
    const FLAG: &str = "--operation";
    let mut operations = found.flags(world, FLAG).peekable();
    let mutates = operations.peek().is_none() || operations.any(|o| o == "mutation-webhook");
    mutates.then(|| Reach::of(Reads::All).shown(&[FLAG]))
}

fn find(world: &World, sink: &mut Sink<'_>) {
    walk(world, sink, ROWS);
}
