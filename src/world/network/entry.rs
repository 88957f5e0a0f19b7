//! Every policy of every kind in one list, in the order in which they are asked.

use super::expr::{Expr, Key, Truth};
use super::form::{Direction, Family, Place, Pods, Role, Rule, Spaces, tier};
use crate::sym::Sym;
use crate::world::{ObjectId, PolicyIx, World};
use rustc_hash::FxHashMap;

/// Where the rules of a policy stand.
#[derive(Debug, Clone, Copy)]
enum Source {
    Kubernetes(PolicyIx),
    /// Number of the policy and of its section.
    Other(u32, u32),
}

/// A policy in one direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) policy: ObjectId,
    pub(super) family: Family,
    pub(super) direction: Direction,
    pub(super) isolates: Truth,
    /// Which pods it selects could not be read in full.
    pub(super) vague: bool,
    pub(super) tier: Place,
    pub(super) order: Place,
    source: Source,
}

impl Entry {
    pub(super) fn rules<'w>(&self, world: &'w World) -> &'w [Rule] {
        match self.source {
            Source::Kubernetes(policy) => {
                let rules = &world.policies[policy.index()].rules;
                // Those for ingress stand first.
                let ingress = rules.partition_point(|r| r.direction == Direction::Ingress);
                match self.direction {
                    Direction::Ingress => &rules[..ingress],
                    Direction::Egress => &rules[ingress..],
                }
            }
            Source::Other(policy, section) => {
                &world.network.others[policy as usize].says.sections[section as usize].rules
            }
        }
    }

    pub(super) fn pods(&self, world: &World) -> Pods {
        match self.source {
            Source::Kubernetes(policy) => {
                let policy = &world.policies[policy.index()];
                Pods {
                    spaces: Spaces::One(policy.ns),
                    pods: Expr::labels(&policy.selector, Key::Label),
                }
            }
            Source::Other(policy, section) => {
                world.network.others[policy as usize].says.sections[section as usize].pods.clone()
            }
        }
    }
}

/// The tiers of Calico, by name: where each stands and whether it passes on what it selects.
fn tiers(world: &World) -> FxHashMap<Sym, (Place, bool)> {
    let known = [
        ("adminnetworkpolicy", tier::ADMIN, true),
        ("kube-admin", tier::ADMIN, true),
        ("default", tier::DEFAULT, false),
        ("baselineadminnetworkpolicy", tier::BASELINE, true),
        ("kube-baseline", tier::BASELINE, true),
    ];
    let mut tiers = FxHashMap::default();
    for (name, place, passes) in known {
        tiers.extend(world.symbols.get(name).map(|name| (name, (Place::of(place), passes))));
    }
    for row in &world.network.others {
        // Those that Calico makes itself cannot be moved.
        if let Role::Tier { order, passes } = row.says.role {
            tiers.entry(row.name).or_insert((order, passes));
        }
    }
    tiers
}

/// Every policy in each direction, by tier and order.
pub(super) fn entries(world: &World) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (i, policy) in world.policies.iter().enumerate() {
        let directions = [(Direction::Ingress, policy.ingress), (Direction::Egress, policy.egress)];
        for (direction, _) in directions.into_iter().filter(|(_, on)| *on) {
            entries.push(Entry {
                policy: policy.object,
                family: Family::Kubernetes,
                direction,
                isolates: Truth::Yes,
                vague: false,
                tier: Place::of(tier::DEFAULT),
                order: Place::of(tier::KUBERNETES),
                source: Source::Kubernetes(PolicyIx::new(i)),
            });
        }
    }
    let tiers = tiers(world);
    for (p, policy) in (0_u32..).zip(&world.network.others) {
        let tier = match policy.says.role {
            Role::InTier(name) => Some(tiers.get(&name).copied()),
            _ => None,
        };
        for (s, section) in (0_u32..).zip(&policy.says.sections) {
            let vague = section.pods.pods.is_vague() || section.pods.spaces.is_vague();
            let (place, isolates, vague) = match tier {
                None => (section.tier, section.isolates, vague),
                Some(Some((place, passes))) => {
                    (place, if passes { Truth::No } else { section.isolates }, vague)
                }
                // Where its tier stands, and what follows it, is not shown.
                Some(None) => (section.tier, Truth::Maybe, true),
            };
            entries.push(Entry {
                policy: policy.object,
                family: policy.says.family,
                direction: section.direction,
                isolates,
                vague,
                tier: place,
                order: section.order,
                source: Source::Other(p, s),
            });
        }
    }
    // INVARIANT: stable, so that policies of one place stay in the order of their names.
    entries.sort_by_key(|e| (e.tier, e.order));
    entries
}
