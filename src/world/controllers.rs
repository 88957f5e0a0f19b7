//! Controllers of Ingresses: which pods serve a class, told by the image that they run and by the
//! flags that say what it takes.
//!
//! Names mislead, so that what is found by a name alone is possible at most. Flags are those of the
//! programs' own sources; what a file or the environment tells a program is not in a snapshot.

use super::exposure::{Reach, Sure, Via};
use super::gateway::Fronts;
use super::hosts::Host;
use super::image::Image;
use super::pods::{Container, PodSpec, is_ingress_nginx};
use super::proxies::Pass;
use super::{Ingress, IngressClass, ServiceIx, WorkloadIx, World};
use crate::sym::Sym;
use std::collections::BTreeMap;

/// A program that serves Ingresses.
#[derive(Debug)]
struct Program {
    /// How `spec.controller` of its classes begins.
    controller: &'static str,
    /// The name by which annotations mean it.
    word: &'static str,
    /// Images of the containers that pass requests on. Each list must be met by some container.
    images: &'static [&'static [&'static str]],
    /// The flag that names the class which it takes.
    class: &'static str,
    /// That name unless the flag gives one; empty for any.
    default: &'static str,
    /// The flag for the namespaces that it looks into.
    namespaces: &'static str,
    /// The pods that it sends requests through by default: a label, and the Service's name.
    sent_through: Option<(&'static str, &'static str, &'static str)>,
    /// The pods' own flags tell what they serve.
    tells: bool,
}

const ENVOY: &[&str] = &["envoyproxy/envoy", "bitnami/envoy", "bitnamilegacy/envoy"];

/// The programs that are known. ingress-nginx is the first, and has rules of its own.
#[rustfmt::skip]
const PROGRAMS: &[Program] = &[
    Program { controller: NGINX, word: "nginx", images: &[], class: "--ingress-class", default: "nginx", namespaces: "--watch-namespace", sent_through: None, tells: true },
    Program { controller: "nginx.org/ingress-controller", word: "nginx", images: &[&["nginx/nginx-ingress", "nginx-ic/nginx-ingress", "nginx-ic/nginx-plus-ingress", "nginx/nginx-plus-ingress", "nginxinc/nginx-ingress"]], class: "-ingress-class", default: "nginx", namespaces: "-watch-namespace", sent_through: None, tells: true },
    Program { controller: "traefik.io/ingress-controller", word: "traefik", images: &[&["traefik", "mirrored-library-traefik"]], class: "--providers.kubernetesingress.ingressclass", default: "", namespaces: "--providers.kubernetesingress.namespaces", sent_through: None, tells: true },
    Program { controller: "haproxy.org/ingress-controller", word: "haproxy", images: &[&["haproxytech/kubernetes-ingress"]], class: "--ingress.class", default: "", namespaces: "--namespace-whitelist", sent_through: None, tells: true },
    Program { controller: "haproxy-ingress.github.io/controller", word: "haproxy", images: &[&["jcmoraisjr/haproxy-ingress", "haproxy-ingress"]], class: "", default: "", namespaces: "--watch-namespace", sent_through: None, tells: true },
    Program { controller: "ingress-controllers.konghq.com/kong", word: "kong", images: &[&["kong", "kong/kong-gateway", "kong-gateway"]], class: "", default: "", namespaces: "", sent_through: None, tells: false },
    Program { controller: "projectcontour.io/", word: "contour", images: &[ENVOY, &["projectcontour/contour", "bitnami/contour", "bitnamilegacy/contour"]], class: "", default: "", namespaces: "", sent_through: None, tells: false },
    Program { controller: "istio.io/ingress-controller", word: "istio", images: &[&["istio/proxyv2", "proxyv2"]], class: "", default: "", namespaces: "", sent_through: Some(("istio", "ingressgateway", "istio-ingressgateway")), tells: false },
];

/// What ingress-nginx calls itself unless a flag says otherwise.
const NGINX: &str = "k8s.io/ingress-nginx";

/// Flags that are kept of every container, as the table names them; programs compare some of them
/// without case.
pub(super) fn flag(name: &str) -> Option<&'static str> {
    if !name.starts_with('-') {
        return None;
    }
    let bare = name.trim_start_matches('-');
    let flags = PROGRAMS.iter().skip(1).flat_map(|p| [p.class, p.namespaces]);
    let mut flags = flags.filter(|flag| !flag.is_empty());
    flags.find(|flag| flag.trim_start_matches('-').eq_ignore_ascii_case(bare))
}

impl Program {
    /// Whether a container of it passes requests on, if a pod of this kind does so at all.
    fn runs_in(&self, world: &World, spec: &PodSpec) -> bool {
        let running = || spec.containers.iter().filter(|c| c.keeps_running());
        if self.controller == NGINX {
            return running().any(|c| is_ingress_nginx(world.text(c.image)));
        }
        let any = |images: &&[&str]| {
            running().any(|c| {
                let image = Image::new(world.text(c.image));
                images.iter().any(|path| image.is(path))
            })
        };
        self.images.iter().all(any)
    }

