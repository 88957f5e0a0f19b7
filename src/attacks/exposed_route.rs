//! Routes as doors, those of Gateway API, OpenShift and Istio: what `exposure` says of them. Which are
//! served is decided in `world::gateway`, `world::routers` and `world::istio`.

use crate::graph::Odds;

crate::attack! {
    /// The internet reaches the backends of a route of Gateway API through its Gateway.
    ///
    /// ## Needs
    /// An HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute whose `parentRefs` name a Gateway
    /// that takes it: a listener of that name and port, whose protocol carries that kind of route,
    /// whose `allowedRoutes` let in the kind and the namespace (its own alone, unless it says
    /// otherwise), and whose host name meets one of the route's. The Gateway has a public address:
    /// its status tells, or the Service of the implementation. A backend in another namespace needs
    /// a ReferenceGrant there. A host name says nothing about who may connect.
    ///
    /// It is certain where the status of the route says that the implementation took it and the
    /// assigned address is public. A route without such a status is likely if the Gateway shows an
    /// implementation at work, and possible if it does not.
    /// ## Abuse
    /// `curl --resolve HOST:443:ADDRESS https://HOST/PATH`; `grpcurl` for a GRPCRoute; any client
    /// of the protocol for the others. Requests that a filter mirrors arrive at the mirror too,
    /// without an answer.
    /// ## Stopped by
    /// An internal Gateway; source ranges at its Service; authentication at the Gateway, which is
    /// not judged here.
    /// ## Fix
    /// Narrow the listener's `allowedRoutes`, remove the route's parent, or set the backend's
    /// weight to 0; move the route to a Gateway that is internal.
    /// ## Detect
    /// The implementation's access logs; audit events that create or change Gateways, routes and
    /// ReferenceGrants.
    /// ## References
    /// - <https://gateway-api.sigs.k8s.io/reference/spec/>
    /// - <https://gateway-api.sigs.k8s.io/api-types/referencegrant/>
    pub(super) static EXPOSED_ROUTE = {
        id: "exposed-route", title: "Reach a route of Gateway API from the internet",
        mitre: &["T1190"], odds: Odds::certain(1.0),
    }
}

crate::attack! {
    /// The internet reaches the backends of a Route of OpenShift through a router.
    ///
    /// ## Needs
    /// A Route whose `to` or `alternateBackends` name a Service with a weight other than 0, that a
    /// router has not refused, and a router that is exposed: its Service `router-NAME` in
    /// `openshift-ingress`, or its pods on the network of machines. A Route that a router has
    /// admitted, at a public address, is certain; one without a status is possible. Where routers
    /// run on machines without a public address, it is unknown what leads there.
    /// ## Abuse
    /// `curl -H 'Host: HOST' https://ADDRESS/PATH`
    /// ## Stopped by
    /// A router with the scope `Internal`, or that publishes nothing (`Private`).
    /// ## Fix
    /// Delete the Route, or give it the labels of a router that is internal.
    /// ## Detect
    /// The router's access logs; audit events that create or change Routes.
    /// ## References
    /// - <https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/networking/configuring-routes>
    /// - <https://github.com/openshift/api/blob/master/route/v1/types.go>
    pub(super) static EXPOSED_OPENSHIFT_ROUTE = {
        id: "exposed-openshift-route", title: "Reach a Route of OpenShift from the internet",
        mitre: &["T1190"], odds: Odds::certain(1.0),
    }
}

crate::attack! {
    /// The internet reaches the destinations of a VirtualService through Istio's gateways.
    ///
    /// ## Needs
    /// A VirtualService whose `gateways` name a Gateway of Istio, whose `hosts` meet those of one of
    /// its servers (which may be for some namespaces alone), and that is exported to the namespace
    /// of the proxies; a route of the form that the server speaks; proxies that the Gateway's
    /// `selector` selects, in any namespace, behind a Service that is exposed and has the server's
    /// port. A VirtualService of the mesh alone is no door. It is likely at best: no status says
    /// that the proxies have it. Where the snapshot holds no such proxy, it is unknown.
    /// ## Abuse
    /// `curl -H 'Host: HOST' http://ADDRESS/PATH`; requests that are mirrored arrive at the mirror
    /// too, without an answer.
    /// ## Stopped by
    /// A balancer of the proxies that is internal; an AuthorizationPolicy or RequestAuthentication,
    /// which are not judged here.
    /// ## Fix
    /// Take the Gateway out of `gateways`, narrow the server's `hosts` to the namespaces that are
    /// meant, or write an AuthorizationPolicy.
    /// ## Detect
    /// The access logs of the gateway's proxies; audit events that create or change
    /// VirtualServices and Gateways.
    /// ## References
    /// - <https://istio.io/latest/docs/reference/config/networking/virtual-service/>
    /// - <https://istio.io/latest/docs/reference/config/networking/gateway/>
    pub(super) static EXPOSED_VIRTUAL_SERVICE = {
        id: "exposed-virtual-service", title: "Reach a VirtualService from the internet",
        mitre: &["T1190"], odds: Odds::certain(1.0),
    }
}
