//! Credentials for a cluster in Secrets: kubeconfigs, Argo CD's clusters and its own key, what
//! deploys from repositories, and the keys of the control plane.
//!
//! A kubeconfig says who signs in and where. It leads on only where that is this cluster, or may
//! be: most kubeconfigs in Secrets are for others.

use super::secret_contents::{held, told};
use crate::graph::{Attack, Confidence, Fact, Odds, Sink, Thing};
use crate::world::contents::{Content, Place};
use crate::world::rbac::{account_of_user, node_of_user};
use crate::world::{AccountIx, Login, Secret, World};

crate::attack! {
    /// Signs in with a kubeconfig, or a token kept by hand, that a Secret holds.
    ///
    /// ## Needs
    /// A Secret whose kubeconfig names this cluster's server and a user: by the subject of its
    /// client certificate, or by the token of a service account, whose uid proves the cluster. Where
    /// the value is not in the snapshot the Secret leads to cluster-admin with confidence
    /// `unknown`, since nobody can tell.
    /// ## Abuse
    /// `kubectl get secret -n NAMESPACE NAME -o jsonpath='{.data.kubeconfig}' | base64 -d > k`, then
    /// `kubectl --kubeconfig k auth whoami`.
    /// ## Stopped by
    /// A certificate or token that has expired. Kubeconfigs for other clusters, as Cluster API,
    /// Kamaji, HyperShift and vcluster keep them: they lead nowhere here, and the Secret's tag
    /// `holds-cluster-login` tells of them.
    /// ## Fix
    /// Delete the Secret; give the workload a service account with the few rights it needs. A client
    /// certificate cannot be revoked: take the user's bindings away.
    /// ## Detect
    /// Audit events of the user from other addresses than usual; `get` on the Secret.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/>
    /// - kubernetes `pkg/serviceaccount/claims.go`: a token of an account made anew is refused
    pub(super) static SECRET_IS_KUBECONFIG = {
        id: "secret-is-kubeconfig", title: "Signs in as", mitre: &["T1552.007", "T1078"],
        odds: Odds::likely(0.85),
    }
}

crate::attack! {
    /// Uses what Argo CD keeps in Secrets: the credentials of its clusters, or the key that signs
    /// its sessions.
    ///
    /// ## Needs
    /// A Secret with the label `argocd.argoproj.io/secret-type: cluster` whose token or certificate
    /// is one of this cluster; or `argocd-secret` with `server.secretkey`, and a way to Argo CD's
    /// server. Whoever rules Argo CD has its application controller apply what they like.
    /// ## Abuse
    /// Sign a JWT for `admin` (issuer `argocd`) with the key by HMAC, then `argocd app create` with
    /// a repository of one's own and the destination `https://kubernetes.default.svc`.
    /// ## Stopped by
    /// `admin.enabled: "false"` together with the RBAC of Argo CD; a network policy before its
    /// server. The clusters of others lead nowhere here.
    /// ## Fix
    /// Let nobody but Argo CD read Secrets of its namespace; give the application controller the
    /// rights that its applications need instead of `*`.
    /// ## Detect
    /// Audit events with verb `get` or `list` on Secrets of the namespace by others than Argo CD;
    /// its log of sessions of `admin`.
    /// ## References
    /// - <https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters>
    /// - argo-cd `util/session/sessionmanager.go`
    pub(super) static SECRET_IS_ARGO_CLUSTER = {
        id: "secret-is-argo-cluster", title: "Is a credential of Argo CD",
        mitre: &["T1552.007", "T1072"], odds: Odds::likely(0.6),
    }
}

crate::attack! {
    /// Pushes to the repository that Argo CD or Flux deploys from, with the credential they read it
    /// by.
    ///
    /// ## Needs
    /// A repository Secret of Argo CD with a password or key, or the Secret `flux-system` that
    /// bootstrapping Flux makes. Whether the credential may write is not in a snapshot: a personal
    /// token often may, a deploy key seldom.
    /// ## Abuse
    /// Clone with the credential, commit a manifest, push; the controller applies it at the next
    /// interval.
    /// ## Stopped by
    /// A credential that may only read, a protected branch, commits that must be signed.
    /// ## Fix
    /// Use a deploy key or an app that may only read.
    /// ## Detect
    /// Pushes of the credential's account in the log of the repository's host.
    /// ## References
    /// - <https://fluxcd.io/flux/installation/bootstrap/github/>
    /// - <https://argo-cd.readthedocs.io/en/stable/user-guide/private-repositories/>
    pub(super) static SECRET_IS_GIT_OR_CI = {
        id: "secret-is-git-or-ci", title: "Pushes to what is deployed",
        mitre: &["T1552.007", "T1072"], odds: Odds::possible(0.2),
    }
}

