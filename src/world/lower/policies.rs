//! Admission policies: what of them speaks of new pods, where, and whether it refuses.

use super::judge::{self, hit};
use super::requests::by_resources;
use crate::k8s::rbac::LabelSelector;
use crate::k8s::{Body, Kind, Meta};
use crate::sym::Sym;
use crate::world::cel::Program;
use crate::world::guards::{
    Area, Form, GuardRow, GuardRule, Judged, Plain, Spares, Ways, WriteRule,
};
use crate::world::rows::{Part, Selector};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// The texts of a list, or one text.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether a list, a map or a text is there and holds something.
pub(super) fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Where a part of a policy applies.
struct Matched {
    areas: Vec<Area>,
    /// Whoever makes a pod decides whether it is matched, or it depends on who that is.
    narrowed: bool,
}

impl Part {
    /// The row of a policy.
    pub(super) fn guard_row(
        &mut self,
        kind: Kind,
        kind_name: &str,
        meta: &Meta<'_>,
        body: &Body<'_>,
    ) -> GuardRow {
        let none = Value::Null;
        let spec = if let Body::Policy(spec) = body { &**spec } else { &none };
        let own = if kind.is_namespaced() { &*meta.namespace } else { "" };
        let clustered = |form| if kind.is_namespaced() { Form::Namespaced } else { form };
        let named = judge::by_name(&meta.name);
        let mut spares = None;
        let mut writes = Vec::new();
        let (form, binds, rules) = match kind {
            Kind::Config => {
                spares = Some(Spares::Constraints);
                (Form::Constraint, None, {
                    let areas = self.left_alone(spec);
                    [self.somewhere(areas)].into()
                })
            }
            Kind::PolicyException => {
                spares = Some(Spares::Policies(self.excepted(spec)));
                let areas = match is_given(&spec["match"]) {
                    true => self.matched(&spec["match"]).map_or_else(Vec::new, |m| m.areas),
                    false => vec![Area::everywhere()],
                };
                (Form::ClusterPolicy, None, [self.somewhere(areas)].into())
            }
            Kind::ClusterPolicy | Kind::Policy => {
                let rules = self.kyverno(spec, named, own);
                writes = self.kyverno_writes(spec, named, own, &rules);
                let of_pods = rules.into_iter().filter(|(_, rule)| !rule.areas.is_empty());
                (clustered(Form::ClusterPolicy), None, of_pods.map(|(_, rule)| rule).collect())
            }
            Kind::ValidatingPolicy | Kind::NamespacedValidatingPolicy => {
                let asked = spec["evaluation"]["admission"]["enabled"] != false;
                let actions = texts(&spec["validationActions"]);
                let enforces = asked && (actions.is_empty() || actions.contains(&"Deny"));
                let resources = &spec["matchConstraints"];
                let rule = GuardRule { enforces, ..self.expressions(resources, spec, named, own) };
                writes.push(by_expressions(resources, named, &rule));
                let rule = of_pods(resources, true, rule);
                (clustered(Form::ValidatingPolicy), None, rule.into_iter().collect())
            }
            Kind::Constraint => {
                let rule = self.constraint(kind_name, spec);
                writes.push(by_constraint(spec, &rule));
                let rule = Some(rule).filter(|_| is_constraint_of_pods(spec));
                (Form::Constraint, None, rule.into_iter().collect())
            }
            Kind::ValidatingAdmissionPolicyBinding => {
                let policy = self.sym(spec["policyName"].as_str().unwrap_or(""));
                let all = Judged::Closes(Ways::default());
                let resources = &spec["matchResources"];
                let rule = self.expressions(resources, &none, all, "");
                let enforces = texts(&spec["validationActions"]).contains(&"Deny");
                let skips = spec["paramRef"]["parameterNotFoundAction"] != "Deny";
                let rule = GuardRule { enforces, skips, ..rule };
                writes.push(by_expressions(resources, all, &rule));
                let rule = of_pods(resources, false, rule);
                (Form::ApiServer, Some(policy), rule.into_iter().collect())
            }
            _ => {
                let resources = &spec["matchConstraints"];
                let rule = self.expressions(resources, spec, named, "");
                writes.push(by_expressions(resources, named, &rule));
                let rule = of_pods(resources, true, rule);
                (Form::ApiServer, None, rule.into_iter().collect())
            }
        };
        GuardRow { kind: self.sym(kind_name), form, binds, spares, rules, writes }
    }

