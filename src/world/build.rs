//! Joins what the threads have read into one world.
//!
//! Symbols are renumbered in the order of their text, tables are sorted, copies of an object are
//! dropped, and whatever is only referred to gets a row too. From here on nothing depends on the
//! order in which objects were read.

use super::cons::Cons;
use super::nodes::{ControlPlane, control_plane_label};
use super::rows::{
    AccountRow, BindingRow, Labels, Map, NodeRow, Part, PodRow, Remap, RoleRow, Row, SecretRow,
    WorkloadRow,
};
use super::{
    Account, AccountIx, Binding, Claim, GroupIx, Ingress, IngressClass, NOWHERE, Namespace, Node,
    NodeIx, Object, ObjectId, Pod, PodIx, Policy, Principal, Role, RoleIx, RuleRef, Secret,
    Service, Subject, UNKNOWN_NODE, UserIx, Volume, VolumeIx, Workload, WorkloadIx, World, builtin,
    rbac,
};
use crate::sym::{Sym, Symbols, merge};
use rustc_hash::FxHashSet;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Groups that Kubernetes puts requests into by itself.
const IMPLICIT_GROUPS: &[&str] = &[
    "system:masters",
    "system:authenticated",
    "system:unauthenticated",
    "system:serviceaccounts",
    "system:nodes",
];

/// The table of objects while it is filled.
struct Objects {
    list: Vec<Object>,
}

impl Objects {
    fn add(&mut self, kind: Sym, row: &Row<impl Sized>) -> ObjectId {
        let Row { ns, name, origin, labels, .. } = row;
        self.list.push(Object { kind, ns: *ns, name: *name, origin: *origin, labels: *labels });
        ObjectId::new(self.list.len() - 1)
    }
}

fn unseen<T>(ns: Sym, name: Sym, body: T) -> Row<T> {
    Row { ns, name, uid: 0, version: 0, origin: NOWHERE, labels: 0, body }
}

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
struct Tables {
    part: Part,
    symbols: Symbols,
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
        append!(namespaces nodes accounts secrets pods workloads volumes claims roles bindings
            services ingresses classes policies);
        for (key, count) in part.seen {
            *whole.seen.entry(key).or_default() += count;
        }
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
    "Pod",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "Service",
    "Ingress",
    "IngressClass",
    "NetworkPolicy",
];

