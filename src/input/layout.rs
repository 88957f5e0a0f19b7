//! What the name of a file says about the objects in it.
//!
//! Dumps written by Go programs often leave `kind` out of items, and then only the path tells it.
//! The layouts of KubeHound, `kubectl cluster-info dump`, support bundles, Sonobuoy, must-gather,
//! Velero and Insights all put the resource's name into the file's name or into a folder above
//! it, so one rule reads them all; [`ALIASES`] holds the names that are not the API's own.

use crate::k8s::Kind;

/// Names that tools use in place of the API's plural.
const ALIASES: &[(&str, Kind)] = &[
    ("clusterrolebindings", Kind::ClusterRoleBinding),
    ("ingress", Kind::Ingress),
    ("networkpolicy", Kind::NetworkPolicy),
    ("persistentvolumeclaim", Kind::PersistentVolumeClaim),
    ("pvcs", Kind::PersistentVolumeClaim),
    ("pvc", Kind::PersistentVolumeClaim),
    ("pvs", Kind::PersistentVolume),
    ("pv", Kind::PersistentVolume),
];

/// Endings that say how a file is written, not what is in it.
const ENDINGS: &[&str] = &[".gz", ".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".txt"];

/// What a word of a path says.
enum Word {
    /// Objects of this kind.
    Kind(Kind),
    /// A resource of a group that the tool does not read: look no further.
    Foreign,
    /// Nothing.
    Silent,
}

/// The kind of the items in a file that bear none, from its path (within an archive, too).
pub(super) fn kind_of_path(path: &str) -> Option<Kind> {
    let path = path.rsplit_once(".tar.gz:").map_or(path, |(_, inner)| inner).replace('\\', "/");
    let mut words = path.rsplit('/');
    let mut stem = words.next().unwrap_or("");
    while let Some(cut) = ENDINGS.iter().find_map(|ending| strip(stem, ending)) {
        stem = cut;
    }
    match resource(stem) {
        Word::Kind(kind) => return Some(kind),
        Word::Foreign => return None,
        Word::Silent => {}
    }
    let mut below = stem;
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        // In `namespaces/shop/...` the folder names the place, not the kind.
        let place = word.eq_ignore_ascii_case("namespaces") && below != "cluster";
        // Insights names folders by the kind: `config/pod/shop/web-0.json`.
        let singular = words.peek().is_some_and(|above| *above == "config");
        match resource(word) {
            _ if place => {}
            Word::Kind(kind) => return Some(kind),
            Word::Foreign => return None,
            Word::Silent if singular => {
                return Kind::served().find(|kind| kind.name().eq_ignore_ascii_case(word));
            }
            Word::Silent => {}
        }
        below = word;
    }
    None
}

/// The kind that a key or a file's stem names, as in `{"pods": [...]}`.
pub(super) fn kind_of_word(word: &str) -> Option<Kind> {
    match resource(word) {
        Word::Kind(kind) => Some(kind),
        Word::Foreign | Word::Silent => None,
    }
}

fn resource(word: &str) -> Word {
    // Sonobuoy: `core_v1_pods`, `rbac.authorization.k8s.io_v1_roles`.
    let mut parts = word.splitn(3, '_');
    if let (Some(group), Some(version), Some(plural)) = (parts.next(), parts.next(), parts.next())
        && version.starts_with('v')
    {
        let full = if group == "core" { plural.to_owned() } else { format!("{plural}.{group}") };
        return Kind::of_resource(&full).map_or(Word::Foreign, Word::Kind);
    }
    if let Some(kind) = Kind::of_resource(word) {
        return Word::Kind(kind);
    }
    if let Some((plural, _)) = word.split_once('.')
        && Kind::of_resource(plural).is_some()
    {
        return Word::Foreign;
    }
    let plain: String = word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).collect();
    let plain = plain.to_ascii_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == plain).map(|(_, kind)| *kind);
    alias.or_else(|| Kind::of_resource(&plain)).map_or(Word::Silent, Word::Kind)
}

fn strip<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    let cut = name.len().checked_sub(ending.len()).filter(|cut| *cut > 0)?;
    let (stem, tail) = name.split_at_checked(cut)?;
    tail.eq_ignore_ascii_case(ending).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_names_its_kinds() {
        for (path, kind) in [
            ("dump/shop/pods.json", Some(Kind::Pod)),
            ("Pods.json", Some(Kind::Pod)),
            ("clusterRoleBindings.json", Some(Kind::ClusterRoleBinding)),
            ("x/clusterroles.rbac.authorization.k8s.io.json", Some(Kind::ClusterRole)),
            ("k.tar.gz:shop/roles.rbac.authorization.k8s.io.json", Some(Kind::Role)),
            ("b/cluster-resources/pods/kube-system.json", Some(Kind::Pod)),
            ("b/cluster-resources/ingress/default.json", Some(Kind::Ingress)),
            ("b/cluster-resources/network-policy/default.json", Some(Kind::NetworkPolicy)),
            ("b/cluster-resources/pvcs/default.json", Some(Kind::PersistentVolumeClaim)),
            ("b/cluster-resources/pvs.json", Some(Kind::PersistentVolume)),
            ("b/cluster-resources/auth-cani-list/default.json", None),
            ("b/cluster-resources/custom-resources/nodes.longhorn.io/default.yaml", None),
            ("resources/cluster/core_v1_nodes.json", Some(Kind::Node)),
            ("resources/ns/a/rbac.authorization.k8s.io_v1_roles.json", Some(Kind::Role)),
            ("resources/ns/a/metrics.k8s.io_v1_pods.json", None),
            ("namespaces/shop/core/pods.yaml", Some(Kind::Pod)),
            ("namespaces/shop/shop.yaml", None),
            ("cluster-scoped-resources/core/nodes/a.yaml", Some(Kind::Node)),
            ("resources/deployments.apps/namespaces/shop/web.json", Some(Kind::Deployment)),
            ("resources/namespaces/cluster/shop.json", Some(Kind::Namespace)),
            ("config/pod/shop/web-0.json", Some(Kind::Pod)),
            ("config/node/a.json", Some(Kind::Node)),
            ("pods.json.gz", Some(Kind::Pod)),
            ("metadata.json", None),
            ("all.json", None),
        ] {
            assert_eq!(kind_of_path(path), kind, "{path}");
        }
    }
}
