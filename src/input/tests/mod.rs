//! What real dumps do, and what hostile ones might: each shape as a small input.

mod broken;
mod shapes;
mod sources;

use super::sink::Worker;
use super::window::Window;
use super::{Collect, Origin, Skipped, SourceId, text};
use crate::k8s::{Kind, Object};

/// Objects as text, and where they began.
#[derive(Debug, Default)]
struct Seen(Vec<(String, u64)>);

impl Collect for Seen {
    fn object(&mut self, object: Object<'_>, origin: Origin) {
        let kind = object.kind.map_or("?", Kind::name);
        let meta = &object.meta;
        let text = format!("{kind} {}/{}", &*meta.namespace, &*meta.name);
        self.0.push((text, origin.offset));
    }
}

struct Out {
    objects: Vec<String>,
    offsets: Vec<u64>,
    unknown: Vec<String>,
    messages: Vec<String>,
    skipped: Skipped,
}

fn with(name: &str, bytes: &[u8], block: usize, limit: usize) -> Out {
    let mut worker = Worker::new(Seen::default());
    let mut stream = bytes;
    let mut window = Window::with_sizes(&mut stream, Vec::new(), block, limit);
    text::read(&mut window, name, false, &mut worker.sink(SourceId(0)));
    let (objects, offsets) = worker.collect.0.into_iter().unzip();
    Out {
        objects,
        offsets,
        unknown: worker.tally.unknown.into_keys().map(|(g, k)| format!("{g}/{k}")).collect(),
        messages: worker.tally.faults.into_iter().map(|fault| fault.message).collect(),
        skipped: worker.tally.skipped,
    }
}

/// Reads text at several block sizes, which must not matter, under a name.
fn named(name: &str, text: impl AsRef<[u8]>) -> Out {
    let bytes = text.as_ref();
    let whole = with(name, bytes, 1 << 20, 1 << 24);
    // The first block must hold what tells the format.
    for block in [64, 113, 700, 4096] {
        let out = with(name, bytes, block.max(bytes.len().min(64)), 1 << 24);
        assert_eq!(out.objects, whole.objects, "blocks of {block}");
        assert_eq!(out.offsets, whole.offsets, "blocks of {block}");
        assert_eq!(out.messages, whole.messages, "blocks of {block}");
    }
    whole
}

fn read_text(text: impl AsRef<[u8]>) -> Out {
    named("dump", text)
}

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"n"}}"#;
const BARE: &str = r#"{"metadata":{"name":"a","namespace":"n"},"spec":{}}"#;

/// A dump with what makes cutting hard: strings full of JSON, nested references, odd spaces.
fn dump(pretty: bool) -> String {
    let items: Vec<_> = (0..40)
        .map(|index| {
            serde_json::json!({
                "apiVersion": if index % 3 == 0 { "v1" } else { "rbac.authorization.k8s.io/v1" },
                "kind": if index % 3 == 0 { "Pod" } else { "Role" },
                "metadata": {
                    "name": format!("o{index}"),
                    "annotations": {"a": "},{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{"},
                    "managedFields": [
                        {"apiVersion": "v1", "fieldsType": "x"},
                        {"apiVersion": "v1", "fieldsType": "y"}
                    ],
                    "ownerReferences": [
                        {"apiVersion": "v1", "kind": "Node", "name": "x"},
                        {"apiVersion": "v1", "kind": "Node", "name": "y"}
                    ],
                },
                "rules": [],
                "status": {"x": "é\u{1f9c0}\\\"", "n": [-1.5e3, true, null, {}]},
            })
        })
        .collect();
    let list = serde_json::json!({"apiVersion": "v1", "items": items, "kind": "List"});
    if pretty { serde_json::to_string_pretty(&list).unwrap() } else { list.to_string() }
}
