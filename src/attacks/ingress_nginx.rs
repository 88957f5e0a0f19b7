//! Ingress-nginx: its controller puts what Ingresses say into a configuration that can run code,
//! and its account usually reads every Secret.
//!
//! Controllers are told by their image. Its tag is the version, its arguments say which namespace
//! it watches and whether it serves the admission webhook.

use super::Family;
use super::ingress_flaws::{BY_ADMISSION, BY_INGRESS, Version};
use super::passage::{Asked, Passage, new_pod_to, passage};
use super::sets::SET_MEMBER;
use super::together::allows_everything;
use super::workloads::{applied, creators};
use crate::graph::{Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Permission, Scope};
use crate::world::hosts::Host;
use crate::world::image::Image;
use crate::world::network::{ClassIx, Direction, End};
use crate::world::pods::{Container, is_ingress_nginx};
use crate::world::{NodeIx, UNKNOWN_NODE, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Runs code in the controller of ingress-nginx by what an Ingress says.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `ingresses` in a namespace that the controller watches, and
    /// either `allow-snippet-annotations: "true"` in its ConfigMap (the default before 1.9.0), or a
    /// version with a flaw that lets an Ingress inject configuration: CVE-2021-25746 (before
    /// 1.2.0), CVE-2023-5043 (before 1.9.0), CVE-2025-24514 (before 1.11.5, and 1.12.0),
    /// CVE-2026-24512 (before 1.13.7, and 1.14.0 to 1.14.2), CVE-2026-3288 (before 1.13.8, and
    /// 1.14.0 to 1.14.3).
    /// ## Abuse
    /// Create an Ingress of the controller's class with the annotation
    /// `nginx.ingress.kubernetes.io/server-snippet` and a `content_by_lua_block` that reads
    /// `/var/run/secrets/kubernetes.io/serviceaccount/token`; on a flawed version close the
    /// directive through `auth-url`, `rewrite-target` or a path instead.
    /// ## Stopped by
    /// `--watch-namespace` keeps other namespaces out. From 1.12.0 on snippets also need
    /// `annotations-risk-level: Critical`. An admission policy that refuses such annotations. The
    /// image with `controller-chroot` keeps the token out of reach of nginx' own processes.
    /// ## Fix
    /// Update to a version without these flaws, set `allow-snippet-annotations: "false"`, and limit
    /// the account by `scope` to one namespace.
    /// ## Detect
    /// Audit events that write `ingresses` with annotations `*-snippet`, or with `;`, `{` or `#` in
    /// annotations and paths; the controller's log of refused configurations.
    /// ## References
    /// - <https://github.com/kubernetes/kubernetes/issues/126811>
    /// - <https://github.com/kubernetes/kubernetes/issues/131006> (CVE-2025-24514)
    /// - <https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/#allow-snippet-annotations>
    pub(super) static INGRESS_NGINX_SNIPPET = {
        id: "ingress-nginx-snippet", title: "Inject configuration by an Ingress",
        mitre: &["T1190", "T1210"], odds: Odds::likely(0.8),
    }
}

crate::attack! {
    /// Runs code in the controller of ingress-nginx by a request to its admission webhook, which
    /// asks for no credential (CVE-2025-1974).
    ///
    /// ## Needs
    /// Version before 1.11.5, or 1.12.0; the argument `--validating-webhook`; and a place on the pod
    /// network, which every container has and everyone who may create a pod gets.
    /// ## Abuse
    /// Send an AdmissionReview with an Ingress that injects `ssl_engine` to port 8443 of the
    /// controller, after a request whose body nginx keeps in a file: it loads that file as a
    /// library.
    /// ## Stopped by
    /// A network policy that lets only the API server reach the port, or one on the source's own
    /// egress, where the network plugin enforces it; where that is not shown, or the source is a pod
    /// yet to be made, whose labels its maker chooses, the step is marked unknown. Policies let a
    /// node reach the pods that run on it.
    /// ## Fix
    /// Update to 1.11.5, 1.12.1 or later. Until then remove `--validating-webhook` and the
    /// ValidatingWebhookConfiguration `ingress-nginx-admission`.
    /// ## Detect
    /// Connections to the webhook's port from others than the API server; `ssl_engine` in the
    /// controller's log.
    /// ## References
    /// - <https://github.com/kubernetes/kubernetes/issues/131009>
    /// - <https://kubernetes.io/blog/2025/03/24/ingress-nginx-cve-2025-1974/>
    pub(super) static INGRESS_NIGHTMARE = {
        id: "ingress-nightmare", title: "Exploit the admission webhook of ingress-nginx",
        mitre: &["T1210"], odds: Odds::likely(0.7),
    }
}

