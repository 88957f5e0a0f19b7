//! Answering for an admission webhook: from a container behind its Service, or by taking the
//! Service's place with its key.
//!
//! The API server sends what others write to the Service, and takes a mutating webhook's answer for
//! what they meant. What that gives depends on what the webhook is asked about, and where.

use super::Family;
use super::gate::{PART, gate};
use super::pod_api::{admits, set_of};
use super::service_hijack::{
    ENDPOINT_SLICE_HIJACK, POD_RELABEL, SERVICE_EXTERNAL_IP_HIJACK, SERVICE_SELECTOR_HIJACK,
    SERVICE_STATUS_LB_IP_HIJACK, redirect, traffic,
};
use super::sets::{PRIVILEGED_PODS, SECRETS, SERVICE_ACCOUNTS};
use crate::graph::{Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::exposure::Said;
use crate::world::grants::Scope;
use crate::world::hosts::Host;
use crate::world::pods::Volume;
use crate::world::rows::Hook;
use crate::world::{Namespace, ObjectId, SecretIx, ServiceIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Answers for an admission webhook that others have installed, and so changes what others
    /// write.
    ///
    /// ## Needs
    /// A container that the webhook's Service leads to; or, together, a way to take the Service's
    /// place (`service-selector-hijack` and its like) and the key of its certificate, which is in a
    /// Secret that these containers mount. And a later write by somebody else. A mutating webhook
    /// that is asked about pods or workloads gives what creating a pod gives in the namespaces that
    /// it selects; one that is asked about ClusterRoles or ClusterRoleBindings gives the cluster;
    /// any that is asked about Secrets reads those that are written.
    /// ## Abuse
    /// In the container replace the program, or in another pod serve HTTPS with the key, and answer
    /// each AdmissionReview with a patch: `[{"op":"replace","path":"/spec/containers/0/image",
    /// "value":"IMAGE"}]`, another `serviceAccountName`, a Secret's volume.
    /// ## Stopped by
    /// `namespaceSelector`, `objectSelector` and `matchConditions` narrow what is asked about. Pod
    /// Security runs after the mutation. Without the key the API server refuses the connection,
    /// and the `failurePolicy` decides.
    /// ## Fix
    /// Run webhooks in a namespace of their own that nobody else writes in; exempt `kube-system`
    /// by `namespaceSelector`; ask only about what the webhook is for.
    /// ## Detect
    /// The audit annotations `mutation.webhook.admission.k8s.io/*` and
    /// `patch.webhook.admission.k8s.io/*` with patches that the webhook does not usually make.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/>
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks>
    /// - kubernetes apiserver `pkg/util/webhook/client.go`: the certificate must be that of
    ///   `SERVICE.NAMESPACE.svc` by `caBundle`
    pub(super) static WEBHOOK_SERVICE_HIJACK = {
        id: "webhook-service-hijack", title: "Answer for an admission webhook",
        mitre: &["T1546", "T1557"], odds: Odds::likely(0.6),
    }
}

/// Services that are hijacked, and the admission webhooks that they answer.
pub(super) static FAMILY: Family = Family {
    name: "N Services and webhooks",
    attacks: &[
        &WEBHOOK_SERVICE_HIJACK,
        &SERVICE_SELECTOR_HIJACK,
        &POD_RELABEL,
        &ENDPOINT_SLICE_HIJACK,
        &SERVICE_EXTERNAL_IP_HIJACK,
        &SERVICE_STATUS_LB_IP_HIJACK,
    ],
    find,
};

/// What a Service answers the API server; it is told by the number.
static ANSWERS: SetKind = SetKind { id: "webhook-answers", noun: "answers of a webhook" };
static KEYS: SetKind = SetKind { id: "webhook-keys", noun: "keys of a webhook" };
/// Opens when a webhook's requests and its key are held.
static POSED: SetKind = SetKind { id: "webhook-posed", noun: "webhooks posed as" };

fn find(world: &World, sink: &mut Sink<'_>) {
    let mut asked: BTreeMap<ServiceIx, Vec<(ObjectId, bool, &Hook)>> = BTreeMap::new();
    for configuration in &world.webhooks {
        let useful = |hook: &&Hook| hook.pods || hook.rights || hook.secrets;
        for hook in configuration.hooks.iter().filter(useful) {
            if let Some(service) = world.service(hook.service.0, hook.service.1) {
                let hooks = asked.entry(service).or_default();
                hooks.push((configuration.object, configuration.mutates, hook));
            }
        }
    }
    let mut with_keys = BTreeMap::new();
    for (service, hooks) in &asked {
        let mut useful = false;
        for (object, mutates, hook) in hooks {
            useful |= gains(world, sink, answers(world, *service), *object, *mutates, hook);
        }
        if !useful {
            continue;
        }
        let ports: BTreeSet<u16> = hooks.iter().map(|(_, _, hook)| hook.port).collect();
        let listeners = listeners(world, *service, &ports);
        enter(world, sink, *service, &listeners);
        let keys = keys(world, sink, &listeners);
        if !keys.is_empty() {
            with_keys.insert(*service, keys);
        }
    }
    let services: Vec<ServiceIx> = with_keys.keys().copied().collect();
    if services.is_empty() {
        return;
    }
    let fed = redirect(world, sink, &services);
    for (service, keys) in with_keys.into_iter().filter(|(s, _)| fed.contains(s)) {
        let set = of_service(world, &KEYS, service);
        for (secret, (odds, facts)) in keys {
            sink.edge_with(
                Thing::Secret(secret),
                Thing::Set(set),
                &WEBHOOK_SERVICE_HIJACK,
                odds,
                &facts,
            );
        }
        let key = of_service(world, &POSED, service);
        let parts = [traffic(world, service), Thing::Set(set)];
        let gate = gate(world, sink, key, &WEBHOOK_SERVICE_HIJACK, &parts);
        let of = &world.services[service.index()];
        let fact = sink.fact(of.object, ".metadata.name", world.text(of.name));
        sink.edge_with(gate, answers(world, service), &WEBHOOK_SERVICE_HIJACK, PART, &[fact]);
    }
}

fn of_service(world: &World, kind: &'static SetKind, service: ServiceIx) -> SetKey {
    let ns = world.services[service.index()].ns;
    let of = u32::try_from(service.index() + 1).unwrap_or(u32::MAX);
    SetKey { kind, ns, of }
}

/// Webhooks that are not asked about every namespace, and could be.
pub(super) fn labels(world: &World, sink: &mut Sink<'_>) {
    let mut selective: BTreeMap<ServiceIx, Vec<&Hook>> = BTreeMap::new();
    for configuration in world.webhooks.iter().filter(|c| c.mutates) {
        for hook in configuration.hooks.iter().filter(|h| h.pods) {
            if let Some(service) = world.service(hook.service.0, hook.service.1) {
                selective.entry(service).or_default().push(hook);
            }
        }
    }
    let mut opened = BTreeSet::new();
    for (service, hooks) in selective {
        super::namespace_label::spoof(world, sink, service, &hooks, &mut opened);
    }
    super::namespace_label::members(world, sink, &opened);
}

pub(super) fn answers(world: &World, service: ServiceIx) -> Thing<'static> {
    Thing::Set(of_service(world, &ANSWERS, service))
}

