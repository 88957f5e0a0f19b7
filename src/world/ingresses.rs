//! Ingresses as doors: which class serves one, and from where its controller is reached.

use super::balancer::assigned_scope;
use super::exposure::{Door, Entry, Reach, Scope, Sure, Via};
use super::gateway::Fronts;
use super::hosts::Host;
use super::lower::INBOUND;
use super::pods::is_ingress_nginx;
use super::rows::Target;
use super::{Ingress, IngressClass, IngressIx, ServiceIx, World};
use crate::sym::Sym;
use std::collections::BTreeMap;

/// What is known of controllers, by the name of the class and its controller: a Service of the
/// controller's pods, and from where these are reached.
pub(super) type Controllers = BTreeMap<(Sym, Option<Sym>), Option<(ServiceIx, Reach)>>;

/// The controller of AWS' balancers.
const ALB: &str = "ingress.k8s.aws/alb";

impl World {
    pub(super) fn ingress_entry(
        &self,
        ix: IngressIx,
        fronts: &Fronts,
        known: &mut Controllers,
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
        let mut reach = if ingress.balancer.is_empty() {
            self.unassigned(ingress, fronts, known)?
        } else {
            self.assigned(ingress, fronts)?
        };
        let via = vec![self.ingress_proxies(ingress, fronts, known)];
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
            _ => controller.contains("nginx") || class.is_none() && name.contains("nginx"),
        };
        if !read || reach.scope == Scope::Private {
            return reach;
        }
        let field = format!(".metadata.annotations[{:?}]", self.text(*key));
        self.narrowed(reach, blocks, (ingress.object, field))
    }

    /// From where the address of an Ingress' own is reached: as the Service whose balancer has it,
    /// or as it looks itself.
    fn assigned(&self, ingress: &Ingress, fronts: &Fronts) -> Option<Reach> {
        let mut best: Option<(Reach, Sym)> = None;
        for (i, (ip, host)) in ingress.balancer.iter().enumerate() {
            let (field, of) = if ip.is_empty() { ("hostname", *host) } else { ("ip", *ip) };
            let at = format!(".status.loadBalancer.ingress[{i}].{field}");
            let facts = vec![(ingress.object, at, self.text(of).to_owned())];
            let own = match assigned_scope(self.text(*ip), self.text(*host)) {
                Some(Scope::Internet) => Reach::internet(Sure::Certain, 1.0, facts),
                Some(Scope::Private) => Reach::private(Sure::Certain, facts),
                None if of.is_empty() => continue,
                None => self.scheme_of(ingress, Reach::internet(Sure::Likely, 0.8, facts)),
            };
            let rank = |reach: &Reach| (reach.scope, reach.likelihood);
            if best.as_ref().is_none_or(|(known, _)| rank(&own) > rank(known)) {
                best = Some((own, of));
            }
        }
        let (own, address) = best?;
        let Some(service) = fronts.with_address(address).filter(|_| own.scope == Scope::Internet)
        else {
            return Some(own);
        };
        // Source ranges may keep the internet out of a public address.
        Some(self.service_reach(service, fronts)?.after(own.facts))
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
    /// anything serves it.
    fn unassigned(
        &self,
        ingress: &Ingress,
        fronts: &Fronts,
        known: &mut Controllers,
    ) -> Option<Reach> {
        let name = self.text(ingress.class);
        let class = self.class_of_ingress(ingress);
        let annotation = ".metadata.annotations[\"kubernetes.io/ingress.class\"]";
        if ingress.annotated {
            let fact = || vec![(ingress.object, annotation.to_owned(), name.to_owned())];
            match name {
                // GKE's controller knows these words and needs no class.
                "gce-internal" => return Some(Reach::private(Sure::Likely, fact())),
                "gce" => return Some(Reach::internet(Sure::Likely, 0.8, fact())),
                // Controllers hold the annotation against a flag of theirs and need none either.
                _ if class.is_none() && !self.classes.is_empty() => {
                    return Some(Reach::internet(Sure::Possible, 0.3, fact()));
                }
                _ => {}
            }
        } else if class.is_none() && !self.classes.is_empty() {
            if !ingress.class.is_empty() {
                // Classes were collected and this one is not among them: nothing serves it.
                return None;
            }
            // Without a class and a default one, some controllers serve it if a flag tells them.
            let field = ".spec.ingressClassName".to_owned();
            let fact = (ingress.object, field, "not set, and no class is the default".to_owned());
            return Some(Reach::internet(Sure::Possible, 0.3, vec![fact]));
        }
        self.controller_reach(class, ingress, fronts, known)
    }

    /// What passes the requests of an Ingress on: the pods of the Service that has its address, or
    /// of its controller's.
    fn ingress_proxies(&self, ingress: &Ingress, fronts: &Fronts, known: &mut Controllers) -> Via {
        let addresses = ingress.balancer.iter().flat_map(|(ip, host)| [*ip, *host]);
        let own = addresses.filter(|a| !a.is_empty()).find_map(|a| fronts.with_address(a));
        if let Some(service) = own {
            return Via::Proxies(service);
        }
        let class = self.class_of_ingress(ingress);
        let controller = class.map_or("", |c| self.text(c.controller));
        let name = self.text(ingress.class);
        if matches!(name, "gce" | "gce-internal" | "alb") || controller == ALB {
            return Via::Balancers;
        }
        if ingress.annotated && class.is_none() && !self.classes.is_empty() {
            return Via::Hidden;
        }
        self.controller_of_class(class, ingress, fronts, known)
            .map_or(Via::Hidden, |(service, _)| Via::Proxies(*service))
    }

    fn controller_reach(
        &self,
        class: Option<&IngressClass>,
        ingress: &Ingress,
        fronts: &Fronts,
        known: &mut Controllers,
    ) -> Option<Reach> {
        let controller = class.map_or("", |c| self.text(c.controller));
        if controller == ALB || self.text(ingress.class) == "alb" {
            let scheme = self.text(ingress.scheme);
            if let Some(class) = class.filter(|class| class.parameters) {
                // They override the annotation.
                let fact = (class.object, ".spec.parameters".to_owned(), "not read".to_owned());
                return Some(Reach::internet(Sure::Possible, 0.3, vec![fact]));
            }
            let at = ".metadata.annotations[\"alb.ingress.kubernetes.io/scheme\"]".to_owned();
            // The controller's default is an internal balancer.
            return Some(match scheme {
                "internet-facing" => {
                    let fact = (ingress.object, at, scheme.to_owned());
                    Reach::internet(Sure::Likely, 0.8, vec![fact])
                }
                "" => {
                    let said = "not set, and balancers are internal by default".to_owned();
                    Reach::private(Sure::Likely, vec![(ingress.object, at, said)])
                }
                _ => Reach::private(Sure::Likely, vec![(ingress.object, at, scheme.to_owned())]),
            });
        }
        let fact = class.map(|c| (c.object, ".spec.controller".to_owned(), controller.to_owned()));
        let own = self.controller_of_class(class, ingress, fronts, known).cloned();
        // Where nothing of it is in the snapshot, its own exposure is not either.
        let reach = own
            .map_or_else(|| Reach::internet(Sure::Possible, 0.5, Vec::new()), |(_, reach)| reach);
        Some(reach.after(fact))
    }

    fn controller_of_class<'k>(
        &self,
        class: Option<&IngressClass>,
        ingress: &Ingress,
        fronts: &Fronts,
        known: &'k mut Controllers,
    ) -> Option<&'k (ServiceIx, Reach)> {
        let controller = class.map_or("", |c| self.text(c.controller));
        let find = || self.find_controller(controller, self.text(ingress.class), fronts);
        let key = (ingress.class, class.map(|c| c.controller));
        known.entry(key).or_insert_with(find).as_ref()
    }

    /// A Service of a controller's pods, and the widest way by which these are reached: by one of
    /// their Services, or by their machines' ports.
    fn find_controller(
        &self,
        controller: &str,
        class: &str,
        fronts: &Fronts,
    ) -> Option<(ServiceIx, Reach)> {
        let words = controller_words(controller, class);
        // Names mislead: where pods with the controller's image are shown, others do not count, and
        // what is not known does not beside what is.
        let rank = |is_it: bool, reach: &Reach| {
            (is_it, reach.sure != Sure::Unknown, reach.scope, reach.likelihood)
        };
        let mut best: Option<(ServiceIx, bool, Reach)> = None;
        for (i, service) in self.services.iter().enumerate() {
            let label = self.label(service.object, "app.kubernetes.io/name");
            let label = label.map_or("", |label| self.text(label));
            let name = format!("{}/{}", self.text(service.ns), self.text(service.name));
            if !words.iter().any(|w| name.contains(w) || label.contains(w)) {
                continue;
            }
            let ix = ServiceIx::new(i);
            let hosts = self.behind(ix);
            if !hosts.is_empty() && hosts.iter().all(|h| self.serves_another(*h, controller, class))
            {
                continue;
            }
            let mut own = self.service_reach(ix, fronts);
            for host in &hosts {
                if let Some(reach) = self.web_ports_reach(*host) {
                    Reach::offer(&mut own, reach);
                }
            }
            let own = own.unwrap_or_else(|| {
                let at = ".spec.type".to_owned();
                let fact = (service.object, at, self.text(service.kind).to_owned());
                // What leads to it from outside is not in the snapshot.
                Reach::internet(Sure::Unknown, 0.2, vec![fact])
            });
            let is_it = hosts.iter().any(|host| {
                let containers = &self.host_spec(*host).containers;
                containers.iter().any(|c| is_ingress_nginx(self.text(c.image)))
            });
            if best.as_ref().is_none_or(|(_, it, known)| rank(is_it, &own) > rank(*it, known)) {
                best = Some((ix, is_it, own));
            }
        }
        best.map(|(ix, _, own)| (ix, own))
    }

    /// From where the ports of a pod are reached on its machine's addresses.
    fn web_ports_reach(&self, host: Host) -> Option<Reach> {
        let Host::Pod(pod) = host else { return None };
        let mut running = self.host_spec(host).containers.iter().filter(|c| c.keeps_running());
        let at = running.find_map(|c| {
            let mut ports = c.ports.iter().filter(|p| p.host_port != 0);
            ports.find(|p| self.text(p.host_ip).is_empty()).map(|p| (c.field(), p))
        });
        let (container, port) = at?;
        let field = format!("{container}.ports[{}]", port.place);
        let fact = (self.pods[pod.index()].object, field, port.host_port.to_string());
        Some(self.machine_reach(self.pods[pod.index()].node)?.after([fact]))
    }

    /// Whether a pod is a controller of ingress-nginx whose flags name another class.
    fn serves_another(&self, host: Host, controller: &str, class: &str) -> bool {
        self.host_spec(host).containers.iter().any(|c| {
            let other = |flag: &str, own: &str| {
                !own.is_empty() && self.flags(c, flag).last().is_some_and(|named| named != own)
            };
            is_ingress_nginx(self.text(c.image))
                && (other("--controller-class", controller)
                    || controller.is_empty() && other("--ingress-class", class))
        })
    }

    /// The port of a Service of the cluster that an alias stands for: controllers ask for its name
    /// and for the alias' own target port, and for the number that was asked for without one.
    fn alias(
        &self,
        alias: ServiceIx,
        port: Option<usize>,
        asked: Target,
    ) -> Option<(ServiceIx, usize, super::exposure::Said)> {
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

/// Words that the names or labels of a controller's Services usually hold.
fn controller_words<'c>(controller: &'c str, class: &'c str) -> Vec<&'c str> {
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
