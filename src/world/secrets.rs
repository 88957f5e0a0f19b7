//! Secrets, and ConfigMaps that hold what only Secrets should.

use super::contents::Finding;
use super::lookup::range;
use super::lower::uid;
use super::rows::LoginRow;
use super::{AccountIx, MapIx, Node, ObjectId, SecretIx, World};
use crate::k8s::data::PolicySwitches;
use crate::sym::{Sym, Symbols};
use std::ops::Range;

#[derive(Debug)]
pub struct Secret {
    pub object: ObjectId,
    pub ns: Sym,
    pub name: Sym,
    /// Its `type`.
    pub kind: Sym,
    /// Of a token Secret: whose.
    pub account: Option<AccountIx>,
    /// The account was made anew since, or the token was marked invalid.
    pub dead: bool,
    /// Of a bootstrap token: its keys, or that none are shown, let it sign in.
    pub signs_in: bool,
    /// Of a token Secret: the token is among its keys, or none are shown.
    pub filled: bool,
    /// Of a bootstrap token: its keys, or that none are shown, let it bear groups of its own.
    pub extra_groups: bool,
    pub immutable: bool,
    /// It belongs to another cluster, whose control plane runs in this one or is managed here.
    pub hosted: bool,
    /// What it holds.
    pub holds: Box<[Finding]>,
    /// Of a release of Helm, and of what stands in one: its namespace and name.
    pub release: (Sym, Sym),
    /// Whom it signs in as.
    pub logins: Box<[Login]>,
    /// Its kubeconfig, if it has one, could be read.
    pub shown: bool,
}

/// Whom a credential signs in as.
#[derive(Debug)]
pub struct Login {
    /// The key of the Secret.
    pub key: Sym,
    pub user: Sym,
    pub groups: Box<[Sym]>,
    /// Hash of the account's uid; 0 where there is none.
    pub uid: u64,
    /// Its server is this cluster's.
    pub here: bool,
    /// It does not say which server.
    pub anywhere: bool,
}

/// A ConfigMap that rules read.
#[derive(Debug)]
pub struct ConfigMap {
    pub object: ObjectId,
    pub ns: Sym,
    pub name: Sym,
    /// Of ingress-nginx: what it says about `allow-snippet-annotations`.
    pub snippets: Option<bool>,
    /// A kubelet's configuration that lets anybody do everything.
    pub open_kubelet: bool,
    /// Of a network plugin: what it says of policies.
    pub policies: PolicySwitches,
}

/// The row of a name in a table sorted by namespace and name.
fn row(table: &[Secret], ns: Sym, name: Sym) -> Option<usize> {
    table.binary_search_by_key(&(ns, name), |row| (row.ns, row.name)).ok()
}

impl World {
    /// The Secret of a name.
    #[must_use]
    pub fn secret(&self, ns: Sym, name: Sym) -> Option<SecretIx> {
        row(&self.secrets, ns, name).map(SecretIx::new)
    }

    /// The Secrets of a namespace, a range of the table.
    #[must_use]
    pub fn secrets_of(&self, ns: Sym) -> Range<usize> {
        range(&self.secrets, |s| s.ns, ns)
    }

    /// The ConfigMap of a name, if it holds a credential.
    #[must_use]
    pub fn credential_map(&self, ns: Sym, name: Sym) -> Option<MapIx> {
        row(&self.credential_maps, ns, name).map(MapIx::new)
    }

    /// The ConfigMaps with credentials of a namespace, a range of the table.
    #[must_use]
    pub fn credential_maps_of(&self, ns: Sym) -> Range<usize> {
        range(&self.credential_maps, |m| m.ns, ns)
    }
}

/// Hashes of the hosts that lead to this cluster's API server: by the names of its Service, by the
/// addresses of the nodes, and by what its own ConfigMaps say. Sorted.
pub(super) fn own_servers(named: &[u64], nodes: &[Node], symbols: &Symbols) -> Vec<u64> {
    let service = ["", ".svc", ".svc.cluster.local"].map(|end| format!("kubernetes.default{end}"));
    let addresses = nodes.iter().flat_map(|n| &n.addresses).map(|(_, a)| symbols.text(*a));
    let texts = service.iter().map(String::as_str).chain(["kubernetes"]).chain(addresses);
    let mut hosts: Vec<u64> = named.iter().copied().chain(texts.map(uid)).collect();
    hosts.sort_unstable();
    hosts
}

/// Whom a credential signs in as, and whether at this cluster.
pub(super) fn whose(login: &LoginRow, own: &[u64]) -> Login {
    Login {
        key: login.key,
        user: login.user,
        groups: login.groups.clone(),
        uid: login.uid,
        here: login.server != 0 && own.binary_search(&login.server).is_ok(),
        anywhere: login.server == 0 || LOCAL.iter().any(|l| uid(l) == login.server),
    }
}

/// Hosts that say nothing of the cluster.
const LOCAL: &[&str] = &["localhost", "127.0.0.1", "::1", "0.0.0.0"];
