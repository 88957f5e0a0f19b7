//! Istio's Gateways and VirtualServices: names resolved as its control plane does.

use super::number;
use crate::k8s::istio::{IstioGatewaySpec, IstioRoute, IstioTarget, VirtualServiceSpec};
use crate::k8s::{Kind, Meta};
use crate::sym::Sym;
use crate::world::istio::{
    AtGateways, Delegate, Destination, Form, IstioGatewayRow, Server, VirtualServiceRow,
};
use crate::world::rows::{Operator, Part, Requirement, Selector};

/// The forms of routes that a server speaks.
fn form(protocol: &str, mode: &str) -> Option<Form> {
    let passes = mode == "PASSTHROUGH";
    Some(match protocol.to_ascii_uppercase().as_str() {
        // It leads to Services by itself, for other parts of the mesh.
        _ if mode == "AUTO_PASSTHROUGH" => return None,
        "HTTPS" | "TLS" if passes => Form::Tls,
        "HTTP" | "HTTP2" | "HTTP_PROXY" | "GRPC" | "GRPC-WEB" | "HTTPS" => Form::Http,
        _ => Form::Tcp,
    })
}

/// Name and namespace of a Service of the cluster: only a name without dots is one of the rule's
/// own namespace.
fn service<'h>(host: &'h str, own: &'h str) -> Option<(&'h str, &'h str)> {
    let Some((name, rest)) = host.split_once('.') else {
        return (!host.is_empty()).then_some((host, own));
    };
    let (ns, domain) = rest.split_once('.')?;
    domain.starts_with("svc.").then_some((name, ns))
}

impl Part {
    pub(super) fn istio_gateway(&mut self, spec: &IstioGatewaySpec<'_>) -> IstioGatewayRow {
        let selector = spec.selector.iter().flatten().map(|(key, value)| Requirement {
            key: self.symbols.intern(key),
            operator: Operator::In,
            values: [self.symbols.intern(value)].into(),
        });
        let selector = Selector(selector.collect());
        let mut servers = Vec::new();
        for (place, server) in spec.servers.iter().enumerate() {
            let port = server.port.as_ref();
            let protocol = port.map_or("", |p| &p.protocol);
            let Some(form) = form(protocol, server.tls.as_ref().map_or("", |tls| &tls.mode)) else {
                continue;
            };
            let hosts = server.hosts.iter().map(|host| match host.split_once('/') {
                Some((ns, host)) => (self.sym(ns), self.sym(host)),
                None => (self.sym("*"), self.sym(host)),
            });
            let hosts = hosts.collect();
            let port = port.map_or(0, |p| number(p.number));
            let protocol = self.sym(protocol);
            servers.push(Server { place: super::place(place), port, protocol, form, hosts });
        }
        let kind = self.sym(Kind::IstioGateway.name());
        IstioGatewayRow { kind, selector, servers: servers.into() }
    }

    pub(super) fn virtual_service(
        &mut self,
        meta: &Meta<'_>,
        spec: &VirtualServiceSpec<'_>,
    ) -> VirtualServiceRow {
        let own = self.or_own("", meta);
        let mut gateways = Vec::new();
        for (place, gateway) in spec.gateways.iter().enumerate() {
            if let Some((ns, name)) = self.gateway_name(gateway, own) {
                gateways.push((ns, name, super::place(place)));
            }
        }
        let mut row = VirtualServiceRow {
            kind: self.sym(Kind::VirtualService.name()),
            hosts: self.syms(&spec.hosts),
            gateways: gateways.into(),
            export_to: self.syms(&spec.export_to),
            destinations: Vec::new(),
            delegates: Vec::new(),
        };
        self.destinations(&mut row, Form::Http, ("http", &spec.http), meta);
        self.destinations(&mut row, Form::Tls, ("tls", &spec.tls), meta);
        self.destinations(&mut row, Form::Tcp, ("tcp", &spec.tcp), meta);
        row
    }

