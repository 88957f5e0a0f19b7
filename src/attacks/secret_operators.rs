//! Deputies that carry Secrets and credentials: they read them with rights of their own, and send
//! them where an object says.

use super::Family;
use super::controllers::{Controller, Found};
use super::deputies::{CHANGE, Deputy, Reach, Reads, Steer, To, walk};
use super::gitops::{everywhere, own_namespace};
use crate::graph::{Confidence, Odds, SetKind, Sink};
use crate::world::World;

crate::attack! {
    /// Has the External Secrets Operator send Secrets and tokens to an address of one's own.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `clustersecretstores` of `external-secrets.io` by a
    /// ClusterRoleBinding, for all that the operator may read; or on `secretstores` in a namespace,
    /// for the Secrets and service accounts of that namespace. The operator runs. From 0.20.2 to
    /// before 1.2.0 an `externalsecrets` of any namespace reads Secrets of all (CVE-2026-22822).
    /// ## Abuse
    /// A ClusterSecretStore of the provider `kubernetes` with `server.url` of one's own and
    /// `auth.serviceAccount` of any namespace: the operator asks for a token of that account and
    /// sends it there as a bearer token. The provider `vault` with `auth.tokenSecretRef` sends what
    /// a Secret holds.
    /// ## Stopped by
    /// An operator without cluster-wide stores (`--enable-cluster-store-reconciler=false`), one
    /// limited to a namespace (`--namespace`), one that may not create `serviceaccounts/token`, and
    /// egress policies for its pods.
    /// ## Fix
    /// Remove write verbs on stores from the roles of tenants (`rbac.aggregateToEdit: false` in the
    /// chart); run 1.2.0 or newer; limit the operator's egress to the real stores.
    /// ## Detect
    /// Audit events that write stores, and `create` on `serviceaccounts/token` by the operator.
    /// ## References
    /// - <https://external-secrets.io/latest/guides/security-best-practices/>
    /// - <https://external-secrets.io/latest/provider/kubernetes/>
    /// - CVE-2026-22822
    pub(super) static ESO_CLUSTER_STORE = {
        id: "eso-cluster-store", title: "Have Secrets sent by a store", mitre: &["T1078", "T1528"],
        odds: Odds::likely(0.8),
    }
}

crate::attack! {
    /// Has cert-manager send Secrets to an address of one's own.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `issuers` of `cert-manager.io` in a namespace, for its
    /// Secrets; or on `clusterissuers` by a ClusterRoleBinding, for those of the namespace that
    /// cert-manager keeps for them, its own as a rule. The controller runs and may read them. Where
    /// it may create `serviceaccounts/token` everywhere, an issuer gets tokens too.
    /// ## Abuse
    /// Create an Issuer with `vault.server` of one's own and `vault.auth.appRole.secretRef`, which
    /// names the Secret and the key: cert-manager posts the value to that server.
    /// ## Stopped by
    /// Egress policies for cert-manager's pods. Whether the CA of an issuer is one that the API
    /// server, etcd or a mesh trusts is not in the snapshot: a right on `certificates` alone has no
    /// edge, although with such an issuer it makes any identity.
    /// ## Fix
    /// Remove write verbs on issuers from the roles of tenants; keep no Secret but its own in
    /// cert-manager's namespace; never let an issuer hold the cluster's CA.
    /// ## Detect
    /// Audit events that write `issuers` or `clusterissuers`; connections of cert-manager to hosts
    /// that are no issuer.
    /// ## References
    /// - <https://cert-manager.io/docs/configuration/vault/>
    /// - cert-manager `internal/vault/vault.go`
    pub(super) static CERT_MANAGER_ISSUER = {
        id: "cert-manager-issuer", title: "Have Secrets sent by an issuer",
        mitre: &["T1078", "T1552.007"], odds: Odds::likely(0.6),
    }
}

crate::attack! {
    /// Reads files of the Vault Secrets Operator's pod, its token among them, by a flaw.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `vaultauths` of `secrets.hashicorp.com`, and the operator
    /// running in a version from 1.3.0 to 1.4.1.
    /// ## Abuse
    /// A VaultAuth whose method refers to a file of the operator's pod instead of the tenant's own
    /// credential (CVE-2026-8715); the operator sends it to the Vault server of the connection.
    /// ## Stopped by
    /// Any other version of the operator. Which Vault roles a tenant may use is Vault's to decide.
    /// ## Fix
    /// Upgrade the operator to 1.4.2 or newer.
    /// ## Detect
    /// Audit events that write `vaultauths` or `vaultconnections` with an address of no known
    /// Vault.
    /// ## References
    /// - CVE-2026-8715
    /// - <https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso>
    pub(super) static VAULT_SECRETS_OPERATOR = {
        id: "vault-secrets-operator", title: "Read the operator's files",
        mitre: &["T1078", "T1552.001"], odds: Odds::possible(0.4),
    }
}

