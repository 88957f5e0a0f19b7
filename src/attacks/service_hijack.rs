//! Taking the place of a Service: whoever rewrites where it leads receives its clients' requests.
//!
//! That gives no identity by itself: clients of the API check the server's certificate, and what
//! others send is not in a snapshot. So these steps are shown where they lead on: to Services that
//! the API server asks about writes (`webhook_hijack`).

use super::impersonation::cluster;
use super::pod_api::set_of;
use super::pod_update::{PATCH, patchable};
use super::sets::SET_MEMBER;
use super::together::allows_everything;
use super::workloads::creators;
use crate::graph::{Attack, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::{Service, ServiceIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Leads a Service to a pod of one's own, which then receives what its clients send.
    ///
    /// ## Needs
    /// `update` or `patch` on the Service, or making a pod in its namespace with the labels that it
    /// selects. Shown for Services that answer admission webhooks and whose clients can be met:
    /// what other clients send, and whether they check a certificate, is not in a snapshot.
    /// ## Abuse
    /// `kubectl patch service NAME -p '{"spec":{"selector":{"app":"mine"}}}'`, or
    /// `{"spec":{"type":"ExternalName","externalName":"HOST"}}`, which the API server follows too;
    /// or `kubectl run x --labels=app=NAME` with a program on the Service's target port.
    /// ## Stopped by
    /// TLS: a client that checks the certificate needs the Service's key. `resourceNames` without
    /// the Service's name.
    /// ## Fix
    /// Keep webhooks in namespaces where nobody else writes Services or makes pods.
    /// ## Detect
    /// Audit events with verb `update` or `patch` on `services` that change `spec.selector` or
    /// `spec.type`; endpoints that are not of the workload.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors>
    /// - kubernetes apiserver `pkg/util/webhook/serviceresolver.go`, kube-aggregator
    ///   `pkg/apiserver/resolvers.go`: `ExternalName`
    pub(super) static SERVICE_SELECTOR_HIJACK = {
        id: "service-selector-hijack", title: "Lead a Service to one's own pod",
        mitre: &["T1557"], odds: Odds::certain(0.9),
    }
}

crate::attack! {
    /// Adds an address of one's own to what a Service leads to.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `endpointslices` of the Service's namespace, or, of a
    /// Service without a selector, on its `endpoints`. Neither is in `edit` and `admin` since 1.22;
    /// clusters that were upgraded may still have them there. Shown for Services that answer
    /// admission webhooks.
    /// ## Abuse
    /// Create an EndpointSlice with the label `kubernetes.io/service-name: NAME` and the address of
    /// a pod of one's own, in any namespace.
    /// ## Stopped by
    /// TLS, as for `service-selector-hijack`. Loopback and link-local addresses are refused. The
    /// controller puts its own slices back, not those of others; Endpoints of a Service with a
    /// selector are put back too.
    /// ## Fix
    /// Remove the write verbs on `endpointslices` and `endpoints` from roles for people.
    /// ## Detect
    /// EndpointSlices whose label `endpointslice.kubernetes.io/managed-by` is not the controller's.
    /// ## References
    /// - <https://github.com/kubernetes/kubernetes/issues/103675> (CVE-2021-25740)
    /// - <https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/>
    pub(super) static ENDPOINT_SLICE_HIJACK = {
        id: "endpoint-slice-hijack", title: "Add an endpoint to a Service",
        mitre: &["T1557"], odds: Odds::certain(0.9),
    }
}

crate::attack! {
    /// Takes over an address by naming it among the external addresses of a Service of one's own.
    ///
    /// ## Needs
    /// `create` on `services` in any namespace, or `update` or `patch` on one. Every node then sends
    /// packets for that address and port to the Service's endpoints; by design, in every version.
    /// Shown where the address is that of a pod which answers an admission webhook.
    /// ## Abuse
    /// Create a Service with `externalIPs: [ADDRESS]` and the port of the one that is meant.
    /// ## Stopped by
    /// The admission plugin `DenyServiceExternalIPs`, or a policy. Network plugins that replace
    /// kube-proxy may ignore external addresses. A control plane that does not use the nodes'
    /// rules. TLS, as for `service-selector-hijack`.
    /// ## Fix
    /// Switch on `DenyServiceExternalIPs`.
    /// ## Detect
    /// Audit events on `services` whose request sets `spec.externalIPs`.
    /// ## References
    /// - <https://github.com/kubernetes/kubernetes/issues/97076> (CVE-2020-8554)
    /// - executed on kube-apiserver 1.36: `externalIPs` are accepted by a patch
    pub(super) static SERVICE_EXTERNAL_IP_HIJACK = {
        id: "service-external-ip-hijack", title: "Claim an address as external",
        mitre: &["T1557"], odds: Odds::possible(0.3),
    }
}

crate::attack! {
    /// Takes over an address by writing it into the status of a load balancer.
    ///
    /// ## Needs
    /// `update` or `patch` on `services/status` where a Service of type `LoadBalancer` is. The
    /// plugin `DenyServiceExternalIPs` does not look at the status.
    /// ## Abuse
    /// `kubectl patch service NAME --subresource=status -p
    /// '{"status":{"loadBalancer":{"ingress":[{"ip":"ADDRESS"}]}}}'`.
    /// ## Stopped by
    /// The API server refuses this status on any other type (422). The controller of the load
    /// balancer may put it back. TLS, as for `service-selector-hijack`.
    /// ## Fix
    /// Leave `services/status` to the cloud's controller.
    /// ## Detect
    /// Audit events on `services/status` from others than the cloud's controller.
    /// ## References
    /// - <https://github.com/kubernetes/kubernetes/issues/97076> (CVE-2020-8554)
    /// - Palo Alto Networks, rbac-police policy `modify_service_status_cve_2020_8554`
    /// - executed on kube-apiserver 1.36: 422 on a ClusterIP Service, accepted on a LoadBalancer
    pub(super) static SERVICE_STATUS_LB_IP_HIJACK = {
        id: "service-status-lb-ip-hijack", title: "Claim an address by a status",
        mitre: &["T1557"], odds: Odds::possible(0.3),
    }
}

crate::attack! {
    /// Gives a pod that one rules the labels that a Service selects, and so receives what the
    /// Service's clients send.
    ///
    /// ## Needs
    /// `update` or `patch` on `pods` in the Service's namespace: the same right puts a program of
    /// one's own into a running pod by its image. Shown, as `service-selector-hijack`, for Services
    /// that answer admission webhooks.
    /// ## Abuse
    /// `kubectl patch pod POD -p '{"metadata":{"labels":{"app":"NAME"}},"spec":{"containers":
    /// [{"name":"C","image":"IMAGE"}]}}'`; the ReplicaSet that loses the pod makes another.
    /// ## Stopped by
    /// TLS, as for `service-selector-hijack`. `resourceNames` limit it to those pods. Static pods'
    /// mirrors take no program. `pods/status` moves labels too, but no program: on its own it gives
    /// nothing, and what else one rules in the namespace is not put together with it.
    /// ## Fix
    /// Remove `patch` and `update` on `pods` from roles for people.
    /// ## Detect
    /// Audit events with verb `patch` or `update` on `pods` that change `metadata.labels`, by
    /// others than controllers.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/services-networking/service/>
    /// - kubernetes `pkg/controller/endpointslice`: a pod's labels alone make it an endpoint
    pub(super) static POD_RELABEL = {
        id: "pod-relabel", title: "Put an existing pod behind a Service",
        mitre: &["T1557"], odds: Odds::certain(0.85),
    }
}

/// What clients send to one Service; the Service is told by the number.
static TRAFFIC: SetKind = SetKind { id: "service-traffic", noun: "requests to a Service" };
static REDIRECT: SetKind = SetKind { id: "service-writes", noun: "rights to redirect Services" };
static SLICES: SetKind = SetKind { id: "endpoint-writes", noun: "rights to add endpoints" };
static BEHIND: SetKind = SetKind { id: "service-pods", noun: "pods to put behind Services" };
static RELABELLED: SetKind =
    SetKind { id: "relabelled-pods", noun: "pods to relabel into Services" };
static CLAIMED: SetKind = SetKind { id: "claimed-addresses", noun: "addresses to claim" };

/// The set of what is sent to a Service.
pub(super) fn traffic(world: &World, service: ServiceIx) -> Thing<'static> {
    let ns = world.services[service.index()].ns;
    let of = u32::try_from(service.index() + 1).unwrap_or(u32::MAX);
    Thing::Set(SetKey { kind: &TRAFFIC, ns, of })
}

