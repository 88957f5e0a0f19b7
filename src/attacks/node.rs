//! What root on a node amounts to: its pods, its kubelet's identity and what that may ask for.
//!
//! The node authorizer lets a kubelet read what the pods bound to its node refer to, and
//! NodeRestriction lets it ask for tokens of their accounts. What RBAC binds to a node or to the
//! group `system:nodes` beside that is structure, as for every other principal.

use super::tokens::{api_audiences, is_api_audience};
use super::{Family, credentials};
use crate::graph::{Attack, Confidence, Fact, Odds, SetKind, Sink, Thing, Value};
use crate::sym::Sym;
use crate::world::hosts::{Host, Unit};
use crate::world::{AccountIx, NodeIx, ObjectId, SecretIx, UNKNOWN_NODE, World};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Enters the pods of a node from the node.
    ///
    /// ## Needs
    /// Root on the node, and a pod on it that has not ended.
    /// ## Abuse
    /// `crictl exec`, `nsenter -t PID -a`, or the files below `/var/lib/kubelet/pods` and
    /// `/proc/PID/root`.
    /// ## Stopped by
    /// Nothing for ordinary containers; confidential virtual machines keep their memory from the
    /// node. Of pods without a known node nobody can say which share one.
    /// ## Fix
    /// Keep powerful pods on nodes of their own, by taints and node selectors.
    /// ## Detect
    /// Processes that join a container's namespaces and are not the container runtime's.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/api-server-bypass-risks/>
    pub(super) static NODE_HOSTS_POD = {
        id: "node-hosts-pod", title: "Enter a pod from its node", mitre: &["T1611"],
        odds: Odds::certain(0.98),
    }
}

crate::attack! {
    /// Takes the kubelet's credential from the node's disk.
    ///
    /// ## Needs
    /// Root on the node.
    /// ## Abuse
    /// `kubectl --kubeconfig /etc/kubernetes/kubelet.conf get pods -A`, or the certificate
    /// `/var/lib/kubelet/pki/kubelet-client-current.pem`.
    /// ## Stopped by
    /// Credentials sealed into a TPM cannot be carried away, but root on the node can use them
    /// there.
    /// ## Fix
    /// Nothing removes it: a kubelet needs a credential. Keep root on nodes out of reach.
    /// ## Detect
    /// Requests of `system:node:NAME` from another address than the node's, or with another user
    /// agent than the kubelet's.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/node/>
    pub(super) static NODE_HAS_IDENTITY = {
        id: "node-has-identity", title: "Take the kubelet's credential", mitre: &["T1552.001"],
        odds: Odds::certain(0.98),
    }
}

crate::attack! {
    /// Reads the Secrets that the pods of the node refer to, as its kubelet.
    ///
    /// ## Needs
    /// A pod bound to the node, running or ended, that names the Secret in a volume, in its
    /// environment, as an image pull secret or for a CSI driver. Static pods name none.
    /// ## Abuse
    /// `kubectl --kubeconfig kubelet.conf get secret NAME -n NAMESPACE`.
    /// ## Stopped by
    /// The node authorizer: other Secrets, and lists of them, are refused.
    /// ## Fix
    /// Delete ended pods; keep pods with valuable Secrets on nodes of their own.
    /// ## Detect
    /// Audit events `get` on `secrets` by `system:node:NAME` with another user agent than the
    /// kubelet's.
    /// ## References
    /// - kubernetes `plugin/pkg/auth/authorizer/node/graph.go`
    /// - executed on kube-apiserver 1.36: Secrets of Succeeded pods too
    pub(super) static NODE_AUTHZ_SECRET = {
        id: "node-authz-secret", title: "Read a Secret as the kubelet", mitre: &["T1552.007"],
        odds: Odds::certain(0.97),
    }
}

