//! Token Secrets that an attacker makes, or points at another account: the control plane fills them
//! with a token.
//!
//! Making one and reading it are two requests, which two conquered identities may send. So both
//! rights lead into a gate, one for the cluster and one for each namespace with a narrower right.

use super::gate::{self, PART, needed_together};
use super::pod_api::{named, set_of};
use super::sets::{SERVICE_ACCOUNTS, SET_MEMBER};
use super::together::parts;
use super::workload_patch::patchers;
use super::workloads::{Maintainer, applied, creators, is_name};
use crate::graph::{Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::{Namespace, SecretIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Makes a Secret that the control plane fills with a token of any service account of the
    /// namespace, and reads it.
    ///
    /// ## Needs
    /// `create` on `secrets`, and a way to read the new Secret: `get`, `list`, `watch`, `patch` or
    /// `deletecollection` on `secrets`, or making or changing a pod that mounts it. The two may be
    /// different identities. `create` and `patch` on one name in `resourceNames` do both.
    /// ## Abuse
    /// Create a Secret of type `kubernetes.io/service-account-token` with the annotation
    /// `kubernetes.io/service-account.name: ACCOUNT`, wait a second, read its `token`.
    /// ## Stopped by
    /// The account must exist. `create` alone answers without the token.
    /// ## Fix
    /// Remove `create` on `secrets` from the role, or keep accounts with more power out of the
    /// namespace.
    /// ## Detect
    /// Audit events with verb `create` on `secrets` whose object is of that type: nothing makes
    /// these by itself since 1.24.
    /// ## References
    /// - kubernetes `pkg/controller/serviceaccount/tokens_controller.go`
    /// - executed on kube-apiserver 1.36, read by `PATCH {}` and by a dry run of deletecollection
    pub(super) static SECRET_CREATE_TOKEN = {
        id: "secret-create-token", title: "Make a token Secret", mitre: &["T1528", "T1098"],
        odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Points an existing token Secret at another service account of the namespace, and reads the
    /// token that the control plane puts in.
    ///
    /// ## Needs
    /// `patch` on `secrets`, and a Secret of type `kubernetes.io/service-account-token` in the
    /// namespace that the grant covers. `update` does as well beside a way to read that Secret,
    /// which a different identity may have.
    /// ## Abuse
    /// PATCH the Secret: set the annotation `kubernetes.io/service-account.name` to the account,
    /// remove `kubernetes.io/service-account.uid` and `data`. A second PATCH with `{}` answers with
    /// the new token.
    /// ## Stopped by
    /// A Secret's type cannot be changed, so that without a token Secret there is nothing to
    /// point. `immutable: true`, by which its token stays. `resourceNames` limit it to those Secrets.
    /// ## Fix
    /// Delete token Secrets; remove `patch` on `secrets` from the role.
    /// ## Detect
    /// Audit events with verb `patch` on a Secret of that type by others than the control plane.
    /// ## References
    /// - executed on kube-apiserver 1.36: a token of cluster-admin came back
    pub(super) static SECRET_REPOINT_TOKEN = {
        id: "secret-repoint-token", title: "Point a token Secret at an account", mitre: &["T1528"],
        odds: Odds::certain(0.9),
    }
}

/// Making a token Secret and reading it.
static TOKEN_SECRET: SetKind = SetKind { id: "token-secret", noun: "a new token secret" };
/// Whoever may create a Secret.
static MAKERS: SetKind = SetKind { id: "new-secrets", noun: "secrets to create" };
/// Whoever may read a Secret of a new name.
static READERS: SetKind = SetKind { id: "read-new-secrets", noun: "new secrets to read" };
/// The accounts of namespaces that have a token Secret.
static REPOINTABLE: SetKind =
    SetKind { id: "accounts-beside-tokens", noun: "service accounts beside token secrets" };

/// Rights to put another Secret in a token Secret's place, and token Secrets that are read.
static REWRITABLE: SetKind =
    SetKind { id: "token-secrets-to-update", noun: "token secrets to update" };
static READABLE: SetKind =
    SetKind { id: "token-secrets-read", noun: "token secrets that are read" };
/// A token Secret that is pointed elsewhere and read.
static REPOINTED: SetKind =
    SetKind { id: "token-secret-repointed", noun: "a token secret pointed elsewhere" };

pub(super) fn find(world: &World, sink: &mut Sink<'_>) {
    repoints(world, sink);
    rewrites(world, sink);
    creations(world, sink);
}

fn repoints(world: &World, sink: &mut Sink<'_>) {
    let Some(kind) = world.symbols.get("kubernetes.io/service-account-token") else { return };
    // One token Secret of each namespace stands for all of them.
    let mut tokens: BTreeMap<Sym, Fact> = BTreeMap::new();
    for secret in world.secrets.iter().filter(|s| s.kind == kind && !s.immutable) {
        tokens
            .entry(secret.ns)
            .or_insert_with(|| sink.fact(secret.object, ".type", world.text(kind)));
    }
    let mut whole = false;
    for grant in world.grants(&Permission::namespaced("patch", "", "secrets")) {
        let from = Thing::Binding(grant.binding);
        let mut facts = sink.grant(&grant).to_vec();
        match (grant.names, grant.scope) {
            (Names::All, Scope::Cluster) if !tokens.is_empty() => {
                whole = true;
                let to = set_of(&REPOINTABLE, grant.scope);
                sink.edge(from, to, &SECRET_REPOINT_TOKEN, &facts);
            }
            (Names::All, Scope::Cluster) => {}
            (Names::All, Scope::Namespace(ns)) => {
                if let Some(token) = tokens.get(&ns) {
                    facts.push(*token);
                    let to = set_of(&SERVICE_ACCOUNTS, grant.scope);
                    sink.edge(from, to, &SECRET_REPOINT_TOKEN, &facts);
                }
            }
            (Names::Only(names), scope) => {
                for secret in named(world, scope, names, |ns, name| world.secret(ns, name)) {
                    let secret = &world.secrets[secret.index()];
                    if secret.kind == kind && !secret.immutable {
                        let token = sink.fact(secret.object, ".type", world.text(kind));
                        let facts: Vec<Fact> = facts.iter().copied().chain([token]).collect();
                        let to = set_of(&SERVICE_ACCOUNTS, Scope::Namespace(secret.ns));
                        sink.edge(from, to, &SECRET_REPOINT_TOKEN, &facts);
                    }
                }
            }
        }
    }
    if whole {
        for (ns, token) in tokens {
            let part = set_of(&SERVICE_ACCOUNTS, Scope::Namespace(ns));
            sink.edge(set_of(&REPOINTABLE, Scope::Cluster), part, &SET_MEMBER, &[token]);
        }
    }
}

/// Pointing a token Secret elsewhere by `update`, whose answer holds no token: somebody has to read
/// it, so there is a gate for each namespace that has a token Secret.
fn rewrites(world: &World, sink: &mut Sink<'_>) {
    let Some(kind) = world.symbols.get("kubernetes.io/service-account-token") else { return };
    let patches = world.grants(&Permission::namespaced("patch", "", "secrets"));
    let mut updates = parts(world, &[Permission::namespaced("update", "", "secrets")]);
    updates.retain(|g| {
        let key = (g.binding, g.rule);
        patches.binary_search_by_key(&key, |p| (p.binding, p.rule)).is_err()
    });
    if updates.is_empty() {
        return;
    }
    let mut tokens: BTreeMap<Sym, Vec<SecretIx>> = BTreeMap::new();
    let open = world.secrets.iter().enumerate().filter(|(_, s)| s.kind == kind && !s.immutable);
    for (i, secret) in open {
        tokens.entry(secret.ns).or_default().push(SecretIx::new(i));
    }
    let mut named: BTreeSet<Sym> = BTreeSet::new();
    for grant in &updates {
        let facts = sink.grant(grant);
        let scopes: Vec<Scope> = match grant.names {
            Names::All => vec![grant.scope],
            // Which of the namespace's token Secrets is read is not told apart.
            Names::Only(names) => {
                let has = |ns: &Namespace| {
                    let of = tokens.get(&ns.name).map_or(&[][..], Vec::as_slice);
                    of.iter().any(|s| names.contains(&world.secrets[s.index()].name))
                };
                let in_reach = world.reached(grant.scope).iter().filter(|ns| has(ns));
                in_reach.map(|ns| Scope::Namespace(ns.name)).collect()
            }
        };
        for scope in scopes {
            match scope {
                Scope::Cluster => named.extend(tokens.keys()),
                Scope::Namespace(ns) if tokens.contains_key(&ns) => {
                    named.insert(ns);
                }
                Scope::Namespace(_) => continue,
            }
            let from = Thing::Binding(grant.binding);
            sink.edge_with(from, set_of(&REWRITABLE, scope), &SECRET_REPOINT_TOKEN, PART, &facts);
        }
    }
    let whole = updates.iter().any(|g| g.scope == Scope::Cluster && g.names == Names::All);
    for ns in named {
        let Some(secrets) = tokens.get(&ns) else { continue };
        let scope = Scope::Namespace(ns);
        let (write, read) = (set_of(&REWRITABLE, scope), set_of(&READABLE, scope));
        for secret in secrets {
            let fact = sink.fact(world.secrets[secret.index()].object, ".type", world.text(kind));
            sink.edge_with(Thing::Secret(*secret), read, &SECRET_REPOINT_TOKEN, PART, &[fact]);
            if whole && Some(secret) == secrets.first() {
                sink.edge(set_of(&REWRITABLE, Scope::Cluster), write, &SET_MEMBER, &[fact]);
            }
        }
        let key = SetKey { kind: &REPOINTED, ns, of: 0 };
        let part = needed_together(world, sink);
        let gate = gate::gate(world, sink, key, &SECRET_REPOINT_TOKEN, &[write, read]);
        sink.edge(gate, set_of(&SERVICE_ACCOUNTS, scope), &SECRET_REPOINT_TOKEN, &[part]);
    }
}

/// Making a Secret and reading it: a gate for the cluster where both rights reach all of it, and
/// one for each namespace that a narrower right is for.
fn creations(world: &World, sink: &mut Sink<'_>) {
    let absent = |ns: Sym, name: Sym| {
        let secret = world.secret(ns, name).map(|s| world.secrets[s.index()].object);
        !secret.is_some_and(|o| world.objects[o.index()].is_present())
    };
    for applied in applied(world, sink, "", "secrets", |ns, name| !absent(ns, name)) {
        // The answer to the patch that made it reads it.
        let to = set_of(&SERVICE_ACCOUNTS, applied.scope);
        sink.edge(applied.from, to, &SECRET_CREATE_TOKEN, &applied.facts);
    }
    let mut makers = Vec::new();
    for grant in world.grants(&Permission::namespaced("create", "", "secrets")) {
        makers.push(Maintainer::by(sink, &grant));
    }
    if makers.is_empty() {
        return;
    }
    let mut readers = creators(world, sink);
    readers.extend(api_readers(world, sink, absent));
    let (narrow, wide) = patchers(world, sink);
    readers.extend(narrow);

    let reach = |of: &[Maintainer]| of.iter().map(|m| m.scope).collect::<BTreeSet<Scope>>();
    let (made, mut read) = (reach(&makers), reach(&readers));
    // Changing workloads everywhere reads where there are some.
    let mut wide_sets = BTreeMap::new();
    for (template, maintainer) in &wide {
        let to = set_of(&template.readers, Scope::Cluster);
        sink.edge_with(maintainer.from, to, &SECRET_CREATE_TOKEN, PART, &maintainer.facts);
        wide_sets.entry(to).or_insert(*template);
    }
    for (set, template) in wide_sets {
        for ns in template.namespaces(world) {
            let scope = Scope::Namespace(ns);
            if made.contains(&scope) || made.contains(&Scope::Cluster) {
                read.insert(scope);
                let Some(namespace) = world.namespace(ns) else { continue };
                let object = world.namespaces[namespace.index()].object;
                let fact = sink.fact(object, "", "has workloads to change");
                sink.edge(set, set_of(&READERS, scope), &SET_MEMBER, &[fact]);
            }
        }
    }
    for (of, kind) in [(&makers, &MAKERS), (&readers, &READERS)] {
        for m in of {
            sink.edge_with(m.from, set_of(kind, m.scope), &SECRET_CREATE_TOKEN, PART, &m.facts);
        }
    }
    let has = |set: &BTreeSet<Scope>, scope| set.contains(&scope) || set.contains(&Scope::Cluster);
    let scopes: BTreeSet<Scope> = made.union(&read).copied().collect();
    for scope in scopes.into_iter().filter(|s| has(&made, *s) && has(&read, *s)) {
        gate(world, sink, scope, [&made, &read]);
    }
}

/// One gate and what leads into it. The rights on the whole cluster lead into the gates of the
/// namespaces too.
fn gate(world: &World, sink: &mut Sink<'_>, scope: Scope, parts: [&BTreeSet<Scope>; 2]) {
    let ns = match scope {
        Scope::Cluster => Sym::EMPTY,
        Scope::Namespace(ns) => ns,
    };
    let namespace = world.reached(scope).first();
    let Some(object) = namespace.map(|n| n.object) else { return };
    let fact = match scope {
        Scope::Cluster => sink.fact(object, "", "a namespace of the cluster"),
        Scope::Namespace(_) => sink.fact(object, ".metadata.name", world.text(ns)),
    };
    let gate = Thing::Gate(SetKey { kind: &TOKEN_SECRET, ns, of: 0 });
    for (part, kind) in parts.into_iter().zip([&MAKERS, &READERS]) {
        if scope != Scope::Cluster && part.contains(&Scope::Cluster) {
            let (from, to) = (set_of(kind, Scope::Cluster), set_of(kind, scope));
            sink.edge(from, to, &SET_MEMBER, &[fact]);
        }
        sink.edge_with(set_of(kind, scope), gate, &SECRET_CREATE_TOKEN, PART, &[fact]);
    }
    sink.edge(gate, set_of(&SERVICE_ACCOUNTS, scope), &SECRET_CREATE_TOKEN, &[fact]);
}

/// Whoever may read a Secret of a new name through the API.
fn api_readers(
    world: &World,
    sink: &mut Sink<'_>,
    absent: impl Fn(Sym, Sym) -> bool,
) -> Vec<Maintainer> {
    let reads = ["get", "list", "watch", "patch"]
        .map(|verb| Permission::namespaced(verb, "", "secrets").with_name());
    let unnamed = ["list", "watch", "deletecollection"]
        .map(|verb| Permission::namespaced(verb, "", "secrets"));
    let mut grants = world.grants_any(&unnamed);
    grants.extend(world.grants_any(&reads));
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    for grant in grants {
        if grant.names == Names::All && !known.insert((grant.binding, grant.rule)) {
            continue;
        }
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(&grant).to_vec();
        let Names::Only(names) = grant.names else {
            found.push(Maintainer { from, scope: grant.scope, facts });
            continue;
        };
        let free = |n: &&Namespace| {
            let mut names = names.iter().filter(|name| is_name(world.text(**name)));
            names.any(|name| absent(n.name, *name))
        };
        let namespaces = world.reached(grant.scope);
        if namespaces.iter().all(|n| free(&n)) {
            found.push(Maintainer { from, scope: grant.scope, facts });
            continue;
        }
        for namespace in namespaces.iter().filter(free) {
            let scope = Scope::Namespace(namespace.name);
            found.push(Maintainer { from, scope, facts: facts.clone() });
        }
    }
    found
}