/// Ingress-nginx.
pub(super) static FAMILY: Family = Family {
    name: "N Ingress-nginx",
    attacks: &[&INGRESS_NGINX_SNIPPET, &INGRESS_NIGHTMARE],
    find,
};

/// Controllers of one shape; the shape is told by the number.
static CONTROLLERS: SetKind =
    SetKind { id: "ingress-nginx", noun: "controllers that take Ingresses" };
/// The same, as far as their admission webhook is concerned.
static WEBHOOKS: SetKind =
    SetKind { id: "ingress-nginx-webhooks", noun: "admission webhooks of ingress-nginx" };

/// Controllers that share a specification in a namespace.
struct Controller<'w> {
    ns: Sym,
    container: &'w Container,
    version: Option<Version>,
    /// The only namespace whose Ingresses it takes.
    watches: Option<Sym>,
    /// What policies take them for; none on the host's network.
    class: Option<ClassIx>,
    members: Vec<(Host, usize)>,
    /// What says that it is one, and of which version.
    image: Fact,
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let found = controllers(world, sink);
    for (i, controller) in found.iter().enumerate() {
        let of = u32::try_from(i + 1).unwrap_or(u32::MAX);
        by_ingress(world, sink, controller, of);
        by_admission(world, sink, controller, of);
    }
}

fn controllers<'w>(world: &'w World, sink: &mut Sink<'_>) -> Vec<Controller<'w>> {
    let wanted: Vec<bool> = world
        .specs
        .iter()
        .map(|s| s.containers.iter().any(|c| is_ingress_nginx(world.text(c.image))))
        .collect();
    if !wanted.contains(&true) {
        return Vec::new();
    }
    let mut found: BTreeMap<_, Controller<'w>> = BTreeMap::new();
    for host in world.hosts() {
        let shape = world.host_shape(host);
        if wanted.get(shape.0 as usize) != Some(&true) {
            continue;
        }
        let (object, ns) = world.host_object(host);
        let class = world.network().class_of(host);
        let class = class.filter(|_| !world.host_spec(host).host_network);
        for (i, container) in world.host_spec(host).containers.iter().enumerate() {
            let image = world.text(container.image);
            if !is_ingress_nginx(image) || !world.keeps_running(host, container) {
                continue;
            }
            let controller = found.entry((ns, shape, i, class)).or_insert_with(|| {
                let field = world.host_field(host, &format!("{}.image", container.field()));
                let watches = world.flags(container, "--watch-namespace").next();
                let watches = watches.filter(|w| !w.is_empty()).map(|name| {
                    if name == "$(POD_NAMESPACE)" {
                        ns
                    } else {
                        // A name that nothing bears: no namespace of the snapshot.
                        world.symbols.get(name).unwrap_or(Sym::EMPTY)
                    }
                });
                let version = Image::new(image).version();
                Controller {
                    ns,
                    container,
                    version: version.and_then(|(major, minor, patch)| Some((major, minor, patch?))),
                    watches,
                    class,
                    members: Vec::new(),
                    image: sink.fact(object, &field, image),
                }
            });
            controller.members.push((host, i));
        }
    }
    found.into_values().collect()
}

