//! Tokens of Vault and other stores of secrets: what a store holds is what operators copy out of it.
//!
//! Which store a token is for, and what it may read there, is not in a snapshot; the objects that
//! refer to it are not read. So these steps are possible at best.

use super::Family;
use super::impersonation::cluster;
use super::pod_api::set_of;
use super::secret_contents::{holding, told};
use super::sets::SET_MEMBER;
use crate::graph::{Odds, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::World;
use crate::world::contents::Content;
use crate::world::grants::Scope;
use std::collections::BTreeSet;

crate::attack! {
    /// Reads in Vault or another store of secrets what operators copy into Secrets of the cluster.
    ///
    /// ## Needs
    /// A Secret with keys named for such a token (`vault-token`, `role-id` with `secret-id`,
    /// `op_connect_token`, `doppler-token`), and Secrets that an ExternalSecret or its like owns.
    /// Those of the token's own namespace are more likely meant than others, which a store of the
    /// whole cluster serves.
    /// ## Abuse
    /// `kubectl get secret -n NAMESPACE NAME -o jsonpath='{.data}'`, decode it, then `vault kv get
    /// PATH` with `VAULT_TOKEN`, or `vault write auth/approle/login role_id=ID secret_id=ID`.
    /// ## Stopped by
    /// A token of another store, or one that may read other paths only; one that has ended; a store
    /// that is not to be reached. The snapshot shows none of these.
    /// ## Fix
    /// Let the operator sign in to the store by its service account's token instead, and limit what
    /// it reads there to its namespace's paths.
    /// ## Detect
    /// The store's audit log: the token from other addresses than the operator's.
    /// ## References
    /// - <https://external-secrets.io/latest/provider/hashicorp-vault/>
    /// - <https://developer.hashicorp.com/vault/docs/auth/approle>
    pub(super) static SECRET_IS_VAULT_OR_EXTERNAL = {
        id: "secret-is-vault-or-external", title: "Is a token of a store of secrets",
        mitre: &["T1552.007", "T1555.006"], odds: Odds::possible(0.4),
    }
}

/// Tokens of stores.
pub(super) static FAMILY: Family = Family {
    name: "P Tokens of stores of secrets",
    attacks: &[&SECRET_IS_VAULT_OR_EXTERNAL],
    find,
};

static SYNCED: SetKind = SetKind { id: "synced-secrets", noun: "secrets copied out of a store" };

fn find(world: &World, sink: &mut Sink<'_>) {
    let namespaces: BTreeSet<Sym> =
        holding(world, Content::Synced).map(|(_, secret, _)| secret.ns).collect();
    let mut tokens = holding(world, Content::StoreToken).peekable();
    if namespaces.is_empty() || tokens.peek().is_none() {
        return;
    }
    for (ix, secret, finding) in tokens {
        let fact = told(world, sink, secret, finding, "a token of a store of secrets");
        let attack = &SECRET_IS_VAULT_OR_EXTERNAL;
        let from = Thing::Secret(ix);
        if namespaces.contains(&secret.ns) {
            let to = set_of(&SYNCED, Scope::Namespace(secret.ns));
            sink.edge(from, to, attack, &[fact]);
        }
        sink.edge_with(from, cluster(&SYNCED), attack, Odds::possible(0.2), &[fact]);
    }
    let mut joined = BTreeSet::new();
    for (ix, secret, finding) in holding(world, Content::Synced) {
        let part = set_of(&SYNCED, Scope::Namespace(secret.ns));
        let fact = told(world, sink, secret, finding, world.text(finding.key));
        if joined.insert(secret.ns) {
            sink.edge(cluster(&SYNCED), part, &SET_MEMBER, &[fact]);
        }
        sink.edge(part, Thing::Secret(ix), &SET_MEMBER, &[fact]);
    }
}
