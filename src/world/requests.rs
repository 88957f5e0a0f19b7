//! Requests that steps are made of, as admission sees them, and which of them a policy or a webhook
//! is asked about.
//!
//! Admission is asked about what writes and about what connects; it does not see reads. Source:
//! kubernetes apiserver `pkg/admission/plugin/webhook/predicates` and
//! `pkg/admission/plugin/policy/matching`.

use super::grants::Permission;

/// What a request does to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

impl Operation {
    /// As rules write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// A request that admission sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    pub operation: Operation,
    pub group: &'static str,
    pub resource: &'static str,
    /// Empty for the resource itself.
    pub part: &'static str,
    /// Its object lies in no namespace, and is none.
    pub cluster: bool,
}

/// Parts of a resource that one connects to, whatever the verb.
const CONNECTED: &[&str] = &["attach", "exec", "portforward", "proxy"];

/// What makes pods from a template, with the controller that creates them.
const MAKERS: &[(&str, &str, &str)] = &[
    ("", "replicationcontrollers", "replication-controller"),
    ("apps", "deployments", "replicaset-controller"),
    ("apps", "daemonsets", "daemon-set-controller"),
    ("apps", "statefulsets", "statefulset-controller"),
    ("apps", "replicasets", "replicaset-controller"),
    ("batch", "jobs", "job-controller"),
    ("batch", "cronjobs", "job-controller"),
];

impl Request {
    /// The creation of a pod.
    pub const NEW_POD: Self = Self {
        operation: Operation::Create,
        group: "",
        resource: "pods",
        part: "",
        cluster: false,
    };

    /// The request that a permission is used in; `None` if admission does not see it.
    #[must_use]
    pub fn by(permission: &Permission) -> Option<Self> {
        let Permission { verb, group, resource, subresource, cluster, .. } = *permission;
        let connects = matches!(resource, "pods" | "services" | "nodes")
            && group.is_empty()
            && CONNECTED.contains(&subresource);
        let operation = match verb {
            "create" | "get" | "update" | "patch" | "delete" if connects => Operation::Connect,
            "create" => Operation::Create,
            "update" | "patch" => Operation::Update,
            "delete" | "deletecollection" => Operation::Delete,
            _ => return None,
        };
        let cluster = cluster && resource != "namespaces";
        Some(Self { operation, group, resource, part: subresource, cluster })
    }

    /// The controller that creates the pods of its object.
    #[must_use]
    pub fn controller(&self) -> Option<&'static str> {
        let writes = matches!(self.operation, Operation::Create | Operation::Update);
        let row = MAKERS.iter().find(|(g, r, _)| (*g, *r) == (self.group, self.resource));
        row.filter(|_| writes && self.part.is_empty()).map(|(_, _, controller)| *controller)
    }

    /// Whether it makes a pod, or what makes pods.
    #[must_use]
    pub fn makes_pods(&self) -> bool {
        *self == Self::NEW_POD || self.controller().is_some()
    }

    /// Whether its object is of an API that Kubernetes brings along.
    #[must_use]
    pub fn is_of_kubernetes(&self) -> bool {
        !self.group.contains('.') || self.group.ends_with(".k8s.io")
    }

    /// Whether no webhook, or no policy of the API server either, is asked about it, so that
    /// admission can be repaired (`IsExemptAdmissionConfigurationResource`, `isPolicyResource`).
    #[must_use]
    pub fn is_exempt(&self, from_policies: bool) -> bool {
        let policies = matches!(
            self.resource,
            "validatingadmissionpolicies"
                | "validatingadmissionpolicybindings"
                | "mutatingadmissionpolicies"
                | "mutatingadmissionpolicybindings"
        );
        let hooks = matches!(
            self.resource,
            "validatingwebhookconfigurations" | "mutatingwebhookconfigurations"
        );
        self.group == "admissionregistration.k8s.io" && (policies || hooks && !from_policies)
    }

    /// As a person says it: `create pods/exec`.
    #[must_use]
    pub fn phrase(&self) -> String {
        let verb = match self.operation {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Delete => "delete",
            Operation::Connect => "connect to",
        };
        match self.part {
            "" => format!("{verb} {}", self.resource),
            part => format!("{verb} {}/{part}", self.resource),
        }
    }
}

/// Whether something is asked about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taken {
    No,
    /// It depends on the object.
    Perhaps,
    Yes,
}

/// One rule of what is asked about.
#[derive(Debug, Clone, Default)]
pub struct Wants {
    /// `*` is every one.
    pub operations: Box<[Box<str>]>,
    pub groups: Box<[Box<str>]>,
    /// Resource and part; `*` is every one, and an empty part the resource itself.
    pub resources: Box<[(Box<str>, Box<str>)]>,
    /// Only what lies in namespaces, or only what does not.
    pub namespaced: Option<bool>,
    /// Only objects of some names.
    pub named: bool,
}

impl Wants {
    fn takes(&self, request: &Request) -> bool {
        let any = |list: &[Box<str>], wanted: &str| {
            list.iter().any(|text| &**text == "*" || &**text == wanted)
        };
        let is = |text: &str, wanted: &str| text == "*" || text == wanted;
        // A namespace lies in none.
        let namespaced = !request.cluster && request.resource != "namespaces";
        self.namespaced.is_none_or(|n| n == namespaced)
            && any(&self.operations, request.operation.name())
            && any(&self.groups, request.group)
            && self.resources.iter().any(|(r, p)| is(r, request.resource) && is(p, request.part))
    }
}

