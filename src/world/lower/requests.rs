//! Which requests a policy or a webhook is asked about, as each kind of them says it.

use super::policies::{is_given, is_narrow, is_of_users, items, texts};
use crate::k8s::admission::Webhook;
use crate::world::cel::Program;
use crate::world::guards::{Area, GuardRule, Judged, Plain, WriteRule};
use crate::world::requests::{Asks, Wants, plural};
use crate::world::rows::{Part, Screen, Selector};
use serde_json::{Value, json};
use std::sync::Arc;

fn boxed<'t>(list: impl IntoIterator<Item = &'t str>) -> Box<[Box<str>]> {
    list.into_iter().map(Box::from).collect()
}

fn part_of(resource: &str) -> (Box<str>, Box<str>) {
    let (name, part) = resource.split_once('/').unwrap_or((resource, ""));
    (name.into(), part.into())
}

fn scope(text: &str) -> Option<bool> {
    match text {
        "Namespaced" => Some(true),
        "Cluster" => Some(false),
        _ => None,
    }
}

/// `matchConstraints` of a policy, or `matchResources` of a binding.
pub(super) fn by_resources(resources: &Value) -> Asks {
    let list = |list: &Value| -> Box<[Wants]> {
        let wants = |rule: &Value| Wants {
            operations: boxed(texts(&rule["operations"])),
            groups: boxed(texts(&rule["apiGroups"])),
            resources: texts(&rule["resources"]).into_iter().map(part_of).collect(),
            namespaced: scope(rule["scope"].as_str().unwrap_or_default()),
            named: is_given(&rule["resourceNames"]),
        };
        items(list).iter().map(wants).collect()
    };
    Asks {
        wants: list(&resources["resourceRules"]),
        excluded: list(&resources["excludeResourceRules"]),
        labelled: is_given(&resources["objectSelector"]),
    }
}

/// Parts that Gatekeeper's webhook is asked about as it is installed, with the kind that is sent.
const PARTS: &[(&str, &str)] = &[
    ("Pod", "pods/ephemeralcontainers"),
    ("PodExecOptions", "pods/exec"),
    ("PodAttachOptions", "pods/attach"),
    ("PodPortForwardOptions", "pods/portforward"),
    ("PodProxyOptions", "pods/proxy"),
    ("ServiceProxyOptions", "services/proxy"),
    ("NodeProxyOptions", "nodes/proxy"),
    ("Eviction", "pods/eviction"),
    ("Binding", "pods/binding"),
];

/// `match` of a constraint of Gatekeeper. It is asked about connections only where it is told to,
/// which a constraint that names what is sent with them shows.
pub(super) fn by_constraint(of: &Value) -> Asks {
    let writes = || boxed(["CREATE", "UPDATE"]);
    let namespaced = scope(of["scope"].as_str().unwrap_or_default());
    let mut wants = Vec::new();
    let every = json!([{"kinds": ["*"]}]);
    let kinds = if is_given(&of["kinds"]) { &of["kinds"] } else { &every };
    for row in items(kinds) {
        let groups = match texts(&row["apiGroups"]) {
            list if list.is_empty() => boxed(["*"]),
            list => boxed(list),
        };
        let named = texts(&row["kinds"]);
        let all = named.is_empty() || named.contains(&"*");
        let whole = |kind: &str| (plural(kind).into(), Box::from(""));
        let mut resources: Vec<(Box<str>, Box<str>)> = match all {
            true => vec![("*".into(), "".into())],
            false => named.iter().map(|kind| whole(kind)).collect(),
        };
        for (kind, resource) in PARTS {
            let connects = kind.ends_with("Options");
            if named.contains(kind) && connects {
                wants.push(Wants {
                    operations: boxed(["CONNECT"]),
                    groups: groups.clone(),
                    resources: [part_of(resource)].into(),
                    namespaced,
                    named: false,
                });
            } else if !connects && (all || named.contains(kind)) {
                resources.push(part_of(resource));
            }
        }
        let resources = resources.into();
        wants.push(Wants { operations: writes(), groups, resources, namespaced, named: false });
    }
    Asks { wants: wants.into(), excluded: Box::default(), labelled: false }
}

