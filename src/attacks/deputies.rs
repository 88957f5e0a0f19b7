//! Confused deputies: controllers that do with their own service account what an object asks for.
//!
//! A row of a table says which objects steer a controller and how the controller is told by what
//! runs in the snapshot; one walk leads from each grant on these objects to the account of every
//! controller that is really there. What that account may do follows from its own bindings. A
//! resource without its controller does nothing. The objects themselves are not read, so what they
//! may be limited to (an AppProject, a policy on them) is part of the odds.

use super::impersonation::cluster;
use super::pod_api::set_of;
use super::sets::{SECRETS, SERVICE_ACCOUNTS, SET_MEMBER};
use super::structure::NAMESPACES;
use super::together::allows_everything;
use super::workloads::is_name;
use crate::graph::{Attack, Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::hosts::Host;
use crate::world::pods::{Container, List};
use crate::world::rbac::{Request, Target};
use crate::world::{AccountIx, PodIx, Principal, WorkloadIx, World};
use std::collections::BTreeSet;

/// How a controller is told by what runs.
#[derive(Debug)]
pub(super) struct Controller {
    /// Ends of its image's repository, whatever registry it comes from.
    pub(super) images: &'static [&'static str],
    /// Where several programs share that image: what the container's name or a label is that names
    /// this one, or, with a dash before it, how it ends.
    pub(super) parts: &'static [&'static str],
    /// Values of `app.kubernetes.io/name` that tell it under another image.
    pub(super) labels: &'static [&'static str],
}

/// The labels that name a program, the first of them alone and unmistakably.
const NAME_LABELS: &[&str] =
    &["app.kubernetes.io/name", "app.kubernetes.io/component", "app", "control-plane"];

/// A controller that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    controller: &'static Controller,
    host: Host,
    /// Its container's place in the specification.
    container: usize,
    pub(super) account: AccountIx,
    pub(super) ns: Sym,
}

impl Found {
    fn container<'w>(&self, world: &'w World) -> &'w Container {
        &world.host_spec(self.host).containers[self.container]
    }

    /// The value of one of its flags: empty for a flag without one.
    pub(super) fn flag<'w>(&self, world: &'w World, name: &str) -> Option<&'w str> {
        self.flags(world, name).last()
    }

    /// Every value of a flag that may be given more than once.
    pub(super) fn flags<'w>(&self, world: &'w World, name: &str) -> impl Iterator<Item = &'w str> {
        self.container(world).command.iter().filter_map(move |word| {
            let rest = world.text(*word).strip_prefix(name)?;
            if rest.is_empty() { Some("") } else { rest.strip_prefix('=') }
        })
    }

    /// Whether a flag is given and not `false`.
    pub(super) fn is_on(&self, world: &World, name: &str) -> bool {
        self.flag(world, name).is_some_and(|value| value != "false")
    }

    /// The version that its image's tag names.
    pub(super) fn version(&self, world: &World) -> Option<(u32, u32, u32)> {
        version(world.text(self.container(world).image))
    }

    /// The namespace in which it looks for what objects of the whole cluster refer to.
    fn resources(&self, world: &World) -> Sym {
        let named = self.flag(world, "--cluster-resource-namespace");
        // The chart writes `$(POD_NAMESPACE)`, which is its own.
        named.filter(|ns| is_name(ns)).and_then(|ns| world.symbols.get(ns)).unwrap_or(self.ns)
    }

    /// The value of one of its labels.
    pub(super) fn label<'w>(&self, world: &'w World, key: &str) -> Option<&'w str> {
        let key = world.symbols.get(key)?;
        let (_, labels) = shape(world, self.host);
        let mut labels = world.labels.get(labels as usize)?.iter();
        labels.find(|(k, _)| *k == key).map(|(_, value)| world.text(*value))
    }

    /// Whether another controller, told by its image, runs in the same namespace.
    pub(super) fn beside(&self, world: &World, other: &Controller) -> bool {
        let pods = world.pods_of(self.ns).map(PodIx::new).filter(|p| world.is_running(*p));
        let workloads = world.workloads_of(self.ns).map(WorkloadIx::new);
        let templates = workloads.filter(|w| world.is_template(*w)).map(Host::Template);
        pods.map(Host::Pod).chain(templates).any(|host| {
            let mut images = world.host_spec(host).containers.iter().map(|c| world.text(c.image));
            images.any(|image| other.images.iter().any(|i| ends(repository(image), i)))
        })
    }

    /// Whether its account may do something in a namespace, or in all of them.
    pub(super) fn may(
        &self,
        world: &World,
        verb: &str,
        group: &str,
        resource: &str,
        ns: Option<Sym>,
    ) -> bool {
        let account = &world.accounts[self.account.index()];
        let user = format!(
            "system:serviceaccount:{}:{}",
            world.text(account.ns),
            world.text(account.name)
        );
        let groups = world.implicit_groups(Principal::Account(self.account));
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let namespace = ns.map_or("", |ns| world.text(ns));
        let target = Target::Resource { group, resource, subresource, name: "", namespace };
        world.review(&Request { user: &user, groups: &groups, verb, target }).is_some()
    }

    /// What says that it runs, and as whom; with the flags that a judgement rests on.
    fn facts(&self, world: &World, sink: &mut Sink<'_>, shows: &[&str]) -> Vec<Fact> {
        let (object, _) = world.host_object(self.host);
        let container = self.container(world);
        let field = |name: &str| world.host_field(self.host, name);
        let at = container.field();
        let account = world.text(world.accounts[self.account.index()].name);
        let mut facts = vec![
            sink.fact(object, &field(&format!("{at}.image")), world.text(container.image)),
            sink.fact(object, &field(".spec.serviceAccountName"), account),
        ];
        for name in shows {
            for value in self.flags(world, name) {
                let text =
                    if value.is_empty() { (*name).to_owned() } else { format!("{name}={value}") };
                facts.push(sink.fact(object, &field(&format!("{at}.args")), &text));
            }
        }
        facts
    }
}

