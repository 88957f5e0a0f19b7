//! Changing workloads that exist: their pods run what the new template says.
//!
//! The template chooses account, Secrets and, where Pod Security lets a privileged pod in, node, as
//! a new pod's specification would; but a workload must be there to be changed. A grant on all
//! namespaces therefore leads, kind by kind, to the namespaces that have a workload of the kind.

use super::pod_accounts;
use super::pod_api::{admits, enforced, labelled, named, set_of};
use super::sets::{SECRETS, SERVICE_ACCOUNTS, SET_MEMBER};
use super::workloads::Maintainer;
use crate::graph::{Confidence, Fact, Odds, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::{Namespace, WorkloadIx, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Changes the template of an existing workload, and so runs code of the attacker's as any
    /// account of the namespace, with any of its Secrets and, where Pod Security allows it,
    /// privileged on any node.
    ///
    /// ## Needs
    /// `patch` or `update` on `deployments`, `daemonsets`, `statefulsets` or `cronjobs`, or on
    /// `replicasets` or `replicationcontrollers` that no Deployment owns, and such a workload in the
    /// namespace. A Job's template cannot be changed.
    /// ## Abuse
    /// `kubectl patch deployment NAME -n NAMESPACE -p '{"spec":{"template":{"spec":{
    /// "serviceAccountName":"ACCOUNT","containers":[{"name":"C","image":"ATTACKER"}]}}}}'`; the
    /// controller replaces the pods. A bare ReplicaSet uses the new template for new pods only.
    /// ## Stopped by
    /// Pod Security refuses pods above the namespace's enforced level, while the choice of account
    /// and Secrets stays free. A Deployment undoes changes of its ReplicaSet. GitOps and operators
    /// may undo the change after a while. `resourceNames` limit it to those workloads.
    /// ## Fix
    /// Remove `patch` and `update` on workloads from the role, or name the workloads in
    /// `resourceNames`; let a pipeline with review make the changes.
    /// ## Detect
    /// Audit events with verb `patch` or `update` on workloads whose request changes
    /// `spec.template`, from others than controllers and pipelines.
    /// ## References
    /// - kubernetes `pkg/apis/batch/validation`: a Job's template is immutable
    /// - executed on kube-apiserver 1.36: a Deployment makes a fresh ReplicaSet
    pub(super) static WORKLOAD_PATCH = {
        id: "workload-patch", title: "Change a workload", mitre: &["T1543", "T1610", "MS-TA9012"],
        odds: Odds::certain(0.95),
    }
}

/// Pods of a changed template that are privileged: each leads to every node.
pub(super) static PRIVILEGED_TEMPLATES: SetKind =
    SetKind { id: "privileged-templates", noun: "privileged templates to set" };

/// A kind of workload whose template can be changed, and the sets of what that reaches.
pub(super) struct Template {
    group: &'static str,
    resource: &'static str,
    pub(super) kind: &'static str,
    /// The workloads themselves.
    workloads: SetKind,
    /// What stands in a namespace that has such a workload, for a grant on all namespaces.
    accounts: SetKind,
    secrets: SetKind,
    privileged: SetKind,
    /// The namespaces where a Secret can be read by mounting it.
    pub(super) readers: SetKind,
    /// The namespaces where an account with an identity in a cloud can be chosen.
    pub(super) clouds: SetKind,
    /// Rights to make pods by changing such a workload, in the namespaces that have one.
    pub(super) makers: SetKind,
}

macro_rules! template {
    ($group:literal, $resource:literal, $kind:literal) => {
        Template {
            group: $group,
            resource: $resource,
            kind: $kind,
            workloads: SetKind { id: $resource, noun: concat!($kind, "s to change") },
            accounts: SetKind {
                id: concat!("accounts-beside-", $resource),
                noun: concat!("service accounts beside ", $kind, "s"),
            },
            secrets: SetKind {
                id: concat!("secrets-beside-", $resource),
                noun: concat!("secrets beside ", $kind, "s"),
            },
            privileged: SetKind {
                id: concat!("privileged-", $resource),
                noun: concat!("privileged ", $kind, "s"),
            },
            readers: SetKind {
                id: concat!("readers-by-", $resource),
                noun: concat!("secrets to mount by ", $kind, "s"),
            },
            clouds: SetKind {
                id: concat!("clouds-by-", $resource),
                noun: concat!("cloud identities for changed ", $kind, "s"),
            },
            makers: SetKind {
                id: concat!("makers-by-", $resource),
                noun: concat!("rights to make pods by ", $kind, "s"),
            },
        }
    };
}

pub(super) static TEMPLATES: [Template; 6] = [
    template!("", "replicationcontrollers", "ReplicationController"),
    template!("apps", "deployments", "Deployment"),
    template!("apps", "daemonsets", "DaemonSet"),
    template!("apps", "statefulsets", "StatefulSet"),
    template!("apps", "replicasets", "ReplicaSet"),
    template!("batch", "cronjobs", "CronJob"),
];

impl Template {
    /// The grants that allow a change.
    pub(super) fn grants<'w>(&self, world: &'w World) -> Vec<Grant<'w>> {
        let verbs = ["patch", "update"];
        world.grants_any(&verbs.map(|v| Permission::namespaced(v, self.group, self.resource)))
    }

    /// The namespaces that have a workload of this kind whose change lasts, in order.
    pub(super) fn namespaces(&self, world: &World) -> Vec<Sym> {
        let Some(kind) = world.symbols.get(self.kind) else { return Vec::new() };
        let of_kind = (0..world.workloads.len())
            .filter(|i| world.workloads[*i].kind == kind && lasts(world, WorkloadIx::new(*i)));
        let mut namespaces: Vec<Sym> = of_kind.map(|i| world.workloads[i].ns).collect();
        namespaces.dedup();
        namespaces
    }

    /// The fact that a namespace is one of `namespaces`.
    pub(super) fn stands(&self, sink: &mut Sink<'_>, namespace: &Namespace) -> Fact {
        let text = format!("has a {} to change", self.kind);
        sink.fact(namespace.object, "", &text)
    }

    /// The workloads that a grant names and whose change lasts.
    fn named(&self, world: &World, scope: Scope, names: &[Sym]) -> Vec<WorkloadIx> {
        let mut found = named(world, scope, names, |ns, name| workload(world, ns, name, self.kind));
        found.retain(|w| lasts(world, *w));
        found
    }

    /// The namespaces in which a grant in one namespace, or on names, reaches a workload.
    fn reached(&self, world: &World, grant: &Grant<'_>, standing: &[Sym]) -> Vec<Sym> {
        match (grant.names, grant.scope) {
            (Names::All, Scope::Cluster) => Vec::new(),
            (Names::All, Scope::Namespace(ns)) => {
                if standing.binary_search(&ns).is_ok() {
                    vec![ns]
                } else {
                    Vec::new()
                }
            }
            (Names::Only(names), scope) => {
                let of = self.named(world, scope, names).into_iter();
                let mut namespaces: Vec<Sym> = of.map(|w| world.workloads[w.index()].ns).collect();
                namespaces.dedup();
                namespaces
            }
        }
    }
}