crate::attack! {
    /// Asks for a token of the service account of one of the node's pods, as its kubelet.
    ///
    /// ## Needs
    /// A pod bound to the node with a projected `serviceAccountToken` volume for the API server's
    /// audience, as automounting adds one. API servers before 1.33 do not compare the audience, so
    /// there any pod with an account will do.
    /// ## Abuse
    /// `kubectl --kubeconfig kubelet.conf create token ACCOUNT -n NAMESPACE --bound-object-kind Pod
    /// --bound-object-name POD --bound-object-uid UID`.
    /// ## Stopped by
    /// NodeRestriction: the token has to be bound to a pod on the node, and its audience has to be
    /// one of that pod's volumes. A pod without a token volume gives nothing.
    /// ## Fix
    /// `automountServiceAccountToken: false` for pods that do not speak to the API server.
    /// ## Detect
    /// Audit events `create` on `serviceaccounts/token` by `system:node:NAME` beyond the kubelet's
    /// own renewals.
    /// ## References
    /// - kubernetes `plugin/pkg/admission/noderestriction`,
    ///   feature gate ServiceAccountNodeAudienceRestriction
    /// - executed on kube-apiserver 1.36
    pub(super) static NODE_AUTHZ_TOKEN_REQUEST = {
        id: "node-authz-token-request", title: "Ask for a token as the kubelet",
        mitre: &["T1528"], odds: Odds::certain(0.96),
    }
}

crate::attack! {
    /// Uses the cloud identity of the machine.
    ///
    /// ## Needs
    /// Root on a node of AWS, Google Cloud or Azure, whose metadata service hands out credentials
    /// of the instance. What they may do is not in the snapshot.
    /// ## Abuse
    /// `curl http://169.254.169.254/latest/meta-data/iam/security-credentials/` with a token of
    /// IMDSv2; the like of the other providers.
    /// ## Stopped by
    /// An instance without a role; metadata concealment does not stop root on the node.
    /// ## Fix
    /// Give nodes a role with little more than pulling images and joining the cluster; give pods
    /// identities of their own.
    /// ## Detect
    /// The provider's audit log: the instance's role used from elsewhere, or for unusual calls.
    /// ## References
    /// - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
    /// - <https://cloud.google.com/kubernetes-engine/docs/how-to/protecting-cluster-metadata>
    pub(super) static NODE_TO_CLOUD_IDENTITY = {
        id: "node-to-cloud-identity", title: "Use the machine's cloud identity",
        mitre: &["T1552.005", "MS-TA9028"], odds: Odds::likely(0.6),
    }
}

/// What follows from a node.
pub(super) static FAMILY: Family = Family {
    name: "K Node compromise",
    attacks: &[
        &NODE_HOSTS_POD,
        &NODE_HAS_IDENTITY,
        &NODE_AUTHZ_SECRET,
        &NODE_AUTHZ_TOKEN_REQUEST,
        &NODE_TO_CLOUD_IDENTITY,
    ],
    find,
};

fn find(world: &World, sink: &mut Sink<'_>) {
    let mut known = Known::new(world);
    let templates: Vec<Host> =
        world.hosts().filter(|host| matches!(host, Host::Template(_))).collect();
    for (i, node) in world.nodes.iter().enumerate() {
        let ix = NodeIx::new(i);
        let unknown = world.text(node.name) == UNKNOWN_NODE;
        let here: Vec<Host> = world.pods_on(ix).iter().copied().map(Host::Pod).collect();
        // Nobody knows the node of a template's pod.
        let here: Vec<Host> =
            here.into_iter().chain(templates.iter().copied().filter(|_| unknown)).collect();
        let placed = sink.fact(
            node.object,
            ".spec.nodeName",
            if unknown { "" } else { world.text(node.name) },
        );
        let bound = bound(world, &here);
        let one = OneNode { world, ix, unknown, here, bound, placed };
        one.identity(sink);
        one.pods(sink);
        one.secrets(sink, &mut known);
        one.tokens(sink, &mut known);
        if let Some(name) = cloud_identity(world, ix) {
            let fact = sink.fact(node.object, ".spec.providerID", world.text(node.provider));
            let to = Thing::Cloud(&name);
            sink.edge(Thing::Node(ix), to, &NODE_TO_CLOUD_IDENTITY, &[fact]);
        }
    }
}

