//! Custom resources that become pods: whoever writes them makes pods without a right on pods.
//!
//! Workflow engines and operators make the pods with rights of their own, in the namespace of the
//! resource and as the service account that the resource names; the API server never asks whether
//! its writer could have made them. A row of the table is one resource, and one walk leads the
//! writers of all of them to what creating pods leads to. It counts only where the operator runs.

use super::Family;
use super::custom_templates::{RESOURCES, Resource};
use super::operators::{Known, Reach};
use super::pod_api::{admits, set_of};
use super::sets::{PRIVILEGED_PODS, SECRETS, SERVICE_ACCOUNTS, SET_MEMBER};
use super::together::parts;
use super::workloads::{Maintainer, applied, is_name};
use crate::graph::{Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::{BindingIx, World};
use std::collections::BTreeMap;

crate::attack! {
    /// Creates an Argo Workflow whose pods run as any service account of the namespace, with any
    /// of its Secrets and, where Pod Security lets them in, privileged on any node.
    ///
    /// ## Needs
    /// `create` on `workflows` or `cronworkflows` of `argoproj.io`, or `update` or `patch` on
    /// `cronworkflows`, in a namespace that a running workflow controller watches. A
    /// WorkflowTemplate by itself makes no pods.
    /// ## Abuse
    /// `kubectl create -f` a Workflow with `spec.serviceAccountName: ACCOUNT` and a template whose
    /// container prints `/var/run/secrets/kubernetes.io/serviceaccount/token`; `volumes` mount
    /// Secrets, and `podSpecPatch` sets `hostPID`, `nodeName` and `privileged`.
    /// ## Stopped by
    /// `workflowRestrictions.templateReferencing: Strict` or `Secure` in the controller's
    /// ConfigMap, whose values are not read, lets templates run only that exist. A controller that
    /// is installed for one namespace leaves the others alone. Pod Security limits the pods.
    /// ## Fix
    /// Take the write verbs on `workflows` and `cronworkflows` out of the role, or set
    /// `workflowRestrictions.templateReferencing: Secure`; keep accounts with more power in other
    /// namespaces.
    /// ## Detect
    /// Audit events with verb `create` on `workflows` whose request names a `serviceAccountName` or
    /// a `podSpecPatch`; pods with the label `workflows.argoproj.io/workflow`.
    /// ## References
    /// - <https://argo-workflows.readthedocs.io/en/latest/workflow-restrictions/>
    /// - <https://argo-workflows.readthedocs.io/en/latest/service-accounts/>
    /// - <https://argo-workflows.readthedocs.io/en/latest/fields/>: `podSpecPatch`
    pub(super) static ARGO_WORKFLOW_CREATE = {
        id: "argo-workflow-create", title: "Create an Argo Workflow",
        mitre: &["T1098", "T1610"], odds: Odds::likely(0.85),
    }
}

crate::attack! {
    /// Creates a Tekton run whose pods run as any service account of the namespace, with any of its
    /// Secrets and, where Pod Security lets them in, privileged.
    ///
    /// ## Needs
    /// `create` on `taskruns` or `pipelineruns` of `tekton.dev`, in a namespace that a running
    /// pipelines controller watches. Runs that have started cannot be changed, and a Task or
    /// Pipeline by itself makes no pods.
    /// ## Abuse
    /// `kubectl create -f` a TaskRun with `spec.serviceAccountName: ACCOUNT` and a `taskSpec` whose
    /// step prints the token; `taskSpec.volumes` mounts Secrets and host paths,
    /// `steps[].securityContext.privileged` and `podTemplate.nodeSelector` choose the rest.
    /// ## Stopped by
    /// Pod Security limits the pods; in a `restricted` namespace Tekton's own containers need the
    /// flag `set-security-context`. An admission policy may hold runs to signed tasks.
    /// ## Fix
    /// Take `create` on `taskruns` and `pipelineruns` out of the role and start runs by a trigger;
    /// keep accounts with more power in other namespaces.
    /// ## Detect
    /// Audit events with verb `create` on `taskruns` and `pipelineruns` whose request holds an
    /// embedded `taskSpec` or a `serviceAccountName` that its writer does not usually use.
    /// ## References
    /// - <https://tekton.dev/docs/pipelines/taskruns/>: `serviceAccountName`, `podTemplate`
    /// - <https://tekton.dev/docs/pipelines/podtemplates/>
    pub(super) static TEKTON_RUN_CREATE = {
        id: "tekton-run-create", title: "Create a Tekton run",
        mitre: &["T1098", "T1610"], odds: Odds::likely(0.85),
    }
}

crate::attack! {
    /// Writes a custom resource that carries a pod template, and so makes pods that run as any
    /// service account of the namespace, with any of its Secrets and, where the resource and Pod
    /// Security allow it, privileged.
    ///
    /// ## Needs
    /// `create` on such a resource, in a namespace that its running operator watches, or `update`
    /// or `patch` on one that exists, where the operator makes new pods from the change: Knative
    /// Services (whose pods cannot be privileged by default), KEDA ScaledJobs, Argo Rollouts,
    /// OpenKruise workloads, JobSets, LeaderWorkerSets, Volcano Jobs, Ray clusters, Spark
    /// applications, Kubeflow notebooks and training jobs, Prometheus and Alertmanager, Elastic's
    /// resources, OpenTelemetry collectors, OpenShift's DeploymentConfigs.
    /// ## Abuse
    /// Set `serviceAccountName` in the resource's template (`spec.serviceAccountName` of a
    /// Prometheus, with a container of one's own in `spec.containers`) and a command that sends the
    /// token out, then `kubectl apply` it.
    /// ## Stopped by
    /// The operator's own validation. An operator that is installed for some namespaces leaves the
    /// others alone. Pod Security limits the pods, never the choice of account and Secrets.
    /// ## Fix
    /// Take the write verbs on the resource out of the role, and out of the ClusterRoles that
    /// aggregate it into `edit`, where accounts of the namespace hold more than its writers should.
    /// ## Detect
    /// Audit events with verb `create`, `update` or `patch` on the resource whose request changes
    /// the template's `serviceAccountName`, `volumes` or `image`.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation>
    /// - <https://keda.sh/docs/latest/reference/scaledjob-spec/>
    /// - <https://knative.dev/docs/serving/configuration/feature-flags/>
    /// - <https://prometheus-operator.dev/docs/api-reference/api/>: `PrometheusSpec`
    pub(super) static KNATIVE_OR_KEDA_OR_JOB_CR = {
        id: "knative-or-keda-or-job-cr", title: "Have an operator make a pod",
        mitre: &["T1098", "T1610"], odds: Odds::likely(0.8),
    }
}

crate::attack! {
    /// Creates a KubeVirt virtual machine with the token of any service account, or any Secret, of
    /// the namespace on one of its disks.
    ///
    /// ## Needs
    /// `create` on `virtualmachines` or `virtualmachineinstances` of `kubevirt.io`, or on the
    /// `virtualmachineinstancereplicasets` and `virtualmachinepools` that make them, in a
    /// namespace that a running virt-controller watches.
    /// ## Abuse
    /// `kubectl create -f` a VirtualMachine with `volumes: [{name: t, serviceAccount:
    /// {serviceAccountName: ACCOUNT}}]` and a disk of that name; mount it in the guest. A volume
    /// `secret: {secretName: NAME}` shows a Secret alike.
    /// ## Stopped by
    /// Disks of the host need the feature gate `HostDisk`; the pod around the machine is made by
    /// KubeVirt and is not the writer's to choose. A namespace's Pod Security level may refuse it.
    /// ## Fix
    /// Take `create` on these resources out of the role; keep accounts with more power in other
    /// namespaces.
    /// ## Detect
    /// Audit events with verb `create` on `virtualmachines` whose request holds a
    /// `serviceAccount` or `secret` volume.
    /// ## References
    /// - <https://kubevirt.io/user-guide/storage/disks_and_volumes/#serviceaccount>
    pub(super) static KUBE_VIRT_VM = {
        id: "kube-virt-vm", title: "Create a virtual machine",
        mitre: &["T1078", "T1610"], odds: Odds::likely(0.8),
    }
}

/// Pods by way of custom resources.
pub(super) static FAMILY: Family = Family {
    name: "R Third-party controllers: pods from custom resources",
    attacks: &[
        &ARGO_WORKFLOW_CREATE,
        &TEKTON_RUN_CREATE,
        &KNATIVE_OR_KEDA_OR_JOB_CR,
        &KUBE_VIRT_VM,
    ],
    find,
};

/// What stands in the namespaces that an operator of some namespaces watches, resource by
/// resource, for a grant on all namespaces.
static SERVED_ACCOUNTS: SetKind =
    SetKind { id: "served-accounts", noun: "service accounts where an operator works" };
static SERVED_SECRETS: SetKind =
    SetKind { id: "served-secrets", noun: "secrets where an operator works" };
static SERVED_PRIVILEGED: SetKind =
    SetKind { id: "served-privileged", noun: "privileged pods where an operator works" };

/// The sets of one namespace, and those for the namespaces that an operator watches.
static KINDS: [(&SetKind, &SetKind); 3] = [
    (&SERVICE_ACCOUNTS, &SERVED_ACCOUNTS),
    (&SECRETS, &SERVED_SECRETS),
    (&PRIVILEGED_PODS, &SERVED_PRIVILEGED),
];

fn find(world: &World, sink: &mut Sink<'_>) {
    let mut known = Known::new(world);
    for (number, row) in (1_u32..).zip(RESOURCES) {
        let watch = Permission::namespaced("watch", row.group, row.resource);
        let Some(reach) = known.reach(sink, row.operator, &watch) else { continue };
        let writers = writers(world, sink, row);
        if writers.is_empty() {
            continue;
        }
        match reach {
            Reach::Everywhere(operator) => lead(world, sink, row, &writers, operator, PLAIN),
            Reach::NotShown(operator) => {
                let odds = Odds::unknown(0.7);
                lead(world, sink, row, &writers, operator, odds);
            }
            Reach::In(namespaces) => serve(world, sink, row, number, &writers, &namespaces),
        }
    }
}

/// Everyone who makes privileged pods by custom resources, and how likely: not those whose grant is
/// for all namespaces where the operator watches some.
pub(super) fn makers(world: &World, sink: &mut Sink<'_>) -> Vec<(Maintainer, Odds)> {
    let mut known = Known::new(world);
    let mut found = Vec::new();
    for row in RESOURCES.iter().filter(|row| row.gives(&PRIVILEGED_PODS)) {
        let watch = Permission::namespaced("watch", row.group, row.resource);
        let Some(reach) = known.reach(sink, row.operator, &watch) else { continue };
        for (mut writer, odds) in writers(world, sink, row) {
            let (operator, odds) = match (&reach, writer.scope) {
                (Reach::Everywhere(operator), _) => (*operator, odds),
                (Reach::NotShown(operator), _) => (*operator, odds.but(0.7, Confidence::Unknown)),
                (Reach::In(namespaces), Scope::Namespace(ns)) => match namespaces.get(&ns) {
                    Some((operator, _)) => (*operator, odds),
                    None => continue,
                },
                (Reach::In(_), Scope::Cluster) => continue,
            };
            writer.facts.push(operator);
            found.push((writer, odds));
        }
    }
    found
}

/// Circumstances that change nothing.
const PLAIN: Odds = Odds::certain(1.0);

/// Everyone who may write a resource so that pods are made from it, and how likely that works.
fn writers(world: &World, sink: &mut Sink<'_>, row: &Resource) -> Vec<(Maintainer, Odds)> {
    let of = |verb| Permission::namespaced(verb, row.group, row.resource);
    let odds = row.attack.odds;
    let creates = parts(world, &[of("create")]);
    let mut found: Vec<_> = creates.iter().map(|g| (Maintainer::by(sink, g), odds)).collect();
    // Whether an object bears the name is not known: if so, it is changed instead of made.
    let by_apply = applied(world, sink, row.group, row.resource, |_, _| false);
    found.extend(by_apply.into_iter().map(|m| (m, odds.but(0.9, Confidence::Likely))));
    if !row.changes {
        return found;
    }
    // Of custom resources the snapshot shows the number at most, not the namespace and name.
    let there = world
        .seen
        .iter()
        .any(|((group, kind), count)| *count > 0 && group == row.group && kind == row.kind);
    for grant in parts(world, &[of("update"), of("patch")]) {
        let key = (grant.binding, grant.rule);
        if creates.binary_search_by_key(&key, |g| (g.binding, g.rule)).is_ok() {
            continue;
        }
        let named = |n: &Sym| is_name(world.text(*n));
        let odds = match (grant.names, grant.scope) {
            (Names::Only(names), _) if !names.iter().any(named) => continue,
            (Names::All, Scope::Cluster) if there => odds.but(0.95, Confidence::Likely),
            (_, _) if there => odds.but(0.55, Confidence::Possible),
            (_, _) => odds.but(0.3, Confidence::Possible),
        };
        found.push((Maintainer::by(sink, &grant), odds));
    }
    found
}

/// What the set of a kind takes away from the odds: the name of a Secret must be known.
fn of_kind(kind: &SetKind, odds: Odds) -> Odds {
    if *kind == SECRETS { odds.but(0.95, Confidence::Likely) } else { odds }
}

/// Leads the writers to what pods of the whole scope of their grants lead to.
fn lead(
    world: &World,
    sink: &mut Sink<'_>,
    row: &Resource,
    writers: &[(Maintainer, Odds)],
    operator: Fact,
    circumstances: Odds,
) {
    for (writer, odds) in writers {
        let odds = odds.but(circumstances.likelihood, circumstances.confidence);
        let facts: Vec<Fact> = writer.facts.iter().copied().chain([operator]).collect();
        for (kind, _) in KINDS.iter().filter(|(kind, _)| row.gives(kind)) {
            let lets_in = || {
                let mut reached = world.reached(writer.scope).iter();
                reached.any(|n| admits(n, Level::Privileged))
            };
            if **kind != PRIVILEGED_PODS || lets_in() {
                let to = set_of(kind, writer.scope);
                sink.edge_with(writer.from, to, row.attack, of_kind(kind, odds), &facts);
            }
        }
    }
}

/// The same where the operator watches some namespaces only: a grant on all of them leads to sets
/// of the resource's own, which lead to those of these namespaces.
fn serve(
    world: &World,
    sink: &mut Sink<'_>,
    row: &Resource,
    number: u32,
    writers: &[(Maintainer, Odds)],
    namespaces: &BTreeMap<Sym, (Fact, BindingIx)>,
) {
    let watched = |sink: &mut Sink<'_>, ns: &Sym| {
        let (operator, binding) = namespaces.get(ns)?;
        Some([*operator, sink.role_ref(&world.bindings[binding.index()])])
    };
    let mut wide = false;
    for (writer, odds) in writers {
        match writer.scope {
            Scope::Cluster => {
                wide = true;
                for (kind, served) in KINDS.iter().filter(|(kind, _)| row.gives(kind)) {
                    let to = Thing::Set(SetKey { kind: served, ns: Sym::EMPTY, of: number });
                    let odds = of_kind(kind, *odds);
                    sink.edge_with(writer.from, to, row.attack, odds, &writer.facts);
                }
            }
            Scope::Namespace(ns) => {
                let Some([operator, fact]) = watched(sink, &ns) else { continue };
                let facts = writer.facts.iter().copied().chain([fact]).collect();
                let one = (Maintainer { facts, ..*writer }, *odds);
                lead(world, sink, row, &[one], operator, PLAIN);
            }
        }
    }
    for ns in namespaces.keys().filter(|_| wide) {
        let Some(ix) = world.namespace(*ns) else { continue };
        let Some(facts) = watched(sink, ns) else { continue };
        let privileged = admits(&world.namespaces[ix.index()], Level::Privileged);
        for (kind, served) in KINDS.iter().filter(|(kind, _)| row.gives(kind)) {
            if **kind != PRIVILEGED_PODS || privileged {
                let from = Thing::Set(SetKey { kind: served, ns: Sym::EMPTY, of: number });
                sink.edge(from, set_of(kind, Scope::Namespace(*ns)), &SET_MEMBER, &facts);
            }
        }
    }
}