/// What lets an Ingress run code in a controller, with the facts.
fn injection(world: &World, sink: &mut Sink<'_>, it: &Controller<'_>) -> Option<(Odds, Vec<Fact>)> {
    let odds = INGRESS_NGINX_SNIPPET.odds;
    let says = world.config_maps.iter().filter(|m| m.ns == it.ns);
    let mut says: Vec<_> = says.filter_map(|m| Some((m.object, m.snippets?))).collect();
    says.sort_by_key(|(_, allowed)| !allowed);
    let mut facts = vec![it.image];
    let mut best: Option<Odds> = None;
    if let Some((object, true)) = says.first() {
        facts.push(sink.fact(*object, ".data[\"allow-snippet-annotations\"]", "true"));
        // Since 1.12.0 a second setting has to allow them.
        let second = it.version.is_none_or(|v| v >= (1, 12, 0));
        best = Some(if second { odds.but(0.6, Confidence::Likely) } else { Odds::certain(0.85) });
    } else if says.is_empty() && it.version.is_some_and(|v| v < (1, 9, 0)) {
        facts.push(sink.fact(it.image.object, "", "allows snippets unless its ConfigMap says no"));
        best = Some(odds);
    }
    if best.is_none_or(|b| b.likelihood < odds.likelihood) {
        match it.version {
            Some(version) => {
                if let Some(flaw) = BY_INGRESS.iter().find(|f| f.has(version)) {
                    facts.truncate(1);
                    let text = format!("this version has {}", flaw.id);
                    facts.push(sink.fact(it.image.object, "", &text));
                    best = Some(odds);
                }
            }
            None if best.is_none() => {
                facts.push(sink.fact(it.image.object, "", "its version is not shown"));
                best = Some(Odds::unknown(0.2));
            }
            None => {}
        }
    }
    let mut odds = best?;
    if world.text(it.container.image).contains("chroot") {
        odds = odds.but(0.4, Confidence::Possible);
    }
    if world.flags(it.container, "--watch-namespace-selector").next().is_some() {
        let text = "takes the Ingresses of selected namespaces alone";
        facts.push(sink.fact(it.image.object, "", text));
        odds = odds.but(0.6, Confidence::Possible);
    }
    Some((odds, facts))
}

fn by_ingress(world: &World, sink: &mut Sink<'_>, it: &Controller<'_>, of: u32) {
    let Some((odds, why)) = injection(world, sink, it) else { return };
    let set = Thing::Set(SetKey { kind: &CONTROLLERS, ns: Sym::EMPTY, of });
    let watched = |scope: Scope| it.watches.is_none_or(|ns| scope.covers(ns));
    let mut led = false;
    for (from, scope, facts) in writers(world, sink, it.watches) {
        if watched(scope) {
            let facts: Vec<Fact> = facts.into_iter().chain(why.iter().copied()).collect();
            sink.edge_with(from, set, &INGRESS_NGINX_SNIPPET, odds, &facts);
            led = true;
        }
    }
    if led {
        members(world, sink, it, set);
    }
}