/// Leads a webhook's answers to what they give; whether they give anything.
fn gains(
    world: &World,
    sink: &mut Sink<'_>,
    from: Thing<'static>,
    object: ObjectId,
    mutates: bool,
    hook: &Hook,
) -> bool {
    let attack = &WEBHOOK_SERVICE_HIJACK;
    let at = format!(".webhooks[{}]", hook.place);
    let (ns, name) = (world.text(hook.service.0), world.text(hook.service.1));
    let service = format!("{at}.clientConfig.service");
    let service = sink.fact(object, &service, &format!("{ns}/{name}"));
    let mut says = |what: &str| [service, sink.fact(object, &format!("{at}.rules"), what)];
    let (pods, rights, secrets) = (
        says("asks about what makes pods"),
        says("asks about ClusterRoles or ClusterRoleBindings"),
        says("asks about Secrets"),
    );
    let narrow = |odds: Odds| {
        if hook.narrowed { odds.but(0.7, Confidence::Likely) } else { odds }
    };
    // One that selects no namespace yet can be made to: see `namespace_label`.
    let mut useful = mutates && hook.pods;
    if mutates && hook.rights {
        sink.edge_with(from, Thing::ClusterAdmin, attack, narrow(Odds::likely(0.5)), &rights);
        useful = true;
    }
    for scope in scopes(world, hook) {
        let to = |kind| set_of(kind, scope);
        if mutates && hook.pods {
            let odds = narrow(attack.odds);
            sink.edge_with(from, to(&SERVICE_ACCOUNTS), attack, odds, &pods);
            let mount = odds.but(0.95, Confidence::Likely);
            sink.edge_with(from, to(&SECRETS), attack, mount, &pods);
            if world.reached(scope).iter().any(|n| admits(n, Level::Privileged)) {
                sink.edge_with(from, to(&PRIVILEGED_PODS), attack, odds, &pods);
            }
        }
        if hook.secrets {
            let odds = narrow(Odds::possible(0.3));
            sink.edge_with(from, to(&SECRETS), attack, odds, &secrets);
            useful = true;
        }
    }
    useful
}

