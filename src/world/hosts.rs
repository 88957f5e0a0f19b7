//! What runs: pods, and templates of workloads that the snapshot shows no pod of.

use super::pods::Container;
use super::rows::{ServicePort, Target};
use super::{AccountIx, NodeIx, ObjectId, PodIx, WorkloadIx, World};
use crate::sym::Sym;

/// Something that runs: a pod, or the template of a workload of which the snapshot has no pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    Pod(PodIx),
    Template(WorkloadIx),
}

/// What tells pods apart as far as their credentials go: the namespace, the specification, the
/// account, and whether the API server has served the pod. A template stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Pods(Sym, u32, Option<AccountIx>, bool),
    Template(WorkloadIx),
}

impl World {
    /// Whether a pod's processes can be taken over: it has not ended, and it has been placed.
    #[must_use]
    pub fn is_running(&self, ix: PodIx) -> bool {
        use super::rows::Phase;
        let pod = &self.pods[ix.index()];
        match pod.phase {
            Phase::Running | Phase::Unknown => true,
            Phase::Finished => false,
            Phase::Pending => self.is_placed(ix),
        }
    }

    /// Whether there is a process of a container of what runs to be taken over: it keeps running and
    /// has not ended, or the pod's init containers are still at work.
    #[must_use]
    pub fn is_enterable(&self, host: Host, container: &Container) -> bool {
        use super::rows::Phase;
        let Host::Pod(pod) = host else { return container.keeps_running() };
        let pod = &self.pods[pod.index()];
        !pod.states.has_ended(container)
            && (container.keeps_running() || pod.phase == Phase::Pending)
    }

    /// Whether a container of what runs goes on running: it is no init container that ends, and it
    /// has not ended.
    #[must_use]
    pub fn keeps_running(&self, host: Host, container: &Container) -> bool {
        container.keeps_running() && self.is_enterable(host, container)
    }

    /// Whether the snapshot shows on which node a pod is.
    #[must_use]
    pub fn is_placed(&self, pod: PodIx) -> bool {
        self.text(self.nodes[self.pods[pod.index()].node.index()].name) != super::UNKNOWN_NODE
    }

    /// Whether a workload is analysed as if one pod of its template ran: it is a top owner that
    /// the snapshot shows no pod of, and it is not scaled to zero or over.
    #[must_use]
    pub fn is_template(&self, workload: WorkloadIx) -> bool {
        let w = &self.workloads[workload.index()];
        w.top == workload && w.pods == 0 && !w.idle && w.spec.is_some()
    }

    /// Everything that runs, pods first.
    pub fn hosts(&self) -> impl Iterator<Item = Host> + '_ {
        let pods = (0..self.pods.len()).map(PodIx::new).filter(|p| self.is_running(*p));
        let templates =
            (0..self.workloads.len()).map(WorkloadIx::new).filter(|w| self.is_template(*w));
        pods.map(Host::Pod).chain(templates.map(Host::Template))
    }

    /// The specification of what runs.
    #[must_use]
    pub fn host_spec(&self, host: Host) -> &super::pods::PodSpec {
        let spec = match host {
            Host::Pod(pod) => self.pods[pod.index()].spec,
            Host::Template(workload) => self.workloads[workload.index()].spec.unwrap_or(0),
        };
        &self.specs[spec as usize]
    }

    /// What decides where the fields of a specification stand: its number, and the kind of the
    /// workload whose template it is, if it is no pod's. What has one shape says the same by the
    /// same fields.
    #[must_use]
    pub fn host_shape(&self, host: Host) -> (u32, Sym) {
        match host {
            Host::Pod(pod) => (self.pods[pod.index()].spec, Sym::EMPTY),
            Host::Template(workload) => {
                let workload = &self.workloads[workload.index()];
                (workload.spec.unwrap_or(0), workload.kind)
            }
        }
    }

    /// Object and namespace of what runs.
    #[must_use]
    pub fn host_object(&self, host: Host) -> (ObjectId, Sym) {
        match host {
            Host::Pod(pod) => (self.pods[pod.index()].object, self.pods[pod.index()].ns),
            Host::Template(workload) => {
                let workload = &self.workloads[workload.index()];
                (workload.object, workload.ns)
            }
        }
    }

    /// The service account of what runs.
    #[must_use]
    pub fn host_account(&self, host: Host) -> Option<AccountIx> {
        match host {
            Host::Pod(pod) => self.pods[pod.index()].account,
            Host::Template(workload) => self.workloads[workload.index()].account,
        }
    }

    /// Whether what runs shows what admission has added to it: the API server has served the pod.
    #[must_use]
    pub fn is_served(&self, host: Host) -> bool {
        matches!(host, Host::Pod(pod) if self.pods[pod.index()].live)
    }

    /// What decides which accounts and Secrets a pod's fields mean. Pods of one unit hold the same.
    #[must_use]
    pub fn host_unit(&self, host: Host) -> Unit {
        match host {
            Host::Pod(ix) => {
                let pod = &self.pods[ix.index()];
                Unit::Pods(pod.ns, pod.spec, pod.account, pod.live)
            }
            Host::Template(workload) => Unit::Template(workload),
        }
    }

    /// Where in the object a field of the pod's specification stands.
    #[must_use]
    pub fn host_field(&self, host: Host, field: &str) -> String {
        match host {
            Host::Pod(_) => field.to_owned(),
            Host::Template(workload) => {
                let kind = self.text(self.workloads[workload.index()].kind);
                let template = if kind == "CronJob" {
                    ".spec.jobTemplate.spec.template"
                } else {
                    ".spec.template"
                };
                format!("{template}{field}")
            }
        }
    }

    /// The node of what runs; a template's is unknown.
    #[must_use]
    pub fn host_node(&self, host: Host) -> Option<NodeIx> {
        match host {
            Host::Pod(pod) => Some(self.pods[pod.index()].node),
            Host::Template(_) => self.node(self.symbols.get(super::UNKNOWN_NODE)?),
        }
    }
}

/// The containers that may listen on a port, of those that run, and whether one declares it. `None`:
/// the port is a name that no container has for this protocol, so the pod is no endpoint of it.
pub(super) fn listeners(
    containers: &[Container],
    port: &ServicePort,
    runs: impl Fn(&Container) -> bool,
) -> Option<(Vec<usize>, bool)> {
    let declares = |c: &Container| c.ports.iter().any(|own| port.means(own));
    let running = || containers.iter().enumerate().filter(|(_, c)| runs(c));
    let declared: Vec<usize> = running().filter(|(_, c)| declares(c)).map(|(i, _)| i).collect();
    if !declared.is_empty() {
        return Some((declared, true));
    }
    match port.target {
        Target::Name(_) => None,
        Target::Number(_) => Some((running().map(|(i, _)| i).collect(), false)),
    }
}