/// What a policy or a webhook is asked about.
#[derive(Debug, Clone, Default)]
pub struct Asks {
    /// Empty: everything, as a binding without limits of its own is.
    pub wants: Box<[Wants]>,
    pub excluded: Box<[Wants]>,
    /// Only objects with some labels.
    pub labelled: bool,
}

impl Asks {
    /// Whether it is asked about a request.
    #[must_use]
    pub fn take(&self, request: &Request) -> Taken {
        let by = |list: &[Wants]| {
            let taken = list.iter().filter(|w| w.takes(request));
            taken.map(|w| if w.named { Taken::Perhaps } else { Taken::Yes }).max()
        };
        let wanted = match by(&self.wants) {
            None if self.wants.is_empty() => Taken::Yes,
            None => return Taken::No,
            Some(taken) => taken,
        };
        let left = match by(&self.excluded) {
            Some(Taken::Yes) => return Taken::No,
            Some(_) => Taken::Perhaps,
            None => wanted,
        };
        if !self.labelled {
            return left;
        }
        match request.operation {
            // What is sent to connect has no labels (`matchObject`).
            Operation::Connect => Taken::No,
            // Whoever makes an object chooses its labels.
            Operation::Create => Taken::No,
            Operation::Update | Operation::Delete => left.min(Taken::Perhaps),
        }
    }
}

/// The resource of a kind, as Kubernetes names them.
#[must_use]
pub fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.as_str() {
        "*" | "endpoints" => kind,
        _ if kind.ends_with('s') || kind.ends_with('x') => format!("{kind}es"),
        _ => match kind.strip_suffix('y') {
            Some(stem) if !kind.ends_with("way") => format!("{stem}ies"),
            _ => format!("{kind}s"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(verb: &'static str, resource: &'static str) -> Request {
        Request::by(&Permission::namespaced(verb, "", resource)).unwrap()
    }

    fn wants(operation: &str, resource: &str, part: &str) -> Wants {
        Wants {
            operations: [operation.into()].into(),
            groups: ["".into()].into(),
            resources: [(resource.into(), part.into())].into(),
            ..Wants::default()
        }
    }

    #[test]
    fn admission_sees_no_reads() {
        for verb in ["get", "list", "watch", "impersonate", "bind", "escalate", "use", "approve"] {
            assert_eq!(Request::by(&Permission::namespaced(verb, "", "secrets")), None, "{verb}");
        }
        assert_eq!(Request::by(&Permission::namespaced("get", "", "pods/log")), None);
        // A WebSocket asks for exec by `get`, and is a connection all the same.
        assert_eq!(request("get", "pods/exec").operation, Operation::Connect);
        assert_eq!(request("create", "nodes/proxy").operation, Operation::Connect);
        assert_eq!(request("create", "pods/eviction").operation, Operation::Create);
        assert_eq!(request("deletecollection", "pods").operation, Operation::Delete);
    }

    #[test]
    fn a_star_takes_no_parts() {
        let exec = request("create", "pods/exec");
        let takes = |r, p| wants("CONNECT", r, p).takes(&exec);
        assert!(
            takes("pods", "exec") && takes("*", "*") && takes("pods", "*") && takes("*", "exec")
        );
        assert!(!takes("*", "") && !takes("pods", ""));
        assert!(!wants("CREATE", "pods", "exec").takes(&exec));
        let token = request("create", "serviceaccounts/token");
        assert!(!wants("*", "*", "").takes(&token) && wants("*", "*", "*").takes(&token));
    }

    #[test]
    fn scopes_and_what_is_left_out() {
        let node = Request::by(&Permission::cluster("update", "", "nodes")).unwrap();
        let only = |namespaced| Wants { namespaced, ..wants("*", "*", "") };
        assert!(only(None).takes(&node) && only(Some(false)).takes(&node));
        assert!(!only(Some(true)).takes(&node));
        let named = Wants { named: true, ..wants("*", "nodes", "") };
        let asks = |wants: Wants, excluded: &[Wants]| {
            Asks { wants: [wants].into(), excluded: excluded.into(), labelled: false }.take(&node)
        };
        assert_eq!(asks(only(None), &[]), Taken::Yes);
        assert_eq!(asks(only(None), &[only(None)]), Taken::No);
        assert_eq!(asks(only(None), std::slice::from_ref(&named)), Taken::Perhaps);
        assert_eq!(asks(named, &[]), Taken::Perhaps);
    }

    #[test]
    fn a_selector_of_objects_is_no_bar_to_who_chooses_their_labels() {
        let labelled = Asks { labelled: true, ..Asks::default() };
        assert_eq!(labelled.take(&request("create", "pods")), Taken::No);
        assert_eq!(labelled.take(&request("create", "pods/exec")), Taken::No);
        assert_eq!(labelled.take(&request("patch", "pods")), Taken::Perhaps);
    }

    #[test]
    fn admission_does_not_lock_itself_in() {
        let on = |r| Request::by(&Permission::cluster("delete", "admissionregistration.k8s.io", r));
        let hooks = on("validatingwebhookconfigurations").unwrap();
        assert!(hooks.is_exempt(false) && !hooks.is_exempt(true));
        let policies = on("validatingadmissionpolicybindings").unwrap();
        assert!(policies.is_exempt(false) && policies.is_exempt(true));
    }

    #[test]
    fn kinds_and_their_resources() {
        for (kind, resource) in [
            ("Pod", "pods"),
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
            ("Endpoints", "endpoints"),
            ("Gateway", "gateways"),
            ("ServiceAccount", "serviceaccounts"),
        ] {
            assert_eq!(plural(kind), resource);
        }
    }
}
