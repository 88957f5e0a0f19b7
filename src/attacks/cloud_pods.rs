//! The containers that get their service account's identity in a cloud: by a token in a volume, or
//! from the metadata server.

use super::cloud_identity::{
    AZURE_WORKLOAD_IDENTITY, EKS_POD_IDENTITY, GKE_WORKLOAD_IDENTITY, Identities, PROVIDERS,
    Provider,
};
use super::passage::{Asked, Passage, to_gke_server, to_pod_identity};
use crate::graph::{Fact, Sink, Thing};
use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::pods::Volume;
use crate::world::{NodeIx, UNKNOWN_NODE, World};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// The label of pods that the webhook of Azure serves.
const USE: &str = "azure.workload.identity/use";

/// A token in a volume, as its specification says it.
struct Projected {
    field: String,
    audience: Sym,
    /// The containers that mount it, and where.
    mounts: Vec<(usize, String)>,
}

/// The tokens in the volumes of what has one shape.
fn projected(world: &World, host: Host) -> Vec<Projected> {
    let spec = world.host_spec(host);
    let mut found = Vec::new();
    for (v, volume) in spec.volumes.iter().enumerate() {
        let Volume::Projected { tokens, .. } = volume else { continue };
        for (source, audience) in tokens.iter().filter(|(_, audience)| !audience.is_empty()) {
            let at = format!(".spec.volumes[{v}].projected.sources[{source}].serviceAccountToken");
            let mounts = spec.containers.iter().enumerate().filter_map(|(i, container)| {
                let mount = container.mounts.iter().find(|m| usize::from(m.volume) == v)?;
                let at = format!("{}.volumeMounts[{}]", container.field(), mount.place);
                Some((i, world.host_field(host, &at)))
            });
            let (field, mounts) = (world.host_field(host, &at), mounts.collect());
            found.push(Projected { field, audience: *audience, mounts });
        }
    }
    found
}

/// The containers that hold a token for a provider or may ask its metadata server, and the
/// kubelets of their nodes.
pub(super) fn containers(world: &World, sink: &mut Sink<'_>, identities: &mut Identities) {
    let mut known: FxHashMap<(u32, Sym), Vec<Projected>> = FxHashMap::default();
    let mut kubelets = BTreeSet::new();
    let (mut agent, mut server) = (Asked::default(), Asked::default());
    let open = Passage::open(Vec::new());
    for host in world.hosts() {
        let account = world.host_account(host);
        let Some(account) = account.filter(|a| world.accounts[a.index()].exists) else { continue };
        let (object, _) = world.host_object(host);
        let volumes = known.entry(world.host_shape(host)).or_insert_with(|| projected(world, host));
        for (p, provider) in PROVIDERS.iter().enumerate() {
            let taken = |t: &&Projected| provider.takes(world, account, world.text(t.audience));
            let mut has_volume = false;
            for token in volumes.iter().filter(taken) {
                has_volume = true;
                let name = provider.name(world, account);
                let audience = format!("for {}", world.text(token.audience));
                let mut facts = vec![sink.fact(object, &token.field, &audience)];
                facts.extend(provider.fact(world, sink, account));
                identities.entry((account, p)).or_insert_with(|| facts.clone());
                // The agent exchanges it for whoever asks from the pod's address; other tokens are
                // good from anywhere.
                let ask = |from| to_pod_identity(world, sink, from);
                let way = match provider.attack.id == EKS_POD_IDENTITY.id {
                    true => agent.of(world, host, ask),
                    false => Some(&open),
                };
                for (container, mount) in token.mounts.iter().filter(|_| way.is_some()) {
                    let Some(of) = world.host_spec(host).containers.get(*container) else {
                        continue;
                    };
                    if world.is_enterable(host, of) {
                        let mounted = sink.fact(object, mount, "the token's volume");
                        let way = way.unwrap_or(&open);
                        let by = [mounted].into_iter().chain(way.facts.iter().copied());
                        let facts: Vec<Fact> = facts.iter().copied().chain(by).collect();
                        let from = Thing::Container(host, *container);
                        let odds = way.odds(provider.attack.odds);
                        sink.edge_with(from, Thing::Cloud(&name), provider.attack, odds, &facts);
                    }
                }
                // A kubelet may ask for tokens of those audiences that its pods have in volumes.
                if provider.by_token
                    && let Some(node) = known_node(world, host)
                    && kubelets.insert((node, account, p))
                {
                    let at = world.text(world.nodes[node.index()].name);
                    facts.insert(0, sink.fact(object, ".spec.nodeName", at));
                    let from = Thing::NodeIdentity(node);
                    sink.edge(from, Thing::Cloud(&name), provider.attack, &facts);
                }
            }
            let Some(name) = provider.named(world, account).filter(|_| !has_volume) else {
                continue;
            };
            if let Some(fact) = by_itself(world, sink, provider, host) {
                let ask = |from| to_gke_server(world, sink, from);
                let way = match provider.attack.id == GKE_WORKLOAD_IDENTITY.id {
                    true => server.of(world, host, ask),
                    false => Some(&open),
                };
                let Some(way) = way else { continue };
                let odds = way.odds(provider.attack.odds);
                let of = provider.fact(world, sink, account);
                let by = of.into_iter().chain(way.facts.iter().copied());
                let facts: Vec<Fact> = [fact].into_iter().chain(by).collect();
                for (i, container) in world.host_spec(host).containers.iter().enumerate() {
                    if world.is_enterable(host, container) {
                        let from = Thing::Container(host, i);
                        sink.edge_with(from, Thing::Cloud(&name), provider.attack, odds, &facts);
                    }
                }
            }
        }
    }
}

/// The node of a pod, where the snapshot shows it.
fn known_node(world: &World, host: Host) -> Option<NodeIx> {
    let Host::Pod(pod) = host else { return None };
    let node = world.pods[pod.index()].node;
    (world.text(world.nodes[node.index()].name) != UNKNOWN_NODE).then_some(node)
}

/// Why a container without a token in a volume gets the account's identity: GKE's metadata server
/// gives it to whoever asks from the pod's address, and the webhooks of the others put a token into
/// pods that are yet to be served.
fn by_itself(world: &World, sink: &mut Sink<'_>, provider: &Provider, host: Host) -> Option<Fact> {
    let (object, _) = world.host_object(host);
    let account = world.text(world.host_spec(host).account);
    let mut runs_as =
        || Some(sink.fact(object, &world.host_field(host, ".spec.serviceAccountName"), account));
    if provider.attack == &GKE_WORKLOAD_IDENTITY {
        let without = world.host_node(host).is_some_and(|node| {
            let node = world.nodes[node.index()].object;
            let label = world.label(node, "iam.gke.io/gke-metadata-server-enabled");
            world.objects[node.index()].is_present() && label.is_none()
        });
        return (!world.host_spec(host).host_network && !without).then(runs_as).flatten();
    }
    if world.is_served(host) {
        return None;
    }
    if provider.attack != &AZURE_WORKLOAD_IDENTITY {
        return runs_as();
    }
    let labels = match host {
        Host::Pod(_) => world.labels_of(object),
        Host::Template(ix) => {
            let number = world.workloads[ix.index()].template_labels;
            world.labels.get(number as usize).map_or(&[][..], |l| l)
        }
    };
    let asks = labels.iter().any(|(k, v)| world.text(*k) == USE && world.text(*v) == "true");
    let field = match host {
        Host::Pod(_) => format!(".metadata.labels[{USE:?}]"),
        Host::Template(_) => world.host_field(host, &format!(".metadata.labels[{USE:?}]")),
    };
    asks.then(|| sink.fact(object, &field, "true"))
}