/// A way of redirecting: who holds one of the rights on what bears a Service's name.
struct Way {
    set: &'static SetKind,
    attack: &'static Attack,
    rights: &'static [Permission],
    /// Whether it works on a Service.
    works: fn(&Service) -> bool,
    /// Whether an object of a name is one that leads the Service.
    means: fn(slices: &Slices, world: &World, object: Sym, service: ServiceIx) -> bool,
}

const SLICE: &str = "discovery.k8s.io";

static WAYS: &[Way] = &[
    Way {
        set: &REDIRECT,
        attack: &SERVICE_SELECTOR_HIJACK,
        rights: &[
            Permission::namespaced("update", "", "services"),
            Permission::namespaced("patch", "", "services"),
        ],
        works: |_| true,
        means: is_named,
    },
    Way {
        set: &SLICES,
        attack: &ENDPOINT_SLICE_HIJACK,
        rights: &[
            Permission::namespaced("create", SLICE, "endpointslices"),
            Permission::namespaced("update", SLICE, "endpointslices"),
            Permission::namespaced("patch", SLICE, "endpointslices"),
        ],
        works: |_| true,
        means: is_slice,
    },
    Way {
        set: &SLICES,
        attack: &ENDPOINT_SLICE_HIJACK,
        rights: &[
            Permission::namespaced("create", "", "endpoints"),
            Permission::namespaced("update", "", "endpoints"),
            Permission::namespaced("patch", "", "endpoints"),
        ],
        works: |service| service.selector.is_none(),
        means: is_named,
    },
];

