//! Command lines: what the API servers' static pods, and the controllers that rules know, were
//! started with.

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

    /// The values of a flag of a command line, in order: of `--flag=value`, of `--flag value`, and
    /// the empty text where the flag stands alone.
    pub fn flags<'w>(
        &'w self,
        container: &'w Container,
        flag: &str,
    ) -> impl Iterator<Item = &'w str> {
        let mut words = container.command.iter().map(|word| self.text(*word)).peekable();
        std::iter::from_fn(move || {
            loop {
                let rest = words.next()?.strip_prefix(flag);
                if rest == Some("") {
                    return Some(words.next_if(|next| !next.starts_with('-')).unwrap_or(""));
                }
                if let Some(value) = rest.and_then(|rest| rest.strip_prefix('=')) {
                    return Some(value);
                }
            }
        })
    }

    /// What a flag lists, which may be given several times. Empty if it is not given.
    #[must_use]
    pub fn listed(&self, container: &Container, flag: &str) -> String {
        self.flags(container, flag).collect::<Vec<_>>().join(",")
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
