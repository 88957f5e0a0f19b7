//! Gateway API: Gateways with their listeners, the routes that attach to them, and the grants that
//! let a route lead into another namespace. `attach` says which routes a listener takes, `doors`
//! what that exposes.

mod address;
mod attach;
mod doors;

pub(super) use address::Fronts;
pub(super) use attach::{condition, meet};

use super::ObjectId;
use super::balancer::Wanted;
use super::objects::Objects;
use super::remap::{Map, Remap};
use super::rows::{Row, Selector};
use crate::sym::Sym;

crate::index! { /// A route of any kind.
RouteIx }

/// A condition of a status: whether it is true, and its place. `None` where the status does not
/// say, or says that nobody has looked yet.
pub type Answer = Option<(bool, u16)>;

/// What a GatewayClass says.
#[derive(Debug, Clone)]
pub struct GatewayClassRow {
    pub kind: Sym,
    pub controller: Sym,
    pub accepted: Answer,
}

/// What a Gateway or a ListenerSet says.
#[derive(Debug, Clone)]
pub struct GatewayRow {
    pub kind: Sym,
    pub class: Sym,
    /// Of a ListenerSet: namespace and name of the Gateway that it adds listeners to.
    pub parent: Option<(Sym, Sym)>,
    pub listeners: Box<[Listener]>,
    /// From where ListenerSets may add listeners.
    pub sets: Namespaces,
    /// `status.addresses`.
    pub addresses: Box<[Sym]>,
    /// `spec.addresses`.
    pub wanted: Box<[Sym]>,
    /// The annotation that makes its balancer internal, or internet-facing: the field, its value.
    pub scheme: Option<(Sym, Sym, Wanted)>,
    pub accepted: Answer,
    pub programmed: Answer,
}

/// One listener, with what the status says of it.
#[derive(Debug, Clone)]
pub struct Listener {
    pub name: Sym,
    pub hostname: Sym,
    pub port: u16,
    pub protocol: Sym,
    pub passthrough: bool,
    pub namespaces: Namespaces,
    /// The kinds of routes that it names; `None` where it names none.
    pub kinds: Option<Box<[Sym]>>,
    /// Its place in `status.listeners`.
    pub answered: u16,
    pub accepted: Answer,
    pub programmed: Answer,
}

/// From which namespaces something may attach.
#[derive(Debug, Clone)]
pub enum Namespaces {
    None,
    Same,
    All,
    Selector(Selector),
}

/// What a route says.
#[derive(Debug, Clone)]
pub struct RouteRow {
    pub kind: Sym,
    pub parents: Box<[Parent]>,
    pub hostnames: Box<[Sym]>,
    pub backends: Box<[BackendRef]>,
    /// It names backends too that are not among them: of other kinds, or without weight.
    pub others: bool,
    pub answers: Box<[ParentAnswer]>,
}

/// The Gateway or ListenerSet that a route asks to attach to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// Its place in `spec.parentRefs` or `status.parents`.
    pub place: u16,
    pub kind: Sym,
    pub ns: Sym,
    pub name: Sym,
    /// The listener's name; empty for any.
    pub section: Sym,
    /// The listener's port; 0 for any.
    pub port: u16,
}

/// What an implementation says of a route at a parent.
#[derive(Debug, Clone)]
pub struct ParentAnswer {
    pub parent: Parent,
    pub controller: Sym,
    pub accepted: Answer,
    pub resolved: Answer,
}

/// A Service that a route sends requests to.
#[derive(Debug, Clone)]
pub struct BackendRef {
    /// The field in the route.
    pub field: Sym,
    pub ns: Sym,
    pub service: Sym,
    pub port: u16,
}

/// What a ReferenceGrant says about Services.
#[derive(Debug, Clone)]
pub struct ReferenceGrantRow {
    pub kind: Sym,
    /// Kind and namespace of the routes that may refer, with the place in `from`.
    pub from: Box<[(Sym, Sym, u16)]>,
    /// The Services that they may refer to; empty for all.
    pub services: Box<[Sym]>,
}

/// An object and what it says.
#[derive(Debug)]
pub struct Item<T> {
    pub object: ObjectId,
    pub ns: Sym,
    pub name: Sym,
    pub says: T,
}

/// The objects of Gateway API, each table sorted by namespace and name.
#[derive(Debug)]
pub struct Tables {
    pub classes: Vec<Item<GatewayClassRow>>,
    /// Gateways and ListenerSets.
    pub gateways: Vec<Item<GatewayRow>>,
    pub routes: Vec<Item<RouteRow>>,
    pub grants: Vec<Item<ReferenceGrantRow>>,
}

/// A table of settled rows.
pub(super) fn table<T>(
    rows: Vec<Row<T>>,
    kind: impl Fn(&T) -> Sym,
    objects: &mut Objects,
) -> Vec<Item<T>> {
    let item = |row: Row<T>| Item {
        object: objects.add(kind(&row.body), &row),
        ns: row.ns,
        name: row.name,
        says: row.body,
    };
    rows.into_iter().map(item).collect()
}

/// The tables of settled rows.
pub(super) fn resolve(
    classes: Vec<Row<GatewayClassRow>>,
    gateways: Vec<Row<GatewayRow>>,
    routes: Vec<Row<RouteRow>>,
    grants: Vec<Row<ReferenceGrantRow>>,
    objects: &mut Objects,
) -> Tables {
    Tables {
        classes: table(classes, |row| row.kind, objects),
        gateways: table(gateways, |row| row.kind, objects),
        routes: table(routes, |row| row.kind, objects),
        grants: table(grants, |row| row.kind, objects),
    }
}

impl Remap for GatewayClassRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        map.sym(&mut self.controller);
    }
}

impl Remap for Namespaces {
    fn remap(&mut self, map: &Map<'_>) {
        if let Self::Selector(selector) = self {
            selector.remap(map);
        }
    }
}

impl Remap for GatewayRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        map.sym(&mut self.class);
        if let Some((ns, name)) = &mut self.parent {
            map.sym(ns);
            map.sym(name);
        }
        for listener in &mut self.listeners {
            map.sym(&mut listener.name);
            map.sym(&mut listener.hostname);
            map.sym(&mut listener.protocol);
            listener.namespaces.remap(map);
            listener.kinds.iter_mut().for_each(|kinds| map.all(kinds));
        }
        self.sets.remap(map);
        map.all(&mut self.addresses);
        map.all(&mut self.wanted);
        if let Some((key, value, _)) = &mut self.scheme {
            map.sym(key);
            map.sym(value);
        }
    }
}

impl Remap for Parent {
    fn remap(&mut self, map: &Map<'_>) {
        for sym in [&mut self.kind, &mut self.ns, &mut self.name, &mut self.section] {
            map.sym(sym);
        }
    }
}

impl Remap for RouteRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        self.parents.iter_mut().for_each(|parent| parent.remap(map));
        map.all(&mut self.hostnames);
        for backend in &mut self.backends {
            for sym in [&mut backend.field, &mut backend.ns, &mut backend.service] {
                map.sym(sym);
            }
        }
        for answer in &mut self.answers {
            answer.parent.remap(map);
            map.sym(&mut answer.controller);
        }
    }
}

impl Remap for ReferenceGrantRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        for (kind, ns, _) in &mut self.from {
            map.sym(kind);
            map.sym(ns);
        }
        map.all(&mut self.services);
    }
}