    /// The last value of a flag that some container of it has.
    fn said<'w>(&self, world: &'w World, spec: &'w PodSpec, flag: &str) -> Option<&'w str> {
        let own =
            |c: &&Container| self.controller != NGINX || is_ingress_nginx(world.text(c.image));
        let value = |c: &'w Container| world.flags(c, flag).last();
        let said = spec.containers.iter().filter(own).find_map(value).filter(|v| !v.is_empty());
        // A variable's value is not in the snapshot.
        said.filter(|value| !flag.is_empty() && !value.contains("$("))
    }

    /// Whether pods of it take a class, by the name that an Ingress gives and the object that
    /// stands for it.
    fn takes(&self, world: &World, spec: &PodSpec, asked: &Asked<'_>) -> bool {
        let said = self.said(world, spec, self.class);
        let Some((name, controller)) = asked.class else {
            // Without the object, the annotation's word or the class' name is all there is.
            return match said {
                Some(said) => said == asked.name,
                None if asked.annotated && !self.default.is_empty() => asked.name == self.default,
                None => !asked.name.is_empty() && asked.name.contains(self.word),
            };
        };
        if self.controller == NGINX {
            let own = self.said(world, spec, "--controller-class").unwrap_or(NGINX);
            let by_name = said.unwrap_or(self.default) == name;
            let containers = || spec.containers.iter();
            let looks = containers().any(|c| {
                world.flags(c, "--ingress-class-by-name").last().is_some_and(|v| v != "false")
            });
            return controller == own || looks && by_name;
        }
        let Some(rest) = controller.strip_prefix(self.controller) else { return false };
        let named = if self.word == "haproxy" { rest.trim_start_matches('/') } else { name };
        match said {
            _ if self.class.is_empty() => true,
            Some(said) => said == named,
            None => self.default.is_empty() || self.default == named,
        }
    }

    /// Whether pods of it look into a namespace: `None` if a selector decides.
    fn looks_into(&self, world: &World, spec: &PodSpec, ns: &str) -> Option<bool> {
        if let Some(list) = self.said(world, spec, self.namespaces) {
            return Some(list.split(',').any(|one| one.trim() == ns));
        }
        let selected = self.controller == NGINX
            && self.said(world, spec, "--watch-namespace-selector").is_some();
        (!selected).then_some(true)
    }
}

/// The class that an Ingress asks for.
struct Asked<'w> {
    name: &'w str,
    annotated: bool,
    /// Name and controller of the class.
    class: Option<(&'w str, &'w str)>,
}

/// The pods of one workload that serve Ingresses.
struct Plane {
    program: &'static Program,
    host: Host,
    pass: Pass,
}

/// Who serves an Ingress.
pub(super) enum Served {
    /// Pods that run a program which takes its class: all of them do.
    By(Vec<Pass>, Reach, Vec<Via>),
    /// Something that is called so: a Service, and from where it is reached.
    Called(ServiceIx, Reach),
    /// Its controllers look into other namespaces.
    Nobody,
    /// Nothing in the snapshot does.
    Hidden,
}

/// A class by its name, its controller, and whether an annotation named it.
type Key = (Sym, Option<Sym>, bool);