/// A right on Ingresses: who, where, and what says so.
type Writer = (Thing<'static>, Scope, Vec<Fact>);

/// Everyone who may make an Ingress, or change one that is there; in one namespace, if one is
/// given.
fn writers(world: &World, sink: &mut Sink<'_>, only: Option<Sym>) -> Vec<Writer> {
    const GROUP: &str = "networking.k8s.io";
    let right = |verb| Permission::namespaced(verb, GROUP, "ingresses");
    let admin = |g: &Grant<'_>| g.scope == Scope::Cluster && allows_everything(world, g);
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for grant in world.grants(&right("create")).iter().filter(|g| !admin(g)) {
        seen.insert((grant.binding, grant.rule));
        let facts = sink.grant(grant).to_vec();
        found.push((Thing::Binding(grant.binding), grant.scope, facts));
    }
    for grant in world.grants_any(&[right("update"), right("patch")]).iter().filter(|g| !admin(g)) {
        if seen.contains(&(grant.binding, grant.rule)) {
            continue;
        }
        let there = world.ingresses.iter().find(|i| {
            grant.scope.covers(i.ns)
                && grant.names.covers(i.name)
                && only.is_none_or(|ns| ns == i.ns)
        });
        let Some(there) = there else { continue };
        let mut facts = sink.grant(grant).to_vec();
        facts.push(sink.fact(there.object, ".metadata.name", world.text(there.name)));
        found.push((Thing::Binding(grant.binding), grant.scope, facts));
    }
    let exists =
        |ns, name| world.ingresses.binary_search_by_key(&(ns, name), |i| (i.ns, i.name)).is_ok();
    let applied = applied(world, sink, GROUP, "ingresses", exists);
    found.extend(applied.into_iter().map(|m| (m.from, m.scope, m.facts)));
    found
}

fn members(world: &World, sink: &mut Sink<'_>, it: &Controller<'_>, set: Thing<'_>) {
    for (host, container) in &it.members {
        let (object, _) = world.host_object(*host);
        let fact = Fact { object, ..it.image };
        sink.edge(set, Thing::Container(*host, *container), &SET_MEMBER, &[fact]);
    }
}

fn by_admission(world: &World, sink: &mut Sink<'_>, it: &Controller<'_>, of: u32) {
    let served = world.flags(it.container, "--validating-webhook").next();
    let Some(served) = served else { return };
    if it.version.is_some_and(|v| !BY_ADMISSION.has(v)) {
        return;
    }
    let Some((first, _)) = it.members.first() else { return };
    let mut facts = vec![it.image];
    let mut odds = INGRESS_NIGHTMARE.odds;
    let text = match it.version {
        Some(_) => format!("this version has {}", BY_ADMISSION.id),
        None => {
            odds = Odds::unknown(0.2);
            "its version is not shown".to_owned()
        }
    };
    facts.push(sink.fact(it.image.object, "", &text));
    if world.text(it.container.image).contains("chroot") {
        odds = odds.but(0.4, Confidence::Possible);
    }
    let set = Thing::Set(SetKey { kind: &WEBHOOKS, ns: Sym::EMPTY, of });
    let port = served.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(8443);
    reaches(world, sink, it, it.class.map_or(End::Host(*first), End::Class), &[port], set);
    for (host, container) in &it.members {
        let (object, _) = world.host_object(*host);
        let mut facts = facts.clone();
        facts[0].object = object;
        let to = Thing::Container(*host, *container);
        sink.edge_with(set, to, &INGRESS_NIGHTMARE, odds, &facts);
    }
}

/// Who gets a packet to a controller's webhook.
fn reaches(
    world: &World,
    sink: &mut Sink<'_>,
    it: &Controller<'_>,
    to: End,
    port: &[u16],
    set: Thing<'_>,
) {
    let sure = Odds::certain(1.0);
    let own: BTreeSet<&(Host, usize)> = it.members.iter().collect();
    let near: BTreeSet<NodeIx> =
        it.members.iter().filter_map(|(host, _)| world.host_node(*host)).collect();
    let runs = sink.fact(it.image.object, "", "runs on the network of the pods");
    let local = sink.fact(it.image.object, "", "runs on the same node, which policies let in");
    let local = Passage::open(vec![local]);
    let mut asked = Asked::default();
    for host in world.hosts() {
        let (object, _) = world.host_object(host);
        let spec = world.host_spec(host);
        let beside =
            spec.host_network && world.host_node(host).is_some_and(|node| near.contains(&node));
        let ask = |from| passage(world, sink, from, to, port);
        let way = asked.of(world, host, ask);
        let near = beside.then_some(&local).filter(|_| !way.is_some_and(Passage::is_open));
        let Some(way) = near.or(way) else { continue };
        for (i, container) in spec.containers.iter().enumerate() {
            if world.keeps_running(host, container) && !own.contains(&(host, i)) {
                let facts: Vec<Fact> = [Fact { object, ..runs }]
                    .into_iter()
                    .chain(way.facts.iter().copied())
                    .collect();
                let from = Thing::Container(host, i);
                sink.edge_with(from, set, &INGRESS_NIGHTMARE, way.odds(sure), &facts);
            }
        }
    }
    for node in (0..world.nodes.len()).map(NodeIx::new) {
        let of = &world.nodes[node.index()];
        if world.text(of.name) == UNKNOWN_NODE {
            continue;
        }
        let way = passage(world, sink, End::Node(node), to, port);
        let near = near.contains(&node).then_some(&local);
        let Some(way) = near.or(way.as_ref()) else { continue };
        let name = sink.fact(of.object, ".metadata.name", world.text(of.name));
        let facts: Vec<Fact> = [name].into_iter().chain(way.facts.iter().copied()).collect();
        sink.edge_with(Thing::Node(node), set, &INGRESS_NIGHTMARE, way.odds(sure), &facts);
    }
    let isolated = it
        .class
        .map_or_else(Vec::new, |class| world.network().isolation(class, Direction::Ingress));
    let mut scopes: BTreeMap<Scope, Passage> = BTreeMap::new();
    for maker in creators(world, sink) {
        let way = scopes.entry(maker.scope).or_insert_with(|| {
            let mut ask = |sink: &mut Sink<'_>, from| passage(world, sink, from, to, port);
            new_pod_to(world, sink, maker.scope, &isolated, &mut ask)
        });
        let facts: Vec<Fact> = maker.facts.into_iter().chain(way.facts.iter().copied()).collect();
        sink.edge_with(maker.from, set, &INGRESS_NIGHTMARE, way.odds(sure), &facts);
    }
}
