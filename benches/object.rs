//! What every object has: its metadata, its owner, and the traces of who wrote it.

use serde_json::{Map, Value, json};

use crate::fields;
use crate::json::embedded;
use crate::random::{Random, uid};

/// The managers of objects that people and their pipelines write.
const PEOPLE: [&str; 4] = ["helm", "argocd-controller", "kubectl-edit", "terraform"];

/// Of a hundred objects that people write, those applied by `kubectl apply`.
/// Most objects of a cluster are written by controllers, so this makes it a tenth of all.
const APPLIED: usize = 20;

/// An object in the making.
pub(crate) struct Object {
    map: Map<String, Value>,
    kind: &'static str,
    namespace: String,
    random: Random,
    manager: Option<&'static str>,
}

impl Object {
    /// An empty `namespace` makes an object of the whole cluster.
    pub(crate) fn new(api_version: &str, kind: &'static str, namespace: &str, name: &str) -> Self {
        let mut random = Random::of(&["object", kind, namespace, name]);
        let mut metadata = json!({
            "creationTimestamp": random.moment(),
            "name": name,
            "resourceVersion": random.between(1_000_000, 99_999_999).to_string(),
            "uid": uid(kind, namespace, name),
        });
        if !namespace.is_empty() {
            metadata["namespace"] = namespace.into();
        }
        let mut map = Map::new();
        map.insert("apiVersion".into(), api_version.into());
        map.insert("kind".into(), kind.into());
        map.insert("metadata".into(), metadata);
        Self { map, kind, namespace: namespace.into(), random, manager: None }
    }

    /// Written by the controller called `manager`, not by people.
    pub(crate) fn by(mut self, manager: &'static str) -> Self {
        self.manager = Some(manager);
        self
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.map.insert(key.into(), value.into());
        self
    }

    pub(crate) fn meta(mut self, key: &str, value: impl Into<Value>) -> Self {
        if let Some(metadata) = self.map.get_mut("metadata") {
            metadata[key] = value.into();
        }
        self
    }

    pub(crate) fn owner(self, api_version: &str, kind: &str, name: &str) -> Self {
        // Nodes own their mirror pods, and have no namespace.
        let namespace = if kind == "Node" { "" } else { &self.namespace };
        let owner = json!([{
            "apiVersion": api_version,
            "blockOwnerDeletion": true,
            "controller": true,
            "kind": kind,
            "name": name,
            "uid": uid(kind, namespace, name),
        }]);
        self.meta("ownerReferences", owner)
    }

    /// The object with its `managedFields` and, now and then, its last applied configuration.
    ///
    /// What is added to the object later has no manager, as with what admission adds to a pod.
    pub(crate) fn finish(mut self) -> Value {
        let manager = self.manager.unwrap_or_else(|| {
            if self.random.chance(APPLIED) {
                self.apply();
                "kubectl-client-side-apply"
            } else {
                self.random.pick(&PEOPLE)
            }
        });
        let api_version = self.map.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        let moment = self.random.moment();
        let set = fields::of_object(&self.map);
        let mut entries = vec![fields::entry(manager, api_version, &moment, "", set)];
        if let Some(status) = self.map.get("status") {
            let keeper = match self.kind {
                "Pod" | "Node" => "kubelet",
                "Service" => "cloud-controller-manager",
                _ => "kube-controller-manager",
            };
            let set = fields::of_status(status);
            entries.push(fields::entry(keeper, api_version, &moment, "status", set));
        }
        self.meta("managedFields", entries).map.into()
    }

    fn apply(&mut self) {
        let mut source = self.map.clone();
        source.remove("status");
        if let Some(Value::Object(metadata)) = source.get_mut("metadata") {
            for key in ["creationTimestamp", "resourceVersion", "uid"] {
                metadata.remove(key);
            }
            metadata.entry("annotations").or_insert_with(|| json!({}));
        }
        let text = embedded(&source.into());
        if let Some(metadata) = self.map.get_mut("metadata") {
            metadata["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
                text.into();
        }
    }
}
