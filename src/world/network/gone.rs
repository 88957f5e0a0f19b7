//! Policies, or single rules of them, that are pretended to be gone. Every question about what
//! selects a class and what it says goes through here.

use super::class::ClassIx;
use super::entry::Entry;
use super::form::{Direction, Rule};
use super::{Network, Policies};
use crate::sym::Sym;
use crate::world::{ObjectId, World};

/// A policy that is gone, or one rule of it. A policy that has lost all its rules still isolates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    policy: ObjectId,
    rule: Option<Sym>,
}

/// The fields by which a policy is told to isolate: without them there is no policy.
const WHOLE: &[&str] = &["", ".spec", ".spec.podSelector", ".data[\"enable-policy\"]"];

impl Gone {
    /// What is gone with a field of an object; `None` if no policy says it, or if what would be
    /// left of the policy is not a matter of leaving something out: a rule that loses one of its
    /// peers lets in fewer, and everybody once it has lost the last.
    #[must_use]
    pub fn new(world: &World, object: ObjectId, field: &str) -> Option<Self> {
        let Policies { others, .. } = &world.network;
        let plain = world.policies.iter().filter(|p| p.object == object);
        let others = others.iter().filter(|p| p.object == object);
        let sections = others.clone().flat_map(|p| &p.says.sections);
        let mut rules =
            plain.clone().flat_map(|p| &p.rules).chain(sections.clone().flat_map(|s| &s.rules));
        let by_plugin = world.plugin().isolates == Some(object);
        let known =
            by_plugin || plain.clone().next().is_some() || sections.clone().next().is_some();
        if known && WHOLE.contains(&field) {
            return Some(Self { policy: object, rule: None });
        }
        let rule = rules.find(|rule| world.text(rule.field) == field)?;
        Some(Self { policy: object, rule: Some(rule.field) })
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> ObjectId {
        self.policy
    }

    /// The field that is gone; empty if the whole policy is.
    #[must_use]
    pub fn field<'w>(&self, world: &'w World) -> &'w str {
        self.rule.map_or("", |rule| world.text(rule))
    }

    /// Whether the whole policy is gone.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.rule.is_none()
    }
}

impl<'w> Network<'w> {
    /// The same network without some policies and rules.
    #[must_use]
    pub const fn leaving_out(self, gone: &'w [Gone]) -> Self {
        Self { gone, ..self }
    }

    /// The policies that select a class in a direction, by tier and order.
    pub(super) fn selecting(
        self,
        class: ClassIx,
        direction: Direction,
    ) -> impl Iterator<Item = &'w Entry> + Clone {
        let list = self.tables.selecting(class.0, direction).iter();
        let entries = list.map(move |entry| &self.tables.entries[*entry as usize]);
        entries.filter(move |e| !self.gone.iter().any(|g| g.policy == e.policy && g.is_whole()))
    }

    /// The rules of a policy, in order.
    pub(super) fn rules(self, entry: &Entry) -> impl Iterator<Item = &'w Rule> + use<'w> {
        let (gone, policy) = (self.gone, entry.policy);
        let left = move |rule: &&Rule| {
            !gone.iter().any(|gone| gone.policy == policy && gone.rule == Some(rule.field))
        };
        entry.rules(self.world).iter().filter(left)
    }
}