/// A kind as Kyverno's policies write it: group, resource and part (`Pod`, `v1/Pod`,
/// `apps/v1/Deployment`, `Pod/exec`, `*/*`).
fn selected(kind: &str) -> (&str, String, &str) {
    let words: Vec<&str> = kind.split('/').collect();
    let at = words.iter().position(|w| w.starts_with(char::is_uppercase)).unwrap_or(match *words {
        [_, _] | [_] => 0,
        [_, _, ..] => 2,
        [] => 0,
    });
    let group = if at >= 2 { words[0] } else { "*" };
    let resource = words.get(at).map_or_else(String::new, |kind| plural(kind));
    (group, resource, words.get(at + 1).copied().unwrap_or_default())
}

/// The `kinds` and `operations` of a filter of Kyverno.
fn by_kinds(filter: &Value) -> Box<[Wants]> {
    let resources = &filter["resources"];
    let operations = match texts(&resources["operations"]) {
        list if list.is_empty() => boxed(["*"]),
        list => boxed(list),
    };
    let wants = |kind: &str| {
        let (group, resource, part) = selected(kind);
        Wants {
            operations: operations.clone(),
            groups: boxed([group]),
            resources: [(resource.into(), part.into())].into(),
            ..Wants::default()
        }
    };
    match texts(&resources["kinds"]) {
        list if list.is_empty() => [wants("*")].into(),
        list => list.into_iter().map(wants).collect(),
    }
}

/// The filters of a `match` or an `exclude` of Kyverno, and whether all of them must fit.
fn filters(of: &Value) -> (&[Value], bool) {
    match (items(&of["all"]), items(&of["any"])) {
        ([], []) if is_given(of) => (std::slice::from_ref(of), false),
        ([], any) => (any, false),
        (all, _) => (all, true),
    }
}

/// What a rule of Kyverno says where it is not evaluated.
fn plain(rule: &Value, named: Judged) -> Plain {
    if named != Judged::Other {
        return Plain::Passes;
    }
    let validate = &rule["validate"];
    let conditional = is_given(&rule["preconditions"]) || is_given(&rule["context"]);
    if !validate["deny"].is_null() {
        let all = !conditional && !is_given(&validate["deny"]["conditions"]);
        return if all { Plain::Refuses } else { Plain::Other };
    }
    let asks = ["pattern", "anyPattern", "podSecurity"].iter().any(|key| is_given(&validate[*key]));
    let text = validate.to_string();
    let other = ["serviceAccount", "ecret", "{{"].iter().any(|word| text.contains(word));
    if asks && !other { Plain::OfPods } else { Plain::Other }
}

impl Part {
    /// The rules of a ClusterPolicy or a Policy that validate, with what they are asked about.
    pub(super) fn kyverno_writes(
        &mut self,
        spec: &Value,
        named: Judged,
        own: &str,
        rules: &[(usize, GuardRule)],
    ) -> Vec<WriteRule> {
        let mut writes = Vec::new();
        for (i, base) in rules {
            let rule = &spec["rules"][i];
            let mut narrowed = false;
            let mut except = Vec::new();
            let mut excluded = Vec::new();
            let (left_out, all) = filters(&rule["exclude"]);
            narrowed |= all && left_out.len() > 1;
            for filter in left_out.iter().filter(|f| is_given(&f["resources"])) {
                if is_of_users(filter) || all && left_out.len() > 1 {
                    continue;
                }
                let area = self.area(&filter["resources"]);
                let everywhere = area == Area::everywhere();
                match (is_narrow(filter), is_given(&filter["resources"]["kinds"])) {
                    (true, _) => narrowed = true,
                    (false, false) => except.push(area),
                    (false, true) if everywhere => excluded.extend(by_kinds(filter)),
                    (false, true) => narrowed = true,
                }
            }
            let (wanted, all) = filters(&rule["match"]);
            let groups: Vec<&[Value]> = if all { vec![wanted] } else { wanted.chunks(1).collect() };
            for group in groups {
                let mut area = Area::everywhere();
                let mut narrow = narrowed;
                for (k, filter) in group.iter().enumerate() {
                    let more = self.area(&filter["resources"]);
                    narrow |= is_narrow(filter) || k > 0 && !more.namespaces.is_empty();
                    if k == 0 {
                        area.namespaces = more.namespaces;
                    }
                    let both = area.selector.0.iter().chain(&more.selector.0);
                    area.selector = Selector(both.cloned().collect());
                }
                if !own.is_empty() {
                    area.namespaces = [self.sym(own)].into();
                }
                let asks = |filter: &Value| Asks {
                    wants: by_kinds(filter),
                    excluded: excluded.clone().into(),
                    labelled: false,
                };
                writes.push(WriteRule {
                    rule: GuardRule {
                        areas: [area].into(),
                        except: except.clone().into(),
                        ..base.clone()
                    },
                    asks: group.iter().map(asks).collect(),
                    plain: plain(rule, named),
                    narrowed: narrow,
                });
            }
        }
        writes
    }

