//! What faces the outside: Services, Ingresses and ports on the node, with how sure that is.
//!
//! Addresses, annotations and source ranges decide; what network policies make of it is asked by
//! who reads the entries, and [`Via`] says whose packets the policies see. A rule's host name is
//! never evidence in either direction.

use super::gateway::{Fronts, RouteIx};
use super::ingresses::Controllers;
use super::istio::VirtualServiceIx;
use super::routers::RouterRouteIx;
use super::{IngressIx, NodeIx, ObjectId, PodIx, ServiceIx, World};
use crate::sym::Sym;
use std::net::{IpAddr, Ipv6Addr};

/// What makes an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    Service(ServiceIx),
    Ingress(IngressIx),
    /// A route of Gateway API.
    Route(RouteIx),
    /// A Route of OpenShift.
    Router(RouterRouteIx),
    /// A VirtualService of Istio.
    Mesh(VirtualServiceIx),
    /// A pod's port on its node's address.
    HostPort(PodIx, u16),
}

/// How sure it is that the internet reaches an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sure {
    /// The assigned address is public.
    Certain,
    /// The specification says so; the address is not in the snapshot.
    Likely,
    /// It depends on something that is not in the snapshot: a firewall, a provider's default.
    Possible,
    /// Nothing shows it, and nothing excludes it.
    Unknown,
}

/// Whose packets arrive at the backends of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// The client's, or those of a node that puts its own address in their place.
    Client,
    /// Something that the snapshot does not show passes requests on.
    Hidden,
    /// Balancers of a cloud pass requests on, with addresses beside the cluster's.
    Balancers,
    /// The pods behind a Service do.
    Proxies(ServiceIx),
}

/// A fact before it is evidence: this object says this at this field.
pub type Said = (ObjectId, String, String);

/// How surely and how likely the internet reaches something, and the facts that say so.
pub(super) type Reach = (Sure, f64, Vec<Said>);

/// An exposed door.
#[derive(Debug)]
pub struct Entry {
    pub door: Door,
    pub sure: Sure,
    /// How likely a packet from anywhere in the internet arrives.
    pub likelihood: f64,
    /// The facts that say so: object, field and value. Never empty.
    pub facts: Vec<Said>,
    /// The Service ports behind it, each with the facts that lead there.
    pub backends: Vec<(ServiceIx, usize, Vec<Said>)>,
    /// Whose packets arrive there: alternatives, each once.
    pub via: Vec<Via>,
}

/// What an annotation says about a Service's load balancer: internal or facing the internet.
/// The keys are those that the providers document.
#[must_use]
pub fn scheme(key: &str, value: &str) -> Option<bool> {
    let yes = |v: &str| !v.is_empty() && !v.eq_ignore_ascii_case("false");
    Some(match key {
        "networking.gke.io/load-balancer-type" | "cloud.google.com/load-balancer-type" => {
            value.eq_ignore_ascii_case("internal")
        }
        "service.beta.kubernetes.io/aws-load-balancer-scheme" => match value {
            "internal" => true,
            "internet-facing" => false,
            _ => return None,
        },
        "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type" => value == "private",
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type" => value == "intranet",
        "service.beta.kubernetes.io/aws-load-balancer-internal"
        | "service.beta.kubernetes.io/azure-load-balancer-internal"
        | "service.beta.kubernetes.io/openstack-internal-load-balancer"
        | "service.beta.kubernetes.io/cce-load-balancer-internal-vpc"
        | "service.beta.kubernetes.io/oci-load-balancer-internal"
        | "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid"
            if yes(value) =>
        {
            true
        }
        _ => return None,
    })
}

/// Whether an address is reachable from the internet at all: not private, shared (RFC 6598),
/// link-local, loopback or unspecified.
#[must_use]
pub fn is_public(address: &str) -> Option<bool> {
    Some(match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            !(v6 == Ipv6Addr::LOCALHOST
                || v6.is_unspecified()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80)
        }
    })
}

/// What a load balancer's host name says: `Some(true)` internal, `Some(false)` internet-facing.
/// AWS prefixes internal classic and application balancers; a network balancer's name tells
/// nothing. `localhost` stands in the status of clusters on a desktop, and names of the cluster's
/// own DNS where a load balancer was never made.
pub(super) fn host_name_is_internal(host: &str) -> Option<bool> {
    let of_the_cluster = host.ends_with(".svc") || host.ends_with(".cluster.local");
    if host.starts_with("internal-") || host == "localhost" || of_the_cluster {
        return Some(true);
    }
    host.ends_with(".elb.amazonaws.com").then_some(false)
}

