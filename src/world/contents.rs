//! What a Secret holds, told by its type, its labels and the names of its keys.
//!
//! Values are never looked at here. A finding says what gave it away, so that evidence can point
//! there; whoever rotates credentials after an incident sees them all, those too that lead to
//! nothing in this cluster.

use crate::k8s::Meta;
use crate::k8s::scalar::Str;
use crate::sym::Sym;
use std::borrow::Cow;

/// A kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    RegistryPassword,
    TlsKey,
    Kubeconfig,
    /// A release of Helm, with the manifests of everything in it.
    HelmRelease,
    /// What Argo CD signs its sessions with, or how it signs in to a cluster.
    ArgoLogin,
    AwsKey,
    GoogleKey,
    AzureKey,
    /// Of another cloud.
    CloudKey,
    /// Of a repository or a CI system.
    GitToken,
    /// What opens every SealedSecret.
    SealingKey,
    /// Of Vault or another store of secrets.
    StoreToken,
    Password,
    SshKey,
    /// Of a certificate authority, of service account tokens, or of a client of etcd.
    SigningKey,
    /// It holds what a SealedSecret holds.
    Unsealed,
    /// It holds what a store of secrets holds, by an ExternalSecret or its like.
    Synced,
    /// It stands in the manifest of a release of Helm.
    Released,
}

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    Type,
    Name,
    Data,
    Label,
    Annotation,
    Owner,
}

/// One thing that a Secret holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub content: Content,
    pub place: Place,
    /// The name of the key, label or annotation, or the type.
    pub key: Sym,
    /// Nothing else is called so.
    pub sure: bool,
}

impl Finding {
    /// Where in the object it stands.
    #[must_use]
    pub fn field(&self, key: &str) -> String {
        match self.place {
            Place::Type => ".type".to_owned(),
            Place::Name => ".metadata.name".to_owned(),
            Place::Data => format!(".data[{key:?}]"),
            Place::Label => format!(".metadata.labels[{key:?}]"),
            Place::Annotation => format!(".metadata.annotations[{key:?}]"),
            Place::Owner => ".metadata.ownerReferences".to_owned(),
        }
    }
}

/// The label by which Argo CD finds its clusters and repositories.
pub const ARGO: &str = "argocd.argoproj.io/secret-type";
/// The annotation by which Helm knows what it has made.
pub const RELEASE: &str = "meta.helm.sh/release-name";
/// The labels by which charts tell the same, without the namespace.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// What owns the Secrets that are copied out of a store.
const SYNCED: &[&str] = &[
    "ExternalSecret",
    "VaultStaticSecret",
    "VaultDynamicSecret",
    "OnePasswordItem",
    "BitwardenSecret",
    "DopplerSecret",
];
/// The label of a key of the sealed-secrets controller.
const SEALING: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";

/// Types of Secrets that say what they hold.
const TYPES: &[(&str, Content)] = &[
    ("kubernetes.io/dockerconfigjson", Content::RegistryPassword),
    ("kubernetes.io/dockercfg", Content::RegistryPassword),
    ("kubernetes.io/tls", Content::TlsKey),
    ("kubernetes.io/basic-auth", Content::Password),
    ("kubernetes.io/ssh-auth", Content::SshKey),
    ("helm.sh/release.v1", Content::HelmRelease),
];

