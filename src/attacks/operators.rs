//! The operators that make pods from custom resources: which of them runs, and where it works.
//!
//! A custom resource is a text until its operator reads it. An operator is known by its image, by
//! its workload's name or, where somebody has renamed both, by its account's rights: to watch the
//! resource by name of its group and to make pods.

use super::workloads::pod_creation;
use crate::graph::{Fact, Sink};
use crate::sym::Sym;
use crate::world::grants::{Grant, Permission, Scope};
use crate::world::hosts::Host;
use crate::world::image::Image;
use crate::world::{AccountIx, BindingIx, Principal, World};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

/// An operator, by what its own manifests say.
#[derive(Debug)]
pub(super) struct Operator {
    /// Ends of image repositories, from a slash on; one that ends in `-` is followed by a hash.
    pub(super) images: &'static [&'static str],
    /// Names of its workload, which may have a prefix; or its namespace and name.
    pub(super) names: &'static [&'static str],
}

/// Where an operator reads its resources, with what it is known by.
#[derive(Debug)]
pub(super) enum Reach {
    Everywhere(Fact),
    /// In these namespaces alone, each with the right to watch.
    In(BTreeMap<Sym, (Fact, BindingIx)>),
    /// No right of its account is shown.
    NotShown(Fact),
}

/// Everything that runs, by what operators are known by. One pass over the pods for all of them.
pub(super) struct Known<'w> {
    world: &'w World,
    /// The containers of each image's repository, one an account: the host, and the place there.
    images: BTreeMap<&'w str, BTreeMap<Option<AccountIx>, (Host, usize)>>,
    /// What bears each name, one in a namespace.
    names: BTreeMap<Sym, BTreeMap<Sym, Host>>,
    accounts: BTreeMap<AccountIx, Host>,
    /// The API groups that rules name.
    groups: BTreeSet<&'w str>,
    makers: Option<BTreeSet<BindingIx>>,
}

impl<'w> Known<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        let mut images: BTreeMap<&str, BTreeMap<_, _>> = BTreeMap::new();
        let mut names: BTreeMap<Sym, BTreeMap<Sym, Host>> = BTreeMap::new();
        let mut repositories: FxHashMap<Sym, &str> = FxHashMap::default();
        let mut accounts = BTreeMap::new();
        let mut seen = FxHashSet::default();
        let mut last = None;
        for host in world.hosts() {
            let account = world.host_account(host);
            let (ns, name) = name_of(world, host);
            // The pods of a workload mostly follow each other.
            if last.replace((ns, name)) != Some((ns, name)) {
                names.entry(name).or_default().entry(ns).or_insert(host);
            }
            if !seen.insert((world.host_shape(host), account)) {
                continue;
            }
            for (i, container) in world.host_spec(host).containers.iter().enumerate() {
                let repository = repositories
                    .entry(container.image)
                    .or_insert_with(|| Image::new(world.text(container.image)).repository);
                images.entry(*repository).or_default().entry(account).or_insert((host, i));
            }
            if let Some(account) = account {
                accounts.entry(account).or_insert(host);
            }
        }
        let groups = world.rules.iter().flat_map(|r| r.groups.iter());
        let groups = groups.map(|g| world.text(*g)).collect();
        Self { world, images, names, accounts, groups, makers: None }
    }

    /// Where an operator reads these resources; `None` if none runs. Several that run are as one.
    pub(super) fn reach(
        &mut self,
        sink: &mut Sink<'_>,
        operator: &Operator,
        watch: &Permission,
    ) -> Option<Reach> {
        let mut running = self.by_signs(sink, operator);
        if running.is_empty() {
            running = self.by_rights(sink, watch);
        }
        let first = running.first()?.1;
        let watching = self.world.grants(watch);
        let mut found = BTreeMap::new();
        for (host, fact) in running {
            for grant in granted(self.world, host, &watching) {
                match grant.scope {
                    Scope::Cluster => return Some(Reach::Everywhere(fact)),
                    Scope::Namespace(ns) => found.entry(ns).or_insert((fact, grant.binding)),
                };
            }
        }
        Some(if found.is_empty() { Reach::NotShown(first) } else { Reach::In(found) })
    }

    /// The hosts with an image or a name of the operator's.
    fn by_signs(&self, sink: &mut Sink<'_>, operator: &Operator) -> Vec<(Host, Fact)> {
        let world = self.world;
        let mut found = Vec::new();
        let fitting = self.images.iter().filter(|(image, _)| operator.has_image(image));
        for (host, place) in fitting.flat_map(|(_, of)| of.values()) {
            let (object, _) = world.host_object(*host);
            let container = &world.host_spec(*host).containers[*place];
            let field = world.host_field(*host, &format!("{}.image", container.field()));
            found.push((*host, sink.fact(object, &field, world.text(container.image))));
        }
        let fitting = self.names.iter().filter(|(name, _)| operator.may_be(world.text(**name)));
        for (name, (ns, host)) in fitting.flat_map(|(name, of)| of.iter().map(move |n| (name, n))) {
            if operator.is_named(world.text(*ns), world.text(*name)) {
                let (object, _) = world.host_object(*host);
                let own = world.text(world.objects[object.index()].name);
                found.push((*host, sink.fact(object, ".metadata.name", own)));
            }
        }
        found
    }

    /// The hosts of an operator that is known by its account's rights. A rule that speaks of all
    /// groups says nothing of this one, and the roles for people hold the rights of every
    /// operator's users.
    fn by_rights(&mut self, sink: &mut Sink<'_>, watch: &Permission) -> Vec<(Host, Fact)> {
        if !self.groups.contains(watch.group) {
            return Vec::new();
        }
        let world = self.world;
        let own = |grant: &Grant<'_>| {
            let role = world.bindings[grant.binding.index()].role;
            role.is_some_and(|r| !PEOPLE.contains(&world.text(world.roles[r.index()].name)))
        };
        let of_group = |grant: &Grant<'_>| {
            let rule = world.rules.get(grant.rule.rule as usize);
            rule.is_some_and(|r| r.groups.iter().any(|g| world.text(*g) == watch.group))
        };
        let makers = self.makers.get_or_insert_with(|| {
            world.grants_any(pod_creation()).iter().filter(|g| own(g)).map(|g| g.binding).collect()
        });
        let mut found = Vec::new();
        for grant in world.grants(watch).iter().filter(|g| own(g) && of_group(g)) {
            for subject in &world.bindings[grant.binding.index()].subjects {
                let Principal::Account(account) = subject.principal else { continue };
                let mut bindings = world.index.bindings_of(subject.principal).iter();
                let makes = bindings.any(|(binding, _)| makers.contains(binding));
                if let Some(host) = self.accounts.get(&account).filter(|_| makes) {
                    found.push((*host, sink.rule(grant.rule)));
                }
            }
        }
        found
    }
}

