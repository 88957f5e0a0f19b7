//! Whether the internet reaches a Gateway: its class, its address, and the Service that its
//! implementation made for it.

use super::attach::{condition, is_handled};
use super::{GatewayClassRow, GatewayRow, Item};
use crate::sym::Sym;
use crate::world::exposure::{Reach, Said, Sure, Via, host_name_is_internal, is_public};
use crate::world::{ServiceIx, World};
use std::collections::BTreeMap;

/// What stands before Gateways, Ingresses and node ports: found once, asked for by each of them.
#[derive(Default)]
pub(in crate::world) struct Fronts {
    /// By namespace and name of the Gateway that they are labelled for.
    labelled: BTreeMap<(Sym, Sym), ServiceIx>,
    /// By the address of their load balancer.
    addressed: BTreeMap<Sym, ServiceIx>,
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
                    fronts.addressed.entry(address).or_insert(ServiceIx::new(i));
                }
            }
        }
        fronts
    }

    /// The Service whose load balancer has an address.
    pub(in crate::world) fn with_address(&self, address: Sym) -> Option<ServiceIx> {
        self.addressed.get(&address).copied()
    }

    fn of(&self, gateway: &Item<GatewayRow>) -> Option<ServiceIx> {
        let labelled = self.labelled.get(&(gateway.ns, gateway.name));
        let mut addresses = gateway.says.addresses.iter();
        labelled.copied().or_else(|| addresses.find_map(|a| self.with_address(*a)))
    }
}

impl World {
    /// What passes the requests of a Gateway on. A Service without a selector has its endpoints
    /// made by hand: so Cilium's Gateways, whose packets policies know by a word of its own.
    pub(super) fn gateway_proxies(&self, gateway: &Item<GatewayRow>, fronts: &Fronts) -> Via {
        if class_is_internal(self.text(gateway.says.class)).is_some() {
            return Via::Balancers;
        }
        let own = fronts.of(gateway);
        own.filter(|s| self.services[s.index()].selector.is_some())
            .map_or(Via::Hidden, Via::Proxies)
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

    /// How the internet reaches a Gateway; `None` if it does not.
    pub(super) fn gateway_reach(
        &self,
        gateway: &Item<GatewayRow>,
        fronts: &Fronts,
    ) -> Option<Reach> {
        let says = &gateway.says;
        let class = self.class_of(says);
        // Classes were collected and this one is not among them: nothing serves the Gateway.
        if class.is_none() && !self.gateway.classes.is_empty() && !is_handled(says)
            || class.is_some_and(|class| matches!(class.accepted, Some((false, _))))
            || matches!(says.accepted, Some((false, _)))
        {
            return None;
        }
        let (mut sure, mut likelihood, mut facts) = self.address_reach(gateway, fronts)?;
        if let Some(answer) = says.programmed.filter(|(holds, _)| !holds) {
            facts.push(condition(gateway.object, ".status", answer, "Programmed"));
            (sure, likelihood) = (Sure::Possible, likelihood * 0.3);
        }
        Some((sure, likelihood, facts))
    }

    fn address_reach(&self, gateway: &Item<GatewayRow>, fronts: &Fronts) -> Option<Reach> {
        let says = &gateway.says;
        let fact = |field: String, value: &str| (gateway.object, field, value.to_owned());
        let assigned = says.addresses.iter().enumerate().filter_map(|(i, address)| {
            let text = self.text(*address);
            let (sure, likelihood) = match (is_public(text), host_name_is_internal(text)) {
                (Some(true), _) => (Sure::Certain, 1.0),
                (None, Some(false)) => (Sure::Certain, 1.0),
                (None, None) if !text.is_empty() => (Sure::Likely, 0.8),
                _ => return None,
            };
            Some((sure, likelihood, fact(format!(".status.addresses[{i}].value"), text)))
        });
        // The first of the surest.
        let assigned = assigned.min_by_key(|(sure, ..)| *sure);
        if let Some(service) = fronts.of(gateway) {
            let service = &self.services[service.index()];
            if let Some((sure, likelihood, mut facts)) = self.service_reach(service, fronts) {
                facts.extend(assigned.map(|(_, _, fact)| fact));
                return Some((sure, likelihood, facts));
            }
            // Its balancer is internal, or lets in private sources alone.
            if self.text(service.kind) == "LoadBalancer" {
                return None;
            }
        }
        if let Some((sure, likelihood, fact)) = assigned {
            return Some((sure, likelihood, vec![fact]));
        }
        if !says.addresses.is_empty() {
            return None;
        }
        if let Some((key, value, internal)) = says.scheme {
            let field = format!(".spec.infrastructure.annotations[{:?}]", self.text(key));
            let fact = fact(field, self.text(value));
            return (!internal).then(|| (Sure::Likely, 0.8, vec![fact]));
        }
        let class = fact(".spec.gatewayClassName".to_owned(), self.text(says.class));
        if let Some(internal) = class_is_internal(self.text(says.class)) {
            return (!internal).then(|| (Sure::Likely, 0.8, vec![class]));
        }
        for (i, address) in says.wanted.iter().enumerate() {
            let text = self.text(*address);
            match is_public(text) {
                Some(true) => {
                    let fact = fact(format!(".spec.addresses[{i}].value"), text);
                    return Some((Sure::Likely, 0.5, vec![fact]));
                }
                Some(false) => return None,
                None => {}
            }
        }
        // AWS' controller makes internal balancers unless an object of its own says otherwise.
        let controller = self.controller_of(says).map_or("", |c| self.text(c));
        let likelihood = if controller.starts_with("gateway.k8s.aws/") { 0.2 } else { 0.5 };
        Some((Sure::Possible, likelihood, vec![class]))
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