/// The workload of a kind and name.
pub(super) fn workload(world: &World, ns: Sym, name: Sym, kind: &str) -> Option<WorkloadIx> {
    let range = world.workloads_of(ns);
    let rows = &world.workloads[range.clone()];
    let first = rows.partition_point(|w| w.name < name);
    let mut same = rows[first..].iter().take_while(|w| w.name == name);
    let at = same.position(|w| world.text(w.kind) == kind)?;
    Some(WorkloadIx::new(range.start + first + at))
}

/// Whether pods come of a changed template: a Deployment puts the template of its ReplicaSet back,
/// and some namespaces take no new pods.
fn lasts(world: &World, ix: WorkloadIx) -> bool {
    let workload = &world.workloads[ix.index()];
    if world.closed(workload.ns).is_some() {
        return false;
    }
    workload.top == ix
        || !matches!(world.text(workload.kind), "ReplicaSet" | "ReplicationController")
}

/// How likely a changed template runs: an operator that owns the workload may put the old one back.
fn odds_of(world: &World, ix: WorkloadIx) -> Odds {
    let own = world.workloads[ix.index()].top == ix;
    if own { WORKLOAD_PATCH.odds } else { WORKLOAD_PATCH.odds.but(0.8, Confidence::Likely) }
}

/// Whether the pods of a changed template can be what the workload's pods are now: otherwise the
/// namespace's level, made stricter since they were created, refuses their like.
fn comes_back(world: &World, ix: WorkloadIx, namespace: &Namespace) -> bool {
    let spec = world.workloads[ix.index()].spec;
    let spec = spec.and_then(|s| world.specs.get(s as usize));
    spec.is_none_or(|spec| labelled(namespace, spec.level))
}