/// Where a controller reads the objects that steer it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reads {
    /// In its own namespace.
    Own,
    /// In the namespaces of these patterns.
    Some(Vec<String>),
    /// In every namespace.
    All,
}

/// What a controller of a row amounts to.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) reads: Reads,
    /// What its circumstances do to the odds.
    pub(super) factor: f64,
    pub(super) sure: Confidence,
    /// The flags that say so.
    pub(super) shows: &'static [&'static str],
}

impl Reach {
    /// Without more ado.
    pub(super) const fn of(reads: Reads) -> Self {
        Self { reads, factor: 1.0, sure: Confidence::Certain, shows: &[] }
    }

    /// Because of these flags.
    pub(super) fn shown(self, shows: &'static [&'static str]) -> Self {
        Self { shows, ..self }
    }

    /// At these odds.
    pub(super) fn but(self, factor: f64, sure: Confidence) -> Self {
        Self { factor, sure, ..self }
    }
}

/// What whoever steers a controller comes to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    /// Its service account.
    Account,
    /// The identity that its service account has in a cloud.
    Cloud,
    /// The Secrets of its own namespace.
    OwnSecrets,
    /// The service accounts of the object's namespace.
    Accounts,
    /// The Secrets of the object's namespace.
    Secrets,
    /// The object's namespace.
    NamespaceAdmin,
    /// Everything.
    ClusterAdmin,
}

/// Rights that steer a controller.
#[derive(Debug)]
pub(super) struct Steer {
    pub(super) group: &'static str,
    pub(super) resources: &'static [&'static str],
    /// The objects belong to no namespace.
    pub(super) cluster: bool,
    pub(super) verbs: &'static [&'static str],
    /// The objects of these names alone; any, if empty.
    pub(super) names: &'static [&'static str],
    pub(super) odds: Odds,
}

/// Making an object or changing one that is there.
pub(super) const WRITE: &[&str] = &["create", "update", "patch"];
/// Changing an object that is there.
pub(super) const CHANGE: &[&str] = &["update", "patch"];

