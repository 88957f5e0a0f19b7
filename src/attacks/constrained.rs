//! Impersonation that is limited to requests (KEP-5284): a right to act as somebody in a mode, and
//! for each request one to make it in that mode.
//!
//! Who may make some requests as an identity is not that identity. An edge leads to it only where
//! all verbs on everything are allowed, or of a node those that the node authorizer is about; for
//! the requests that matter most an edge leads to what they give. Verbs are literal: of
//! `impersonate-on:user-info:*` nothing follows.

use super::Family;
use super::associated_node;
use super::impersonation::{NODE_IDENTITIES, cluster, groups_worth, is_absent, node_members};
use super::node::named_on;
use super::pod_api::set_of;
use super::sets::{PODS, SECRETS, SERVICE_ACCOUNTS, SET_MEMBER};
use super::together::{Held, Right, allows_everything, together};
use crate::graph::{Confidence, Fact, Identity, Odds, SetKey, SetKind, Sink, Thing};
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::{AccountIx, Principal, UserIx, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Makes requests as somebody else, by a right to impersonate that is limited to requests.
    ///
    /// ## Needs
    /// Kubernetes 1.36, or 1.35 with its feature gate. Two rights of one caller: a mode on the
    /// identity (`impersonate:user-info` on `users` and `groups`, `impersonate:serviceaccount` on
    /// `serviceaccounts`, `impersonate:arbitrary-node` or `impersonate:associated-node` on `nodes`,
    /// all of `authentication.k8s.io`),
    /// and `impersonate-on:MODE:VERB` on what the request is for. The identity has to be allowed
    /// the request itself. A node's group `system:nodes` comes with its name. The mode of the
    /// associated node takes the token of a pod on that node, and is shown from the containers that
    /// have one.
    /// ## Abuse
    /// `kubectl --as system:serviceaccount:NAMESPACE:NAME get secrets -A`, or `kubectl --as
    /// system:node:NAME get secret -n NAMESPACE SECRET`.
    /// ## Stopped by
    /// A mode without a request, and a request without a mode. `impersonate-on:MODE:*` is a verb
    /// of that name and no pattern. The group `system:masters` is refused, and so is an account or
    /// a node by `impersonate:user-info`. By `impersonate:associated-node` no other node, and none at
    /// all with a token that is not bound to a pod. A RoleBinding gives a mode on accounts of its namespace
    /// alone. Servers before 1.35 know none of these verbs.
    /// ## Fix
    /// Name the identities in `resourceNames`; take `secrets` and `serviceaccounts/token` from the
    /// requests; use `impersonate:associated-node` for agents that act for their own node.
    /// ## Detect
    /// Audit events with `impersonatedUser`, grouped by `user.username`.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/>
    /// - KEP-5284
    /// - executed on kube-apiserver 1.36
    pub(super) static CONSTRAINED_IMPERSONATE = {
        id: "constrained-impersonate", title: "Make a request as somebody else",
        mitre: &["T1134", "T1550"], odds: Odds::certain(0.95), identity: Identity::Impersonation,
    }
}

/// Acting as somebody else for some requests.
pub(super) static FAMILY: Family =
    Family { name: "E Constrained impersonation", attacks: &[&CONSTRAINED_IMPERSONATE], find };

static USERS: SetKind = SetKind { id: "other-users", noun: "users that bindings name, no nodes" };
static GROUPS: SetKind =
    SetKind { id: "other-groups", noun: "groups that bindings name, without system:masters" };

/// What a kubelet may read, of whichever node.
static NODE_SECRETS: SetKind =
    SetKind { id: "secrets-of-pods", noun: "secrets that pods on nodes name" };

pub(super) const API: &str = "authentication.k8s.io";
const USER: Permission = Permission::cluster("impersonate:user-info", API, "users");
const GROUP: Permission = Permission::cluster("impersonate:user-info", API, "groups");
const ACCOUNT: Permission =
    Permission::namespaced("impersonate:serviceaccount", API, "serviceaccounts");
