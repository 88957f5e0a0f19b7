//! Service accounts that bindings name and nobody has made: whoever makes one gets its rights.

use super::Family;
use super::gate::{PART, gate, needed_together};
use super::impersonation::{cluster, is_absent};
use super::sets::SET_MEMBER;
use super::together::parts;
use super::workloads::pod_creation;
use crate::graph::{Confidence, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::{AccountIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Makes the service account that a binding already names.
    ///
    /// ## Needs
    /// A binding whose subject is a service account that does not exist, `create` on
    /// `serviceaccounts` in its namespace, and a way to its token there: `create` on
    /// `serviceaccounts/token`, or on pods or whatever makes pods. The two may be held by
    /// different conquered identities.
    /// ## Abuse
    /// `kubectl create serviceaccount NAME -n NAMESPACE`, then `kubectl create token NAME`.
    /// ## Stopped by
    /// Nothing compares a binding with the accounts there are; the name alone counts.
    /// ## Fix
    /// Delete the binding, or the subject, when the account goes.
    /// ## Detect
    /// Audit events `create` on `serviceaccounts` for a name that a binding bears.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects>
    /// - executed on kube-apiserver 1.36
    pub(super) static CREATE_DANGLING_SUBJECT = {
        id: "create-dangling-subject", title: "Make an account that is bound already",
        mitre: &["T1098"], odds: Odds::certain(0.95),
    }
}

/// Absent subjects.
pub(super) static FAMILY: Family =
    Family { name: "A Absent subjects", attacks: &[&CREATE_DANGLING_SUBJECT], find };

static MAKERS: SetKind =
    SetKind { id: "account-makers", noun: "rights to create service accounts" };
static TOKENS: SetKind =
    SetKind { id: "account-tokens", noun: "rights to get tokens of new service accounts" };
/// Opens when the account of a name can be made and used.
static ACCOUNT: SetKind =
    SetKind { id: "absent-service-account", noun: "absent service accounts made and used" };

const MAKE: Permission = Permission::namespaced("create", "", "serviceaccounts");
const TOKEN: Permission = Permission::namespaced("create", "", "serviceaccounts/token");

fn place(scope: Scope) -> Sym {
    match scope {
        Scope::Cluster => Sym::EMPTY,
        Scope::Namespace(ns) => ns,
    }
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let mut absent: BTreeMap<Sym, Vec<AccountIx>> = BTreeMap::new();
    for i in (0..world.accounts.len()).map(AccountIx::new).filter(|i| is_absent(world, *i)) {
        absent.entry(world.accounts[i.index()].ns).or_default().push(i);
    }
    if absent.is_empty() {
        return;
    }
    let makers = parts(world, &[MAKE]);
    let mut users = parts(world, &[TOKEN]);
    users.extend(parts(world, pod_creation()));
    let (made, used) = (Reach::new(&makers), Reach::new(&users));
    for (ns, accounts) in &mut absent {
        accounts.retain(|account| {
            let name = world.accounts[account.index()].name;
            made.covers(*ns, name) && used.covers(*ns, name)
        });
    }
    absent.retain(|_, accounts| !accounts.is_empty());
    if absent.is_empty() {
        return;
    }
    for (kind, grants, reach) in [(&MAKERS, &makers, &made), (&TOKENS, &users, &used)] {
        feed(world, sink, &absent, (kind, grants));
        if reach.whole.contains(&Sym::EMPTY) {
            for ns in absent.keys() {
                let to = Thing::Set(SetKey { kind, ns: *ns, of: 0 });
                if let Some(namespace) = world.namespace(*ns) {
                    let object = world.namespaces[namespace.index()].object;
                    let fact = sink.fact(object, "", "a namespace of the cluster");
                    sink.edge(cluster(kind), to, &SET_MEMBER, &[fact]);
                }
            }
        }
    }
    for (ns, accounts) in &absent {
        for account in accounts {
            open(world, sink, *ns, *account);
        }
    }
}

/// Which accounts some grants cover; the empty namespace stands for the cluster.
struct Reach {
    whole: BTreeSet<Sym>,
    named: BTreeSet<(Sym, Sym)>,
}

impl Reach {
    fn new(grants: &[Grant<'_>]) -> Self {
        let mut reach = Self { whole: BTreeSet::new(), named: BTreeSet::new() };
        for grant in grants {
            let ns = place(grant.scope);
            match grant.names {
                Names::All => {
                    reach.whole.insert(ns);
                }
                Names::Only(names) => reach.named.extend(names.iter().map(|n| (ns, *n))),
            }
        }
        reach
    }

    fn covers(&self, ns: Sym, name: Sym) -> bool {
        [Sym::EMPTY, ns]
            .into_iter()
            .any(|ns| self.whole.contains(&ns) || self.named.contains(&(ns, name)))
    }
}

/// The number of a set or gate that belongs to one account.
fn number(account: AccountIx) -> u32 {
    u32::try_from(account.index() + 1).unwrap_or(u32::MAX)
}

/// Edges from the bindings that grant a part.
fn feed(
    world: &World,
    sink: &mut Sink<'_>,
    absent: &BTreeMap<Sym, Vec<AccountIx>>,
    (kind, grants): (&'static SetKind, &[Grant<'_>]),
) {
    let sure = Odds::certain(1.0);
    for grant in grants {
        let ns = place(grant.scope);
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(grant);
        match grant.names {
            Names::All if ns.is_empty() || absent.contains_key(&ns) => {
                let to = Thing::Set(SetKey { kind, ns, of: 0 });
                sink.edge_with(from, to, &CREATE_DANGLING_SUBJECT, sure, &facts);
            }
            Names::All => {}
            Names::Only(names) => {
                let inside = absent.iter().filter(|(of, _)| grant.scope.covers(**of));
                for account in inside.flat_map(|(_, accounts)| accounts) {
                    let a = &world.accounts[account.index()];
                    if names.contains(&a.name) {
                        let to = Thing::Set(SetKey { kind, ns: a.ns, of: number(*account) });
                        sink.edge_with(from, to, &CREATE_DANGLING_SUBJECT, sure, &facts);
                    }
                }
            }
        }
    }
}

/// The gate of one account.
fn open(world: &World, sink: &mut Sink<'_>, ns: Sym, account: AccountIx) {
    let of = number(account);
    let own = Thing::Set(SetKey { kind: &TOKENS, ns, of });
    let any = Thing::Set(SetKey { kind: &TOKENS, ns, of: 0 });
    let makers = Thing::Set(SetKey { kind: &MAKERS, ns, of: 0 });
    let part = needed_together(world, sink);
    sink.edge_with(any, own, &CREATE_DANGLING_SUBJECT, PART, &[part]);
    let key = SetKey { kind: &ACCOUNT, ns, of };
    let gate = gate(world, sink, key, &CREATE_DANGLING_SUBJECT, &[own, makers]);
    let object = world.accounts[account.index()].object;
    let fact = sink.fact(object, "", "named by a binding, and not there");
    let odds = CREATE_DANGLING_SUBJECT.odds;
    let odds = if is_gone(world, ns) { odds.but(0.3, Confidence::Unknown) } else { odds };
    sink.edge_with(gate, Thing::Account(account), &CREATE_DANGLING_SUBJECT, odds, &[fact]);
}

/// Whether namespaces were collected and this one is not among them: it would have to be made too.
fn is_gone(world: &World, ns: Sym) -> bool {
    let present = |n: &crate::world::Namespace| world.objects[n.object.index()].is_present();
    let one = world.namespace(ns).map(|n| &world.namespaces[n.index()]);
    world.namespaces.iter().any(present) && !one.is_some_and(present)
}
