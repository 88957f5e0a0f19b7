//! Folders, archives, layers and threads.

use super::{BARE, POD, Seen, dump, read_text, with};
use crate::input::sink::Hint;
use crate::input::*;
use serde_yaml::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

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
    let reading = read_sharing(inputs, threads, 4000, &Seen::default, &|_| ()).unwrap();
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
    // These are shared among threads, the second and the third in vain.
    let many = format!("[{}]", [POD; 100].join(","));
    let fooling = format!(r#"{{"items":[{POD},{{"kind":"T","x":{many}}},{POD}]}}"#);
    let broken = format!(r#"{{"items":{}}}"#, many.replacen("},{", "},{]},{", 1));
    fs::write(root.join("many.json"), &many).unwrap();
    fs::write(
        root.join("more.tgz"),
        gzip(&tarball(&[
            ("a/x.json", fooling.as_bytes()),
            ("a/y.json", many.as_bytes()),
            ("a/z.json", broken.as_bytes()),
        ])),
    )
    .unwrap();
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
    assert_eq!(objects.iter().filter(|o| *o == "Pod n/a").count(), 3 * 3 + 2 + 302);
    assert_eq!(objects.iter().filter(|o| *o == "Node /x").count(), 3);
    assert!(sources.iter().any(|name| name.ends_with("b.tar.gz:a/nodes.json")), "{sources:?}");
    assert_eq!(skipped, Skipped { files: 5, empty: 0, archives: 3, links: 3 });
    let said: Vec<_> = problems.iter().map(|p| format!("{} {}", p.place, p.message)).collect();
    assert_eq!(problems.len(), 8, "{said:#?}");
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
fn a_text_of_one_line_is_told_from_others() {
    let role = r#"{"kind":"Role","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"a"},"rules":[]}"#;
    let folder = tempfile::tempdir().unwrap();
    let is_one = |text: &str| {
        let path = folder.path().join("a.json");
        fs::write(&path, gzip(text.as_bytes())).unwrap();
        let read = read(&paths(&[&path]), 1, Seen::default, &|_| ()).unwrap();
        let wanted = [(SourceId(0), 0, ".rules")];
        assert!(lines(&read.sources, &read.one_line, &wanted)[0].is_some());
        !read.one_line.is_empty()
    };
    assert!(is_one(role) && is_one(&format!("{role}\n")));
    assert!(!is_one(&format!("{role}\n{role}")) && !is_one(&role.replace(',', ",\n")));
}

#[test]
fn lines_are_found_inside_archives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.tar.gz");
    let yaml = b"kind: List\nitems:\n- kind: Role\n  rules:\n  - verbs: [get]\n";
    fs::write(&path, gzip(&tarball(&[("x.json", b"{}"), ("./a:b/c.yaml", yaml)]))).unwrap();
    let sources = [format!("{}:a:b/c.yaml", path.display())];
    assert_eq!(lines(&sources, &BTreeSet::new(), &[(SourceId(0), 18, ".rules[0]")]), [Some(5)]);
}

#[test]
fn a_list_read_by_several_threads_is_the_same_list() {
    let yaml = |text: &str| serde_yaml::to_string(&serde_json::from_str::<Value>(text).unwrap());
    for text in [
        dump(true),
        dump(false),
        dump(false).replace("\":", "\": ").replace(",{", ", {"),
        yaml(&dump(false)).unwrap(),
    ] {
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

#[test]
fn a_file_that_is_broken_throughout_is_told_briefly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pods.json");
    fs::write(&path, format!("[{}{POD}]", format!("{},", POD.replace("\"a\"", "{}")).repeat(300)))
        .unwrap();
    let one = reading(&paths(&[&path]), 1);
    assert_eq!(one, reading(&paths(&[&path]), 3));
    assert_eq!((one.0.len(), one.2.len()), (1, 101));
    assert_eq!(one.2[0].message, "200 more problems");
}