impl World {
    /// The world of what was read. `unread` counts the objects of kinds that the tool does not
    /// read, by group and kind. O(n log n) in the number of objects.
    #[must_use]
    pub fn new(parts: Vec<Part>, unread: BTreeMap<(String, String), u64>) -> Self {
        let Tables { mut part, symbols } = concatenate(parts);
        part.seen.extend(unread);
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
        world.index = rbac::Index::new(&world);
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

/// Drops the built-in roles where the snapshot holds the real ones, or nothing refers to them.
fn keep_builtin_roles(part: &mut Part, symbols: &Symbols) {
    let collected = symbols.get("kubernetes.io/bootstrapping").is_some_and(|key| {
        part.roles.iter().any(|r| {
            let labels = part.labels.get(r.labels);
            r.origin.source != NOWHERE.source
                && labels.is_some_and(|l| l.iter().any(|(k, _)| *k == key))
        })
    });
    let wanted: FxHashSet<Sym> = part.bindings.iter().map(|b| b.body.role).collect();
    part.roles.retain(|r| {
        r.origin.source != NOWHERE.source
            || !collected && r.ns.is_empty() && wanted.contains(&r.name)
    });
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

    let account = || AccountRow { automount: None, pull_secrets: Box::default() };
    let secret =
        || SecretRow { kind: Sym::EMPTY, account: Sym::EMPTY, account_uid: 0, invalid: false };
    let node = || NodeRow {
        provider: Sym::EMPTY,
        addresses: Box::default(),
        kubelet: Sym::EMPTY,
        windows: false,
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
            && symbols.text(kind) != "Node"
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
        if let Some((kind, name)) = workload.body.owner {
            owners.insert((workload.ns, name, kind));
        }
    }
    if part.nodes.is_empty() && nodes.is_empty() {
        // A cluster has a machine, shown or not: what may be created runs there.
        nodes.insert(unknown);
    }
    for (ns, spec) in specs {
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
    namespaces_of!(pods workloads accounts secrets roles bindings services ingresses);
    namespaces.remove(&Sym::EMPTY);
    part.namespaces.extend(sorted(namespaces).map(|name| unseen(Sym::EMPTY, name, ())));

    copies += settle(&mut part.namespaces, |r| (r.ns, r.name));
    copies += settle(&mut part.nodes, |r| (r.ns, r.name));
    copies += settle(&mut part.accounts, |r| (r.ns, r.name));
    copies += settle(&mut part.secrets, |r| (r.ns, r.name));
    copies += settle(&mut part.workloads, |r| (r.ns, r.name, r.body.kind));
    copies += settle(&mut part.volumes, |r| (r.ns, r.name));
    copies += settle(&mut part.claims, |r| (r.ns, r.name));
    copies += settle(&mut part.roles, |r| (r.ns, r.name));
    copies += settle(&mut part.services, |r| (r.ns, r.name));
    copies += settle(&mut part.ingresses, |r| (r.ns, r.name));
    copies += settle(&mut part.classes, |r| (r.ns, r.name));
    copies += settle(&mut part.policies, |r| (r.ns, r.name));
    copies
}

fn sorted<T: Ord>(set: FxHashSet<T>) -> impl Iterator<Item = T> {
    let mut list: Vec<T> = set.into_iter().collect();
    list.sort_unstable();
    list.into_iter()
}

/// Every Secret that a specification refers to.
fn secrets_of(spec: &super::pods::PodSpec) -> impl Iterator<Item = Sym> + '_ {
    use super::pods::Volume as V;
    let volumes = spec.volumes.iter().flat_map(|v| match v {
        V::Secret(name) | V::Csi { secret: name } => vec![*name],
        V::Projected { secrets, .. } => secrets.iter().map(|(_, s)| *s).collect(),
        V::HostPath(_) | V::Claim { .. } | V::Other => Vec::new(),
    });
    let env = spec.containers.iter().flat_map(|c| c.env.iter().map(|e| e.secret));
    volumes.chain(env).chain(spec.pull_secrets.iter().copied())
}

/// The Deployment that a ReplicaSet's name and its pods' hash tell.
pub(super) fn deployment_of<'n>(replica_set: &'n str, hash: &str) -> Option<&'n str> {
    replica_set.strip_suffix(hash).filter(|_| !hash.is_empty())?.strip_suffix('-')
}