/// The controllers that run, and who serves which class: found once.
pub(super) struct Controllers<'w> {
    world: &'w World,
    fronts: &'w Fronts,
    planes: Vec<Plane>,
    /// The places of those that take a class.
    taken: BTreeMap<Key, Vec<usize>>,
    called: BTreeMap<Key, Option<(ServiceIx, Reach)>>,
}

impl<'w> Controllers<'w> {
    pub(super) fn new(world: &'w World, fronts: &'w Fronts) -> Self {
        let (taken, called) = (BTreeMap::new(), BTreeMap::new());
        let mut found = Self { world, fronts, planes: Vec::new(), taken, called };
        if world.ingresses.is_empty() {
            return found;
        }
        let program = |spec: &PodSpec| PROGRAMS.iter().position(|p| p.runs_in(world, spec));
        let programs: Vec<Option<usize>> = world.specs.iter().map(program).collect();
        // Pods without a workload stand for themselves.
        type Group = (usize, u32, Result<WorkloadIx, Host>);
        let mut groups: BTreeMap<Group, Vec<Host>> = BTreeMap::new();
        for host in world.hosts() {
            let (spec, _) = world.host_shape(host);
            let Some(program) = programs.get(spec as usize).copied().flatten() else { continue };
            let of = match host {
                Host::Pod(pod) => world.pods[pod.index()].workload.ok_or(host),
                Host::Template(_) => Err(host),
            };
            groups.entry((program, spec, of)).or_default().push(host);
        }
        for ((program, ..), hosts) in groups {
            let program = &PROGRAMS[program];
            let Some(pass) = world.pass(&hosts, fronts) else { continue };
            if program.sent_through.is_some_and(|by| !found.is_sent_through(hosts[0], &pass, by)) {
                continue;
            }
            found.planes.push(Plane { program, host: hosts[0], pass });
        }
        found
    }

    /// Whether a program sends requests through these pods by default.
    fn is_sent_through(
        &self,
        host: Host,
        pass: &Pass,
        (key, value, service): (&str, &str, &str),
    ) -> bool {
        let number = self.world.labels_number(host) as usize;
        let labels = self.world.labels.get(number).map_or(&[][..], |labels| labels);
        let is = |(k, v): &(Sym, Sym)| (self.world.text(*k), self.world.text(*v)) == (key, value);
        let has = labels.iter().any(is);
        let named =
            |ix: &ServiceIx| self.world.text(self.world.services[ix.index()].name) == service;
        has || pass.services.iter().any(named)
    }

    /// Who serves an Ingress of a class.
    pub(super) fn of(&mut self, class: Option<&'w IngressClass>, ingress: &Ingress) -> Served {
        let world = self.world;
        let name = class.map_or(ingress.class, |class| class.name);
        let key = (name, class.map(|c| c.controller), ingress.annotated);
        let asked = Asked {
            name: world.text(name),
            annotated: ingress.annotated,
            class: class.map(|c| (world.text(c.name), world.text(c.controller))),
        };
        let planes = &self.planes;
        let takes = |at: &usize| {
            planes[*at].program.takes(world, world.host_spec(planes[*at].host), &asked)
        };
        let known = self.taken.get(&key).cloned();
        let taken = known.unwrap_or_else(|| (0..planes.len()).filter(takes).collect());
        let served = self.of_taken(key, &asked, &taken, ingress);
        self.taken.insert(key, taken);
        served
    }

    fn of_taken(
        &mut self,
        key: Key,
        asked: &Asked<'_>,
        taken: &[usize],
        ingress: &Ingress,
    ) -> Served {
        if taken.is_empty() {
            let found = self.called.get(&key).cloned().unwrap_or_else(|| {
                let found = self.called(asked.class.map_or("", |c| c.1), asked.name);
                self.called.insert(key, found.clone());
                found
            });
            return found.map_or(Served::Hidden, |(service, reach)| Served::Called(service, reach));
        }
        self.by(taken, self.world.text(ingress.ns))
    }

