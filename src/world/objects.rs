//! The table of objects while it is filled.

use super::rows::Row;
use super::{NOWHERE, Object, ObjectId};
use crate::sym::Sym;

/// Who each object is and where it stands.
pub(super) struct Objects {
    pub(super) list: Vec<Object>,
}

impl Objects {
    pub(super) fn add(&mut self, kind: Sym, row: &Row<impl Sized>) -> ObjectId {
        let Row { ns, name, origin, labels, .. } = row;
        self.list.push(Object { kind, ns: *ns, name: *name, origin: *origin, labels: *labels });
        ObjectId::new(self.list.len() - 1)
    }
}

/// A row of what is only referred to.
pub(super) fn unseen<T>(ns: Sym, name: Sym, body: T) -> Row<T> {
    Row { ns, name, uid: 0, version: 0, origin: NOWHERE, labels: 0, body }
}