impl Steer {
    /// Writing objects in namespaces.
    pub(super) const fn on(
        group: &'static str,
        resources: &'static [&'static str],
        odds: Odds,
    ) -> Self {
        Self { group, resources, cluster: false, verbs: WRITE, names: &[], odds }
    }

    /// Writing objects of the whole cluster.
    pub(super) const fn wide(
        group: &'static str,
        resources: &'static [&'static str],
        odds: Odds,
    ) -> Self {
        Self { cluster: true, ..Self::on(group, resources, odds) }
    }

    /// By other verbs, on the objects of these names.
    pub(super) const fn by(
        self,
        verbs: &'static [&'static str],
        names: &'static [&'static str],
    ) -> Self {
        Self { verbs, names, ..self }
    }

    /// Every grant of these rights that is worth an edge, with its odds.
    fn grants<'w>(&self, world: &'w World) -> Vec<(Grant<'w>, Odds)> {
        let make = if self.cluster { Permission::cluster } else { Permission::namespaced };
        let wanted: Vec<Permission> = self
            .resources
            .iter()
            .flat_map(|r| self.verbs.iter().map(|verb| make(verb, self.group, r)))
            .collect();
        let mut found = Vec::new();
        for grant in world.grants_any(&wanted) {
            // Whoever may do everything everywhere needs no deputy.
            if grant.scope == Scope::Cluster && allows_everything(world, &grant) {
                continue;
            }
            let odds = match grant.names {
                Names::All => self.odds,
                Names::Only(names) if self.names.is_empty() => {
                    if !names.iter().any(|name| is_name(world.text(*name))) {
                        continue;
                    }
                    // Whether an object bears the name is not in the snapshot.
                    self.odds.but(0.8, Confidence::Likely)
                }
                Names::Only(names) => {
                    if !names.iter().any(|name| self.names.contains(&world.text(*name))) {
                        continue;
                    }
                    self.odds
                }
            };
            found.push((grant, odds));
        }
        found
    }
}

/// One way to steer one kind of controller.
#[derive(Debug)]
pub(super) struct Deputy {
    pub(super) attack: &'static Attack,
    pub(super) controller: &'static Controller,
    /// A program that must run beside it in its namespace.
    pub(super) beside: Option<&'static Controller>,
    pub(super) steers: &'static [Steer],
    /// Where a controller that runs reads them; `None` if it does not do what the row says.
    pub(super) judge: fn(&World, &Found) -> Option<Reach>,
    pub(super) to: To,
    /// Whatever is steered from a namespace, or from the whole cluster.
    pub(super) set: SetKind,
    /// Whatever is steered from every namespace.
    pub(super) wide: SetKind,
}

/// Finds the edges of some rows.
pub(super) fn walk(world: &World, sink: &mut Sink<'_>, rows: &'static [Deputy]) {
    let found = running(world, rows);
    for row in rows {
        let beside = |f: &&Found| {
            row.beside.is_none_or(|other| {
                found.iter().any(|o| o.ns == f.ns && std::ptr::eq(o.controller, other))
            })
        };
        let of_row = found.iter().filter(|f| std::ptr::eq(f.controller, row.controller));
        let there: Vec<(Found, Reach)> =
            of_row.filter(beside).filter_map(|f| Some((*f, (row.judge)(world, f)?))).collect();
        if !there.is_empty() {
            steered(world, sink, row, &there);
        }
    }
}

