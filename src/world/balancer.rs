//! What a load balancer's annotations, class, address and name say about who reaches it.
//!
//! Addresses decide before annotations, and annotations before a provider's default; a rule's host
//! name is never evidence in either direction.

use super::exposure::Scope;
use ipnet::IpNet;
use std::net::IpAddr;

/// What the maker of a load balancer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A balancer for the provider's own network.
    Internal,
    /// One that faces the internet.
    Facing,
    /// One controller would make it internal; another that may be meant does not read the word.
    Either,
}

const AWS: &str = "service.beta.kubernetes.io/aws-load-balancer-";

/// A word of a provider for an internal balancer, and the one for the other, if there is one.
struct Words {
    key: &'static str,
    internal: &'static str,
    facing: &'static str,
}

/// The annotations of providers whose values are words; they compare without case, but for those of
/// `EXACT`.
#[rustfmt::skip]
const WORDS: &[Words] = &[
    Words { key: "networking.gke.io/load-balancer-type", internal: "internal", facing: "external" },
    Words { key: "cloud.google.com/load-balancer-type", internal: "internal", facing: "external" },
    Words { key: "service.beta.kubernetes.io/azure-load-balancer-internal", internal: "true", facing: "" },
    Words { key: "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", internal: "private", facing: "public" },
    Words { key: "service.beta.kubernetes.io/openstack-internal-load-balancer", internal: "true", facing: "" },
    Words { key: "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type", internal: "intranet", facing: "internet" },
    Words { key: "service.beta.kubernetes.io/cce-load-balancer-internal-vpc", internal: "true", facing: "" },
    Words { key: "service.beta.kubernetes.io/oci-load-balancer-internal", internal: "true", facing: "" },
    Words { key: "service.beta.kubernetes.io/do-loadbalancer-network", internal: "internal", facing: "external" },
    Words { key: "service.beta.kubernetes.io/scw-loadbalancer-private", internal: "true", facing: "" },
    Words { key: "load-balancer.hetzner.cloud/disable-public-network", internal: "true", facing: "" },
];

/// Those whose controllers know one spelling: `requiresInternalLoadBalancer` of
/// cloud-provider-azure, and `getBoolFromServiceAnnotation` of cloud-provider-openstack.
const EXACT: &[&str] = &[
    "service.beta.kubernetes.io/azure-load-balancer-internal",
    "service.beta.kubernetes.io/openstack-internal-load-balancer",
];

/// Annotations that ask for addresses, before which `loadBalancerIP` comes.
const ADDRESSES: &[&str] = &[
    "metallb.io/loadBalancerIPs",
    "metallb.universe.tf/loadBalancerIPs",
    "lbipam.cilium.io/ips",
    "io.cilium/lb-ipam-ips",
    "kube-vip.io/loadbalancerIPs",
];

/// Of Tencent: the subnet that an internal balancer stands in.
const SUBNET: &str = "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid";

/// What annotations, which stand at a field, and the class of a Service ask for: the field, its
/// value, and what it means. The keys are those that the providers document.
pub(super) fn wanted<'m>(
    annotations: &[(&'m str, &'m str)],
    class: &'m str,
    at: &str,
) -> Option<(String, &'m str, Wanted)> {
    let field = |key: &str| format!("{at}[{key:?}]");
    let get = |key: &str| annotations.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
    let word = |w: &Words| {
        let value = get(w.key)?;
        let same = match EXACT.contains(&w.key) {
            true => value == w.internal,
            false => value.eq_ignore_ascii_case(w.internal),
        };
        if same {
            return Some((field(w.key), value, Wanted::Internal));
        }
        let facing = !w.facing.is_empty() && value.eq_ignore_ascii_case(w.facing);
        facing.then(|| (field(w.key), value, Wanted::Facing))
    };
    if let Some(found) = aws(&get, class, field) {
        return Some(found);
    }
    // Of Tailscale: its Services are for its own network.
    if class == "tailscale" {
        return Some((".spec.loadBalancerClass".to_owned(), class, Wanted::Internal));
    }
    let subnet = get(SUBNET).filter(|value| !value.is_empty());
    WORDS
        .iter()
        .find_map(word)
        .or_else(|| subnet.map(|value| (field(SUBNET), value, Wanted::Internal)))
}

