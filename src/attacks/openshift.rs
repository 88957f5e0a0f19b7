//! OpenShift: constraints on pods, the configuration of its machines, and its groups.
//!
//! Constraints (`world::openshift`) close a namespace to privileged pods unless one of its accounts
//! may use a strong one. Here are the ways around: a right to use constraints of one's own, or to
//! write them.

use super::Family;
use super::custom_resources;
use super::gate::{PART, gate, needed_together};
use super::impersonation::cluster;
use super::pod_api::{enforced, labelled, set_of};
use super::policies;
use super::sets::{SET_MEMBER, node_keys};
use super::together::{Right, allows_everything, parts, together};
use super::workload_patch::patchers;
use super::workloads::{creators, is_name};
use crate::graph::{Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::k8s::Kind;
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::openshift::{By, Power, USE};
use crate::world::{BindingIx, GroupIx, Namespace, Principal, RuleRef, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Uses constraints that let a privileged pod in, or writes some, and takes over its node.
    ///
    /// ## Needs
    /// In OpenShift, and in a namespace whose Pod Security label lets privileged pods in: `create`
    /// on `pods` together with `use` on SecurityContextConstraints that allow privileged
    /// containers, or host paths or capabilities such as `SYS_ADMIN` for root under any SELinux
    /// type; or a place in their `users` or `groups`. Or `create`, `update` or `patch` on
    /// `securitycontextconstraints` by a ClusterRoleBinding, and making pods, which may be two
    /// conquered identities. Where an account of the namespace may use such constraints,
    /// `pod-create-privileged` needs no more.
    /// ## Abuse
    /// Create a pod with `privileged: true`, `hostPID: true` and `nodeName: NODE`; the API server
    /// picks the constraints. With write rights: `oc adm policy add-scc-to-user privileged -z
    /// default -n NAMESPACE`, or a patch of the constraints' `users`.
    /// ## Stopped by
    /// Pods that a Deployment or Job makes are created by its controller, so that only their
    /// account counts, not its writer. SELinux (`container_t`) keeps host paths shut where the
    /// constraints' `seLinuxContext` is not `RunAsAny`, as those of `hostmount-anyuid`. The Pod
    /// Security label applies besides.
    /// ## Fix
    /// Remove `use` on `privileged` and its like from the role, or name the weakest constraints in
    /// `resourceNames`; empty `users` and `groups` of the constraints.
    /// ## Detect
    /// The pods' annotation `openshift.io/scc: privileged`; audit events that write
    /// `securitycontextconstraints`.
    /// ## References
    /// - <https://docs.openshift.com/container-platform/latest/authentication/managing-security-context-constraints.html>
    /// - openshift apiserver-library-go `pkg/securitycontextconstraints/sccadmission/admission.go`
    /// - openshift api `security/v1/types.go`
    pub(super) static OPEN_SHIFT_SCC_USE = {
        id: "open-shift-scc-use", title: "Use constraints that let a privileged pod in",
        mitre: &["T1078", "T1610", "T1611"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Writes a MachineConfig, which OpenShift puts onto its machines as root.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `machineconfigs` of `machineconfiguration.openshift.io`, by
    /// a ClusterRoleBinding, in a cluster of OpenShift.
    /// ## Abuse
    /// `oc create -f` a MachineConfig with the label
    /// `machineconfiguration.openshift.io/role: master` (or `worker`) and, under
    /// `spec.config.systemd.units` or `passwd.users[].sshAuthorizedKeys`, a unit or a key of one's
    /// own; the machine-config daemon writes it and reboots node by node.
    /// ## Stopped by
    /// A paused MachineConfigPool. Rendered MachineConfigs are made anew from their parts. Hosted
    /// control planes have no such API: their NodePools stand in the management cluster.
    /// ## Fix
    /// Remove the write verbs on `machineconfigs` from the role; change machines through a
    /// reviewed repository.
    /// ## Detect
    /// Audit events that write `machineconfigs`; MachineConfigPools with `UPDATING=True` that
    /// nobody planned.
    /// ## References
    /// - <https://docs.openshift.com/container-platform/latest/machine_configuration/index.html>
    /// - openshift machine-config-operator `docs/MachineConfigDaemon.md`
    pub(super) static OPEN_SHIFT_MACHINE_CONFIG = {
        id: "open-shift-machine-config", title: "Configure the machines",
        mitre: &["T1078", "T1543.002"], odds: Odds::likely(0.9),
    }
}

crate::attack! {
    /// Puts a user of one's own into a group of OpenShift and holds what is bound to it.
    ///
    /// ## Needs
    /// In OpenShift `update` or `patch` on `groups` of `user.openshift.io`, by a
    /// ClusterRoleBinding, and a user that one can sign in as; or `create`, where a binding names
    /// a group that nobody has made yet.
    /// ## Abuse
    /// `oc adm groups add-users GROUP USER`, or `oc adm groups new GROUP USER`, then sign in again.
    /// ## Stopped by
    /// Groups such as `system:masters` and `system:cluster-admins` are no objects: a group's name
    /// cannot hold a colon. A sync with LDAP sets the members back at its next run. With direct
    /// sign-in by OpenID Connect groups come from the provider and are no objects either.
    /// ## Fix
    /// Remove the write verbs on `groups` from the role, or name the groups in `resourceNames`;
    /// delete bindings to groups that are not there.
    /// ## Detect
    /// Audit events with verb `update`, `patch` or `create` on `groups` from others than the sync.
    /// ## References
    /// - <https://docs.openshift.com/container-platform/latest/authentication/understanding-authentication.html>
    /// - openshift oauth-apiserver `pkg/user/apis/user/validation`: names of groups
    pub(super) static OPEN_SHIFT_GROUP_WRITE = {
        id: "open-shift-group-write", title: "Join a group", mitre: &["T1098"],
        odds: Odds::likely(0.9),
    }
}

/// What is OpenShift's own.
pub(super) static FAMILY: Family = Family {
    name: "R Third-party controllers: OpenShift",
    attacks: &[&OPEN_SHIFT_SCC_USE, &OPEN_SHIFT_MACHINE_CONFIG, &OPEN_SHIFT_GROUP_WRITE],
    find,
};

/// Pods that their creator's own constraints let in: each leads to every node.
static OWN: SetKind =
    SetKind { id: "constrained-pods", noun: "privileged pods by own constraints" };
static WRITE: SetKind = SetKind { id: "constraints-write", noun: "rights to write constraints" };
static MAKE: SetKind = SetKind { id: "constraints-pods", noun: "rights to make pods" };
/// Opens when constraints can be written and pods be made.
static LIFTED: SetKind = SetKind { id: "constraints-lifted", noun: "constraints lifted" };
static GROUPS: SetKind = SetKind { id: "groups", noun: "groups to join" };
static FREE_GROUPS: SetKind = SetKind { id: "free-groups", noun: "groups to make" };

fn find(world: &World, sink: &mut Sink<'_>) {
    if !world.openshift {
        return;
    }
    own_constraints(world, sink);
    written_constraints(world, sink);
    machines(world, sink);
    groups(world, sink);
}

/// What a kind of constraints is worth: how likely its pods take their node.
fn odds_of(power: Power) -> Odds {
    match power {
        Power::Privileged => Odds::certain(1.0),
        Power::HostPaths => Odds::likely(0.95),
        Power::Capabilities => Odds::likely(0.75),
        Power::Root | Power::Confined => Odds::possible(0.01),
    }
}

/// What lets privileged pods into a namespace that `admits` them: its label, in OpenShift the
/// constraints that an account may use, and admission policies; and how likely and sure that is.
pub(super) fn admission(
    world: &World,
    sink: &mut Sink<'_>,
    namespace: &Namespace,
) -> (Vec<Fact>, Odds) {
    let (mut facts, odds) = unguarded(world, sink, namespace);
    let left = policies::weigh(world, sink, namespace, &mut facts);
    (facts, odds.but(left.likelihood, left.confidence))
}

/// The same, were there no admission policies.
pub(super) fn unguarded(
    world: &World,
    sink: &mut Sink<'_>,
    namespace: &Namespace,
) -> (Vec<Fact>, Odds) {
    let (level, sure) = enforced(world, sink, namespace);
    let mut facts = vec![level];
    let odds = Odds { likelihood: 1.0, confidence: sure };
    let Some(usable) = namespace.usable else {
        let hidden = world.openshift && world.constraints.is_empty();
        return (facts, if hidden { odds.but(0.6, Confidence::Unknown) } else { odds });
    };
    let constraints = |sink: &mut Sink<'_>, at: usize, field: &str, value: &str| {
        world.constraints.get(at).map(|c| sink.fact(c.object, field, value))
    };
    let strong = usable.power.field();
    match usable.by {
        By::Nobody => {}
        By::RunLevel => {
            let field = ".metadata.labels[\"openshift.io/run-level\"]";
            facts.push(sink.fact(namespace.object, field, "no constraints apply"));
        }
        By::Right(at, binding, rule, place) => {
            facts.extend(constraints(sink, at, strong, "lets it in"));
            let binding = &world.bindings[binding.index()];
            let subject = binding.subjects.iter().find(|s| s.place == place);
            facts.extend(subject.map(|subject| sink.subject(binding, subject)));
            facts.extend([sink.role_ref(binding), sink.rule(rule)]);
        }
        By::Listed(at, list, place) => {
            facts.extend(constraints(sink, at, strong, "lets it in"));
            let field = format!(".{list}[{place}]");
            facts.extend(constraints(sink, at, &field, "names an account of the namespace"));
        }
    }
    let worth = odds_of(usable.power);
    (facts, odds.but(worth.likelihood, worth.confidence))
}

/// Whether the label of any of a scope's namespaces lets privileged pods in.
fn open(world: &World, scope: Scope) -> bool {
    world.reached(scope).iter().any(|n| labelled(n, Level::Privileged))
}

/// The strongest constraints among some names and what they are worth. Where none were collected,
/// those called `privileged` are what OpenShift installs.
fn strong(world: &World, names: Names<'_>) -> Option<(Option<usize>, Odds)> {
    let odds = OPEN_SHIFT_SCC_USE.odds;
    if world.constraints.is_empty() {
        let usual = world.symbols.get("privileged").is_some_and(|name| names.covers(name));
        let some = usual || names == Names::All;
        return some.then(|| (None, odds.but(0.95, Confidence::Likely)));
    }
    let at = world.strongest(names)?;
    let power = world.constraints[at].power;
    let worth = odds_of(power);
    let takes = power.level() == Level::Privileged;
    takes.then(|| (Some(at), odds.but(worth.likelihood, worth.confidence)))
}

fn lets_in(world: &World, sink: &mut Sink<'_>, at: usize) -> Fact {
    let constraints = &world.constraints[at];
    sink.fact(constraints.object, constraints.power.field(), "lets it in")
}

/// Those who create pods and may use strong constraints themselves.
fn own_constraints(world: &World, sink: &mut Sink<'_>) {
    let create = Permission::namespaced("create", "", "pods");
    // In one namespace a rule that allows everything is worth a step; in the cluster it is not.
    let wanted = |g: &Grant<'_>| g.scope != Scope::Cluster || !allows_everything(world, g);
    let mut uses = world.grants(&USE);
    uses.retain(|g| wanted(g) && strong(world, g.names).is_some());
    let uses: Vec<Right<'_>> = uses.into_iter().map(Right::from).collect();
    let creates = world.grants(&create).into_iter().filter(wanted).map(Right::from).collect();
    let mut scopes = BTreeSet::new();
    for held in together(world, &[creates, uses]).into_iter().filter(|h| open(world, h.scope)) {
        let Some((at, odds)) = held.rights.get(1).and_then(|r| strong(world, r.names)) else {
            continue;
        };
        let mut facts = held.facts(world, sink);
        facts.extend(at.map(|at| lets_in(world, sink, at)));
        scopes.insert(held.scope);
        let to = set_of(&OWN, held.scope);
        sink.edge_with(held.from(), to, &OPEN_SHIFT_SCC_USE, odds, &facts);
    }
    listed(world, sink, &create, &mut scopes);
    own_members(world, sink, &scopes);
}

/// Those whom strong constraints list, and who may create pods.
fn listed(world: &World, sink: &mut Sink<'_>, create: &Permission, scopes: &mut BTreeSet<Scope>) {
    let mut creates: BTreeMap<BindingIx, (RuleRef, Scope)> = BTreeMap::new();
    for grant in world.grants(create).iter().filter(|g| g.names == Names::All) {
        creates.entry(grant.binding).or_insert((grant.rule, grant.scope));
    }
    for (at, constraints) in world.constraints.iter().enumerate() {
        if constraints.power.level() != Level::Privileged {
            continue;
        }
        let worth = odds_of(constraints.power);
        let odds = OPEN_SHIFT_SCC_USE.odds.but(worth.likelihood, worth.confidence);
        for (principal, list, place) in world.named_by(constraints) {
            let fact = sink.fact(constraints.object, &format!(".{list}[{place}]"), "may use it");
            for who in members(world, principal) {
                for (binding, rule, scope, by) in created(world, &creates, who) {
                    if !open(world, scope) {
                        continue;
                    }
                    let row = &world.bindings[binding.index()];
                    let subject = row.subjects.iter().find(|s| s.place == by);
                    let mut facts = vec![fact, lets_in(world, sink, at)];
                    facts.extend(subject.map(|subject| sink.subject(row, subject)));
                    facts.extend([sink.role_ref(row), sink.rule(rule)]);
                    scopes.insert(scope);
                    let to = set_of(&OWN, scope);
                    sink.edge_with(who.into(), to, &OPEN_SHIFT_SCC_USE, odds, &facts);
                }
            }
        }
    }
}

/// A principal, or a group with the users that OpenShift puts into it. Groups of everybody are
/// those of the accounts too, so that every namespace is open already.
fn members(world: &World, principal: Principal) -> Vec<Principal> {
    let Principal::Group(group) = principal else { return vec![principal] };
    let name = world.text(world.groups[group.index()].1);
    if name == "system:authenticated" || name.starts_with("system:serviceaccounts") {
        return Vec::new();
    }
    let users = world.memberships.iter().filter(|(_, of)| of.iter().any(|(g, _)| *g == group));
    let users = users.map(|(user, _)| Principal::User(*user));
    std::iter::once(principal).chain(users).collect()
}

/// The bindings by which a principal, or a group of its, creates pods; with the subject's place.
fn created(
    world: &World,
    creates: &BTreeMap<BindingIx, (RuleRef, Scope)>,
    who: Principal,
) -> Vec<(BindingIx, RuleRef, Scope, u32)> {
    let groups = world.implicit_groups(who);
    let groups = groups.iter().filter_map(|g| world.group(g)).map(Principal::Group);
    let of = std::iter::once(who).chain(groups).flat_map(|p| world.index.bindings_of(p));
    let found = of.filter_map(|(binding, place)| {
        creates.get(binding).map(|(rule, scope)| (*binding, *rule, *scope, *place))
    });
    found.collect()
}

/// Leads the sets of privileged pods by own constraints to the nodes.
fn own_members(world: &World, sink: &mut Sink<'_>, scopes: &BTreeSet<Scope>) {
    let whole = scopes.contains(&Scope::Cluster);
    for namespace in world.namespaces.iter().filter(|n| labelled(n, Level::Privileged)) {
        let scope = Scope::Namespace(namespace.name);
        if !whole && !scopes.contains(&scope) {
            continue;
        }
        let level = enforced(world, sink, namespace).0;
        let mut facts = vec![level];
        let odds = policies::weigh(world, sink, namespace, &mut facts);
        if whole {
            sink.edge(cluster(&OWN), set_of(&OWN, scope), &SET_MEMBER, &[level]);
        }
        // The edge into the set bears the likelihood.
        for nodes in node_keys(world) {
            let (from, to) = (set_of(&OWN, scope), Thing::Set(nodes));
            sink.edge_with(from, to, &OPEN_SHIFT_SCC_USE, odds, &facts);
        }
    }
}

/// Those who write constraints, and those who make pods: two requests.
fn written_constraints(world: &World, sink: &mut Sink<'_>) {
    let attack = &OPEN_SHIFT_SCC_USE;
    let there = |name: Sym| {
        let known = world.constraints.iter().any(|c| c.name == name);
        known || world.constraints.is_empty() && is_name(world.text(name))
    };
    let writers = writers(world, "security.openshift.io", "securitycontextconstraints");
    let mut written = false;
    for grant in writers.iter().filter(|g| match g.names {
        Names::All => true,
        Names::Only(names) => names.iter().any(|n| there(*n)),
    }) {
        written = true;
        let facts = sink.grant(grant);
        sink.edge_with(Thing::Binding(grant.binding), cluster(&WRITE), attack, PART, &facts);
    }
    if !written {
        return;
    }
    let (narrow, wide) = patchers(world, sink);
    let wide = wide.into_iter().filter(|(template, _)| {
        let standing = template.namespaces(world);
        standing.iter().any(|ns| open(world, Scope::Namespace(*ns)))
    });
    let mut makers = custom_resources::makers(world, sink);
    makers.extend(creators(world, sink).into_iter().chain(narrow).map(|m| (m, PART)));
    makers.retain(|(m, _)| open(world, m.scope));
    makers.extend(wide.map(|(_, maker)| (maker, PART)));
    if makers.is_empty() {
        return;
    }
    for (maker, odds) in makers {
        sink.edge_with(maker.from, cluster(&MAKE), attack, odds, &maker.facts);
    }
    let key = SetKey { kind: &LIFTED, ns: Sym::EMPTY, of: 0 };
    let gate = gate(world, sink, key, attack, &[&WRITE, &MAKE].map(cluster));
    let together = needed_together(world, sink);
    for nodes in node_keys(world) {
        sink.edge(gate, Thing::Set(nodes), attack, &[together]);
    }
}

/// The grants to create, or to change, objects of the whole cluster. Of a rule that grants both
/// the first stands for it.
fn writers<'w>(world: &'w World, group: &'static str, resource: &'static str) -> Vec<Grant<'w>> {
    parts(world, &["create", "update", "patch"].map(|v| Permission::cluster(v, group, resource)))
}