pub(super) fn find(world: &World, sink: &mut Sink<'_>) {
    for template in &TEMPLATES {
        let standing = template.namespaces(world);
        if standing.is_empty() {
            continue;
        }
        let mut scopes = BTreeSet::new();
        for grant in template.grants(world) {
            match grant.names {
                Names::All => all(world, sink, template, &grant, &standing, &mut scopes),
                Names::Only(names) => only(world, sink, template, &grant, names),
            }
        }
        members(world, sink, template, &standing, &scopes);
    }
}

/// A Secret's name must be known to mount it.
fn mounting() -> Odds {
    WORKLOAD_PATCH.odds.but(0.95, Confidence::Likely)
}

fn all(
    world: &World,
    sink: &mut Sink<'_>,
    template: &'static Template,
    grant: &Grant<'_>,
    standing: &[Sym],
    scopes: &mut BTreeSet<Scope>,
) {
    let from = Thing::Binding(grant.binding);
    let (accounts, secrets, privileged) = match grant.scope {
        Scope::Cluster => (&template.accounts, &template.secrets, &template.privileged),
        Scope::Namespace(ns) if standing.binary_search(&ns).is_ok() => {
            (&SERVICE_ACCOUNTS, &SECRETS, &PRIVILEGED_TEMPLATES)
        }
        Scope::Namespace(_) => return,
    };
    scopes.insert(grant.scope);
    let facts = sink.grant(grant);
    let to = |kind| set_of(kind, grant.scope);
    sink.edge(from, to(&template.workloads), &WORKLOAD_PATCH, &facts);
    let accounts = match grant.scope {
        Scope::Namespace(_) => pod_accounts::accounts(world, sink, grant.scope),
        Scope::Cluster => to(accounts),
    };
    sink.edge(from, accounts, &WORKLOAD_PATCH, &facts);
    sink.edge_with(from, to(secrets), &WORKLOAD_PATCH, mounting(), &facts);
    let mut reached = world.reached(grant.scope).iter();
    if reached.any(|n| standing.binary_search(&n.name).is_ok() && admits(n, Level::Privileged)) {
        let facts = sink.but_for_pods(&facts);
        sink.edge(from, to(privileged), &WORKLOAD_PATCH, &facts);
    }
}