const NODE: Permission = Permission::cluster("impersonate:arbitrary-node", API, "nodes");

/// The verbs of one mode by which requests are made.
struct Mode {
    all: [&'static str; 8],
}

macro_rules! mode {
    ($name:literal) => {
        Mode {
            all: [
                concat!("impersonate-on:", $name, ":get"),
                concat!("impersonate-on:", $name, ":list"),
                concat!("impersonate-on:", $name, ":create"),
                concat!("impersonate-on:", $name, ":watch"),
                concat!("impersonate-on:", $name, ":update"),
                concat!("impersonate-on:", $name, ":patch"),
                concat!("impersonate-on:", $name, ":delete"),
                concat!("impersonate-on:", $name, ":deletecollection"),
            ],
        }
    };
}

static USER_INFO: Mode = mode!("user-info");
static SERVICE_ACCOUNT: Mode = mode!("serviceaccount");
static ARBITRARY_NODE: Mode = mode!("arbitrary-node");
/// Places in [`Mode::all`].
const GET: usize = 0;
const LIST: usize = 1;
const CREATE: usize = 2;

/// Requests that give something by themselves: the verb's place and the verb, the resource, and
/// what it gives.
static REQUESTS: [(usize, &str, &str, &SetKind); 4] = [
    (GET, "get", "secrets", &SECRETS),
    (LIST, "list", "secrets", &SECRETS),
    (CREATE, "create", "serviceaccounts/token", &SERVICE_ACCOUNTS),
    (CREATE, "create", "pods/exec", &PODS),
];

/// Whom a right is to act as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum As {
    User,
    Group,
    Account,
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let Some(odds) = odds(world) else { return };
    let mut any = BTreeSet::new();
    for who in [As::User, As::Group, As::Account] {
        let (modes, mode) = match who {
            As::User => (vec![modes(world, &USER)], &USER_INFO),
            // A group is refused without a user, whichever.
            As::Group => (vec![modes(world, &GROUP), modes(world, &USER)], &USER_INFO),
            As::Account => (vec![modes(world, &ACCOUNT)], &SERVICE_ACCOUNT),
        };
        if modes.iter().any(Vec::is_empty) {
            continue;
        }
        let whole = mode.all.map(|verb| on(world, verb, "*", "*", true));
        let parts: Vec<_> = modes.iter().cloned().chain(whole).collect();
        for held in together(world, &parts) {
            if identities(world, sink, who, &held, odds) {
                any.insert(who);
            }
        }
        for (place, verb, resource, gives) in REQUESTS {
            let Some(named) = mode.all.get(place) else { continue };
            let right = on(world, named, "", resource, false);
            let grants = world.grants(&Permission::namespaced(verb, "", resource));
            let parts: Vec<_> = modes.iter().cloned().chain([right]).collect();
            for held in together(world, &parts) {
                requests(world, sink, who, &held, &grants, gives, odds);
            }
        }
    }
    nodes(world, sink, odds);
    associated_node::find(world, sink, odds);
    members(world, sink, &any);
}

/// The members of the sets of users and of groups that some edge leads to.
fn members(world: &World, sink: &mut Sink<'_>, any: &BTreeSet<As>) {
    if any.contains(&As::User) {
        for (i, (object, name)) in world.users.iter().enumerate() {
            let user = UserIx::new(i);
            if !world.index.bindings_of(Principal::User(user)).is_empty() {
                let fact = sink.fact(*object, ".metadata.name", world.text(*name));
                sink.edge(cluster(&USERS), Thing::User(user), &SET_MEMBER, &[fact]);
            }
        }
    }
    if any.contains(&As::Group) {
        for (group, name) in groups_worth(world).filter(|(_, name)| *name != "system:masters") {
            let fact = sink.fact(world.groups[group.index()].0, ".metadata.name", name);
            sink.edge(cluster(&GROUPS), Thing::Group(group), &SET_MEMBER, &[fact]);
        }
    }
}

