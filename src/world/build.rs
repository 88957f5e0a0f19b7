//! Joins what the threads have read into one world.
//!
//! Symbols are renumbered in the order of their text, tables are sorted, copies of an object are
//! dropped, and whatever is only referred to gets a row too. From here on nothing depends on the
//! order in which objects were read.

use super::cons::Cons;
use super::objects::unseen;
use super::remap::{Map, Remap};
use super::resolve::{is_no_workload, resolve};
use super::rows::{AccountRow, Labels, NamespaceRow, NodeRow, Part, Row, SecretRow, WorkloadRow};
use super::{NOWHERE, UNKNOWN_NODE, World, builtin, rbac};
use crate::sym::{Sym, Symbols, merge};
use rustc_hash::FxHashSet;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Groups that Kubernetes puts requests into by itself.
pub(super) const IMPLICIT_GROUPS: &[&str] = &[
    "system:masters",
    "system:authenticated",
    "system:unauthenticated",
    "system:serviceaccounts",
    "system:nodes",
];

/// Sorts a table by `key` and keeps the newest copy of each object. Returns how many were dropped.
fn settle<T, K: Ord>(table: &mut Vec<Row<T>>, key: impl Fn(&Row<T>) -> K) -> u64 {
    table.sort_by_cached_key(|row| {
        (key(row), row.origin.source == NOWHERE.source, Reverse(row.version), row.origin)
    });
    let mut copies = 0;
    table.dedup_by(|later, kept| {
        let same = key(later) == key(kept);
        copies += u64::from(same && later.origin.source != NOWHERE.source);
        same
    });
    table.shrink_to_fit();
    copies
}

/// Renumbers the hash-consed values of all parts into one table.
fn join<T: Remap + Clone + std::hash::Hash + Eq>(
    parts: Vec<Vec<T>>,
    maps: &[Vec<Sym>],
) -> (Cons<T>, Vec<Vec<u32>>) {
    let mut all = Cons::default();
    let numbers = parts
        .into_iter()
        .zip(maps)
        .map(|(items, syms)| {
            let map = Map { syms, labels: &[], specs: &[], rules: &[] };
            items
                .into_iter()
                .map(|mut item| {
                    item.remap(&map);
                    all.add(item)
                })
                .collect()
        })
        .collect();
    (all, numbers)
}

/// The joined tables before references are resolved.
pub(super) struct Tables {
    pub(super) part: Part,
    pub(super) symbols: Symbols,
}

/// Joins the parts: one symbol table, one table of each kind.
fn concatenate(mut parts: Vec<Part>) -> Tables {
    // The names that building needs, whether or not an object bears them.
    let mut own = builtin::roles();
    for name in IMPLICIT_GROUPS.iter().chain(NAMES) {
        own.symbols.intern(name);
    }
    parts.push(own);
    let symbol_tables: Vec<Symbols> =
        parts.iter_mut().map(|p| std::mem::take(&mut p.symbols)).collect();
    let (symbols, maps) = merge(&symbol_tables);
    drop(symbol_tables);

    macro_rules! take {
        ($field:ident) => {
            parts.iter_mut().map(|p| std::mem::take(&mut p.$field).into_items()).collect()
        };
    }
    let (mut labels, label_maps) = {
        let mut tables: Vec<Vec<Labels>> = take!(labels);
        // Number 0 is the empty set, for what has no labels.
        tables.insert(0, vec![Box::default()]);
        let mut all_maps = vec![Vec::new()];
        all_maps.extend(maps.iter().cloned());
        let (all, mut numbers) = join(tables, &all_maps);
        numbers.remove(0);
        (all, numbers)
    };
    labels.add(Box::default());
    let (specs, spec_maps) = join(take!(specs), &maps);
    let (rules, rule_maps) = join(take!(rules), &maps);

    let mut whole = Part { labels, specs, rules, ..Part::default() };
    for (i, mut part) in parts.into_iter().enumerate() {
        let map = Map {
            syms: &maps[i],
            labels: &label_maps[i],
            specs: &spec_maps[i],
            rules: &rule_maps[i],
        };
        macro_rules! append {
            ($($field:ident)*) => {$(
                part.$field.iter_mut().for_each(|row| row.remap(&map));
                if whole.$field.is_empty() {
                    whole.$field = part.$field;
                } else {
                    whole.$field.append(&mut part.$field);
                }
            )*};
        }
        append!(namespaces quotas nodes accounts secrets pods workloads volumes claims roles bindings
            services slices endpoints ingresses classes policies other_policies constraints guards groups webhooks config_maps
            credential_maps gateway_classes gateways routes reference_grants
            router_routes istio_gateways virtual_services);
        for (group, kinds) in part.seen {
            let of_group = whole.seen.entry(group).or_default();
            for (kind, count) in kinds {
                *of_group.entry(kind).or_default() += count;
            }
        }
        whole.servers.append(&mut part.servers);
        whole.definitions.append(&mut part.definitions);
        whole.pod_blocks.extend(part.pod_blocks);
        for row in &mut part.held {
            map.sym(&mut row.ns);
            map.sym(&mut row.name);
        }
        whole.held.append(&mut part.held);
        whole.unusable.append(&mut part.unusable);
    }
    Tables { part: whole, symbols }
}