/// Of AWS two controllers read annotations. The one in the cloud provider makes balancers that face
/// the internet unless `internal` says otherwise, and reads no `scheme`; the load balancer
/// controller, which takes Services by `type` or by class, makes internal ones unless told.
fn aws<'m>(
    get: &impl Fn(&str) -> Option<&'m str>,
    class: &'m str,
    field: impl Fn(&str) -> String,
) -> Option<(String, &'m str, Wanted)> {
    let key = |word: &str| format!("{AWS}{word}");
    let at = |word: &str, value: &'m str, wanted| Some((field(&key(word)), value, wanted));
    let kind = get(&key("type")).filter(|kind| matches!(*kind, "external" | "nlb-ip"));
    let of_controller = matches!(class, "service.k8s.aws/nlb" | "eks.amazonaws.com/nlb");
    let scheme = get(&key("scheme"));
    let internal = get(&key("internal")).filter(|value| !value.is_empty());
    if kind.is_none() && !of_controller {
        return match (internal, scheme) {
            // Any word but this one: once it was a block of addresses.
            (Some(value), _) if value != "false" => at("internal", value, Wanted::Internal),
            (_, Some(value @ "internal")) => at("scheme", value, Wanted::Either),
            (_, Some(value @ "internet-facing")) => at("scheme", value, Wanted::Facing),
            _ => None,
        };
    }
    match (scheme, internal) {
        (Some(value @ "internal"), _) => at("scheme", value, Wanted::Internal),
        (Some(value @ "internet-facing"), _) => at("scheme", value, Wanted::Facing),
        (None, Some(value @ "false")) => at("internal", value, Wanted::Facing),
        (None, Some(value)) => at("internal", value, Wanted::Internal),
        // Its default.
        _ => match kind {
            Some(kind) => at("type", kind, Wanted::Internal),
            None => Some((".spec.loadBalancerClass".to_owned(), class, Wanted::Internal)),
        },
    }
}

/// The address that annotations ask for, of several a public one: the field and the address.
pub(super) fn wanted_address<'m>(
    annotations: &[(&'m str, &'m str)],
    at: &str,
) -> Option<(String, &'m str)> {
    let asks = |key: &&str| {
        let (_, list) = annotations.iter().find(|(k, _)| k == key)?;
        let mut all = list.split(',').map(str::trim).filter(|one| is_public(one).is_some());
        let first = all.clone().next()?;
        let address = all.find(|one| is_public(one) == Some(true)).unwrap_or(first);
        Some((format!("{at}[{key:?}]"), address))
    };
    ADDRESSES.iter().find_map(asks)
}

/// Whether the balancer sends packets to pods and not to nodes, and if so whether these see the
/// client's address. AWS' controller keeps it for such targets only where an attribute says so.
pub(super) fn targets_pods(annotations: &[(&str, &str)]) -> Option<bool> {
    let get = |word: &str| {
        let key = format!("{AWS}{word}");
        annotations.iter().find(|(k, _)| *k == key).map(|(_, value)| *value)
    };
    if get("type") != Some("nlb-ip") && get("nlb-target-type") != Some("ip") {
        return None;
    }
    let attributes = get("target-group-attributes").unwrap_or("");
    Some(attributes.split(',').any(|a| a.trim() == "preserve_client_ip.enabled=true"))
}

/// Whether an address is reachable from the internet at all: not private, shared (RFC 6598),
/// link-local, loopback, of multicast or reserved. Blocks for documentation stand for public ones.
#[must_use]
pub fn is_public(address: &str) -> Option<bool> {
    Some(match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || a == 0
                || a == 100 && (64..128).contains(&b)
                || (a, b, c) == (192, 0, 0)
                || a == 198 && (18..20).contains(&b)
                || a >= 224)
        }
        // All that is given out.
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    })
}