    /// A rule that says nothing but where.
    fn somewhere(&mut self, areas: Vec<Area>) -> GuardRule {
        GuardRule {
            field: self.sym(".spec"),
            judged: Judged::Harmless,
            enforces: false,
            overrides: Box::default(),
            areas: areas.into(),
            except: Box::default(),
            ephemeral: true,
            evadable: false,
            loosened: Box::default(),
            program: None,
            skips: false,
        }
    }

    /// The namespaces whose requests Gatekeeper's webhook lets pass by its Config.
    fn left_alone(&mut self, spec: &Value) -> Vec<Area> {
        let of_webhook = |entry: &&Value| {
            texts(&entry["processes"]).iter().any(|process| matches!(*process, "*" | "webhook"))
        };
        let entries = items(&spec["match"]).iter().filter(of_webhook);
        entries
            .filter(|entry| is_given(&entry["excludedNamespaces"]))
            .map(|entry| Area {
                namespaces: self.patterns(&entry["excludedNamespaces"]),
                ..Area::everywhere()
            })
            .collect()
    }

    /// The policies of Kyverno that an exception names; a namespace before the name is left out.
    fn excepted(&mut self, spec: &Value) -> Box<[Sym]> {
        let olds = items(&spec["exceptions"]).iter().map(|e| &e["policyName"]);
        let names = olds.chain(items(&spec["policyRefs"]).iter().map(|e| &e["name"]));
        names
            .filter_map(Value::as_str)
            .map(|name| self.sym(name.rsplit('/').next().unwrap_or(name)))
            .collect()
    }

    fn patterns(&mut self, value: &Value) -> Box<[Sym]> {
        texts(value).into_iter().map(|text| self.sym(text)).collect()
    }

    fn label_selector(&mut self, value: &Value) -> Selector {
        let selector = Option::<LabelSelector<'_>>::deserialize(value).ok().flatten();
        selector.map_or_else(|| Selector(Box::default()), |s| self.selector(&s))
    }

    /// The rules of a ClusterPolicy or a Policy that validate, by their places: with no area, if not
    /// new pods.
    fn kyverno(&mut self, spec: &Value, named: Judged, own: &str) -> Vec<(usize, GuardRule)> {
        let refuses =
            |value: &Value| value.as_str().map(|action| action.eq_ignore_ascii_case("enforce"));
        let mut rules = Vec::new();
        let failure = [&spec["webhookConfiguration"]["failurePolicy"], &spec["failurePolicy"]];
        let failure = failure.into_iter().find(|f| is_given(f)).unwrap_or(&Value::Null);
        for (i, rule) in items(&spec["rules"]).iter().enumerate() {
            let validate = &rule["validate"];
            if spec["admission"] == false || rule["validate"].is_null() {
                continue;
            }
            let matched = self.matched(&rule["match"]);
            let mut matched = matched.unwrap_or(Matched { areas: Vec::new(), narrowed: false });
            if !own.is_empty() {
                let own = self.sym(own);
                matched.areas.iter_mut().for_each(|area| area.namespaces = [own].into());
            }
            let except = self.excluded(&rule["exclude"]);
            let own_action = refuses(&validate["failureAction"]);
            let overrides = match own_action {
                Some(_) => &validate["failureActionOverrides"],
                None => &spec["validationFailureActionOverrides"],
            };
            let overrides = items(overrides)
                .iter()
                .map(|o| (refuses(&o["action"]).unwrap_or(false), self.area(o)));
            let overrides = overrides.collect();
            let enforces = own_action.or(refuses(&spec["validationFailureAction"]));
            let narrowed = matched.narrowed || except.narrowed;
            let cel = &validate["cel"];
            let expressions = Program::read(
                &rule["celPreconditions"],
                &cel["variables"],
                &cel["expressions"],
                failure,
                is_given(&cel["paramKind"]),
            );
            rules.push((
                i,
                GuardRule {
                    field: self.sym(&format!(".spec.rules[{i}].validate")),
                    judged: judge::rule(rule, named, narrowed),
                    enforces: enforces.unwrap_or(false),
                    overrides,
                    areas: matched.areas.into(),
                    except: except.areas.into(),
                    ephemeral: true,
                    evadable: false,
                    loosened: Box::default(),
                    program: expressions.filter(|_| !narrowed).map(Arc::new),
                    skips: true,
                },
            ));
        }
        rules
    }

