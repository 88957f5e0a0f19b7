//! Tekton Triggers: an EventListener makes whatever its template says, as an account that its writer
//! names.

use super::Family;
use super::controllers::Controller;
use super::deputies::{Deputy, Steer, To, walk};
use super::gitops::everywhere;
use crate::graph::{Odds, SetKind, Sink};
use crate::world::World;

crate::attack! {
    /// Has Tekton Triggers make objects as any service account of the namespace.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `eventlisteners` of `triggers.tekton.dev` with the
    /// controller of Tekton Triggers running. The listener names its account, and its trigger may
    /// hold the whole template; no right on the account is asked for.
    /// ## Abuse
    /// An EventListener with `spec.serviceAccountName: ACCOUNT` and a trigger whose
    /// `template.spec.resourcetemplates` hold a RoleBinding, a Job or whatever the account may
    /// create; then `curl -X POST http://el-NAME.NAMESPACE:8080 -d '{}'`.
    /// ## Stopped by
    /// The listener creates and does no more: an account that only reads gives nothing this way.
    /// The account must be able to read the objects of Tekton Triggers, or the listener does not
    /// start. An admission policy on the account's name.
    /// ## Fix
    /// Leave writes on `eventlisteners` to whoever may create pods in the namespace anyway, and keep
    /// accounts with more rights out of it.
    /// ## Detect
    /// Audit events that write `eventlisteners` with another `serviceAccountName` than usual;
    /// objects labelled `triggers.tekton.dev/eventlistener`.
    /// ## References
    /// - <https://tekton.dev/docs/triggers/eventlisteners/#specifying-the-kubernetes-service-account>
    /// - tektoncd/triggers `pkg/resources/create.go`
    pub(super) static TEKTON_EVENT_LISTENER = {
        id: "tekton-event-listener", title: "Have Tekton make objects on an event",
        mitre: &["T1078", "T1098"], odds: Odds::likely(0.5),
    }
}

/// Listeners for events.
pub(super) static FAMILY: Family =
    Family { name: "R Third-party controllers: events", attacks: &[&TEKTON_EVENT_LISTENER], find };

static TRIGGERS: Controller = Controller {
    images: &["tektoncd/triggers/cmd/controller", "tektoncd/triggers/controller-"],
    parts: &[],
    labels: &[],
};

pub(super) static ROWS: &[Deputy] = &[Deputy {
    attack: &TEKTON_EVENT_LISTENER,
    controller: &TRIGGERS,
    beside: None,
    steers: &[Steer::on("triggers.tekton.dev", &["eventlisteners"], TEKTON_EVENT_LISTENER.odds)],
    judge: everywhere,
    to: To::Accounts,
    set: SetKind { id: "event-listeners", noun: "listeners as accounts" },
    wide: SetKind { id: "event-listeners-all", noun: "listeners as accounts of all namespaces" },
}];

fn find(world: &World, sink: &mut Sink<'_>) {
    walk(world, sink, ROWS);
}
