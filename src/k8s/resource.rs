//! The resources that Kubernetes itself serves, each with its group, where it lives, its short names
//! and its subresources, as `kubectl api-resources` names them.
//!
//! The table holds those of the releases 1.24 to 1.36, whether or not a release serves them without
//! a feature gate. Among them stand two that are no objects and that rules name all the same:
//! `signers`, and the parts of a node that only its kubelet serves and asks about.

/// A resource that Kubernetes serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    pub group: &'static str,
    pub plural: &'static str,
    pub kind: &'static str,
    /// kubectl's short names.
    pub short: &'static [&'static str],
    pub namespaced: bool,
    pub subresources: &'static [&'static str],
    /// Served behind a feature gate alone, under a name that other APIs bear too.
    pub gated: bool,
}

impl Resource {
    /// The resources that somebody means who types a plural, a kind or a short name, in any case.
    pub fn typed(text: &str) -> impl Iterator<Item = &'static Self> {
        RESOURCES.iter().filter(move |r| r.is_typed(text))
    }

    /// Every resource, by group and plural.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        RESOURCES.iter()
    }

    /// The resource of a plural in a group.
    #[must_use]
    pub fn of(group: &str, plural: &str) -> Option<&'static Self> {
        RESOURCES.iter().find(|r| r.group == group && r.plural == plural)
    }

    fn is_typed(&self, text: &str) -> bool {
        self.plural.eq_ignore_ascii_case(text)
            || self.kind.eq_ignore_ascii_case(text)
            || self.short.iter().any(|short| short.eq_ignore_ascii_case(text))
    }

    const fn gated(self) -> Self {
        Self { gated: true, ..self }
    }
}

type Texts = &'static [&'static str];

/// One that lives in namespaces.
const fn inside(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    short: Texts,
    subresources: Texts,
) -> Resource {
    Resource { group, plural, kind, short, namespaced: true, subresources, gated: false }
}

/// One that lives outside them.
const fn wide(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    short: Texts,
    subresources: Texts,
) -> Resource {
    Resource { group, plural, kind, short, namespaced: false, subresources, gated: false }
}

