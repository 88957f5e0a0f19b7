//! The accounts that a new pod may have where a policy looks at its account.
//!
//! Whoever makes a pod chooses its account, and so leads to all of its namespace. Where a policy
//! lets some accounts' pods in and refuses others', he leads to a set of their own instead, from
//! which each account has an edge as sure as the policy leaves it.

use super::pod_api::set_of;
use super::sets::{SERVICE_ACCOUNTS, SET_MEMBER};
use crate::graph::{SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::Scope;
use crate::world::requests::Request;
use crate::world::{AccountIx, NamespaceIx, World};

static POD_ACCOUNTS: SetKind =
    SetKind { id: "pod-accounts", noun: "service accounts that new pods may have" };

/// Whether a policy of a namespace looks at the account of new pods.
fn is_picky(sink: &mut Sink<'_>, ns: NamespaceIx) -> bool {
    sink.admission().refusals(&Request::NEW_POD, Some(ns)).accounts
}

/// The set of the accounts that who makes pods in a scope can give them.
pub(super) fn accounts(world: &World, sink: &mut Sink<'_>, scope: Scope) -> Thing<'static> {
    let asked = sink.admission().is_asked(&Request::NEW_POD);
    let picky = asked
        && match scope {
            Scope::Cluster => {
                (0..world.namespaces.len()).any(|i| is_picky(sink, NamespaceIx::new(i)))
            }
            Scope::Namespace(ns) => world.namespace(ns).is_some_and(|ns| is_picky(sink, ns)),
        };
    set_of(if picky { &POD_ACCOUNTS } else { &SERVICE_ACCOUNTS }, scope)
}

/// Fills these sets as far as they are named; adds the plain sets that they lead to.
pub(super) fn members(world: &World, sink: &mut Sink<'_>, keys: &mut Vec<SetKey>) {
    let key = |kind, ns: Sym| SetKey { kind, ns, of: 0 };
    let whole = keys.contains(&key(&POD_ACCOUNTS, Sym::EMPTY));
    let mut named: Vec<Sym> =
        keys.iter().filter(|k| k.kind == &POD_ACCOUNTS).map(|k| k.ns).collect();
    named.sort_unstable();
    for (i, namespace) in world.namespaces.iter().enumerate() {
        let ns = NamespaceIx::new(i);
        if !whole && named.binary_search(&namespace.name).is_err() {
            continue;
        }
        let picky = is_picky(sink, ns);
        if whole {
            let part = key(if picky { &POD_ACCOUNTS } else { &SERVICE_ACCOUNTS }, namespace.name);
            let fact = sink.fact(namespace.object, "", "a namespace of the cluster");
            let from = Thing::Set(key(&POD_ACCOUNTS, Sym::EMPTY));
            sink.edge(from, Thing::Set(part), &SET_MEMBER, &[fact]);
            if !picky {
                keys.push(part);
            }
        }
        if !picky {
            continue;
        }
        let from = Thing::Set(key(&POD_ACCOUNTS, namespace.name));
        for account in world.accounts_of(namespace.name).map(AccountIx::new) {
            let row = &world.accounts[account.index()];
            let Some((odds, mut facts)) = row.exists.then(|| sink.pod_of(ns, row.name)).flatten()
            else {
                continue;
            };
            facts.push(sink.fact(namespace.object, "", "what stands in it belongs to the set"));
            sink.edge_with(from, Thing::Account(account), &SET_MEMBER, odds, &facts);
        }
    }
}