crate::attack! {
    /// Has Prometheus send its own token to a target of one's own.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `servicemonitors` of `monitoring.coreos.com`, and a
    /// Prometheus that the operator runs. Which namespaces and labels it selects is not in the
    /// snapshot: without a selector it is its own namespace.
    /// ## Abuse
    /// Create a ServiceMonitor for a Service of one's own whose endpoint has `bearerTokenFile:
    /// /var/run/secrets/kubernetes.io/serviceaccount/token`; each scrape bears the token. A
    /// PodMonitor has no such field.
    /// ## Stopped by
    /// `arbitraryFSAccessThroughSMs.deny: true` in the Prometheus; its selectors.
    /// ## Fix
    /// Set `arbitraryFSAccessThroughSMs.deny: true`.
    /// ## Detect
    /// Audit events that write `servicemonitors` with `bearerTokenFile`.
    /// ## References
    /// - <https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.ArbitraryFSAccessThroughSMsConfig>
    pub(super) static PROMETHEUS_FILE_SD = {
        id: "prometheus-file-sd", title: "Have Prometheus send its token", mitre: &["T1528"],
        odds: Odds::likely(0.5),
    }
}

crate::attack! {
    /// Has a replicator copy Secrets of other namespaces into one's own.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `clustersecrets` of `clustersecret.io` by a
    /// ClusterRoleBinding with that controller running; or `update` or `patch` on `secrets` in any
    /// namespace with a kubernetes-replicator that runs with `-allow-all`.
    /// ## Abuse
    /// A ClusterSecret whose `data.KEY.valueFrom.secretKeyRef` names a Secret of another namespace
    /// and whose `matchNamespace` is one's own; or the annotation
    /// `replicator.v1.mittwald.de/replicate-from: kube-system/NAME` on a Secret of one's own.
    /// ## Stopped by
    /// Without `-allow-all` the source must carry an annotation that allows it, and so it must for
    /// Reflector and others, which therefore have no edge.
    /// ## Fix
    /// Run the replicator without `-allow-all`; remove write verbs on `clustersecrets`.
    /// ## Detect
    /// Audit events that write `clustersecrets`, or the annotation `replicate-from`.
    /// ## References
    /// - <https://github.com/mittwald/kubernetes-replicator#pull-based-replication>
    /// - <https://github.com/zakkg3/ClusterSecret>
    pub(super) static SECRET_REPLICATOR = {
        id: "secret-replicator", title: "Have Secrets copied", mitre: &["T1552.007"],
        odds: Odds::likely(0.6),
    }
}

/// Secrets and credentials.
pub(super) static FAMILY: Family = Family {
    name: "R Third-party controllers: Secrets and credentials",
    attacks: &[
        &ESO_CLUSTER_STORE,
        &CERT_MANAGER_ISSUER,
        &VAULT_SECRETS_OPERATOR,
        &PROMETHEUS_FILE_SD,
        &SECRET_REPLICATOR,
    ],
    find,
};

static ESO: Controller = Controller {
    images: &["external-secrets/external-secrets", "external-secrets"],
    // The webhook and the certificate controller are the same image.
    parts: &["external-secrets"],
    labels: &["external-secrets"],
};
static CERT_MANAGER: Controller = Controller {
    images: &["cert-manager-controller", "jetstack-cert-manager-rhel9"],
    parts: &[],
    labels: &["cert-manager"],
};
static VAULT_OPERATOR: Controller =
    Controller { images: &["vault-secrets-operator"], parts: &[], labels: &[] };
static PROMETHEUS: Controller =
    Controller { images: &["prometheus/prometheus"], parts: &["prometheus"], labels: &[] };
static CLUSTER_SECRET: Controller = Controller {
    images: &["clustersecret/clustersecret", "flag5/clustersecret"],
    parts: &[],
    labels: &["clustersecret", "cluster-secret"],
};
static REPLICATOR: Controller =
    Controller { images: &["mittwald/kubernetes-replicator"], parts: &[], labels: &[] };

const EXTERNAL: &str = "external-secrets.io";
const CERTIFICATES: &str = "cert-manager.io";
const MONITORING: &str = "monitoring.coreos.com";