/// Namespaces and names of the EndpointSlices that are not the controller's.
type Slices = BTreeSet<(Sym, Sym)>;

fn is_named(_: &Slices, world: &World, object: Sym, service: ServiceIx) -> bool {
    row(world, service).name == object
}

/// The controller names slices after their Service, with five letters more. Those that others made
/// are called anything, and may be given another Service's label.
fn is_slice(slices: &Slices, world: &World, object: Sym, service: ServiceIx) -> bool {
    let of = row(world, service);
    let rest = world.text(object).strip_prefix(world.text(of.name));
    rest.is_some_and(|rest| rest.starts_with('-')) || slices.contains(&(of.ns, object))
}

/// Leads whoever can take the place of some Services to what is sent to them. Returns those that
/// anyone can; the Services are in order.
pub(super) fn redirect(
    world: &World,
    sink: &mut Sink<'_>,
    services: &[ServiceIx],
) -> BTreeSet<ServiceIx> {
    let mut fed = BTreeSet::new();
    let slices = world.slices.iter().map(|slice| &world.objects[slice.object.index()]);
    let slices = slices.filter(|o| world.text(o.kind) == "EndpointSlice");
    let slices: Slices = slices.map(|o| (o.ns, o.name)).collect();
    for way in WAYS {
        let of: Vec<ServiceIx> =
            services.iter().copied().filter(|s| (way.works)(row(world, *s))).collect();
        let means = |names: &[Sym], service: ServiceIx| {
            names.iter().any(|name| (way.means)(&slices, world, *name, service))
        };
        let grants = useful(world, way.rights);
        lead(world, sink, (way.set, way.attack), &of, &grants, means, &mut fed);
    }
    behind(world, sink, services, &mut fed);
    relabel(world, sink, services, &mut fed);
    claim(world, sink, services, &mut fed);
    fed
}

fn row(world: &World, service: ServiceIx) -> &Service {
    &world.services[service.index()]
}

/// The grants that are worth an edge: whoever may do everything in the whole cluster needs none.
pub(super) fn useful<'w>(world: &'w World, rights: &[Permission]) -> Vec<Grant<'w>> {
    let mut grants = world.grants_any(rights);
    grants.retain(|g| g.scope != Scope::Cluster || !allows_everything(world, g));
    grants
}