fn machines(world: &World, sink: &mut Sink<'_>) {
    let group = "machineconfiguration.openshift.io";
    let attack = &OPEN_SHIFT_MACHINE_CONFIG;
    // A hosted cluster of OpenShift has no such objects.
    let shown = world.seen.iter().any(|((g, _), count)| *count > 0 && g == group);
    let odds = if shown { attack.odds } else { attack.odds.but(0.8, Confidence::Likely) };
    for grant in writers(world, group, "machineconfigs") {
        let odds = match grant.names {
            Names::All => odds,
            Names::Only(names) if names.iter().any(|n| is_name(world.text(*n))) => {
                odds.but(0.5, Confidence::Possible)
            }
            Names::Only(_) => continue,
        };
        let facts = sink.grant(&grant);
        for nodes in node_keys(world) {
            let from = Thing::Binding(grant.binding);
            sink.edge_with(from, Thing::Set(nodes), attack, odds, &facts);
        }
    }
}

/// Groups that an object can bear the name of and that some binding names, with whether one does.
fn bound_groups(world: &World) -> impl Iterator<Item = (GroupIx, bool)> + '_ {
    let bound = |ix: &GroupIx| !world.index.bindings_of(Principal::Group(*ix)).is_empty();
    (0..world.groups.len()).map(GroupIx::new).filter(bound).filter_map(|ix| {
        let (object, name) = world.groups[ix.index()];
        let own = !world.text(name).contains(':');
        own.then(|| (ix, world.objects[object.index()].is_present()))
    })
}