    /// The webhooks that are asked and may refuse: all that validate, but for those that look at
    /// nothing but the form of their operator's own objects.
    pub(super) fn screens(&mut self, webhooks: &[Webhook<'_>]) -> Box<[Screen]> {
        let mut screens = Vec::new();
        for (i, webhook) in webhooks.iter().enumerate() {
            let wants = webhook.rules.iter().map(|rule| Wants {
                operations: boxed(rule.operations.iter().map(|o| &**o)),
                groups: boxed(rule.api_groups.iter().map(|g| &**g)),
                resources: rule.resources.iter().map(|r| part_of(r)).collect(),
                namespaced: scope(&rule.scope),
                named: false,
            });
            let wants: Box<[Wants]> = wants.collect();
            if wants.is_empty() || FORM_ONLY.contains(&&*webhook.name) {
                continue;
            }
            let selector = webhook.object_selector.as_ref().map(|s| self.selector(s));
            let labelled = selector.is_some_and(|s| !s.0.is_empty());
            let namespaces = webhook.namespace_selector.as_ref().map(|s| self.selector(s));
            let conditions = webhook.match_conditions.iter();
            let conditions = conditions.map(|c| json!({"expression": &*c.expression}));
            let conditions: Value = conditions.collect();
            // One that is asked might refuse: as a policy it would be one that refuses all.
            let refuses = json!([{"expression": "false"}]);
            let failure = json!("Fail");
            let program = is_given(&conditions)
                .then(|| Program::read(&conditions, &Value::Null, &refuses, &failure, false));
            let service = webhook.client_config.as_ref().and_then(|c| c.service.as_ref());
            screens.push(Screen {
                place: super::place(i),
                service: service.map(|s| (self.sym(&s.namespace), self.sym(&s.name))),
                asks: Asks { wants, excluded: Box::default(), labelled },
                namespaces: namespaces.unwrap_or_else(|| Selector(Box::default())),
                conditions: program.flatten().map(Arc::new),
            });
        }
        screens.into()
    }
}

/// Webhooks, by name, that look at the form of objects of Kubernetes' own kinds and refuse only
/// what would not work.
const FORM_ONLY: &[&str] = &["validate.nginx.ingress.kubernetes.io"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_as_kyverno_writes_them() {
        for (kind, group, resource, part) in [
            ("Pod", "*", "pods", ""),
            ("v1/Pod", "*", "pods", ""),
            ("apps/v1/Deployment", "apps", "deployments", ""),
            ("Pod/exec", "*", "pods", "exec"),
            ("v1/Pod/exec", "*", "pods", "exec"),
            ("ServiceAccount/token", "*", "serviceaccounts", "token"),
            (
                "rbac.authorization.k8s.io/*/RoleBinding",
                "rbac.authorization.k8s.io",
                "rolebindings",
                "",
            ),
            ("*", "*", "*", ""),
            ("*/*", "*", "*", "*"),
            ("Pod/*", "*", "pods", "*"),
            ("*/exec", "*", "*", "exec"),
        ] {
            assert_eq!(selected(kind), (group, resource.to_owned(), part), "{kind}");
        }
    }

    #[test]
    fn what_kyverno_refuses_out_of_hand() {
        let of = |rule: Value| plain(&rule, Judged::Other);
        assert_eq!(of(json!({"validate": {"deny": {}}})), Plain::Refuses);
        let conditions = json!({"any": [{"key": "a", "operator": "Equals", "value": "b"}]});
        assert_eq!(of(json!({"validate": {"deny": {"conditions": conditions}}})), Plain::Other);
        assert_eq!(
            of(json!({"validate": {"deny": {}}, "preconditions": conditions})),
            Plain::Other
        );
        let labels = json!({"pattern": {"metadata": {"labels": {"team": "?*"}}}});
        assert_eq!(of(json!({"validate": labels})), Plain::OfPods);
        let account = json!({"pattern": {"spec": {"serviceAccountName": "!strong"}}});
        assert_eq!(of(json!({"validate": account})), Plain::Other);
    }
}
