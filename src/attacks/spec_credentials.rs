//! Keys of clouds written into the specifications of pods, which whoever may look at pods and
//! workloads reads.
//!
//! A variable's name tells; its value is only seen to be there. A workload's specification holds
//! what its pods' do, so the key is told by the workload, whoever reads which of them.

use super::Family;
use super::config_maps::READS;
use super::secret_contents::provider;
use super::sets::SET_MEMBER;
use super::workloads::MAKERS;
use crate::graph::{Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::hosts::Host;
use crate::world::{PodIx, WorkloadIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Reads a key of a cloud provider in the specification of a pod or workload.
    ///
    /// ## Needs
    /// `get`, `list`, `watch`, `patch` or `deletecollection` on `pods` or on the workload that makes
    /// them, as `view` allows it, and a container with a variable such as `AWS_SECRET_ACCESS_KEY`
    /// whose value is written there. `resourceNames` are honoured, but not by `deletecollection`.
    /// ## Abuse
    /// `kubectl get pod -n NAMESPACE NAME -o jsonpath='{.spec.containers[*].env}'`, then `aws sts
    /// get-caller-identity` or `az login --service-principal`.
    /// ## Stopped by
    /// `valueFrom`, which names a Secret instead. A key that was changed since; conditions of the
    /// cloud on addresses. The value is not read here, so it may be none that works.
    /// ## Fix
    /// Give the workload an identity of the cloud by its service account; else move the value into a
    /// Secret, refer to it by `valueFrom.secretKeyRef`, and change the key.
    /// ## Detect
    /// The cloud's log of the key from other addresses than the cluster's. Reading pods is too
    /// common to tell.
    /// ## References
    /// - <https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/>
    /// - <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html>
    pub(super) static POD_SPEC_READ = {
        id: "pod-spec-read", title: "Read a key of a cloud in a specification",
        mitre: &["T1552.001", "T1552.007"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// A container has a key of a cloud provider in its environment, written in its specification.
    ///
    /// ## Needs
    /// A variable such as `AWS_SECRET_ACCESS_KEY`, `AZURE_CLIENT_SECRET` or `HCLOUD_TOKEN` with a
    /// value of its own. What comes from a Secret is shown with the Secret.
    /// ## Abuse
    /// In the container `env`, or `cat /proc/1/environ` for another process of its user.
    /// ## Stopped by
    /// A key that was changed since; conditions of the cloud on addresses. The value is not read
    /// here, so it may be none that works.
    /// ## Fix
    /// Give the workload an identity of the cloud by its service account, and delete the key.
    /// ## Detect
    /// The cloud's log of the key from other addresses than the cluster's.
    /// ## References
    /// - <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>
    /// - <https://learn.microsoft.com/dotnet/api/azure.identity.environmentcredential>
    pub(super) static POD_ENV_CREDENTIAL = {
        id: "pod-env-credential", title: "Has a key of a cloud in its environment",
        mitre: &["T1552.001", "T1078.004"], odds: Odds::likely(0.7),
    }
}

/// Credentials in specifications.
pub(super) static FAMILY: Family = Family {
    name: "P Credentials in specifications",
    attacks: &[&POD_SPEC_READ, &POD_ENV_CREDENTIAL],
    find,
};

/// What the specifications of one kind hold; the kind is told by the number.
static SPECS: SetKind =
    SetKind { id: "specs-with-credentials", noun: "specifications with credentials" };

/// A key that a specification holds.
struct Written {
    identity: String,
    fact: Fact,
}

/// The keys by the place of their kind in [`MAKERS`], and by namespace and name.
type Keys = BTreeMap<(usize, Sym, Sym), Vec<Written>>;

fn find(world: &World, sink: &mut Sink<'_>) {
    if !world.specs.iter().any(|spec| spec.containers.iter().any(|c| !c.literals.is_empty())) {
        return;
    }
    let mut keys = Keys::new();
    for (i, pod) in world.pods.iter().enumerate() {
        let host = Host::Pod(PodIx::new(i));
        let found = written(world, sink, host, world.is_running(PodIx::new(i)));
        if !found.is_empty() {
            keys.insert((0, pod.ns, pod.name), found);
        }
    }
    for (i, workload) in world.workloads.iter().enumerate().filter(|(_, w)| w.spec.is_some()) {
        let ix = WorkloadIx::new(i);
        let found = written(world, sink, Host::Template(ix), world.is_template(ix));
        let kind = world.text(workload.kind);
        let kind = MAKERS.iter().position(|(_, _, of)| *of == kind);
        if let Some(kind) = kind.filter(|_| !found.is_empty()) {
            keys.insert((kind, workload.ns, workload.name), found);
        }
    }
    for (kind, (group, resource, _)) in MAKERS.iter().enumerate() {
        let namespaces: BTreeSet<Sym> = keys
            .range((kind, Sym::EMPTY, Sym::EMPTY)..)
            .map_while(|((of, ns, _), _)| (*of == kind).then_some(*ns))
            .collect();
        if namespaces.is_empty() {
            continue;
        }
        for (verb, tells_names) in READS {
            let permission = Permission::namespaced(verb, group, resource);
            reads(world, sink, kind, &permission, *tells_names, &namespaces, &keys);
        }
        members(world, sink, kind, &namespaces, &keys);
    }
}

/// The keys in the specification of a pod or a template; those of what runs are its containers'.
fn written(world: &World, sink: &mut Sink<'_>, host: Host, runs: bool) -> Vec<Written> {
    let spec = world.host_spec(host);
    let mut found = Vec::new();
    for (i, container) in spec.containers.iter().enumerate() {
        for literal in &container.literals {
            let Some(provider) = provider(literal.content) else { continue };
            let (object, _) = world.host_object(host);
            let identity = format!("{provider}-credentials/{}", bearer(world, host));
            let field = format!("{}.env[{}].name", container.field(), literal.place);
            let name = world.text(literal.name);
            let fact = sink.fact(object, &world.host_field(host, &field), name);
            if runs && world.is_enterable(host, container) {
                let from = Thing::Container(host, i);
                sink.edge(from, Thing::Cloud(&identity), &POD_ENV_CREDENTIAL, &[fact]);
            }
            found.push(Written { identity, fact });
        }
    }
    found
}

/// What a key is called by: the top owner of what holds it.
fn bearer(world: &World, host: Host) -> String {
    let (pod, workload) = match host {
        Host::Pod(pod) => (Some(pod), world.pods[pod.index()].workload),
        Host::Template(workload) => (None, Some(workload)),
    };
    let (kind, ns, name) = match (pod, workload) {
        (_, Some(workload)) => {
            let top = &world.workloads[world.workloads[workload.index()].top.index()];
            (world.text(top.kind), top.ns, top.name)
        }
        (Some(pod), None) => {
            let pod = &world.pods[pod.index()];
            ("Pod", pod.ns, pod.name)
        }
        (None, None) => return String::new(),
    };
    format!("{}/{}/{}", world.text(ns), kind.to_ascii_lowercase(), world.text(name))
}

/// The set of one kind's specifications in a scope.
fn set(kind: usize, scope: Scope) -> Thing<'static> {
    let ns = match scope {
        Scope::Cluster => Sym::EMPTY,
        Scope::Namespace(ns) => ns,
    };
    Thing::Set(SetKey { kind: &SPECS, ns, of: u32::try_from(kind + 1).unwrap_or(u32::MAX) })
}

fn reads(
    world: &World,
    sink: &mut Sink<'_>,
    kind: usize,
    permission: &Permission,
    tells_names: bool,
    namespaces: &BTreeSet<Sym>,
    keys: &Keys,
) {
    let odds = POD_SPEC_READ.odds;
    let all = if tells_names { odds } else { odds.but(0.95, Confidence::Likely) };
    for grant in world.grants(permission).iter().filter(|g| g.names == Names::All) {
        if namespaces.iter().any(|ns| grant.scope.covers(*ns)) {
            let (from, facts) = (Thing::Binding(grant.binding), sink.grant(grant));
            sink.edge_with(from, set(kind, grant.scope), &POD_SPEC_READ, all, &facts);
        }
    }
    if permission.verb == "deletecollection" {
        return;
    }
    for grant in world.grants(&permission.with_name()) {
        let Names::Only(names) = grant.names else { continue };
        let facts = sink.grant(&grant);
        for ns in namespaces.iter().filter(|ns| grant.scope.covers(**ns)) {
            for one in names.iter().filter_map(|name| keys.get(&(kind, *ns, *name))).flatten() {
                let facts: Vec<Fact> = facts.iter().copied().chain([one.fact]).collect();
                let odds = odds.but(POD_ENV_CREDENTIAL.odds.likelihood, Confidence::Likely);
                let from = Thing::Binding(grant.binding);
                sink.edge_with(from, Thing::Cloud(&one.identity), &POD_SPEC_READ, odds, &facts);
            }
        }
    }
}

/// Leads the sets of one kind to the keys, each once for a namespace.
fn members(
    world: &World,
    sink: &mut Sink<'_>,
    kind: usize,
    namespaces: &BTreeSet<Sym>,
    keys: &Keys,
) {
    for ns in namespaces {
        let Some(namespace) = world.namespace(*ns) else { continue };
        let object = world.namespaces[namespace.index()].object;
        let fact = sink.fact(object, "", "has specifications with credentials");
        let part = set(kind, Scope::Namespace(*ns));
        sink.edge(set(kind, Scope::Cluster), part, &SET_MEMBER, &[fact]);
        let mut known = BTreeSet::new();
        let here = keys.range((kind, *ns, Sym::EMPTY)..);
        for one in here.take_while(|(key, _)| (key.0, key.1) == (kind, *ns)).flat_map(|k| k.1) {
            if known.insert(one.identity.as_str()) {
                let odds = POD_ENV_CREDENTIAL.odds;
                sink.edge_with(part, Thing::Cloud(&one.identity), &SET_MEMBER, odds, &[one.fact]);
            }
        }
    }
}
