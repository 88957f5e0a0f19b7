//! Finds things by their names, and what belongs to a namespace or a node.

use super::{
    AccountIx, ClaimIx, GroupIx, NamespaceIx, NodeIx, ObjectId, PodIx, Principal, RoleIx,
    ServiceIx, UserIx, World,
};
use crate::sym::Sym;

macro_rules! lookup {
    ($(#[$doc:meta])* $name:ident, $table:ident, $index:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(&self, ns: Sym, name: Sym) -> Option<$index> {
            self.$table.binary_search_by_key(&(ns, name), |row| (row.ns, row.name)).ok().map($index::new)
        }
    };
}

impl World {
    lookup! { /// The service account of a name.
    account, accounts, AccountIx }
    lookup! { /// The pod of a name.
    pod, pods, PodIx }
    lookup! { /// The claim of a name.
    claim, claims, ClaimIx }
    lookup! { /// The role of a name; a ClusterRole has no namespace.
    role, roles, RoleIx }
    lookup! { /// The Service of a name.
    service, services, ServiceIx }

    /// The namespace of a name.
    #[must_use]
    pub fn namespace(&self, name: Sym) -> Option<NamespaceIx> {
        self.namespaces.binary_search_by_key(&name, |n| n.name).ok().map(NamespaceIx::new)
    }

    /// The node of a name.
    #[must_use]
    pub fn node(&self, name: Sym) -> Option<NodeIx> {
        self.nodes.binary_search_by_key(&name, |n| n.name).ok().map(NodeIx::new)
    }

    /// The group of a name, if the snapshot or Kubernetes knows it.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<GroupIx> {
        let name = self.symbols.get(name)?;
        self.groups.binary_search_by_key(&name, |g| g.1).ok().map(GroupIx::new)
    }

    /// The user of a name, if a binding names it.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<UserIx> {
        let name = self.symbols.get(name)?;
        self.users.binary_search_by_key(&name, |u| u.1).ok().map(UserIx::new)
    }

    /// The text of a symbol.
    #[must_use]
    pub fn text(&self, sym: Sym) -> &str {
        self.symbols.text(sym)
    }

    /// The pods of a namespace, a range of the table.
    #[must_use]
    pub fn pods_of(&self, ns: Sym) -> std::ops::Range<usize> {
        range(&self.pods, |p| p.ns, ns)
    }

    /// The service accounts of a namespace, a range of the table.
    #[must_use]
    pub fn accounts_of(&self, ns: Sym) -> std::ops::Range<usize> {
        range(&self.accounts, |p| p.ns, ns)
    }

    /// The claims of a namespace, a range of the table.
    #[must_use]
    pub fn claims_of(&self, ns: Sym) -> std::ops::Range<usize> {
        range(&self.claims, |c| c.ns, ns)
    }

    /// The workloads of a namespace, a range of the table.
    #[must_use]
    pub fn workloads_of(&self, ns: Sym) -> std::ops::Range<usize> {
        range(&self.workloads, |p| p.ns, ns)
    }

    /// The pods on a node.
    #[must_use]
    pub fn pods_on(&self, node: NodeIx) -> &[PodIx] {
        self.by_node.get(node.index()).map_or(&[], Vec::as_slice)
    }

    /// The object that a principal is, or is named by.
    #[must_use]
    pub fn principal_object(&self, principal: Principal) -> ObjectId {
        match principal {
            Principal::Account(a) => self.accounts[a.index()].object,
            Principal::Node(n) => self.nodes[n.index()].object,
            Principal::User(u) => self.users[u.index()].0,
            Principal::Group(g) => self.groups[g.index()].0,
        }
    }

    /// The value of one of an object's labels.
    #[must_use]
    pub fn label(&self, object: ObjectId, key: &str) -> Option<Sym> {
        let key = self.symbols.get(key)?;
        let labels = self.labels_of(object);
        labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
    }

    /// An object's labels.
    #[must_use]
    pub fn labels_of(&self, object: ObjectId) -> &[(Sym, Sym)] {
        self.labels.get(self.objects[object.index()].labels as usize).map_or(&[], |l| l)
    }
}

/// The rows of a table sorted by namespace that stand in one namespace.
pub(super) fn range<T>(table: &[T], ns: impl Fn(&T) -> Sym, wanted: Sym) -> std::ops::Range<usize> {
    let start = table.partition_point(|row| ns(row) < wanted);
    let end = start + table[start..].partition_point(|row| ns(row) == wanted);
    start..end
}