#[rustfmt::skip]
static RESOURCES: &[Resource] = &[
    inside("", "bindings", "Binding", &[], &[]),
    wide("", "componentstatuses", "ComponentStatus", &["cs"], &[]),
    inside("", "configmaps", "ConfigMap", &["cm"], &[]),
    inside("", "endpoints", "Endpoints", &["ep"], &[]),
    inside("", "events", "Event", &["ev"], &[]),
    inside("", "limitranges", "LimitRange", &["limits"], &[]),
    wide("", "namespaces", "Namespace", &["ns"], &["finalize", "status"]),
    wide("", "nodes", "Node", &["no"], &["checkpoint", "configz", "healthz", "log", "metrics", "pods", "proxy", "spec", "stats", "status"]),
    inside("", "persistentvolumeclaims", "PersistentVolumeClaim", &["pvc"], &["status"]),
    wide("", "persistentvolumes", "PersistentVolume", &["pv"], &["status"]),
    inside("", "pods", "Pod", &["po"], &["attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize", "status"]),
    inside("", "podtemplates", "PodTemplate", &[], &[]),
    inside("", "replicationcontrollers", "ReplicationController", &["rc"], &["scale", "status"]),
    inside("", "resourcequotas", "ResourceQuota", &["quota"], &["status"]),
    inside("", "secrets", "Secret", &[], &[]),
    inside("", "serviceaccounts", "ServiceAccount", &["sa"], &["token"]),
    inside("", "services", "Service", &["svc"], &["proxy", "status"]),
    wide("admissionregistration.k8s.io", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", &[], &[]),
    wide("admissionregistration.k8s.io", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", &[], &[]),
    wide("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", &[], &[]),
    wide("admissionregistration.k8s.io", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", &[], &["status"]),
    wide("admissionregistration.k8s.io", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", &[], &[]),
    wide("admissionregistration.k8s.io", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", &[], &[]),
    wide("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", &["crd", "crds"], &["status"]),
    wide("apiregistration.k8s.io", "apiservices", "APIService", &[], &["status"]),
    inside("apps", "controllerrevisions", "ControllerRevision", &[], &[]),
    inside("apps", "daemonsets", "DaemonSet", &["ds"], &["status"]),
    inside("apps", "deployments", "Deployment", &["deploy"], &["scale", "status"]),
    inside("apps", "replicasets", "ReplicaSet", &["rs"], &["scale", "status"]),
    inside("apps", "statefulsets", "StatefulSet", &["sts"], &["scale", "status"]),
    wide("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", &[], &[]),
    wide("authentication.k8s.io", "tokenreviews", "TokenReview", &[], &[]),
    inside("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview", &[], &[]),
    wide("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", &[], &[]),
    wide("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview", &[], &[]),
    wide("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview", &[], &[]),
    inside("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", &["hpa"], &["status"]),
    inside("batch", "cronjobs", "CronJob", &["cj"], &["status"]),
    inside("batch", "jobs", "Job", &[], &["status"]),
    wide("certificates.k8s.io", "certificatesigningrequests", "CertificateSigningRequest", &["csr"], &["approval", "status"]),
    wide("certificates.k8s.io", "clustertrustbundles", "ClusterTrustBundle", &[], &[]),
    inside("certificates.k8s.io", "podcertificaterequests", "PodCertificateRequest", &[], &["status"]),
    wide("certificates.k8s.io", "signers", "Signer", &[], &[]),
    inside("coordination.k8s.io", "leasecandidates", "LeaseCandidate", &[], &[]),
    inside("coordination.k8s.io", "leases", "Lease", &[], &[]),
    inside("discovery.k8s.io", "endpointslices", "EndpointSlice", &[], &[]),
    inside("events.k8s.io", "events", "Event", &["ev"], &[]),
    wide("flowcontrol.apiserver.k8s.io", "flowschemas", "FlowSchema", &[], &["status"]),
    wide("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", "PriorityLevelConfiguration", &[], &["status"]),
    wide("internal.apiserver.k8s.io", "storageversions", "StorageVersion", &[], &["status"]),
    wide("networking.k8s.io", "clustercidrs", "ClusterCIDR", &["cc"], &[]).gated(),
    wide("networking.k8s.io", "ingressclasses", "IngressClass", &[], &[]),
    inside("networking.k8s.io", "ingresses", "Ingress", &["ing"], &["status"]),
    wide("networking.k8s.io", "ipaddresses", "IPAddress", &["ip"], &[]),
    inside("networking.k8s.io", "networkpolicies", "NetworkPolicy", &["netpol"], &["status"]),
    wide("networking.k8s.io", "servicecidrs", "ServiceCIDR", &[], &["status"]),
    wide("node.k8s.io", "runtimeclasses", "RuntimeClass", &[], &[]),
    inside("policy", "poddisruptionbudgets", "PodDisruptionBudget", &["pdb"], &["status"]),
    wide("policy", "podsecuritypolicies", "PodSecurityPolicy", &["psp"], &[]),
    wide("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding", &[], &[]),
    wide("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", &[], &[]),
    inside("rbac.authorization.k8s.io", "rolebindings", "RoleBinding", &[], &[]),
    inside("rbac.authorization.k8s.io", "roles", "Role", &[], &[]),
    wide("resource.k8s.io", "deviceclasses", "DeviceClass", &[], &[]),
    wide("resource.k8s.io", "devicetaintrules", "DeviceTaintRule", &[], &["status"]),
    inside("resource.k8s.io", "podschedulingcontexts", "PodSchedulingContext", &[], &["status"]),
    inside("resource.k8s.io", "resourceclaimparameters", "ResourceClaimParameters", &[], &[]),
    inside("resource.k8s.io", "resourceclaims", "ResourceClaim", &[], &["binding", "driver", "status"]),
    inside("resource.k8s.io", "resourceclaimtemplates", "ResourceClaimTemplate", &[], &[]),
    wide("resource.k8s.io", "resourceclasses", "ResourceClass", &[], &[]),
    inside("resource.k8s.io", "resourceclassparameters", "ResourceClassParameters", &[], &[]),
    wide("resource.k8s.io", "resourcepoolstatusrequests", "ResourcePoolStatusRequest", &[], &["status"]),
    wide("resource.k8s.io", "resourceslices", "ResourceSlice", &[], &[]),
    inside("scheduling.k8s.io", "podgroups", "PodGroup", &[], &["status"]).gated(),
    wide("scheduling.k8s.io", "priorityclasses", "PriorityClass", &["pc"], &[]),
    inside("scheduling.k8s.io", "workloads", "Workload", &[], &[]).gated(),
    wide("storage.k8s.io", "csidrivers", "CSIDriver", &[], &[]),
    wide("storage.k8s.io", "csinodes", "CSINode", &[], &[]),
    inside("storage.k8s.io", "csistoragecapacities", "CSIStorageCapacity", &[], &[]),
    wide("storage.k8s.io", "storageclasses", "StorageClass", &["sc"], &[]),
    wide("storage.k8s.io", "volumeattachments", "VolumeAttachment", &[], &["status"]),
    wide("storage.k8s.io", "volumeattributesclasses", "VolumeAttributesClass", &["vac"], &[]),
    wide("storagemigration.k8s.io", "storageversionmigrations", "StorageVersionMigration", &[], &["status"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_order_and_once() {
        let keys: Vec<_> = RESOURCES.iter().map(|r| (r.group, r.plural)).collect();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(keys, sorted);
    }

    #[test]
    fn a_resource_is_typed_by_plural_kind_or_short_name() {
        let typed = |text: &str| Resource::typed(text).map(|r| (r.group, r.plural)).next();
        assert_eq!(typed("po"), Some(("", "pods")));
        assert_eq!(typed("RuntimeClass"), Some(("node.k8s.io", "runtimeclasses")));
        assert_eq!(typed("endpointslices"), Some(("discovery.k8s.io", "endpointslices")));
        assert_eq!(typed("ev"), Some(("", "events")), "the core group comes first");
        assert_eq!(typed("users"), None, "no object is one");
    }

    /// Both tables name resources; where they speak of the same one they say the same.
    #[test]
    fn kinds_agree_with_resources() {
        use crate::k8s::Kind;
        for kind in Kind::served() {
            if let Some(row) = Resource::of(kind.group(), kind.plural()) {
                assert_eq!(row.kind, kind.name());
                assert_eq!(row.namespaced, kind.is_namespaced(), "{}", kind.name());
            }
        }
    }
}
