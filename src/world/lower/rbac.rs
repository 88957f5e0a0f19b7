//! Rules, subjects and selectors.

use crate::k8s::rbac;
use crate::sym::Sym;
use crate::world::rows::{Operator, Part, Requirement, Rule, Selector};

impl Part {
    /// A subject; the account or node that a user's name spells gets its own names too.
    pub(super) fn subject(&mut self, subject: &rbac::Subject<'_>) -> (Sym, Sym, Sym) {
        if let Some((ns, name)) = crate::world::rbac::account_of_user(&subject.name) {
            self.sym(ns);
            self.sym(name);
        } else if let Some(node) = crate::world::rbac::node_of_user(&subject.name) {
            self.sym(node);
        }
        (self.sym(&subject.kind), self.sym(&subject.namespace), self.sym(&subject.name))
    }

    pub(super) fn rule(&mut self, rule: &rbac::Rule<'_>) -> u32 {
        let rule = Rule {
            verbs: self.syms(&rule.verbs),
            groups: self.syms(&rule.api_groups),
            resources: self.syms(&rule.resources),
            names: self.syms(&rule.resource_names),
            urls: self.syms(&rule.non_resource_urls),
        };
        self.rules.add(rule)
    }

    pub(super) fn selector(&mut self, selector: &rbac::LabelSelector<'_>) -> Selector {
        let equal = selector.match_labels.iter().flatten().map(|(key, value)| Requirement {
            key: self.symbols.intern(key),
            operator: Operator::In,
            values: [self.symbols.intern(value)].into(),
        });
        let mut requirements: Vec<_> = equal.collect();
        for e in selector.match_expressions.iter() {
            let operator = match &*e.operator {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                _ => Operator::Invalid,
            };
            let (key, values) = (self.sym(&e.key), self.syms(&e.values));
            requirements.push(Requirement { key, operator, values });
        }
        Selector(requirements.into())
    }
}