crate::attack! {
    /// Uses a private key of this cluster's control plane that a Secret holds: of its authority, of
    /// its service account tokens, or of a client of its etcd.
    ///
    /// ## Needs
    /// A Secret with such a key, told by the names that kubeadm and OpenShift give: `sa.key` in
    /// `kube-system`, `healthcheck-client.key`, `node-system-admin-client`; or `full-cluster-state` of
    /// RKE, a ConfigMap before 1.4.19 and 1.5.10 and a Secret since. In `kubeadm-certs` the
    /// keys are encrypted with the certificate key, which `kubeadm init --upload-certs` prints.
    /// ## Abuse
    /// Sign a client certificate for `O=system:masters` with `ca.key`, a token with `sa.key`, or
    /// write a ClusterRoleBinding into etcd with `etcdctl --cert ... --key ... put`.
    /// ## Stopped by
    /// A key of another authority: of a mesh, a webhook, or a control plane that this cluster hosts
    /// (`CLUSTER-ca`, `CLUSTER-sa` and `CLUSTER-etcd` of Cluster API), which leads nowhere here.
    /// Without a way to port 2379 a client's key of etcd opens nothing.
    /// ## Fix
    /// Keep the keys on the nodes of the control plane; delete `kubeadm-certs` once the nodes have
    /// joined; let monitoring read etcd's metrics without a client certificate
    /// (`--listen-metrics-urls`).
    /// ## Detect
    /// Audit events with verb `get` or `list` on the Secret.
    /// ## References
    /// - <https://kubernetes.io/docs/setup/best-practices/certificates/>
    /// - kubernetes `cmd/kubeadm/app/phases/copycerts/copycerts.go`
    /// - <https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/security_and_compliance/certificate-types-and-descriptions>
    pub(super) static SECRET_IS_ETCD_OR_CA_KEY = {
        id: "secret-is-etcd-or-ca-key", title: "Is a key of the control plane",
        mitre: &["T1552.004", "T1649"], odds: Odds::possible(0.3),
    }
}

/// What one Secret leads to.
pub(super) fn find(world: &World, sink: &mut Sink<'_>, from: Thing<'static>, secret: &Secret) {
    let argo = held(secret, Content::ArgoLogin);
    let attack = if argo.is_some() { &SECRET_IS_ARGO_CLUSTER } else { &SECRET_IS_KUBECONFIG };
    for login in &secret.logins {
        sign_in(world, sink, from, secret, login, attack);
    }
    unreadable(world, sink, from, secret);
    if let Some(finding) = argo.filter(|finding| finding.place == Place::Data) {
        let fact = told(world, sink, secret, finding, "signs sessions of Argo CD");
        for controller in application_controllers(world, secret) {
            let to = Thing::Account(controller);
            sink.edge(from, to, &SECRET_IS_ARGO_CLUSTER, &[fact]);
        }
    }
    repositories(world, sink, from, secret);
    if let Some((odds, fact)) = control_plane_key(world, sink, secret) {
        sink.edge_with(from, Thing::ClusterAdmin, &SECRET_IS_ETCD_OR_CA_KEY, odds, &[fact]);
    }
}

/// Whoever a credential signs in as.
fn sign_in(
    world: &World,
    sink: &mut Sink<'_>,
    from: Thing<'static>,
    secret: &Secret,
    login: &Login,
    attack: &'static Attack,
) {
    let user = world.text(login.user);
    let mut lead = |to: Thing<'_>, what: String, generic: bool, proven: bool| {
        let odds = SECRET_IS_KUBECONFIG.odds;
        let odds = if proven || login.here {
            odds
        } else if secret.hosted || (generic && !login.anywhere) {
            // Every cluster has these names.
            return;
        } else {
            odds.but(0.35, Confidence::Possible)
        };
        let field = format!(".data[{:?}]", world.text(login.key));
        let fact = sink.fact(secret.object, &field, &format!("signs in as {what}"));
        sink.edge_with(from, to, attack, odds, &[fact]);
    };
    if let Some((ns, name)) = account_of_user(user) {
        let names = world.symbols.get(ns).zip(world.symbols.get(name));
        let Some(account) = names.and_then(|(ns, name)| world.account(ns, name)) else { return };
        let of = &world.accounts[account.index()];
        let told = login.uid != 0 && of.uid != 0;
        if of.exists && (!told || login.uid == of.uid) {
            let generic = matches!(name, "default") || ns == "kube-system";
            let what = format!("ServiceAccount {ns}/{name}");
            lead(Thing::Account(account), what, generic, told);
        }
        return;
    }
    if let Some(node) = node_of_user(user) {
        if let Some(node) = world.symbols.get(node).and_then(|name| world.node(name)) {
            lead(Thing::NodeIdentity(node), format!("User {user}"), false, false);
        }
    } else if let Some(known) = world.user(user).filter(|_| !user.is_empty()) {
        lead(Thing::User(known), format!("User {user}"), is_generic(user), false);
    }
    for group in &login.groups {
        let name = world.text(*group);
        if let Some(known) = world.group(name) {
            lead(Thing::Group(known), format!("Group {name}"), is_generic(name), false);
        }
    }
}

/// Whether every cluster, or every one of kubeadm, has a user or group of the name.
fn is_generic(name: &str) -> bool {
    name.starts_with("system:")
        || matches!(name, "kubernetes-admin" | "kubernetes-super-admin" | "kubeadm:cluster-admins")
}

