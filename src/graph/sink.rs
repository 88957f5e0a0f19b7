//! Where attacks put edges. There is one sink a family, so none needs a lock.

use super::asked::Asking;
use super::attack::{Attack, Odds, cost_of};
use super::csr::{Edge, RawEdge};
use super::evidence::{Evidence, Fact, Says, Value};
use super::layout::{Dynamic, Layout};
use super::{NodeId, SetKey, Thing};
use crate::sym::{Sym, Symbols};
use crate::world::cons::Cons;
use crate::world::exposure::Entry;
use crate::world::grants::Grant;
use crate::world::{Binding, NamespaceIx, ObjectId, Principal, RuleRef, Subject, World};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// How many edges stand in one piece: 2 MB. What is as large as that is not taken from the heap but
/// mapped, so that no memory is used before an edge stands in it, and none is kept afterwards.
const PIECE: usize = 1 << 17;

/// Takes edges, each with its evidence.
#[derive(Debug)]
pub struct Sink<'w> {
    pub(super) world: &'w World,
    layout: &'w Layout,
    /// What leads from a set to its members.
    pub(super) member: Option<&'static Attack>,
    pub(super) texts: Symbols,
    pub(super) evidence: Evidence,
    pub(super) dynamic: Cons<Dynamic>,
    pub(super) attacks: Vec<&'static Attack>,
    /// In pieces, which need not be copied when there are more, and can be given up one by one.
    pub(super) edges: Vec<Vec<RawEdge>>,
    /// Namespaces whose admin an edge leads to.
    pub(super) admins: BTreeSet<NamespaceIx>,
    rules: FxHashMap<RuleRef, Fact>,
    /// Room for the record of the edge being added.
    record: Vec<Fact>,
    pub(super) asking: Asking<'w>,
}

impl<'w> Sink<'w> {
    pub(super) fn new(
        world: &'w World,
        layout: &'w Layout,
        member: Option<&'static Attack>,
    ) -> Self {
        Self {
            world,
            layout,
            member,
            texts: Symbols::default(),
            evidence: Evidence::default(),
            dynamic: Cons::default(),
            attacks: Vec::new(),
            edges: Vec::new(),
            admins: BTreeSet::new(),
            rules: FxHashMap::default(),
            record: Vec::new(),
            asking: Asking::new(world),
        }
    }

    /// Adds an edge with the odds that its attack has as a rule.
    pub fn edge(
        &mut self,
        from: Thing<'_>,
        to: Thing<'_>,
        attack: &'static Attack,
        facts: &[Fact],
    ) {
        self.edge_with(from, to, attack, attack.odds, facts);
    }

    /// Adds an edge. An edge without evidence, from a thing to itself, or to a thing that is no
    /// node (a workload that another owns) is not added, nor one by a request that admission
    /// refuses; what may refuse it stands in the evidence.
    pub fn edge_with(
        &mut self,
        from: Thing<'_>,
        to: Thing<'_>,
        attack: &'static Attack,
        odds: Odds,
        facts: &[Fact],
    ) {
        if self.asking.is_in(facts) {
            self.weighed(from, to, attack, odds, facts);
        } else {
            self.put(from, to, attack, odds, facts);
        }
    }