/// Names of keys, in lower case with `_` for `-`, that say what they hold, and whether nothing
/// else bears the name.
const KEYS: &[(&str, Content, bool)] = &[
    (".dockerconfigjson", Content::RegistryPassword, true),
    (".dockercfg", Content::RegistryPassword, true),
    ("tls.key", Content::TlsKey, true),
    ("kubeconfig", Content::Kubeconfig, true),
    ("kubeconfig.yaml", Content::Kubeconfig, true),
    ("kubeconfig.yml", Content::Kubeconfig, true),
    ("kubeconfig.conf", Content::Kubeconfig, true),
    ("kube_config", Content::Kubeconfig, true),
    ("kubeconfig_data", Content::Kubeconfig, true),
    ("admin.conf", Content::Kubeconfig, true),
    ("super_admin.conf", Content::Kubeconfig, true),
    ("aws_secret_access_key", Content::AwsKey, true),
    ("awssecretaccesskey", Content::AwsKey, true),
    ("secret_access_key", Content::AwsKey, false),
    ("google_application_credentials", Content::GoogleKey, true),
    ("service_account.json", Content::GoogleKey, true),
    ("serviceaccount.json", Content::GoogleKey, true),
    ("gcp_credentials.json", Content::GoogleKey, true),
    ("application_default_credentials.json", Content::GoogleKey, true),
    ("key.json", Content::GoogleKey, false),
    ("credentials.json", Content::GoogleKey, false),
    ("azure_client_secret", Content::AzureKey, true),
    ("azure.json", Content::AzureKey, true),
    ("azureclientsecret", Content::AzureKey, true),
    ("azurestorageaccountkey", Content::AzureKey, true),
    ("cloud.conf", Content::CloudKey, true),
    ("cloud_config", Content::CloudKey, false),
    ("clouds.yaml", Content::CloudKey, true),
    ("vsphere.conf", Content::CloudKey, true),
    ("csi_vsphere.conf", Content::CloudKey, true),
    ("digitalocean_access_token", Content::CloudKey, true),
    ("hcloud_token", Content::CloudKey, true),
    ("github_token", Content::GitToken, true),
    ("gh_token", Content::GitToken, true),
    ("gitlab_token", Content::GitToken, true),
    ("github_app_private_key", Content::GitToken, true),
    ("githubappprivatekey", Content::GitToken, true),
    ("githubappid", Content::GitToken, false),
    ("runner_registration_token", Content::GitToken, true),
    ("runner_token", Content::GitToken, true),
    ("jenkins_admin_password", Content::GitToken, true),
    ("vault_token", Content::StoreToken, true),
    ("vault_root", Content::StoreToken, true),
    ("1password_credentials.json", Content::StoreToken, true),
    ("op_connect_token", Content::StoreToken, true),
    ("op_service_account_token", Content::StoreToken, true),
    ("bw_accesstoken", Content::StoreToken, true),
    ("doppler_token", Content::StoreToken, true),
    ("dopplertoken", Content::StoreToken, true),
    ("ssh_privatekey", Content::SshKey, true),
    ("id_rsa", Content::SshKey, true),
    ("id_ecdsa", Content::SshKey, true),
    ("id_ed25519", Content::SshKey, true),
    ("ca.key", Content::SigningKey, false),
    ("ca_key.pem", Content::SigningKey, false),
    ("cakey.pem", Content::SigningKey, false),
    ("sa.key", Content::SigningKey, true),
    ("service_account.key", Content::SigningKey, true),
    ("front_proxy_ca.key", Content::SigningKey, true),
    ("etcd_ca.key", Content::SigningKey, true),
    // Of RKE: everything about the cluster, its private keys too.
    ("full_cluster_state", Content::SigningKey, true),
    ("etcd_key", Content::SigningKey, true),
    ("etcd_client.key", Content::SigningKey, true),
    ("etcd_client_key", Content::SigningKey, true),
    ("healthcheck_client.key", Content::SigningKey, true),
    ("apiserver_etcd_client.key", Content::SigningKey, true),
];

/// Keys that say little alone: both must be there.
const PAIRS: &[(&str, &str, Content)] = &[
    ("access_key_id", "secret_access_key", Content::AwsKey),
    ("accesskeyid", "secretaccesskey", Content::AwsKey),
    ("key_id", "access_key", Content::AwsKey),
    ("clientid", "clientsecret", Content::AzureKey),
    ("client_id", "client_secret", Content::AzureKey),
    ("identity", "known_hosts", Content::GitToken),
    ("role_id", "secret_id", Content::StoreToken),
    ("username", "password", Content::Password),
];

/// What the controllers of hosted control planes mark the credentials of another cluster with.
const HOSTED: &[&str] = &[
    "cluster.x-k8s.io/",
    "kamaji.clastix.io/",
    "hypershift.openshift.io/",
    "k0smotron.io/",
    "vcluster.loft.sh/",
    "resources.gardener.cloud/",
    "rke.cattle.io/",
    "hive.openshift.io/",
];

/// Whether a Secret is marked as one of another cluster: its control plane runs in this one, or is
/// managed from it.
pub(super) fn is_hosted(kind: &str, meta: &Meta<'_>) -> bool {
    let label = |prefix: &&str| meta.labels.0.iter().any(|(key, _)| key.starts_with(*prefix));
    let vcluster =
        meta.name.starts_with("vc-") || meta.labels.0.iter().any(|(_, v)| &**v == "vcluster");
    let namespace = ["shoot--", "clusters-", "garden-"].iter();
    kind == "cluster.x-k8s.io/secret"
        || HOSTED.iter().any(label)
        || vcluster
        || namespace.clone().any(|prefix| meta.namespace.starts_with(*prefix))
        || meta.labels.0.iter().any(|(key, value)| &**key == ARGO && &**value == "cluster")
}

