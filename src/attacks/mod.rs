//! The catalogue: every way to get from one thing to another, one file a mechanism.
//!
//! An attack is a static with its page in its doc comment, made by [`attack!`](crate::attack), and
//! a family is the list of a file's attacks with the function that finds their edges. Nothing is
//! registered at run time: [`CATALOGUE`] is the whole list, and documentation, `explain` and SARIF
//! rules render from the same statics. Rules read the world and put edges into a sink; they know
//! nothing of queries or output.

mod admission_control;
mod anonymous;
mod api_service_hijack;
mod associated_node;
mod aws_auth;
mod bind;
mod bootstrap_tokens;
mod capabilities;
mod certificates;
mod claims;
mod cloud_identity;
mod cloud_machines;
mod cloud_pods;
mod config_maps;
mod constrained;
mod control_plane;
mod controllers;
mod conversion;
mod created_pods;
mod credentials;
mod custom_resources;
mod custom_templates;
mod dangling;
mod deputies;
mod devices;
mod door_policies;
mod escape;
mod event_listeners;
mod exposed_route;
mod exposure;
mod flaws;
mod flux;
mod free_volumes;
mod gate;
mod gitops;
mod host_paths;
mod hostpath;
mod impersonation;
mod ingress_flaws;
mod ingress_nginx;
mod interfaces;
mod kubelet_api;
mod names;
mod namespace_create;
mod namespace_label;
mod neighbours;
mod node;
mod node_admission;
mod node_certificates;
mod node_logs;
mod node_redirect;
mod nodes_api;
mod open_servers;
mod openshift;
mod operators;
mod outcome;
mod passage;
pub mod peers;
mod platform_operators;
mod pod_accounts;
mod pod_api;
mod pod_bind;
mod pod_update;
mod policies;
mod policies_off;
mod policy_engines;
mod proxy;
mod psa_relax;
mod rancher_projects;
mod rbac;
mod rebind;
mod resolved_paths;
mod role_making;
mod secret_contents;
mod secret_logins;
mod secret_operators;
mod secret_overwrite;
mod secrets;
mod service_hijack;
mod sets;
mod siblings;
mod spec_credentials;
mod storage;
mod store_tokens;
mod structure;
mod together;
mod token_secrets;
mod tokens;
mod webhook_hijack;
mod workload_patch;
mod workloads;

use crate::graph::{Attack, Graph, Sink};
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use cloud_machines::has_metadata;
pub(crate) use gate::TOGETHER;

/// The id of the edges from a set to its members.
pub const SET_MEMBER: &str = "set-member";

