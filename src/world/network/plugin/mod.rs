//! Which network plugin runs, and which policies it enforces.
//!
//! A policy is a wish: without a plugin that enforces it, it has no effect, and Kubernetes says
//! nothing. One enforcer is enough, whatever else moves the packets (Canal is Calico's policies on
//! flannel's network). What is known not to enforce counts where nothing beside it does, and what
//! the snapshot does not show stays unknown. The sources are DaemonSets and pods, ConfigMaps of
//! plugins, the arguments of k3s, and what nodes say of themselves.

mod find;
pub mod known;
#[cfg(test)]
mod tests;

use crate::world::coverage::counted;
use crate::world::{ObjectId, World};
use known::Known;

/// Whether policies are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enforces {
    No,
    /// The snapshot does not show it.
    Unknown,
    Yes,
}

impl Enforces {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unknown => "unknown",
            Self::Yes => "yes",
        }
    }

    /// What a word means.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::No, Self::Unknown, Self::Yes].into_iter().find(|e| e.name() == word)
    }
}

/// The kinds of network policies, by who defines and enforces them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policies {
    /// `NetworkPolicy` of Kubernetes.
    Plain,
    /// `AdminNetworkPolicy` and `BaselineAdminNetworkPolicy`.
    Admin,
    /// `ClusterNetworkPolicy` of `policy.networking.k8s.io`.
    Cluster,
    Cilium,
    Calico,
    Antrea,
    /// Those of `networking.k8s.aws`.
    Aws,
}

impl Policies {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Plain,
        Self::Admin,
        Self::Cluster,
        Self::Cilium,
        Self::Calico,
        Self::Antrea,
        Self::Aws,
    ];

    /// What an object of an API group and kind is, if it is a network policy in force. Those that
    /// Calico calls staged are drafts.
    #[must_use]
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        if !kind.ends_with("NetworkPolicy") || kind.starts_with("Staged") {
            return None;
        }
        Some(match group {
            "networking.k8s.io" | "extensions" => Self::Plain,
            "policy.networking.k8s.io" if kind == "ClusterNetworkPolicy" => Self::Cluster,
            "policy.networking.k8s.io" => Self::Admin,
            "cilium.io" => Self::Cilium,
            "crd.projectcalico.org" | "projectcalico.org" => Self::Calico,
            "crd.antrea.io" => Self::Antrea,
            "networking.k8s.aws" => Self::Aws,
            _ => return None,
        })
    }

    /// What they are called, one and several.
    #[must_use]
    pub const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain => ("NetworkPolicy", "NetworkPolicies"),
            Self::Admin => ("AdminNetworkPolicy", "AdminNetworkPolicies"),
            Self::Cluster => ("ClusterNetworkPolicy", "ClusterNetworkPolicies"),
            Self::Cilium => ("policy of Cilium", "policies of Cilium"),
            Self::Calico => ("policy of Calico", "policies of Calico"),
            Self::Antrea => ("policy of Antrea", "policies of Antrea"),
            Self::Aws => ("policy of AWS", "policies of AWS"),
        }
    }
}

/// What shows something: a field of an object, or no object where the user says it or where objects
/// of a kind are only counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub object: Option<ObjectId>,
    pub field: String,
    pub text: String,
}

/// The network plugin of the cluster, all its parts together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// With its version, if an image shows it, and what it runs on: `Calico 3.26 and flannel 0.25`.
    /// `None`: nothing shows it.
    pub name: Option<String>,
    pub enforces: Enforces,
    /// Whether it enforces each kind of policies, in the order of [`Policies::ALL`].
    pub kinds: Vec<(Policies, Enforces)>,
    /// Whether an `ipBlock` matches pods by their addresses. `None`: not known.
    pub blocks_match_pods: Option<bool>,
    /// Cilium is told to let blocks of addresses match nodes, which it does not by itself.
    pub blocks_match_nodes: bool,
    /// What says that pods are isolated in both directions although no policy selects them.
    pub isolates: Option<ObjectId>,
    /// What shows it.
    pub why: Vec<Fact>,
    /// The user says some of it.
    pub said: bool,
}

impl Plugin {
    /// What that makes of policies, of which there are so many of each kind, in a sentence without
    /// a full stop.
    #[must_use]
    pub fn effect(&self, policies: &[(Policies, u64)], windows: bool) -> String {
        let all: u64 = policies.iter().map(|(_, count)| count).sum();
        // Of two or more, as `listed` joins them.
        let several = self.name.as_ref().is_some_and(|name| name.contains(" and "));
        let (enforce, not) =
            if several { ("enforce", "do not enforce") } else { ("enforces", "does not enforce") };
        let mut text = match (&self.name, self.enforces) {
            (Some(name), Enforces::Yes) => format!("{name} {enforce} network policies"),
            (Some(name), Enforces::No) => format!("{name} {not} network policies"),
            (Some(name), Enforces::Unknown) => {
                format!("whether {name} {enforce} network policies is not shown")
            }
            (None, Enforces::Yes) => "network policies are enforced".to_owned(),
            (None, Enforces::No) => "network policies are not enforced".to_owned(),
            (None, Enforces::Unknown) => {
                "which network plugin runs is not shown, so that policies may have no effect"
                    .to_owned()
            }
        };
        if self.said {
            text.push_str(" (as the command line says)");
        }
        if self.enforces == Enforces::No && all > 0 {
            let (them, have) = match all {
                1 => ("policy", "has"),
                _ => ("policies", "have"),
            };
            text = format!("{text}: {all} {them} {have} no effect");
        }
        for (kind, count) in policies.iter().filter(|(_, count)| *count > 0) {
            let names = kind.names();
            let counted = counted(*count, names.0, names.1);
            match (self.enforces, self.enforces(*kind)) {
                (Enforces::Yes, Enforces::No) => {
                    let verb = if several { "ignore" } else { "ignores" };
                    text = format!("{text}, but {verb} {counted}");
                }
                (Enforces::Yes, Enforces::Unknown) => {
                    text = format!("{text}; whether that goes for {counted} is not known");
                }
                _ => {}
            }
        }
        if windows && self.enforces == Enforces::Yes {
            text.push_str("; on nodes with Windows that may differ");
        }
        text
    }

