//! Services and Ingresses.

use super::number;
use crate::k8s::scalar::{IntOrStr, Str};
use crate::k8s::{Meta, network};
use crate::sym::Sym;
use crate::world::balancer;
use crate::world::network::{HeldRow, Protocol};
use crate::world::rows::{
    Backend, IngressRow, Operator, Part, Requirement, Selector, ServicePort, ServiceRow, Target,
};

/// What ingress-nginx lets in; its older word counts where this one is not there.
const ALLOWLIST: &str = "nginx.ingress.kubernetes.io/allowlist-source-range";
const WHITELIST: &str = "nginx.ingress.kubernetes.io/whitelist-source-range";

/// What balancers let in, by Kubernetes' own annotation; `spec.loadBalancerSourceRanges` wins.
const RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

/// The same of Azure, which refuses both; addresses of its own services come beside them.
const AZURE_RANGES: &str = "service.beta.kubernetes.io/azure-allowed-ip-ranges";
const AZURE_TAGS: &str = "service.beta.kubernetes.io/azure-allowed-service-tags";

/// What AWS' controller lets in.
pub(in crate::world) const INBOUND: &str = "alb.ingress.kubernetes.io/inbound-cidrs";

/// Whether all addresses of a Service are of IPv6, or none; `None` where it has both, or shows
/// neither.
fn family(
    spec: &network::ServiceSpec<'_>,
    status: &network::LoadBalancerStatus<'_>,
) -> Option<bool> {
    let named = |family: &str| match family {
        "IPv6" => Some(true),
        "IPv4" => Some(false),
        _ => None,
    };
    let of = |address: &str| address.parse::<std::net::IpAddr>().ok().map(|a| a.is_ipv6());
    let own = std::iter::once(&spec.cluster_ip).chain(spec.cluster_ips.iter());
    let balancer = status.load_balancer.iter().flat_map(|b| b.ingress.iter());
    let by_name: Vec<bool> = spec.ip_families.iter().filter_map(|f| named(f)).collect();
    let by_address: Vec<bool> = own.filter_map(|a| of(a)).collect();
    let by_balancer: Vec<bool> = balancer.filter_map(|b| of(&b.ip)).collect();
    let shown = [by_name, by_address, by_balancer].into_iter().find(|list| !list.is_empty())?;
    let first = *shown.first()?;
    shown.iter().all(|v6| *v6 == first).then_some(first)
}

impl Part {
    pub(super) fn target(&mut self, target: Option<&IntOrStr<'_>>, default: u16) -> Target {
        match target {
            Some(IntOrStr::Str(name)) if !name.is_empty() => Target::Name(self.sym(name)),
            Some(IntOrStr::Int(n)) if *n != 0 => Target::Number(u16::try_from(*n).unwrap_or(0)),
            _ => Target::Number(default),
        }
    }

    pub(super) fn balancer(
        &mut self,
        status: &network::LoadBalancerStatus<'_>,
    ) -> Box<[(Sym, Sym)]> {
        let ingress = status.load_balancer.iter().flat_map(|b| b.ingress.iter());
        ingress.map(|i| (self.symbols.intern(&i.ip), self.symbols.intern(&i.hostname))).collect()
    }

