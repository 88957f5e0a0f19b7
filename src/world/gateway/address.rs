//! Whether the internet reaches a Gateway: its class, its address, and the Service that its
//! implementation made for it.

use super::attach::{condition, is_handled};
use super::{GatewayClassRow, GatewayRow, Item};
use crate::sym::Sym;
use crate::world::balancer::{Wanted, is_public};
use crate::world::exposure::{Reach, Said, Scope, Sure, Via};
use crate::world::rows::ServicePort;
use crate::world::{ServiceIx, World};
use std::collections::BTreeMap;

/// What stands before Gateways, Ingresses and node ports: found once, asked for by each of them.
#[derive(Default)]
pub(in crate::world) struct Fronts {
    /// By namespace and name of the Gateway that they are labelled for.
    labelled: BTreeMap<(Sym, Sym), ServiceIx>,
    /// By the address of their load balancer, which several may share.
    addressed: BTreeMap<Sym, Vec<ServiceIx>>,
    /// A node with a public address.
    pub(in crate::world) public: Option<Said>,
    /// A node with other addresses.
    pub(in crate::world) private: Option<Said>,
}

impl Fronts {
    pub(in crate::world) fn new(world: &World) -> Self {
        let private = world.nodes.iter().find(|node| !node.addresses.is_empty());
        let mut fronts = Self {
            public: world.public_node(None),
            private: private.map(|node| {
                let at = ".status.addresses[0].address".to_owned();
                let address = world.text(node.addresses[0].1);
                (node.object, at, format!("{address}: no node shows a public address"))
            }),
            ..Self::default()
        };
        if world.ingresses.is_empty() && world.gateway.gateways.is_empty() {
            return fronts;
        }
        for (i, service) in world.services.iter().enumerate() {
            let label = |key: &str| world.label(service.object, key);
            let owner = match label("gateway.networking.k8s.io/gateway-name") {
                Some(name) => Some((service.ns, name)),
                // Envoy Gateway keeps them all in a namespace of its own.
                None => label("gateway.envoyproxy.io/owning-gateway-namespace")
                    .zip(label("gateway.envoyproxy.io/owning-gateway-name")),
            };
            let is_balancer = world.text(service.kind) == "LoadBalancer";
            if let Some(owner) = owner
                && (is_balancer || !fronts.labelled.contains_key(&owner))
            {
                fronts.labelled.insert(owner, ServiceIx::new(i));
            }
            for address in service.balancer.iter().flat_map(|(ip, host)| [*ip, *host]) {
                if !address.is_empty() {
                    fronts.addressed.entry(address).or_default().push(ServiceIx::new(i));
                }
            }
        }
        fronts
    }

    /// The Services whose load balancers have an address: several may share it, each with ports of
    /// its own.
    pub(in crate::world) fn with_address(&self, address: Sym) -> &[ServiceIx] {
        self.addressed.get(&address).map_or(&[], |services| services)
    }

    /// The Services before a Gateway's proxies: the one that is labelled for it, or those that have
    /// its address.
    fn of(&self, gateway: &Item<GatewayRow>) -> Vec<ServiceIx> {
        if let Some(labelled) = self.labelled.get(&(gateway.ns, gateway.name)) {
            return vec![*labelled];
        }
        let addresses = gateway.says.addresses.iter();
        let mut at: Vec<ServiceIx> =
            addresses.flat_map(|a| self.with_address(*a)).copied().collect();
        at.sort_unstable();
        at.dedup();
        at
    }
}

/// What a class of GKE says about its Gateways' addresses: whether they are internal.
fn class_is_internal(class: &str) -> Option<bool> {
    if !class.starts_with("gke-l7-") {
        return None;
    }
    if class.contains("internal") || class.contains("rilb") {
        return Some(true);
    }
    (class.contains("external") || class.contains("gxlb")).then_some(false)
}

impl World {
    /// A Gateway's class, if the snapshot holds it.
    fn class_of(&self, gateway: &GatewayRow) -> Option<&GatewayClassRow> {
        let classes = &self.gateway.classes;
        let at = classes.binary_search_by_key(&gateway.class, |class| class.name).ok()?;
        Some(&classes[at].says)
    }

    /// The name of the controller of a Gateway's class.
    pub(super) fn controller_of(&self, gateway: &GatewayRow) -> Option<Sym> {
        self.class_of(gateway).map(|class| class.controller)
    }

    /// From where a Gateway is reached, and what passes its requests on; `None` if nothing serves
    /// it.
    pub(super) fn gateway_reach(
        &self,
        gateway: &Item<GatewayRow>,
        fronts: &Fronts,
    ) -> Option<(Reach, Vec<Via>)> {
        let says = &gateway.says;
        let class = self.class_of(says);
        // Classes were collected and this one is not among them: nothing serves the Gateway.
        if class.is_none() && !self.gateway.classes.is_empty() && !is_handled(says)
            || class.is_some_and(|class| matches!(class.accepted, Some((false, _))))
            || matches!(says.accepted, Some((false, _)))
        {
            return None;
        }
        let (mut reach, via) = self.address_reach(gateway, fronts);
        if let Some(answer) = says.programmed.filter(|(holds, _)| !holds) {
            reach.facts.push(condition(gateway.object, ".status", answer, "Programmed"));
            reach = reach.but(Sure::Possible, 0.3);
        }
        Some((reach, via))
    }

