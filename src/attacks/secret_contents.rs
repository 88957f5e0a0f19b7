//! What Secrets hold besides tokens of service accounts: keys of clouds, other Secrets by a release
//! of Helm, and the key of every SealedSecret. Credentials for a cluster are in `secret_logins`.
//! ConfigMaps that hold the same are read alike.
//!
//! What leads to nothing in this cluster (passwords of registries, TLS keys, tokens of other
//! services) makes no edge; the Secret bears a tag that says so.

use super::Family;
use super::secret_logins::{
    self, SECRET_IS_ARGO_CLUSTER, SECRET_IS_ETCD_OR_CA_KEY, SECRET_IS_GIT_OR_CI,
    SECRET_IS_KUBECONFIG,
};
use super::sets::SET_MEMBER;
use crate::graph::{Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::contents::{Content, Finding};
use crate::world::{MapIx, Secret, SecretIx, World};
use std::collections::BTreeMap;

crate::attack! {
    /// Uses the key of a cloud provider that a Secret holds.
    ///
    /// ## Needs
    /// A Secret with keys named for such credentials: `AWS_SECRET_ACCESS_KEY`, the key file of a
    /// Google service account, `AZURE_CLIENT_SECRET`, `cloud.conf`. Names of keys decide, values
    /// are never read: so whose key it is, is not known, and the identity is named by the Secret.
    /// ## Abuse
    /// `kubectl get secret -n NAMESPACE NAME -o jsonpath='{.data}'`, decode it, then `aws sts
    /// get-caller-identity`, `gcloud auth activate-service-account --key-file FILE`, or `az login
    /// --service-principal`.
    /// ## Stopped by
    /// A key that was rotated since; conditions of the cloud on addresses.
    /// ## Fix
    /// Give the workload an identity of the cloud by its service account (IRSA, Pod Identity,
    /// Workload Identity) and delete the key.
    /// ## Detect
    /// CloudTrail, Cloud Audit Logs or Entra sign-in logs of the key from other addresses than the
    /// cluster's.
    /// ## References
    /// - <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html>
    /// - <https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys>
    pub(super) static SECRET_IS_CLOUD_CREDS = {
        id: "secret-is-cloud-creds", title: "Is a key of a cloud",
        mitre: &["T1552.007", "T1078.004"], odds: Odds::likely(0.8),
    }
}

crate::attack! {
    /// Reads other Secrets in a release of Helm: the release holds the manifest of everything that
    /// was installed, Secrets and their values included.
    ///
    /// ## Needs
    /// A Secret of the type `helm.sh/release.v1`, and Secrets that Helm has marked as made by that
    /// release, by the annotation `meta.helm.sh/release-name`. The labels
    /// `app.kubernetes.io/instance` and `managed-by: Helm` alone are a hint.
    /// ## Abuse
    /// `kubectl get secret -n NAMESPACE sh.helm.release.v1.NAME.v1 -o jsonpath='{.data.release}' |
    /// base64 -d | base64 -d | gunzip | jq -r .manifest`.
    /// ## Stopped by
    /// Values that were changed after the installation. A superseded revision holds those of its
    /// time.
    /// ## Fix
    /// Let charts refer to Secrets that were made otherwise (`existingSecret`); allow `get` on
    /// named Secrets instead of the namespace's; keep few revisions (`--history-max`).
    /// ## Detect
    /// Audit events with verb `get` on Secrets named `sh.helm.release.v1.*` by others than whoever
    /// deploys.
    /// ## References
    /// - <https://helm.sh/docs/topics/advanced/#storage-backends>
    /// - helm `pkg/storage/driver/secrets.go`, `pkg/action/validate.go`
    pub(super) static SECRET_IS_HELM_RELEASE = {
        id: "secret-is-helm-release", title: "Holds the manifests of a Helm release",
        mitre: &["T1552.007"], odds: Odds::likely(0.8),
    }
}

crate::attack! {
    /// Opens SealedSecrets with the controller's private key.
    ///
    /// ## Needs
    /// A Secret with the label `sealedsecrets.bitnami.com/sealed-secrets-key`, and the sealed text,
    /// which is made to be kept in a repository and stands in the SealedSecret objects. It leads to
    /// the Secrets that SealedSecrets own.
    /// ## Abuse
    /// `kubectl get secret -n kube-system -l sealedsecrets.bitnami.com/sealed-secrets-key -o yaml >
    /// keys.yaml`, then `kubeseal --recovery-unseal --recovery-private-key keys.yaml < FILE`.
    /// ## Stopped by
    /// Another key than the one that sealed: the controller makes a new one every 30 days and keeps
    /// the old ones.
    /// ## Fix
    /// Let nobody but the controller read the keys; after a leak make a new key, seal everything
    /// again and change the values.
    /// ## Detect
    /// Audit events with verb `get` or `list` on these Secrets by others than the controller.
    /// ## References
    /// - <https://github.com/bitnami-labs/sealed-secrets#secret-rotation>
    pub(super) static SECRET_IS_SEALED_KEY = {
        id: "secret-is-sealed-key", title: "Opens SealedSecrets", mitre: &["T1552.004"],
        odds: Odds::likely(0.6),
    }
}

/// What Secrets hold.
pub(super) static FAMILY: Family = Family {
    name: "P Secret contents",
    attacks: &[
        &SECRET_IS_KUBECONFIG,
        &SECRET_IS_HELM_RELEASE,
        &SECRET_IS_ARGO_CLUSTER,
        &SECRET_IS_CLOUD_CREDS,
        &SECRET_IS_GIT_OR_CI,
        &SECRET_IS_SEALED_KEY,
        &SECRET_IS_ETCD_OR_CA_KEY,
    ],
    find,
};

/// The Secrets in one release of Helm, told by the first of them.
static RELEASED: SetKind = SetKind { id: "released-secrets", noun: "secrets in a release of Helm" };
/// The Secrets of SealedSecrets.
static UNSEALED: SetKind = SetKind { id: "unsealed-secrets", noun: "secrets of SealedSecrets" };

fn find(world: &World, sink: &mut Sink<'_>) {
    let secrets = world.secrets.iter().enumerate();
    let secrets = secrets.map(|(i, secret)| (Thing::Secret(SecretIx::new(i)), secret));
    let maps = world.credential_maps.iter().enumerate();
    let maps = maps.map(|(i, map)| (Thing::ConfigMap(MapIx::new(i)), map));
    for (from, secret) in secrets.chain(maps) {
        for finding in &secret.holds {
            let Some(provider) = provider(finding.content) else { continue };
            let (ns, name) = (world.text(secret.ns), world.text(secret.name));
            let identity = format!("{provider}-credentials/{ns}/{name}");
            let odds = SECRET_IS_CLOUD_CREDS.odds;
            let odds = if finding.sure { odds } else { odds.but(0.5, Confidence::Possible) };
            let fact = told(world, sink, secret, finding, "a key of a cloud");
            sink.edge_with(from, Thing::Cloud(&identity), &SECRET_IS_CLOUD_CREDS, odds, &[fact]);
        }
        secret_logins::find(world, sink, from, secret);
    }
    releases(world, sink);
    sealed(world, sink);
}

/// The cloud that a key is for.
pub(super) fn provider(content: Content) -> Option<&'static str> {
    match content {
        Content::AwsKey => Some("aws"),
        Content::GoogleKey => Some("gcp"),
        Content::AzureKey => Some("azure"),
        Content::CloudKey => Some("cloud"),
        _ => None,
    }
}