    pub(super) fn area(&mut self, resources: &Value) -> Area {
        Area {
            namespaces: self.patterns(&resources["namespaces"]),
            excluded: Box::default(),
            selector: self.label_selector(&resources["namespaceSelector"]),
        }
    }

    /// Where a `match` of Kyverno takes in new pods; nothing if nowhere.
    fn matched(&mut self, of: &Value) -> Option<Matched> {
        if let [first, rest @ ..] = items(&of["all"]) {
            // All must fit. Two lists of names are not intersected here.
            if !std::iter::once(first).chain(rest).all(is_of_pods) {
                return None;
            }
            let mut area = self.area(&first["resources"]);
            let mut narrowed = !rest.is_empty() && is_narrow(first);
            for filter in rest {
                let more = self.area(&filter["resources"]);
                narrowed |= is_narrow(filter) || is_given(&filter["resources"]["namespaces"]);
                let both = area.selector.0.iter().chain(&more.selector.0);
                area.selector = Selector(both.cloned().collect());
            }
            narrowed |= is_narrow(first);
            return Some(Matched { areas: vec![area], narrowed });
        }
        let whole = std::slice::from_ref(of);
        let any = items(&of["any"]);
        let filters = if any.is_empty() { whole } else { any };
        let fitting: Vec<&Value> = filters.iter().filter(|f| is_of_pods(f)).collect();
        let narrowed = fitting.iter().all(|f| is_narrow(f));
        let wanted = fitting.iter().filter(|f| narrowed || !is_narrow(f));
        let areas: Vec<Area> = wanted.map(|f| self.area(&f["resources"])).collect();
        (!areas.is_empty()).then_some(Matched { areas, narrowed })
    }

    /// Where an `exclude` of Kyverno leaves new pods alone. What it says of users is not judged.
    fn excluded(&mut self, of: &Value) -> Matched {
        let mut found = Matched { areas: Vec::new(), narrowed: false };
        let whole = std::slice::from_ref(of);
        let (any, all) = (items(&of["any"]), items(&of["all"]));
        if all.len() > 1 {
            found.narrowed = true;
            return found;
        }
        let filters = [any, all].into_iter().find(|list| !list.is_empty()).unwrap_or(whole);
        for filter in filters.iter().filter(|f| is_given(&f["resources"]) && is_of_pods(f)) {
            if is_of_users(filter) {
                continue;
            }
            if is_narrow(filter) {
                found.narrowed = true;
            } else {
                found.areas.push(self.area(&filter["resources"]));
            }
        }
        found
    }

    /// The rule of a Gatekeeper constraint.
    fn constraint(&mut self, kind: &str, spec: &Value) -> GuardRule {
        let of = &spec["match"];
        let enforces = match spec["enforcementAction"].as_str() {
            None | Some("" | "deny") => true,
            Some("scoped") => {
                items(&spec["scopedEnforcementActions"]).iter().any(|a| a["action"] == "deny")
            }
            Some(_) => false,
        };
        let narrowed = is_given(&of["labelSelector"]) || is_given(&of["name"]);
        let area = Area { excluded: self.patterns(&of["excludedNamespaces"]), ..self.area(of) };
        let judged = judge::constraint(kind, &spec["parameters"], narrowed);
        GuardRule { judged, enforces, ..self.somewhere(vec![area]) }
    }

    /// The rule of a policy in CEL, or of a binding.
    fn expressions(
        &mut self,
        resources: &Value,
        spec: &Value,
        named: Judged,
        own: &str,
    ) -> GuardRule {
        let policy = is_given(spec);
        let program = Program::read(
            &spec["matchConditions"],
            &spec["variables"],
            &spec["validations"],
            &spec["failurePolicy"],
            is_given(&spec["paramKind"]),
        );
        let mut area = Area {
            selector: self.label_selector(&resources["namespaceSelector"]),
            ..Area::everywhere()
        };
        if !own.is_empty() {
            area.namespaces = [self.sym(own)].into();
        }
        GuardRule {
            field: self.sym(if policy { ".spec.validations" } else { ".spec.policyName" }),
            judged: if is_given(&spec["matchConditions"]) { Judged::Other } else { named },
            enforces: false,
            overrides: Box::default(),
            areas: [area].into(),
            except: Box::default(),
            ephemeral: true,
            evadable: is_given(&resources["objectSelector"]),
            loosened: Box::default(),
            program: program.map(Arc::new),
            skips: true,
        }
    }
}