    /// From where a Gateway's proxies are reached, and who they are.
    fn address_reach(&self, gateway: &Item<GatewayRow>, fronts: &Fronts) -> (Reach, Vec<Via>) {
        let says = &gateway.says;
        let assigned = self.assigned_to(gateway);
        if class_is_internal(self.text(says.class)).is_some() {
            return (self.before(gateway, assigned), vec![Via::Balancers]);
        }
        let counts = |port: &ServicePort| says.listeners.iter().any(|l| l.port == port.port);
        let at = fronts.of(gateway);
        let own = assigned.clone().unwrap_or(Reach::private(Sure::Unknown, Vec::new()));
        let own = Reach { facts: Vec::new(), ..own };
        let (mut reach, via, several) = self.by_address(own, &at, fronts, counts);
        // The Service is the nearer evidence, and the Gateway's address comes beside it.
        let beside = assigned.iter().filter(|address| address.scope == reach.scope);
        let beside: Vec<Said> = beside.flat_map(|address| address.facts.clone()).collect();
        reach.facts.extend(beside);
        // A Service without a selector has its endpoints made by hand: so Cilium's Gateways, whose
        // packets policies know by a word of its own.
        let known = |via: &Via| match via {
            Via::Proxies(service) => {
                self.services[service.index()].selector.is_some()
                    || !self.behind(*service).is_empty()
            }
            _ => true,
        };
        let mut via: Vec<Via> = via.into_iter().filter(known).collect();
        if via.is_empty() {
            via.push(Via::Hidden);
        }
        // The addresses of a balancer decide; what only the cluster reaches may have others before
        // it.
        let balances = |ix: &ServiceIx| self.text(self.services[ix.index()].kind) == "LoadBalancer";
        let tells = !at.is_empty() && !reach.facts.is_empty();
        if tells && (reach.scope == Scope::Internet || at.iter().any(balances)) {
            // Which of those that share the address is meant, nothing says.
            return (if several { reach.but(Sure::Likely, 0.8) } else { reach }, via);
        }
        (self.before(gateway, assigned), via)
    }

    /// What the addresses in a Gateway's status say.
    fn assigned_to(&self, gateway: &Item<GatewayRow>) -> Option<Reach> {
        let addresses = gateway.says.addresses.iter().enumerate().map(|(i, address)| {
            let text = self.text(*address);
            (format!(".status.addresses[{i}].value"), text, text)
        });
        self.told(gateway.object, addresses).map(|(reach, _)| reach)
    }

    /// From where a Gateway is reached by its own words: its addresses, its annotations, its class.
    fn before(&self, gateway: &Item<GatewayRow>, assigned: Option<Reach>) -> Reach {
        let says = &gateway.says;
        let fact = |field: String, value: &str| (gateway.object, field, value.to_owned());
        if let Some(reach) = assigned {
            return reach;
        }
        if let Some((field, value, wanted)) = says.scheme {
            let facts = vec![fact(self.text(field).to_owned(), self.text(value))];
            return match wanted {
                Wanted::Internal => Reach::private(Sure::Likely, facts),
                Wanted::Facing => Reach::internet(Sure::Likely, 0.8, facts),
                Wanted::Either => Reach::internet(Sure::Possible, 0.3, facts),
            };
        }
        let class = fact(".spec.gatewayClassName".to_owned(), self.text(says.class));
        match class_is_internal(self.text(says.class)) {
            Some(true) => return Reach::private(Sure::Likely, vec![class]),
            Some(false) => return Reach::internet(Sure::Likely, 0.8, vec![class]),
            None => {}
        }
        let mut wanted: Option<Reach> = None;
        for (i, address) in says.wanted.iter().enumerate() {
            let text = self.text(*address);
            let facts = vec![fact(format!(".spec.addresses[{i}].value"), text)];
            match is_public(text) {
                Some(true) => {
                    Reach::offer(&mut wanted, Reach::internet(Sure::Likely, 0.5, facts));
                }
                Some(false) => Reach::offer(&mut wanted, Reach::private(Sure::Likely, facts)),
                None => {}
            }
        }
        if let Some(reach) = wanted {
            return reach;
        }
        // AWS' controller makes internal balancers unless an object of its own says otherwise.
        let controller = self.controller_of(says).map_or("", |c| self.text(c));
        let likelihood = if controller.starts_with("gateway.k8s.aws/") { 0.2 } else { 0.5 };
        Reach::internet(Sure::Possible, likelihood, vec![class])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_gke() {
        assert_eq!(class_is_internal("gke-l7-global-external-managed"), Some(false));
        assert_eq!(class_is_internal("gke-l7-gxlb"), Some(false));
        assert_eq!(class_is_internal("gke-l7-rilb"), Some(true));
        assert_eq!(class_is_internal("gke-l7-cross-regional-internal-managed-mc"), Some(true));
        assert_eq!(class_is_internal("internal"), None);
    }
}