    pub(super) fn service(
        &mut self,
        meta: &Meta<'_>,
        spec: &network::ServiceSpec<'_>,
        status: &network::LoadBalancerStatus<'_>,
    ) -> ServiceRow {
        let selector = spec.selector.as_ref().filter(|s| !s.is_empty()).map(|labels| {
            let requirement = |(key, value): (&String, &Str<'_>)| Requirement {
                key: self.symbols.intern(key),
                operator: Operator::In,
                values: [self.symbols.intern(value)].into(),
            };
            Selector(labels.iter().map(requirement).collect())
        });
        let ports = spec.ports.iter().map(|p| ServicePort {
            name: self.symbols.intern(&p.name),
            port: number(p.port),
            target: self.target(p.target_port.as_ref(), number(p.port)),
            node_port: number(p.node_port),
            // The server refuses another one, and fills in TCP.
            protocol: Protocol::of(&p.protocol).unwrap_or(Protocol::Tcp),
        });
        let ports: Box<[_]> = ports.collect();
        let (ns, name) = (self.or_own("", meta), self.sym(&meta.name));
        let own = std::iter::once(&spec.cluster_ip).chain(spec.cluster_ips.iter());
        self.held.extend(own.filter_map(|address| {
            let address = address.parse().ok()?;
            Some(HeldRow { address, ns, name, service: true })
        }));
        let listed = |key: &str| {
            let list = meta.annotations.get(key).unwrap_or("").split(',').map(str::trim);
            list.filter(|one| !one.is_empty())
        };
        let (ranges_at, source_ranges) = match &*spec.load_balancer_source_ranges {
            [] => {
                let mut keys = [RANGES, AZURE_RANGES].into_iter();
                let key = keys.find(|key| listed(key).next().is_some()).unwrap_or(RANGES);
                let tags = if key == AZURE_RANGES { AZURE_TAGS } else { "" };
                let ranges = listed(key).chain(listed(tags)).map(|r| self.symbols.intern(r));
                (format!(".metadata.annotations[{key:?}]"), ranges.collect())
            }
            ranges => (".spec.loadBalancerSourceRanges".to_owned(), self.syms(ranges)),
        };
        let annotations: Vec<(&str, &str)> =
            meta.annotations.0.iter().map(|(key, value)| (&**key, &**value)).collect();
        let class = &*spec.load_balancer_class;
        let scheme = balancer::wanted(&annotations, class, ".metadata.annotations");
        let wanted_ip = match &*spec.load_balancer_ip {
            "" => balancer::wanted_address(&annotations, ".metadata.annotations"),
            address => Some((".spec.loadBalancerIP".to_owned(), address)),
        };
        ServiceRow {
            v6: family(spec, status),
            kind: self.sym(if spec.kind.is_empty() { "ClusterIP" } else { &spec.kind }),
            selector,
            ports,
            external_ips: self.syms(&spec.external_ips),
            source_ranges,
            ranges_at: self.sym(&ranges_at),
            balancer: self.balancer(status),
            has_class: !spec.load_balancer_class.is_empty(),
            wanted_ip: wanted_ip.map_or((Sym::EMPTY, Sym::EMPTY), |(field, address)| {
                (self.sym(&field), self.sym(address))
            }),
            scheme: scheme.map(|(field, value, is)| (self.sym(&field), self.sym(value), is)),
            targets_pods: balancer::targets_pods(&annotations),
            keeps_client: &*spec.external_traffic_policy == "Local",
            node_ports: spec.allocate_load_balancer_node_ports.0 != Some(false),
            headless: &*spec.cluster_ip == "None",
            external_name: self.sym(&spec.external_name),
        }
    }

    pub(super) fn ingress(
        &mut self,
        meta: &Meta<'_>,
        spec: &network::IngressSpec<'_>,
        status: &network::LoadBalancerStatus<'_>,
    ) -> IngressRow {
        let mut backends = Vec::new();
        let default = spec.default_backend.as_ref().map(|b| (".spec.defaultBackend".to_owned(), b));
        let beta = spec.backend.as_ref().map(|b| (".spec.backend".to_owned(), b));
        let paths = spec.rules.iter().enumerate().flat_map(|(r, rule)| {
            rule.http.iter().flat_map(|h| h.paths.iter()).enumerate().filter_map(
                move |(p, path)| {
                    let backend = path.backend.as_ref()?;
                    Some((format!(".spec.rules[{r}].http.paths[{p}].backend"), backend))
                },
            )
        });
        for (field, backend) in default.into_iter().chain(beta).chain(paths) {
            let (service, port) = match &backend.service {
                Some(service) => {
                    let port = service.port.as_ref();
                    let named = port.map(|p| &*p.name).filter(|n| !n.is_empty());
                    let port = match named {
                        Some(name) => Target::Name(self.sym(name)),
                        None => Target::Number(port.map_or(0, |p| number(p.number))),
                    };
                    (&service.name, port)
                }
                None => (&backend.service_name, self.target(backend.service_port.as_ref(), 0)),
            };
            if !service.is_empty() {
                let (field, service) = (self.sym(&field), self.sym(service));
                backends.push(Backend { field, service, port });
            }
        }
        let class = match (
            &*spec.ingress_class_name,
            meta.annotations.get("kubernetes.io/ingress.class"),
        ) {
            ("", annotated) => annotated.unwrap_or(""),
            (class, _) => class,
        };
        // Each is of its own controller.
        let sources = [ALLOWLIST, WHITELIST, INBOUND].into_iter().find_map(|key| {
            let blocks = meta.annotations.get(key)?.split(',').map(str::trim);
            let blocks = blocks.filter(|b| !b.is_empty()).map(|b| self.sym(b)).collect();
            Some((self.sym(key), blocks))
        });
        IngressRow {
            sources,
            funnel: meta.annotations.get("tailscale.com/funnel") == Some("true"),
            class: self.sym(class),
            annotated: spec.ingress_class_name.is_empty() && !class.is_empty(),
            backends: backends.into(),
            balancer: self.balancer(status),
            scheme: self
                .sym(meta.annotations.get("alb.ingress.kubernetes.io/scheme").unwrap_or("")),
        }
    }
}