/// Declares an attack: the doc comment is its page, the fields are those of [`Attack`].
///
/// ```
/// # use kspm_graph::attack;
/// # use kspm_graph::graph::Odds;
/// attack! {
///     /// Does something.
///     ///
///     /// ## Needs
///     /// A right.
///     pub static EXAMPLE = {
///         id: "example", title: "Do something", mitre: &["T1609"], odds: Odds::certain(0.95),
///     }
/// }
/// assert_eq!(EXAMPLE.summary(), "Does something.");
/// assert_eq!(EXAMPLE.section("Needs").unwrap(), "A right.");
/// ```
#[macro_export]
macro_rules! attack {
    (
        $(#[doc = $doc:literal])+
        $visibility:vis static $name:ident = {
            id: $id:literal, title: $title:literal, mitre: $mitre:expr, odds: $odds:expr
            $(, structure: $structure:literal)? $(, identity: $identity:expr)? $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        $visibility static $name: $crate::graph::Attack = $crate::graph::Attack {
            id: $id,
            title: $title,
            mitre: $mitre,
            odds: $odds,
            structure: false $(|| $structure)?,
            identity: $crate::graph::Identity::Any $(.but($identity))?,
            doc: concat!($($doc, "\n"),+),
            file: file!(),
        };
    };
}

/// A mechanism: its attacks and the walk that finds their edges.
#[derive(Debug)]
pub struct Family {
    /// The letter and name of the catalogue's section.
    pub name: &'static str,
    /// The attacks that `find` may put into the sink.
    pub attacks: &'static [&'static Attack],
    /// Finds every edge of these attacks in a world.
    pub find: fn(&World, &mut Sink<'_>),
}

/// Every mechanism. The order is that of the catalogue, and of the documentation.
pub static CATALOGUE: &[&Family] = &[
    &structure::FAMILY,
    &siblings::FAMILY,
    &pod_api::FAMILY,
    &proxy::FAMILY,
    &workloads::FAMILY,
    &secrets::FAMILY,
    &secret_overwrite::FAMILY,
    &tokens::FAMILY,
    &impersonation::FAMILY,
    &constrained::FAMILY,
    &certificates::FAMILY,
    &node_certificates::FAMILY,
    &rbac::FAMILY,
    &bind::FAMILY,
    &dangling::FAMILY,
    &psa_relax::FAMILY,
    &namespace_create::FAMILY,
    &admission_control::FAMILY,
    &policies_off::FAMILY,
    &api_service_hijack::FAMILY,
    &conversion::FAMILY,
    &node::FAMILY,
    &node_admission::FAMILY,
    &control_plane::FAMILY,
    &escape::FAMILY,
    &devices::FAMILY,
    &hostpath::FAMILY,
    &storage::FAMILY,
    &claims::FAMILY,
    &rebind::FAMILY,
    &free_volumes::FAMILY,
    &exposure::FAMILY,
    &neighbours::FAMILY,
    &open_servers::FAMILY,
    &anonymous::FAMILY,
    &nodes_api::FAMILY,
    &kubelet_api::FAMILY,
    &pod_bind::FAMILY,
    &node_redirect::FAMILY,
    &cloud_identity::FAMILY,
    &cloud_machines::FAMILY,
    &config_maps::FAMILY,
    &secret_contents::FAMILY,
    &store_tokens::FAMILY,
    &spec_credentials::FAMILY,
    &aws_auth::FAMILY,
    &flaws::FAMILY,
    &custom_resources::FAMILY,
    &openshift::FAMILY,
    &ingress_nginx::FAMILY,
    &webhook_hijack::FAMILY,
    &namespace_label::FAMILY,
    &gitops::FAMILY,
    &flux::FAMILY,
    &policy_engines::FAMILY,
    &secret_operators::FAMILY,
    &platform_operators::FAMILY,
    &event_listeners::FAMILY,
];

/// Every attack, sorted by id.
#[must_use]
pub fn attacks() -> Vec<&'static Attack> {
    let families = CATALOGUE.iter().flat_map(|f| f.attacks.iter().copied());
    let mut attacks: Vec<_> = families.chain([&sets::SET_MEMBER]).collect();
    attacks.sort_unstable_by_key(|a| a.id);
    attacks
}

/// The attack with an id.
#[must_use]
pub fn attack(id: &str) -> Option<&'static Attack> {
    attacks().into_iter().find(|a| a.id == id)
}

/// The attacks of each technique, by its id.
#[must_use]
pub fn by_technique() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for attack in attacks() {
        for id in attack.mitre {
            found.entry(*id).or_default().push(attack.id);
        }
    }
    found
}

/// Derives the attack graph of a world.
#[must_use]
pub fn derive(world: Arc<World>) -> Graph {
    let find = |family: &&Family, world: &World, sink: &mut Sink<'_>| (family.find)(world, sink);
    let mut graph = Graph::freeze(world, attacks(), CATALOGUE, find, sets::members);
    names::name_sets(&mut graph);
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTIONS: &[&str] = &["Needs", "Abuse", "Stopped by", "Fix", "Detect", "References"];

    #[test]
    fn ids_are_unique_and_in_kebab_case() {
        let attacks = attacks();
        for pair in attacks.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} twice", pair[0].id);
        }
        for attack in attacks {
            assert!(
                attack.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{}",
                attack.id
            );
        }
    }

    #[test]
    fn every_page_has_its_sections() {
        for attack in attacks() {
            assert!(!attack.summary().is_empty(), "{} has no summary", attack.id);
            let sections: &[&str] =
                if attack.structure { &["Needs", "Fix", "References"] } else { SECTIONS };
            for section in sections {
                let text = attack.section(section).unwrap_or_default();
                assert!(!text.is_empty(), "{} lacks {section}", attack.id);
            }
        }
    }

    #[test]
    fn techniques_are_well_formed() {
        for attack in attacks() {
            assert!(attack.structure || !attack.mitre.is_empty(), "{} has no technique", attack.id);
            for id in attack.mitre {
                let digits = id.strip_prefix("MS-TA").or_else(|| id.strip_prefix('T'));
                let well = digits.is_some_and(|d| {
                    d.split('.')
                        .all(|part| part.len() >= 3 && part.bytes().all(|b| b.is_ascii_digit()))
                });
                assert!(well, "{}: {id}", attack.id);
            }
        }
    }

    #[test]
    fn network_ids_are_for_network_steps_alone() {
        for attack in attacks() {
            let network = attack.id.starts_with("network-") || attack.id.starts_with("exposed-");
            let here = ["exposure.rs", "exposed_route.rs"].iter().any(|f| attack.file.ends_with(f));
            assert_eq!(network, here && network, "{}", attack.id);
        }
    }
}
