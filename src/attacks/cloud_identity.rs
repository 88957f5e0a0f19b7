//! Identities in a cloud that a service account stands for: AWS, Google Cloud and Azure exchange a
//! token of the account for credentials of their own.
//!
//! The provider accepts a token for its own audience, so the token that a pod has for the API
//! server is not enough. What leads here is the choice of the audience: a container with such a
//! token in a volume, the kubelet of a pod that has one, whoever may request tokens, and whoever
//! makes pods. Which tokens the provider trusts is not in a snapshot, so nothing here is certain.

use super::Family;
use super::cloud_pods::containers;
use super::pod_api::{named, set_of};
use super::sets::{ADMIN_ACTS, SET_MEMBER, of_admin};
use super::tokens::TOKEN_REQUEST;
use super::workload_patch::{WORKLOAD_PATCH, patchers};
use super::workloads::{POD_CREATE_AS_SERVICE_ACCOUNT, creators};
use crate::graph::{Attack, Fact, Identity, Odds, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::{AccountIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Assumes the AWS role of a service account with a web identity token (IRSA).
    ///
    /// ## Needs
    /// A service account with the annotation `eks.amazonaws.com/role-arn`, and a token of it for
    /// the audience `sts.amazonaws.com` (or that of `eks.amazonaws.com/audience`): in a container
    /// where the webhook has mounted one, by `create` on `serviceaccounts/token`, or in a pod that
    /// one makes with that account. A pod with such a token whose account has no annotation has a
    /// role that the snapshot does not name.
    /// ## Abuse
    /// In the container: `aws sts get-caller-identity`. Elsewhere: `kubectl create token ACCOUNT -n
    /// NAMESPACE --audience sts.amazonaws.com`, then `aws sts assume-role-with-web-identity
    /// --role-arn ARN --role-session-name x --web-identity-token TOKEN`.
    /// ## Stopped by
    /// The role's trust policy, which has to name the cluster's issuer and the account as `sub`. A
    /// token for the API server has another audience: STS accepts it only where the identity
    /// provider in IAM lists that audience, so this way is no more than possible. Acting as the
    /// account by impersonation, and a token from a Secret, give no such token.
    /// ## Fix
    /// Keep annotated accounts in namespaces where nobody else makes pods or requests tokens; let
    /// the trust policy name one account by `StringEquals`; give the role few permissions.
    /// ## Detect
    /// CloudTrail events `AssumeRoleWithWebIdentity` whose `userName` is
    /// `system:serviceaccount:NAMESPACE:NAME` from other addresses than the cluster's; audit events
    /// on `serviceaccounts/token` for that audience.
    /// ## References
    /// - <https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html>
    /// - <https://github.com/aws/amazon-eks-pod-identity-webhook>
    pub(super) static IRSA_ASSUME_ROLE = {
        id: "irsa-assume-role", title: "Assume the account's AWS role",
        mitre: &["T1078.004", "T1528", "MS-TA9028"], odds: Odds::likely(0.85),
        identity: Identity::Credential,
    }
}

crate::attack! {
    /// Uses the Google Cloud service account that a service account of GKE stands for.
    ///
    /// ## Needs
    /// A service account with the annotation `iam.gke.io/gcp-service-account`, and a container that
    /// runs as it, off the host's network, on a node with GKE's metadata server; or a token of it
    /// for the cluster's workload pool, by `create` on `serviceaccounts/token` or in a pod that one
    /// makes with that account. The container needs no mounted token.
    /// ## Abuse
    /// In the container: `curl -H 'Metadata-Flavor: Google'
    /// http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token`.
    /// Elsewhere: `kubectl create token ACCOUNT --audience PROJECT.svc.id.goog`, exchanged at
    /// `sts.googleapis.com`.
    /// ## Stopped by
    /// The IAM policy of the Google account, which has to grant `roles/iam.workloadIdentityUser` to
    /// the account. Pods on the host's network get the node's identity instead, and so do pods on
    /// nodes without the label `iam.gke.io/gke-metadata-server-enabled`. A token for the API server
    /// has another audience. A network policy without egress to the metadata server
    /// (`169.254.169.254` port 80 with Dataplane V2, `169.254.169.252` port 988 without), for
    /// containers that hold no token for the pool.
    /// ## Fix
    /// Keep annotated accounts in namespaces where nobody else makes pods or requests tokens; bind
    /// IAM roles to the Google account for what its pods need.
    /// ## Detect
    /// Cloud Audit Logs of `GenerateAccessToken` by the workload pool's principals.
    /// ## References
    /// - <https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity>
    /// - <https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity>
    pub(super) static GKE_WORKLOAD_IDENTITY = {
        id: "gke-workload-identity", title: "Use the account's Google identity",
        mitre: &["T1078.004", "T1552.005", "MS-TA9028"], odds: Odds::likely(0.85),
    }
}

crate::attack! {
    /// Uses the Entra application or managed identity that a service account stands for.
    ///
    /// ## Needs
    /// A service account with the annotation `azure.workload.identity/client-id`, and a token of it
    /// for the audience `api://AzureADTokenExchange`: in a container of a pod with the label
    /// `azure.workload.identity/use: "true"`, where the webhook mounts one, by `create` on
    /// `serviceaccounts/token`, or in a pod that one makes with that account.
    /// ## Abuse
    /// In the container: `az login --service-principal -u $AZURE_CLIENT_ID -t $AZURE_TENANT_ID
    /// --federated-token "$(cat $AZURE_FEDERATED_TOKEN_FILE)"`. Elsewhere: the same with a token by
    /// `kubectl create token ACCOUNT --audience api://AzureADTokenExchange`.
    /// ## Stopped by
    /// The identity's federated credential, which has to name the cluster's issuer and the account
    /// as `subject`. Pods without the label get no token. A token for the API server is accepted
    /// only where the credential lists its audience, so this way is no more than possible.
    /// ## Fix
    /// Keep annotated accounts in namespaces where nobody else makes pods or requests tokens; give
    /// the identity few roles.
    /// ## Detect
    /// Entra sign-in logs of the identity with a federated credential from other addresses than the
    /// cluster's.
    /// ## References
    /// - <https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html>
    /// - <https://learn.microsoft.com/azure/aks/workload-identity-overview>
    pub(super) static AZURE_WORKLOAD_IDENTITY = {
        id: "azure-workload-identity", title: "Use the account's Azure identity",
        mitre: &["T1078.004", "T1528", "MS-TA9028"], odds: Odds::likely(0.85),
        identity: Identity::Credential,
    }
}

crate::attack! {
    /// Uses the AWS role that EKS Pod Identity associates with a service account.
    ///
    /// ## Needs
    /// A container with a projected token for the audience `pods.eks.amazonaws.com`, which shows
    /// that AWS has an association for its account; or a pod that one makes with that account, into
    /// which the webhook puts the same. The association, and so the role's name, is not in a
    /// snapshot: an account without a pod that was served shows none.
    /// ## Abuse
    /// In the container: `curl -H "Authorization: $(cat $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)"
    /// $AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    /// ## Stopped by
    /// The node's agent exchanges tokens of pods on its node. A token by TokenRequest names no pod,
    /// and the exchange asks for the node's own AWS permissions. A network policy without egress to
    /// the agent's `169.254.170.23` (`fd00:ec2::23`), port 80, where the plugin enforces it.
    /// ## Fix
    /// Keep such accounts in namespaces where nobody else makes pods: the association is by the
    /// names of namespace and account, whoever made them. Give the role few permissions.
    /// ## Detect
    /// CloudTrail events `AssumeRoleForPodIdentity` and the role's calls, whose session tags name
    /// the pod.
    /// ## References
    /// - <https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html>
    /// - <https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html>
    pub(super) static EKS_POD_IDENTITY = {
        id: "eks-pod-identity", title: "Use the account's AWS role by its pod",
        mitre: &["T1078.004", "T1552.005", "MS-TA9028"], odds: Odds::likely(0.9),
    }
}

/// Identities in a cloud.
pub(super) static FAMILY: Family = Family {
    name: "Q Cloud identity",
    attacks: &[
        &IRSA_ASSUME_ROLE,
        &GKE_WORKLOAD_IDENTITY,
        &AZURE_WORKLOAD_IDENTITY,
        &EKS_POD_IDENTITY,
    ],
    find,
};

/// What a token of one's choice is exchanged for.
static BY_TOKEN: SetKind =
    SetKind { id: "clouds-by-token", noun: "cloud identities for tokens of accounts" };
/// What a pod of one's choice gets: all of that, and what is exchanged for pods alone.
pub(super) static BY_POD: SetKind =
    SetKind { id: "clouds-by-pod", noun: "cloud identities for pods to create" };

/// A way in which a provider takes a service account for one of its own identities.
pub(super) struct Provider {
    pub(super) attack: &'static Attack,
    /// The account's annotation that names the identity; empty where nothing in the cluster does.
    annotation: &'static str,
    /// What stands before the annotation's value in the identity's name.
    prefix: &'static str,
    /// What an identity is called whose name is not known, before namespace and account.
    unnamed: &'static str,
    /// The audience of its tokens; empty where no volume shows one.
    audience: &'static str,
    /// Whether any token for the audience will do, rather than one in a pod.
    pub(super) by_token: bool,
}

pub(super) static PROVIDERS: [Provider; 4] = [
    Provider {
        attack: &IRSA_ASSUME_ROLE,
        annotation: "eks.amazonaws.com/role-arn",
        prefix: "",
        unnamed: "aws-role-of",
        audience: "sts.amazonaws.com",
        by_token: true,
    },
    Provider {
        attack: &GKE_WORKLOAD_IDENTITY,
        annotation: "iam.gke.io/gcp-service-account",
        prefix: "",
        unnamed: "",
        audience: "",
        by_token: true,
    },
    Provider {
        attack: &AZURE_WORKLOAD_IDENTITY,
        annotation: "azure.workload.identity/client-id",
        prefix: "azure-client-id/",
        unnamed: "azure-identity-of",
        audience: "api://AzureADTokenExchange",
        by_token: true,
    },
    Provider {
        attack: &EKS_POD_IDENTITY,
        annotation: "",
        prefix: "",
        unnamed: "eks-pod-identity",
        audience: "pods.eks.amazonaws.com",
        by_token: false,
    },
];

/// The value of one of an account's annotations.
fn annotation<'w>(world: &'w World, account: AccountIx, key: &str) -> Option<&'w str> {
    let annotations = &world.accounts[account.index()].annotations;
    annotations.iter().find(|(k, _)| world.text(*k) == key).map(|(_, value)| world.text(*value))
}