/// The name of the cloud identity of a node's machine, where its provider gives it one. The
/// machines of a managed pool share the pool's; otherwise it bears the machine's own id, since the
/// snapshot does not say which machines share one.
pub(super) fn cloud_identity(world: &World, node: NodeIx) -> Option<String> {
    let node = &world.nodes[node.index()];
    let (scheme, machine) = world.text(node.provider).split_once("://")?;
    let (of, pool) = match scheme {
        "aws" => ("aws-instance-role", "eks.amazonaws.com/nodegroup"),
        "gce" => ("gce-service-account", "cloud.google.com/gke-nodepool"),
        "azure" => ("azure-managed-identity", "kubernetes.azure.com/agentpool"),
        _ => return None,
    };
    // A pod of Fargate has a machine of its own without a metadata service.
    let compute = world.label(node.object, "eks.amazonaws.com/compute-type");
    if compute.is_some_and(|compute| world.text(compute) == "fargate") {
        return None;
    }
    Some(match world.label(node.object, pool) {
        Some(pool) if !pool.is_empty() => format!("{of}/pool/{}", world.text(pool)),
        _ => format!("{of}/{}", machine.trim_start_matches('/')),
    })
}

/// A node and the pods on it, ended ones too.
struct OneNode<'w> {
    world: &'w World,
    ix: NodeIx,
    unknown: bool,
    here: Vec<Host>,
    /// Those that the API server knows as bound here, one of each unit.
    bound: Vec<Host>,
    /// That something is on the node; the object is put in for each.
    placed: Fact,
}

/// Of the pods on a node those that the API server knows as bound there, one of each specification
/// and namespace.
fn bound(world: &World, here: &[Host]) -> Vec<Host> {
    let mut seen = FxHashSet::default();
    let mut bound = here.to_vec();
    bound.retain(|host| match host {
        Host::Pod(ix) => {
            let ended = !world.is_running(*ix);
            !world.pods[ix.index()].mirror && seen.insert((world.host_unit(*host), ended))
        }
        Host::Template(_) => true,
    });
    bound
}