pub(super) static ROWS: &[Deputy] = &[
    Deputy {
        attack: &ESO_CLUSTER_STORE,
        controller: &ESO,
        beside: None,
        steers: &[Steer::wide(EXTERNAL, &["clustersecretstores"], ESO_CLUSTER_STORE.odds)],
        judge: cluster_stores,
        to: To::Account,
        set: SetKind { id: "eso-stores", noun: "External Secrets Operators with stores" },
        wide: SetKind { id: "eso-stores-all", noun: "External Secrets Operators of all stores" },
    },
    Deputy {
        attack: &ESO_CLUSTER_STORE,
        controller: &ESO,
        beside: None,
        steers: &[Steer::on(EXTERNAL, &["secretstores"], Odds::likely(0.7))],
        judge: store_tokens,
        to: To::Accounts,
        set: SetKind { id: "eso-tokens", noun: "External Secrets Operators with tokens" },
        wide: SetKind { id: "eso-tokens-all", noun: "External Secrets Operators of all tokens" },
    },
    Deputy {
        attack: &ESO_CLUSTER_STORE,
        controller: &ESO,
        beside: None,
        steers: &[Steer::on(EXTERNAL, &["secretstores"], Odds::likely(0.7))],
        judge: store_secrets,
        to: To::Secrets,
        set: SetKind { id: "eso-secrets", noun: "External Secrets Operators with Secrets" },
        wide: SetKind { id: "eso-secrets-all", noun: "External Secrets Operators of all Secrets" },
    },
    Deputy {
        attack: &ESO_CLUSTER_STORE,
        controller: &ESO,
        beside: None,
        steers: &[Steer::on(EXTERNAL, &["externalsecrets"], Odds::possible(0.4))],
        judge: flawed_templates,
        to: To::Account,
        set: SetKind { id: "eso-flawed", noun: "External Secrets Operators with a flaw" },
        wide: SetKind {
            id: "eso-flawed-all",
            noun: "External Secrets Operators with a known flaw",
        },
    },
    Deputy {
        attack: &CERT_MANAGER_ISSUER,
        controller: &CERT_MANAGER,
        beside: None,
        steers: &[Steer::on(CERTIFICATES, &["issuers"], CERT_MANAGER_ISSUER.odds)],
        judge: issuer_secrets,
        to: To::Secrets,
        set: SetKind { id: "issuers", noun: "cert-managers that read Issuers" },
        wide: SetKind { id: "issuers-all", noun: "cert-managers that read all Issuers" },
    },
    Deputy {
        attack: &CERT_MANAGER_ISSUER,
        controller: &CERT_MANAGER,
        beside: None,
        steers: &[Steer::on(CERTIFICATES, &["issuers"], CERT_MANAGER_ISSUER.odds)],
        judge: issuer_tokens,
        to: To::Accounts,
        set: SetKind { id: "issuer-tokens", noun: "cert-managers with tokens" },
        wide: SetKind { id: "issuer-tokens-all", noun: "cert-managers with all tokens" },
    },
    Deputy {
        attack: &CERT_MANAGER_ISSUER,
        controller: &CERT_MANAGER,
        beside: None,
        steers: &[Steer::wide(CERTIFICATES, &["clusterissuers"], CERT_MANAGER_ISSUER.odds)],
        judge: everywhere,
        to: To::OwnSecrets,
        set: SetKind { id: "cluster-issuers", noun: "cert-managers that read ClusterIssuers" },
        wide: SetKind { id: "cluster-issuers-all", noun: "cert-managers of the cluster" },
    },
    Deputy {
        attack: &VAULT_SECRETS_OPERATOR,
        controller: &VAULT_OPERATOR,
        beside: None,
        steers: &[Steer::on("secrets.hashicorp.com", &["vaultauths"], VAULT_SECRETS_OPERATOR.odds)],
        judge: flawed_vault,
        to: To::Account,
        set: SetKind { id: "vault-auths", noun: "Vault Secrets Operators" },
        wide: SetKind { id: "vault-auths-all", noun: "Vault Secrets Operators with a known flaw" },
    },
    Deputy {
        attack: &PROMETHEUS_FILE_SD,
        controller: &PROMETHEUS,
        beside: None,
        steers: &[Steer::on(MONITORING, &["servicemonitors"], PROMETHEUS_FILE_SD.odds)],
        judge: operated,
        to: To::Account,
        set: SetKind { id: "monitors", noun: "Prometheis that read ServiceMonitors" },
        wide: SetKind { id: "monitors-all", noun: "Prometheis that read all" },
    },
    Deputy {
        attack: &PROMETHEUS_FILE_SD,
        controller: &PROMETHEUS,
        beside: None,
        steers: &[Steer::on(MONITORING, &["servicemonitors"], Odds::possible(0.3))],
        judge: operated_elsewhere,
        to: To::Account,
        set: SetKind { id: "monitors-elsewhere", noun: "Prometheis that may read ServiceMonitors" },
        wide: SetKind { id: "monitors-elsewhere-all", noun: "Prometheis that may read all" },
    },
    Deputy {
        attack: &SECRET_REPLICATOR,
        controller: &CLUSTER_SECRET,
        beside: None,
        steers: &[Steer::wide("clustersecret.io", &["clustersecrets"], SECRET_REPLICATOR.odds)],
        judge: everywhere,
        to: To::Account,
        set: SetKind { id: "cluster-secrets", noun: "ClusterSecret controllers" },
        wide: SetKind { id: "cluster-secrets-all", noun: "ClusterSecret controllers of all" },
    },
    Deputy {
        attack: &SECRET_REPLICATOR,
        controller: &REPLICATOR,
        beside: None,
        steers: &[Steer::on("", &["secrets"], SECRET_REPLICATOR.odds).by(CHANGE, &[])],
        judge: allows_all,
        to: To::Account,
        set: SetKind { id: "replicators", noun: "replicators that copy what they are asked for" },
        wide: SetKind { id: "replicators-all", noun: "replicators that copy anything" },
    },
];

