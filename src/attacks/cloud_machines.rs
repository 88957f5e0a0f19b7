//! The identity of a node's machine in its cloud, as the pods on the node get it from the metadata
//! service.
//!
//! Whether the service answers a pod off the machine's network depends on settings of the machine
//! that are in no snapshot; each provider has a default, and labels of the node tell of some.

use super::Family;
use super::created_pods;
use super::node::cloud_identity;
use super::passage::{Asked, Passage, to_metadata};
use super::sets::SET_MEMBER;
use crate::graph::{Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::{NodeIx, UNKNOWN_NODE, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Gets the cloud identity of the node's machine from the metadata service, out of a pod.
    ///
    /// ## Needs
    /// A container on a node of AWS, Google Cloud or Azure, or the right to create a pod there,
    /// which a level of Pod Security does not limit. Any user inside will do, and no token. Whoever
    /// may create privileged pods has the whole node, and is shown there.
    /// What the identity may do is not in the snapshot; a node's own role often reads images, disks
    /// and network interfaces of the whole account.
    /// ## Abuse
    /// AWS: `TOKEN=$(curl -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 600'
    /// http://169.254.169.254/latest/api/token)`, then
    /// `curl -H "X-aws-ec2-metadata-token: $TOKEN"
    /// http://169.254.169.254/latest/meta-data/iam/security-credentials/ROLE`. Google Cloud:
    /// `curl -H 'Metadata-Flavor: Google'
    /// http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token`. Azure:
    /// `curl -H 'Metadata: true' 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/'`.
    /// ## Stopped by
    /// AWS: IMDSv2 alone with a hop limit of 1, which the snapshot does not show; EKS Auto Mode
    /// always has it and Karpenter by default, managed node groups have 2 by default. Google Cloud:
    /// GKE's metadata server (label `iam.gke.io/gke-metadata-server-enabled`) answers with the
    /// pod's own identity, and sandboxed pods cannot ask at all. A network policy that lets the pod
    /// connect to no `169.254.169.254` on port 80 (and on AWS with IPv6 to no `fd00:ec2::254`), where
    /// the network plugin enforces it; where that is not shown, the step is marked unknown. None of
    /// these stops a pod on the host's network, which the levels `baseline` and `restricted` refuse.
    /// ## Fix
    /// AWS: `aws ec2 modify-instance-metadata-options --http-tokens required
    /// --http-put-response-hop-limit 1`, and the same in the launch template. Google Cloud: turn on
    /// Workload Identity Federation for the node pool. Azure: a NetworkPolicy whose
    /// egress is `0.0.0.0/0` except `169.254.169.254/32`. Give pods identities of their own, and the machine's one little.
    /// ## Detect
    /// CloudTrail and the like: the machine's role used from another address or for unusual calls
    /// (GuardDuty `InstanceCredentialExfiltration`); flow logs of pods to `169.254.169.254`.
    /// ## References
    /// - <https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html>
    /// - <https://cloud.google.com/kubernetes-engine/docs/how-to/protecting-cluster-metadata>
    /// - <https://learn.microsoft.com/azure/aks/imds-restriction>
    pub(super) static IMDS_NODE_ROLE = {
        id: "imds-node-role", title: "Ask the metadata service for the machine's identity",
        mitre: &["T1552.005", "MS-TA9033"], odds: Odds::likely(0.6),
    }
}

crate::attack! {
    /// Signs in to the cluster as the kubelet, by the AWS role of its machine.
    ///
    /// ## Needs
    /// A node of EKS, whose kubelet has no other credential than the machine's role, and that
    /// role's credentials as the metadata service gives them out: their session bears the id of
    /// the instance, by which EKS tells the nodes of one role apart. Which node a role's
    /// credentials from elsewhere stand for is not known.
    /// ## Abuse
    /// With the credentials in the environment `aws eks get-token --cluster-name CLUSTER`; the
    /// token is that of `system:node:NAME` in `system:nodes`.
    /// ## Stopped by
    /// Whatever keeps a pod from the machine's role. Nothing tells the kubelet's sign-in from
    /// another by the same role.
    /// ## Fix
    /// Keep pods off the metadata service: a hop limit of 1 and no pods on the host's network.
    /// ## Detect
    /// The authenticator's log and audit events of `system:node:NAME` from another address than the
    /// node's or with another user agent than the kubelet's.
    /// ## References
    /// - <https://github.com/kubernetes-sigs/aws-iam-authenticator>
    /// - <https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html>
    pub(super) static EKS_NODE_ROLE_TO_NODE_IDENTITY = {
        id: "eks-node-role-to-node-identity", title: "Sign in as the kubelet by the machine's role",
        mitre: &["T1550.001", "T1078.004"], odds: Odds::likely(0.9),
    }
}

/// What a pod on a machine gets there.
pub(super) static FAMILY: Family = Family {
    name: "Q Cloud identity of machines",
    attacks: &[&IMDS_NODE_ROLE, &EKS_NODE_ROLE_TO_NODE_IDENTITY],
    find,
};

/// What the metadata service of one machine gives out.
static METADATA: SetKind = SetKind { id: "node-metadata", noun: "what a node's metadata gives" };

/// How a node's metadata service meets a pod off the machine's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// It answers, unless somebody has told the machine otherwise.
    Answers,
    /// A setting that is not in the snapshot decides, as often one way as the other.
    Unseen,
    /// The setting is not in the snapshot either, but by default it refuses.
    RefusesByDefault,
    /// It refuses.
    Refuses,
}