impl OneNode<'_> {
    /// Two pods without a known node need not share one.
    fn odds(&self, odds: Odds) -> Odds {
        if self.unknown { Odds::unknown(0.3) } else { odds }
    }

    /// The fact that a pod is on the node.
    const fn on(&self, object: ObjectId) -> Fact {
        Fact { object, ..self.placed }
    }

    fn identity(&self, sink: &mut Sink<'_>) {
        let node = &self.world.nodes[self.ix.index()];
        let fact = sink.fact(node.object, ".metadata.name", self.world.text(node.name));
        let odds = self.odds(NODE_HAS_IDENTITY.odds);
        let (from, to) = (Thing::Node(self.ix), Thing::NodeIdentity(self.ix));
        sink.edge_with(from, to, &NODE_HAS_IDENTITY, odds, &[fact]);
    }

    fn pods(&self, sink: &mut Sink<'_>) {
        let odds = self.odds(NODE_HOSTS_POD.odds);
        for host in &self.here {
            if matches!(host, Host::Pod(pod) if !self.world.is_running(*pod)) {
                continue;
            }
            let fact = self.on(self.world.host_object(*host).0);
            let to = Thing::from(*host);
            sink.edge_with(Thing::Node(self.ix), to, &NODE_HOSTS_POD, odds, &[fact]);
        }
    }

    /// Whether what a pod leaves on the machine is in the sets of [`credentials`].
    fn shares(&self, host: Host) -> bool {
        !self.unknown && matches!(host, Host::Pod(pod) if self.world.is_running(pod))
    }

    /// What the kubelet may ask for and root on the machine finds there is one set.
    fn set(&self, sink: &mut Sink<'_>, kind: &'static SetKind, attack: &'static Attack) {
        let node = &self.world.nodes[self.ix.index()];
        let fact = sink.fact(node.object, "", "its pods name them");
        let set = Thing::Set(credentials::on(kind, self.ix));
        sink.edge(Thing::NodeIdentity(self.ix), set, attack, &[fact]);
    }

    fn secrets(&self, sink: &mut Sink<'_>, known: &mut Known) {
        let world = self.world;
        let mut found = Vec::new();
        for host in self.bound.iter().copied() {
            let shared = self.shares(host);
            let of = known.references(world, sink, host);
            found.extend(of.iter().map(|(secret, field, kind)| {
                let set = kind.filter(|_| shared);
                (*secret, set.is_none(), set, host, *field)
            }));
        }
        // The first pod that names a Secret is evidence enough, best one whose Secrets are in a
        // set already. The sort keeps the order of pods.
        found.sort_by_key(|(secret, alone, ..)| (*secret, *alone));
        found.dedup_by_key(|(secret, ..)| *secret);
        for kind in [&credentials::FILES, &credentials::ENVIRONMENT] {
            if found.iter().any(|(_, _, set, ..)| *set == Some(kind)) {
                self.set(sink, kind, &NODE_AUTHZ_SECRET);
            }
        }
        let odds = self.odds(NODE_AUTHZ_SECRET.odds);
        let from = Thing::NodeIdentity(self.ix);
        for (secret, _, _, host, field) in found.into_iter().filter(|(_, alone, ..)| *alone) {
            let (object, _) = world.host_object(host);
            let facts = [self.on(object), Fact { object, field, value: Value::TARGET }];
            sink.edge_with(from, Thing::Secret(secret), &NODE_AUTHZ_SECRET, odds, &facts);
        }
        self.pull_secrets(sink);
    }

    /// Admission puts the account's pull secrets into pods that name none. A pod that was served
    /// has them already.
    fn pull_secrets(&self, sink: &mut Sink<'_>) {
        let world = self.world;
        let mut seen = BTreeSet::new();
        for host in self.bound.iter().copied() {
            let Some(account) = world.host_account(host).filter(|_| !world.is_served(host)) else {
                continue;
            };
            if !world.host_spec(host).pull_secrets.is_empty() || !seen.insert(account) {
                continue;
            }
            let account = &world.accounts[account.index()];
            for (i, name) in account.pull_secrets.iter().enumerate() {
                let Some(secret) = world.secret(account.ns, *name) else { continue };
                let field = format!(".imagePullSecrets[{i}].name");
                let names = sink.fact(account.object, &field, world.text(*name));
                let facts = [self.on(world.host_object(host).0), names];
                let odds = self.odds(NODE_AUTHZ_SECRET.odds);
                let (from, to) = (Thing::NodeIdentity(self.ix), Thing::Secret(secret));
                sink.edge_with(from, to, &NODE_AUTHZ_SECRET, odds, &facts);
            }
        }
    }

    fn tokens(&self, sink: &mut Sink<'_>, known: &mut Known) {
        let world = self.world;
        let mut found: Vec<(AccountIx, bool, Reason, Host)> = Vec::new();
        for host in self.bound.iter().copied() {
            let Some((account, reason)) = known.token(world, sink, host) else { continue };
            let ended = matches!(host, Host::Pod(pod) if !world.is_running(pod));
            found.push((account, ended, reason, host));
        }
        // The surest of each account's; the sort keeps the order of pods that are as good.
        found.sort_by_key(|(account, ended, reason, _)| (*account, *ended, reason.why));
        found.dedup_by_key(|(account, ..)| *account);
        let (shared, alone): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|(.., reason, host)| reason.why != Why::Unchecked && self.shares(*host));
        if !shared.is_empty() {
            self.set(sink, &credentials::TOKENS, &NODE_AUTHZ_TOKEN_REQUEST);
        }
        for (account, ended, reason, host) in alone {
            let (object, _) = world.host_object(host);
            let mut odds = self.odds(NODE_AUTHZ_TOKEN_REQUEST.odds);
            if reason.why == Why::Unchecked {
                odds = odds.but(0.8, Confidence::Likely);
            }
            let mut facts = vec![self.on(object), Fact { object, ..reason.fact }];
            if ended {
                // The pod is still bound, but whether a token is issued for one that has ended
                // was not tried on a real server.
                odds = odds.but(0.4, Confidence::Possible);
                facts.push(sink.fact(object, ".status.phase", "the pod has ended"));
            }
            let (from, to) = (Thing::NodeIdentity(self.ix), Thing::Account(account));
            sink.edge_with(from, to, &NODE_AUTHZ_TOKEN_REQUEST, odds, &facts);
        }
    }
}

/// What is known of the pods of each unit, so that it is worked out once and not on every node.
struct Known {
    /// What the API server takes for its own audience, as its flags say where they are shown.
    audiences: Vec<Sym>,
    /// The API server's version, where it is older than the check of audiences.
    unchecked: Option<String>,
    references: FxHashMap<Unit, Vec<Reference>>,
    tokens: FxHashMap<Unit, Option<(AccountIx, Reason)>>,
}