/// The rule of a policy in CEL, or of a binding, if `resources` takes in new pods, whatever their
/// name.
fn of_pods(resources: &Value, policy: bool, rule: GuardRule) -> Option<GuardRule> {
    let rules = items(&resources["resourceRules"]);
    let asked = |list: &Value, resource: &str| items(list).iter().any(|rule| hit(rule, resource));
    // Whoever makes a pod gives it a name that is not asked about, or one that is left out.
    let any_pods = |resource: &str| {
        rules.iter().any(|rule| !is_given(&rule["resourceNames"]) && hit(rule, resource))
    };
    let excluded = &resources["excludeResourceRules"];
    // A policy names what it is about; a binding that names nothing adds no limit.
    if (policy || !rules.is_empty()) && !any_pods("pods") || asked(excluded, "pods") {
        return None;
    }
    let sub = "pods/ephemeralcontainers";
    let ephemeral = !policy && rules.is_empty() || any_pods(sub);
    Some(GuardRule { ephemeral: ephemeral && !asked(excluded, sub), ..rule })
}

/// A rule that is judged by nothing but its expressions, with what it is asked about.
fn by_expressions(resources: &Value, named: Judged, rule: &GuardRule) -> WriteRule {
    // What is known by its name asks about pods for the sake of their ways to a node.
    let plain = if named == Judged::Other { Plain::Other } else { Plain::Passes };
    let asks = vec![by_resources(resources)];
    WriteRule { rule: rule.clone(), asks, plain, narrowed: false }
}

/// A constraint of Gatekeeper, with what it is asked about.
fn by_constraint(spec: &Value, rule: &GuardRule) -> WriteRule {
    let of = &spec["match"];
    let plain = if rule.judged == Judged::Other { Plain::Other } else { Plain::Passes };
    let narrowed = is_given(&of["labelSelector"]) || is_given(&of["name"]);
    let asks = vec![super::requests::by_constraint(of)];
    WriteRule { rule: rule.clone(), asks, plain, narrowed }
}

/// Whether a constraint of Gatekeeper is asked about pods.
fn is_constraint_of_pods(spec: &Value) -> bool {
    let of = &spec["match"];
    let kinds = items(&of["kinds"]);
    let pods = |k: &Value| {
        let given = |list: &Value, wanted: &str| {
            !is_given(list) || texts(list).iter().any(|t| *t == "*" || *t == wanted)
        };
        given(&k["kinds"], "Pod") && given(&k["apiGroups"], "")
    };
    (kinds.is_empty() || kinds.iter().any(pods)) && of["scope"] != "Cluster"
}

/// Whether a filter of Kyverno takes in pods that are created.
fn is_of_pods(filter: &Value) -> bool {
    let resources = &filter["resources"];
    let operations = texts(&resources["operations"]);
    let kinds = texts(&resources["kinds"]);
    // `Pod`, `v1/Pod`, `*`, `*/*`: the kind stands last, a subresource after it is another matter.
    let pod = |kind: &&str| matches!(kind.rsplit('/').next(), Some("Pod" | "*"));
    (kinds.is_empty() || kinds.iter().any(pod))
        && (operations.is_empty() || operations.contains(&"CREATE"))
}

/// Whether a filter of Kyverno speaks of who asks.
pub(super) fn is_of_users(filter: &Value) -> bool {
    ["subjects", "roles", "clusterRoles"].iter().any(|key| is_given(&filter[*key]))
}

/// Whether whoever makes a pod can decide if a filter of Kyverno fits, or who he is does.
pub(super) fn is_narrow(filter: &Value) -> bool {
    let resources = &filter["resources"];
    let names = [texts(&resources["names"]), texts(&resources["name"])].concat();
    is_of_users(filter)
        || names.iter().any(|name| *name != "*")
        || is_given(&resources["selector"])
        || is_given(&resources["annotations"])
}
