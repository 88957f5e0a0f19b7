//! The API server as a proxy into the cluster's network: its way to pods and Services is open to
//! whoever may use the proxy subresources, wherever they stand.

use super::Family;
use super::pod_api::{named, set_of};
use super::sets::{PODS, SET_MEMBER};
use crate::graph::{Attack, Confidence, Fact, Odds, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::endpoints::By;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::{ServiceIx, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Sends HTTP requests to a pod through the API server.
    ///
    /// This is reach, not control: it leads on only where something that listens there can be
    /// taken over.
    ///
    /// ## Needs
    /// A verb on `pods/proxy` (`get` for GET, `create` for POST, and so on) and a running pod that
    /// speaks HTTP on a port of its address.
    /// ## Abuse
    /// `kubectl get --raw /api/v1/namespaces/NAMESPACE/pods/POD:8080/proxy/PATH`.
    /// ## Stopped by
    /// `resourceNames`, which are compared with the whole of `POD`, `POD:PORT` or
    /// `https:POD:PORT`. Network policies of plug-ins that hold for the API server too. What
    /// listens on the loopback address alone is not reached.
    /// ## Fix
    /// Remove `pods/proxy` from the role; authenticate in what listens.
    /// ## Detect
    /// Audit events with `objectRef.resource=pods` and `objectRef.subresource=proxy`.
    /// ## References
    /// - <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/>
    /// - executed on kube-apiserver 1.36: names are compared literally
    pub(super) static POD_PROXY = {
        id: "pod-proxy", title: "Send requests to a pod", mitre: &["T1090"],
        odds: Odds::possible(0.08),
    }
}

crate::attack! {
    /// Sends HTTP requests to what is behind a Service through the API server.
    ///
    /// This is reach, not control: it leads on only where something that listens there can be
    /// taken over.
    ///
    /// ## Needs
    /// A verb on `services/proxy`, which the built-in roles `admin` and `edit` have, and a Service
    /// with running pods that speak HTTP.
    /// ## Abuse
    /// `kubectl get --raw /api/v1/namespaces/NAMESPACE/services/SERVICE:PORT/proxy/PATH`.
    /// ## Stopped by
    /// `resourceNames`, which are compared with the whole of `SERVICE`, `SERVICE:PORT` or
    /// `https:SERVICE:PORT`. Network policies of plug-ins that hold for the API server too. A
    /// Service without a selector has no pods.
    /// ## Fix
    /// Remove `services/proxy` from the role; authenticate in what listens.
    /// ## Detect
    /// Audit events with `objectRef.resource=services` and `objectRef.subresource=proxy`.
    /// ## References
    /// - <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/>
    /// - kubernetes `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata/cluster-roles.yaml`
    /// - executed on kube-apiserver 1.36: names are compared literally
    pub(super) static SERVICE_PROXY = {
        id: "service-proxy", title: "Send requests to a Service", mitre: &["T1090"],
        odds: Odds::possible(0.08),
    }
}

/// The API server's proxies.
pub(super) static FAMILY: Family =
    Family { name: "B The API server as a proxy", attacks: &[&POD_PROXY, &SERVICE_PROXY], find };

/// Containers that Services lead to.
static BACKENDS: SetKind = SetKind { id: "backends", noun: "containers behind Services" };

fn find(world: &World, sink: &mut Sink<'_>) {
    for grant in world.grants_any(&any_verb("pods/proxy")) {
        let facts = sink.grant(&grant);
        let from = Thing::Binding(grant.binding);
        match grant.names {
            Names::All => sink.edge(from, set_of(&PODS, grant.scope), &POD_PROXY, &facts),
            Names::Only(names) => {
                let pod = |ns, name| world.pod(ns, target(world, name)?);
                for pod in named(world, grant.scope, names, pod) {
                    if world.is_running(pod) {
                        sink.edge(from, Thing::Pod(pod), &POD_PROXY, &facts);
                    }
                }
            }
        }
    }
    let mut scopes = BTreeSet::new();
    for grant in world.grants_any(&any_verb("services/proxy")) {
        let facts = sink.grant(&grant).to_vec();
        let from = Thing::Binding(grant.binding);
        match grant.names {
            Names::All => {
                scopes.insert(grant.scope);
                sink.edge(from, set_of(&BACKENDS, grant.scope), &SERVICE_PROXY, &facts);
            }
            Names::Only(names) => {
                let service = |ns, name| world.service(ns, target(world, name)?);
                for service in named(world, grant.scope, names, service) {
                    backends(world, sink, from, &SERVICE_PROXY, service, &facts);
                }
            }
        }
    }
    members(world, sink, &scopes);
}

/// A request's verb follows from its HTTP method.
pub(super) fn any_verb(resource: &'static str) -> [Permission; 5] {
    ["get", "create", "update", "patch", "delete"]
        .map(|verb| Permission::namespaced(verb, "", resource))
}

/// The object that a name of a proxy request means: `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`.
fn target(world: &World, name: Sym) -> Option<Sym> {
    let text = world.text(name);
    let mut parts = text.split(':');
    let object = match text.matches(':').count() {
        0 | 1 => parts.next(),
        _ => parts.nth(1),
    };
    world.symbols.get(object?)
}

/// Fills the sets of what is behind the Services of some scopes.
fn members(world: &World, sink: &mut Sink<'_>, scopes: &BTreeSet<Scope>) {
    let cluster = scopes.contains(&Scope::Cluster);
    let mut joined = BTreeSet::new();
    for (i, service) in world.services.iter().enumerate() {
        let scope = Scope::Namespace(service.ns);
        if !cluster && !scopes.contains(&scope) {
            continue;
        }
        let set = set_of(&BACKENDS, scope);
        backends(world, sink, set, &SET_MEMBER, ServiceIx::new(i), &[]);
        if cluster && joined.insert(service.ns) {
            let fact = sink.fact(service.object, ".metadata.namespace", world.text(service.ns));
            sink.edge(set_of(&BACKENDS, Scope::Cluster), set, &SET_MEMBER, &[fact]);
        }
    }
}

/// Leads to the containers that may listen behind a Service.
fn backends(
    world: &World,
    sink: &mut Sink<'_>,
    from: Thing<'_>,
    attack: &'static Attack,
    service: ServiceIx,
    facts: &[Fact],
) {
    let of = &world.services[service.index()];
    for port in 0..of.ports.len() {
        let mut selected = None;
        for end in world.endpoints(service, port) {
            if !world.is_proxied(&end) {
                continue;
            }
            // Which of several containers listens is not said.
            let several = !end.declared && end.containers.len() > 1;
            let odds =
                if several { attack.odds.but(0.5, Confidence::Possible) } else { attack.odds };
            let leads = match selected.filter(|_| end.by == By::Selector) {
                Some(known) => known,
                None => {
                    let [(object, field, value), _] = world.endpoint_facts(service, port, &end);
                    sink.fact(object, &field, &value)
                }
            };
            if end.by == By::Selector {
                selected = Some(leads);
            }
            let facts = [facts, &[leads]].concat();
            for container in end.containers {
                let to = Thing::Container(end.host, container);
                sink.edge_with(from, to, attack, odds, &facts);
            }
        }
    }
}