/// Names that the code below looks up.
const NAMES: &[&str] = &[
    UNKNOWN_NODE,
    "default",
    "kube-system",
    "kubernetes.io/service-account-token",
    "system:anonymous",
    "Deployment",
    "ReplicaSet",
    "User",
    "Group",
    "Namespace",
    "Node",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "Pod",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ResourceQuota",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "Service",
    "EndpointSlice",
    "Endpoints",
    "Ingress",
    "IngressClass",
    "NetworkPolicy",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "SecurityContextConstraints",
];

impl World {
    /// The world of what was read. `unread` counts the objects of kinds that the tool does not
    /// read, by group and kind. O(n log n) in the number of objects.
    #[must_use]
    pub fn new(parts: Vec<Part>, unread: BTreeMap<(String, String), u64>) -> Self {
        let Tables { mut part, symbols } = concatenate(parts);
        for ((group, kind), count) in unread {
            part.seen.entry(group).or_default().insert(kind, count);
        }
        let uids: FxHashSet<u64> = part
            .namespaces
            .iter()
            .filter(|n| n.uid != 0 && symbols.text(n.name) == "kube-system")
            .map(|n| n.uid)
            .collect();
        let clusters = uids.len();
        keep_builtin_roles(&mut part, &symbols);
        let duplicates = refer(&mut part, &symbols);
        number_specs(&mut part);
        let mut world = resolve(Tables { part, symbols }, duplicates, clusters);
        world.objects.shrink_to_fit();
        world.specs.shrink_to_fit();
        world.index = rbac::Index::new(&world);
        if world.pod_security_is_off() {
            world.namespaces.iter_mut().for_each(|namespace| namespace.enforce = None);
        }
        world.constrain();
        world.guard();
        world
    }
}

/// Numbers specifications in the order of their first use, so that a walk over them does not
/// depend on which thread read which pod.
fn number_specs(part: &mut Part) {
    let mut old =
        std::mem::take(&mut part.specs).into_items().into_iter().map(Some).collect::<Vec<_>>();
    let mut numbers = vec![u32::MAX; old.len()];
    let mut specs = Cons::default();
    let used = part.pods.iter_mut().map(|p| &mut p.body.spec);
    for spec in used.chain(part.workloads.iter_mut().filter_map(|w| w.body.spec.as_mut())) {
        let Some(number) = numbers.get_mut(*spec as usize) else { continue };
        if *number == u32::MAX
            && let Some(unnumbered) = old.get_mut(*spec as usize).and_then(Option::take)
        {
            *number = specs.add(unnumbered);
        }
        *spec = *number;
    }
    part.specs = specs;
}

/// Drops the built-in roles that nothing refers to. Those that a binding names, or a rule that says
/// which roles may be bound, exist in every cluster, since the API server creates them anew at each
/// start: one that is not in the snapshot was not collected. Where it was, `settle` prefers it.
fn keep_builtin_roles(part: &mut Part, symbols: &Symbols) {
    let on_roles = |rule: &&super::rows::Rule| {
        rule.resources.iter().any(|r| matches!(symbols.text(*r), "clusterroles" | "*"))
    };
    let mut wanted: FxHashSet<Sym> = part.bindings.iter().map(|b| b.body.role).collect();
    let naming = part.rules.items().iter().filter(on_roles);
    wanted.extend(naming.flat_map(|rule| rule.names.iter().copied()));
    let wanted = |r: &Row<super::rows::RoleRow>| r.ns.is_empty() && wanted.contains(&r.name);
    part.roles.retain(|r| r.origin.source != NOWHERE.source || wanted(r));
}

