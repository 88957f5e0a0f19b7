//! Damaged and hostile text.

use super::{POD, Seen, dump, read_text, with};
use crate::input::SourceId;
use crate::input::sink::Hint;
use crate::input::split;
use proptest::prelude::*;

#[test]
fn a_bad_item_costs_itself() {
    for bad in [
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b","namespace":"n"},"spec":7}"#,
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b","namespace":"n"},"spec":***HIDDEN***}"#,
        "{\"apiVersion\":\"v1\",\n\"kind\":\"Pod,\n\"metadata\":{\"name\":\"b\"}\n}",
    ] {
        let text = format!("{{\"items\":[{POD},\n{bad},\n{POD}],\"kind\":\"List\"}}");
        let out = read_text(&text);
        assert_eq!(out.objects, ["Pod n/a", "Pod n/a"], "{bad}");
        assert_eq!(out.messages.len(), 1, "{bad}: {:?}", out.messages);
    }
    let lines =
        format!("{POD}\n{{\"kind\": \n{POD}\n{{\"metadata\":{{\"name\":\"a\\q\"}}}}\n{POD}\n");
    let out = read_text(&lines);
    assert_eq!(out.objects, ["Pod n/a"; 3]);
    assert_eq!(out.messages.len(), 2);
    let wrong = r#"{"items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b","namespace":"n"},"spec":7}]}"#;
    let said = &read_text(wrong).messages[0];
    assert!(said.starts_with("Pod `n/b`: invalid type"), "{said}");
}

#[test]
fn a_truncated_file_keeps_what_is_complete() {
    let text = format!(r#"{{"apiVersion":"v1","items":[{POD},{POD},{POD}],"kind":"List"}}"#);
    for end in 0..text.len() {
        let out = read_text(text.get(..end).unwrap());
        let complete = text.get(..end).unwrap().matches(r#""n"}}"#).count();
        assert_eq!(out.objects.len(), complete, "{end}");
        assert!(out.messages.len() <= 1, "{end}: {:?}", out.messages);
        assert!(out.messages.len() == 1 || end < 2, "{end}");
    }
}

#[test]
fn hostile_json_is_a_problem_or_two() {
    let deep = "[".repeat(100_000);
    let item = format!(r#"{{"apiVersion":"v1","kind":"Pod","spec":{}"#, r#"{"a":"#.repeat(100_000));
    let nested = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"b","labels":{}1{}}}}}"#,
        r#"{"a":"#.repeat(500),
        "}".repeat(500)
    );
    for text in [
        deep.as_bytes(),
        item.as_bytes(),
        nested.as_bytes(),
        b"{\"a\":\0\0\0}",
        b"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"\xff\xfe\"}}",
        b"{\"items\":[1,null,true,\"x\",[],[[[[[[[[1]]]]]]]],{}]}",
        b"{{{{{{",
        b"[[[{]]]",
        b"{\"\\ud800\":1}",
    ] {
        let out = with("dump", text, 64, 1 << 20);
        assert_eq!(out.objects.len(), 0);
        assert!(out.messages.len() <= 2, "{:?}", out.messages);
    }
    let mut bytes =
        b"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"\xff\"}}\n".to_vec();
    bytes.extend_from_slice(POD.as_bytes());
    assert_eq!(read_text(&bytes).objects, ["Pod n/a"]);
}

#[test]
fn text_that_is_broken_everywhere_takes_no_quadratic_time() {
    for line in ["{\"a\":\n", "[{\"a\":[\n", "{\"items\":[\n", "kind: {\n---\n", "- kind: [\n"] {
        let text = line.repeat((1 << 20) / line.len());
        let out = with("dump", text.as_bytes(), 1 << 20, 1 << 24);
        assert!(!out.messages.is_empty());
    }
}

#[test]
fn an_item_that_is_too_large_is_skipped() {
    let large = format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"b"}},"data":{{"a":"{}"}}}}"#,
        r#"{[\"x"#.repeat(1000)
    );
    let text = format!(r#"{{"items":[{POD},{large},{POD}],"kind":"List"}}"#);
    let out = with("dump", text.as_bytes(), 256, 1024);
    assert_eq!(out.objects, ["Pod n/a", "Pod n/a"]);
    assert_eq!(out.messages, ["a value is too large to be held"]);
}

#[test]
fn bad_yaml_costs_its_item_or_document() {
    let good = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: n}\n";
    for bad in [
        "kind: Secret\ndata:\n  x: ***HIDDEN***\n",
        "kind: {{ .Values.kind }}\n",
        "kind: Pod\n\tname: x\n",
        "a: *nowhere\nkind: Pod\n",
        "kind: Pod\na: [1, 2\n",
    ] {
        let documents = format!("{good}---\n{bad}---\n{good}");
        let out = read_text(&documents);
        assert_eq!(out.objects, ["Pod n/a", "Pod n/a"], "{bad}");
        assert_eq!(out.messages.len(), 1, "{bad}: {:?}", out.messages);
        let item = |text: &str| format!("- {}\n", text.trim_end().replace('\n', "\n  "));
        let list = format!("items:\n{}{}{}kind: List\n", item(good), item(bad), item(good));
        let out = read_text(&list);
        assert_eq!(out.objects, ["Pod n/a", "Pod n/a"], "{list}");
        assert_eq!(out.messages.len(), 1, "{bad}: {:?}", out.messages);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_panics_and_blocks_never_matter(
        pretty: bool,
        yaml: bool,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..4, any::<u8>()), 0..4),
        block in 600_usize..5000,
    ) {
        let mut bytes = if yaml {
            let value: serde_yaml::Value = serde_json::from_str(&dump(false)).unwrap();
            serde_yaml::to_string(&value).unwrap().into_bytes()
        } else {
            dump(pretty).into_bytes()
        };
        for (at, edit, byte) in edits {
            let at = at.index(bytes.len());
            match edit {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, b"\"{}[],:\n-"[usize::from(byte) % 9]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let whole = with("dump", &bytes, 1 << 20, 1 << 24);
        let pieces = with("dump", &bytes, block, 1 << 24);
        prop_assert_eq!(&whole.objects, &pieces.objects);
        prop_assert_eq!(&whole.offsets, &pieces.offsets);
        prop_assert_eq!(&whole.messages, &pieces.messages);
        let mut stream = &*bytes;
        let shared =
            split::read_blocks(2, &Seen::default, &mut stream, &Hint::None, SourceId(0), block);
        if let Some(workers) = shared {
            let mut objects: Vec<_> = workers.into_iter().flat_map(|w| w.collect.0).collect();
            objects.sort_by_key(|(_, offset)| *offset);
            let names: Vec<_> = objects.into_iter().map(|(name, _)| name).collect();
            prop_assert_eq!(&whole.objects, &names);
        }
    }
}