impl Known {
    fn new(world: &World) -> Self {
        // The first minor version whose API server compares audiences by default.
        let old = world.server_version().filter(|v| v.is_before(1, 33));
        Self {
            audiences: api_audiences(world),
            unchecked: old.map(|v| format!("v{}.{}", v.major, v.minor)),
            references: FxHashMap::default(),
            tokens: FxHashMap::default(),
        }
    }

    /// The Secrets that the unit's pods name, each with the first field that does.
    fn references(&mut self, world: &World, sink: &mut Sink<'_>, host: Host) -> &[Reference] {
        self.references.entry(world.host_unit(host)).or_insert_with(|| {
            let (_, ns) = world.host_object(host);
            let mut found = Vec::new();
            credentials::references(world.host_spec(host), &mut |name, field, set| {
                if let Some(secret) = world.secret(ns, name) {
                    found.push((secret, sink.field(&world.host_field(host, &field)), set));
                }
            });
            found
        })
    }

    /// The account that the unit's pods let a kubelet ask tokens of.
    fn token(
        &mut self,
        world: &World,
        sink: &mut Sink<'_>,
        host: Host,
    ) -> Option<(AccountIx, Reason)> {
        let (audiences, unchecked) = (&self.audiences, &self.unchecked);
        *self.tokens.entry(world.host_unit(host)).or_insert_with(|| {
            let account = world.host_account(host)?;
            let spec = world.host_spec(host);
            let is_api = |audience| is_api_audience(world, audiences, audience);
            let row = &world.accounts[account.index()];
            let name = world.text(row.name);
            let (why, field, value) = if let Some((volume, source)) = spec.api_tokens(is_api).next()
            {
                let field = format!(
                    ".spec.volumes[{volume}].projected.sources[{source}].serviceAccountToken"
                );
                (Why::Volume, field, "for the API server".to_owned())
            } else {
                let field = ".spec.serviceAccountName".to_owned();
                if !world.is_served(host) && spec.automount.or(row.automount).unwrap_or(true) {
                    (Why::Automount, field, format!("{name}, whose token is mounted by default"))
                } else {
                    let version = unchecked.as_ref()?;
                    (Why::Unchecked, field, format!("{name}, on an API server of {version}"))
                }
            };
            let (object, _) = world.host_object(host);
            let fact = sink.fact(object, &world.host_field(host, &field), &value);
            Some((account, Reason { why, fact }))
        })
    }
}

/// A Secret that a pod names, the field, and the set that it is in by that.
type Reference = (SecretIx, Sym, Option<&'static SetKind>);

/// Why a kubelet gets a token of an account, and the fact that says so.
#[derive(Debug, Clone, Copy)]
struct Reason {
    why: Why,
    fact: Fact,
}

/// The surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// The pod has a token volume for the API server.
    Volume,
    /// It will have one: admission adds it.
    Automount,
    /// The API server is of a version that does not compare audiences.
    Unchecked,
}

/// The Secrets that the pods bound to a node name, or to any known one: those that the node
/// authorizer lets a kubelet read. Each with the first pod and field that name it.
pub(super) fn named_on(
    world: &World,
    sink: &mut Sink<'_>,
    node: Option<NodeIx>,
) -> BTreeMap<SecretIx, Fact> {
    let mut known = Known::new(world);
    let mut found = BTreeMap::new();
    let mut seen = FxHashSet::default();
    for node in (0..world.nodes.len()).map(NodeIx::new).filter(|n| node.is_none_or(|o| o == *n)) {
        if world.text(world.nodes[node.index()].name) == UNKNOWN_NODE {
            continue;
        }
        for pod in world.pods_on(node).iter().filter(|p| !world.pods[p.index()].mirror) {
            let host = Host::Pod(*pod);
            if seen.insert(world.host_unit(host)) {
                let (object, _) = world.host_object(host);
                for (secret, field, _) in known.references(world, sink, host) {
                    let fact = Fact { object, field: *field, value: Value::TARGET };
                    found.entry(*secret).or_insert(fact);
                }
            }
        }
    }
    found
}