/// Gives a row to everything that is only referred to, then settles every table.
fn refer(part: &mut Part, symbols: &Symbols) -> u64 {
    let mut copies = 0;
    let sym = |symbols: &Symbols, text: &str| symbols.get(text).unwrap_or(Sym::EMPTY);
    let default = sym(symbols, "default");
    let unknown = sym(symbols, UNKNOWN_NODE);
    copies += settle(&mut part.pods, |r| (r.ns, r.name));
    copies += settle(&mut part.workloads, |r| (r.ns, r.name, r.body.kind));
    copies += settle(&mut part.bindings, |r| (r.ns, r.name));

    let account = || AccountRow {
        automount: None,
        pull_secrets: Box::default(),
        annotations: Box::default(),
        lists_secrets: false,
    };
    let secret = || SecretRow {
        kind: Sym::EMPTY,
        account: Sym::EMPTY,
        account_uid: 0,
        invalid: false,
        signs_in: false,
        filled: true,
        extra_groups: false,
        immutable: false,
        hosted: false,
        holds: Box::default(),
        release: (Sym::EMPTY, Sym::EMPTY),
        logins: Box::default(),
        shown: false,
    };
    let node = || NodeRow {
        provider: Sym::EMPTY,
        addresses: Box::default(),
        kubelet: Sym::EMPTY,
        runtime: Sym::EMPTY,
        windows: false,
        network: Sym::EMPTY,
        k3s_policies: None,
    };
    let mut accounts = FxHashSet::default();
    let mut secrets = FxHashSet::default();
    let mut nodes = FxHashSet::default();
    let mut owners = FxHashSet::default();
    let mut specs = FxHashSet::default();
    for pod in &part.pods {
        if !pod.body.mirror {
            specs.insert((pod.ns, pod.body.spec));
        }
        nodes.insert(if pod.body.node.is_empty() { unknown } else { pod.body.node });
        if let Some((kind, name)) = pod.body.owner
            && !is_no_workload(symbols, kind)
        {
            owners.insert((pod.ns, name, kind));
            // A Deployment names its ReplicaSets after itself and the hash that their pods bear.
            let deployment =
                deployment_of(symbols.text(name), symbols.text(pod.body.template_hash));
            if let Some(deployment) = deployment.filter(|_| symbols.text(kind) == "ReplicaSet") {
                owners.insert((pod.ns, sym(symbols, deployment), sym(symbols, "Deployment")));
            }
        }
    }
    for workload in &part.workloads {
        if let Some(spec) = workload.body.spec {
            specs.insert((workload.ns, spec));
            nodes.insert(unknown);
        }
        if let Some((kind, name)) = workload.body.owner
            && !is_no_workload(symbols, kind)
        {
            owners.insert((workload.ns, name, kind));
        }
    }
    if part.nodes.is_empty() && nodes.is_empty() {
        // A cluster has a machine, shown or not: what may be created runs there.
        nodes.insert(unknown);
    }
    for (ns, spec) in sorted(specs) {
        let Some(spec) = part.specs.get(spec) else { continue };
        accounts.insert((ns, spec.account));
        secrets.extend(secrets_of(spec).map(|s| (ns, s)));
    }
    for row in &part.accounts {
        secrets.extend(row.body.pull_secrets.iter().map(|s| (row.ns, *s)));
    }
    for row in &part.secrets {
        if !row.body.account.is_empty() {
            accounts.insert((row.ns, row.body.account));
        }
    }
    for binding in &part.bindings {
        for (kind, ns, name) in &binding.body.subjects {
            match symbols.text(*kind) {
                "ServiceAccount" if !ns.is_empty() => {
                    accounts.insert((*ns, *name));
                }
                "ServiceAccount" if !binding.ns.is_empty() => {
                    accounts.insert((binding.ns, *name));
                }
                "User" => {
                    let user = symbols.text(*name);
                    if let Some((ns, name)) = rbac::account_of_user(user) {
                        accounts.insert((sym(symbols, ns), sym(symbols, name)));
                    } else if let Some(name) = rbac::node_of_user(user) {
                        nodes.insert(sym(symbols, name));
                    }
                }
                _ => {}
            }
        }
    }
    for user in part.constraints.iter().flat_map(|c| c.body.users.iter()) {
        if let Some((ns, name)) = rbac::account_of_user(symbols.text(*user)) {
            accounts.insert((sym(symbols, ns), sym(symbols, name)));
        }
    }
    let mut namespaces: FxHashSet<Sym> = FxHashSet::default();
    // Every namespace has an account called `default`.
    let known: Vec<Sym> = part.namespaces.iter().map(|n| n.name).collect();
    accounts.extend(known.into_iter().map(|ns| (ns, default)));
    part.accounts.extend(sorted(accounts).map(|(ns, name)| unseen(ns, name, account())));
    part.secrets.extend(
        sorted(secrets).filter(|(_, n)| !n.is_empty()).map(|(ns, name)| unseen(ns, name, secret())),
    );
    part.nodes.extend(sorted(nodes).map(|name| unseen(Sym::EMPTY, name, node())));
    part.workloads.extend(sorted(owners).map(|(ns, name, kind)| {
        let body = WorkloadRow { kind, spec: None, owner: None, idle: false, template_labels: 0 };
        unseen(ns, name, body)
    }));
    macro_rules! namespaces_of {
        ($($table:ident)*) => {$( namespaces.extend(part.$table.iter().map(|r| r.ns)); )*};
    }
    namespaces_of!(pods workloads accounts secrets roles bindings services ingresses gateways routes
        router_routes istio_gateways virtual_services);
    namespaces.remove(&Sym::EMPTY);
    part.namespaces
        .extend(sorted(namespaces).map(|name| unseen(Sym::EMPTY, name, NamespaceRow::default())));

    copies += settle(&mut part.namespaces, |r| (r.ns, r.name));
    copies += settle(&mut part.quotas, |r| (r.ns, r.name));
    copies += settle(&mut part.nodes, |r| (r.ns, r.name));
    copies += settle(&mut part.accounts, |r| (r.ns, r.name));
    copies += settle(&mut part.secrets, |r| (r.ns, r.name));
    copies += settle(&mut part.workloads, |r| (r.ns, r.name, r.body.kind));
    copies += settle(&mut part.volumes, |r| (r.ns, r.name));
    copies += settle(&mut part.claims, |r| (r.ns, r.name));
    copies += settle(&mut part.roles, |r| (r.ns, r.name));
    copies += settle(&mut part.services, |r| (r.ns, r.name));
    copies += settle(&mut part.slices, |r| (r.ns, r.name));
    copies += settle(&mut part.endpoints, |r| (r.ns, r.name));
    copies += settle(&mut part.ingresses, |r| (r.ns, r.name));
    copies += settle(&mut part.classes, |r| (r.ns, r.name));
    copies += settle(&mut part.policies, |r| (r.ns, r.name));
    copies += settle(&mut part.other_policies, |r| (r.body.kind, r.ns, r.name));
    copies += settle(&mut part.webhooks, |r| (r.body.mutates, r.name));
    copies += settle(&mut part.constraints, |r| (r.ns, r.name));
    copies += settle(&mut part.guards, |r| (r.body.kind, r.ns, r.name));
    copies += settle(&mut part.gateway_classes, |r| (r.ns, r.name));
    copies += settle(&mut part.gateways, |r| (r.ns, r.name, r.body.kind));
    copies += settle(&mut part.routes, |r| (r.ns, r.name, r.body.kind));
    copies += settle(&mut part.reference_grants, |r| (r.ns, r.name));
    copies += settle(&mut part.router_routes, |r| (r.ns, r.name));
    copies += settle(&mut part.istio_gateways, |r| (r.ns, r.name));
    copies += settle(&mut part.virtual_services, |r| (r.ns, r.name));
    copies += settle(&mut part.groups, |r| (r.ns, r.name));
    copies += settle(&mut part.config_maps, |r| (r.ns, r.name));
    copies += settle(&mut part.credential_maps, |r| (r.ns, r.name));
    copies
}

fn sorted<T: Ord>(set: FxHashSet<T>) -> impl Iterator<Item = T> {
    let mut list: Vec<T> = set.into_iter().collect();
    list.sort_unstable();
    list.into_iter()
}

/// Every Secret that a specification refers to.
fn secrets_of(spec: &super::pods::PodSpec) -> impl Iterator<Item = Sym> + '_ {
    use super::pods::{Given, Volume as V};
    let volumes = spec.volumes.iter().flat_map(|v| match v {
        V::Secret(Given { secret: name, .. }) | V::Csi { secret: name } => vec![*name],
        V::Projected { secrets, .. } => secrets.iter().map(|(_, s)| s.secret).collect(),
        V::HostPath(_) | V::Claim { .. } | V::Other => Vec::new(),
    });
    let env = spec.containers.iter().flat_map(|c| c.env.iter().map(|e| e.secret));
    volumes.chain(env).chain(spec.pull_secrets.iter().copied())
}

/// The Deployment that a ReplicaSet's name and its pods' hash tell.
pub(super) fn deployment_of<'n>(replica_set: &'n str, hash: &str) -> Option<&'n str> {
    replica_set.strip_suffix(hash).filter(|_| !hash.is_empty())?.strip_suffix('-')
}