    /// Adds an edge as it is.
    pub(super) fn put(
        &mut self,
        from: Thing<'_>,
        to: Thing<'_>,
        attack: &'static Attack,
        odds: Odds,
        facts: &[Fact],
    ) {
        if let Thing::NamespaceAdmin(namespace) = to {
            self.admins.insert(namespace);
        }
        let (Some(from), Some(to)) = (self.node(from), self.node(to)) else { return };
        debug_assert!(!facts.is_empty(), "an edge without evidence: {}", attack.id);
        if from == to || facts.is_empty() {
            return;
        }
        let via = facts[0].object;
        let mut record = std::mem::take(&mut self.record);
        record.clear();
        record.extend(facts.iter().map(|fact| fact.shared(via)));
        let attack = self.attack(attack);
        let says = Says { attack, cost: cost_of(odds), confidence: odds.confidence };
        let why = self.evidence.add(&record, says);
        self.record = record;
        let raw = RawEdge { from, to, edge: Edge { why, via } };
        match self.edges.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(raw),
            None => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(raw);
                self.edges.push(piece);
            }
        }
    }

    /// Lets go of what only adding edges needs.
    pub(super) fn close(&mut self) {
        if let Some(last) = self.edges.last_mut() {
            last.shrink_to_fit();
        }
        self.evidence.close();
        self.asking = Asking::new(self.world);
        self.rules = FxHashMap::default();
    }

    /// The doors to the outside, in the order of their `Thing::Entry` numbers.
    #[must_use]
    pub fn entries(&self) -> &'w [Entry] {
        self.world.entries()
    }

    /// A fact: this object says this at this field.
    pub fn fact(&mut self, object: ObjectId, field: &str, value: &str) -> Fact {
        let value = Value::text(self.texts.intern(value));
        Fact { object, field: self.texts.intern(field), value }
    }

    /// The path of a field, for many facts of objects that are alike.
    pub fn field(&mut self, field: &str) -> Sym {
        self.texts.intern(field)
    }

    /// The facts of a grant: the binding refers to the role, and the role's rule allows. With them
    /// goes the request that it is used in, if admission has a say in that.
    pub fn grant(&mut self, grant: &Grant<'_>) -> Vec<Fact> {
        let binding = &self.world.bindings[grant.binding.index()];
        let mut facts = vec![self.role_ref(binding), self.rule(grant.rule)];
        facts.extend(self.asks_by(grant));
        facts
    }

    /// The fact that a binding refers to its role.
    pub fn role_ref(&mut self, binding: &Binding) -> Fact {
        let role = binding.role.map(|r| &self.world.roles[r.index()]);
        let value = role.map_or_else(String::new, |role| {
            let kind = if role.ns.is_empty() { "ClusterRole" } else { "Role" };
            format!("{kind} {}", self.world.text(role.name))
        });
        self.fact(binding.object, ".roleRef", &value)
    }

    /// The fact that a role holds a rule.
    pub fn rule(&mut self, rule: RuleRef) -> Fact {
        if let Some(fact) = self.rules.get(&rule) {
            return *fact;
        }
        let role = &self.world.roles[rule.role.index()];
        let r = &self.world.rules[rule.rule as usize];
        let list = |syms: &[Sym]| {
            let texts: Vec<&str> = syms.iter().map(|s| self.world.text(*s)).collect();
            texts.join(",")
        };
        let mut value = format!("{} on {}", list(&r.verbs), list(&r.resources));
        let groups = list(&r.groups);
        if !groups.is_empty() {
            value = format!("{value} of {groups}");
        }
        if !r.names.is_empty() {
            value = format!("{value} named {}", list(&r.names));
        }
        let fact = self.fact(role.object, &format!(".rules[{}]", rule.place), &value);
        self.rules.insert(rule, fact);
        fact
    }

    /// The fact that a binding names a subject.
    pub fn subject(&mut self, binding: &Binding, subject: &Subject) -> Fact {
        let name = self.principal_name(subject.principal);
        self.fact(binding.object, &format!(".subjects[{}]", subject.place), &name)
    }

    /// A principal as a person names it: `ServiceAccount shop/web`.
    #[must_use]
    pub fn principal_name(&self, principal: Principal) -> String {
        let world = self.world;
        match principal {
            Principal::Account(a) => {
                let a = &world.accounts[a.index()];
                format!("ServiceAccount {}/{}", world.text(a.ns), world.text(a.name))
            }
            Principal::Node(n) => {
                format!("User system:node:{}", world.text(world.nodes[n.index()].name))
            }
            Principal::User(u) => format!("User {}", world.text(world.users[u.index()].1)),
            Principal::Group(g) => format!("Group {}", world.text(world.groups[g.index()].1)),
        }
    }

    /// The sets that edges of this sink lead to or from.
    pub(super) fn sets(&self) -> impl Iterator<Item = SetKey> + '_ {
        self.dynamic.items().iter().filter_map(|d| match d {
            Dynamic::Set(key) => Some(*key),
            Dynamic::Gate(_) | Dynamic::Cloud(_) | Dynamic::Acting(_) => None,
        })
    }

    fn node(&mut self, thing: Thing<'_>) -> Option<NodeId> {
        let dynamic = match thing {
            Thing::Set(key) => Dynamic::Set(key),
            Thing::Gate(key) => Dynamic::Gate(key),
            Thing::Cloud(name) => Dynamic::Cloud(name.to_owned()),
            _ => return self.layout.fixed(&thing),
        };
        let number = self.dynamic.add(dynamic) as usize;
        Some(NodeId::new(self.layout.first_dynamic() + number))
    }

    fn attack(&mut self, attack: &'static Attack) -> u16 {
        let known = self.attacks.iter().position(|a| std::ptr::eq(*a, attack));
        let place = known.unwrap_or_else(|| {
            self.attacks.push(attack);
            self.attacks.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }
}

/// What the families' edges lead to that needs edges of its own: the sets, sorted, and the
/// namespaces whose admin is reached.
#[derive(Debug)]
pub struct Named {
    /// Each set once.
    pub sets: Vec<SetKey>,
    /// Each namespace once.
    pub admins: Vec<NamespaceIx>,
}
