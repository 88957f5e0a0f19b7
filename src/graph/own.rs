//! What is Kubernetes' own: told by what it holds, and not by a name that anybody may take.
//!
//! Every cluster has controllers that could take it over; reports fold what begins at them. Folded
//! is only what has the rights that the API server itself gives: an account of kube-system, or a
//! user called `system:…`, to which somebody bound more is a finding like every other.
//!
//! Sources: kubernetes `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/{policy,controller_policy}.go`,
//! openshift `pkg/cmd/server/bootstrappolicy`, k3s `manifests/{ccm,rolebindings}.yaml`.

use crate::sym::Sym;
use crate::world::image::Image;
use crate::world::{AccountIx, BindingIx, Principal, World};

/// Namespaces that belong to Kubernetes.
const SYSTEM_NAMESPACES: &[&str] = &["kube-system", "kube-public", "kube-node-lease"];

/// The namespace of OpenShift's controllers, which its API server gives rights to.
const OPENSHIFT_NAMESPACE: &str = "openshift-infra";

/// What Kubernetes runs itself: the last part of the image's name.
const IMAGES: &[&str] = &[
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "hyperkube",
    "etcd",
    "coredns",
    "k8s-dns-kube-dns",
    "k8s-dns-dnsmasq-nanny",
    "k8s-dns-sidecar",
    "k8s-dns-node-cache",
    "pause",
];

/// What k3s, and RKE2 with it, bind to users of their own, which are the certificates of the API
/// server at kubelets and of the cloud controller: the user, the binding and its role.
const OF_DISTRIBUTIONS: &[(&str, &str, &str)] = &[
    ("kube-apiserver", "kube-apiserver-kubelet-admin", "system:kubelet-api-admin"),
    (CLOUD_CONTROLLER, CLOUD_CONTROLLER, CLOUD_CONTROLLER),
    (CLOUD_CONTROLLER, "k3s-cloud-controller-manager-auth-delegator", "system:auth-delegator"),
    (
        CLOUD_CONTROLLER,
        "k3s-cloud-controller-manager-authentication-reader",
        "extension-apiserver-authentication-reader",
    ),
];
const CLOUD_CONTROLLER: &str = "k3s-cloud-controller-manager";

/// Whether a namespace belongs to Kubernetes.
pub(super) fn is_namespace(name: &str) -> bool {
    SYSTEM_NAMESPACES.contains(&name)
}

/// Whether a container of a namespace of Kubernetes runs a part of it.
pub(super) fn is_image(image: &str) -> bool {
    let name = Image::new(image).name();
    // Builds for one architecture bear its name, as in `kube-proxy-amd64`.
    IMAGES.iter().any(|own| {
        name.strip_prefix(own).is_some_and(|rest| {
            matches!(rest, "" | "-amd64" | "-arm64" | "-arm" | "-ppc64le" | "-s390x")
        })
    })
}

/// Whether a principal is a part of Kubernetes that has the rights it was born with.
pub(super) fn is_principal(world: &World, principal: Principal) -> bool {
    let named = match principal {
        Principal::Account(account) => return is_account(world, account),
        Principal::User(user) => world.text(world.users[user.index()].1),
        Principal::Group(group) => world.text(world.groups[group.index()].1),
        Principal::Node(_) => return false,
    };
    let Some(rest) = named.strip_prefix("system:") else {
        let known = OF_DISTRIBUTIONS.iter().any(|(user, ..)| *user == named);
        let is_user = matches!(principal, Principal::User(_));
        return known && is_user && holds_defaults_only(world, principal);
    };
    // The groups of everybody, and of the accounts of a namespace, are what users bind things to.
    let everybody =
        matches!(rest, "authenticated" | "unauthenticated" | "anonymous" | "serviceaccounts");
    let foreign = rest.strip_prefix("serviceaccounts:").is_some_and(|ns| !is_namespace(ns));
    // What is bound to `system:masters` adds nothing to it.
    let masters = rest == "masters" && matches!(principal, Principal::Group(_));
    masters || !everybody && !foreign && holds_defaults_only(world, principal)
}

fn is_account(world: &World, ix: AccountIx) -> bool {
    let account = &world.accounts[ix.index()];
    let ns = world.text(account.ns);
    if !is_namespace(ns) && ns != OPENSHIFT_NAMESPACE {
        return false;
    }
    let group = world.group(&format!("system:serviceaccounts:{ns}")).map(Principal::Group);
    holds_defaults_only(world, Principal::Account(ix))
        && group.is_none_or(|group| holds_defaults_only(world, group))
}

fn holds_defaults_only(world: &World, principal: Principal) -> bool {
    let mut bindings = world.index.bindings_of(principal).iter();
    bindings.all(|(binding, _)| is_default(world, *binding, principal))
}

/// Whether a binding gives a principal what the API server gives it on every start.
fn is_default(world: &World, binding: BindingIx, principal: Principal) -> bool {
    let binding = &world.bindings[binding.index()];
    let Some(role) = binding.role.map(|role| &world.roles[role.index()]) else { return true };
    let (name, role_name) = (world.text(binding.name), world.text(role.name));
    if name == "cluster-admin" {
        return matches!(principal, Principal::Group(_)) && is_called(world, principal, "masters");
    }
    let everything = role.rules.iter().any(|rule| {
        let rule = world.rules.get(rule.rule as usize);
        let all = |list: &[Sym]| list.iter().any(|s| world.text(*s) == "*");
        rule.is_some_and(|r| all(&r.verbs) && all(&r.resources) && all(&r.groups))
    });
    if everything {
        return false;
    }
    match principal {
        Principal::Account(account) => {
            let account = &world.accounts[account.index()];
            let ns = world.text(account.ns);
            let own = is_born_with(name, world.text(account.name), ns);
            own && (name == role_name || ns == OPENSHIFT_NAMESPACE)
        }
        Principal::User(user)
            if OF_DISTRIBUTIONS.contains(&(
                world.text(world.users[user.index()].1),
                name,
                role_name,
            )) =>
        {
            true
        }
        _ => name.starts_with("system:") && matches_role(name, role_name),
    }
}

fn is_called(world: &World, principal: Principal, name: &str) -> bool {
    let full = match principal {
        Principal::Group(group) => world.text(world.groups[group.index()].1),
        Principal::User(user) => world.text(world.users[user.index()].1),
        Principal::Account(_) | Principal::Node(_) => return false,
    };
    full.strip_prefix("system:") == Some(name)
}

/// Whether a binding of the API server's own is for an account of this name.
fn is_born_with(binding: &str, account: &str, ns: &str) -> bool {
    if ns == OPENSHIFT_NAMESPACE {
        return binding.starts_with("system:openshift:controller:")
            || binding.strip_prefix("system:").is_some_and(|of| of == account);
    }
    binding.strip_prefix("system:controller:") == Some(account)
        || binding.strip_prefix("system::leader-locking-").is_some_and(|of| {
            of == account
                || (of, account) == ("kube-controller-manager", "leader-election-controller")
        })
        || (binding, account) == ("system:kube-dns", "kube-dns")
}

/// Whether a binding of the API server's own is to this role: that of its name, with one exception.
fn matches_role(binding: &str, role: &str) -> bool {
    binding == role
        || (binding, role)
            == (
                "system::extension-apiserver-authentication-reader",
                "extension-apiserver-authentication-reader",
            )
}