    /// What those that take a class come to in a namespace.
    fn by(&self, taken: &[usize], ns: &str) -> Served {
        let mut ways = Vec::new();
        let mut own = Vec::new();
        let mut several = false;
        for plane in taken.iter().map(|at| &self.planes[*at]) {
            let spec = self.world.host_spec(plane.host);
            let looks = plane.program.looks_into(self.world, spec, ns);
            if looks == Some(false) {
                continue;
            }
            let mut reach = plane.pass.reach.clone().unwrap_or_else(|| self.unshown(plane));
            if looks.is_none() {
                reach = reach.but(Sure::Possible, 0.5);
            }
            // Which of them has the class, only its controller's own flags tell.
            several |= !plane.program.tells && !own.is_empty();
            ways.push((reach, plane.pass.via));
            own.push(plane.pass.clone());
        }
        // What nothing shows does not count beside what something does.
        if ways.iter().any(|(reach, _)| reach.sure != Sure::Unknown) {
            ways.retain(|(reach, _)| reach.sure != Sure::Unknown);
        }
        match Reach::widest(ways) {
            Some((reach, via)) => {
                let reach = if several { reach.but(Sure::Possible, 0.5) } else { reach };
                Served::By(own, reach, via)
            }
            None => Served::Nobody,
        }
    }

    /// What leads to these pods from outside is not in the snapshot.
    fn unshown(&self, plane: &Plane) -> Reach {
        let fact = match plane.pass.services.first().map(|ix| &self.world.services[ix.index()]) {
            Some(of) => (of.object, ".spec.type".to_owned(), self.world.text(of.kind).to_owned()),
            None => {
                let (object, _) = self.world.host_object(plane.host);
                let field = self.world.host_field(plane.host, ".spec.containers");
                (object, field, "no Service leads here, and no port of the machine".to_owned())
            }
        };
        Reach::internet(Sure::Unknown, 0.2, vec![fact])
    }

    /// A Service that is called as controllers of a class are, the widest of them. Pods that are
    /// known to serve something else do not count.
    fn called(&self, controller: &str, class: &str) -> Option<(ServiceIx, Reach)> {
        let words = words(controller, class);
        let rank = |reach: &Reach| (reach.sure != Sure::Unknown, reach.scope, reach.likelihood);
        let mut best: Option<(ServiceIx, Reach)> = None;
        for (i, service) in self.world.services.iter().enumerate() {
            let label = self.world.label(service.object, "app.kubernetes.io/name");
            let label = label.map_or("", |label| self.world.text(label));
            let text = |sym| self.world.text(sym);
            let holds = |w: &&str| {
                text(service.ns).contains(w) || text(service.name).contains(w) || label.contains(w)
            };
            let ix = ServiceIx::new(i);
            if !words.iter().any(holds)
                || self.planes.iter().any(|plane| plane.pass.services.contains(&ix))
            {
                continue;
            }
            let own = self.world.pass_behind(ix, |p| self.world.is_for_clients(p), self.fronts);
            let own = own.and_then(|pass| pass.reach).unwrap_or_else(|| {
                let at = ".spec.type".to_owned();
                let fact = (service.object, at, text(service.kind).to_owned());
                // What leads to it from outside is not in the snapshot.
                Reach::internet(Sure::Unknown, 0.2, vec![fact])
            });
            if best.as_ref().is_none_or(|(_, known)| rank(&own) > rank(known)) {
                best = Some((ix, own));
            }
        }
        // A name alone proves nothing.
        best.map(|(ix, own)| match own.scope {
            super::exposure::Scope::Internet => (ix, own.but(Sure::Possible, 0.5)),
            super::exposure::Scope::Private => (ix, own.but(Sure::Possible, 1.0)),
        })
    }
}

/// Words that the names or labels of a controller's Services usually hold.
fn words<'c>(controller: &'c str, class: &'c str) -> Vec<&'c str> {
    const KNOWN: &[&str] = &[
        "ingress-nginx",
        "nginx",
        "traefik",
        "haproxy",
        "contour",
        "envoy",
        "kong",
        "istio",
        "ambassador",
    ];
    let known = KNOWN.iter().copied().filter(|w| controller.contains(w) || class.contains(w));
    let words: Vec<&str> = known.collect();
    if words.is_empty() && !class.is_empty() { vec![class] } else { words }
}
