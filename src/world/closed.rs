//! Namespaces that take nothing new, or no pods, whatever RBAC grants there.

use super::grants::{Permission, Scope};
use super::{ObjectId, World};
use crate::k8s::Kind;
use crate::sym::Sym;

/// Why a namespace refuses what is created in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It is being deleted: the admission plugin NamespaceLifecycle refuses every object.
    Terminating,
    /// A quota allows no pods. One that is merely used up is no such thing: it closes the namespace
    /// for as long as its pods stand, and they come and go.
    NoPods {
        /// The quota.
        object: ObjectId,
        name: Sym,
        /// `pods` or `count/pods`.
        key: Sym,
    },
}

impl Permission {
    /// Whether a request makes something by which pods come to be. A quota lets a workload be
    /// created whose pods it refuses.
    #[must_use]
    pub fn makes_pods(&self) -> bool {
        let kind = Kind::of_resource(self.resource).filter(|kind| kind.group() == self.group);
        self.verb == "create"
            && self.subresource.is_empty()
            && kind.is_some_and(|kind| kind == Kind::Pod || kind.is_workload())
    }

    /// Whether a request creates something. To connect to a pod or a Service is none, whatever RBAC
    /// calls it.
    fn creates(&self) -> bool {
        let connects = ["exec", "attach", "portforward", "proxy"].contains(&self.subresource);
        self.verb == "create" && !connects
    }
}

impl World {
    /// Why a namespace takes nothing new, or no pods.
    #[must_use]
    pub fn closed(&self, ns: Sym) -> Option<Closed> {
        self.namespace(ns).and_then(|ix| self.namespaces[ix.index()].closed)
    }

    /// Whether every request of a permission is refused where a grant reaches. One for the whole
    /// cluster reaches namespaces that are open.
    #[must_use]
    pub(super) fn refuses(&self, permission: &Permission, scope: Scope) -> bool {
        let Scope::Namespace(ns) = scope else { return false };
        match self.closed(ns) {
            None => false,
            Some(Closed::Terminating) => permission.creates(),
            Some(Closed::NoPods { .. }) => permission.makes_pods(),
        }
    }
}