/// How sure it is that the server has these verbs. `None`: it has not.
fn odds(world: &World) -> Option<Odds> {
    let odds = CONSTRAINED_IMPERSONATE.odds;
    match world.server_version() {
        Some(version) if !version.is_before(1, 36) => Some(odds),
        Some(version) if version.exact && version.is_before(1, 35) => None,
        // Off by default in 1.35; a kubelet's version is no more than a lower bound.
        _ => Some(odds.but(0.4, Confidence::Possible)),
    }
}

/// The rights to a mode, which apply wherever the request goes: the namespace of the binding only
/// says whose accounts.
pub(super) fn modes<'w>(world: &'w World, permission: &Permission) -> Vec<Right<'w>> {
    let grants = world.grants(permission).into_iter().filter(|g| !allows_everything(world, g));
    grants.map(|grant| Right { scope: Scope::Cluster, ..Right::from(grant) }).collect()
}

/// The rights to make a request in a mode.
pub(super) fn on<'w>(
    world: &'w World,
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    everywhere: bool,
) -> Vec<Right<'w>> {
    let mut grants = world.grants(&Permission::namespaced(verb, group, resource));
    grants.retain(|g| {
        g.names == Names::All
            && !allows_everything(world, g)
            && (!everywhere || g.scope == Scope::Cluster)
    });
    grants.into_iter().map(Right::from).collect()
}

/// Whether a mode's right covers an identity.
fn covers(world: &World, who: As, right: &Right<'_>, principal: Principal) -> bool {
    match (who, principal) {
        (As::User, Principal::User(user)) => right.names.covers(world.users[user.index()].1),
        (As::Group, Principal::Group(group)) => {
            let name = world.groups[group.index()].1;
            world.text(name) != "system:masters" && right.names.covers(name)
        }
        (As::Account, Principal::Account(account)) => {
            let account = &world.accounts[account.index()];
            let ns = world.bindings[right.binding.index()].ns;
            (ns.is_empty() || ns == account.ns) && right.names.covers(account.name)
        }
        _ => false,
    }
}

/// The edges of who may make every request, to the identities. Returns whether they are any.
fn identities(world: &World, sink: &mut Sink<'_>, who: As, held: &Held<'_>, odds: Odds) -> bool {
    let Some(right) = held.rights.first() else { return false };
    let (from, facts) = (held.from(), held.facts(world, sink));
    let mut edge = |to| sink.edge_with(from, to, &CONSTRAINED_IMPERSONATE, odds, &facts);
    let any = right.names == Names::All;
    match who {
        As::User if any => edge(cluster(&USERS)),
        As::Group if any => edge(cluster(&GROUPS)),
        As::User => {
            for user in (0..world.users.len()).map(UserIx::new) {
                if covers(world, who, right, Principal::User(user)) {
                    edge(Thing::User(user));
                }
            }
        }
        As::Group => {
            for (group, _) in groups_worth(world) {
                if covers(world, who, right, Principal::Group(group)) {
                    edge(Thing::Group(group));
                }
            }
        }
        As::Account => {
            if any {
                let ns = world.bindings[right.binding.index()].ns;
                edge(Thing::Set(SetKey { kind: &SERVICE_ACCOUNTS, ns, of: 0 }));
            }
            for account in (0..world.accounts.len()).map(AccountIx::new) {
                // The set holds those that exist; others have to be bound to be worth it.
                let wanted = !any || is_absent(world, account);
                if wanted && covers(world, who, right, Principal::Account(account)) {
                    edge(Thing::Account(account));
                }
            }
        }
    }
    any
}

