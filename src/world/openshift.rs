//! OpenShift's SecurityContextConstraints: which pods a namespace can hold.
//!
//! A pod is let in by constraints that its creator or its service account may use, by the verb
//! `use` in the pod's namespace or by the lists `users` and `groups` of the constraints
//! (openshift apiserver-library-go `securitycontextconstraints/sccadmission/admission.go`). Whoever
//! creates pods chooses any account of the namespace, so what a namespace can hold is the most that
//! one of its accounts may use: one answer a namespace, whoever asks.

use super::admission::Level;
use super::grants::{Names, Permission, Scope};
use super::rbac::account_of_user;
use super::rows::Part;
use super::{AccountIx, BindingIx, GroupIx, NamespaceIx, ObjectId, Principal, RuleRef, World};
use crate::k8s::openshift::SecurityContextConstraints;
use crate::sym::Sym;

/// How far constraints let a pod go. The order is that of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Power {
    /// Neither root nor its node.
    Confined,
    /// Root inside.
    Root,
    /// Root with a capability that takes the node, under any SELinux type.
    Capabilities,
    /// Root with host paths, under any SELinux type.
    HostPaths,
    Privileged,
}

impl Power {
    /// The Pod Security level that comes closest.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Confined => Level::Restricted,
            Self::Root => Level::Baseline,
            Self::Capabilities | Self::HostPaths | Self::Privileged => Level::Privileged,
        }
    }

    /// The field of the constraints that says so.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Privileged => ".allowPrivilegedContainer",
            Self::HostPaths => ".allowHostDirVolumePlugin",
            Self::Capabilities => ".allowedCapabilities",
            Self::Root | Self::Confined => ".runAsUser.type",
        }
    }
}

/// Capabilities that take the node from root, where SELinux does not confine it.
const CAPABILITIES: &[&str] = &["*", "ALL", "SYS_ADMIN", "SYS_MODULE", "DAC_READ_SEARCH"];

/// What constraints let in. Without SELinux' `RunAsAny` the type `container_t` keeps a pod from the
/// files and processes of its node, so that host paths and capabilities give nothing.
fn power(of: &SecurityContextConstraints<'_>) -> Power {
    let any = |list: &[crate::k8s::scalar::Str<'_>], wanted: &[&str]| {
        list.iter().any(|s| wanted.contains(&&**s))
    };
    let root = &*of.run_as_user.kind == "RunAsAny";
    let unconfined = root && &*of.se_linux.kind == "RunAsAny";
    if of.privileged.is_true() {
        Power::Privileged
    } else if unconfined && (of.host_dir.is_true() || any(&of.volumes, &["hostPath", "*"])) {
        Power::HostPaths
    } else if unconfined && any(&of.capabilities, CAPABILITIES) {
        Power::Capabilities
    } else if root {
        Power::Root
    } else {
        Power::Confined
    }
}

/// What a rule keeps of the constraints.
#[derive(Debug, Clone)]
pub struct ConstraintsRow {
    pub power: Power,
    pub users: Box<[Sym]>,
    pub groups: Box<[Sym]>,
}

impl Part {
    /// The row of constraints; the accounts that a user's name spells get their own names too.
    pub(super) fn constraints_row(
        &mut self,
        body: &SecurityContextConstraints<'_>,
    ) -> ConstraintsRow {
        for (ns, name) in body.users.iter().filter_map(|user| account_of_user(user)) {
            self.symbols.intern(ns);
            self.symbols.intern(name);
        }
        let all = |symbols: &mut crate::sym::Symbols, texts: &[crate::k8s::scalar::Str<'_>]| {
            texts.iter().map(|text| symbols.intern(text)).collect()
        };
        ConstraintsRow {
            power: power(body),
            users: all(&mut self.symbols, &body.users),
            groups: all(&mut self.symbols, &body.groups),
        }
    }
}

/// SecurityContextConstraints.
#[derive(Debug)]
pub struct Constraints {
    pub object: ObjectId,
    pub name: Sym,
    pub power: Power,
    pub users: Box<[Sym]>,
    pub groups: Box<[Sym]>,
}

/// How constraints come to be usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Nobody may use any.
    Nobody,
    /// The namespace's run level keeps constraints out of it.
    RunLevel,
    /// A binding's rule grants `use` to its subject at this place: the constraints' place.
    Right(usize, BindingIx, RuleRef, u32),
    /// The constraints' own list of `users`, or of `groups`, at this place.
    Listed(usize, &'static str, u32),
}

/// The most that may be used, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usable {
    pub power: Power,
    pub by: By,
}

/// Nothing that matters.
pub const UNUSABLE: Usable = Usable { power: Power::Confined, by: By::Nobody };

/// The right to use constraints, asked in the namespace of the pod.
pub const USE: Permission =
    Permission::namespaced("use", "security.openshift.io", "securitycontextconstraints");

/// API groups that OpenShift serves and hardly anybody installs elsewhere.
const GROUPS: &[&str] = &[
    "apps.openshift.io",
    "config.openshift.io",
    "image.openshift.io",
    "machineconfiguration.openshift.io",
    "oauth.openshift.io",
    "project.openshift.io",
    "route.openshift.io",
    "security.openshift.io",
    "user.openshift.io",
];

/// The most that each namespace's pods, and each account's, may be.
struct Most {
    accounts: Vec<Usable>,
    namespaces: Vec<Usable>,
    everywhere: Usable,
}

fn raise(most: &mut Usable, usable: Usable) {
    if usable.power > most.power {
        *most = usable;
    }
}