/// Whether some address of a block may be public; `None` if it is no block.
#[must_use]
pub fn reaches_public(block: &str) -> Option<bool> {
    let block = match block.trim().parse::<IpNet>() {
        Ok(net) => net.trunc(),
        Err(_) => IpNet::from(block.trim().parse::<IpAddr>().ok()?),
    };
    Some(match block {
        // No block of this size lies between two that are not public, but above them all.
        IpNet::V4(net) if net.prefix_len() < 8 => net.network().octets()[0] < 224,
        IpNet::V4(net) => {
            let ends = [net.network(), net.broadcast()];
            ends.iter().any(|end| is_public(&end.to_string()) == Some(true))
        }
        IpNet::V6(net) => {
            let first = std::net::Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0);
            net.contains(&first) || is_public(&net.network().to_string()) == Some(true)
        }
    })
}

/// What a load balancer's host name says. AWS prefixes internal classic and application balancers;
/// a network balancer's name tells nothing. `localhost` stands in the status of clusters on a
/// desktop, names of the cluster's own DNS where a load balancer was never made, and those of a
/// network of Tailscale lead to its members alone.
pub(super) fn host_name_scope(host: &str) -> Option<Scope> {
    let of_the_cluster = host.ends_with(".svc") || host.ends_with(".cluster.local");
    let of_tailscale = host.ends_with(".ts.net");
    if host.starts_with("internal-") || host == "localhost" || of_the_cluster || of_tailscale {
        return Some(Scope::Private);
    }
    host.ends_with(".elb.amazonaws.com").then_some(Scope::Internet)
}

/// What an address or a host name, one of which is empty, says.
pub(super) fn assigned_scope(ip: &str, host: &str) -> Option<Scope> {
    match is_public(ip) {
        Some(true) => Some(Scope::Internet),
        Some(false) => Some(Scope::Private),
        None => host_name_scope(host),
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
            ("172.15.255.255", true),
            ("172.32.0.0", true),
            ("100.63.255.255", true),
            ("100.128.0.0", true),
            ("2001:db8::1", true),
            ("2a00::1", true),
            ("10.0.5.5", false),
            ("172.16.0.1", false),
            ("172.31.0.1", false),
            ("192.168.1.1", false),
            ("100.64.0.1", false),
            ("169.254.169.254", false),
            ("127.0.0.1", false),
            ("0.0.0.0", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("fd00::1", false),
            ("fc00::1", false),
            ("fe80::1", false),
            ("::1", false),
            ("::", false),
        ] {
            assert_eq!(is_public(address), Some(public), "{address}");
        }
        assert_eq!(is_public("lb.example"), None);
    }

    #[test]
    fn blocks() {
        for (block, public) in [
            ("0.0.0.0/0", Some(true)),
            ("0.0.0.0/1", Some(true)),
            ("128.0.0.0/1", Some(true)),
            ("10.0.0.0/7", Some(true)),
            ("10.0.0.0/8", Some(false)),
            ("172.16.0.0/12", Some(false)),
            ("172.16.0.0/11", Some(true)),
            ("192.168.0.0/15", Some(true)),
            ("100.64.0.0/10", Some(false)),
            ("203.0.113.7", Some(true)),
            ("10.1.2.3/8", Some(false)),
            ("::/0", Some(true)),
            ("fd00::/8", Some(false)),
            ("2a00::/16", Some(true)),
            ("1000::/3", Some(false)),
            ("240.0.0.0/4", Some(false)),
            ("198.0.0.0/8", Some(true)),
            ("office", None),
        ] {
            assert_eq!(reaches_public(block), public, "{block}");
        }
    }

    #[test]
    fn names_of_balancers() {
        for (host, scope) in [
            ("internal-a1.eu-west-1.elb.amazonaws.com", Some(Scope::Private)),
            ("a1.eu-west-1.elb.amazonaws.com", Some(Scope::Internet)),
            ("a1.elb.eu-west-1.amazonaws.com", None),
            ("localhost", Some(Scope::Private)),
            ("web.shop.svc.cluster.local", Some(Scope::Private)),
            ("web.tail1234.ts.net", Some(Scope::Private)),
            ("lb.example", None),
        ] {
            assert_eq!(host_name_scope(host), scope, "{host}");
        }
    }
}
