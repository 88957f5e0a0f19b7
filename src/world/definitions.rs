//! What the snapshot's custom resource definitions say of custom resources: how they are called and
//! where they live.

use super::rows::Part;
use crate::k8s::definition::CustomResourceDefinitionSpec;

/// A custom resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Definition {
    pub group: String,
    pub plural: String,
    pub kind: String,
    /// Its other names: the singular and the short ones.
    pub short: Vec<String>,
    pub namespaced: bool,
}

impl Definition {
    /// Whether somebody means it who types a plural, a kind or a short name, in any case.
    #[must_use]
    pub fn is_typed(&self, text: &str) -> bool {
        let names = [&self.plural, &self.kind];
        names.into_iter().chain(&self.short).any(|name| name.eq_ignore_ascii_case(text))
    }
}

impl Part {
    /// Keeps what a definition says of names and scope; one without a plural names nothing.
    pub(super) fn define(&mut self, spec: &CustomResourceDefinitionSpec<'_>) {
        let Some(names) = &spec.names else { return };
        if names.plural.is_empty() {
            return;
        }
        let short = std::iter::once(&names.singular).chain(names.short_names.iter());
        self.definitions.insert(Definition {
            group: (*spec.group).to_owned(),
            plural: (*names.plural).to_owned(),
            kind: (*names.kind).to_owned(),
            short: short.filter(|s| !s.is_empty()).map(|s| (**s).to_owned()).collect(),
            // The API server takes no other word than these two.
            namespaced: &*spec.scope == "Namespaced",
        });
    }
}
