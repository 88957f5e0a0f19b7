//! Acting as the node that one runs on, by the mode of constrained impersonation that is meant for
//! agents.
//!
//! The API server takes the node from the claims of the caller's token, so the right is worth
//! nothing without a token that is bound to a pod: the edges begin at the containers that have one.

use super::constrained::{API, CONSTRAINED_IMPERSONATE, modes, on};
use super::together::together;
use super::tokens::each_token;
use crate::graph::{Confidence, Fact, Odds, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::Permission;
use crate::world::{AccountIx, Principal, UNKNOWN_NODE, World};
use rustc_hash::FxHashMap;

const NODE: Permission = Permission::cluster("impersonate:associated-node", API, "nodes");
/// What the node authorizer gives a kubelet: who may ask for both has what matters of the node.
const SECRETS: &str = "impersonate-on:associated-node:get";
const TOKENS: &str = "impersonate-on:associated-node:create";

/// How a principal holds the rights.
#[derive(Debug, Clone)]
struct Holding {
    facts: Vec<Fact>,
    /// The names that the mode is limited to.
    names: Option<Vec<Sym>>,
}

type Holders = FxHashMap<Principal, Vec<Holding>>;

pub(super) fn find(world: &World, sink: &mut Sink<'_>, odds: Odds) {
    let modes = modes(world, &NODE);
    if modes.is_empty() {
        return;
    }
    let secrets = on(world, SECRETS, "", "secrets", true);
    let tokens = on(world, TOKENS, "", "serviceaccounts/token", true);
    let mut holders = Holders::default();
    for held in together(world, &[modes, secrets, tokens]) {
        let (facts, names) = (held.facts(world, sink), held.names(&[0]));
        let holding = Holding { facts, names };
        match held.from() {
            Thing::Account(account) => {
                holders.entry(Principal::Account(account)).or_default().push(holding);
            }
            Thing::Group(group) => {
                holders.entry(Principal::Group(group)).or_default().push(holding);
            }
            Thing::Binding(binding) => {
                let of = &world.bindings[binding.index()];
                for subject in &of.subjects {
                    let mut holding = holding.clone();
                    holding.facts.push(sink.subject(of, subject));
                    holders.entry(subject.principal).or_default().push(holding);
                }
            }
            _ => {}
        }
    }
    if holders.is_empty() {
        return;
    }
    let of: Vec<Vec<&Holding>> =
        (0..world.accounts.len()).map(|i| held_by(world, &holders, AccountIx::new(i))).collect();
    let odds = odds.but(1.0, Confidence::Likely);
    let wanted = |account: AccountIx| !of[account.index()].is_empty();
    each_token(world, sink, wanted, |sink, host, container, account, token, facts| {
        let Some(node) = world.host_node(host) else { return };
        let at = &world.nodes[node.index()];
        if world.text(at.name) == UNKNOWN_NODE {
            return;
        }
        // Whether the server asks for the mode under the node's name or `*` is not settled here.
        let fits = |held: &&&Holding| {
            let names = held.names.as_deref().unwrap_or_default();
            names.iter().any(|name| *name == at.name || world.text(*name) == "*")
        };
        let all = of[account.index()].iter().find(|held| held.names.is_none());
        let (held, odds) = match (all, of[account.index()].iter().find(fits)) {
            (Some(held), _) => (held, odds),
            (None, Some(held)) => (held, odds.but(0.5, Confidence::Unknown)),
            (None, None) => return,
        };
        let (object, _) = world.host_object(host);
        let mut facts = facts.to_vec();
        facts.push(sink.fact(object, ".spec.nodeName", world.text(at.name)));
        facts.extend(&held.facts);
        let odds = odds.but(token.likelihood, token.confidence);
        let from = Thing::Container(host, container);
        sink.edge_with(from, Thing::NodeIdentity(node), &CONSTRAINED_IMPERSONATE, odds, &facts);
    });
}

/// How an account holds the rights, itself and by the groups that Kubernetes assigns.
fn held_by<'h>(world: &World, holders: &'h Holders, account: AccountIx) -> Vec<&'h Holding> {
    let own = Principal::Account(account);
    let groups = world.implicit_groups(own).into_iter().filter_map(|name| world.group(&name));
    let all = std::iter::once(own).chain(groups.map(Principal::Group));
    all.filter_map(|principal| holders.get(&principal)).flatten().collect()
}
