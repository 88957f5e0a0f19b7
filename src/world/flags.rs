//! What the API servers were started with, as far as their static pods show it.

use super::pods::Container;
use super::{ObjectId, World};

impl World {
    /// The containers of the API servers' static pods whose command line is known, each with its
    /// pod's object.
    pub fn api_servers(&self) -> impl Iterator<Item = (ObjectId, &Container)> {
        let system = self.symbols.get("kube-system").map_or(0..0, |ns| self.pods_of(ns));
        let pods = self.pods[system].iter().filter(|pod| {
            let component = self.label(pod.object, "component");
            pod.mirror && component.is_some_and(|c| self.text(c) == "kube-apiserver")
        });
        pods.flat_map(|pod| {
            let containers = self.specs.get(pod.spec as usize).map_or(&[][..], |s| &s.containers);
            containers.iter().map(|container| (pod.object, container))
        })
        .filter(|(_, c)| c.command.iter().any(|w| self.text(*w).ends_with("kube-apiserver")))
    }

    /// What a flag of a command line lists: it may be given several times, and with its value
    /// apart. Empty if it is not given.
    #[must_use]
    pub fn listed(&self, container: &Container, flag: &str) -> String {
        let mut lists = Vec::new();
        let mut words = container.command.iter().map(|word| self.text(*word));
        while let Some(word) = words.next() {
            match word.strip_prefix(flag) {
                Some("") => lists.extend(words.next()),
                Some(rest) => lists.extend(rest.strip_prefix('=')),
                None => {}
            }
        }
        lists.join(",")
    }

    /// Whether some API server enforces no Pod Security level: its plugin is taken out.
    pub(super) fn pod_security_is_off(&self) -> bool {
        let off = |container| {
            let list = self.listed(container, "--disable-admission-plugins");
            list.split(',').any(|plugin| plugin.trim() == "PodSecurity")
        };
        self.api_servers().any(|(_, container)| off(container))
    }
}
