//! Network policies of other kinds than Kubernetes' own: what their lowering has in common.

use crate::input::Origin;
use crate::k8s::rbac::LabelSelector;
use crate::k8s::{Body, Kind, Meta};
use crate::sym::Sym;
use crate::world::network::{Expr, Key, OtherRow};
use crate::world::rows::{Part, Selector};
use serde::Deserialize;
use serde_json::Value;

/// The elements of a list; none of anything else.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The text of a value; none of anything else.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

/// A port's number: written as a number or as text.
pub(super) fn number(value: &Value) -> Option<u16> {
    match value {
        Value::String(text) => text.parse().ok(),
        _ => u16::try_from(value.as_u64()?).ok(),
    }
}

/// Whether a policy that is not evaluated is the cluster's: some kinds are, and one that a list of
/// objects without kinds holds may be.
fn is_of_cluster(kind: &str, meta: &Meta<'_>) -> bool {
    meta.namespace.is_empty()
        && (kind.starts_with("Cluster") || kind == Kind::OtherNetworkPolicy.name())
}

impl Part {
    pub(super) fn lower_network(
        &mut self,
        kind: Kind,
        (group, name): (&str, &str),
        meta: &Meta<'_>,
        body: &Body<'_>,
        origin: Origin,
    ) {
        let none = Value::Null;
        let spec = if let Body::Policy(spec) = body { &**spec } else { &none };
        let body = match kind {
            Kind::AdminNetworkPolicy
            | Kind::BaselineAdminNetworkPolicy
            | Kind::ClusterNetworkPolicy => self.admin_policy(kind, spec),
            Kind::CiliumNetworkPolicy | Kind::CiliumClusterwideNetworkPolicy => {
                let own = kind.is_namespaced().then(|| self.or_own("", meta));
                self.cilium_policy(kind, own, spec)
            }
            Kind::OtherNetworkPolicy => {
                let own = (!is_of_cluster(name, meta)).then(|| self.or_own("", meta));
                self.unread_policy(group, name, own, spec)
            }
            _ => {
                let own = kind.is_namespaced().then(|| self.or_own("", meta));
                self.calico_policy(kind, own, spec)
            }
        };
        let mut row: crate::world::rows::Row<OtherRow> = self.row(kind, meta, origin, body);
        if kind == Kind::OtherNetworkPolicy && is_of_cluster(name, meta) {
            row.ns = Sym::EMPTY;
        }
        self.other_policies.push(row);
    }

    /// A label selector of Kubernetes; one that cannot be read is unknown.
    pub(super) fn label_expr(&mut self, selector: &Value, key: fn(Sym) -> Key) -> Expr {
        match self.read_selector(selector) {
            Some(selector) => Expr::labels(&selector, key),
            None => Expr::Unknown,
        }
    }

    pub(super) fn read_selector(&mut self, selector: &Value) -> Option<Selector> {
        let read = Option::<LabelSelector<'_>>::deserialize(selector).ok()?;
        Some(self.selector(&read.unwrap_or_default()))
    }
}
