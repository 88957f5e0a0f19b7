//! Third-party controllers: which of them run, under whatever name and from whatever registry.
//!
//! A controller is told by the end of its image's repository, by the label that names it where the
//! image is renamed, and, where several programs share an image, by the container. Its flags say
//! what it reads. Nothing here is a judgement of security: a workload that calls itself a
//! controller gains no right by it.

use super::workloads::is_name;
use crate::graph::{Fact, Sink};
use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::image::Image;
use crate::world::pods::{Container, List};
use crate::world::rbac::{Request, Target};
use crate::world::{AccountIx, PodIx, Principal, WorkloadIx, World};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// How a controller is told by what runs.
#[derive(Debug)]
pub(super) struct Controller {
    /// Ends of its image's repository, whatever registry it comes from. What stands behind a dash
    /// at the end may be anything.
    pub(super) images: &'static [&'static str],
    /// Where several programs share that image: what the container's name or a label is that names
    /// this one, or, with a dash before it, how it ends.
    pub(super) parts: &'static [&'static str],
    /// Values of `app.kubernetes.io/name` that tell it under another image.
    pub(super) labels: &'static [&'static str],
}

impl Controller {
    /// Whether an image is one that it comes in.
    fn has(&self, image: Image<'_>) -> bool {
        self.images.iter().any(|path| match path.strip_suffix('-') {
            // `ko` puts a sum behind the last part of the name.
            Some(_) => {
                image.repository.rsplit_once(path).is_some_and(|(_, sum)| !sum.contains('/'))
            }
            None => image.is(path),
        })
    }

    /// Whether a name is that of its part of the image.
    fn is_part(&self, name: &str) -> bool {
        self.parts.iter().any(|p| *p == name || p.starts_with('-') && name.ends_with(p))
    }
}

/// The labels that name a program, the first of them alone and unmistakably.
const NAME_LABELS: &[&str] =
    &["app.kubernetes.io/name", "app.kubernetes.io/component", "app", "control-plane"];

/// A controller that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) controller: &'static Controller,
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
        world.flags(self.container(world), name)
    }

    /// Whether a flag is given and not `false`.
    pub(super) fn is_on(&self, world: &World, name: &str) -> bool {
        self.flag(world, name).is_some_and(|value| value != "false")
    }

    /// The version that its image's tag names.
    pub(super) fn version(&self, world: &World) -> Option<(u32, u32, u32)> {
        let (major, minor, patch) =
            Image::new(world.text(self.container(world).image)).version()?;
        Some((major, minor, patch.unwrap_or(0)))
    }

    /// The namespace in which it looks for what objects of the whole cluster refer to.
    pub(super) fn resources(&self, world: &World) -> Sym {
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
            images.any(|image| other.has(Image::new(image)))
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
    pub(super) fn facts(&self, world: &World, sink: &mut Sink<'_>, shows: &[&str]) -> Vec<Fact> {
        let (object, _) = world.host_object(self.host);
        let container = self.container(world);
        let field = |name: &str| world.host_field(self.host, name);
        let at = container.field();
        let account = world.text(world.accounts[self.account.index()].name);
        let mut facts = vec![
            sink.fact(object, &field(&format!("{at}.image")), world.text(container.image)),
            sink.fact(object, &field(".spec.serviceAccountName"), account),
        ];
        let name = world.text(container.name);
        if !self.controller.has(Image::new(world.text(container.image))) {
            let key = NAME_LABELS[0];
            let label = field(&format!(".metadata.labels[{key:?}]"));
            facts.push(sink.fact(object, &label, self.label(world, key).unwrap_or_default()));
        } else if self.controller.is_part(name) {
            facts.push(sink.fact(object, &field(&format!("{at}.name")), name));
        }
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

/// The controllers that run, one for each account and specification.
pub(super) fn running(
    world: &World,
    controllers: impl Iterator<Item = &'static Controller>,
) -> Vec<Found> {
    let mut wanted: Vec<&'static Controller> = Vec::new();
    for controller in controllers {
        if !wanted.iter().any(|w| std::ptr::eq(*w, controller)) {
            wanted.push(controller);
        }
    }
    let mut known: FxHashMap<Sym, Vec<usize>> = FxHashMap::default();
    let mut by_image: Vec<Vec<(usize, usize)>> = Vec::with_capacity(world.specs.len());
    for spec in &world.specs {
        let mut hits = Vec::new();
        for (place, container) in spec.containers.iter().enumerate() {
            let fitting = known.entry(container.image).or_insert_with(|| {
                let image = Image::new(world.text(container.image));
                (0..wanted.len()).filter(|w| wanted[*w].has(image)).collect()
            });
            if container.list == List::Main {
                hits.extend(fitting.iter().map(|controller| (*controller, place)));
            }
        }
        by_image.push(hits);
    }
    let name = world.symbols.get(NAME_LABELS[0]);
    let by_title: Vec<Vec<usize>> = world
        .labels
        .iter()
        .map(|labels| {
            let title = labels.iter().find(|(key, _)| Some(*key) == name);
            let title = title.map(|(_, value)| world.text(*value));
            let is_called = |w: &usize| title.is_some_and(|t| wanted[*w].labels.contains(&t));
            (0..wanted.len()).filter(is_called).collect()
        })
        .collect();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for host in world.hosts() {
        let (spec, labels) = shape(world, host);
        let (Some(images), Some(titles)) =
            (by_image.get(spec as usize), by_title.get(labels as usize))
        else {
            continue;
        };
        if images.is_empty() && titles.is_empty() {
            continue;
        }
        let labels = &world.labels[labels as usize];
        let named = |key: Sym| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| world.text(*v));
        let mut hits: Vec<(usize, usize)> = Vec::new();
        for (controller, container) in images {
            let is_part = |text: &str| wanted[*controller].is_part(text);
            let own = world.text(world.specs[spec as usize].containers[*container].name);
            let mut keys = NAME_LABELS.iter().filter_map(|key| world.symbols.get(key));
            if wanted[*controller].parts.is_empty()
                || is_part(own)
                || keys.any(|k| named(k).is_some_and(is_part))
            {
                hits.push((*controller, *container));
            }
        }
        for controller in titles {
            if !hits.iter().any(|(of, _)| of == controller) {
                hits.push((*controller, 0));
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
