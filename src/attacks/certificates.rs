//! Client certificates by the certificates API.

use super::Family;
use super::gate::{PART, gate, needed_together};
use super::impersonation::{
    ABSENT_ACCOUNTS, NODE_IDENTITIES, USERS, absent_members, cluster, groups_worth, node_members,
    user_members,
};
use super::sets::{SERVICE_ACCOUNTS, SET_MEMBER};
use super::together::{Held, Right, parts, together};
use crate::graph::{Attack, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission};
use crate::world::{AccountIx, ObjectId, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Has a client certificate signed for another identity.
    ///
    /// ## Needs
    /// Three things, which may be held by different conquered identities, all by
    /// ClusterRoleBindings: `create` on `certificatesigningrequests`; `update` or `patch` on
    /// `certificatesigningrequests/approval` together with `approve` on the signer
    /// `kubernetes.io/kube-apiserver-client` (or `kubernetes.io/*`, or all `signers`); and reading
    /// the request to fetch the certificate.
    /// ## Abuse
    /// Create a CertificateSigningRequest with `signerName: kubernetes.io/kube-apiserver-client`
    /// and the subject `O=kubeadm:cluster-admins, CN=any`, `kubectl certificate approve NAME`, then
    /// read `.status.certificate`. Any user name can be asked for, those of service accounts and
    /// nodes too, and any group but `system:masters`.
    /// ## Stopped by
    /// The CertificateSubjectRestriction plugin refuses `O=system:masters`. EKS does not sign for
    /// this signer. Without `approve` on the signer an approval is refused.
    /// ## Fix
    /// Limit `approve` by `resourceNames` to the signers in use; cert-manager's approver needs no
    /// right on `kubernetes.io/kube-apiserver-client`. Certificates cannot be revoked: keep them
    /// short with `--cluster-signing-duration`.
    /// ## Detect
    /// Audit events `create` on `certificatesigningrequests` and `patch` or `update` on
    /// `certificatesigningrequests/approval` with that signer by anybody but the controllers.
    /// ## References
    /// - kubernetes `plugin/pkg/admission/certificates/{approval,subjectrestriction}`
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/>
    /// - executed on kube-apiserver 1.36: the certificate for `O=kubeadm:cluster-admins` rules the
    ///   cluster; `approve` on `kubernetes.io/*` covers every signer of that domain
    pub(super) static CSR_APPROVE_CLIENT = {
        id: "csr-approve-client", title: "Sign a client certificate",
        mitre: &["T1649", "T1098"], odds: Odds::certain(0.9),
    }
}

static CREATE: SetKind = SetKind { id: "csr-create", noun: "rights to request certificates" };
static APPROVE: SetKind =
    SetKind { id: "csr-approve", noun: "rights to approve client certificates" };
static READ: SetKind = SetKind { id: "csr-read", noun: "rights to read signed certificates" };
/// Opens when a client certificate can be requested, approved and read.
static CERTIFICATE: SetKind =
    SetKind { id: "client-certificate", noun: "signed client certificates" };
/// The groups that a certificate can name: all but `system:masters`.
static CERTIFIED_GROUPS: SetKind =
    SetKind { id: "certified-groups", noun: "groups that a certificate can name" };

/// Certificates.
pub(super) static FAMILY: Family =
    Family { name: "E Certificates", attacks: &[&CSR_APPROVE_CLIENT], find };

pub(super) const GROUP: &str = "certificates.k8s.io";
pub(super) const REQUESTS: &str = "certificatesigningrequests";
const APPROVAL: &str = "certificatesigningrequests/approval";

fn find(world: &World, sink: &mut Sink<'_>) {
    if is_eks(world) {
        return;
    }
    let open = CLIENT.open(world, sink, |_, from, facts| vec![(from, facts.to_vec())]);
    if let Some(gate) = open {
        identities(world, sink, gate);
    }
}

/// What a certificate by approval takes: requesting it, approving the request and reading what was
/// signed.
pub(super) struct Approval {
    pub attack: &'static Attack,
    /// The names of signers that `approve` may be limited to.
    pub signers: &'static [&'static str],
    pub create: &'static SetKind,
    pub approve: &'static SetKind,
    pub read: &'static SetKind,
    /// Opens when all three are held.
    pub signed: &'static SetKind,
}

static CLIENT: Approval = Approval {
    attack: &CSR_APPROVE_CLIENT,
    signers: &["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"],
    create: &CREATE,
    approve: &APPROVE,
    read: &READ,
    signed: &CERTIFICATE,
};

