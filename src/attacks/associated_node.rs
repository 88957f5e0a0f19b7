//! Acting as the node that one runs on, by the mode of constrained impersonation that is meant for
//! agents.
//!
//! The API server takes the node from the claims of the caller's token, so the right is worth
//! nothing without a token that is bound to a pod: the edges begin at the containers that have one.

use super::constrained::{API, CONSTRAINED_IMPERSONATE, modes, on};
use super::together::together;
use super::tokens::each_token;
use crate::graph::{Confidence, Fact, Odds, Sink, Thing};
use crate::world::grants::{Names, Permission};
use crate::world::{AccountIx, Principal, UNKNOWN_NODE, World};
use rustc_hash::FxHashMap;

const NODE: Permission = Permission::cluster("impersonate:associated-node", API, "nodes");
/// What the node authorizer gives a kubelet: who may ask for both has what matters of the node.
const SECRETS: &str = "impersonate-on:associated-node:get";
const TOKENS: &str = "impersonate-on:associated-node:create";

pub(super) fn find(world: &World, sink: &mut Sink<'_>, odds: Odds) {
    let mut modes = modes(world, &NODE);
    // The server asks for the mode under the name `*`.
    modes.retain(|right| match right.names {
        Names::All => true,
        Names::Only(names) => names.iter().any(|name| world.text(*name) == "*"),
    });
    if modes.is_empty() {
        return;
    }
    let secrets = on(world, SECRETS, "", "secrets", true);
    let tokens = on(world, TOKENS, "", "serviceaccounts/token", true);
    let mut holders: FxHashMap<Principal, Vec<Fact>> = FxHashMap::default();
    for held in together(world, &[modes, secrets, tokens]) {
        let facts = held.facts(world, sink);
        match held.from() {
            Thing::Account(account) => {
                holders.entry(Principal::Account(account)).or_insert(facts);
            }
            Thing::Group(group) => {
                holders.entry(Principal::Group(group)).or_insert(facts);
            }
            Thing::Binding(binding) => {
                let of = &world.bindings[binding.index()];
                for subject in &of.subjects {
                    let by = sink.subject(of, subject);
                    holders
                        .entry(subject.principal)
                        .or_insert_with(|| facts.iter().copied().chain([by]).collect());
                }
            }
            _ => {}
        }
    }
    if holders.is_empty() {
        return;
    }
    let of: Vec<Option<Vec<Fact>>> =
        (0..world.accounts.len()).map(|i| held_by(world, &holders, AccountIx::new(i))).collect();
    let odds = odds.but(1.0, Confidence::Likely);
    let wanted = |account: AccountIx| of[account.index()].is_some();
    each_token(world, sink, wanted, |sink, host, container, account, token, facts| {
        let Some(node) = world.host_node(host) else { return };
        let at = &world.nodes[node.index()];
        let Some(held) = of[account.index()].as_ref() else { return };
        if world.text(at.name) == UNKNOWN_NODE {
            return;
        }
        let (object, _) = world.host_object(host);
        let mut facts = facts.to_vec();
        facts.push(sink.fact(object, ".spec.nodeName", world.text(at.name)));
        facts.extend(held);
        let odds = odds.but(token.likelihood, token.confidence);
        let from = Thing::Container(host, container);
        sink.edge_with(from, Thing::NodeIdentity(node), &CONSTRAINED_IMPERSONATE, odds, &facts);
    });
}

/// What says that an account holds the rights, itself or by a group that Kubernetes assigns.
fn held_by(
    world: &World,
    holders: &FxHashMap<Principal, Vec<Fact>>,
    account: AccountIx,
) -> Option<Vec<Fact>> {
    let own = Principal::Account(account);
    let groups = || world.implicit_groups(own).into_iter().filter_map(|name| world.group(&name));
    let by_group = || groups().find_map(|group| holders.get(&Principal::Group(group)));
    holders.get(&own).or_else(by_group).cloned()
}