impl Provider {
    /// The name of the account's identity, where its annotation tells it.
    pub(super) fn named(&self, world: &World, account: AccountIx) -> Option<String> {
        let value = annotation(world, account, self.annotation)?;
        Some(format!("{}{value}", self.prefix))
    }

    /// The name of the account's identity, known or not.
    pub(super) fn name(&self, world: &World, account: AccountIx) -> String {
        self.named(world, account).unwrap_or_else(|| {
            let of = &world.accounts[account.index()];
            format!("{}/{}/{}", self.unnamed, world.text(of.ns), world.text(of.name))
        })
    }

    /// Whether the provider exchanges the account's tokens for an audience.
    pub(super) fn takes(&self, world: &World, account: AccountIx, audience: &str) -> bool {
        let own = annotation(world, account, "eks.amazonaws.com/audience");
        let own = own.filter(|_| self.annotation.starts_with("eks."));
        // The sovereign clouds of Azure put their names behind the audience.
        !self.audience.is_empty()
            && (audience.starts_with(self.audience) || own.is_some_and(|own| own == audience))
    }

    pub(super) fn fact(
        &self,
        world: &World,
        sink: &mut Sink<'_>,
        account: AccountIx,
    ) -> Option<Fact> {
        let value = annotation(world, account, self.annotation)?;
        let field = format!(".metadata.annotations[{:?}]", self.annotation);
        Some(sink.fact(world.accounts[account.index()].object, &field, value))
    }
}

