//! Bootstrap tokens: Secrets in `kube-system` by which a machine signs in to ask for its certificate.
//!
//! A token signs in as what its Secret says, so that whoever writes such a Secret is in any group of
//! bootstrap tokens.

use super::impersonation::cluster;
use super::sets::SET_MEMBER;
use super::together::allows_everything;
use crate::graph::{Odds, SetKind, Sink, Thing};
use crate::world::grants::{Names, Permission, Scope};
use crate::world::{GroupIx, Secret, World};

crate::attack! {
    /// Signs in with the bootstrap token that a Secret holds, or that one makes.
    ///
    /// ## Needs
    /// The Secret has the type `bootstrap.kubernetes.io/token`, stands in `kube-system` and is
    /// called `bootstrap-token-` and the token's id. The token signs in as the user
    /// `system:bootstrap:ID` of the group `system:bootstrappers`, and of the groups that
    /// `auth-extra-groups` lists, which begin with `system:bootstrappers:`. Values are never read,
    /// so each such group that a binding names is possible.
    ///
    /// Whoever may `create` Secrets in `kube-system`, or `patch` or `update` one that is there,
    /// writes the token and its groups, and needs to read nothing. It is certain where the API
    /// server's flag is seen.
    /// ## Abuse
    /// Decode `token-id` and `token-secret`; `kubectl --token ID.SECRET get csr`, or
    /// `kubeadm join --token ID.SECRET`. To make one, create the Secret `bootstrap-token-abcdef` with
    /// `token-id`, `token-secret`, `usage-bootstrap-authentication: "true"` and `auth-extra-groups`.
    /// ## Stopped by
    /// `expiration` in the past; `usage-bootstrap-authentication` that is not `true` or is missing;
    /// an API server without `--enable-bootstrap-token-auth`.
    /// ## Fix
    /// `kubeadm token delete ID`; make tokens that live for minutes, when a node is to join. Take
    /// rights to write Secrets out of roles that reach `kube-system`, or bind no role to groups of
    /// bootstrap tokens and turn the flag off.
    /// ## Detect
    /// Audit events of users that begin with `system:bootstrap:` at times when no node joins;
    /// audit events that create Secrets of that type.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/>
    /// - kubernetes `plugin/pkg/auth/authenticator/token/bootstrap/bootstrap.go`
    pub(super) static BOOTSTRAP_TOKEN_SECRET = {
        id: "bootstrap-token-secret", title: "Sign in with a bootstrap token",
        mitre: &["T1552.007", "T1078"], odds: Odds::likely(0.8),
    }
}

/// The groups that a token may be given.
static GROUPS: SetKind = SetKind { id: "bootstrap-groups", noun: "groups of bootstrap tokens" };

pub(super) fn find(world: &World, sink: &mut Sink<'_>) {
    let known = takes_tokens(world);
    if known == Some(false) {
        return;
    }
    signing_in(world, sink);
    writing(world, sink, if known.is_some() { Odds::certain(0.95) } else { Odds::likely(0.8) });
}

/// Whether an API server that the snapshot shows takes bootstrap tokens, if it shows any.
fn takes_tokens(world: &World) -> Option<bool> {
    let on = |c| {
        let value = world.flags(c, "--enable-bootstrap-token-auth").last();
        matches!(value, Some("" | "true"))
    };
    let mut servers = world.api_servers().peekable();
    servers.peek().is_some().then(|| servers.any(|(_, c)| on(c)))
}

/// The id of the token that a Secret holds.
fn token_id<'w>(world: &'w World, secret: &Secret) -> Option<&'w str> {
    let is_token = world.text(secret.kind) == "bootstrap.kubernetes.io/token"
        && world.text(secret.ns) == "kube-system";
    world.text(secret.name).strip_prefix("bootstrap-token-").filter(|_| is_token)
}

fn signing_in(world: &World, sink: &mut Sink<'_>) {
    for secret in world.secrets.iter().filter(|s| s.signs_in) {
        let Some(id) = token_id(world, secret) else { continue };
        let Some(ix) = world.secret(secret.ns, secret.name) else { continue };
        let from = Thing::Secret(ix);
        let kind = sink.fact(secret.object, ".type", world.text(secret.kind));
        let odds = BOOTSTRAP_TOKEN_SECRET.odds;
        if let Some(user) = world.user(&format!("system:bootstrap:{id}")) {
            sink.edge(from, Thing::User(user), &BOOTSTRAP_TOKEN_SECRET, &[kind]);
        }
        for (i, (object, name)) in world.groups.iter().enumerate() {
            let name = world.text(*name);
            let bound = sink.fact(*object, ".metadata.name", name);
            let to = Thing::Group(GroupIx::new(i));
            if name == "system:bootstrappers" {
                sink.edge_with(from, to, &BOOTSTRAP_TOKEN_SECRET, odds, &[kind, bound]);
            } else if secret.extra_groups && name.starts_with("system:bootstrappers:") {
                let field = "[\"auth-extra-groups\"]";
                let groups = sink.fact(secret.object, field, "its value is not read");
                let odds = Odds::possible(0.5);
                sink.edge_with(from, to, &BOOTSTRAP_TOKEN_SECRET, odds, &[kind, groups, bound]);
            }
        }
    }
}

/// Making a token, or giving one that is there another secret and other groups.
fn writing(world: &World, sink: &mut Sink<'_>, odds: Odds) {
    let group = |(i, (object, name)): (usize, &(_, _))| {
        let name = world.text(*name);
        let of_tokens = name == "system:bootstrappers" || name.starts_with("system:bootstrappers:");
        of_tokens.then_some((GroupIx::new(i), *object, name))
    };
    let groups: Vec<_> = world.groups.iter().enumerate().filter_map(group).collect();
    let Some(system) = world.symbols.get("kube-system").filter(|_| !groups.is_empty()) else {
        return;
    };
    let there = world.secrets.iter().filter(|s| {
        let object = &world.objects[s.object.index()];
        !s.immutable && token_id(world, s).is_some() && object.is_present()
    });
    let there: Vec<&Secret> = there.collect();
    let right = |verb| Permission::namespaced(verb, "", "secrets");
    let create = world.grants(&right("create"));
    let change = world.grants_any(&[right("patch"), right("update")]);
    let made = create.iter().filter(|g| g.names == Names::All);
    let changed = change.iter().filter(|g| match g.names {
        Names::All => !there.is_empty(),
        Names::Only(names) => there.iter().any(|secret| names.contains(&secret.name)),
    });
    let mut some = false;
    for grant in made.chain(changed) {
        let all = grant.scope == Scope::Cluster && allows_everything(world, grant);
        if all || !matches!(grant.scope, Scope::Cluster) && grant.scope != Scope::Namespace(system)
        {
            continue;
        }
        some = true;
        let (from, facts) = (Thing::Binding(grant.binding), sink.grant(grant));
        sink.edge_with(from, cluster(&GROUPS), &BOOTSTRAP_TOKEN_SECRET, odds, &facts);
    }
    for (group, object, name) in groups.into_iter().filter(|_| some) {
        let fact = sink.fact(object, ".metadata.name", name);
        sink.edge(cluster(&GROUPS), Thing::Group(group), &SET_MEMBER, &[fact]);
    }
}
