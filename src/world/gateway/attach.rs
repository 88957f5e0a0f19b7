//! Which routes attach to which listeners, by the rules of Gateway API; where the implementation
//! has said so itself in the route's status, that decides.

use super::{Answer, GatewayRow, Item, Listener, Namespaces, Parent, ParentAnswer, RouteRow};
use crate::sym::Sym;
use crate::world::World;
use crate::world::exposure::{Said, Sure};
use crate::world::rows::{Operator, Selector};

/// The label by which the API server keeps a namespace's name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A route at one of its parents.
pub(super) struct Attached<'w> {
    /// The Gateway's place in the table; `None` where the snapshot does not hold it.
    pub gateway: Option<usize>,
    pub answer: Option<&'w ParentAnswer>,
    pub sure: Sure,
    pub likelihood: f64,
    pub facts: Vec<Said>,
}

/// Whether both hold; what is not known leaves it unknown, unless the other fails.
fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Whether some host fits both names. An empty one fits every host, and `*.` one or more labels.
pub(in crate::world) fn meet(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let within = |name: &str, suffix: &str| name.len() > suffix.len() && name.ends_with(suffix);
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        _ if a.is_empty() || b.is_empty() => true,
        (None, None) => a == b,
        (Some(suffix), None) => within(&b, suffix),
        (None, Some(suffix)) => within(&a, suffix),
        (Some(a), Some(b)) => a.ends_with(b) || b.ends_with(a),
    }
}

/// Whether a listener's protocol carries a kind of route; `None` for protocols that an
/// implementation has made up.
fn carries(protocol: &str, passthrough: bool, kind: &str) -> Option<bool> {
    Some(match protocol {
        "HTTP" | "HTTPS" => matches!(kind, "HTTPRoute" | "GRPCRoute"),
        "TLS" => kind == "TLSRoute" || kind == "TCPRoute" && !passthrough,
        "TCP" => kind == "TCPRoute",
        "UDP" => kind == "UDPRoute",
        _ => return None,
    })
}

fn is_false(answer: Answer) -> bool {
    matches!(answer, Some((false, _)))
}

fn is_true(answer: Answer) -> bool {
    matches!(answer, Some((true, _)))
}

/// Whether the status shows that an implementation looks after a Gateway.
pub(super) fn is_handled(gateway: &GatewayRow) -> bool {
    !gateway.addresses.is_empty() || is_true(gateway.accepted) || is_true(gateway.programmed)
}

/// What a condition says, as a fact.
pub(in crate::world) fn condition(
    object: crate::world::ObjectId,
    at: &str,
    (holds, place): (bool, u16),
    name: &str,
) -> Said {
    let value = if holds { "True" } else { "False" };
    (object, format!("{at}.conditions[{place}]"), format!("{name}={value}"))
}

impl World {
    /// The Gateway or ListenerSet of a name.
    pub(super) fn gateway_of(&self, kind: Sym, ns: Sym, name: Sym) -> Option<usize> {
        let key = |g: &Item<GatewayRow>| (g.ns, g.name, g.says.kind);
        self.gateway.gateways.binary_search_by_key(&(ns, name, kind), key).ok()
    }

    /// Whether a namespace's labels are selected; `None` where they are not in the snapshot.
    fn selects_namespace(&self, selector: &Selector, ns: Sym) -> Option<bool> {
        let row = self.namespace(ns).map(|ix| self.namespaces[ix.index()].object);
        let row = row.filter(|object| self.objects[object.index()].is_present());
        let mut verdict = Some(true);
        for requirement in &selector.0 {
            let alone = Selector([requirement.clone()].into());
            let own = if requirement.operator == Operator::Invalid {
                Some(false)
            } else if self.text(requirement.key) == NAME_LABEL {
                Some(alone.selects(&[(requirement.key, ns)]))
            } else {
                row.map(|object| alone.selects(self.labels_of(object)))
            };
            verdict = both(verdict, own);
        }
        verdict
    }

    /// Whether something in a namespace may attach to what stands in another.
    fn admits(&self, allowed: &Namespaces, own: Sym, from: Sym) -> Option<bool> {
        match allowed {
            Namespaces::None => Some(false),
            Namespaces::Same => Some(own == from),
            Namespaces::All => Some(true),
            Namespaces::Selector(selector) => self.selects_namespace(selector, from),
        }
    }

    /// Whether a listener takes a route, by the rules.
    fn takes(
        &self,
        holder: &Item<GatewayRow>,
        listener: &Listener,
        route: &Item<RouteRow>,
    ) -> Option<bool> {
        let kind = self.text(route.says.kind);
        let named = listener.kinds.as_ref().map(|kinds| kinds.contains(&route.says.kind));
        let carried = carries(self.text(listener.protocol), listener.passthrough, kind);
        let kinds = both(named.or(Some(true)), carried.or(named));
        let names = &route.says.hostnames;
        let hosts = matches!(kind, "TCPRoute" | "UDPRoute")
            || names.is_empty()
            || names.iter().any(|n| meet(self.text(*n), self.text(listener.hostname)));
        let admitted = self.admits(&listener.namespaces, holder.ns, route.ns);
        both(both(kinds, Some(hosts)), admitted)
    }

