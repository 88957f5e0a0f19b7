//! Becoming a node by a certificate: with a bootstrap token, with the right to have one approved by
//! the controller, or with the right to approve it.
//!
//! The certificate of an existing node's name is signed as readily as that of a new one. What a
//! node's identity may do is in `node`.

use super::Family;
use super::bootstrap_tokens::{self, BOOTSTRAP_TOKEN_SECRET};
use super::certificates::{Approval, GROUP, REQUESTS, is_eks, readers};
use super::gate::{PART, gate, needed_together};
use super::impersonation::{NODE_IDENTITIES, cluster, node_members};
use super::together::{Right, parts, together};
use crate::graph::{Attack, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::Permission;
use crate::world::{Principal, World};

crate::attack! {
    /// Asks for the certificate of any node and has it approved by the controller.
    ///
    /// ## Needs
    /// `create` on `certificatesigningrequests` and on `certificatesigningrequests/nodeclient`, both
    /// of the same caller and by ClusterRoleBindings, as kubeadm gives them to the group
    /// `system:bootstrappers:kubeadm:default-node-token`; and reading the request to fetch the
    /// certificate, which another conquered identity may do.
    /// ## Abuse
    /// Create a CertificateSigningRequest with `signerName:
    /// kubernetes.io/kube-apiserver-client-kubelet`, the subject `O=system:nodes,
    /// CN=system:node:NODE` of an existing node and the usages of a client, then read
    /// `.status.certificate`.
    /// ## Stopped by
    /// A kube-controller-manager without the controllers that approve and sign; EKS, which signs
    /// for no such signer. NodeRestriction lets a node ask for its own name alone, and
    /// `selfnodeclient` renews one's own certificate only.
    /// ## Fix
    /// Delete the binding to `system:certificates.k8s.io:certificatesigningrequests:nodeclient`
    /// when no node is to join, and approve by hand.
    /// ## Detect
    /// Audit events `create` on `certificatesigningrequests` for the name of a node that exists
    /// already, from another address than the node's.
    /// ## References
    /// - kubernetes `pkg/controller/certificates/approver/sarapprove.go`
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/>
    /// - executed on kube-apiserver 1.36: the certificate of an existing node was issued at once,
    ///   and read the Secrets of the node's pods; without `nodeclient` the request stays pending
    pub(super) static NODE_BOOTSTRAP = {
        id: "node-bootstrap", title: "Have a node's certificate signed",
        mitre: &["T1649", "T1552.007"], odds: Odds::certain(0.9),
    }
}

crate::attack! {
    /// Asks for the certificate of any node and approves it.
    ///
    /// ## Needs
    /// Three things, which may be held by different conquered identities, all by
    /// ClusterRoleBindings: `create` on `certificatesigningrequests`; `update` or `patch` on
    /// `certificatesigningrequests/approval` together with `approve` on the signer
    /// `kubernetes.io/kube-apiserver-client-kubelet` (or `kubernetes.io/*`, or all `signers`); and
    /// reading the request to fetch the certificate.
    /// ## Abuse
    /// Create the request of `node-bootstrap`, `kubectl certificate approve NAME`, then read
    /// `.status.certificate`.
    /// ## Stopped by
    /// The signer signs for names that begin with `system:node:` and no others. Without `approve` on
    /// the signer an approval is refused. EKS signs for no such signer. NodeRestriction lets a node
    /// ask for its own name alone.
    /// ## Fix
    /// Limit `approve` by `resourceNames` to the signers in use.
    /// ## Detect
    /// Audit events `patch` or `update` on `certificatesigningrequests/approval` with that signer
    /// by anybody but the controllers.
    /// ## References
    /// - kubernetes `plugin/pkg/admission/certificates/approval`, `pkg/apis/certificates/helpers.go`
    /// - executed on kube-apiserver 1.36: the certificate of another node was issued and read the
    ///   Secrets of that node's pods; another name than a node's was not signed
    pub(super) static CSR_APPROVE_KUBELET_CLIENT = {
        id: "csr-approve-kubelet-client", title: "Sign a node's certificate",
        mitre: &["T1649", "T1098"], odds: Odds::certain(0.9),
    }
}

static AUTO: SetKind =
    SetKind { id: "csr-nodeclient", noun: "requests for certificates of nodes that are approved" };
static AUTO_READ: SetKind =
    SetKind { id: "csr-nodeclient-read", noun: "rights to read certificates of nodes" };
static AUTO_GATE: SetKind =
    SetKind { id: "bootstrap-certificate", noun: "certificates of nodes by bootstrap" };
static CREATE: SetKind =
    SetKind { id: "csr-create-kubelet", noun: "rights to request certificates of nodes" };
static APPROVE: SetKind =
    SetKind { id: "csr-approve-kubelet", noun: "rights to approve certificates of nodes" };
static READ: SetKind =
    SetKind { id: "csr-read-kubelet", noun: "rights to read approved certificates of nodes" };
static GATE: SetKind =
    SetKind { id: "kubelet-certificate", noun: "certificates of nodes by approval" };

/// Certificates of nodes.
pub(super) static FAMILY: Family = Family {
    name: "E Certificates of nodes",
    attacks: &[&BOOTSTRAP_TOKEN_SECRET, &NODE_BOOTSTRAP, &CSR_APPROVE_KUBELET_CLIENT],
    find,
};

static BY_APPROVAL: Approval = Approval {
    attack: &CSR_APPROVE_KUBELET_CLIENT,
    signers: &["kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/*"],
    create: &CREATE,
    approve: &APPROVE,
    read: &READ,
    signed: &GATE,
};

fn find(world: &World, sink: &mut Sink<'_>) {
    bootstrap_tokens::find(world, sink);
    let signing = ["csrsigning", "certificatesigningrequest-signing-controller"];
    if is_eks(world) || !runs(world, signing) {
        return;
    }
    if runs(world, ["csrapproving", "certificatesigningrequest-approving-controller"]) {
        automatic(world, sink);
    }
    let askers = |sink: &mut Sink<'_>, from, facts: &[Fact]| askers(world, sink, from, facts);
    if let Some(gate) = BY_APPROVAL.open(world, sink, askers) {
        identities(world, sink, gate, BY_APPROVAL.attack);
    }
}

/// Whether the controller manager runs a controller, for all that its flags show: its old name and
/// its new one.
fn runs(world: &World, names: [&str; 2]) -> bool {
    let commands = world.specs.iter().flat_map(|s| &s.containers).flat_map(|c| &c.command);
    let mut lists = commands.filter_map(|flag| world.text(*flag).strip_prefix("--controllers="));
    lists.all(|list| {
        let has = |name: &str| list.split(',').any(|part| part.trim() == name);
        let off = names.iter().any(|name| has(&format!("-{name}")));
        !off && (has("*") || names.iter().any(|name| has(name)))
    })
}

/// Whether NodeRestriction holds a principal to the certificate of its own name.
fn is_node(world: &World, principal: Principal) -> bool {
    match principal {
        Principal::Node(_) => true,
        Principal::Group(group) => world.text(world.groups[group.index()].1) == "system:nodes",
        Principal::Account(_) | Principal::User(_) => false,
    }
}

/// Where rights begin that let the name of any node be asked for: where nodes are among a binding's
/// subjects, at the others.
fn askers(
    world: &World,
    sink: &mut Sink<'_>,
    from: Thing<'static>,
    facts: &[Fact],
) -> Vec<(Thing<'static>, Vec<Fact>)> {
    let Thing::Binding(ix) = from else {
        let node = match from {
            Thing::NodeIdentity(node) => is_node(world, Principal::Node(node)),
            Thing::Group(group) => is_node(world, Principal::Group(group)),
            _ => false,
        };
        return if node { Vec::new() } else { vec![(from, facts.to_vec())] };
    };
    let binding = &world.bindings[ix.index()];
    if !binding.subjects.iter().any(|s| is_node(world, s.principal)) {
        return vec![(from, facts.to_vec())];
    }
    let others = binding.subjects.iter().filter(|s| !is_node(world, s.principal));
    let with = |s| {
        let subject = sink.subject(binding, s);
        (Thing::from(s.principal), facts.iter().copied().chain([subject]).collect())
    };
    others.map(with).collect()
}

/// The controller asks whether whoever created the request may create `nodeclient`, without a name.
fn automatic(world: &World, sink: &mut Sink<'_>) {
    let attack = &NODE_BOOTSTRAP;
    let right =
        |resource| Permission { named: false, ..Permission::cluster("create", GROUP, resource) };
    let rights = |p: Permission| parts(world, &[p]).into_iter().map(Right::from).collect();
    let approved: Vec<Right<'_>> = rights(right("certificatesigningrequests/nodeclient"));
    let created: Vec<Right<'_>> = rights(right(REQUESTS));
    let mut any = false;
    for held in together(world, &[created, approved]) {
        let facts = held.facts(world, sink);
        for (from, facts) in askers(world, sink, held.from(), &facts) {
            any = true;
            sink.edge_with(from, cluster(&AUTO), attack, PART, &facts);
        }
    }
    if !any || !readers(world, sink, &AUTO_READ, attack) {
        return;
    }
    let key = SetKey { kind: &AUTO_GATE, ns: Sym::EMPTY, of: 0 };
    let gate = gate(world, sink, key, attack, &[&AUTO, &AUTO_READ].map(cluster));
    identities(world, sink, gate, attack);
}

/// The identities of nodes behind a gate.
fn identities(world: &World, sink: &mut Sink<'_>, gate: Thing<'_>, attack: &'static Attack) {
    let fact = needed_together(world, sink);
    sink.edge(gate, cluster(&NODE_IDENTITIES), attack, &[fact]);
    node_members(world, sink);
}
