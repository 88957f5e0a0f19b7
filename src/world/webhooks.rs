//! Configurations of admission webhooks, resolved.

use super::ObjectId;
use super::objects::Objects;
use super::rows::{Hook, Row, Screen, WebhookRow};
use crate::sym::{Sym, Symbols};

/// A MutatingWebhookConfiguration or a ValidatingWebhookConfiguration.
#[derive(Debug)]
pub struct Configuration {
    pub object: ObjectId,
    pub mutates: bool,
    pub hooks: Box<[Hook]>,
    pub screens: Box<[Screen]>,
}

/// The table of configurations.
pub(super) fn resolve(
    rows: Vec<Row<WebhookRow>>,
    symbols: &Symbols,
    objects: &mut Objects,
) -> Vec<Configuration> {
    let configuration = |row: Row<WebhookRow>| {
        let mutates = row.body.mutates;
        let kind = if mutates { "Mutating" } else { "Validating" };
        let kind = symbols.get(&format!("{kind}WebhookConfiguration")).unwrap_or(Sym::EMPTY);
        let object = objects.add(kind, &row);
        let WebhookRow { hooks, screens, .. } = row.body;
        Configuration { object, mutates, hooks, screens }
    };
    rows.into_iter().map(configuration).collect()
}
