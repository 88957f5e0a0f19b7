//! Every shape of a good dump.

use super::{BARE, POD, named, read_text};
use crate::input::Skipped;

#[test]
fn every_shape_of_json() {
    for text in [
        format!(r#"{{"apiVersion":"v1","items":[{POD},{POD}],"kind":"List"}}"#),
        format!(r#"{{"kind":"PodList","apiVersion":"v1","items":[{BARE}, {BARE}]}}"#),
        format!(
            r#"{{"apiVersion":"v1","items":[{BARE},{BARE}],"kind":"PodList","metadata":{{}}}}"#
        ),
        format!("[{POD},\n{POD}]"),
        format!("{POD}{POD}"),
        format!("{POD}\n{POD}\n"),
        format!("\u{feff}{POD}\n{POD}"),
        format!(r#"{{"x":{POD},"y":{POD}}}"#),
        format!(r#"{{"pods":[{BARE},{BARE}],"error":null}}"#),
        format!(r#"{{"pods":{{"metadata":{{}},"items":[{BARE},{BARE}]}}}}"#),
        format!(
            r#"{{"kind":"List","apiVersion":"v1","items":[{{"kind":"List","items":[{POD},{POD}]}}]}}"#
        ),
        format!("W0418 deprecated\nWarning: old\n{POD}\n{POD}"),
        format!(
            "{POD}\n==== START logs for container a of pod n/a ====\n[2024] x\n{{\"level\":1}}\n{POD}\n\
             ==== END logs for container a of pod n/a ====\n{POD}"
        ),
    ] {
        let out = read_text(&text);
        assert_eq!(out.objects, ["Pod n/a", "Pod n/a"], "{text}");
        assert_eq!(out.messages, [""; 0], "{text}");
        for offset in out.offsets {
            let object = text.get(usize::try_from(offset).unwrap()..).unwrap();
            assert!(object.starts_with('{'), "{object}");
        }
    }
}

/// A field may bear the plural of a kind without being a list of its objects.
#[test]
fn fields_that_look_like_lists_of_objects_are_none() {
    let constraints = r#"{"allowHostDirVolumePlugin":false,"apiVersion":"security.openshift.io/v1",
        "groups":["g"],"kind":"SecurityContextConstraints","metadata":{"name":"a"},"users":[]}"#;
    for text in [constraints.to_owned(), constraints.replace(r#"["g"]"#, "[]")] {
        let out = read_text(&text);
        assert_eq!(out.objects, ["SecurityContextConstraints /a"], "{text}");
    }
    // As kubectl sorts keys, as the API server writes them, and by others.
    for slice in [
        r#"{"addressType":"IPv4","apiVersion":"discovery.k8s.io/v1","endpoints":[{"addresses":["10.0.0.1"]}],
            "kind":"EndpointSlice","metadata":{"name":"a"},"ports":[]}"#,
        r#"{"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"a"},
            "addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]}]}"#,
        r#"{"apiVersion":"discovery.k8s.io/v1","endpoints":[{"addresses":["10.0.0.1"]}],
            "kind":"EndpointSlice","metadata":{"name":"a"},"addressType":"IPv4"}"#,
    ] {
        let out = read_text(slice);
        assert_eq!(out.objects, ["EndpointSlice /a"], "{slice}");
    }
    let groups = r#"{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps"}]}"#;
    let out = read_text(format!("{groups}{POD}"));
    assert_eq!(out.objects, ["Pod n/a"]);
    assert_eq!(out.messages, [""; 0]);
}

#[test]
fn the_file_tells_the_kind_where_nothing_else_does() {
    let list = format!(r#"{{"metadata":{{}},"items":[{BARE}]}}"#);
    assert_eq!(named("d/n/pods.json", &list).objects, ["Pod n/a"]);
    assert_eq!(named("d/pods.json", format!("[{BARE}]")).objects, ["Pod n/a"]);
    assert_eq!(named("d/pods/n/a.json", BARE).objects, ["Pod n/a"]);
    assert_eq!(
        named("d/pods.yaml", "items:\n- metadata: {name: a, namespace: n}\n").objects,
        ["Pod n/a"]
    );
    let lost = named("d/all.json", &list);
    assert_eq!(lost.objects, [""; 0]);
    assert!(lost.messages[0].starts_with("an object without a kind"), "{:?}", lost.messages);
    for text in
        [format!("[{BARE},{BARE}]"), "- metadata: {name: a}\n- metadata: {name: b}\n".into()]
    {
        let lost = named("d/all", text);
        assert!(lost.messages[0].starts_with("2 objects without a kind"), "{:?}", lost.messages);
    }
    // The list's own kind outranks the file's name, also where it is one that is not read.
    let foreign = r#"{"kind":"PodMetricsList","apiVersion":"metrics.k8s.io/v1","items":[{"metadata":{"name":"a"}}]}"#;
    let out = named("d/pods.json", foreign);
    assert_eq!((out.objects.len(), out.unknown), (0, vec!["metrics.k8s.io/PodMetrics".to_owned()]));
}

#[test]
fn lists_without_items_are_finds() {
    for text in [
        r#"{"kind":"PodList","apiVersion":"v1","items":null}"#,
        r#"{"kind":"PodList","apiVersion":"v1","items":[]}"#,
        r#"{"kind":"PodList","apiVersion":"v1","metadata":{}}"#,
        "apiVersion: v1\nitems: []\nkind: List\n",
    ] {
        let out = read_text(text);
        assert_eq!((out.objects.len(), out.messages.len()), (0, 0), "{text}");
        assert_eq!(out.skipped.files, 0, "{text}");
    }
}

#[test]
fn what_stands_in_place_of_objects_is_said() {
    for (text, said) in [
        (
            r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"pods is forbidden"}"#,
            "pods is forbidden",
        ),
        (r#"{"error":true}"#, "noted an error"),
        (r#"{"ListMeta":{},"Items":[{"ObjectMeta":{"Name":"a"}}]}"#, "kubectl before 1.10"),
        ("<html><body>502</body></html>", "HTML"),
        ("no dump", "neither JSON nor YAML"),
        ("(\u{b5}/\u{fd}", "neither"),
    ] {
        let out = named("pods.json", text);
        assert_eq!(out.messages.len(), 1, "{text}: {:?}", out.messages);
        assert!(out.messages[0].contains(said), "{text}: {:?}", out.messages);
    }
    assert_eq!(named("pods.json", "").skipped, Skipped { empty: 1, ..Skipped::default() });
    let other = named("readme", "<html></html>");
    assert_eq!((other.messages.len(), other.skipped.files), (0, 1));
    assert_eq!(read_text(r#"{"run_id":"x","cluster":{"name":"c"}}"#).skipped.files, 1);
    assert_eq!(read_text(r#"[{"verbs":["get"]}]"#).skipped.files, 1);
}

#[test]
fn every_shape_of_yaml() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: n}\n";
    let item = "apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n    namespace: n\n";
    for text in [
        format!("{pod}---\n{pod}"),
        format!("# comment\n---\n{pod}...\n--- # second\n{pod}---\n"),
        format!("%YAML 1.1\n---\n{pod}\n---\n\n---\n{pod}"),
        format!("apiVersion: v1\nitems:\n- {item}- {item}kind: List\n"),
        format!("apiVersion: v1\nkind: List\nitems:\n\n# one\n- {item}\n# two\n- {item}"),
        format!("- {item}- {item}"),
        format!("kind: List\nitems:\n  - {0}  - {0}", item.replace("\n  ", "\n    ")),
        format!("apiVersion: v1\nitems: [{POD}, {POD}]\nkind: List\n"),
        "x: &x {name: a, namespace: n}\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: *x\n\
             - apiVersion: v1\n  kind: Pod\n  metadata:\n    <<: *x\n    name: a\nkind: List\n"
            .to_owned(),
        format!(
            "{pod}==== START logs for x ====\nkind: Pod\n---\n==== END logs for x ====\n---\n{pod}"
        ),
    ] {
        let out = read_text(&text);
        assert_eq!(out.objects, ["Pod n/a", "Pod n/a"], "{text}");
        assert_eq!(out.messages, [""; 0], "{text}");
    }
}
