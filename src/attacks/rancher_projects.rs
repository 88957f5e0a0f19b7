//! Rancher's projects: sets of namespaces, whose roles Rancher grants by bindings in a namespace that
//! is called like the project.

use super::controllers::running;
use super::deputies::{Reach, Reads, WRITE};
use super::platform_operators::{RANCHER, RANCHER_BINDING, guarded};
use super::pod_api::set_of;
use super::sets::SET_MEMBER;
use super::together::parts;
use crate::graph::{Odds, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::{NamespaceIx, World};
use std::collections::{BTreeMap, BTreeSet};

/// The label by which Rancher knows the project of a namespace.
const PROJECT: &str = "field.cattle.io/projectId";

/// The namespaces of the project that a namespace is called like.
static MEMBERS: SetKind =
    SetKind { id: "rancher-projects", noun: "namespaces of Rancher's projects" };

pub(super) fn find(world: &World, sink: &mut Sink<'_>) {
    let mut projects: BTreeMap<Sym, Vec<(NamespaceIx, Sym)>> = BTreeMap::new();
    for (i, namespace) in world.namespaces.iter().enumerate() {
        if let Some(project) = world.label(namespace.object, PROJECT) {
            projects.entry(project).or_default().push((NamespaceIx::new(i), project));
        }
    }
    let found = running(world, std::iter::once(&RANCHER));
    let Some(rancher) = found.first().filter(|_| !projects.is_empty()) else { return };
    let reach = guarded(world, rancher, Reach::of(Reads::All));
    let resource = "projectroletemplatebindings";
    let rights: Vec<Permission> = WRITE
        .iter()
        .map(|verb| Permission::namespaced(verb, "management.cattle.io", resource))
        .collect();
    let mut scopes = BTreeSet::new();
    for grant in parts(world, &rights) {
        // A binding is made under a name of one's choice, or of a name that the rule allows.
        let odds = if grant.names == Names::All {
            RANCHER_BINDING.odds
        } else {
            RANCHER_BINDING.odds.but(0.8, RANCHER_BINDING.odds.confidence)
        };
        if projects.keys().any(|project| grant.scope.covers(*project)) {
            scopes.insert(grant.scope);
            let facts = sink.grant(&grant);
            let to = set_of(&MEMBERS, grant.scope);
            sink.edge_with(Thing::Binding(grant.binding), to, &RANCHER_BINDING, odds, &facts);
        }
    }
    let runs = rancher.facts(world, sink, &[]);
    for (project, members) in &projects {
        let part = Scope::Namespace(*project);
        let everywhere = scopes.contains(&Scope::Cluster);
        if !everywhere && !scopes.contains(&part) {
            continue;
        }
        for (place, (namespace, label)) in members.iter().enumerate() {
            let object = world.namespaces[namespace.index()].object;
            let field = format!(".metadata.labels[{PROJECT:?}]");
            let fact = sink.fact(object, &field, world.text(*label));
            if everywhere && place == 0 {
                sink.edge(
                    set_of(&MEMBERS, Scope::Cluster),
                    set_of(&MEMBERS, part),
                    &SET_MEMBER,
                    &[fact],
                );
            }
            let mut facts = runs.clone();
            facts.push(fact);
            let odds = Odds { likelihood: reach.factor, confidence: reach.sure };
            let to = Thing::NamespaceAdmin(*namespace);
            sink.edge_with(set_of(&MEMBERS, part), to, &RANCHER_BINDING, odds, &facts);
        }
    }
}