impl Approval {
    /// Leads everybody who holds a part to the gate, which is returned if all parts are held by
    /// somebody. `askers` are those of a grant's subjects whose requests are worth approving.
    pub(super) fn open(
        &self,
        world: &World,
        sink: &mut Sink<'_>,
        askers: impl Fn(&mut Sink<'_>, Thing<'static>, &[Fact]) -> Vec<(Thing<'static>, Vec<Fact>)>,
    ) -> Option<Thing<'static>> {
        let creators = parts(world, &[Permission::cluster("create", GROUP, REQUESTS)]);
        let approvers = approvers(world, self.signers);
        if creators.is_empty() || approvers.is_empty() {
            return None;
        }
        for grant in &creators {
            let facts = sink.grant(grant);
            for (from, facts) in askers(sink, Thing::Binding(grant.binding), &facts) {
                sink.edge_with(from, cluster(self.create), self.attack, PART, &facts);
            }
        }
        for held in &approvers {
            let facts = held.facts(world, sink);
            sink.edge_with(held.from(), cluster(self.approve), self.attack, PART, &facts);
            // The answer to an approval is the whole request, with the certificate once it is
            // signed.
            let odds = Odds::likely(0.9);
            sink.edge_with(held.from(), cluster(self.read), self.attack, odds, &facts);
        }
        readers(world, sink, self.read, self.attack);
        let key = SetKey { kind: self.signed, ns: Sym::EMPTY, of: 0 };
        let parts = [self.create, self.approve, self.read].map(cluster);
        Some(gate(world, sink, key, self.attack, &parts))
    }
}

/// Leads everybody who may read requests to a set; whether there is anybody. Whoever creates a
/// request chooses its name, so a right limited to a name is enough.
pub(super) fn readers(
    world: &World,
    sink: &mut Sink<'_>,
    set: &'static SetKind,
    attack: &'static Attack,
) -> bool {
    let reads = ["get", "list", "watch"].map(|verb| Permission::cluster(verb, GROUP, REQUESTS));
    let grants = parts(world, &reads);
    for grant in &grants {
        let facts = sink.grant(grant);
        sink.edge_with(Thing::Binding(grant.binding), cluster(set), attack, PART, &facts);
    }
    !grants.is_empty()
}

/// Every way of approving requests to one of these signers: both rights are checked of the one who
/// approves.
fn approvers<'w>(world: &'w World, signers: &[&str]) -> Vec<Held<'w>> {
    let right = |verb, resource| Permission::cluster(verb, GROUP, resource);
    let rights =
        |any: &[Permission]| parts(world, any).into_iter().map(Right::from).collect::<Vec<_>>();
    let approval = rights(&[right("update", APPROVAL), right("patch", APPROVAL)]);
    let mut approve = rights(&[right("approve", "signers")]);
    approve.retain(|right| match right.names {
        Names::All => true,
        Names::Only(names) => names.iter().any(|n| signers.contains(&world.text(*n))),
    });
    for right in &mut approve {
        right.names = Names::All;
    }
    together(world, &[approval, approve])
}

/// Whoever a certificate can name.
fn identities(world: &World, sink: &mut Sink<'_>, gate: Thing<'_>) {
    let part = |sink: &mut Sink<'_>, set: &'static SetKind| {
        let fact = needed_together(world, sink);
        sink.edge(gate, cluster(set), &CSR_APPROVE_CLIENT, &[fact]);
    };
    part(sink, &USERS);
    user_members(world, sink);
    part(sink, &CERTIFIED_GROUPS);
    for (group, name) in groups_worth(world).filter(|(_, name)| *name != "system:masters") {
        let fact = sink.fact(world.groups[group.index()].0, ".metadata.name", name);
        sink.edge(cluster(&CERTIFIED_GROUPS), Thing::Group(group), &SET_MEMBER, &[fact]);
    }
    part(sink, &NODE_IDENTITIES);
    node_members(world, sink);
    // RBAC knows a service account by its user name, whoever vouches for it.
    part(sink, &SERVICE_ACCOUNTS);
    let absent = |i| super::impersonation::is_absent(world, AccountIx::new(i));
    if (0..world.accounts.len()).any(absent) {
        part(sink, &ABSENT_ACCOUNTS);
        absent_members(world, sink, &BTreeSet::from([Sym::EMPTY]));
    }
}

/// Whether the cluster is one of EKS, which signs no client certificates.
pub(super) fn is_eks(world: &World) -> bool {
    eks_sign(world).is_some()
}

/// What tells that the cluster is one of EKS: a node or a role.
pub(super) fn eks_sign(world: &World) -> Option<ObjectId> {
    let by_label = |node: &crate::world::Node| {
        let labels = world.labels_of(node.object);
        labels.iter().any(|(key, _)| world.text(*key).starts_with("eks.amazonaws.com/"))
    };
    let mut nodes = world.nodes.iter();
    let node = nodes.find(|n| by_label(n) || world.text(n.kubelet).contains("-eks-"));
    node.map(|n| n.object).or_else(|| {
        let role = world.roles.iter().find(|r| world.text(r.name).starts_with("eks:"));
        role.map(|r| r.object)
    })
}