/// Leads some grants to the Services that they redirect: `means` tells which ones the names of a
/// grant mean.
fn lead(
    world: &World,
    sink: &mut Sink<'_>,
    (set, attack): (&'static SetKind, &'static Attack),
    services: &[ServiceIx],
    grants: &[Grant<'_>],
    means: impl Fn(&[Sym], ServiceIx) -> bool,
    fed: &mut BTreeSet<ServiceIx>,
) {
    let mut scopes = BTreeSet::new();
    for grant in grants {
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(grant);
        let within = services.iter().filter(|s| grant.scope.covers(row(world, **s).ns));
        match grant.names {
            Names::All if within.clone().next().is_some() => {
                scopes.insert(grant.scope);
                sink.edge(from, set_of(set, grant.scope), attack, &facts);
            }
            Names::All => {}
            Names::Only(names) => {
                for service in within.filter(|service| means(names, **service)) {
                    sink.edge(from, traffic(world, *service), attack, &facts);
                    fed.insert(*service);
                }
            }
        }
    }
    join(world, sink, set, &scopes, services, fed);
}

/// Leads the sets of some scopes to the Services in them.
fn join(
    world: &World,
    sink: &mut Sink<'_>,
    set: &'static SetKind,
    scopes: &BTreeSet<Scope>,
    services: &[ServiceIx],
    fed: &mut BTreeSet<ServiceIx>,
) {
    for service in services {
        let of = row(world, *service);
        for scope in [Scope::Cluster, Scope::Namespace(of.ns)] {
            if scopes.contains(&scope) {
                let fact = sink.fact(of.object, ".metadata.name", world.text(of.name));
                sink.edge(set_of(set, scope), traffic(world, *service), &SET_MEMBER, &[fact]);
                fed.insert(*service);
            }
        }
    }
}

/// A pod of one's own with the labels that a Service selects.
fn behind(
    world: &World,
    sink: &mut Sink<'_>,
    services: &[ServiceIx],
    fed: &mut BTreeSet<ServiceIx>,
) {
    let of: Vec<ServiceIx> =
        services.iter().copied().filter(|s| row(world, *s).selector.is_some()).collect();
    let mut scopes = BTreeSet::new();
    for maker in creators(world, sink) {
        if of.iter().any(|s| maker.scope.covers(row(world, *s).ns)) {
            scopes.insert(maker.scope);
            let to = set_of(&BEHIND, maker.scope);
            sink.edge(maker.from, to, &SERVICE_SELECTOR_HIJACK, &maker.facts);
        }
    }
    join(world, sink, &BEHIND, &scopes, &of, fed);
}

/// A pod that is there and takes a program, given the labels that a Service selects.
fn relabel(
    world: &World,
    sink: &mut Sink<'_>,
    services: &[ServiceIx],
    fed: &mut BTreeSet<ServiceIx>,
) {
    let grants = useful(world, PATCH);
    if grants.is_empty() {
        return;
    }
    let mut pods: BTreeMap<Sym, Vec<Sym>> = BTreeMap::new();
    let of: Vec<ServiceIx> = services
        .iter()
        .copied()
        .filter(|s| {
            let of = row(world, *s);
            let there = pods.entry(of.ns).or_insert_with(|| patchable(world, of.ns));
            of.selector.is_some() && !there.is_empty()
        })
        .collect();
    let means = |names: &[Sym], service: ServiceIx| {
        let there = &pods[&row(world, service).ns];
        names.iter().any(|name| there.contains(name))
    };
    lead(world, sink, (&RELABELLED, &POD_RELABEL), &of, &grants, means, fed);
}

/// Addresses that any Service of the cluster may claim.
fn claim(
    world: &World,
    sink: &mut Sink<'_>,
    services: &[ServiceIx],
    fed: &mut BTreeSet<ServiceIx>,
) {
    let right = |verb, resource| Permission::namespaced(verb, "", resource);
    let create = useful(world, &[right("create", "services")]);
    let mut change = useful(world, &[right("update", "services"), right("patch", "services")]);
    // The same rule lets them make a Service: the edge is there already.
    let known: BTreeSet<_> = create.iter().map(|g| (g.binding, g.rule)).collect();
    change.retain(|g| !known.contains(&(g.binding, g.rule)));
    let status =
        useful(world, &[right("update", "services/status"), right("patch", "services/status")]);
    let mut some = false;
    for (attack, grants, needs) in [
        (&SERVICE_EXTERNAL_IP_HIJACK, create, None),
        (&SERVICE_EXTERNAL_IP_HIJACK, change, Some("")),
        (&SERVICE_STATUS_LB_IP_HIJACK, status, Some("LoadBalancer")),
    ] {
        for grant in grants {
            let mut facts: Vec<Fact> = sink.grant(&grant).to_vec();
            if let Some(kind) = needs {
                let within = match grant.scope {
                    Scope::Cluster => &world.services[..],
                    Scope::Namespace(ns) => {
                        let start = world.services.partition_point(|s| s.ns < ns);
                        let end = world.services.partition_point(|s| s.ns <= ns);
                        &world.services[start..end]
                    }
                };
                let there = within.iter().find(|s| {
                    grant.names.covers(s.name) && (kind.is_empty() || world.text(s.kind) == kind)
                });
                let Some(there) = there else { continue };
                facts.push(sink.fact(there.object, ".spec.type", world.text(there.kind)));
            }
            some = true;
            let from = Thing::Binding(grant.binding);
            sink.edge(from, cluster(&CLAIMED), attack, &facts);
        }
    }
    if some {
        let scopes = BTreeSet::from([Scope::Cluster]);
        join(world, sink, &CLAIMED, &scopes, services, fed);
    }
}