/// Whether a pod on a node may ask the metadata service for the machine's identity, as far as the
/// machine decides.
pub(crate) fn has_metadata(world: &World, node: NodeIx, host_network: bool) -> bool {
    let answers = host_network || Guard::of(world, node) != Guard::Refuses;
    answers && cloud_identity(world, node).is_some()
}

impl Guard {
    pub(super) fn of(world: &World, node: NodeIx) -> Self {
        let node = &world.nodes[node.index()];
        let label = |key| world.label(node.object, key).map_or("", |value| world.text(value));
        let provider = world.text(node.provider);
        if provider.starts_with("gce://") {
            return match label("iam.gke.io/gke-metadata-server-enabled") {
                "true" => Self::Refuses,
                _ => Self::Answers,
            };
        }
        if provider.starts_with("azure://") {
            return Self::Answers;
        }
        if label("eks.amazonaws.com/compute-type") == "auto" {
            Self::Refuses
        } else if !label("karpenter.sh/nodepool").is_empty() {
            Self::RefusesByDefault
        } else {
            Self::Unseen
        }
    }

    pub(super) const fn odds(self) -> Option<Odds> {
        match self {
            Self::Answers => Some(IMDS_NODE_ROLE.odds),
            Self::Unseen => Some(Odds::possible(0.4)),
            Self::RefusesByDefault => Some(Odds::possible(0.15)),
            Self::Refuses => None,
        }
    }
}

/// What a pod gets whose node the snapshot does not show: off the machine's network, and on it.
static CLOUDS_OF_NODES: SetKind =
    SetKind { id: "clouds-of-nodes", noun: "cloud identities of nodes" };

/// The set of what one node's metadata service gives out.
pub(super) fn given(node: NodeIx) -> Thing<'static> {
    let of = u32::try_from(node.index() + 1).unwrap_or(u32::MAX);
    Thing::Set(SetKey { kind: &METADATA, ns: Sym::EMPTY, of })
}

fn find(world: &World, sink: &mut Sink<'_>) {
    placed(world, sink);
    unplaced(world, sink);
    created_pods::find(world, sink);
}

/// Whether a node is a machine of AWS, whose metadata service has an address of IPv6 too.
pub(super) fn is_aws(world: &World, node: NodeIx) -> bool {
    world.text(world.nodes[node.index()].provider).starts_with("aws://")
}

/// Whether a node is one of EKS, whose kubelet signs in by the machine's role.
fn is_eks(world: &World, node: NodeIx) -> bool {
    let is_aws = is_aws(world, node);
    let node = &world.nodes[node.index()];
    let labels = world.labels_of(node.object);
    is_aws
        && (world.text(node.kubelet).contains("-eks-")
            || labels.iter().any(|(key, _)| world.text(*key).starts_with("eks.amazonaws.com/")))
}

