//! Networks beside the cluster's own: policies of Kubernetes are not about them.

use crate::world::{PodIx, World};
use std::collections::BTreeSet;

impl World {
    /// How many pods that run are on networks besides the cluster's, and which these are.
    /// O(pods).
    #[must_use]
    pub fn further_networks(&self) -> (u64, BTreeSet<&str>) {
        let mut found = (0, BTreeSet::new());
        for (i, pod) in self.pods.iter().enumerate() {
            let Some(spec) = self.specs.get(pod.spec as usize) else { continue };
            if !spec.networks.is_empty() && self.is_running(PodIx::new(i)) {
                found.0 += 1;
                found.1.extend(spec.networks.iter().map(|network| self.text(*network)));
            }
        }
        found
    }
}