impl World {
    /// Every door that the internet may reach.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let fronts = Fronts::new(self);
        let mut entries = Vec::new();
        for i in 0..self.services.len() {
            entries.extend(self.service_entry(ServiceIx::new(i), &fronts));
        }
        let services = entries.len();
        let mut known = Controllers::new();
        for i in 0..self.ingresses.len() {
            let ix = IngressIx::new(i);
            let entry = self.ingress_entry(ix, &entries[..services], &fronts, &mut known);
            entries.extend(entry);
        }
        self.route_entries(&mut entries, &fronts);
        self.router_entries(&mut entries, &fronts);
        self.mesh_entries(services, &mut entries);
        for i in 0..self.pods.len() {
            self.host_ports(PodIx::new(i), &mut entries);
        }
        entries
    }

    fn service_entry(&self, ix: ServiceIx, fronts: &Fronts) -> Option<Entry> {
        let service = &self.services[ix.index()];
        service.selector.as_ref()?;
        let (sure, likelihood, facts) = self.service_reach(service, fronts)?;
        let backends = (0..service.ports.len()).map(|port| (ix, port, Vec::new())).collect();
        let via = vec![Via::Client];
        Some(Entry { door: Door::Service(ix), sure, likelihood, facts, backends, via })
    }

    /// The surest way by which the internet reaches a Service's own address or ports.
    pub(super) fn service_reach(&self, service: &super::Service, fronts: &Fronts) -> Option<Reach> {
        let mut best: Option<Reach> = None;
        let mut offer = |sure, likelihood, facts: Vec<_>| {
            if best.as_ref().is_none_or(|(_, known, _)| likelihood > *known) {
                best = Some((sure, likelihood, facts));
            }
        };
        let kind = (service.object, ".spec.type".to_owned(), self.text(service.kind).to_owned());
        if self.text(service.kind) == "LoadBalancer"
            && let Some((sure, likelihood, mut facts)) = self.load_balancer(service)
        {
            facts.insert(0, kind.clone());
            offer(sure, likelihood, facts);
        }
        let has_node_port = self.text(service.kind) == "NodePort"
            || self.text(service.kind) == "LoadBalancer"
                && service.node_ports
                && service.ports.iter().any(|p| p.node_port != 0);
        if has_node_port && let Some(node) = &fronts.public {
            // A firewall between the internet and the node is not in the snapshot.
            offer(Sure::Possible, 0.5, vec![kind, node.clone()]);
        } else if has_node_port && self.text(service.kind) == "NodePort" {
            // Whoever asks for node ports alone has something before the nodes, or people in their
            // network. What leads there is not in the snapshot.
            offer(Sure::Unknown, 0.2, [kind].into_iter().chain(fronts.private.clone()).collect());
        }
        for (i, ip) in service.external_ips.iter().enumerate() {
            if is_public(self.text(*ip)) == Some(true) {
                let field = format!(".spec.externalIPs[{i}]");
                let fact = (service.object, field, self.text(*ip).to_owned());
                offer(Sure::Possible, 0.5, vec![fact]);
            }
        }
        best
    }

    /// Whether the internet reaches a Service's load balancer. Its address decides before any
    /// annotation, and an annotation before the provider's default.
    fn load_balancer(&self, service: &super::Service) -> Option<Reach> {
        let mut facts = Vec::new();
        let mut sure = None;
        for (i, (ip, host)) in service.balancer.iter().enumerate() {
            let at = format!(".status.loadBalancer.ingress[{i}]");
            let (ip, host) = (self.text(*ip), self.text(*host));
            let verdict = match (is_public(ip), host_name_is_internal(host)) {
                (Some(true), _) => Some((Sure::Certain, 1.0, format!("{at}.ip"), ip)),
                (None, Some(false)) => Some((Sure::Certain, 1.0, format!("{at}.hostname"), host)),
                (None, None)
                    if !host.is_empty() && !matches!(service.scheme, Some((_, _, true))) =>
                {
                    Some((Sure::Likely, 0.8, format!("{at}.hostname"), host))
                }
                _ => None,
            };
            if let Some((s, likelihood, field, value)) = verdict {
                facts.push((service.object, field, value.to_owned()));
                sure = Some((s, likelihood));
                break;
            }
        }
        if sure.is_none() {
            if !service.balancer.is_empty() || matches!(service.scheme, Some((_, _, true))) {
                return None;
            }
            sure = Some(match service.scheme {
                Some((key, value, false)) => {
                    let field = format!(".metadata.annotations[{:?}]", self.text(key));
                    facts.push((service.object, field, self.text(value).to_owned()));
                    (Sure::Likely, 0.8)
                }
                // A class of its own may have a default of its own: AWS' controller's is internal.
                _ if service.has_class => (Sure::Possible, 0.3),
                _ => (Sure::Likely, 0.5),
            });
        }
        let (mut sure, mut likelihood) = sure?;
        let restricted = !service.source_ranges.is_empty()
            && !service.source_ranges.iter().any(|r| matches!(self.text(*r), "0.0.0.0/0" | "::/0"));
        if restricted {
            let public = |range: &Sym| {
                let address = self.text(*range).split('/').next().unwrap_or("");
                is_public(address) != Some(false)
            };
            if !service.source_ranges.iter().any(public) {
                return None;
            }
            let ranges: Vec<&str> = service.source_ranges.iter().map(|r| self.text(*r)).collect();
            let field = ".spec.loadBalancerSourceRanges".to_owned();
            facts.push((service.object, field, ranges.join(",")));
            (sure, likelihood) = (Sure::Possible, likelihood * 0.2);
        }
        Some((sure, likelihood, facts))
    }

    /// A node with a public address, or this one's: the object and the fact.
    pub(super) fn public_node(&self, only: Option<NodeIx>) -> Option<Said> {
        let nodes = match only {
            Some(node) => &self.nodes[node.index()..=node.index()],
            None => &self.nodes[..],
        };
        nodes.iter().find_map(|node| {
            let (i, (_, address)) =
                node.addresses.iter().enumerate().find(|(_, (kind, address))| {
                    matches!(self.text(*kind), "ExternalIP" | "InternalIP")
                        && is_public(self.text(*address)) == Some(true)
                })?;
            let field = format!(".status.addresses[{i}].address");
            Some((node.object, field, self.text(*address).to_owned()))
        })
    }

    fn host_ports(&self, ix: PodIx, entries: &mut Vec<Entry>) {
        let pod = &self.pods[ix.index()];
        let spec = &self.specs[pod.spec as usize];
        if !spec.containers.iter().any(|c| c.ports.iter().any(|p| p.host_port != 0))
            || !self.is_running(ix)
        {
            return;
        }
        let Some(node) = self.public_node(Some(pod.node)) else { return };
        for container in spec.containers.iter().filter(|c| c.keeps_running()) {
            for port in container.ports.iter().filter(|p| p.host_port != 0) {
                if self.text(port.host_ip).starts_with("127.") || self.text(port.host_ip) == "::1" {
                    continue;
                }
                let at = format!("{}.ports[{}]", container.field(), port.place);
                entries.push(Entry {
                    door: Door::HostPort(ix, port.host_port),
                    // A firewall between the internet and the node is not in the snapshot.
                    sure: Sure::Possible,
                    likelihood: 0.5,
                    facts: vec![(pod.object, at, port.host_port.to_string()), node.clone()],
                    backends: Vec::new(),
                    via: vec![Via::Client],
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (address, public) in [
            ("203.0.113.10", true),
            ("8.8.8.8", true),
            ("10.0.5.5", false),
            ("172.31.0.1", false),
            ("100.64.0.1", false),
            ("169.254.169.254", false),
            ("fd00::1", false),
            ("2001:db8::1", true),
        ] {
            assert_eq!(is_public(address), Some(public), "{address}");
        }
        assert_eq!(is_public("lb.example"), None);
    }

    #[test]
    fn annotations_of_providers() {
        assert_eq!(
            scheme("service.beta.kubernetes.io/azure-load-balancer-internal", "true"),
            Some(true)
        );
        assert_eq!(
            scheme("service.beta.kubernetes.io/azure-load-balancer-internal", "false"),
            None
        );
        assert_eq!(
            scheme("service.beta.kubernetes.io/aws-load-balancer-scheme", "internet-facing"),
            Some(false)
        );
        assert_eq!(scheme("example.com/other", "true"), None);
    }

    #[test]
    fn names_of_balancers() {
        assert_eq!(host_name_is_internal("internal-a1.eu-west-1.elb.amazonaws.com"), Some(true));
        assert_eq!(host_name_is_internal("a1.eu-west-1.elb.amazonaws.com"), Some(false));
        assert_eq!(host_name_is_internal("a1.elb.eu-west-1.amazonaws.com"), None);
    }
}
