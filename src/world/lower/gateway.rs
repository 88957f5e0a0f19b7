//! Gateway API: defaults filled in, and references to anything but Services and Gateways dropped.

use super::{number, place};
use crate::input::Origin;
use crate::k8s::gateway::{
    AllowedRoutes, BackendRef as Reference, GatewayClass, GatewaySpec, GatewayStatus, GrantSpec,
    Listener as ListenerSpec, ListenerStatus, ParentReference, RouteFilter, RouteSpec, RouteStatus,
};
use crate::k8s::workload::Condition;
use crate::k8s::{Body, Kind, Meta};
use crate::sym::Sym;
use crate::world::gateway::{
    Answer, BackendRef, GatewayClassRow, GatewayRow, Listener, Namespaces, Parent, ParentAnswer,
    ReferenceGrantRow, RouteRow,
};
use crate::world::rows::Part;

/// The API group, which references without one mean.
const GROUP: &str = "gateway.networking.k8s.io";

/// What a status says of a condition. The API server fills in `Unknown` for a controller that has
/// not looked yet.
pub(super) fn answer(conditions: &[Condition<'_>], kind: &str) -> Answer {
    let (at, condition) = conditions.iter().enumerate().find(|(_, c)| &*c.kind == kind)?;
    match &*condition.status {
        "True" => Some((true, place(at))),
        "False" => Some((false, place(at))),
        _ => None,
    }
}

/// Whether a reference's group is Gateway API's own, as it is by default.
fn is_own(group: Option<&crate::k8s::scalar::Str<'_>>) -> bool {
    group.is_none_or(|group| &**group == GROUP)
}

impl Part {
    pub(super) fn lower_gateway(
        &mut self,
        kind: Kind,
        meta: &Meta<'_>,
        body: Body<'_>,
        origin: Origin,
    ) {
        match (kind, body) {
            (Kind::GatewayClass, body) => {
                let class = match body {
                    Body::GatewayClass(class) => class,
                    _ => GatewayClass::default(),
                };
                let body = GatewayClassRow {
                    kind: self.sym(kind.name()),
                    controller: self.sym(&class.spec.controller_name),
                    accepted: answer(&class.status.conditions, "Accepted"),
                };
                let row = self.row(kind, meta, origin, body);
                self.gateway_classes.push(row);
            }
            (Kind::Gateway | Kind::ListenerSet, Body::Gateway(spec, status)) => {
                let body = self.gateway(kind, meta, &spec, &status);
                let row = self.row(kind, meta, origin, body);
                self.gateways.push(row);
            }
            (Kind::ReferenceGrant, Body::ReferenceGrant(spec)) => {
                if let Some(body) = self.reference_grant(&spec) {
                    let row = self.row(kind, meta, origin, body);
                    self.reference_grants.push(row);
                }
            }
            (kind, Body::Route(spec, status)) => {
                let body = self.route(kind, meta, &spec, &status);
                let row = self.row(kind, meta, origin, body);
                self.routes.push(row);
            }
            _ => {}
        }
    }

    /// The namespace that a reference means.
    pub(super) fn or_own(&mut self, named: &str, meta: &Meta<'_>) -> Sym {
        match (named, &*meta.namespace) {
            ("", "") => self.sym("default"),
            ("", own) => self.sym(own),
            (named, _) => self.sym(named),
        }
    }

    fn gateway(
        &mut self,
        kind: Kind,
        meta: &Meta<'_>,
        spec: &GatewaySpec<'_>,
        status: &GatewayStatus<'_>,
    ) -> GatewayRow {
        let listeners = spec.listeners.iter().map(|l| self.listener(l, &status.listeners));
        let listeners = listeners.collect();
        let annotations = spec.infrastructure.iter().flat_map(|i| i.annotations.0.iter());
        let annotations: Vec<(&str, &str)> = annotations.map(|(k, v)| (&**k, &**v)).collect();
        let at = ".spec.infrastructure.annotations";
        let scheme = crate::world::balancer::wanted(&annotations, "", at);
        let parent = spec.parent_ref.as_ref();
        let parent = parent.filter(|p| {
            is_own(p.group.as_ref()) && matches!(&*p.kind, "" | "Gateway") && !p.name.is_empty()
        });
        GatewayRow {
            kind: self.sym(kind.name()),
            class: self.sym(&spec.gateway_class_name),
            parent: parent.map(|p| (self.or_own(&p.namespace, meta), self.sym(&p.name))),
            listeners,
            sets: self.namespaces(spec.allowed_listeners.as_ref(), "None"),
            addresses: status.addresses.iter().map(|a| self.sym(&a.value)).collect(),
            wanted: spec.addresses.iter().map(|a| self.sym(&a.value)).collect(),
            scheme: scheme.map(|(field, value, is)| (self.sym(&field), self.sym(value), is)),
            accepted: answer(&status.conditions, "Accepted"),
            programmed: answer(&status.conditions, "Programmed"),
        }
    }

    fn listener(&mut self, spec: &ListenerSpec<'_>, statuses: &[ListenerStatus<'_>]) -> Listener {
        let status = statuses.iter().enumerate().find(|(_, s)| *s.name == *spec.name);
        let said = |kind| status.and_then(|(_, s)| answer(&s.conditions, kind));
        let kinds = spec.allowed_routes.as_ref().map_or(&[][..], |allowed| &allowed.kinds);
        Listener {
            name: self.sym(&spec.name),
            hostname: self.sym(&spec.hostname),
            port: number(spec.port),
            protocol: self.sym(&spec.protocol),
            passthrough: spec.tls.as_ref().is_some_and(|tls| &*tls.mode == "Passthrough"),
            namespaces: self.namespaces(spec.allowed_routes.as_ref(), "Same"),
            kinds: (!kinds.is_empty()).then(|| {
                let own = kinds.iter().filter(|k| is_own(k.group.as_ref()));
                own.map(|k| self.sym(&k.kind)).collect()
            }),
            answered: place(status.map_or(0, |(at, _)| at)),
            accepted: said("Accepted"),
            programmed: said("Programmed"),
        }
    }

    fn namespaces(&mut self, allowed: Option<&AllowedRoutes<'_>>, default: &str) -> Namespaces {
        let namespaces = allowed.and_then(|a| a.namespaces.as_ref());
        let from = namespaces.map(|n| &*n.from).filter(|from| !from.is_empty());
        match from.unwrap_or(default) {
            "All" => Namespaces::All,
            "Same" => Namespaces::Same,
            "Selector" => match namespaces.and_then(|n| n.selector.as_ref()) {
                Some(selector) => Namespaces::Selector(self.selector(selector)),
                None => Namespaces::None,
            },
            _ => Namespaces::None,
        }
    }

    /// A parent, if it is a Gateway or a ListenerSet: a Service among them belongs to a mesh, which
    /// nothing outside is in.
    fn parent(&mut self, at: usize, spec: &ParentReference<'_>, meta: &Meta<'_>) -> Option<Parent> {
        let kind = match &*spec.kind {
            "" | "Gateway" => Kind::Gateway,
            "ListenerSet" => Kind::ListenerSet,
            _ => return None,
        };
        if !is_own(spec.group.as_ref()) || spec.name.is_empty() {
            return None;
        }
        Some(Parent {
            place: place(at),
            kind: self.sym(kind.name()),
            ns: self.or_own(&spec.namespace, meta),
            name: self.sym(&spec.name),
            section: self.sym(&spec.section_name),
            port: number(spec.port),
        })
    }

    fn route(
        &mut self,
        kind: Kind,
        meta: &Meta<'_>,
        spec: &RouteSpec<'_>,
        status: &RouteStatus<'_>,
    ) -> RouteRow {
        let (mut backends, mut others) = (Vec::new(), false);
        for (r, rule) in spec.rules.iter().enumerate() {
            let rule_field = format!(".spec.rules[{r}]");
            for (b, backend) in rule.backend_refs.iter().enumerate() {
                // A backend of this weight gets nothing, nor do its filters.
                if backend.weight.0 == Some(0) {
                    others = true;
                    continue;
                }
                let field = format!("{rule_field}.backendRefs[{b}]");
                self.mirrors(&field, &backend.filters, meta, &mut backends);
                let own = self.backend(&field, backend, meta);
                others |= own.is_none();
                backends.extend(own);
            }
            self.mirrors(&rule_field, &rule.filters, meta, &mut backends);
        }
        let parents = spec.parent_refs.iter().enumerate();
        let parents = parents.filter_map(|(at, p)| self.parent(at, p, meta)).collect();
        let answers = status.parents.iter().enumerate().filter_map(|(at, said)| {
            Some(ParentAnswer {
                parent: self.parent(at, said.parent_ref.as_ref()?, meta)?,
                controller: self.sym(&said.controller_name),
                accepted: answer(&said.conditions, "Accepted"),
                resolved: answer(&said.conditions, "ResolvedRefs"),
            })
        });
        let answers = answers.collect();
        RouteRow {
            kind: self.sym(kind.name()),
            parents,
            hostnames: self.syms(&spec.hostnames),
            backends: backends.into(),
            others,
            answers,
        }
    }

    /// The backends that get copies of requests.
    fn mirrors(
        &mut self,
        field: &str,
        filters: &[RouteFilter<'_>],
        meta: &Meta<'_>,
        backends: &mut Vec<BackendRef>,
    ) {
        for (f, filter) in filters.iter().enumerate() {
            let Some(mirror) = &filter.request_mirror else { continue };
            if mirror.percent.0 != Some(0)
                && let Some(backend) = &mirror.backend_ref
            {
                let field = format!("{field}.filters[{f}].requestMirror.backendRef");
                backends.extend(self.backend(&field, backend, meta));
            }
        }
    }

    /// A backend, if it is a Service; one without a port is refused by every implementation.
    fn backend(
        &mut self,
        field: &str,
        spec: &Reference<'_>,
        meta: &Meta<'_>,
    ) -> Option<BackendRef> {
        let port = number(spec.port);
        if !spec.group.is_empty() || !matches!(&*spec.kind, "" | "Service") || port == 0 {
            return None;
        }
        Some(BackendRef {
            field: self.sym(field),
            ns: self.or_own(&spec.namespace, meta),
            service: self.sym(&spec.name),
            port,
        })
    }

    /// What a grant says about routes and Services; `None` if it speaks of other things.
    fn reference_grant(&mut self, spec: &GrantSpec<'_>) -> Option<ReferenceGrantRow> {
        let of_services =
            || spec.to.iter().filter(|to| to.group.is_empty() && &*to.kind == "Service");
        of_services().next()?;
        let services = if of_services().any(|to| to.name.is_empty()) {
            Box::default()
        } else {
            of_services().map(|to| self.sym(&to.name)).collect()
        };
        let from = spec.from.iter().enumerate().filter(|(_, from)| &*from.group == GROUP);
        let from =
            from.map(|(at, from)| (self.sym(&from.kind), self.sym(&from.namespace), place(at)));
        let from = from.collect();
        Some(ReferenceGrantRow { kind: self.sym(Kind::ReferenceGrant.name()), from, services })
    }
}
