//! Configurations of admission webhooks: whom the API server asks about which writes.

use super::object::Body;
use super::rbac::LabelSelector;
use super::scalar::{Int, List, Str};
use serde::{Deserialize, Deserializer};

/// One of `webhooks` of a MutatingWebhookConfiguration or a ValidatingWebhookConfiguration.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Webhook<'a> {
    pub name: Str<'a>,
    pub client_config: Option<WebhookClient<'a>>,
    pub rules: List<WebhookRule<'a>>,
    pub namespace_selector: Option<LabelSelector<'a>>,
    pub object_selector: Option<LabelSelector<'a>>,
    pub match_conditions: List<MatchCondition<'a>>,
}

/// Reads `webhooks` into a body.
pub(super) fn webhooks<'de, D>(body: &mut Body<'de>, deserializer: D) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    *body = Body::Webhooks(List::deserialize(deserializer)?.0);
    Ok(())
}

/// `clientConfig`, as far as it names a Service.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct WebhookClient<'a> {
    pub service: Option<WebhookService<'a>>,
}

/// `clientConfig.service`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct WebhookService<'a> {
    pub namespace: Str<'a>,
    pub name: Str<'a>,
    pub port: Int,
}

/// One of `rules` of a webhook.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct WebhookRule<'a> {
    pub operations: List<Str<'a>>,
    pub api_groups: List<Str<'a>>,
    pub resources: List<Str<'a>>,
    pub scope: Str<'a>,
}

impl WebhookRule<'_> {
    /// Whether the API server asks about an operation on a resource (kubernetes apiserver
    /// `pkg/admission/plugin/webhook/predicates/rules`). `namespaced`: whether the resource is.
    #[must_use]
    pub fn asks(&self, operations: &[&str], group: &str, resource: &str, namespaced: bool) -> bool {
        let scope = match &*self.scope {
            "Cluster" => !namespaced,
            "Namespaced" => namespaced,
            _ => true,
        };
        // `*` is every resource without its parts, `*/*` and `pods/*` the parts too.
        let named = |r: &Str<'_>| {
            let (name, part) = r.split_once('/').unwrap_or((r, ""));
            (name == "*" || name == resource) && (part.is_empty() || part == "*")
        };
        scope
            && self.operations.iter().any(|o| &**o == "*" || operations.contains(&&**o))
            && self.api_groups.iter().any(|g| &**g == "*" || **g == *group)
            && self.resources.iter().any(named)
    }
}

/// One of `matchConditions`, in CEL.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct MatchCondition<'a> {
    pub expression: Str<'a>,
}
