//! What real dumps do, and what hostile ones might: each shape as a small input.

use super::sink::{Hint, Worker};
use super::window::Window;
use super::*;
use crate::k8s::Kind;
use proptest::prelude::*;
use std::io::Write;

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
    assert!(lost.messages[0].starts_with("1 items without a kind"), "{:?}", lost.messages);
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

#[test]
fn utf16_and_gzip_are_layers() {
    let list = format!(r#"{{"items":[{POD}],"kind":"List"}}"#);
    let mut wide = vec![0xff, 0xfe];
    list.encode_utf16().for_each(|unit| wide.extend(unit.to_le_bytes()));
    assert_eq!(read_text(&wide).objects, ["Pod n/a"]);
    let mut twice = gzip(list.as_bytes());
    twice.extend(gzip(list.as_bytes()));
    assert_eq!(read_text(&twice).objects, ["Pod n/a", "Pod n/a"]);
    assert_eq!(read_text(gzip(&wide)).objects, ["Pod n/a"]);
    let cut = gzip(format!("{list}\n").repeat(2000).as_bytes());
    let out = read_text(&cut[..cut.len() - 20]);
    assert!(out.objects.len() > 100);
    assert_eq!(out.messages, ["the compressed data ends early"]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tarball(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        // A name that the library would refuse is written by hand.
        if name.len() < 100 {
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        } else {
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
    }
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    builder.append_link(&mut link, "link.json", "/etc/passwd").unwrap();
    builder.into_inner().unwrap()
}

fn zipball(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn paths(inputs: &[&Path]) -> Vec<Input> {
    inputs.iter().map(|path| Input::Path((*path).to_owned())).collect()
}

/// What a reading gives, without what may differ between numbers of threads.
fn reading(inputs: &[Input], threads: usize) -> (Vec<String>, Vec<String>, Vec<Problem>, Skipped) {
    let reading = read(inputs, threads, Seen::default, &|_| ()).unwrap();
    let mut objects: Vec<_> =
        reading.collectors.into_iter().flat_map(|seen| seen.0).map(|(text, _)| text).collect();
    objects.sort();
    assert_eq!(objects.len() as u64, reading.objects);
    (objects, reading.sources, reading.problems, reading.skipped)
}

#[test]
fn folders_and_archives_read_the_same_in_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let list = format!(r#"{{"metadata":{{}},"items":[{BARE}]}}"#);
    let long = format!("{}/pods.json", "deep/".repeat(40));
    let members: &[(&str, &[u8])] = &[
        ("z/pods.json", list.as_bytes()),
        ("./a/nodes.json", br#"{"items":[{"metadata":{"name":"x"}},7,{"metadata":8}]}"#),
        ("a/inner.tar.gz", b"\x1f\x8b"),
        ("a/pods.json.gz", &gzip(list.as_bytes())),
        ("../out.json", list.as_bytes()),
        ("a.log", b"{}"),
        (&long, list.as_bytes()),
    ];
    fs::write(root.join("b.tar.gz"), gzip(&tarball(members))).unwrap();
    fs::write(root.join("c.tar"), tarball(members)).unwrap();
    fs::write(root.join("d.zip"), zipball(members)).unwrap();
    fs::create_dir(root.join("n")).unwrap();
    fs::write(root.join("n/pods.json"), &list).unwrap();
    fs::write(root.join("n/LICENSE"), "free").unwrap();
    fs::write(root.join("n/x.png"), "\u{89}PNG").unwrap();
    fs::write(root.join("n/bad.json"), format!("[{POD},\n\n{{\"kind\":1}}")).unwrap();
    let one = reading(&paths(&[root]), 1);
    assert_eq!(one, reading(&paths(&[root]), 2));
    assert_eq!(one, reading(&paths(&[root]), 5));
    let (objects, sources, problems, skipped) = one;
    assert_eq!(objects.iter().filter(|o| *o == "Pod n/a").count(), 3 * 3 + 2);
    assert_eq!(objects.iter().filter(|o| *o == "Node /x").count(), 3);
    assert!(sources.iter().any(|name| name.ends_with("b.tar.gz:a/nodes.json")), "{sources:?}");
    assert_eq!(skipped, Skipped { files: 5, empty: 0, archives: 3, links: 2 });
    let said: Vec<_> = problems.iter().map(|p| format!("{} {}", p.place, p.message)).collect();
    assert_eq!(problems.len(), 7, "{said:#?}");
    assert_eq!(said.iter().filter(|m| m.contains("leaves the archive")).count(), 3);
    assert_eq!(said.iter().filter(|m| m.starts_with("line 1 invalid type")).count(), 3);
    assert_eq!(said.iter().filter(|m| m.starts_with("line 3 ")).count(), 1);
}

#[test]
fn what_is_not_there_is_an_error_with_help() {
    let error = read(&paths(&[Path::new("no/such")]), 2, Seen::default, &|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "cannot find `no/such`");
    assert!(error.help().is_some_and(|help| help.contains("kubectl")));
}

#[test]
fn lines_are_found_inside_archives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.tar.gz");
    let yaml = b"kind: List\nitems:\n- kind: Role\n  rules:\n  - verbs: [get]\n";
    fs::write(&path, gzip(&tarball(&[("x.json", b"{}"), ("./a:b/c.yaml", yaml)]))).unwrap();
    let sources = [format!("{}:a:b/c.yaml", path.display())];
    assert_eq!(lines(&sources, &[(SourceId(0), 18, ".rules[0]")]), [Some(5)]);
}

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

#[test]
fn a_list_read_by_several_threads_is_the_same_list() {
    for text in [dump(true), dump(false), dump(false).replace("\":", "\": ").replace(",{", ", {")] {
        let whole = with("dump", text.as_bytes(), 1 << 20, 1 << 24);
        assert_eq!(whole.objects.len(), 40);
        for block in [900, 1500, 4000, 1 << 20] {
            let mut bytes = text.as_bytes();
            let workers =
                split::read_blocks(3, &Seen::default, &mut bytes, &Hint::None, SourceId(0), block)
                    .expect("the guesses were right");
            assert_eq!(workers.iter().map(|w| w.tally.faults.len()).sum::<usize>(), 0);
            let mut objects: Vec<_> = workers.into_iter().flat_map(|w| w.collect.0).collect();
            objects.sort_by_key(|(_, offset)| *offset);
            let (names, offsets): (Vec<_>, Vec<_>) = objects.into_iter().unzip();
            assert_eq!((names, offsets), (whole.objects.clone(), whole.offsets.clone()));
        }
    }
}

#[test]
fn a_guess_that_is_wrong_is_noticed() {
    // Objects within objects, which look like items of the list.
    let inner = format!("[{}]", vec![POD; 50].join(","));
    let outer = r#"{"apiVersion":"x/v1","kind":"Template","metadata":{"name":"t"},"objects":"#;
    let text = format!(r#"{{"items":[{POD},{outer}{inner}}},{POD}],"kind":"List"}}"#);
    let mut bytes = text.as_bytes();
    let read = split::read_blocks(3, &Seen::default, &mut bytes, &Hint::None, SourceId(0), 700);
    assert!(read.is_none());
    assert_eq!(read_text(&text).objects, ["Pod n/a", "Pod n/a"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

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
        if !yaml {
            let mut stream = &*bytes;
            let shared = split::read_blocks(
                2, &Seen::default, &mut stream, &Hint::None, SourceId(0), block,
            );
            if let Some(workers) = shared {
                let mut objects: Vec<_> =
                    workers.into_iter().flat_map(|w| w.collect.0).collect();
                objects.sort_by_key(|(_, offset)| *offset);
                let names: Vec<_> = objects.into_iter().map(|(name, _)| name).collect();
                prop_assert_eq!(&whole.objects, &names);
            }
        }
    }
}
