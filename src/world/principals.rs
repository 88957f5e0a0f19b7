//! Users and groups, which are no objects: whoever bindings and OpenShift name.

use super::build::IMPLICIT_GROUPS;
use super::objects::{Objects, unseen};
use super::openshift::ConstraintsRow;
use super::rows::{BindingRow, Row};
use super::{GroupIx, ObjectId, UserIx, rbac};
use crate::sym::{Sym, Symbols};
use std::collections::BTreeMap;

/// The users and groups that bindings and OpenShift name.
pub(super) struct Named {
    pub(super) users: Vec<(ObjectId, Sym)>,
    pub(super) groups: Vec<(ObjectId, Sym)>,
    pub(super) memberships: BTreeMap<UserIx, Vec<(GroupIx, u32)>>,
}

/// The users and groups that bindings name, those of OpenShift's groups and constraints, and the
/// groups that Kubernetes knows.
pub(super) fn named_principals(
    bindings: &[Row<BindingRow>],
    own: &[Row<Box<[Sym]>>],
    constraints: &[Row<ConstraintsRow>],
    symbols: &Symbols,
    objects: &mut Objects,
) -> Named {
    let mut users = vec![symbols.get("system:anonymous").unwrap_or(Sym::EMPTY)];
    let mut groups: Vec<Sym> = IMPLICIT_GROUPS.iter().filter_map(|g| symbols.get(g)).collect();
    let is_user = |name: Sym| {
        let user = symbols.text(name);
        rbac::account_of_user(user).is_none() && rbac::node_of_user(user).is_none()
    };
    for (kind, _, name) in bindings.iter().flat_map(|b| b.body.subjects.iter()) {
        match symbols.text(*kind) {
            "User" if is_user(*name) => users.push(*name),
            "Group" => groups.push(*name),
            _ => {}
        }
    }
    for group in own {
        groups.push(group.name);
        users.extend(group.body.iter().copied().filter(|user| is_user(*user)));
    }
    for constraints in constraints {
        groups.extend(constraints.body.groups.iter().copied());
        users.extend(constraints.body.users.iter().copied().filter(|user| is_user(*user)));
    }
    let mut table = |kind: &str, mut names: Vec<Sym>, own: &[Row<Box<[Sym]>>]| {
        names.sort_unstable();
        names.dedup();
        let kind = symbols.get(kind).unwrap_or(Sym::EMPTY);
        let row = |n: Sym| match own.binary_search_by_key(&n, |g| g.name) {
            Ok(at) => (objects.add(kind, &own[at]), n),
            Err(_) => (objects.add(kind, &unseen(Sym::EMPTY, n, ())), n),
        };
        names.into_iter().map(row).collect::<Vec<(ObjectId, Sym)>>()
    };
    let users = table("User", users, &[]);
    let groups = table("Group", groups, own);
    let find = |table: &[(ObjectId, Sym)], name| table.binary_search_by_key(&name, |row| row.1);
    let mut memberships: BTreeMap<UserIx, Vec<(GroupIx, u32)>> = BTreeMap::new();
    for group in own {
        let Ok(ix) = find(&groups, group.name) else { continue };
        for (user, place) in group.body.iter().zip(0_u32..) {
            if let Ok(user) = find(&users, *user) {
                memberships.entry(UserIx::new(user)).or_default().push((GroupIx::new(ix), place));
            }
        }
    }
    Named { users, groups, memberships }
}