    /// Whether it enforces policies of a kind.
    #[must_use]
    pub fn enforces(&self, policies: Policies) -> Enforces {
        self.kinds.iter().find(|(k, _)| *k == policies).map_or(Enforces::Unknown, |(_, e)| *e)
    }
}

/// What the user says of the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said {
    /// The plugin that runs.
    pub plugin: Option<&'static Known>,
    /// Whether it enforces policies.
    pub enforces: Option<Enforces>,
}

/// A plugin that was found.
#[derive(Debug, Clone)]
struct Found {
    known: &'static Known,
    /// Major and minor.
    version: Option<(u32, u32)>,
    enforces: Enforces,
    /// Kubernetes' own kind is switched off.
    no_plain: bool,
    blocks_match_nodes: bool,
    isolates: Option<ObjectId>,
    why: Vec<Fact>,
}

impl Found {
    fn new(known: &'static Known, why: Vec<Fact>) -> Self {
        Self {
            known,
            version: None,
            enforces: known.enforces,
            no_plain: false,
            blocks_match_nodes: false,
            isolates: None,
            why,
        }
    }

    /// Whether it can enforce policies at all.
    fn is_enforcer(&self) -> bool {
        self.known.enforces != Enforces::No
    }

    fn name(&self) -> String {
        match self.version {
            Some((major, minor)) => format!("{} {major}.{minor}", self.known.name),
            None => self.known.name.to_owned(),
        }
    }

    /// Whether it enforces policies of a kind.
    fn enforces(&self, policies: Policies) -> Enforces {
        let listed = self.known.kinds.iter().find(|(kind, _)| *kind == policies);
        let listed = listed.map_or(Enforces::No, |(_, enforces)| *enforces);
        // Calico took the kinds of the project for network policies one after the other.
        let calico = self.version.filter(|_| self.known.id == "calico");
        let listed = match (policies, calico) {
            (Policies::Plain, _) if self.no_plain => Enforces::No,
            (Policies::Admin, Some(v)) => since(((3, 29)..(3, 32)).contains(&v)),
            (Policies::Cluster, Some(v)) => since((3, 32) <= v),
            _ => listed,
        };
        listed.min(self.enforces)
    }
}

fn since(reached: bool) -> Enforces {
    if reached { Enforces::Yes } else { Enforces::No }
}

impl World {
    /// The network plugin: what the snapshot shows of it, and what the user says. Linear in the
    /// number of pods: ask once.
    #[must_use]
    pub fn network_plugin(&self) -> Plugin {
        let Said { plugin, enforces: said } = self.said;
        let (mut found, mut why) = find::find(self);
        let word = |field: &str, text: &str| Fact {
            object: None,
            field: field.to_owned(),
            text: text.to_owned(),
        };
        if let Some(plugin) = plugin {
            found.retain(|f| f.known.id == plugin.id);
            why = vec![word("--cni", plugin.id)];
            if found.is_empty() {
                found.push(Found::new(plugin, Vec::new()));
            }
        }
        if let Some(said) = said {
            why.insert(0, word("--enforces", said.name()));
            for found in &mut found {
                if said == Enforces::No || found.is_enforcer() {
                    found.enforces = said;
                    found.no_plain &= said != Enforces::Yes;
                }
            }
        }
        // Whoever enforces comes first.
        found.sort_by(|a, b| (b.enforces, a.known.id).cmp(&(a.enforces, b.known.id)));
        let names: Vec<String> = found.iter().map(Found::name).collect();
        let shown = found.iter().map(|f| f.enforces).max().unwrap_or(Enforces::Unknown);
        let of_kind = |kind: Policies| match said {
            Some(Enforces::No) => Enforces::No,
            // Something enforces that is not known, and so its own kinds are not.
            Some(said) if !found.iter().any(Found::is_enforcer) => match kind {
                Policies::Plain => said,
                _ => Enforces::Unknown,
            },
            _ => found.iter().map(|f| f.enforces(kind)).max().unwrap_or(Enforces::Unknown),
        };
        Plugin {
            name: (!names.is_empty()).then(|| listed(&names)),
            enforces: said.unwrap_or(shown),
            kinds: Policies::ALL.iter().map(|kind| (*kind, of_kind(*kind))).collect(),
            blocks_match_pods: agreed(&found),
            blocks_match_nodes: found.iter().any(|f| f.blocks_match_nodes),
            isolates: found.iter().find_map(|f| f.isolates),
            why: why.into_iter().chain(found.into_iter().flat_map(|f| f.why)).collect(),
            said: plugin.is_some() || said.is_some(),
        }
    }
}

/// Whether an `ipBlock` matches pods, if all that may enforce agree.
fn agreed(found: &[Found]) -> Option<bool> {
    let mut said = found.iter().filter(|f| f.enforces != Enforces::No);
    let first = said.next()?.known.blocks_match_pods?;
    said.all(|f| f.known.blocks_match_pods == Some(first)).then_some(first)
}

/// Names in a sentence.
fn listed(names: &[String]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
