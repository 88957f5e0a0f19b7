//! The rows of one part in the numbers of the whole: symbols, labels, specifications and rules.

use super::openshift::ConstraintsRow;
use super::pods::{Container, EnvRef, Given, Literal, Mount, PodSpec, Port, Volume};
use super::rows::{
    AccountRow, BindingRow, ClaimRow, ClassRow, ConfigMapRow, IngressRow, Labels, NamespaceRow,
    NodeRow, PodRow, PolicyRow, QuotaRow, RoleRow, Row, Rule, SecretRow, Selector, ServiceRow,
    Target, VolumeRow, WebhookRow, WorkloadRow,
};
use crate::sym::Sym;

/// From the symbols and numbers of one part to those of the whole.
pub(super) struct Map<'m> {
    pub syms: &'m [Sym],
    pub labels: &'m [u32],
    pub specs: &'m [u32],
    pub rules: &'m [u32],
}

impl Map<'_> {
    pub(super) fn sym(&self, sym: &mut Sym) {
        *sym = self.syms.get(sym.index()).copied().unwrap_or(Sym::EMPTY);
    }

    pub(super) fn all(&self, syms: &mut [Sym]) {
        syms.iter_mut().for_each(|s| self.sym(s));
    }

    pub(super) fn pairs(&self, pairs: &mut [(Sym, Sym)]) {
        for (a, b) in pairs {
            self.sym(a);
            self.sym(b);
        }
    }

    fn number(table: &[u32], number: &mut u32) {
        *number = table.get(*number as usize).copied().unwrap_or(u32::MAX);
    }
}

/// A value whose symbols can be exchanged for those of the joined table.
pub(super) trait Remap {
    fn remap(&mut self, map: &Map<'_>);
}

impl<T: Remap> Remap for Row<T> {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.ns);
        map.sym(&mut self.name);
        Map::number(map.labels, &mut self.labels);
        self.body.remap(map);
    }
}

impl Remap for ConstraintsRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.all(&mut self.users);
        map.all(&mut self.groups);
    }
}

impl Remap for Box<[Sym]> {
    fn remap(&mut self, map: &Map<'_>) {
        map.all(self);
    }
}

impl Remap for Labels {
    fn remap(&mut self, map: &Map<'_>) {
        map.pairs(self);
        self.sort_unstable();
    }
}

impl Remap for PodRow {
    fn remap(&mut self, map: &Map<'_>) {
        Map::number(map.specs, &mut self.spec);
        map.sym(&mut self.node);
        map.sym(&mut self.template_hash);
        if let Some((kind, name)) = &mut self.owner {
            map.sym(kind);
            map.sym(name);
        }
    }
}

impl Remap for WorkloadRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        if let Some(spec) = &mut self.spec {
            Map::number(map.specs, spec);
        }
        if let Some((kind, name)) = &mut self.owner {
            map.sym(kind);
            map.sym(name);
        }
        Map::number(map.labels, &mut self.template_labels);
    }
}

impl Remap for NodeRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.provider);
        map.sym(&mut self.kubelet);
        map.sym(&mut self.runtime);
        map.sym(&mut self.network);
        map.pairs(&mut self.addresses);
    }
}

impl Remap for AccountRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.all(&mut self.pull_secrets);
        map.pairs(&mut self.annotations);
    }
}

impl Remap for SecretRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        map.sym(&mut self.account);
        self.holds.iter_mut().for_each(|finding| map.sym(&mut finding.key));
        map.sym(&mut self.release.0);
        map.sym(&mut self.release.1);
        for login in &mut self.logins {
            map.sym(&mut login.key);
            map.sym(&mut login.user);
            map.all(&mut login.groups);
        }
    }
}

impl Remap for VolumeRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.path);
        map.sym(&mut self.claim.0);
        map.sym(&mut self.claim.1);
        self.nodes.iter_mut().for_each(|term| term.remap(map));
    }
}

impl Remap for NamespaceRow {
    fn remap(&mut self, _: &Map<'_>) {}
}

impl Remap for QuotaRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.no_pods);
    }
}

impl Remap for ClaimRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.volume);
    }
}

impl Remap for Rule {
    fn remap(&mut self, map: &Map<'_>) {
        for list in [
            &mut self.verbs,
            &mut self.groups,
            &mut self.resources,
            &mut self.names,
            &mut self.urls,
        ] {
            map.all(list);
        }
    }
}