/// The controllers of some rows that run, one for each account and specification.
fn running(world: &World, rows: &'static [Deputy]) -> Vec<Found> {
    let mut wanted: Vec<&'static Controller> = Vec::new();
    for controller in rows.iter().flat_map(|r| std::iter::once(r.controller).chain(r.beside)) {
        if !wanted.iter().any(|w| std::ptr::eq(*w, controller)) {
            wanted.push(controller);
        }
    }
    let by_image: Vec<Vec<(usize, usize)>> = world
        .specs
        .iter()
        .map(|spec| {
            let running = spec.containers.iter().enumerate().filter(|(_, c)| c.list == List::Main);
            let hits = running.flat_map(|(k, c)| {
                let repository = repository(world.text(c.image));
                let fits = move |w: &&Controller| w.images.iter().any(|i| ends(repository, i));
                let fitting = wanted.iter().enumerate().filter(move |(_, w)| fits(w));
                fitting.map(move |(controller, _)| (controller, k))
            });
            hits.collect()
        })
        .collect();
    let name = world.symbols.get(NAME_LABELS[0]);
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for host in world.hosts() {
        let (spec, labels) = shape(world, host);
        let Some(labels) = world.labels.get(labels as usize) else { continue };
        let named = |key: Sym| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| world.text(*v));
        let title = name.and_then(named);
        let mut hits: Vec<(usize, usize)> = Vec::new();
        for (controller, container) in by_image.get(spec as usize).into_iter().flatten() {
            let parts = wanted[*controller].parts;
            let is_part = |text: &str| {
                parts.iter().any(|p| *p == text || p.starts_with('-') && text.ends_with(p))
            };
            let own = world.text(world.specs[spec as usize].containers[*container].name);
            let mut keys = NAME_LABELS.iter().filter_map(|key| world.symbols.get(key));
            if parts.is_empty() || is_part(own) || keys.any(|k| named(k).is_some_and(is_part)) {
                hits.push((*controller, *container));
            }
        }
        if let Some(title) = title {
            for (controller, w) in wanted.iter().enumerate() {
                if w.labels.contains(&title) && !hits.iter().any(|(c, _)| *c == controller) {
                    hits.push((controller, 0));
                }
            }
        }
        let account = world.host_account(host).filter(|a| world.accounts[a.index()].exists);
        let Some(account) = account.filter(|_| !hits.is_empty()) else { continue };
        let (_, ns) = world.host_object(host);
        for (controller, container) in hits {
            let there = world.specs[spec as usize].containers.len() > container;
            if there && seen.insert((controller, account, spec)) {
                let controller = wanted[controller];
                found.push(Found { controller, host, container, account, ns });
            }
        }
    }
    found
}

/// The numbers of a host's specification and label set.
fn shape(world: &World, host: Host) -> (u32, u32) {
    match host {
        Host::Pod(pod) => {
            let pod = &world.pods[pod.index()];
            (pod.spec, world.objects[pod.object.index()].labels)
        }
        Host::Template(workload) => {
            let workload = &world.workloads[workload.index()];
            (workload.spec.unwrap_or(0), workload.template_labels)
        }
    }
}

/// The edges of one row: from each grant to what the controllers that read there hold.
fn steered(world: &World, sink: &mut Sink<'_>, row: &'static Deputy, there: &[(Found, Reach)]) {
    let direct =
        matches!(row.to, To::Accounts | To::Secrets | To::NamespaceAdmin | To::ClusterAdmin);
    let mut scopes: BTreeSet<Scope> = BTreeSet::new();
    for steer in row.steers {
        for (grant, odds) in steer.grants(world) {
            let Some((found, reach)) = there.iter().find(|(f, r)| reads(world, f, r, grant.scope))
            else {
                continue;
            };
            let from = Thing::Binding(grant.binding);
            let mut facts = sink.grant(&grant).to_vec();
            if !direct {
                scopes.insert(grant.scope);
                sink.edge_with(from, set_of(&row.set, grant.scope), row.attack, odds, &facts);
                continue;
            }
            // A controller that reads one namespace alone gives nothing of the others.
            let one = match &reach.reads {
                Reads::All => None,
                Reads::Own => Some(found.ns),
                Reads::Some(patterns) => patterns.first().and_then(|p| world.symbols.get(p)),
            };
            let scope = one.map_or(grant.scope, Scope::Namespace);
            facts.extend(found.facts(world, sink, reach.shows));
            let odds = odds.but(reach.factor, reach.sure);
            let to = match (row.to, scope) {
                (To::Accounts, scope) => Some(set_of(&SERVICE_ACCOUNTS, scope)),
                (To::Secrets, scope) => Some(set_of(&SECRETS, scope)),
                (To::NamespaceAdmin, Scope::Cluster) => Some(cluster(&NAMESPACES)),
                (To::NamespaceAdmin, Scope::Namespace(ns)) => {
                    world.namespace(ns).map(Thing::NamespaceAdmin)
                }
                _ => Some(Thing::ClusterAdmin),
            };
            if let Some(to) = to {
                sink.edge_with(from, to, row.attack, odds, &facts);
            }
        }
    }
    if !scopes.is_empty() {
        members(world, sink, row, there, &scopes);
    }
}

/// Whether a controller reads objects that a grant of this scope allows to write.
fn reads(world: &World, found: &Found, reach: &Reach, scope: Scope) -> bool {
    match (scope, &reach.reads) {
        (Scope::Cluster, _) | (_, Reads::All) => true,
        (Scope::Namespace(ns), Reads::Own) => ns == found.ns,
        (Scope::Namespace(ns), Reads::Some(patterns)) => {
            patterns.iter().any(|p| matches(p, world.text(ns)))
        }
    }
}

