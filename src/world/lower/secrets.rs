//! Secrets: what they hold, without their values.

use super::uid;
use crate::k8s::Meta;
use crate::k8s::data::{Data, Secret};
use crate::sym::Sym;
use crate::world::contents::{Content, INSTANCE, RELEASE, contents, is_hosted};
use crate::world::rows::{LoginRow, Part, SecretRow};

impl Part {
    /// A ConfigMap as if it were a Secret, if it holds a credential: a kubeconfig that signs in, or
    /// keys that bear the names of nothing else.
    pub(super) fn credential_map(&mut self, meta: &Meta<'_>, data: Data<'_>) -> Option<SecretRow> {
        if data.keys.is_empty() {
            return None;
        }
        let mut row = self.secret(meta, &Secret { data, ..Secret::default() });
        let signs_in = row.logins.iter().any(|login| !login.user.is_empty());
        let mut holds = row.holds.into_vec();
        holds.retain(|finding| match finding.content {
            Content::Kubeconfig => signs_in,
            Content::AwsKey | Content::GoogleKey | Content::AzureKey | Content::SigningKey => {
                finding.sure
            }
            _ => false,
        });
        row.holds = holds.into();
        (signs_in || !row.holds.is_empty()).then_some(row)
    }

    pub(super) fn secret(&mut self, meta: &Meta<'_>, secret: &Secret<'_>) -> SecretRow {
        let (kind, keys) = (&*secret.kind, &secret.data.keys);
        let bootstrap = kind == "bootstrap.kubernetes.io/token";
        let has = |key: &str| bootstrap && (keys.is_empty() || keys.iter().any(|k| **k == *key));
        let account = meta.annotations.get("kubernetes.io/service-account.name");
        let account_uid = meta.annotations.get("kubernetes.io/service-account.uid");
        let label = |key: &str| meta.labels.0.iter().find(|(k, _)| &**k == key);
        let mut holds = contents(kind, meta, keys, |text| self.symbols.intern(text));
        // A token of a service account has a field of its own.
        if kind == "kubernetes.io/service-account-token" {
            holds = Box::default();
        }
        let own_logins = kind != "kubernetes.io/service-account-token";
        let logins = secret.data.logins.list.iter().filter(|_| own_logins);
        let logins = logins.map(|login| LoginRow {
            key: self.symbols.intern(&login.key),
            user: self.symbols.intern(&login.user),
            groups: login.groups.iter().map(|group| self.symbols.intern(group)).collect(),
            uid: uid(&login.uid),
            server: uid(&login.server),
        });
        let logins: Box<[LoginRow]> = logins.collect();
        let is = |content| holds.iter().any(|f| f.content == content);
        let (namespace, release) = if is(Content::HelmRelease) {
            (&*meta.namespace, label("name").map_or("", |(_, name)| &**name))
        } else if is(Content::Released) {
            let namespace = meta.annotations.get("meta.helm.sh/release-namespace");
            let instance = label(INSTANCE).map_or("", |(_, name)| &**name);
            let release = meta.annotations.get(RELEASE).unwrap_or(instance);
            (namespace.unwrap_or(&meta.namespace), release)
        } else {
            ("", "")
        };
        let release = if release.is_empty() {
            (Sym::EMPTY, Sym::EMPTY)
        } else {
            let namespace = if namespace.is_empty() { "default" } else { namespace };
            (self.sym(namespace), self.sym(release))
        };
        SecretRow {
            kind: self.sym(kind),
            account: self.sym(account.unwrap_or("")),
            account_uid: uid(account_uid.unwrap_or("")),
            invalid: label("kubernetes.io/legacy-token-invalid-since").is_some(),
            filled: keys.is_empty() || keys.iter().any(|k| &**k == "token"),
            signs_in: has("usage-bootstrap-authentication"),
            extra_groups: has("auth-extra-groups"),
            immutable: secret.immutable.is_true(),
            hosted: is_hosted(kind, meta),
            holds,
            release,
            logins,
            shown: secret.data.logins.shown,
        }
    }
}