/// The edges of who may make one request, to what the identities are given by it.
fn requests(
    world: &World,
    sink: &mut Sink<'_>,
    who: As,
    held: &Held<'_>,
    grants: &[Grant<'_>],
    gives: &'static SetKind,
    odds: Odds,
) {
    let (Some(right), Some(on)) = (held.rights.first(), held.rights.last()) else { return };
    let from = held.from();
    let mut seen = BTreeSet::new();
    for grant in grants.iter().filter(|g| g.names == Names::All) {
        let Some(scope) = grant.scope.meet(on.scope) else { continue };
        if seen.contains(&scope) || seen.contains(&Scope::Cluster) {
            continue;
        }
        let binding = &world.bindings[grant.binding.index()];
        let subject = binding.subjects.iter().find(|s| covers(world, who, right, s.principal));
        let Some(subject) = subject else { continue };
        seen.insert(scope);
        let mut facts: Vec<Fact> = held.facts(world, sink);
        facts.push(sink.subject(binding, subject));
        facts.extend(sink.grant(grant));
        let to = set_of(gives, scope);
        sink.edge_with(from, to, &CONSTRAINED_IMPERSONATE, odds, &facts);
    }
}

/// The edges to nodes' identities. What the node authorizer gives a kubelet are Secrets and tokens:
/// who may ask for both as a node has what matters of it, short of what RBAC binds to it.
fn nodes(world: &World, sink: &mut Sink<'_>, odds: Odds) {
    let modes = modes(world, &NODE);
    if modes.is_empty() {
        return;
    }
    let [get, _, create, ..] = ARBITRARY_NODE.all;
    let secrets = on(world, get, "", "secrets", true);
    let tokens = on(world, create, "", "serviceaccounts/token", true);
    let mut any = false;
    for held in together(world, &[modes.clone(), secrets, tokens]) {
        let (from, facts) = (held.from(), held.facts(world, sink));
        let odds = odds.but(1.0, Confidence::Likely);
        let Some(names) = held.names(&[0]) else {
            any = true;
            sink.edge_with(from, cluster(&NODE_IDENTITIES), &CONSTRAINED_IMPERSONATE, odds, &facts);
            continue;
        };
        for name in names {
            if let Some(node) = world.node(name) {
                let to = Thing::NodeIdentity(node);
                sink.edge_with(from, to, &CONSTRAINED_IMPERSONATE, odds, &facts);
            }
        }
    }
    if any {
        node_members(world, sink);
    }
    node_secrets(world, sink, &modes, odds);
}

/// The edges of who may read Secrets as a node, to those that the pods on it name.
fn node_secrets(world: &World, sink: &mut Sink<'_>, modes: &[Right<'_>], odds: Odds) {
    let gets = on(world, ARBITRARY_NODE.all[GET], "", "secrets", false);
    let mut scopes = BTreeSet::new();
    for held in together(world, &[modes.to_vec(), gets]) {
        let Some(scope) = held.rights.last().map(|right| right.scope) else { continue };
        let (from, facts) = (held.from(), held.facts(world, sink));
        let Some(names) = held.names(&[0]) else {
            scopes.insert(scope);
            let to = set_of(&NODE_SECRETS, scope);
            sink.edge_with(from, to, &CONSTRAINED_IMPERSONATE, odds, &facts);
            continue;
        };
        for node in names.iter().filter_map(|name| world.node(*name)) {
            for (secret, fact) in named_on(world, sink, Some(node)) {
                if scope.covers(world.secrets[secret.index()].ns) {
                    let facts: Vec<Fact> = facts.iter().copied().chain([fact]).collect();
                    let to = Thing::Secret(secret);
                    sink.edge_with(from, to, &CONSTRAINED_IMPERSONATE, odds, &facts);
                }
            }
        }
    }
    if scopes.is_empty() {
        return;
    }
    let everywhere = scopes.contains(&Scope::Cluster);
    let mut seen = BTreeSet::new();
    for (secret, fact) in named_on(world, sink, None) {
        let scope = Scope::Namespace(world.secrets[secret.index()].ns);
        if !everywhere && !scopes.contains(&scope) {
            continue;
        }
        let set = set_of(&NODE_SECRETS, scope);
        if everywhere && seen.insert(scope) {
            sink.edge(set_of(&NODE_SECRETS, Scope::Cluster), set, &SET_MEMBER, &[fact]);
        }
        sink.edge(set, Thing::Secret(secret), &SET_MEMBER, &[fact]);
    }
}
