//! Ingresses as doors: which class serves one, and how the internet reaches its controller.

use super::exposure::{Door, Entry, Reach, Sure, Via, host_name_is_internal, is_public};
use super::gateway::Fronts;
use super::rows::Target;
use super::{Ingress, IngressClass, IngressIx, World};
use crate::sym::Sym;
use std::collections::BTreeMap;

/// The entries of controllers' Services, by the name of the class and its controller.
pub(super) type Controllers = BTreeMap<(Sym, Option<Sym>), Option<usize>>;

impl World {
    pub(super) fn ingress_entry(
        &self,
        ix: IngressIx,
        services: &[Entry],
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
            if let Some(port) = port {
                let at = self.text(backend.field).to_owned();
                let fact = (ingress.object, at, self.text(backend.service).to_owned());
                backends.push((service_ix, port, vec![fact]));
            }
        }
        let first = backends.first()?.2.clone();
        let (sure, likelihood, mut facts) = if ingress.balancer.is_empty() {
            self.unassigned(ingress, services, known)?
        } else {
            self.assigned(ingress, fronts)?
        };
        let via = vec![self.ingress_proxies(ingress, services, fronts, known)];
        if facts.is_empty() {
            facts = first;
        }
        Some(Entry { door: Door::Ingress(ix), sure, likelihood, facts, backends, via })
    }

    /// How the internet reaches the address of an Ingress' own: as the Service whose balancer has
    /// it, or as it looks itself.
    fn assigned(&self, ingress: &Ingress, fronts: &Fronts) -> Option<Reach> {
        let own = ingress.balancer.iter().enumerate().filter_map(|(i, (ip, host))| {
            let (field, of, sure, likelihood) =
                match (is_public(self.text(*ip)), host_name_is_internal(self.text(*host))) {
                    (Some(true), _) => ("ip", *ip, Sure::Certain, 1.0),
                    (None, Some(false)) => ("hostname", *host, Sure::Certain, 1.0),
                    (None, None) if !host.is_empty() => ("hostname", *host, Sure::Likely, 0.8),
                    _ => return None,
                };
            let at = format!(".status.loadBalancer.ingress[{i}].{field}");
            Some((sure, likelihood, (ingress.object, at, self.text(of).to_owned()), of))
        });
        let (sure, likelihood, fact, address) = own.min_by_key(|(sure, ..)| *sure)?;
        let Some(service) = fronts.with_address(address) else {
            return Some((sure, likelihood, vec![fact]));
        };
        let service = &self.services[service.index()];
        // Source ranges may keep the internet out of a public address.
        let (sure, likelihood, mut facts) = self.service_reach(service, fronts)?;
        facts.insert(0, fact);
        Some((sure, likelihood, facts))
    }

    /// How the internet reaches an Ingress without an address of its own: as its controller is
    /// reached, if anything serves it.
    fn unassigned(
        &self,
        ingress: &Ingress,
        services: &[Entry],
        known: &mut Controllers,
    ) -> Option<Reach> {
        if self.text(ingress.scheme) == "internal" {
            return None;
        }
        let name = self.text(ingress.class);
        let class = if ingress.class.is_empty() {
            self.classes.iter().find(|c| c.default)
        } else {
            self.classes.iter().find(|c| c.name == ingress.class)
        };
        let annotation = ".metadata.annotations[\"kubernetes.io/ingress.class\"]";
        if ingress.annotated {
            let fact = || vec![(ingress.object, annotation.to_owned(), name.to_owned())];
            match name {
                // GKE's controller knows these words and needs no class.
                "gce-internal" => return None,
                "gce" => return Some((Sure::Likely, 0.8, fact())),
                // Controllers hold the annotation against a flag of theirs and need none either.
                _ if class.is_none() && !self.classes.is_empty() => {
                    return Some((Sure::Possible, 0.3, fact()));
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
            return Some((Sure::Possible, 0.3, vec![fact]));
        }
        self.controller_reach(class, ingress, services, known)
    }

    /// What passes the requests of an Ingress on: the pods of the Service that has its address, or
    /// of the one that its controller is called like.
    fn ingress_proxies(
        &self,
        ingress: &Ingress,
        services: &[Entry],
        fronts: &Fronts,
        known: &mut Controllers,
    ) -> Via {
        let addresses = ingress.balancer.iter().flat_map(|(ip, host)| [*ip, *host]);
        let own = addresses.filter(|a| !a.is_empty()).find_map(|a| fronts.with_address(a));
        if let Some(service) = own {
            return Via::Proxies(service);
        }
        let class = if ingress.class.is_empty() {
            self.classes.iter().find(|c| c.default)
        } else {
            self.classes.iter().find(|c| c.name == ingress.class)
        };
        let controller = class.map_or("", |c| self.text(c.controller));
        let name = self.text(ingress.class);
        if matches!(name, "gce" | "gce-internal" | "alb") || controller == "ingress.k8s.aws/alb" {
            return Via::Balancers;
        }
        if ingress.annotated && class.is_none() && !self.classes.is_empty() {
            return Via::Hidden;
        }
        let of_words = || self.controller_entry(controller, name, services);
        let key = (ingress.class, class.map(|c| c.controller));
        let own = known.entry(key).or_insert_with(of_words).and_then(|at| services.get(at));
        match own.map(|entry| entry.door) {
            Some(Door::Service(service)) => Via::Proxies(service),
            _ => Via::Hidden,
        }
    }

    fn controller_reach(
        &self,
        class: Option<&IngressClass>,
        ingress: &Ingress,
        services: &[Entry],
        known: &mut Controllers,
    ) -> Option<Reach> {
        let controller = class.map_or("", |c| self.text(c.controller));
        if controller == "ingress.k8s.aws/alb" || self.text(ingress.class) == "alb" {
            // The controller's default is an internal balancer.
            let outside = self.text(ingress.scheme) == "internet-facing";
            return outside.then_some((Sure::Likely, 0.8, Vec::new()));
        }
        let mut facts = Vec::new();
        if let Some(class) = class {
            facts.push((class.object, ".spec.controller".to_owned(), controller.to_owned()));
        }
        let of_words = || self.controller_entry(controller, self.text(ingress.class), services);
        let key = (ingress.class, class.map(|c| c.controller));
        let own = known.entry(key).or_insert_with(of_words).and_then(|at| services.get(at));
        Some(match own {
            Some(entry) => {
                facts.extend(entry.facts.iter().cloned());
                (entry.sure, entry.likelihood, facts)
            }
            // Its controller's own exposure is not in the snapshot.
            None => (Sure::Possible, 0.5, facts),
        })
    }

    /// The place of the entry that is a controller's Service, by its name.
    fn controller_entry(&self, controller: &str, class: &str, services: &[Entry]) -> Option<usize> {
        let words = controller_words(controller, class);
        if words.is_empty() {
            return None;
        }
        services.iter().position(|entry| match entry.door {
            Door::Service(ix) => {
                let service = &self.services[ix.index()];
                let name = format!("{}/{}", self.text(service.ns), self.text(service.name));
                words.iter().any(|w| name.contains(w))
            }
            _ => false,
        })
    }
}

/// Words that the names of a controller's Service usually hold.
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
