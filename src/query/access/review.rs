//! Whether somebody may: who is meant by what was typed, and why the answer is yes.

use super::super::near;
use super::doubt::Doubt;
use crate::world::rbac::{Allowed, account_of_user};
use crate::world::{Principal, World};

/// The user name of what `--as` takes: a user's, or `sa/NAMESPACE/NAME`.
#[must_use]
pub fn user_name(who: &str) -> String {
    let account = who.strip_prefix("sa/").or_else(|| who.strip_prefix("serviceaccount/"));
    match account.and_then(|rest| rest.split_once('/')) {
        Some((ns, name)) => format!("system:serviceaccount:{ns}:{name}"),
        None => who.strip_prefix("user/").unwrap_or(who).to_owned(),
    }
}

/// The groups that Kubernetes itself puts a user into.
#[must_use]
pub fn groups_of(user: &str) -> Vec<String> {
    if user == "system:anonymous" {
        return vec!["system:unauthenticated".to_owned()];
    }
    let mut groups = vec!["system:authenticated".to_owned()];
    if let Some((ns, _)) = account_of_user(user) {
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{ns}"));
    } else if user.starts_with("system:node:") {
        groups.push("system:nodes".to_owned());
    }
    groups
}

/// Whether nobody knows the user: an answer about somebody else's name would be believed. Users are
/// no objects, so one that no binding names may still exist.
#[must_use]
pub fn unknown_user(world: &World, user: &str) -> Option<Doubt> {
    if user == "system:anonymous" || world.principal_of_user(user).is_some() {
        return None;
    }
    if let Some((ns, name)) = account_of_user(user) {
        let text = format!("the snapshot has no service account `{ns}/{name}`");
        let all: Vec<String> = world
            .accounts
            .iter()
            .map(|a| format!("{}/{}", world.text(a.ns), world.text(a.name)))
            .collect();
        let near = near::words(&format!("{ns}/{name}"), all.iter().map(String::as_str));
        return Some(Doubt { text, near });
    }
    let near = near::words(user, world.users.iter().map(|(_, name)| world.text(*name)));
    Some(Doubt { text: format!("no binding names the user `{user}`"), near })
}

/// Which binding, role and subject allow it, as the API server says it. Not made safe for output.
#[must_use]
pub fn reason(world: &World, allowed: Allowed) -> String {
    let Allowed::By { binding, subject, .. } = allowed else {
        return "group system:masters may do everything".to_owned();
    };
    let binding = &world.bindings[binding.index()];
    let kind = if binding.ns.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    let at = match world.text(binding.ns) {
        "" => world.text(binding.name).to_owned(),
        ns => format!("{ns}/{}", world.text(binding.name)),
    };
    let role = binding.role.map(|r| &world.roles[r.index()]);
    let role = role.map_or_else(String::new, |role| {
        let kind = if role.ns.is_empty() { "ClusterRole" } else { "Role" };
        format!(" of {kind} \"{}\"", world.text(role.name))
    });
    let subject = binding.subjects.iter().find(|s| s.place == subject).map(|s| s.principal);
    let to = match subject {
        Some(Principal::Account(a)) => {
            let a = &world.accounts[a.index()];
            format!(" to ServiceAccount \"{}/{}\"", world.text(a.name), world.text(a.ns))
        }
        Some(Principal::Node(n)) => {
            format!(" to User \"system:node:{}\"", world.text(world.nodes[n.index()].name))
        }
        Some(Principal::User(u)) => {
            format!(" to User \"{}\"", world.text(world.users[u.index()].1))
        }
        Some(Principal::Group(g)) => {
            format!(" to Group \"{}\"", world.text(world.groups[g.index()].1))
        }
        None => String::new(),
    };
    format!("RBAC: allowed by {kind} \"{at}\"{role}{to}")
}