/// What stands for an account in a cloud: the first evidence of each identity.
pub(super) type Identities = BTreeMap<(AccountIx, usize), Vec<Fact>>;

fn find(world: &World, sink: &mut Sink<'_>) {
    let mut identities = Identities::new();
    for account in (0..world.accounts.len()).map(AccountIx::new) {
        if !world.accounts[account.index()].exists {
            continue;
        }
        for (p, provider) in PROVIDERS.iter().enumerate() {
            if let Some(fact) = provider.fact(world, sink, account) {
                identities.insert((account, p), vec![fact]);
            }
        }
    }
    containers(world, sink, &mut identities);
    if identities.is_empty() {
        return;
    }
    accounts(world, sink, &identities);
    requests(world, sink, &identities);
    let namespaces: BTreeSet<Sym> =
        identities.keys().map(|(account, _)| world.accounts[account.index()].ns).collect();
    makers(world, sink, &namespaces);
}

/// The identities behind the accounts and, for those who choose, behind the namespaces.
fn accounts(world: &World, sink: &mut Sink<'_>, identities: &Identities) {
    let mut seen = BTreeSet::new();
    for ((account, p), facts) in identities {
        let (of, provider) = (&world.accounts[account.index()], &PROVIDERS[*p]);
        let scope = Scope::Namespace(of.ns);
        let name = provider.name(world, *account);
        let kind = if provider.by_token { &BY_TOKEN } else { &BY_POD };
        sink.edge(set_of(kind, scope), Thing::Cloud(&name), provider.attack, facts);
        // The token that stands for the account in the graph is one for the API server.
        if provider.by_token && !provider.audience.is_empty() {
            let mut facts = facts.clone();
            let text = "its audience need not be one that the provider accepts";
            facts.push(sink.fact(of.object, "", text));
            let odds = Odds::possible(0.2);
            let from = Thing::Account(*account);
            sink.edge_with(from, Thing::Cloud(&name), provider.attack, odds, &facts);
        }
        let Some(namespace) = world.namespace(of.ns).filter(|ns| seen.insert(*ns)) else {
            continue;
        };
        let object = world.namespaces[namespace.index()].object;
        let fact = sink.fact(object, "", "has service accounts with cloud identities");
        for kind in [&BY_TOKEN, &BY_POD] {
            let whole = set_of(kind, Scope::Cluster);
            sink.edge(whole, set_of(kind, scope), &SET_MEMBER, &[fact]);
        }
        // Whoever makes a pod chooses the audiences of its tokens.
        sink.edge(set_of(&BY_POD, scope), set_of(&BY_TOKEN, scope), &SET_MEMBER, &[fact]);
    }
}