/// Variables of an environment that hold a key of a cloud and nothing else. What the programs of the
/// providers read: a path to a file of keys (`GOOGLE_APPLICATION_CREDENTIALS`) is none.
const VARIABLES: &[(&str, Content)] = &[
    ("aws_secret_access_key", Content::AwsKey),
    ("azure_client_secret", Content::AzureKey),
    ("arm_client_secret", Content::AzureKey),
    ("digitalocean_access_token", Content::CloudKey),
    ("hcloud_token", Content::CloudKey),
    ("linode_token", Content::CloudKey),
];

/// What a variable of an environment holds, told by its name.
pub(super) fn variable(name: &str) -> Option<Content> {
    // The names are those of programs: nothing else is called so, whatever its value says.
    let is = |(known, _): &&(&str, Content)| known.eq_ignore_ascii_case(name);
    VARIABLES.iter().find(is).map(|(_, content)| *content)
}

/// The name of a key as the tables spell it.
fn spelled(key: &str) -> Cow<'_, str> {
    if !key.contains(|c: char| c == '-' || c.is_ascii_uppercase()) {
        return key.into();
    }
    key.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// What a Secret holds, sorted, each kind once by what tells it best. `intern` takes names.
pub(super) fn contents(
    kind: &str,
    meta: &Meta<'_>,
    keys: &[Str<'_>],
    mut intern: impl FnMut(&str) -> Sym,
) -> Box<[Finding]> {
    let mut found: Vec<Finding> = Vec::new();
    let mut find = |content: Content, place: Place, key: &str, sure: bool| {
        let old = found.iter_mut().find(|f| f.content == content);
        match old {
            Some(old) if old.sure || !sure => {}
            old => {
                let finding = Finding { content, place, key: intern(key), sure };
                match old {
                    Some(old) => *old = finding,
                    None => found.push(finding),
                }
            }
        }
    };
    let label =
        |key: &str| meta.labels.0.iter().find(|(k, _)| &**k == key).map_or("", |(_, v)| &**v);
    if meta.annotations.get(RELEASE).is_some() {
        find(Content::Released, Place::Annotation, RELEASE, true);
    } else if label(MANAGED_BY) == "Helm" && !label(INSTANCE).is_empty() {
        find(Content::Released, Place::Label, INSTANCE, false);
    }
    if let Some((_, content)) = TYPES.iter().find(|(name, _)| *name == kind) {
        let sure = *content != Content::HelmRelease || label("status") == "deployed";
        find(*content, Place::Type, kind, sure);
    }
    if meta.labels.0.iter().any(|(key, _)| &**key == SEALING) {
        find(Content::SealingKey, Place::Label, SEALING, true);
    }
    if meta.owner_references.iter().any(|o| &*o.kind == "SealedSecret") {
        find(Content::Unsealed, Place::Owner, "SealedSecret", true);
    }
    if let Some(kind) =
        SYNCED.iter().find(|k| meta.owner_references.iter().any(|o| &*o.kind == **k))
    {
        find(Content::Synced, Place::Owner, kind, true);
    }
    let spelled: Vec<(&str, Cow<'_, str>)> = keys.iter().map(|k| (&**k, spelled(k))).collect();
    let has = |name: &str| spelled.iter().find(|(_, s)| s == name).map(|(key, _)| *key);
    match label(ARGO) {
        "cluster" => find(Content::ArgoLogin, Place::Label, ARGO, true),
        "repository" | "repo-creds" | "repository-write" | "repo-write-creds" => {
            const CREDENTIALS: &[&str] =
                &["password", "sshprivatekey", "githubappprivatekey", "bearertoken"];
            if let Some(key) = CREDENTIALS.iter().find_map(|name| has(name)) {
                find(Content::GitToken, Place::Data, key, true);
            }
        }
        _ => {}
    }
    if has("server.secretkey").is_some() {
        find(Content::ArgoLogin, Place::Data, "server.secretkey", true);
    }
    // What tells of a token is its type; that of a registry names the registry's keys.
    for (key, name) in &spelled {
        if let Some((_, content, sure)) = KEYS.iter().find(|(n, _, _)| n == name) {
            find(*content, Place::Data, key, *sure);
        } else if name.ends_with(".kubeconfig") || name.ends_with("_kubeconfig") {
            find(Content::Kubeconfig, Place::Data, key, true);
        }
    }
    if meta.name.contains("kubeconfig") {
        for key in ["value", "config"].iter().filter_map(|name| has(name)) {
            find(Content::Kubeconfig, Place::Data, key, false);
        }
    } else if kind == "cluster.x-k8s.io/secret"
        && let Some(key) = has("tls.key")
    {
        // Cluster API keeps a cluster's `-ca`, `-etcd`, `-sa` and `-proxy` so.
        find(Content::SigningKey, Place::Data, key, true);
    }
    for (one, other, content) in PAIRS {
        if let (Some(_), Some(key)) = (has(one), has(other)) {
            let sure = !matches!(content, Content::AwsKey | Content::AzureKey);
            // Any service may take a client's secret; the tenant makes it one of Azure.
            let azure = has("tenantid").or(has("tenant_id")).is_some();
            if *content != Content::AzureKey || azure {
                find(*content, Place::Data, key, sure);
            }
        }
    }
    if let Some((key, content)) = by_name(&meta.name, &has) {
        find(content, Place::Data, key, false);
    }
    found.sort_unstable();
    found.into()
}

/// Keys whose meaning the Secret's name tells: `cloud` of Velero, `credentials` of a cloud.
fn by_name<'k>(name: &str, has: &impl Fn(&str) -> Option<&'k str>) -> Option<(&'k str, Content)> {
    let provider = || {
        let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if is(&["gcp", "gcs", "google", "gke"]) {
            Content::GoogleKey
        } else if is(&["azure", "aks"]) {
            Content::AzureKey
        } else {
            Content::AwsKey
        }
    };
    let of_cloud = ["aws", "s3", "gcp", "gcs", "google", "azure", "cloud", "velero"];
    let of_cloud = of_cloud.iter().any(|word| name.contains(word));
    let key = has("cloud").filter(|_| name.contains("velero") || name.contains("credentials"));
    let key = key.or_else(|| has("credentials").filter(|_| of_cloud));
    let key = key.or_else(|| has("creds").filter(|_| of_cloud));
    key.map(|key| (key, provider()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k8s::Meta;

    fn held(kind: &str, name: &str, keys: &[&str]) -> Vec<Content> {
        let meta = Meta { name: Str(name.into()), ..Meta::default() };
        let keys: Vec<Str<'_>> = keys.iter().map(|key| Str((*key).into())).collect();
        contents(kind, &meta, &keys, |_| Sym::EMPTY).iter().map(|f| f.content).collect()
    }

    #[test]
    fn types_and_keys_tell_what_a_secret_holds() {
        use Content as C;
        let cases: &[(&str, &str, &[&str], &[Content])] = &[
            ("kubernetes.io/dockerconfigjson", "r", &[".dockerconfigjson"], &[C::RegistryPassword]),
            ("kubernetes.io/tls", "web", &["tls.crt", "tls.key"], &[C::TlsKey]),
            ("kubernetes.io/basic-auth", "db", &["username", "password"], &[C::Password]),
            ("kubernetes.io/ssh-auth", "git", &["ssh-privatekey"], &[C::SshKey]),
            ("Opaque", "env", &["GITHUB_TOKEN", "VAULT_TOKEN"], &[C::GitToken, C::StoreToken]),
            ("Opaque", "approle", &["role-id", "secret-id"], &[C::StoreToken]),
            ("Opaque", "runner", &["runner-registration-token", "runner-token"], &[C::GitToken]),
            ("Opaque", "aws-creds", &["credentials"], &[C::AwsKey]),
            ("Opaque", "gcp-credentials", &["credentials"], &[C::GoogleKey]),
            ("Opaque", "c-kubeconfig", &["value"], &[C::Kubeconfig]),
            ("cluster.x-k8s.io/secret", "c-etcd", &["tls.key"], &[C::TlsKey, C::SigningKey]),
            ("Opaque", "db", &["credentials", "config", "value", "cloud"], &[]),
            ("Opaque", "web", &["key", "session", "password"], &[]),
        ];
        for (kind, name, keys, expected) in cases {
            assert_eq!(held(kind, name, keys), *expected, "{kind} {name} {keys:?}");
        }
    }
}
