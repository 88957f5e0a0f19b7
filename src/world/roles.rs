//! Roles with their effective rules: aggregation is computed where the snapshot does not show it.

use super::objects::{Objects, unseen};
use super::rows::{BindingRow, Labels, RoleRow, Row};
use super::{NOWHERE, Role, RoleIx, RuleRef};
use crate::sym::{Sym, Symbols};

/// Roles with their effective rules, and the namespace and name of each.
pub(super) fn resolve_roles(
    rows: &[Row<RoleRow>],
    bindings: &[Row<BindingRow>],
    labels: &[Labels],
    symbols: &Symbols,
    objects: &mut Objects,
) -> (Vec<Role>, Vec<(Sym, Sym)>) {
    let mut keys: Vec<(Sym, Sym, Option<usize>)> =
        rows.iter().enumerate().map(|(i, r)| (r.ns, r.name, Some(i))).collect();
    let mut missing: Vec<(Sym, Sym)> =
        bindings.iter().filter_map(|b| role_key(b, symbols)).collect();
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|key| rows.binary_search_by_key(key, |r| (r.ns, r.name)).is_err());
    keys.extend(missing.into_iter().map(|(ns, name)| (ns, name, None)));
    keys.sort_unstable();
    let mut places = vec![RoleIx(0); rows.len()];
    for (i, key) in keys.iter().enumerate() {
        if let Some(row) = key.2 {
            places[row] = RoleIx::new(i);
        }
    }
    let own = |row: usize| -> Vec<RuleRef> {
        let rule = |(place, rule): (usize, &u32)| RuleRef {
            rule: *rule,
            role: places[row],
            place: u32::try_from(place).unwrap_or(u32::MAX),
        };
        rows[row].body.rules.iter().enumerate().map(rule).collect()
    };
    let mut effective: Vec<Vec<RuleRef>> = (0..rows.len()).map(own).collect();
    // A served role shows the rules that the controller put in. A manifest's rules are still to be
    // collected, and may be collected from a role that collects itself, as admin does from edit.
    let to_fill: Vec<usize> = (0..rows.len())
        .filter(|i| {
            let row = &rows[*i];
            row.body.aggregation.is_some()
                && (row.body.rules.is_empty() || row.origin.source == NOWHERE.source)
        })
        .collect();
    loop {
        let mut changed = false;
        for target in &to_fill {
            let selectors = rows[*target].body.aggregation.as_deref().unwrap_or_default();
            let mut found = effective[*target].clone();
            for (source, row) in rows.iter().enumerate() {
                let of = labels.get(row.labels as usize).map_or(&[][..], |l| l);
                // The built-in roles hold one another's rules already.
                let both_built_in = row.origin.source == NOWHERE.source
                    && rows[*target].origin.source == NOWHERE.source;
                if source != *target
                    && row.ns.is_empty()
                    && !both_built_in
                    && selectors.iter().any(|s| s.selects(of))
                {
                    found.extend(effective[source].iter().copied());
                }
            }
            found.sort_unstable_by_key(|r| (r.role, r.place));
            found.dedup();
            if found.len() > effective[*target].len() {
                effective[*target] = found;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let roles = keys
        .iter()
        .map(|(ns, name, row)| {
            let kind = if ns.is_empty() { "ClusterRole" } else { "Role" };
            let kind = symbols.get(kind).unwrap_or(Sym::EMPTY);
            let object = match row {
                Some(row) => objects.add(kind, &rows[*row]),
                None => objects.add(kind, &unseen(*ns, *name, ())),
            };
            let rules = row.map(|r| std::mem::take(&mut effective[r])).unwrap_or_default();
            let selectors = row.and_then(|r| rows[r].body.aggregation.as_deref());
            let collects = ns.is_empty() && selectors.is_some_and(|s| !s.is_empty());
            let (rules, missing) = (rules.into(), row.is_none());
            Role { object, ns: *ns, name: *name, rules, collects, missing }
        })
        .collect();
    (roles, keys.into_iter().map(|(ns, name, _)| (ns, name)).collect())
}

/// Where a binding looks for its role. A ClusterRoleBinding looks for a Role in no namespace and
/// finds none.
pub(super) fn role_key(row: &Row<BindingRow>, symbols: &Symbols) -> Option<(Sym, Sym)> {
    match symbols.text(row.body.role_kind) {
        "ClusterRole" => Some((Sym::EMPTY, row.body.role)),
        "Role" if !row.ns.is_empty() => Some((row.ns, row.body.role)),
        _ => None,
    }
}