/// Whoever may request tokens names the audience.
fn requests(world: &World, sink: &mut Sink<'_>, identities: &Identities) {
    let exchanged = |account: AccountIx| {
        let of = identities.range((account, 0)..(account, PROVIDERS.len()));
        of.map(|((_, p), facts)| (&PROVIDERS[*p], facts)).filter(|(p, _)| p.by_token)
    };
    let spaces: BTreeSet<Sym> = identities
        .keys()
        .filter(|(_, p)| PROVIDERS[*p].by_token)
        .map(|(account, _)| world.accounts[account.index()].ns)
        .collect();
    for grant in world.grants(&Permission::namespaced("create", "", "serviceaccounts/token")) {
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(&grant);
        let Names::Only(names) = grant.names else {
            if spaces.iter().any(|ns| grant.scope.covers(*ns)) {
                sink.edge(from, set_of(&BY_TOKEN, grant.scope), &TOKEN_REQUEST, &facts);
            }
            continue;
        };
        for account in named(world, grant.scope, names, |ns, name| world.account(ns, name)) {
            for (provider, own) in exchanged(account) {
                let facts: Vec<Fact> = facts.iter().chain(own).copied().collect();
                let name = provider.name(world, account);
                sink.edge(from, Thing::Cloud(&name), provider.attack, &facts);
            }
        }
    }
}

/// Whoever makes pods, or changes what makes them, chooses their account and their tokens.
fn makers(world: &World, sink: &mut Sink<'_>, namespaces: &BTreeSet<Sym>) {
    let reaches = |scope: Scope| namespaces.iter().any(|ns| scope.covers(*ns));
    for maker in creators(world, sink).into_iter().filter(|m| reaches(m.scope)) {
        let to = set_of(&BY_POD, maker.scope);
        sink.edge(maker.from, to, &POD_CREATE_AS_SERVICE_ACCOUNT, &maker.facts);
    }
    let (narrow, wide) = patchers(world, sink);
    for patcher in narrow.into_iter().filter(|m| reaches(m.scope)) {
        let to = set_of(&BY_POD, patcher.scope);
        sink.edge(patcher.from, to, &WORKLOAD_PATCH, &patcher.facts);
    }
    let mut sets = BTreeMap::new();
    for (template, patcher) in wide {
        let to = set_of(&template.clouds, Scope::Cluster);
        let standing = sets.entry(to).or_insert_with(|| {
            let mut standing = template.namespaces(world);
            standing.retain(|ns| namespaces.contains(ns));
            (template, standing)
        });
        if !standing.1.is_empty() {
            sink.edge(patcher.from, to, &WORKLOAD_PATCH, &patcher.facts);
        }
    }
    for (set, (template, standing)) in sets {
        for ns in standing {
            let Some(namespace) = world.namespace(ns) else { continue };
            let fact = template.stands(sink, &world.namespaces[namespace.index()]);
            sink.edge(set, set_of(&BY_POD, Scope::Namespace(ns)), &SET_MEMBER, &[fact]);
        }
    }
    for ns in namespaces {
        let Some(namespace) = world.namespace(*ns) else { continue };
        let fact = of_admin(sink, &world.namespaces[namespace.index()]);
        let (from, to) = (Thing::NamespaceAdmin(namespace), set_of(&BY_POD, Scope::Namespace(*ns)));
        sink.edge_with(from, to, &super::structure::IS_NAMESPACE_ADMIN, ADMIN_ACTS, &[fact]);
    }
}