impl Remap for Selector {
    fn remap(&mut self, map: &Map<'_>) {
        for requirement in &mut self.0 {
            map.sym(&mut requirement.key);
            map.all(&mut requirement.values);
        }
    }
}

impl Remap for RoleRow {
    fn remap(&mut self, map: &Map<'_>) {
        for rule in &mut self.rules {
            Map::number(map.rules, rule);
        }
        for selector in self.aggregation.iter_mut().flatten() {
            selector.remap(map);
        }
    }
}

impl Remap for BindingRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.role_kind);
        map.sym(&mut self.role);
        for (kind, ns, name) in &mut self.subjects {
            map.sym(kind);
            map.sym(ns);
            map.sym(name);
        }
    }
}

impl Remap for ServiceRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        if let Some(selector) = &mut self.selector {
            selector.remap(map);
        }
        for port in &mut self.ports {
            map.sym(&mut port.name);
            port.target.remap(map);
        }
        map.all(&mut self.external_ips);
        map.all(&mut self.source_ranges);
        map.sym(&mut self.ranges_at);
        map.pairs(&mut self.balancer);
        map.sym(&mut self.wanted_ip.0);
        map.sym(&mut self.wanted_ip.1);
        map.sym(&mut self.external_name);
        if let Some((field, value, _)) = &mut self.scheme {
            map.sym(field);
            map.sym(value);
        }
    }
}

impl Remap for Target {
    fn remap(&mut self, map: &Map<'_>) {
        if let Self::Name(name) = self {
            map.sym(name);
        }
    }
}

impl Remap for IngressRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.class);
        map.sym(&mut self.scheme);
        if let Some((key, blocks)) = &mut self.sources {
            map.sym(key);
            map.all(blocks);
        }
        for backend in &mut self.backends {
            map.sym(&mut backend.field);
            map.sym(&mut backend.service);
            backend.port.remap(map);
        }
        map.pairs(&mut self.balancer);
    }
}

impl Remap for ClassRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.controller);
    }
}

impl Remap for WebhookRow {
    fn remap(&mut self, map: &Map<'_>) {
        for hook in &mut self.hooks {
            map.sym(&mut hook.service.0);
            map.sym(&mut hook.service.1);
            hook.namespaces.remap(map);
        }
        for screen in &mut self.screens {
            screen.namespaces.remap(map);
            if let Some((ns, name)) = &mut screen.service {
                map.sym(ns);
                map.sym(name);
            }
        }
    }
}

impl Remap for ConfigMapRow {
    fn remap(&mut self, _: &Map<'_>) {}
}

impl Remap for PolicyRow {
    fn remap(&mut self, map: &Map<'_>) {
        self.selector.remap(map);
        self.rules.iter_mut().for_each(|rule| rule.remap(map));
    }
}

impl Remap for PodSpec {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.account);
        map.sym(&mut self.runtime_class);
        map.all(&mut self.pull_secrets);
        map.all(&mut self.networks);
        self.map_volumes.iter_mut().for_each(|(_, _, name)| map.sym(name));
        self.containers.iter_mut().for_each(|c| c.remap(map));
        self.volumes.iter_mut().for_each(|v| v.remap(map));
    }
}

impl Remap for Container {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.name);
        map.sym(&mut self.image);
        map.all(&mut self.command);
        for Mount { sub_path, .. } in &mut self.mounts {
            map.sym(sub_path);
        }
        for EnvRef { secret, .. } in self.env.iter_mut().chain(&mut self.map_env) {
            map.sym(secret);
        }
        for Literal { name, .. } in &mut self.literals {
            map.sym(name);
        }
        for Port { name, host_ip, .. } in &mut self.ports {
            map.sym(name);
            map.sym(host_ip);
        }
    }
}

impl Remap for Volume {
    fn remap(&mut self, map: &Map<'_>) {
        match self {
            Self::HostPath(sym)
            | Self::Secret(Given { secret: sym, .. })
            | Self::Claim { name: sym, .. }
            | Self::Csi { secret: sym } => {
                map.sym(sym);
            }
            Self::Projected { tokens, secrets } => {
                tokens.iter_mut().for_each(|(_, s)| map.sym(s));
                secrets.iter_mut().for_each(|(_, s)| map.sym(&mut s.secret));
            }
            Self::Other => {}
        }
    }
}