/// Where a webhook is asked: everywhere, or in the namespaces that it selects.
fn scopes(world: &World, hook: &Hook) -> Vec<Scope> {
    if hook.namespaces.0.is_empty() {
        return vec![Scope::Cluster];
    }
    let selected =
        world.namespaces.iter().filter(|n| hook.namespaces.selects(&labels_of(world, n)));
    selected.map(|n| Scope::Namespace(n.name)).collect()
}

/// The labels of a namespace, with its name, which the API server puts among them.
pub(super) fn labels_of(world: &World, namespace: &Namespace) -> Vec<(Sym, Sym)> {
    let mut labels = world.labels_of(namespace.object).to_vec();
    let key = world.symbols.get("kubernetes.io/metadata.name");
    if let Some(key) = key.filter(|key| !labels.iter().any(|(k, _)| k == key)) {
        labels.push((key, namespace.name));
    }
    labels
}

/// Containers that may listen for a webhook, and whether another may as well; with what leads there.
type Listeners = BTreeMap<(Host, usize, bool), Said>;

fn listeners(world: &World, service: ServiceIx, ports: &BTreeSet<u16>) -> Listeners {
    let mut found = Listeners::new();
    for (port, of) in world.services[service.index()].ports.iter().enumerate() {
        if !ports.contains(&of.port) {
            continue;
        }
        for end in world.endpoints(service, port) {
            let several = !end.declared && end.containers.len() > 1;
            let [leads, _] = world.endpoint_facts(service, port, &end);
            for container in &end.containers {
                found.entry((end.host, *container, several)).or_insert_with(|| leads.clone());
            }
        }
    }
    found
}

/// Leads the containers behind a Service to its answers.
fn enter(world: &World, sink: &mut Sink<'_>, service: ServiceIx, listeners: &Listeners) {
    let listens = sink.field("");
    for ((host, container, several), (of, field, value)) in listeners {
        let selects = sink.fact(*of, field, value);
        let (object, _) = world.host_object(*host);
        let listens = Fact { object, field: listens, ..selects };
        let odds = if *several { Odds::possible(0.45) } else { Odds::likely(0.9) };
        let from = Thing::Container(*host, *container);
        let to = answers(world, service);
        sink.edge_with(from, to, &WEBHOOK_SERVICE_HIJACK, odds, &[selects, listens]);
    }
}

/// The Secrets that may hold the key of a Service's certificate: what its containers mount, those
/// of the type that is made for it first.
fn keys(
    world: &World,
    sink: &mut Sink<'_>,
    listeners: &Listeners,
) -> BTreeMap<SecretIx, (Odds, Vec<Fact>)> {
    let mut found = BTreeMap::new();
    let mut shapes = BTreeSet::new();
    for (host, index, _) in listeners.keys() {
        if !shapes.insert((world.host_object(*host).1, world.host_shape(*host), *index)) {
            continue;
        }
        let spec = world.host_spec(*host);
        let (object, ns) = world.host_object(*host);
        for mount in &spec.containers[*index].mounts {
            let volume = spec.volumes.get(usize::from(mount.volume));
            let Some(Volume::Secret(given)) = volume else { continue };
            let name = given.secret;
            let Some(secret) = world.secret(ns, name).filter(|_| !given.public) else { continue };
            let row = &world.secrets[secret.index()];
            let field = format!(".spec.volumes[{}].secret.secretName", mount.volume);
            let mut facts =
                vec![sink.fact(object, &world.host_field(*host, &field), world.text(name))];
            // What else a container mounts may as well be something else.
            let odds = match world.text(row.kind) {
                "kubernetes.io/tls" => Odds::likely(0.95),
                "" | "Opaque" => Odds::likely(0.6),
                _ => continue,
            };
            if !row.kind.is_empty() {
                facts.push(sink.fact(row.object, ".type", world.text(row.kind)));
            }
            found.entry(secret).or_insert((odds, facts));
        }
    }
    found
}
