//! Routes as doors: at which Gateway the internet reaches one, and to which Services it leads.

use super::address::Fronts;
use super::attach::condition;
use super::{BackendRef, Item, ParentAnswer, RouteIx, RouteRow};
use crate::sym::Sym;
use crate::world::exposure::{Door, Entry, Reach, Said, Scope, Sure, Via};
use crate::world::network::Protocol;
use crate::world::{ServiceIx, World};
use rustc_hash::FxHashMap;

/// Grants by their namespace, and the kind and namespace that they let refer: places in the table
/// of grants, and in `from`.
type Grants = FxHashMap<(Sym, Sym, Sym), Vec<(usize, u16)>>;

impl World {
    /// Every route that is reached from outside.
    pub(in crate::world) fn route_entries(&self, entries: &mut Vec<Entry>, fronts: &Fronts) {
        if self.gateway.routes.is_empty() {
            return;
        }
        let gateways: Vec<Option<(Reach, Vec<Via>)>> =
            self.gateway.gateways.iter().map(|g| self.gateway_reach(g, fronts)).collect();
        let mut grants = Grants::default();
        for (at, grant) in self.gateway.grants.iter().enumerate() {
            for (kind, from, place) in &grant.says.from {
                grants.entry((grant.ns, *kind, *from)).or_default().push((at, *place));
            }
        }
        for (i, route) in self.gateway.routes.iter().enumerate() {
            entries.extend(self.route_entry(RouteIx::new(i), route, &gateways, &grants));
        }
    }

    fn route_entry(
        &self,
        ix: RouteIx,
        route: &Item<RouteRow>,
        gateways: &[Option<(Reach, Vec<Via>)>],
        grants: &Grants,
    ) -> Option<Entry> {
        let mut ways = Vec::new();
        let mut answer: Option<((Scope, f64), Option<&ParentAnswer>)> = None;
        for parent in &route.says.parents {
            let Some(attached) = self.attach(route, parent) else { continue };
            let mut own = Reach::internet(attached.sure, attached.likelihood, attached.facts);
            let mut proxies = &[Via::Hidden][..];
            if let Some(gateway) = attached.gateway {
                let Some((of, via)) = &gateways[gateway] else { continue };
                own = of.clone().but(own.sure, own.likelihood).after(own.facts);
                proxies = via;
            }
            let rank = (own.scope, own.likelihood);
            if answer.as_ref().is_none_or(|(known, _)| rank > *known) {
                answer = Some((rank, attached.answer));
            }
            ways.extend(proxies.iter().map(|via| (own.clone(), *via)));
        }
        let (mut own, via) = Reach::widest(ways)?;
        let answer = answer.and_then(|(_, answer)| answer);
        let resolved = answer.and_then(|a| Some((a, a.resolved?)));
        let resolved = resolved.map(|(answer, (holds, place))| {
            let at = format!(".status.parents[{}]", answer.parent.place);
            (holds, condition(route.object, &at, (holds, place), "ResolvedRefs"))
        });
        let mut backends = Vec::new();
        let mut lost = route.says.others;
        for backend in &route.says.backends {
            match self.route_backend(route, backend, resolved.as_ref(), grants) {
                Some(leads) => backends.push(leads),
                None => lost = true,
            }
        }
        if let Some((false, fact)) = resolved
            && !lost
        {
            // Some reference does not resolve, and the snapshot does not show why.
            if route.says.backends.len() == 1 {
                return None;
            }
            own.facts.push(fact);
            own = own.but(Sure::Possible, 0.5);
        }
        (!backends.is_empty()).then(|| Entry::new(Door::Route(ix), own, backends, via))
    }

    /// The Service port that a backend means, and the facts that lead there.
    fn route_backend(
        &self,
        route: &Item<RouteRow>,
        backend: &BackendRef,
        resolved: Option<&(bool, Said)>,
        grants: &Grants,
    ) -> Option<(ServiceIx, usize, Vec<Said>)> {
        let ix = self.service(backend.ns, backend.service)?;
        let protocol = match self.text(route.says.kind) {
            "UDPRoute" => Protocol::Udp,
            _ => Protocol::Tcp,
        };
        let ports = &self.services[ix.index()].ports;
        let port = ports.iter().position(|p| p.port == backend.port && p.protocol == protocol)?;
        let name = self.text(backend.service);
        let mut facts = vec![(route.object, self.text(backend.field).to_owned(), name.to_owned())];
        if backend.ns != route.ns {
            let key = (backend.ns, route.says.kind, route.ns);
            let grant = grants.get(&key).and_then(|list| {
                list.iter().find_map(|(at, place)| {
                    let grant = &self.gateway.grants[*at];
                    let services = &grant.says.services;
                    (services.is_empty() || services.contains(&backend.service))
                        .then_some((grant.object, *place))
                })
            });
            facts.push(match (grant, resolved) {
                (Some((grant, place)), _) => {
                    let from = self.text(route.ns).to_owned();
                    (grant, format!(".spec.from[{place}]"), from)
                }
                // The implementation found a grant that the snapshot does not hold.
                (None, Some((true, fact))) => fact.clone(),
                (None, _) => return None,
            });
        }
        Some((ix, port, facts))
    }
}
