//! Replicas: a pod whose specification is that of the pod before it.
//!
//! A dump is sorted by name, so that the pods of a workload stand side by side, and their
//! specifications differ in two things: the node, and what the API server calls the volume of the
//! token, `kube-api-access-x7k2p`. Where the text is the same but for these, it is neither parsed
//! nor lowered again: four pods of five in a big cluster.

use super::quick::{Like, Model};
use super::scalar::Str;
use super::workload::PodSpec;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

/// What the API server begins the name of the token's volume with.
const TOKEN: &str = "kube-api-access-";

/// A specification, for all pods that have it.
#[derive(Debug, Default)]
pub struct SharedSpec<'a> {
    /// Its `nodeName` is that of the first of them.
    pub spec: PodSpec<'a>,
    /// What the collector made of it, for the others.
    pub lowered: Cell<Option<u32>>,
}

/// The specification of a pod, which may be that of the pod before it but for the node.
#[derive(Debug, Default)]
pub struct OfPod<'a> {
    pub shared: Rc<SharedSpec<'a>>,
    pub node_name: Str<'a>,
    /// It is to be taken from the pod before.
    repeats: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for OfPod<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Either<'a> {
            type Value = OfPod<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the specification of a pod")
            }
            fn visit_borrowed_str<E>(self, node: &'de str) -> Result<OfPod<'a>, E> {
                let node_name = Str(Cow::Borrowed(node));
                Ok(OfPod { shared: Rc::default(), node_name, repeats: true })
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                json: D,
            ) -> Result<OfPod<'a>, D::Error> {
                let spec = Option::<PodSpec<'a>>::deserialize(json)?.unwrap_or_default();
                let node_name = spec.node_name.clone();
                let shared = Rc::new(SharedSpec { spec, lowered: Cell::default() });
                Ok(OfPod { shared, node_name, repeats: false })
            }
        }
        deserializer.deserialize_newtype_struct(Like::NAME, Either(std::marker::PhantomData))
    }
}

/// The specification of the pod that was read last.
#[derive(Debug, Default)]
pub struct Replicas<'t> {
    shared: Rc<SharedSpec<'t>>,
    model: Model<'t>,
}

impl<'t> Replicas<'t> {
    /// What the specification of the next pod is compared with.
    pub(super) const fn model(&self) -> &Model<'t> {
        &self.model
    }

    /// Gives a pod the specification that it repeats, or keeps its own, which stands in `text`.
    pub(super) fn settle(&mut self, pod: &mut OfPod<'t>, text: &'t str) {
        if pod.repeats {
            pod.shared = Rc::clone(&self.shared);
        } else {
            self.shared = Rc::clone(&pod.shared);
            self.model = model(&pod.shared.spec, text).unwrap_or_default();
        }
    }
}

/// The text of a specification with what may differ left open.
fn model<'t>(spec: &PodSpec<'t>, text: &'t str) -> Option<Model<'t>> {
    let of_token = |name: &Str<'t>| name.starts_with(TOKEN);
    let mut volumes = spec.volumes.iter().map(|v| &v.name).filter(|name| of_token(name));
    let token = volumes.next();
    // With two of them it would matter which is which.
    if volumes.next().is_some() {
        return None;
    }
    let lists = [&spec.containers, &spec.init_containers, &spec.ephemeral_containers];
    let mounts = || lists.into_iter().flat_map(|list| list.iter());
    let mounted = mounts().flat_map(|c| c.volume_mounts.iter().map(|m| &m.name));
    let devices = mounts().flat_map(|c| c.volume_devices.iter().map(|d| &d.name));
    let names = token.into_iter().chain(mounted.chain(devices).filter(|name| of_token(name)));
    // What is called like it and is not it might be it in a replica.
    let open = |name: &Str<'t>| {
        let same = token.is_some_and(|token| **token == **name);
        Some((place(name, text).filter(|_| same)?, false))
    };
    let mut open: Vec<(Range<usize>, bool)> = names.map(open).collect::<Option<_>>()?;
    if !spec.node_name.is_empty() {
        open.push((place(&spec.node_name, text)?, true));
    }
    open.sort_unstable_by_key(|(range, _)| range.start);
    Model::new(text, open, TOKEN)
}

/// Where in a text a name stands that was borrowed from it.
fn place(name: &Str<'_>, text: &str) -> Option<Range<usize>> {
    let Cow::Borrowed(name) = name.0 else { return None };
    let start = (name.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start + name.len();
    (text.get(start..end)? == name).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k8s::{Body, ObjectSeed};

    fn pod(node: &str, token: &str, more: &str) -> String {
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{{"containers":[
            {{"name":"c","volumeMounts":[{{"mountPath":"/t","name":"{token}"}}]{more}}}],
            "nodeName":"{node}","volumes":[{{"name":"{token}","emptyDir":{{}}}}]}}}}"#
        )
    }

    /// Whether each pod repeats the one before it, and its node.
    fn read(texts: &[String]) -> Vec<(bool, String)> {
        let mut replicas = Replicas::default();
        let mut last = Rc::default();
        texts
            .iter()
            .map(|text| {
                let (object, length) = ObjectSeed::default().quick(text, &mut replicas).unwrap();
                assert_eq!(length, text.len());
                let Body::Pod(of, _) = object.body else { panic!("not a pod") };
                let same =
                    Rc::ptr_eq(&std::mem::replace(&mut last, Rc::clone(&of.shared)), &of.shared);
                (same, of.node_name.to_string())
            })
            .collect()
    }

    #[test]
    fn a_replica_differs_in_its_node_and_the_name_of_its_token() {
        let texts = [
            pod("a", "kube-api-access-11111", ""),
            pod("other.node", "kube-api-access-2b2b2", ""),
            pod("a", "kube-api-access-11111", r#","image":"x""#),
            pod("b", "kube-api-access-33333", r#","image":"x""#),
        ];
        let expected = [(false, "a"), (true, "other.node"), (false, "a"), (true, "b")];
        assert_eq!(read(&texts), expected.map(|(same, node)| (same, node.to_owned())));
    }

    #[test]
    fn what_else_differs_makes_another_specification() {
        let first = pod("a", "kube-api-access-11111", "");
        for other in [
            // Volumes of the cluster's users may be called alike, and then are told apart.
            pod("a", "data", ""),
            pod("a", "kube-api-access-11111", r#","image":"x""#),
            // One mount is of another volume.
            pod("a", "kube-api-access-22222", "").replacen("22222", "33333", 1),
            pod(r"a\u0062", "kube-api-access-11111", ""),
        ] {
            assert!(!read(&[first.clone(), other.clone()])[1].0, "{other}");
        }
        // A name that is not the volume's may become it, and is not compared with.
        let dangling = r#","volumeDevices":[{"name":"kube-api-access-22222"}]"#;
        let two =
            ["11111", "22222"].map(|end| pod("a", &format!("kube-api-access-{end}"), dangling));
        assert!(!read(&two)[1].0);
        // Where the name means something else, it is not left open.
        let named = |end: &str| {
            let more =
                format!(r#","envFrom":[{{"secretRef":{{"name":"kube-api-access-{end}"}}}}]"#);
            pod("a", "kube-api-access-11111", &more)
        };
        assert!(!read(&[named("11111"), named("22222")])[1].0);
        assert!(read(&[named("11111"), named("11111")])[1].0);
    }
}