/// Those of some grants that the account of a host has, itself or by its groups.
fn granted<'g, 'w>(
    world: &World,
    host: Host,
    grants: &'g [Grant<'w>],
) -> impl Iterator<Item = &'g Grant<'w>> {
    let account = world.host_account(host).map(Principal::Account);
    let groups = account.map(|account| world.implicit_groups(account)).unwrap_or_default();
    let groups = groups.iter().filter_map(|g| world.group(g)).map(Principal::Group);
    let bindings: BTreeSet<BindingIx> = account
        .into_iter()
        .chain(groups)
        .flat_map(|p| world.index.bindings_of(p).iter().map(|(binding, _)| *binding))
        .collect();
    grants.iter().filter(move |g| bindings.contains(&g.binding))
}

/// The roles that are made for people and hold what operators let their users do.
const PEOPLE: &[&str] = &["admin", "cluster-admin", "edit", "view"];

impl Operator {
    fn has_image(&self, repository: &str) -> bool {
        let image = Image::new(repository);
        self.images.iter().any(|own| {
            if own.ends_with('-') {
                return repository.rsplit_once(own).is_some_and(|(_, hash)| !hash.contains('/'));
            }
            image.is(own)
        })
    }

    /// Whether it bears this name in some namespace.
    fn may_be(&self, name: &str) -> bool {
        let mut ends = self.names.iter().map(|own| own.split_once('/').map_or(*own, |own| own.1));
        ends.any(|own| name.ends_with(own))
    }

    fn is_named(&self, ns: &str, name: &str) -> bool {
        self.names.iter().any(|own| match own.split_once('/') {
            Some(own) => own == (ns, name),
            None => {
                name.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('-'))
            }
        })
    }
}

/// Namespace and name of the workload that runs here, or of the pod without one.
fn name_of(world: &World, host: Host) -> (Sym, Sym) {
    let workload = match host {
        Host::Pod(pod) => match world.pods[pod.index()].workload {
            Some(workload) => workload,
            None => return (world.pods[pod.index()].ns, world.pods[pod.index()].name),
        },
        Host::Template(workload) => workload,
    };
    let workload = &world.workloads[workload.index()];
    (workload.ns, workload.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_known_by_their_images() {
        let tekton = Operator {
            images: &["tektoncd/pipeline/cmd/controller", "tektoncd/pipeline/controller-"],
            names: &["tekton-pipelines-controller", "ci/controller"],
        };
        let has = |image| tekton.has_image(Image::new(image).repository);
        assert!(has("gcr.io/tekton-releases/github.com/tektoncd/pipeline/cmd/controller:v0.50.0"));
        assert!(has("ghcr.io/tektoncd/pipeline/controller-10a3e327@sha256:aa"));
        assert!(has("localhost:5000/tektoncd/pipeline/cmd/controller"));
        assert!(!has("ghcr.io/mytektoncd/pipeline/cmd/controller"));
        assert!(!has("ghcr.io/tektoncd/pipeline/controller-a/other"));
        assert!(tekton.is_named("x", "my-tekton-pipelines-controller"));
        assert!(tekton.is_named("ci", "controller"));
        assert!(!tekton.is_named("x", "controller"));
    }
}
