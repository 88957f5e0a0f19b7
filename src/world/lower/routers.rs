//! Routes of OpenShift.

use super::gateway::answer;
use super::place;
use crate::k8s::Kind;
use crate::k8s::openshift::{OpenShiftRouteSpec, OpenShiftRouteStatus};
use crate::world::routers::{RouterAnswer, RouterRouteRow};
use crate::world::rows::Part;

impl Part {
    pub(super) fn router_route(
        &mut self,
        spec: &OpenShiftRouteSpec<'_>,
        status: &OpenShiftRouteStatus<'_>,
    ) -> RouterRouteRow {
        let mut backends = Vec::new();
        let others = spec.alternate_backends.iter().enumerate();
        let others = others.map(|(i, to)| (format!(".spec.alternateBackends[{i}]"), to));
        for (field, to) in spec.to.iter().map(|to| (".spec.to".to_owned(), to)).chain(others) {
            // A backend of weight 0 gets nothing.
            let is_service = matches!(&*to.kind, "" | "Service") && !to.name.is_empty();
            if is_service && to.weight.0 != Some(0) {
                backends.push((self.sym(&field), self.sym(&to.name)));
            }
        }
        let port = spec.port.as_ref().and_then(|port| port.target_port.as_ref());
        let answers = status.ingress.iter().enumerate().map(|(at, said)| RouterAnswer {
            router: self.sym(&said.router_name),
            place: place(at),
            admitted: answer(&said.conditions, "Admitted"),
        });
        RouterRouteRow {
            answers: answers.collect(),
            kind: self.sym(Kind::Route.name()),
            backends: backends.into(),
            port: port.map(|port| self.target(Some(port), 0)),
        }
    }
}