/// Leads the sets of some scopes to what the controllers that read there hold.
fn members(
    world: &World,
    sink: &mut Sink<'_>,
    row: &'static Deputy,
    there: &[(Found, Reach)],
    scopes: &BTreeSet<Scope>,
) {
    let everywhere = Thing::Set(SetKey { kind: &row.wide, ns: Sym::EMPTY, of: 0 });
    let mut wide = None;
    for (found, reach) in there {
        let facts = found.facts(world, sink, reach.shows);
        let odds = Odds { likelihood: reach.factor, confidence: reach.sure };
        let from: Vec<Thing<'static>> = if reach.reads == Reads::All {
            wide = wide.or_else(|| facts.first().copied());
            vec![everywhere]
        } else {
            let reading = scopes.iter().filter(|s| reads(world, found, reach, **s));
            reading.map(|scope| set_of(&row.set, *scope)).collect()
        };
        for from in from {
            match row.to {
                To::OwnSecrets => {
                    let to = set_of(&SECRETS, Scope::Namespace(found.resources(world)));
                    sink.edge_with(from, to, &SET_MEMBER, odds, &facts);
                }
                To::Cloud => {
                    for provider in &super::cloud_identity::PROVIDERS {
                        let Some(name) = provider.named(world, found.account) else { continue };
                        let mut facts = facts.clone();
                        facts.extend(provider.fact(world, sink, found.account));
                        sink.edge_with(from, Thing::Cloud(&name), &SET_MEMBER, odds, &facts);
                    }
                }
                _ => {
                    let to = Thing::Account(found.account);
                    sink.edge_with(from, to, &SET_MEMBER, odds, &facts);
                }
            }
        }
    }
    if let Some(fact) = wide {
        for scope in scopes {
            sink.edge(set_of(&row.set, *scope), everywhere, &SET_MEMBER, &[fact]);
        }
    }
}

/// The repository of an image: its reference without tag and digest.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let name = image.rfind('/').map_or(0, |slash| slash + 1);
    image[name..].find(':').map_or(image, |colon| &image[..name + colon])
}

/// Whether a repository ends with some parts of a path.
fn ends(repository: &str, with: &str) -> bool {
    repository.strip_suffix(with).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// The version that an image's tag names: `v1.13.2`, `2.4`, `v1.2.3-rc1`.
fn version(image: &str) -> Option<(u32, u32, u32)> {
    let image = image.split('@').next()?;
    let (_, tag) = image.rsplit('/').next()?.split_once(':')?;
    let mut parts = tag.strip_prefix('v').unwrap_or(tag).split(['.', '-', '+']);
    let mut next = || parts.next()?.parse().ok();
    Some((next()?, next()?, next().unwrap_or(0)))
}

/// Whether a name fits a pattern with `*`. A regular expression (`/team-.*/`) is not evaluated and
/// taken to fit.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern.len() > 1 && pattern.starts_with('/') && pattern.ends_with('/') {
        return true;
    }
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_told_whatever_registry_they_come_from() {
        assert_eq!(
            repository("quay.io:443/argoproj/argocd:v2.9@sha256:aa"),
            "quay.io:443/argoproj/argocd"
        );
        assert_eq!(repository("argocd"), "argocd");
        assert!(ends(repository("r:5000/m/argoproj/argocd:v2"), "argoproj/argocd"));
        assert!(!ends("r/myargocd", "argocd"));
    }

    #[test]
    fn tags_name_versions() {
        assert_eq!(version("r:5000/kyverno:v1.13.2"), Some((1, 13, 2)));
        assert_eq!(version("kyverno:1.13-debug"), Some((1, 13, 0)));
        assert_eq!(version("kyverno@sha256:aa"), None);
        assert_eq!(version("r:5000/kyverno"), None);
    }

    #[test]
    fn patterns_of_namespaces() {
        assert!(matches("*", "a") && matches("team-*", "team-a") && matches("a*b*c", "axbxc"));
        assert!(!matches("team-*", "dev") && !matches("team", "team-a") && !matches("a*b", "abx"));
    }
}