    /// Where a route attaches at a parent; `None` if it does not.
    pub(super) fn attach<'w>(
        &'w self,
        route: &'w Item<RouteRow>,
        parent: &Parent,
    ) -> Option<Attached<'w>> {
        let holder = self.gateway_of(parent.kind, parent.ns, parent.name);
        let root = match holder {
            Some(at) => Some(self.root(at)?),
            None => None,
        };
        let controller = root.and_then(|at| self.controller_of(&self.gateway.gateways[at].says));
        let answer = route.says.answers.iter().find(|answer| {
            let same = Parent { place: parent.place, ..answer.parent } == *parent;
            same && controller.is_none_or(|c| c == answer.controller || c.is_empty())
        });
        let accepted = answer.and_then(|a| Some((a, a.accepted?)));
        let mut facts = vec![(
            route.object,
            format!(".spec.parentRefs[{}]", parent.place),
            format!("{}/{}", self.text(parent.ns), self.text(parent.name)),
        )];
        if let Some((answer, (holds, place))) = accepted {
            if !holds {
                return None;
            }
            let at = format!(".status.parents[{}]", answer.parent.place);
            facts.push(condition(route.object, &at, (holds, place), "Accepted"));
        }
        let Some((holder, root)) = holder.zip(root) else {
            // The implementation took it, so that the Gateway is there; what it is like is hidden.
            accepted?;
            let (sure, likelihood) = (Sure::Possible, 0.5);
            return Some(Attached { gateway: None, answer, sure, likelihood, facts });
        };
        let holder = &self.gateway.gateways[holder];
        let listener = holder
            .says
            .listeners
            .iter()
            .enumerate()
            .filter(|(_, l)| {
                (parent.section.is_empty() || l.name == parent.section)
                    && (parent.port == 0 || l.port == parent.port)
                    && !is_false(l.accepted)
            })
            .filter_map(|(at, l)| match self.takes(holder, l, route) {
                Some(false) => None,
                takes => Some((takes.is_none(), is_false(l.programmed), at)),
            })
            .min();
        let gateway = &self.gateway.gateways[root].says;
        let (mut sure, mut likelihood) = match (listener, accepted) {
            (Some(_), Some(_)) => (Sure::Certain, 1.0),
            (None, Some(_)) => (Sure::Likely, 0.8),
            // Nothing shows that the implementation took this route.
            (Some((false, ..)), None) if is_handled(gateway) => (Sure::Likely, 0.8),
            (Some(_), None) => (Sure::Possible, 0.5),
            (None, None) => return None,
        };
        if let Some((_, unprogrammed, at)) = listener {
            let listener = &holder.says.listeners[at];
            facts.push(self.listener_fact(holder, at, route.ns));
            if let Some(answer) = listener.programmed.filter(|_| unprogrammed) {
                let at = format!(".status.listeners[{}]", listener.answered);
                facts.push(condition(holder.object, &at, answer, "Programmed"));
                (sure, likelihood) = (Sure::Possible, likelihood * 0.3);
            }
        }
        Some(Attached { gateway: Some(root), answer, sure, likelihood, facts })
    }

    /// The Gateway of a listener's holder: itself, or what a ListenerSet may add listeners to.
    fn root(&self, holder: usize) -> Option<usize> {
        let set = &self.gateway.gateways[holder];
        if self.text(set.says.kind) == "Gateway" {
            return Some(holder);
        }
        let (ns, name) = set.says.parent?;
        let root = self.gateway_of(self.symbols.get("Gateway")?, ns, name)?;
        let allowed = &self.gateway.gateways[root].says.sets;
        let refused = self.admits(allowed, ns, set.ns) == Some(false);
        (!refused && !is_false(set.says.accepted)).then_some(root)
    }

    /// The field that lets a route in.
    fn listener_fact(&self, holder: &Item<GatewayRow>, at: usize, from: Sym) -> Said {
        let listener = &holder.says.listeners[at];
        let field = format!(".spec.listeners[{at}]");
        let (field, value) = match &listener.namespaces {
            Namespaces::All => (format!("{field}.allowedRoutes.namespaces.from"), "All".to_owned()),
            Namespaces::Selector(_) => {
                let value = match self.admits(&listener.namespaces, holder.ns, from) {
                    Some(_) => format!("selects {}", self.text(from)),
                    None => format!("the labels of {} are not in the snapshot", self.text(from)),
                };
                (format!("{field}.allowedRoutes.namespaces.selector"), value)
            }
            Namespaces::Same | Namespaces::None => {
                (field, format!("{} {}", self.text(listener.protocol), listener.port))
            }
        };
        (holder.object, field, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_meet_as_the_specification_says() {
        for (a, b, expected) in [
            ("", "api.example", true),
            ("api.example", "API.example", true),
            ("api.example", "web.example", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "*.b.example.com", true),
            ("*.example.com", "*.example.org", false),
            ("*.example.com", "badexample.com", false),
        ] {
            assert_eq!(meet(a, b), expected, "{a} {b}");
            assert_eq!(meet(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn protocols_carry_their_routes() {
        for (protocol, passthrough, kind, expected) in [
            ("HTTP", false, "HTTPRoute", Some(true)),
            ("HTTPS", false, "GRPCRoute", Some(true)),
            ("HTTPS", false, "TLSRoute", Some(false)),
            ("TLS", true, "TLSRoute", Some(true)),
            ("TLS", true, "TCPRoute", Some(false)),
            ("TLS", false, "TCPRoute", Some(true)),
            ("TCP", false, "HTTPRoute", Some(false)),
            ("TCP", false, "TCPRoute", Some(true)),
            ("UDP", false, "TCPRoute", Some(false)),
            ("UDP", false, "UDPRoute", Some(true)),
            ("example.com/quic", false, "HTTPRoute", None),
        ] {
            assert_eq!(carries(protocol, passthrough, kind), expected, "{protocol} {kind}");
        }
    }
}
