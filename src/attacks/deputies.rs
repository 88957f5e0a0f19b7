//! Confused deputies: controllers that do with their own service account what an object asks for.
//!
//! A row of a table says which objects steer a controller and how the controller is told by what
//! runs in the snapshot; one walk leads from each grant on these objects to the account of every
//! controller that is really there. What that account may do follows from its own bindings. A
//! resource without its controller does nothing. The objects themselves are not read, so what they
//! may be limited to (an AppProject, a policy on them) is part of the odds.

use super::cloud_identity::PROVIDERS;
use super::controllers::{Controller, Found, running};
use super::gate::of_every_cluster;
use super::impersonation::cluster;
use super::pod_api::set_of;
use super::sets::{SECRETS, SERVICE_ACCOUNTS, SET_MEMBER};
use super::structure::NAMESPACES;
use super::together::allows_everything;
use super::workloads::is_name;
use crate::glob::fits;
use crate::graph::{Attack, Confidence, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::{AccountIx, World};
use std::collections::{BTreeMap, BTreeSet};

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

impl Reads {
    /// The namespaces that it names without a pattern; `own` is the controller's.
    fn exactly(&self, world: &World, own: Sym) -> Vec<Sym> {
        match self {
            Self::All => Vec::new(),
            Self::Own => vec![own],
            Self::Some(names) => names.iter().filter_map(|n| world.symbols.get(n)).collect(),
        }
    }

    /// Whether it names a namespace by a pattern.
    fn covers(&self, world: &World, ns: Sym) -> bool {
        matches!(self, Self::Some(patterns) if patterns.iter().any(|p| matches(p, world.text(ns))))
    }
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
    for (row, there) in placed(world, rows) {
        if !there.is_empty() {
            steered(world, sink, row, &there);
        }
    }
}

/// Some rows with the controllers of each that run.
pub(super) fn placed(
    world: &World,
    rows: &'static [Deputy],
) -> Vec<(&'static Deputy, Vec<(Found, Reach)>)> {
    let controllers = rows.iter().flat_map(|r| std::iter::once(r.controller).chain(r.beside));
    let found = running(world, controllers);
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let of = |which: &'static Controller| {
            found.iter().filter(move |f| std::ptr::eq(f.controller, which))
        };
        let beside: Option<BTreeSet<Sym>> =
            row.beside.map(|other| of(other).map(|f| f.ns).collect());
        let there: Vec<(Found, Reach)> = of(row.controller)
            .filter(|f| beside.as_ref().is_none_or(|namespaces| namespaces.contains(&f.ns)))
            .filter(|f| row.to != To::Cloud || has_identity(world, f.account))
            .filter_map(|f| Some((*f, (row.judge)(world, f)?)))
            .collect();
        all.push((row, there));
    }
    all
}

/// Whether an account names an identity in a cloud.
fn has_identity(world: &World, account: AccountIx) -> bool {
    PROVIDERS.iter().any(|provider| provider.named(world, account).is_some())
}