/// The pods whose node is known.
fn placed(world: &World, sink: &mut Sink<'_>) {
    // Of classes of pods, by whether the machine is one of AWS.
    let mut asked: [Asked; 2] = Default::default();
    for node in (0..world.nodes.len()).map(NodeIx::new) {
        let Some(name) = cloud_identity(world, node) else { continue };
        let of = &world.nodes[node.index()];
        let provider = sink.fact(of.object, ".spec.providerID", world.text(of.provider));
        let aws = is_aws(world, node);
        let guard = Guard::of(world, node);
        let given = given(node);
        sink.edge(given, Thing::Cloud(&name), &SET_MEMBER, &[provider]);
        if is_eks(world, node) {
            let kubelet = sink.fact(of.object, ".status.nodeInfo", "a kubelet of EKS");
            let to = Thing::NodeIdentity(node);
            sink.edge(given, to, &EKS_NODE_ROLE_TO_NODE_IDENTITY, &[provider, kubelet]);
        }
        let placed = sink.fact(of.object, ".spec.nodeName", world.text(of.name));
        for pod in world.pods_on(node).iter().copied().filter(|pod| world.is_running(*pod)) {
            let (host, object) = (Host::Pod(pod), world.pods[pod.index()].object);
            let spec = world.host_spec(host);
            let mut facts = vec![Fact { object, ..placed }];
            let odds = if spec.host_network {
                facts.push(sink.fact(object, ".spec.hostNetwork", "true"));
                IMDS_NODE_ROLE.odds
            } else {
                let sandboxed = world.text(spec.runtime_class) == "gvisor"
                    && world.text(of.provider).starts_with("gce://");
                let Some(odds) = guard.odds().filter(|_| !sandboxed) else { continue };
                let ask = |from| to_metadata(world, sink, from, aws);
                let Some(way) = asked[usize::from(aws)].of(world, host, ask) else { continue };
                facts.extend(&way.facts);
                way.odds(odds)
            };
            facts.push(provider);
            asks(world, sink, host, given, odds, &facts);
        }
    }
}

/// Templates, and pods whose node the snapshot does not show: they run on some node of those that
/// it does show.
fn unplaced(world: &World, sink: &mut Sink<'_>) {
    let key = |host_network| {
        Thing::Set(SetKey { kind: &CLOUDS_OF_NODES, ns: Sym::EMPTY, of: u32::from(host_network) })
    };
    // Each identity once, by the first node that has it.
    let mut known = BTreeSet::new();
    for node in (0..world.nodes.len()).map(NodeIx::new) {
        let Some(name) = cloud_identity(world, node) else { continue };
        let of = &world.nodes[node.index()];
        let fact = sink.fact(of.object, ".spec.providerID", world.text(of.provider));
        for host_network in [false, true] {
            let answers = host_network || Guard::of(world, node) != Guard::Refuses;
            if answers && known.insert((host_network, name.clone())) {
                sink.edge(key(host_network), Thing::Cloud(&name), &SET_MEMBER, &[fact]);
            }
        }
    }
    let answered = [false, true].map(|of| known.iter().any(|(kind, _)| *kind == of));
    let unknown = world.symbols.get(UNKNOWN_NODE).and_then(|name| world.node(name));
    if !answered[1] {
        return;
    }
    let aws = (0..world.nodes.len()).any(|node| is_aws(world, NodeIx::new(node)));
    let (mut asked, open) = (Asked::default(), Passage::open(Vec::new()));
    for host in world.hosts().filter(|host| world.host_node(*host) == unknown) {
        let on = world.host_spec(host).host_network;
        if answered[usize::from(on)] {
            let ask = |from| to_metadata(world, sink, from, aws);
            let way = if on { Some(&open) } else { asked.of(world, host, ask) };
            let Some(way) = way else { continue };
            let (object, _) = world.host_object(host);
            let field = world.host_field(host, ".spec.nodeName");
            let fact = sink.fact(object, &field, "its node is not in the snapshot");
            let facts: Vec<Fact> = [fact].into_iter().chain(way.facts.iter().copied()).collect();
            asks(world, sink, host, key(on), way.odds(Odds::unknown(0.2)), &facts);
        }
    }
}

/// The edges from the containers of what runs to the identity.
fn asks(world: &World, sink: &mut Sink<'_>, host: Host, to: Thing<'_>, odds: Odds, facts: &[Fact]) {
    for (i, container) in world.host_spec(host).containers.iter().enumerate() {
        if world.is_enterable(host, container) {
            sink.edge_with(Thing::Container(host, i), to, &IMDS_NODE_ROLE, odds, facts);
        }
    }
}