fn groups(world: &World, sink: &mut Sink<'_>) {
    let collected = world.count(Kind::Group) > 0;
    let of = |verb| Permission::cluster(verb, "user.openshift.io", "groups");
    let odds = OPEN_SHIFT_GROUP_WRITE.odds;
    // Where no group was collected, one that a binding names may be there or not.
    let (changed, made) = if collected {
        (odds, odds)
    } else {
        (odds.but(0.9, Confidence::Likely), odds.but(0.5, Confidence::Possible))
    };
    let rows: [(&SetKind, &[Permission], bool, Odds); 2] = [
        (&GROUPS, &[of("update"), of("patch")], true, changed),
        (&FREE_GROUPS, &[of("create")], false, made),
    ];
    for (kind, permissions, there, odds) in rows {
        let fits = |present: bool| !collected || present == there;
        let mut wide = false;
        for grant in parts(world, permissions) {
            let from = Thing::Binding(grant.binding);
            let facts = sink.grant(&grant);
            let Names::Only(names) = grant.names else {
                wide = true;
                sink.edge_with(from, cluster(kind), &OPEN_SHIFT_GROUP_WRITE, odds, &facts);
                continue;
            };
            for (ix, present) in bound_groups(world) {
                if fits(present) && names.contains(&world.groups[ix.index()].1) {
                    let to = Thing::Group(ix);
                    sink.edge_with(from, to, &OPEN_SHIFT_GROUP_WRITE, odds, &facts);
                }
            }
        }
        for (ix, present) in bound_groups(world).filter(|_| wide) {
            if fits(present) {
                let (object, name) = world.groups[ix.index()];
                let fact = sink.fact(object, ".metadata.name", world.text(name));
                sink.edge(cluster(kind), Thing::Group(ix), &SET_MEMBER, &[fact]);
            }
        }
    }
}