/// The edges of one row: from each grant to what the controllers that read there hold.
fn steered(world: &World, sink: &mut Sink<'_>, row: &'static Deputy, there: &[(Found, Reach)]) {
    let direct =
        matches!(row.to, To::Accounts | To::Secrets | To::NamespaceAdmin | To::ClusterAdmin);
    // Only those with patterns need be asked one by one.
    let first = |wanted: fn(&Reads) -> bool| there.iter().find(|(_, r)| wanted(&r.reads));
    let (any, all) = (first(|_| true), first(|reads| *reads == Reads::All));
    let mut own: BTreeMap<Sym, &(Found, Reach)> = BTreeMap::new();
    for one in there.iter().filter(|(_, r)| r.reads == Reads::Own) {
        own.entry(one.0.ns).or_insert(one);
    }
    let reader = |scope: Scope| match scope {
        Scope::Cluster => all.or(any),
        Scope::Namespace(ns) => all.or_else(|| own.get(&ns).copied()).or_else(|| {
            let patterns = there.iter().filter(|(_, r)| matches!(r.reads, Reads::Some(_)));
            patterns.into_iter().find(|(_, r)| r.reads.covers(world, ns))
        }),
    };
    let mut scopes: BTreeSet<Scope> = BTreeSet::new();
    for steer in row.steers {
        for (grant, odds) in steer.grants(world) {
            let Some((found, reach)) = reader(grant.scope) else { continue };
            let from = Thing::Binding(grant.binding);
            let mut facts = sink.grant(&grant).to_vec();
            // Several controllers that read one namespace each give what stands in all of these.
            let apart = grant.scope == Scope::Cluster && reach.reads != Reads::All;
            if !direct || apart {
                scopes.insert(grant.scope);
                sink.edge_with(from, set_of(&row.set, grant.scope), row.attack, odds, &facts);
                continue;
            }
            facts.extend(found.facts(world, sink, reach.shows));
            let odds = odds.but(reach.factor, reach.sure);
            let to = match (row.to, grant.scope) {
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

/// Leads the sets of some scopes to what the controllers that read there hold. The edges into the
/// sets bear the likelihood; these bear what the controllers' circumstances do to it.
fn members(
    world: &World,
    sink: &mut Sink<'_>,
    row: &'static Deputy,
    there: &[(Found, Reach)],
    scopes: &BTreeSet<Scope>,
) {
    let everywhere = Thing::Set(SetKey { kind: &row.wide, ns: Sym::EMPTY, of: 0 });
    let mut wide = false;
    for (found, reach) in there {
        let facts = found.facts(world, sink, reach.shows);
        let odds = Odds { likelihood: reach.factor, confidence: reach.sure };
        let steering = |scope: &Scope| set_of(&row.set, *scope);
        let from: Vec<Thing<'static>> = match &reach.reads {
            Reads::All => {
                wide = true;
                vec![everywhere]
            }
            Reads::Own => {
                let scopes_of_it = [Scope::Cluster, Scope::Namespace(found.ns)];
                scopes_of_it.iter().filter(|s| scopes.contains(s)).map(steering).collect()
            }
            Reads::Some(_) => {
                let read = |scope: &&Scope| match scope {
                    Scope::Cluster => true,
                    Scope::Namespace(ns) => reach.reads.covers(world, *ns),
                };
                scopes.iter().filter(read).map(steering).collect()
            }
        };
        for from in from {
            match row.to {
                To::OwnSecrets => {
                    let to = set_of(&SECRETS, Scope::Namespace(found.resources(world)));
                    sink.edge_with(from, to, row.attack, odds, &facts);
                }
                To::Cloud => {
                    for provider in &PROVIDERS {
                        let Some(name) = provider.named(world, found.account) else { continue };
                        let mut facts = facts.clone();
                        facts.extend(provider.fact(world, sink, found.account));
                        sink.edge_with(from, Thing::Cloud(&name), row.attack, odds, &facts);
                    }
                }
                To::Accounts | To::Secrets => {
                    let kind = if row.to == To::Secrets { &SECRETS } else { &SERVICE_ACCOUNTS };
                    for ns in reach.reads.exactly(world, found.ns) {
                        let to = set_of(kind, Scope::Namespace(ns));
                        sink.edge_with(from, to, row.attack, odds, &facts);
                    }
                }
                _ => {
                    let to = Thing::Account(found.account);
                    sink.edge_with(from, to, row.attack, odds, &facts);
                }
            }
        }
    }
    if wide {
        // Which controllers these are stands on the edges that lead on.
        let fact = of_every_cluster(world, sink, "controllers read what stands in any namespace");
        for scope in scopes {
            sink.edge(set_of(&row.set, *scope), everywhere, &SET_MEMBER, &[fact]);
        }
    }
}

/// Whether a name fits a pattern with `*` and `?`. A regular expression (`/team-.*/`) is not evaluated and
/// taken to fit.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern.len() > 1 && pattern.starts_with('/') && pattern.ends_with('/') {
        return true;
    }
    fits(pattern, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::custom::JUDGED;

    #[test]
    fn what_is_judged_is_not_said_to_be_unknown() {
        let tables = [
            super::super::event_listeners::ROWS,
            super::super::flux::ROWS,
            super::super::gitops::ROWS,
            super::super::platform_operators::ROWS,
            super::super::policy_engines::ROWS,
            super::super::secret_operators::ROWS,
        ];
        for steer in tables.iter().flat_map(|rows| rows.iter()).flat_map(|row| row.steers) {
            assert!(steer.group.is_empty() || JUDGED.contains(&steer.group), "{}", steer.group);
        }
        for of in super::super::custom_templates::RESOURCES {
            assert!(JUDGED.contains(&of.group), "{}", of.group);
        }
        let mut ids = BTreeSet::new();
        for row in tables.iter().flat_map(|rows| rows.iter()) {
            for set in [&row.set, &row.wide] {
                assert!(ids.insert(set.id) && ids.insert(set.noun), "{} twice", set.id);
            }
        }
    }

    #[test]
    fn patterns_of_namespaces() {
        assert!(matches("*", "a") && matches("team-*", "team-a") && matches("a*b*c", "axbxc"));
        assert!(!matches("team-*", "dev") && !matches("team", "team-a") && !matches("a*b", "abx"));
    }
}