impl Most {
    /// Lets a principal use constraints in a scope.
    fn offer(&mut self, world: &World, who: Principal, scope: Scope, usable: Usable) {
        match who {
            Principal::Account(ix) => {
                let account = &world.accounts[ix.index()];
                if account.exists && scope.covers(account.ns) {
                    raise(&mut self.accounts[ix.index()], usable);
                }
            }
            Principal::Group(ix) => {
                // Every namespace has an account.
                let name = world.text(world.groups[ix.index()].1);
                match (name, scope) {
                    ("system:authenticated" | "system:serviceaccounts", Scope::Cluster) => {
                        raise(&mut self.everywhere, usable);
                    }
                    ("system:authenticated" | "system:serviceaccounts", Scope::Namespace(ns)) => {
                        self.namespace(world, ns, usable);
                    }
                    (name, scope) => {
                        let of = name.strip_prefix("system:serviceaccounts:");
                        let of = of.and_then(|ns| world.symbols.get(ns));
                        if let Some(ns) = of.filter(|ns| scope.covers(*ns)) {
                            self.namespace(world, ns, usable);
                        }
                    }
                }
            }
            Principal::Node(_) | Principal::User(_) => {}
        }
    }

    fn namespace(&mut self, world: &World, ns: Sym, usable: Usable) {
        if let Some(ix) = world.namespace(ns) {
            raise(&mut self.namespaces[ix.index()], usable);
        }
    }
}

impl World {
    /// Whether the cluster is one of OpenShift: by its own roles, which the server creates, or by
    /// objects of its own. Rules that only speak of its groups stand in many a chart.
    pub(super) fn shows_openshift(&self) -> bool {
        let own = |role: &super::Role| {
            role.ns.is_empty() && self.text(role.name).starts_with("system:openshift:")
        };
        !self.constraints.is_empty()
            || self.roles.iter().any(own)
            || self.seen.iter().any(|((g, _), n)| *n > 0 && GROUPS.contains(&g.as_str()))
    }

    /// Says of each namespace and account what constraints let its pods be. Linear in the subjects
    /// of the bindings that grant `use`, and in the namespaces and accounts.
    pub(super) fn constrain(&mut self) {
        self.openshift = self.shows_openshift();
        if self.constraints.is_empty() {
            return;
        }
        let mut most = Most {
            accounts: vec![UNUSABLE; self.accounts.len()],
            namespaces: vec![UNUSABLE; self.namespaces.len()],
            everywhere: UNUSABLE,
        };
        for grant in self.grants(&USE) {
            let Some(best) = self.strongest(grant.names) else { continue };
            for subject in &self.bindings[grant.binding.index()].subjects {
                let by = By::Right(best, grant.binding, grant.rule, subject.place);
                let usable = Usable { power: self.constraints[best].power, by };
                most.offer(self, subject.principal, grant.scope, usable);
            }
        }
        for (i, constraints) in self.constraints.iter().enumerate() {
            for (principal, list, place) in self.named_by(constraints) {
                let by = By::Listed(i, list, place);
                let usable = Usable { power: constraints.power, by };
                most.offer(self, principal, Scope::Cluster, usable);
            }
        }
        self.settle_constraints(most);
    }

    /// Gives each namespace the most of its accounts, and each account what its groups have.
    fn settle_constraints(&mut self, mut most: Most) {
        for (i, namespace) in self.namespaces.iter().enumerate() {
            raise(&mut most.namespaces[i], most.everywhere);
            let level = self.label(namespace.object, "openshift.io/run-level");
            if level.is_some_and(|level| matches!(self.text(level), "0" | "1")) {
                most.namespaces[i] = Usable { power: Power::Privileged, by: By::RunLevel };
            }
        }
        let of_groups = most.namespaces.clone();
        for (i, account) in self.accounts.iter().enumerate() {
            let Some(ix) = self.namespace(account.ns).map(NamespaceIx::index) else { continue };
            raise(&mut most.accounts[i], of_groups[ix]);
            raise(&mut most.namespaces[ix], most.accounts[i]);
        }
        for (namespace, usable) in self.namespaces.iter_mut().zip(most.namespaces) {
            namespace.usable = Some(usable);
        }
        for (account, usable) in self.accounts.iter_mut().zip(most.accounts) {
            account.usable = Some(usable);
        }
    }

    /// The strongest constraints of some names, by their place; none where they let in no more
    /// than what everybody may.
    #[must_use]
    pub fn strongest(&self, names: Names<'_>) -> Option<usize> {
        let all = self.constraints.iter().enumerate();
        let wanted = all.filter(|(_, c)| c.power > Power::Confined && names.covers(c.name));
        // The first of equals.
        wanted.rev().max_by_key(|(_, c)| c.power).map(|(i, _)| i)
    }

    /// Whom constraints list, each with the list and the place in it.
    pub fn named_by<'w>(
        &'w self,
        of: &'w Constraints,
    ) -> impl Iterator<Item = (Principal, &'static str, u32)> + 'w {
        let users = of.users.iter().map(|name| self.principal_of_user(self.text(*name)));
        let groups = of.groups.iter().map(|name| {
            let at = self.groups.binary_search_by_key(name, |g| g.1).ok();
            at.map(|ix| Principal::Group(GroupIx::new(ix)))
        });
        let users = users.zip(0_u32..).map(|(who, at)| Some((who?, "users", at)));
        let groups = groups.zip(0_u32..).map(|(who, at)| Some((who?, "groups", at)));
        users.chain(groups).flatten()
    }

    /// Whether constraints let an account's pods be of a level.
    #[must_use]
    pub fn account_lets(&self, account: Option<AccountIx>, level: Level) -> bool {
        let usable = account.and_then(|a| self.accounts[a.index()].usable);
        usable.is_none_or(|usable| level <= usable.power.level())
    }
}
