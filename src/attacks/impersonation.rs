//! Impersonation: acting as another user, group or service account by a request's headers.
//!
//! The impersonated identity need not exist: a service account that only a binding names can be
//! impersonated as well as one that is there.

use super::Family;
use super::sets::{SERVICE_ACCOUNTS, SET_MEMBER};
use super::together::{Right, rights, together};
use super::workloads::is_name;
use crate::graph::{Fact, Identity, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::rbac::account_of_user;
use crate::world::{AccountIx, GroupIx, NodeIx, Principal, UserIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Acts as another user by impersonation.
    ///
    /// ## Needs
    /// `impersonate` on `users`, by a ClusterRoleBinding. `resourceNames` are exact user names; `*`
    /// among them is a name like any other. Users spelled `system:serviceaccount:…` are authorized
    /// as `serviceaccounts` instead, and `system:node:…` under this right alone lacks the group
    /// `system:nodes`, so the node authorizer gives it nothing. The impersonated user is in
    /// `system:authenticated` only: groups of an identity provider do not come with it.
    /// ## Abuse
    /// `kubectl --as system:kube-controller-manager create token NAME -n kube-system`, or any
    /// request with the header `Impersonate-User`.
    /// ## Stopped by
    /// A RoleBinding grants nothing here, since users belong to no namespace. Rights of the
    /// impersonated to impersonate others do not add up: a request bears one set of these headers,
    /// and they are authorized against who sent it.
    /// ## Fix
    /// List the users that support has to act as in `resourceNames`, none of them bound to an
    /// admin's role, or remove the rule.
    /// ## Detect
    /// Audit events with `impersonatedUser`, grouped by `user.username`.
    /// ## References
    /// - kubernetes apiserver `pkg/endpoints/filters/impersonation`
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/>
    /// - executed on kube-apiserver 1.36
    pub(super) static IMPERSONATE_USER = {
        id: "impersonate-user", title: "Impersonate a user", mitre: &["T1134", "T1550"],
        odds: Odds::certain(0.97), identity: Identity::Impersonation,
    }
}

crate::attack! {
    /// Acts as a member of another group by impersonation.
    ///
    /// ## Needs
    /// `impersonate` on `groups`, by a ClusterRoleBinding, and at the same caller a right to
    /// impersonate some user or service account, whichever: the API server refuses a group without
    /// a user (400). Without `resourceNames` every group can be named, `system:masters` too.
    /// ## Abuse
    /// `kubectl --as anybody --as-group system:masters get secrets -A`.
    /// ## Stopped by
    /// `resourceNames` that list harmless groups; having no right to impersonate any user.
    /// ## Fix
    /// Limit the rule on `groups` by `resourceNames`, or remove it.
    /// ## Detect
    /// Audit events whose `impersonatedUser.groups` holds `system:masters` or a bound group.
    /// ## References
    /// - kubernetes apiserver `pkg/endpoints/filters/impersonation`
    /// - executed on kube-apiserver 1.36: groups alone are answered with 400, groups and users
    ///   together reach `system:masters`
    pub(super) static IMPERSONATE_GROUP = {
        id: "impersonate-group", title: "Impersonate a group", mitre: &["T1134", "T1550"],
        odds: Odds::certain(0.97), identity: Identity::Impersonation,
    }
}

crate::attack! {
    /// Acts as a service account by impersonation.
    ///
    /// ## Needs
    /// `impersonate` on `serviceaccounts` in the account's namespace: a RoleBinding is enough, and
    /// the built-in roles `edit` and `admin` hold it. The account need not exist.
    /// ## Abuse
    /// `kubectl --as system:serviceaccount:NAMESPACE:NAME get secrets`; the account's groups are
    /// added by the API server.
    /// ## Stopped by
    /// `resourceNames` limit it to those accounts; a RoleBinding limits it to its namespace.
    /// ## Fix
    /// Bind a role without this verb; keep powerful accounts out of namespaces where people edit.
    /// ## Detect
    /// Audit events whose `impersonatedUser.username` begins with `system:serviceaccount:`.
    /// ## References
    /// - kubernetes apiserver `pkg/endpoints/filters/impersonation`
    /// - kubernetes `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata/cluster-roles.yaml`
    /// - executed on kube-apiserver 1.36
    pub(super) static IMPERSONATE_SERVICE_ACCOUNT = {
        id: "impersonate-service-account", title: "Impersonate a service account",
        mitre: &["T1134", "T1550"], odds: Odds::certain(0.97), identity: Identity::Impersonation,
    }
}

/// Users that bindings name.
pub(super) static USERS: SetKind = SetKind { id: "users", noun: "users that bindings name" };
/// Groups that bindings name, with `system:masters`.
pub(super) static GROUPS: SetKind = SetKind { id: "groups", noun: "groups that bindings name" };
/// Service accounts that bindings name and nobody has made.
pub(super) static ABSENT_ACCOUNTS: SetKind =
    SetKind { id: "absent-service-accounts", noun: "absent service accounts that bindings name" };
/// What the kubelets authenticate as.
pub(super) static NODE_IDENTITIES: SetKind =
    SetKind { id: "node-identities", noun: "identities of nodes" };

/// Acting as somebody else.
pub(super) static FAMILY: Family = Family {
    name: "E Impersonation",
    attacks: &[&IMPERSONATE_USER, &IMPERSONATE_GROUP, &IMPERSONATE_SERVICE_ACCOUNT],
    find,
};

const USER: Permission = Permission::cluster("impersonate", "", "users");
const GROUP: Permission = Permission::cluster("impersonate", "", "groups");
const ACCOUNT: Permission = Permission::namespaced("impersonate", "", "serviceaccounts");

fn find(world: &World, sink: &mut Sink<'_>) {
    users(world, sink);
    groups(world, sink);
    accounts(world, sink);
}

/// The set of a kind over the whole cluster.
pub(super) fn cluster(kind: &'static SetKind) -> Thing<'static> {
    Thing::Set(SetKey { kind, ns: Sym::EMPTY, of: 0 })
}

fn is_bound(world: &World, principal: Principal) -> bool {
    !world.index.bindings_of(principal).is_empty()
}

fn users(world: &World, sink: &mut Sink<'_>) {
    let mut any = false;
    for grant in world.grants(&USER) {
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(&grant);
        let Names::Only(names) = grant.names else {
            any = true;
            sink.edge(from, cluster(&USERS), &IMPERSONATE_USER, &facts);
            continue;
        };
        for name in names.iter().map(|n| world.text(*n)) {
            if let Some(user) = world.user(name) {
                sink.edge(from, Thing::User(user), &IMPERSONATE_USER, &facts);
            } else if let Some(Principal::Node(node)) = world.principal_of_user(name) {
                // Not the node: only what RBAC binds to its user name.
                for (binding, _) in world.index.bindings_of(Principal::Node(node)) {
                    sink.edge(from, Thing::Binding(*binding), &IMPERSONATE_USER, &facts);
                }
            }
        }
    }
    if any {
        user_members(world, sink);
        for i in 0..world.nodes.len() {
            for (ix, place) in world.index.bindings_of(Principal::Node(NodeIx::new(i))) {
                let binding = &world.bindings[ix.index()];
                let subject = binding.subjects.iter().find(|s| s.place == *place);
                let Some(fact) = subject.map(|s| sink.subject(binding, s)) else { continue };
                sink.edge(cluster(&USERS), Thing::Binding(*ix), &SET_MEMBER, &[fact]);
            }
        }
    }
}

/// Puts the members of [`USERS`] in.
pub(super) fn user_members(world: &World, sink: &mut Sink<'_>) {
    for (i, (object, name)) in world.users.iter().enumerate() {
        let user = UserIx::new(i);
        if is_bound(world, Principal::User(user)) {
            let fact = sink.fact(*object, ".metadata.name", world.text(*name));
            sink.edge(cluster(&USERS), Thing::User(user), &SET_MEMBER, &[fact]);
        }
    }
}

/// The groups worth naming in a request: those that bindings name and that not everybody is in.
pub(super) fn groups_worth(world: &World) -> impl Iterator<Item = (GroupIx, &str)> {
    world.groups.iter().enumerate().filter_map(|(i, (_, name))| {
        let (group, name) = (GroupIx::new(i), world.text(*name));
        let everybody = matches!(name, "system:authenticated" | "system:unauthenticated");
        let worth = name == "system:masters" || is_bound(world, Principal::Group(group));
        (worth && !everybody).then_some((group, name))
    })
}

fn groups(world: &World, sink: &mut Sink<'_>) {
    let groups = rights(world, &[GROUP]);
    if groups.is_empty() {
        return;
    }
    // Any name will do, of a user or account that nobody has heard of too.
    let usable = |right: &Right<'_>, is_account: bool| match right.names {
        Names::All => true,
        Names::Only(names) => names.iter().map(|n| world.text(*n)).any(|name| match is_account {
            true => is_name(name),
            false => !name.is_empty() && account_of_user(name).is_none(),
        }),
    };
    let mut somebody = rights(world, &[USER]);
    somebody.retain(|r| usable(r, false));
    let mut accounts = rights(world, &[ACCOUNT]);
    accounts.retain(|r| usable(r, true));
    somebody.append(&mut accounts);
    somebody.sort_unstable_by_key(|r| (r.binding, r.rule));
    somebody.dedup_by_key(|r| (r.binding, r.rule));

    // The rules that let users be named, and so nodes.
    let users: BTreeSet<_> = world.grants(&USER).iter().map(|g| Some(g.rule)).collect();
    let (mut any, mut nodes) = (false, false);
    for held in together(world, &[groups, somebody]) {
        let (from, facts) = (held.from(), held.facts(world, sink));
        let Some(names) = held.names(&[0]) else {
            any = true;
            sink.edge(from, cluster(&GROUPS), &IMPERSONATE_GROUP, &facts);
            continue;
        };
        for name in names.iter().map(|n| world.text(*n)) {
            let Some(group) = world.group(name) else { continue };
            sink.edge(from, Thing::Group(group), &IMPERSONATE_GROUP, &facts);
            // The group of nodes and the name of one are that node's whole identity.
            let by_user = held.rights.get(1).filter(|r| users.contains(&r.rule));
            let Some(user) = by_user.filter(|_| name == "system:nodes") else { continue };
            let Names::Only(names) = user.names else {
                nodes = true;
                sink.edge(from, cluster(&NODE_IDENTITIES), &IMPERSONATE_GROUP, &facts);
                continue;
            };
            for name in names.iter().map(|n| world.text(*n)) {
                if let Some(Principal::Node(node)) = world.principal_of_user(name) {
                    sink.edge(from, Thing::NodeIdentity(node), &IMPERSONATE_GROUP, &facts);
                }
            }
        }
    }
    if any {
        group_members(world, sink);
    }
    if nodes {
        node_members(world, sink);
    }
}

fn group_members(world: &World, sink: &mut Sink<'_>) {
    for (group, name) in groups_worth(world) {
        let fact = sink.fact(world.groups[group.index()].0, ".metadata.name", name);
        sink.edge(cluster(&GROUPS), Thing::Group(group), &SET_MEMBER, &[fact]);
    }
}

/// Puts the members of [`NODE_IDENTITIES`] in.
pub(super) fn node_members(world: &World, sink: &mut Sink<'_>) {
    for (i, node) in world.nodes.iter().enumerate() {
        // Of a node that is only assumed nobody knows the name.
        if world.text(node.name) != crate::world::UNKNOWN_NODE {
            let fact = sink.fact(node.object, ".metadata.name", world.text(node.name));
            let identity = Thing::NodeIdentity(NodeIx::new(i));
            sink.edge(cluster(&NODE_IDENTITIES), identity, &SET_MEMBER, &[fact]);
        }
    }
}

fn accounts(world: &World, sink: &mut Sink<'_>) {
    let grants = world.grants(&ACCOUNT);
    let mut by_name: BTreeMap<Sym, Vec<AccountIx>> = BTreeMap::new();
    if grants.iter().any(|g| g.scope == Scope::Cluster && g.names != Names::All) {
        for (i, account) in world.accounts.iter().enumerate() {
            by_name.entry(account.name).or_default().push(AccountIx::new(i));
        }
    }
    let mut absent: BTreeSet<Sym> = (0..world.accounts.len())
        .filter(|i| !grants.is_empty() && is_absent(world, AccountIx::new(*i)))
        .map(|i| world.accounts[i].ns)
        .collect();
    if !absent.is_empty() {
        absent.insert(Sym::EMPTY);
    }
    let mut scopes = BTreeSet::new();
    for grant in &grants {
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(grant);
        let ns = match grant.scope {
            Scope::Cluster => Sym::EMPTY,
            Scope::Namespace(ns) => ns,
        };
        let Names::Only(names) = grant.names else {
            scopes.insert(ns);
            for kind in [&SERVICE_ACCOUNTS, &ABSENT_ACCOUNTS] {
                if kind == &SERVICE_ACCOUNTS || absent.contains(&ns) {
                    let to = Thing::Set(SetKey { kind, ns, of: 0 });
                    sink.edge(from, to, &IMPERSONATE_SERVICE_ACCOUNT, &facts);
                }
            }
            continue;
        };
        let known =
            |name: &&Sym| world.account(ns, **name).is_some() || by_name.contains_key(*name);
        if names.iter().any(|name| is_name(world.text(*name)) && !known(&name)) {
            unheard_of(world, sink, &grant.scope, from, &facts);
        }
        for name in names {
            let one = world.account(ns, *name);
            let all = by_name.get(name).filter(|_| ns.is_empty()).into_iter().flatten().copied();
            for account in one.into_iter().chain(all) {
                sink.edge(from, Thing::Account(account), &IMPERSONATE_SERVICE_ACCOUNT, &facts);
            }
        }
    }
    absent_members(world, sink, &scopes);
}

/// An account that nobody has heard of is named as well as any other: nothing is bound to it, but it
/// is in the groups of its namespace.
fn unheard_of(
    world: &World,
    sink: &mut Sink<'_>,
    scope: &Scope,
    from: Thing<'static>,
    facts: &[Fact],
) {
    for (group, name) in groups_worth(world) {
        let Some(of) = name.strip_prefix("system:serviceaccounts") else { continue };
        let fits = match (of.strip_prefix(':'), scope) {
            (None, _) => of.is_empty(),
            (Some(_), Scope::Cluster) => true,
            (Some(ns), Scope::Namespace(own)) => world.text(*own) == ns,
        };
        if fits {
            sink.edge(from, Thing::Group(group), &IMPERSONATE_SERVICE_ACCOUNT, facts);
        }
    }
}

/// Whether bindings name an account that does not exist.
pub(super) fn is_absent(world: &World, account: AccountIx) -> bool {
    !world.accounts[account.index()].exists && is_bound(world, Principal::Account(account))
}

/// Puts the members of [`ABSENT_ACCOUNTS`] in, for these namespaces, of which the empty one stands
/// for the whole cluster.
pub(super) fn absent_members(world: &World, sink: &mut Sink<'_>, scopes: &BTreeSet<Sym>) {
    let whole = scopes.contains(&Sym::EMPTY);
    for (i, account) in world.accounts.iter().enumerate() {
        if !is_absent(world, AccountIx::new(i)) || !whole && !scopes.contains(&account.ns) {
            continue;
        }
        let set = Thing::Set(SetKey { kind: &ABSENT_ACCOUNTS, ns: account.ns, of: 0 });
        if whole {
            let fact = sink.fact(account.object, ".metadata.namespace", world.text(account.ns));
            sink.edge(cluster(&ABSENT_ACCOUNTS), set, &SET_MEMBER, &[fact]);
        }
        let fact = sink.fact(account.object, ".metadata.name", world.text(account.name));
        sink.edge(set, Thing::Account(AccountIx::new(i)), &SET_MEMBER, &[fact]);
    }
}