fn only(world: &World, sink: &mut Sink<'_>, template: &Template, grant: &Grant<'_>, names: &[Sym]) {
    let from = Thing::Binding(grant.binding);
    for ix in template.named(world, grant.scope, names) {
        let workload = &world.workloads[ix.index()];
        let Some(namespace) = world.namespace(workload.ns) else { continue };
        let namespace = &world.namespaces[namespace.index()];
        let odds = odds_of(world, ix);
        let mut facts = sink.grant(grant).to_vec();
        facts.push(sink.fact(workload.object, ".metadata.name", world.text(workload.name)));
        let to = |kind| set_of(kind, Scope::Namespace(workload.ns));
        let accounts = pod_accounts::accounts(world, sink, Scope::Namespace(workload.ns));
        sink.edge_with(from, accounts, &WORKLOAD_PATCH, odds, &facts);
        let mount = odds.but(0.95, Confidence::Likely);
        sink.edge_with(from, to(&SECRETS), &WORKLOAD_PATCH, mount, &facts);
        if comes_back(world, ix, namespace) {
            sink.edge_with(from, Thing::Workload(workload.top), &WORKLOAD_PATCH, odds, &facts);
        }
        if admits(namespace, Level::Privileged) {
            let facts = sink.but_for_pods(&facts);
            sink.edge_with(from, to(&PRIVILEGED_TEMPLATES), &WORKLOAD_PATCH, odds, &facts);
        }
    }
}

/// Fills the sets of one kind of workload.
fn members(
    world: &World,
    sink: &mut Sink<'_>,
    template: &'static Template,
    standing: &[Sym],
    scopes: &BTreeSet<Scope>,
) {
    let cluster = scopes.contains(&Scope::Cluster);
    for ns in standing.iter().filter(|ns| cluster || scopes.contains(&Scope::Namespace(**ns))) {
        let Some(namespace) = world.namespace(*ns) else { continue };
        let namespace = &world.namespaces[namespace.index()];
        let part = |kind| set_of(kind, Scope::Namespace(*ns));
        let of_kind = world.workloads_of(*ns).map(WorkloadIx::new).filter(|w| {
            world.text(world.workloads[w.index()].kind) == template.kind && lasts(world, *w)
        });
        for ix in of_kind.filter(|w| comes_back(world, *w, namespace)) {
            let workload = &world.workloads[ix.index()];
            let fact = sink.fact(workload.object, ".metadata.namespace", world.text(*ns));
            // The edge into the set bears the likelihood of the change.
            let odds = odds_of(world, ix);
            let odds =
                Odds { likelihood: odds.likelihood / WORKLOAD_PATCH.odds.likelihood, ..odds };
            let (set, to) = (part(&template.workloads), Thing::Workload(workload.top));
            sink.edge_with(set, to, &SET_MEMBER, odds, &[fact]);
        }
        if !cluster {
            continue;
        }
        let (level, _) = enforced(world, sink, namespace);
        let whole = |kind| set_of(kind, Scope::Cluster);
        let fact = template.stands(sink, namespace);
        sink.edge(whole(&template.workloads), part(&template.workloads), &SET_MEMBER, &[fact]);
        sink.edge(whole(&template.accounts), part(&SERVICE_ACCOUNTS), &SET_MEMBER, &[fact]);
        sink.edge(whole(&template.secrets), part(&SECRETS), &SET_MEMBER, &[fact]);
        if admits(namespace, Level::Privileged) {
            let (from, to) = (whole(&template.privileged), part(&PRIVILEGED_TEMPLATES));
            sink.edge(from, to, &SET_MEMBER, &[fact, level]);
        }
    }
}

/// Everyone who may change workloads: in single namespaces, and, kind by kind, in every namespace
/// that has a workload of the kind.
pub(super) fn patchers(
    world: &World,
    sink: &mut Sink<'_>,
) -> (Vec<Maintainer>, Vec<(&'static Template, Maintainer)>) {
    let (mut narrow, mut wide) = (Vec::new(), Vec::new());
    for template in &TEMPLATES {
        let standing = template.namespaces(world);
        for grant in template.grants(world) {
            let from = Thing::Binding(grant.binding);
            let facts = sink.grant(&grant).to_vec();
            if grant.scope == Scope::Cluster && grant.names == Names::All {
                if !standing.is_empty() {
                    wide.push((template, Maintainer { from, scope: Scope::Cluster, facts }));
                }
                continue;
            }
            for ns in template.reached(world, &grant, &standing) {
                let scope = Scope::Namespace(ns);
                narrow.push(Maintainer { from, scope, facts: facts.clone() });
            }
        }
    }
    (narrow, wide)
}
