//! Every policy of every kind in one list, in the order in which they are asked.

use super::expr::{Expr, Key, Truth};
use super::form::{Direction, Family, Place, Pods, Role, Rule, Spaces, tier};
use super::judge::Doubt;
use crate::sym::Sym;
use crate::world::{ObjectId, PolicyIx, World};
use rustc_hash::FxHashMap;

/// Where the rules of a policy stand.
#[derive(Debug, Clone, Copy)]
enum Source {
    Kubernetes(PolicyIx),
    /// Number of the policy and of its section.
    Other(u32, u32),
    /// What the plugin does by itself: no rules for all pods.
    Plugin,
}

/// A policy in one direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) policy: ObjectId,
    pub(super) family: Family,
    pub(super) direction: Direction,
    pub(super) isolates: Truth,
    /// What leaves open whether it speaks of the pods that it seems to.
    pub(super) vague: Option<Doubt>,
    /// It selects by labels that are not the pods' own.
    pub(super) by_others: bool,
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
            Source::Plugin => &[],
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
            Source::Plugin => Pods { spaces: Spaces::Selected(Expr::all()), pods: Expr::all() },
        }
    }

    /// Of a policy that is not evaluated: whether it speaks only of what is outside.
    pub(super) fn unread(&self, world: &World) -> Option<bool> {
        let Source::Other(policy, _) = self.source else { return None };
        match world.network.others[policy as usize].says.role {
            Role::Unread { outside } => Some(outside),
            _ => None,
        }
    }

    /// Whether which of two policies of one place is asked first is not defined: administrators
    /// must not give a priority twice, and Calico goes by names within a kind.
    pub(super) fn ties(&self, other: &Self, world: &World) -> bool {
        let kind = |entry: &Self| world.objects[entry.policy.index()].kind;
        self.order == other.order
            && self.tier == other.tier
            && self.policy != other.policy
            && match (self.family, other.family) {
                (Family::Admin | Family::Cluster, Family::Admin | Family::Cluster) => true,
                (Family::Calico, _) | (_, Family::Calico) => kind(self) != kind(other),
                _ => false,
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

/// Whether pods are selected by labels of their namespaces or service accounts.
fn by_others(pods: &Pods) -> bool {
    let mut found = false;
    let mut look = |key: Key, _, _: &[Sym]| {
        found |= matches!(key, Key::NamespaceLabel(_) | Key::AccountLabel(_));
    };
    if let Spaces::Selected(expr) = &pods.spaces {
        expr.requirements(&mut look);
    }
    pods.pods.requirements(&mut look);
    found
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
                vague: None,
                by_others: false,
                tier: Place::of(tier::DEFAULT),
                order: Place::of(tier::KUBERNETES),
                source: Source::Kubernetes(PolicyIx::new(i)),
            });
        }
    }
    if let Some(policy) = world.plugin().isolates {
        entries.extend([Direction::Ingress, Direction::Egress].map(|direction| Entry {
            policy,
            family: Family::Cilium,
            direction,
            isolates: Truth::Yes,
            vague: None,
            by_others: false,
            tier: Place::of(tier::DEFAULT),
            order: Place::of(tier::KUBERNETES),
            source: Source::Plugin,
        }));
    }
    let tiers = tiers(world);
    for (p, policy) in (0_u32..).zip(&world.network.others) {
        let tier = match policy.says.role {
            Role::InTier(name) => Some(tiers.get(&name).copied()),
            _ => None,
        };
        for (s, section) in (0_u32..).zip(&policy.says.sections) {
            let vague = section.pods.pods.is_vague() || section.pods.spaces.is_vague();
            let vague = vague.then_some(Doubt::Selector);
            let (place, isolates, vague) = match tier {
                None => (section.tier, section.isolates, vague),
                Some(Some((place, passes))) => {
                    (place, if passes { Truth::No } else { section.isolates }, vague)
                }
                // Where its tier stands, and what follows it, is not shown.
                Some(None) => (section.tier, Truth::Maybe, Some(Doubt::Tier)),
            };
            entries.push(Entry {
                policy: policy.object,
                family: policy.says.family,
                direction: section.direction,
                isolates,
                vague,
                by_others: by_others(&section.pods),
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
