//! Ingresses as doors: which class serves one, and from where its controller is reached.

use super::controllers::{Controllers, Served};
use super::exposure::{Door, Entry, Reach, Said, Scope, Sure, Via};
use super::gateway::Fronts;
use super::lower::INBOUND;
use super::rows::{ServicePort, Target};
use super::{Ingress, IngressClass, IngressIx, ServiceIx, World};

/// The controller of Tailscale.
const TAILSCALE: &str = "tailscale.com/ts-ingress";

/// The controller of AWS' balancers.
const ALB: &str = "ingress.k8s.aws/alb";

impl World {
    pub(super) fn ingress_entry<'w>(
        &'w self,
        ix: IngressIx,
        fronts: &Fronts,
        controllers: &mut Controllers<'w>,
    ) -> Option<Entry> {
        let ingress = &self.ingresses[ix.index()];
        let mut backends = Vec::new();
        for backend in &ingress.backends {
            let Some(service_ix) = self.service(ingress.ns, backend.service) else { continue };
            let service = &self.services[service_ix.index()];
            let port = service.ports.iter().position(|p| match backend.port {
                Target::Number(number) => p.port == number,
                Target::Name(name) => p.name == name,
            });
            let at = self.text(backend.field).to_owned();
            let fact = (ingress.object, at, self.text(backend.service).to_owned());
            if self.text(service.kind) == "ExternalName" {
                let lead = self.alias(service_ix, port, backend.port);
                backends.extend(lead.map(|(to, port, by)| (to, port, vec![fact, by])));
            } else if let Some(port) = port {
                backends.push((service_ix, port, vec![fact]));
            }
        }
        let first = backends.first()?.2.clone();
        let (mut reach, via) = if ingress.balancer.is_empty() {
            self.unassigned(ingress, controllers)?
        } else {
            self.assigned(ingress, fronts, controllers)?
        };
        if reach.facts.is_empty() {
            reach.facts = first;
        }
        if backends.iter().all(|(.., facts)| facts.len() > 1) {
            // Some controllers refuse aliases unless a flag of theirs lets them in.
            reach = reach.but(Sure::Likely, 0.8);
        }
        let reach = self.of_sources(ingress, reach);
        Some(Entry::new(Door::Ingress(ix), reach, backends, via))
    }

    /// What the annotation of sources leaves, if the controller is the one that reads it.
    fn of_sources(&self, ingress: &Ingress, reach: Reach) -> Reach {
        let Some((key, blocks)) = &ingress.sources else { return reach };
        let class = self.class_of_ingress(ingress);
        let controller = class.map_or("", |c| self.text(c.controller));
        let name = self.text(ingress.class);
        let read = match self.text(*key) {
            INBOUND => controller == ALB || name == "alb",
            // The controller of NGINX itself has other words.
            _ if controller.starts_with("nginx.org/") => false,
            _ => controller.contains("nginx") || class.is_none() && name.contains("nginx"),
        };
        if !read || reach.scope == Scope::Private {
            return reach;
        }
        let field = format!(".metadata.annotations[{:?}]", self.text(*key));
        self.narrowed(reach, blocks, (ingress.object, field))
    }

    /// From where an Ingress with an address is reached, and what passes its requests on. The pods
    /// that serve it may be reached by more than the address that the status names; and a Service
    /// whose balancer has that address may have source ranges, or be none of theirs.
    fn assigned<'w>(
        &'w self,
        ingress: &Ingress,
        fronts: &Fronts,
        controllers: &mut Controllers<'w>,
    ) -> Option<(Reach, Vec<Via>)> {
        let own = self.address_of(ingress)?;
        let addresses = ingress.balancer.iter().flat_map(|(ip, host)| [*ip, *host]);
        let mut at: Vec<ServiceIx> =
            addresses.flat_map(|a| fronts.with_address(a)).copied().collect();
        at.sort_unstable();
        at.dedup();
        let class = self.class_of_ingress(ingress);
        let mut ways: Vec<(Reach, Via)> = Vec::new();
        let mut shared = false;
        if self.is_of_cloud(class, ingress) {
            return Some((own, vec![Via::Balancers]));
        }
        match self.served(class, ingress, controllers) {
            Served::By(passes, reach, via) => {
                let theirs = |ix: &&ServiceIx| passes.iter().any(|p| p.services.contains(ix));
                let address = match at.iter().any(|ix| theirs(&ix)) {
                    // Their Services tell.
                    true => None,
                    false => Some(self.by_address(own.clone(), &at, fronts, is_web)),
                };
                if let Some((before, _, several)) = address {
                    shared = several;
                    ways.extend(via.iter().map(|via| (before.clone(), *via)));
                }
                // A private address is said; what nothing shows is not beside it.
                if reach.sure != Sure::Unknown || ways.is_empty() {
                    let by = match reach.scope == own.scope {
                        true => own.facts,
                        false => self.controller_fact(class).into_iter().collect(),
                    };
                    let reach = reach.after(by);
                    ways.extend(via.into_iter().map(|via| (reach.clone(), via)));
                }
            }
            served => {
                let (reach, via, several) = self.by_address(own, &at, fronts, is_web);
                shared = several;
                let via = match (via.is_empty(), served) {
                    (false, _) => via,
                    (true, Served::Called(service, _)) => vec![Via::Proxies(service)],
                    (true, _) => vec![Via::Hidden],
                };
                ways.extend(via.into_iter().map(|via| (reach.clone(), via)));
            }
        }
        let (reach, via) = Reach::widest(ways)?;
        // Which of the Services that share the address is meant, nothing says.
        Some((if shared { reach.but(Sure::Likely, 0.8) } else { reach }, via))
    }

    /// What the addresses in an Ingress' status say.
    fn address_of(&self, ingress: &Ingress) -> Option<Reach> {
        let (reach, untold) = self.told(ingress.object, self.balanced(&ingress.balancer))?;
        Some(match self.funnelled(ingress) {
            Some(funnelled) => funnelled.after(reach.facts),
            None if untold => self.scheme_of(ingress, reach),
            None => reach,
        })
    }

    /// From where an Ingress of Tailscale is reached that lets the internet in.
    fn funnelled(&self, ingress: &Ingress) -> Option<Reach> {
        let at = ".metadata.annotations[\"tailscale.com/funnel\"]".to_owned();
        let fact = (ingress.object, at, "true".to_owned());
        // Its network's own policy may still refuse it.
        let ours = self.is_of_tailscale(self.class_of_ingress(ingress), ingress);
        (ours && ingress.funnel).then(|| Reach::internet(Sure::Likely, 0.8, vec![fact]))
    }

    fn is_of_tailscale(&self, class: Option<&IngressClass>, ingress: &Ingress) -> bool {
        match class {
            Some(class) => self.text(class.controller) == TAILSCALE,
            None => self.text(ingress.class) == "tailscale",
        }
    }

    /// What the Services whose balancers have an address make of it: the reach, the proxies behind
    /// those with a port that counts, and whether there are several.
    pub(super) fn by_address(
        &self,
        own: Reach,
        at: &[ServiceIx],
        fronts: &Fronts,
        counts: impl Fn(&ServicePort) -> bool + Copy,
    ) -> (Reach, Vec<Via>, bool) {
        let listens = |ix: &&ServiceIx| self.services[ix.index()].ports.iter().any(counts);
        let mut meant: Vec<ServiceIx> = at.iter().filter(listens).copied().collect();
        if meant.is_empty() {
            meant = at.to_vec();
        }
        let mut ways: Vec<(Reach, Via)> = Vec::new();
        for ix in &meant {
            let Some(pass) = self.pass_behind(*ix, counts, fronts) else { continue };
            let shown = pass.reach.filter(|reach| reach.sure != Sure::Unknown);
            // Source ranges may keep the internet out of a public address.
            if let Some(reach) = shown.or_else(|| self.service_reach(*ix, fronts)) {
                let by = if reach.scope == own.scope { own.facts.clone() } else { Vec::new() };
                ways.push((reach.after(by), pass.via));
            }
        }
        match Reach::widest(ways) {
            Some((reach, via)) => (reach, via, meant.len() > 1),
            None => (own, meant.into_iter().map(Via::Proxies).collect(), false),
        }
    }

    /// Whether balancers of a cloud serve a class, and no pods of the cluster.
    fn is_of_cloud(&self, class: Option<&IngressClass>, ingress: &Ingress) -> bool {
        let controller = class.map_or("", |c| self.text(c.controller));
        controller == ALB || matches!(self.text(ingress.class), "gce" | "gce-internal" | "alb")
    }

    /// Who serves an Ingress. An annotation that no class answers to may be a flag of anything.
    fn served<'w>(
        &self,
        class: Option<&'w IngressClass>,
        ingress: &Ingress,
        controllers: &mut Controllers<'w>,
    ) -> Served {
        match controllers.of(class, ingress) {
            Served::Called(..) if self.is_only_annotated(class, ingress) => Served::Hidden,
            served => served,
        }
    }

    /// Whether an annotation names a class that is not among those that were collected.
    fn is_only_annotated(&self, class: Option<&IngressClass>, ingress: &Ingress) -> bool {
        ingress.annotated && class.is_none() && !self.classes.is_empty()
    }

    fn controller_fact(&self, class: Option<&IngressClass>) -> Option<Said> {
        let class = class?;
        let controller = self.text(class.controller).to_owned();
        Some((class.object, ".spec.controller".to_owned(), controller))
    }

    /// What the annotation of AWS' controller makes of a name that does not tell.
    fn scheme_of(&self, ingress: &Ingress, reach: Reach) -> Reach {
        let scheme = self.text(ingress.scheme);
        if scheme != "internal" {
            return reach;
        }
        let at = ".metadata.annotations[\"alb.ingress.kubernetes.io/scheme\"]".to_owned();
        let fact = (ingress.object, at, scheme.to_owned());
        Reach::private(Sure::Likely, [reach.facts, vec![fact]].concat())
    }

    /// The class of an Ingress: the one that it names, or the default.
    fn class_of_ingress(&self, ingress: &Ingress) -> Option<&IngressClass> {
        if ingress.class.is_empty() {
            self.classes.iter().find(|c| c.default)
        } else {
            self.classes.iter().find(|c| c.name == ingress.class)
        }
    }

    /// From where an Ingress without an address of its own is reached: as its controller is, if
    /// anything serves it; and what passes its requests on.
    fn unassigned<'w>(
        &'w self,
        ingress: &Ingress,
        controllers: &mut Controllers<'w>,
    ) -> Option<(Reach, Vec<Via>)> {
        let name = self.text(ingress.class);
        let class = self.class_of_ingress(ingress);
        let annotation = ".metadata.annotations[\"kubernetes.io/ingress.class\"]";
        let fact = || vec![(ingress.object, annotation.to_owned(), name.to_owned())];
        let balanced = |reach| Some((reach, vec![Via::Balancers]));
        match name {
            // GKE's controller knows these words and needs no class.
            "gce-internal" if ingress.annotated => {
                return balanced(Reach::private(Sure::Likely, fact()));
            }
            "gce" if ingress.annotated => {
                return balanced(Reach::internet(Sure::Likely, 0.8, fact()));
            }
            _ => {}
        }
        if class.is_none() && !self.classes.is_empty() && !ingress.annotated {
            if !ingress.class.is_empty() {
                // Classes were collected and this one is not among them: nothing serves it.
                return None;
            }
            // Without a class and a default one, some controllers serve it if a flag tells them.
            let field = ".spec.ingressClassName".to_owned();
            let fact = (ingress.object, field, "not set, and no class is the default".to_owned());
            let reach = Reach::internet(Sure::Possible, 0.3, vec![fact]);
            return Some((reach, vec![self.perhaps(class, ingress, controllers)]));
        }
        if self.is_of_cloud(class, ingress) {
            return balanced(self.balancer_reach(class, ingress));
        }
        if self.is_of_tailscale(class, ingress) {
            // Its proxies listen in a network of their own.
            let inside =
                || Reach::private(Sure::Likely, Vec::from_iter(self.controller_fact(class)));
            return Some((self.funnelled(ingress).unwrap_or_else(inside), vec![Via::Hidden]));
        }
        let only_annotated = self.is_only_annotated(class, ingress);
        let (reach, via) = match self.served(class, ingress, controllers) {
            Served::By(_, reach, via) => (reach, via),
            Served::Called(service, reach) => (reach, vec![Via::Proxies(service)]),
            Served::Nobody => return None,
            // Controllers hold the annotation against a flag of theirs and need no class either.
            Served::Hidden if only_annotated => {
                let reach = Reach::internet(Sure::Possible, 0.3, fact());
                return Some((reach, vec![Via::Hidden]));
            }
            // Where nothing of it is in the snapshot, its own exposure is not either.
            Served::Hidden => (Reach::internet(Sure::Possible, 0.5, Vec::new()), vec![Via::Hidden]),
        };
        let by = if only_annotated { fact() } else { Vec::from_iter(self.controller_fact(class)) };
        Some((reach.after(by), via))
    }

    /// What would pass requests on if something served an Ingress.
    fn perhaps<'w>(
        &self,
        class: Option<&'w IngressClass>,
        ingress: &Ingress,
        controllers: &mut Controllers<'w>,
    ) -> Via {
        match controllers.of(class, ingress) {
            Served::By(_, _, via) => via.first().copied().unwrap_or(Via::Hidden),
            Served::Called(service, _) => Via::Proxies(service),
            Served::Nobody | Served::Hidden => Via::Hidden,
        }
    }

    /// From where a balancer of a cloud is reached that no status shows yet.
    fn balancer_reach(&self, class: Option<&IngressClass>, ingress: &Ingress) -> Reach {
        let controller = class.map_or("", |c| self.text(c.controller));
        if controller != ALB && self.text(ingress.class) != "alb" {
            return Reach::internet(
                Sure::Possible,
                0.5,
                Vec::from_iter(self.controller_fact(class)),
            );
        }
        if let Some(class) = class.filter(|class| class.parameters) {
            // They override the annotation.
            let fact = (class.object, ".spec.parameters".to_owned(), "not read".to_owned());
            return Reach::internet(Sure::Possible, 0.3, vec![fact]);
        }
        let at = ".metadata.annotations[\"alb.ingress.kubernetes.io/scheme\"]".to_owned();
        let scheme = self.text(ingress.scheme);
        // The controller's default is an internal balancer.
        match scheme {
            "internet-facing" => {
                let fact = (ingress.object, at, scheme.to_owned());
                Reach::internet(Sure::Likely, 0.8, vec![fact])
            }
            "" => {
                let said = "not set, and balancers are internal by default".to_owned();
                Reach::private(Sure::Likely, vec![(ingress.object, at, said)])
            }
            _ => Reach::private(Sure::Likely, vec![(ingress.object, at, scheme.to_owned())]),
        }
    }

    /// The port of a Service of the cluster that an alias stands for: controllers ask for its name
    /// and for the alias' own target port, and for the number that was asked for without one.
    fn alias(
        &self,
        alias: ServiceIx,
        port: Option<usize>,
        asked: Target,
    ) -> Option<(ServiceIx, usize, Said)> {
        let of = &self.services[alias.index()];
        let name = self.text(of.external_name).trim_end_matches('.');
        let (service, rest) = name.split_once('.')?;
        let (ns, domain) = rest.split_once('.')?;
        if domain != "svc" && !domain.starts_with("svc.") {
            return None;
        }
        let service = self.service(self.symbols.get(ns)?, self.symbols.get(service)?)?;
        let number = match (port.map(|port| of.ports[port].target), asked) {
            (Some(Target::Number(number)), _) | (None, Target::Number(number)) => number,
            _ => return None,
        };
        let to = &self.services[service.index()];
        let meant = to.ports.iter().position(|p| match (to.headless, p.target) {
            // Its name stands for the pods.
            (true, Target::Number(target)) => target == number,
            _ => p.port == number,
        });
        let field = ".spec.externalName".to_owned();
        Some((service, meant?, (of.object, field, self.text(of.external_name).to_owned())))
    }
}

/// Whether a port is one by which Ingresses are served.
fn is_web(port: &ServicePort) -> bool {
    matches!(port.port, 80 | 443)
}