/// Turns settled rows into the world's tables.
#[expect(clippy::too_many_lines, reason = "one block a table, in the order of their dependence")]
fn resolve(tables: Tables, duplicates: u64, clusters: usize) -> World {
    let Tables { part, symbols } = tables;
    let sym = |text: &str| symbols.get(text).unwrap_or(Sym::EMPTY);
    let labels = part.labels.into_items();
    let specs = part.specs.into_items();
    let rules = part.rules.into_items();
    let mut objects = Objects { list: Vec::new() };

    let enforce = symbols.get("pod-security.kubernetes.io/enforce");
    let label = |set: u32, key: Option<Sym>| -> Option<Sym> {
        let (key, set) = (key?, labels.get(set as usize)?);
        set.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
    };
    let namespaces: Vec<Namespace> = part
        .namespaces
        .iter()
        .map(|row| Namespace {
            object: objects.add(sym("Namespace"), row),
            name: row.name,
            enforce: label(row.labels, enforce)
                .and_then(|v| super::admission::Level::named(symbols.text(v))),
        })
        .collect();
    let mut nodes: Vec<Node> = part
        .nodes
        .into_iter()
        .map(|row| Node {
            object: objects.add(sym("Node"), &row),
            name: row.name,
            control_plane: labels
                .get(row.labels as usize)
                .and_then(|l| control_plane_label(&symbols, l))
                .map_or(ControlPlane::No, ControlPlane::Label),
            provider: row.body.provider,
            addresses: row.body.addresses,
            kubelet: row.body.kubelet,
            windows: row.body.windows,
        })
        .collect();
    let accounts_collected = part.accounts.iter().any(|a| a.origin.source != NOWHERE.source);
    let default_account = sym("default");
    let mut accounts: Vec<Account> = part
        .accounts
        .into_iter()
        .map(|row| Account {
            exists: !accounts_collected
                || row.origin.source != NOWHERE.source
                || row.name == default_account,
            object: objects.add(sym("ServiceAccount"), &row),
            ns: row.ns,
            name: row.name,
            automount: row.body.automount,
            pull_secrets: row.body.pull_secrets,
            uid: row.uid,
        })
        .collect();
    let account_keys: Vec<(Sym, Sym)> = accounts.iter().map(|a| (a.ns, a.name)).collect();
    let find_account =
        |ns: Sym, name: Sym| account_keys.binary_search(&(ns, name)).ok().map(AccountIx::new);
    let node_names: Vec<Sym> = nodes.iter().map(|n| n.name).collect();
    let find_node = |name: Sym| node_names.binary_search(&name).map_or(NodeIx(0), NodeIx::new);
    let token = sym("kubernetes.io/service-account-token");
    let secrets: Vec<Secret> = part
        .secrets
        .iter()
        .map(|row| {
            let account = (row.body.kind == token && !row.body.account.is_empty())
                .then(|| find_account(row.ns, row.body.account))
                .flatten();
            let other = account.is_some_and(|a| {
                let uid = accounts[a.index()].uid;
                uid != 0 && row.body.account_uid != 0 && uid != row.body.account_uid
            });
            Secret {
                object: objects.add(sym("Secret"), row),
                ns: row.ns,
                name: row.name,
                kind: row.body.kind,
                account,
                dead: other || row.body.invalid,
            }
        })
        .collect();

    let workload_rows = part.workloads;
    let find_workload = |ns: Sym, name: Sym, kind: Sym| {
        workload_rows.binary_search_by_key(&(ns, name, kind), |w| (w.ns, w.name, w.body.kind)).ok()
    };
    let top_of = |mut at: usize| {
        // A chain is short; the bound is for objects that own each other.
        for _ in 0..8 {
            let row = &workload_rows[at];
            let owner = row.body.owner.and_then(|(kind, name)| find_workload(row.ns, name, kind));
            match owner {
                Some(next) if next != at => at = next,
                _ => break,
            }
        }
        at
    };
    let unknown = find_node(sym(UNKNOWN_NODE));
    let mut pod_counts = vec![0_u32; workload_rows.len()];
    let node_kind = sym("Node");
    let pods: Vec<Pod> = part
        .pods
        .iter()
        .map(|row: &Row<PodRow>| {
            let workload =
                row.body.owner.filter(|(kind, _)| *kind != node_kind).and_then(|(kind, name)| {
                    let owner = find_workload(row.ns, name, kind)?;
                    let top = top_of(owner);
                    let is_bare_replica_set =
                        top == owner && workload_rows[owner].origin.source == NOWHERE.source;
                    let hash = symbols.text(row.body.template_hash);
                    let guessed = deployment_of(symbols.text(name), hash)
                        .filter(|_| is_bare_replica_set && symbols.text(kind) == "ReplicaSet")
                        .and_then(|name| {
                            find_workload(row.ns, symbols.get(name)?, sym("Deployment"))
                        });
                    Some(guessed.map_or(top, top_of))
                });
            if let Some(top) = workload {
                pod_counts[top] += 1;
            }
            let spec = specs.get(row.body.spec as usize);
            Pod {
                object: objects.add(sym("Pod"), row),
                ns: row.ns,
                name: row.name,
                spec: row.body.spec,
                node: if row.body.node.is_empty() { unknown } else { find_node(row.body.node) },
                account: (!row.body.mirror).then(|| find_account(row.ns, spec?.account)).flatten(),
                workload: workload.map(WorkloadIx::new),
                phase: row.body.phase,
                mirror: row.body.mirror,
                live: row.body.live,
            }
        })
        .collect();
    let workloads: Vec<Workload> = workload_rows
        .iter()
        .enumerate()
        .map(|(i, row)| Workload {
            object: objects.add(row.body.kind, row),
            kind: row.body.kind,
            ns: row.ns,
            name: row.name,
            spec: row.body.spec,
            account: row
                .body
                .spec
                .and_then(|s| specs.get(s as usize))
                .and_then(|s| find_account(row.ns, s.account)),
            template_labels: row.body.template_labels,
            top: WorkloadIx::new(top_of(i)),
            pods: pod_counts[i],
            idle: row.body.idle,
        })
        .collect();
    let component = symbols.get("component");
    let mut by_node: Vec<Vec<PodIx>> = vec![Vec::new(); nodes.len()];
    for (i, pod) in pods.iter().enumerate() {
        if let Some(account) = pod.account {
            accounts[account.index()].exists = true;
        }
        by_node[pod.node.index()].push(PodIx::new(i));
        let runs_control_plane = pod.mirror
            && symbols.text(pod.ns) == "kube-system"
            && label(objects.list[pod.object.index()].labels, component).is_some_and(|v| {
                matches!(symbols.text(v), "kube-apiserver" | "etcd" | "kube-controller-manager")
            });
        let node = &mut nodes[pod.node.index()];
        if runs_control_plane && !matches!(node.control_plane, ControlPlane::StaticPod(_)) {
            node.control_plane = ControlPlane::StaticPod(PodIx::new(i));
        }
    }

    let volumes: Vec<Volume> = part
        .volumes
        .iter()
        .map(|row| Volume {
            object: objects.add(sym("PersistentVolume"), row),
            name: row.name,
            path: row.body.path,
            local: row.body.local,
        })
        .collect();
    let claims = part
        .claims
        .iter()
        .map(|row| Claim {
            object: objects.add(sym("PersistentVolumeClaim"), row),
            ns: row.ns,
            name: row.name,
            volume: volumes
                .binary_search_by_key(&row.body.volume, |v| v.name)
                .ok()
                .filter(|_| !row.body.volume.is_empty())
                .map(VolumeIx::new),
        })
        .collect();

    let (roles, role_keys) =
        resolve_roles(part.roles, &part.bindings, &labels, &symbols, &mut objects);
    let (users, groups) = named_principals(&part.bindings, &symbols, &mut objects);
    let bindings = part
        .bindings
        .iter()
        .map(|row| {
            let kind = if row.ns.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
            let subjects =
                row.body.subjects.iter().enumerate().filter_map(|(place, (kind, ns, name))| {
                    let (principal, spelled_as_user) = match symbols.text(*kind) {
                        "ServiceAccount" => {
                            let ns = if ns.is_empty() { row.ns } else { *ns };
                            (
                                Principal::Account(
                                    find_account(ns, *name).filter(|_| !ns.is_empty())?,
                                ),
                                false,
                            )
                        }
                        "User" => {
                            let user = symbols.text(*name);
                            if let Some((ns, name)) = rbac::account_of_user(user) {
                                let account = find_account(symbols.get(ns)?, symbols.get(name)?)?;
                                (Principal::Account(account), true)
                            } else if let Some(node) = rbac::node_of_user(user) {
                                (Principal::Node(find_node(symbols.get(node)?)), true)
                            } else {
                                let user =
                                    users.binary_search_by_key(name, |u: &(_, Sym)| u.1).ok()?;
                                (Principal::User(UserIx::new(user)), false)
                            }
                        }
                        "Group" => {
                            let group =
                                groups.binary_search_by_key(name, |g: &(_, Sym)| g.1).ok()?;
                            (Principal::Group(GroupIx::new(group)), false)
                        }
                        _ => return None,
                    };
                    let place = u32::try_from(place).unwrap_or(u32::MAX);
                    Some(Subject { principal, place, spelled_as_user })
                });
            Binding {
                subjects: subjects.collect(),
                object: objects.add(sym(kind), row),
                ns: row.ns,
                name: row.name,
                role: role_key(row, &symbols)
                    .and_then(|key| role_keys.binary_search(&key).ok())
                    .map(RoleIx::new),
            }
        })
        .collect();
    let services = part
        .services
        .into_iter()
        .map(|row| Service {
            object: objects.add(sym("Service"), &row),
            ns: row.ns,
            name: row.name,
            kind: row.body.kind,
            selector: row.body.selector,
            ports: row.body.ports,
            external_ips: row.body.external_ips,
            source_ranges: row.body.source_ranges,
            balancer: row.body.balancer,
            has_class: row.body.has_class,
            scheme: row.body.scheme,
            node_ports: row.body.node_ports,
        })
        .collect();
    let ingresses = part
        .ingresses
        .into_iter()
        .map(|row| Ingress {
            object: objects.add(sym("Ingress"), &row),
            ns: row.ns,
            name: row.name,
            class: row.body.class,
            backends: row.body.backends,
            balancer: row.body.balancer,
            scheme: row.body.scheme,
        })
        .collect();
    let classes = part
        .classes
        .iter()
        .map(|row| IngressClass {
            object: objects.add(sym("IngressClass"), row),
            name: row.name,
            controller: row.body.controller,
            default: row.body.default,
        })
        .collect();
    let policies = part
        .policies
        .into_iter()
        .map(|row| Policy {
            object: objects.add(sym("NetworkPolicy"), &row),
            ns: row.ns,
            selector: row.body.selector,
            ingress: row.body.ingress,
        })
        .collect();
    World {
        objects: objects.list,
        labels,
        specs,
        rules,
        namespaces,
        nodes,
        accounts,
        secrets,
        pods,
        workloads,
        volumes,
        claims,
        roles,
        bindings,
        services,
        ingresses,
        classes,
        policies,
        users,
        groups,
        seen: part.seen,
        duplicates,
        clusters,
        unusable: part.unusable.into_keys().collect(),
        index: rbac::Index::default(),
        by_node,
        symbols,
    }
}

