//! Doors of kinds that are not read: what they let in from outside is not shown, and is said so.

use super::World;

/// Kinds that lead traffic from outside to Services, by their group.
const KINDS: &[(&str, &[&str])] = &[
    // Traefik
    ("traefik.io", &["IngressRoute", "IngressRouteTCP", "IngressRouteUDP"]),
    ("traefik.containo.us", &["IngressRoute", "IngressRouteTCP", "IngressRouteUDP"]),
    // Contour
    ("projectcontour.io", &["HTTPProxy"]),
    ("contour.heptio.com", &["IngressRoute"]),
    // Knative
    ("serving.knative.dev", &["DomainMapping", "Route", "Service"]),
    // NGINX Inc.
    ("k8s.nginx.org", &["TransportServer", "VirtualServer", "VirtualServerRoute"]),
    // Emissary and Ambassador
    ("getambassador.io", &["Mapping", "TCPMapping"]),
    ("x.getambassador.io", &["AmbassadorMapping", "AmbassadorTCPMapping"]),
    // Kong
    ("configuration.konghq.com", &["TCPIngress", "UDPIngress"]),
    // AWS, and EKS in its automatic mode
    ("elbv2.k8s.aws", &["TargetGroupBinding"]),
    ("eks.amazonaws.com", &["TargetGroupBinding"]),
    // GKE
    ("networking.gke.io", &["MultiClusterIngress", "MultiClusterService"]),
    // Gateway API's experiments
    ("gateway.networking.x-k8s.io", &["XListenerSet"]),
    // APISIX
    ("apisix.apache.org", &["ApisixRoute"]),
    // Skipper
    ("zalando.org", &["RouteGroup"]),
    // Gloo
    ("gateway.solo.io", &["RouteTable", "VirtualService"]),
    // HAProxy
    ("ingress.v1.haproxy.org", &["TCP"]),
    ("ingress.v3.haproxy.org", &["TCP"]),
    // F5
    ("cis.f5.com", &["IngressLink", "TransportServer", "VirtualServer"]),
    // ngrok and Cloudflare
    ("ngrok.k8s.ngrok.com", &["AgentEndpoint", "CloudEndpoint"]),
    ("networking.cfargotunnel.com", &["TunnelBinding"]),
    // Meshes
    ("consul.hashicorp.com", &["IngressGateway"]),
    ("kuma.io", &["MeshGatewayRoute"]),
    // Voyager
    ("voyager.appscode.com", &["Ingress"]),
];

/// As many kinds are named as one wants to read.
const NAMED: usize = 4;

impl World {
    /// What coverage says of doors of kinds that are not read; `None` if there are none.
    pub(super) fn routes_unread(&self) -> Option<String> {
        let of_kind = |group: &str, kind: &str| {
            // The table is sorted by group and kind.
            self.seen.get(&(group.to_owned(), kind.to_owned())).copied().unwrap_or(0)
        };
        let mut named: Vec<String> = Vec::new();
        let mut all = 0_u64;
        for (group, kinds) in KINDS {
            for kind in *kinds {
                let count = of_kind(group, kind);
                if count > 0 {
                    all += count;
                    named.push(format!("{count} {kind}.{group}"));
                }
            }
        }
        let more = named.len().saturating_sub(NAMED);
        named.truncate(NAMED);
        let mut list = named.join(", ");
        if more > 0 {
            let kinds = if more == 1 { "kind" } else { "kinds" };
            list = format!("{list} and {more} more {kinds}");
        }
        let them = if all == 1 { "it lets" } else { "they let" };
        (all > 0).then(|| {
            format!("{list}: such routes and bindings are not evaluated, and what {them} in is not shown")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(seen: &[(&str, &str, u64)]) -> Option<String> {
        let mut world = World::new(Vec::new(), std::collections::BTreeMap::new());
        for (group, kind, count) in seen {
            world.seen.insert(((*group).to_owned(), (*kind).to_owned()), *count);
        }
        world.routes_unread()
    }

    #[test]
    fn kinds_that_are_read_or_are_no_doors_are_not_named() {
        let read = [
            ("", "Service", 3),
            ("networking.k8s.io", "Ingress", 1),
            ("networking.istio.io", "VirtualService", 1),
            ("networking.istio.io", "ServiceEntry", 1),
            ("gateway.networking.k8s.io", "HTTPRoute", 1),
            ("route.openshift.io", "Route", 1),
        ];
        assert_eq!(said(&read), None);
    }

    #[test]
    fn each_kind_is_named_with_its_count() {
        let text = said(&[
            ("serving.knative.dev", "Service", 2),
            ("elbv2.k8s.aws", "TargetGroupBinding", 1),
        ]);
        let text = text.unwrap();
        assert!(
            text.starts_with("2 Service.serving.knative.dev, 1 TargetGroupBinding.elbv2.k8s.aws: "),
            "{text}"
        );
        assert_eq!(said(&[("elbv2.k8s.aws", "TargetGroupBinding", 0)]), None);
    }

    #[test]
    fn of_many_kinds_the_first_are_named() {
        let all: Vec<_> =
            KINDS.iter().take(6).map(|(group, kinds)| (*group, kinds[0], 1)).collect();
        assert!(said(&all).unwrap().contains(" and 2 more kinds: "));
    }
}