    /// Namespace and name of a gateway; `None` for the inside of the mesh.
    fn gateway_name(&mut self, gateway: &str, own: Sym) -> Option<(Sym, Sym)> {
        match gateway.split_once('/') {
            Some((ns, name)) => Some((self.sym(ns), self.sym(name))),
            None if gateway == "mesh" => None,
            None => Some((own, self.sym(gateway))),
        }
    }

    /// The gateways at which one of the matches of a route may hold.
    fn at_gateways(&mut self, route: &IstioRoute<'_>, own: Sym) -> AtGateways {
        if route.matches.iter().any(|of| of.gateways.is_empty()) || route.matches.is_empty() {
            return None;
        }
        let names = route.matches.iter().flat_map(|of| of.gateways.iter());
        Some(names.filter_map(|name| self.gateway_name(name, own)).collect())
    }

    fn destinations(
        &mut self,
        row: &mut VirtualServiceRow,
        form: Form,
        (list, routes): (&str, &[IstioRoute<'_>]),
        meta: &Meta<'_>,
    ) {
        for (r, route) in routes.iter().enumerate() {
            let own = self.or_own("", meta);
            let gateways = self.at_gateways(route, own);
            let at = format!(".spec.{list}[{r}]");
            let mut add = |part: &mut Self, field: &str, target: Option<&IstioTarget<'_>>| {
                let to = target.and_then(|t| part.destination(form, field, t, meta));
                row.destinations.extend(to.map(|to| Destination { at: gateways.clone(), ..to }));
            };
            for (d, to) in route.route.iter().enumerate() {
                // The weight of an only destination does not matter.
                if route.route.len() == 1 || to.weight.0 != Some(0) {
                    let field = format!("{at}.route[{d}].destination");
                    add(self, &field, to.destination.as_ref());
                }
            }
            add(self, &format!("{at}.mirror"), route.mirror.as_ref());
            for (m, mirror) in route.mirrors.iter().enumerate() {
                let field = format!("{at}.mirrors[{m}].destination");
                add(self, &field, mirror.destination.as_ref());
            }
            if let Some(delegate) = &route.delegate {
                row.delegates.push(Delegate {
                    at: gateways,
                    field: self.sym(&format!("{at}.delegate")),
                    ns: self.or_own(&delegate.namespace, meta),
                    name: self.sym(&delegate.name),
                });
            }
        }
    }

    fn destination(
        &mut self,
        form: Form,
        field: &str,
        target: &IstioTarget<'_>,
        meta: &Meta<'_>,
    ) -> Option<Destination> {
        let own: Sym = self.or_own("", meta);
        let (name, ns) = service(&target.host, "")?;
        let port = target.port.as_ref().map(|p| number(p.number)).filter(|p| *p != 0);
        Some(Destination {
            form,
            at: None,
            field: self.sym(field),
            ns: if ns.is_empty() { own } else { self.sym(ns) },
            service: self.sym(name),
            port,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_services_by_their_whole_name_or_without_dots() {
        assert_eq!(service("web", "shop"), Some(("web", "shop")));
        assert_eq!(service("web.ops.svc.cluster.local", "shop"), Some(("web", "ops")));
        assert_eq!(service("web.ops", "shop"), None);
        assert_eq!(service("www.example.com", "shop"), None);
        assert_eq!(service("", "shop"), None);
    }

    #[test]
    fn servers_speak_one_form() {
        assert_eq!(form("HTTP", ""), Some(Form::Http));
        assert_eq!(form("HTTPS", "SIMPLE"), Some(Form::Http));
        assert_eq!(form("HTTPS", "PASSTHROUGH"), Some(Form::Tls));
        assert_eq!(form("TLS", "SIMPLE"), Some(Form::Tcp));
        assert_eq!(form("TCP", ""), Some(Form::Tcp));
        assert_eq!(form("TLS", "AUTO_PASSTHROUGH"), None);
    }
}