const NAMESPACE: &str = "--namespace";
const CLUSTER_STORES: &str = "--enable-cluster-store-reconciler";

/// The operator reads one namespace if its flag names one.
fn external(world: &World, found: &Found) -> Reach {
    let one = found.flag(world, NAMESPACE).filter(|ns| !ns.is_empty());
    let reads = one.map_or(Reads::All, |ns| Reads::Some(vec![ns.to_owned()]));
    Reach::of(reads).shown(&[NAMESPACE])
}

fn cluster_stores(world: &World, found: &Found) -> Option<Reach> {
    let off = found.flag(world, CLUSTER_STORES) == Some("false");
    let reach = external(world, found);
    (!off && reach.reads == Reads::All).then_some(reach)
}

/// A right that the operator must hold where it reads.
fn holding(world: &World, found: &Found, verb: &str, resource: &str) -> Option<Reach> {
    let reach = external(world, found);
    let ns = match &reach.reads {
        Reads::Some(one) => world.symbols.get(one.first()?),
        _ => None,
    };
    found.may(world, verb, "", resource, ns).then_some(reach)
}

fn store_tokens(world: &World, found: &Found) -> Option<Reach> {
    holding(world, found, "create", "serviceaccounts/token")
}

fn store_secrets(world: &World, found: &Found) -> Option<Reach> {
    holding(world, found, "get", "secrets")
}

/// From 0.20.2 to before 1.2.0 a template reads Secrets of any namespace.
fn flawed_templates(world: &World, found: &Found) -> Option<Reach> {
    let version = found.version(world)?;
    ((0, 20, 2)..(1, 2, 0)).contains(&version).then(|| external(world, found))
}

fn issuer_secrets(world: &World, found: &Found) -> Option<Reach> {
    found.may(world, "get", "", "secrets", None).then(|| Reach::of(Reads::All))
}

fn issuer_tokens(world: &World, found: &Found) -> Option<Reach> {
    found.may(world, "create", "", "serviceaccounts/token", None).then(|| Reach::of(Reads::All))
}

fn flawed_vault(world: &World, found: &Found) -> Option<Reach> {
    let version = found.version(world)?;
    ((1, 3, 0)..=(1, 4, 1)).contains(&version).then(|| Reach::of(Reads::All))
}

/// The operator's label on the pods of its Prometheis.
const OPERATED: &str = "operator.prometheus.io/name";

fn operated(world: &World, found: &Found) -> Option<Reach> {
    found.label(world, OPERATED).and_then(|_| own_namespace(world, found))
}

fn operated_elsewhere(world: &World, found: &Found) -> Option<Reach> {
    found.label(world, OPERATED).and_then(|_| everywhere(world, found))
}

fn allows_all(world: &World, found: &Found) -> Option<Reach> {
    const FLAGS: &[&str] = &["-allow-all", "--allow-all"];
    let on = FLAGS.iter().any(|flag| found.is_on(world, flag));
    on.then(|| Reach::of(Reads::All).but(1.0, Confidence::Likely).shown(FLAGS))
}

fn find(world: &World, sink: &mut Sink<'_>) {
    walk(world, sink, ROWS);
}