/// Roles with their effective rules, and the namespace and name of each.
fn resolve_roles(
    rows: Vec<Row<RoleRow>>,
    bindings: &[Row<BindingRow>],
    labels: &[Labels],
    symbols: &Symbols,
    objects: &mut Objects,
) -> (Vec<Role>, Vec<(Sym, Sym)>) {
    let mut keys: Vec<(Sym, Sym, Option<usize>)> =
        rows.iter().enumerate().map(|(i, r)| (r.ns, r.name, Some(i))).collect();
    let mut missing: Vec<(Sym, Sym)> =
        bindings.iter().filter_map(|b| role_key(b, symbols)).collect();
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|key| rows.binary_search_by_key(key, |r| (r.ns, r.name)).is_err());
    keys.extend(missing.into_iter().map(|(ns, name)| (ns, name, None)));
    keys.sort_unstable();
    let mut places = vec![RoleIx(0); rows.len()];
    for (i, key) in keys.iter().enumerate() {
        if let Some(row) = key.2 {
            places[row] = RoleIx::new(i);
        }
    }
    let own = |row: usize| -> Vec<RuleRef> {
        let rule = |(place, rule): (usize, &u32)| RuleRef {
            rule: *rule,
            role: places[row],
            place: u32::try_from(place).unwrap_or(u32::MAX),
        };
        rows[row].body.rules.iter().enumerate().map(rule).collect()
    };
    let mut effective: Vec<Vec<RuleRef>> = (0..rows.len()).map(own).collect();
    // A served role shows the rules that the controller put in. A manifest's rules are still to be
    // collected, and may be collected from a role that collects itself, as admin does from edit.
    let to_fill: Vec<usize> = (0..rows.len())
        .filter(|i| {
            let row = &rows[*i];
            row.body.aggregation.is_some()
                && (row.body.rules.is_empty() || row.origin.source == NOWHERE.source)
        })
        .collect();
    loop {
        let mut changed = false;
        for target in &to_fill {
            let selectors = rows[*target].body.aggregation.as_deref().unwrap_or_default();
            let mut found = effective[*target].clone();
            for (source, row) in rows.iter().enumerate() {
                let of = labels.get(row.labels as usize).map_or(&[][..], |l| l);
                // The built-in roles hold one another's rules already.
                let both_built_in = row.origin.source == NOWHERE.source
                    && rows[*target].origin.source == NOWHERE.source;
                if source != *target
                    && row.ns.is_empty()
                    && !both_built_in
                    && selectors.iter().any(|s| s.selects(of))
                {
                    found.extend(effective[source].iter().copied());
                }
            }
            found.sort_unstable_by_key(|r| (r.role, r.place));
            found.dedup();
            if found.len() > effective[*target].len() {
                effective[*target] = found;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let roles = keys
        .iter()
        .map(|(ns, name, row)| {
            let kind = if ns.is_empty() { "ClusterRole" } else { "Role" };
            let kind = symbols.get(kind).unwrap_or(Sym::EMPTY);
            let object = match row {
                Some(row) => objects.add(kind, &rows[*row]),
                None => objects.add(kind, &unseen(*ns, *name, ())),
            };
            let rules = row.map(|r| std::mem::take(&mut effective[r])).unwrap_or_default();
            Role { object, ns: *ns, name: *name, rules: rules.into(), missing: row.is_none() }
        })
        .collect();
    (roles, keys.into_iter().map(|(ns, name, _)| (ns, name)).collect())
}

/// Where a binding looks for its role. A ClusterRoleBinding looks for a Role in no namespace and
/// finds none.
fn role_key(row: &Row<BindingRow>, symbols: &Symbols) -> Option<(Sym, Sym)> {
    match symbols.text(row.body.role_kind) {
        "ClusterRole" => Some((Sym::EMPTY, row.body.role)),
        "Role" if !row.ns.is_empty() => Some((row.ns, row.body.role)),
        _ => None,
    }
}

/// The users and groups that bindings name, and the groups that Kubernetes knows.
#[expect(clippy::type_complexity, reason = "two tables of the same shape")]
fn named_principals(
    bindings: &[Row<BindingRow>],
    symbols: &Symbols,
    objects: &mut Objects,
) -> (Vec<(ObjectId, Sym)>, Vec<(ObjectId, Sym)>) {
    let mut users = vec![symbols.get("system:anonymous").unwrap_or(Sym::EMPTY)];
    let mut groups: Vec<Sym> = IMPLICIT_GROUPS.iter().filter_map(|g| symbols.get(g)).collect();
    for (kind, _, name) in bindings.iter().flat_map(|b| b.body.subjects.iter()) {
        match symbols.text(*kind) {
            "User" => {
                let user = symbols.text(*name);
                if rbac::account_of_user(user).is_none() && rbac::node_of_user(user).is_none() {
                    users.push(*name);
                }
            }
            "Group" => groups.push(*name),
            _ => {}
        }
    }
    let mut table = |kind: &str, mut names: Vec<Sym>| {
        names.sort_unstable();
        names.dedup();
        let kind = symbols.get(kind).unwrap_or(Sym::EMPTY);
        names.into_iter().map(|n| (objects.add(kind, &unseen(Sym::EMPTY, n, ())), n)).collect()
    };
    (table("User", users), table("Group", groups))
}