/// The fact that a Secret holds something.
pub(super) fn told(
    world: &World,
    sink: &mut Sink<'_>,
    secret: &Secret,
    finding: &Finding,
    what: &str,
) -> Fact {
    sink.fact(secret.object, &finding.field(world.text(finding.key)), what)
}

/// The finding of one kind of content.
pub(super) fn held(secret: &Secret, content: Content) -> Option<&Finding> {
    secret.holds.iter().find(|finding| finding.content == content)
}

/// The Secrets with one kind of content.
pub(super) fn holding(
    world: &World,
    content: Content,
) -> impl Iterator<Item = (SecretIx, &Secret, &Finding)> {
    let rows = world.secrets.iter().enumerate();
    rows.filter_map(move |(i, s)| held(s, content).map(|finding| (SecretIx::new(i), s, finding)))
}

/// Releases of Helm: each revision leads to the set of what the release has made.
fn releases(world: &World, sink: &mut Sink<'_>) {
    let mut made: BTreeMap<(Sym, Sym), Vec<(SecretIx, &Finding)>> = BTreeMap::new();
    for (ix, secret, finding) in holding(world, Content::Released) {
        if !secret.release.1.is_empty() {
            made.entry(secret.release).or_default().push((ix, finding));
        }
    }
    let set = |of: &(Sym, Sym), first: SecretIx| {
        let number = u32::try_from(first.index() + 1).unwrap_or(u32::MAX);
        Thing::Set(SetKey { kind: &RELEASED, ns: of.0, of: number })
    };
    let mut led = Vec::new();
    for (ix, secret, finding) in holding(world, Content::HelmRelease) {
        let Some(members) = made.get(&secret.release) else { continue };
        let odds = SECRET_IS_HELM_RELEASE.odds;
        let odds = if finding.sure { odds } else { odds.but(0.6, Confidence::Possible) };
        let fact = told(world, sink, secret, finding, "helm.sh/release.v1");
        let to = set(&secret.release, members[0].0);
        sink.edge_with(Thing::Secret(ix), to, &SECRET_IS_HELM_RELEASE, odds, &[fact]);
        led.push(secret.release);
    }
    led.sort_unstable();
    led.dedup();
    for release in led {
        let members = &made[&release];
        for (ix, finding) in members {
            let secret = &world.secrets[ix.index()];
            let odds = SET_MEMBER.odds;
            let odds = if finding.sure { odds } else { odds.but(0.5, Confidence::Possible) };
            let fact = told(world, sink, secret, finding, world.text(release.1));
            let from = set(&release, members[0].0);
            sink.edge_with(from, Thing::Secret(*ix), &SET_MEMBER, odds, &[fact]);
        }
    }
}

/// Keys of the sealed-secrets controller.
fn sealed(world: &World, sink: &mut Sink<'_>) {
    let set = Thing::Set(SetKey { kind: &UNSEALED, ns: Sym::EMPTY, of: 0 });
    let mut members = holding(world, Content::Unsealed).peekable();
    let mut keys = holding(world, Content::SealingKey).peekable();
    if members.peek().is_none() || keys.peek().is_none() {
        return;
    }
    for (ix, secret, finding) in keys {
        let fact = told(world, sink, secret, finding, "a key of the sealed-secrets controller");
        sink.edge(Thing::Secret(ix), set, &SECRET_IS_SEALED_KEY, &[fact]);
    }
    for (ix, secret, finding) in members {
        let fact = told(world, sink, secret, finding, "SealedSecret");
        sink.edge(set, Thing::Secret(ix), &SET_MEMBER, &[fact]);
    }
}