/// A kubeconfig whose value the snapshot does not show. What it opens is not known; the name that
/// kubeadm gives an administrator's is a hint.
fn unreadable(world: &World, sink: &mut Sink<'_>, from: Thing<'static>, secret: &Secret) {
    let Some(finding) = held(secret, Content::Kubeconfig) else { return };
    if secret.shown || secret.hosted {
        return;
    }
    let admin = matches!(world.text(finding.key), "admin.conf" | "super-admin.conf");
    let odds = if admin { Odds::possible(0.3) } else { Odds::unknown(0.1) };
    let text = "a kubeconfig, whose user the snapshot does not show";
    let fact = told(world, sink, secret, finding, text);
    sink.edge_with(from, Thing::ClusterAdmin, &SECRET_IS_KUBECONFIG, odds, &[fact]);
}

/// The accounts that apply what Argo CD of a Secret's namespace is told to.
pub(super) fn application_controllers<'w>(
    world: &'w World,
    secret: &Secret,
) -> impl Iterator<Item = AccountIx> + 'w {
    accounts(world, secret, "argocd-application-controller")
}

/// The accounts beside a Secret whose names end so.
fn accounts<'w>(
    world: &'w World,
    secret: &Secret,
    end: &'static str,
) -> impl Iterator<Item = AccountIx> + 'w {
    world.accounts_of(secret.ns).map(AccountIx::new).filter(move |account| {
        let account = &world.accounts[account.index()];
        account.exists && world.text(account.name).ends_with(end)
    })
}

/// Credentials of the repositories that Argo CD and Flux deploy from.
fn repositories(world: &World, sink: &mut Sink<'_>, from: Thing<'static>, secret: &Secret) {
    let git = held(secret, Content::GitToken);
    let argo = world.label(secret.object, crate::world::contents::ARGO).is_some();
    let flux = world.text(secret.name) == "flux-system";
    let password = held(secret, Content::Password).filter(|_| flux);
    let Some(finding) = git.filter(|_| argo || flux).or(password) else { return };
    let fact = told(world, sink, secret, finding, "a credential of a repository");
    let odds = SECRET_IS_GIT_OR_CI.odds;
    let end = if argo { "argocd-application-controller" } else { "kustomize-controller" };
    for controller in accounts(world, secret, end) {
        let to = Thing::Account(controller);
        sink.edge_with(from, to, &SECRET_IS_GIT_OR_CI, odds, &[fact]);
    }
}

/// Secrets in which OpenShift keeps keys of its own control plane: namespace and name.
const OPENSHIFT: &[(&str, &str)] = &[
    ("openshift-kube-apiserver-operator", "node-system-admin-client"),
    ("openshift-kube-apiserver-operator", "node-system-admin-signer"),
    ("openshift-kube-apiserver-operator", "kube-control-plane-signer"),
    ("openshift-kube-apiserver-operator", "aggregator-client-signer"),
    ("openshift-kube-controller-manager", "service-account-private-key"),
    ("openshift-kube-controller-manager-operator", "csr-signer-signer"),
    ("openshift-kube-controller-manager", "csr-signer"),
    ("openshift-etcd", "etcd-signer"),
    ("openshift-config", "etcd-signer"),
    ("openshift-etcd-operator", "etcd-client"),
];

/// How likely a Secret holds a key of this cluster's control plane, and what says so.
fn control_plane_key(world: &World, sink: &mut Sink<'_>, secret: &Secret) -> Option<(Odds, Fact)> {
    let tls = || held(secret, Content::TlsKey);
    let finding = held(secret, Content::SigningKey).or_else(tls)?;
    let (ns, name, key) = (world.text(secret.ns), world.text(secret.name), world.text(finding.key));
    if secret.hosted {
        return None;
    }
    let likelihood = if OPENSHIFT.contains(&(ns, name)) {
        return Some((
            Odds::likely(0.8),
            sink.fact(secret.object, ".metadata.name", "a key of OpenShift's control plane"),
        ));
    } else if finding.content != Content::SigningKey {
        return None;
    } else {
        let of_cluster = name.starts_with("kube") || name.starts_with("k8s");
        match (ns, key) {
            // Encrypted with a key that is not in the cluster.
            ("kube-system", _) if name == "kubeadm-certs" => 0.05,
            // RKE keeps all of them there, as they are.
            ("kube-system", "full-cluster-state") => 0.9,
            (_, "healthcheck-client.key" | "apiserver-etcd-client.key") => 0.4,
            ("kube-system", "sa.key" | "front-proxy-ca.key" | "etcd-ca.key") => 0.3,
            ("kube-system", "ca.key") if of_cluster => 0.3,
            ("kube-system", "etcd-key" | "etcd-client.key" | "etcd-client-key") => 0.2,
            (_, "etcd-client.key" | "etcd-client-key") if name.contains("kube-etcd") => 0.3,
            _ => return None,
        }
    };
    let fact = told(world, sink, secret, finding, "a key of the control plane");
    let odds = if likelihood > 0.5 { Odds::likely } else { Odds::possible };
    Some((odds(likelihood), fact))
}
