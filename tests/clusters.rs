//! The example clusters under `snapshots/`: each README states which paths exist and which must not.

use kspm_graph::attacks;
use kspm_graph::graph::Graph;
use kspm_graph::input::{Input, read};
use kspm_graph::query::filter::Filter;
use kspm_graph::query::search::{Direction, NEVER, Next, Search};
use kspm_graph::query::selector::Selector;
use kspm_graph::world::World;
use kspm_graph::world::network::plugin::Enforces;
use kspm_graph::world::rows::Part;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")
}

/// The graph of a cluster, as the command line says that policies are enforced or not.
fn graph(path: &Path, enforces: Option<Enforces>) -> Graph {
    let reading = read(&[Input::Path(path.to_path_buf())], 2, Part::default, &|_| ()).unwrap();
    assert_eq!(reading.problems, [], "{}", path.display());
    let mut world = World::new(reading.collectors, reading.unknown);
    world.said.enforces = enforces;
    attacks::derive(Arc::new(world))
}

/// The lines of a README's fenced blocks of one kind.
fn lines(readme: &str, block: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in readme.lines() {
        match line {
            "```" => inside = false,
            _ if line.strip_prefix("```") == Some(block) => inside = true,
            _ if inside && !line.trim().is_empty() && !line.starts_with('#') => {
                found.push(line.trim().to_owned());
            }
            _ => {}
        }
    }
    found
}

/// Whether any way leads from the first selection to the second.
fn leads(graph: &Graph, line: &str) -> bool {
    let (from, to) = line.split_once(" -> ").expect(line);
    let select = |text: &str| {
        Selector::parse(text).unwrap().select(graph).unwrap_or_else(|e| panic!("{line}: {e}"))
    };
    let mut search = Search::new(graph);
    let filter = Filter::default();
    let (from, to) = (select(from), select(to));
    search.run(Direction::Forward, &from, &filter, None, usize::MAX, |_, _| Next::Expand);
    to.iter().any(|node| search.key(*node) != NEVER)
}

#[test]
fn example_clusters_are_as_their_readmes_say() {
    let mut entries: Vec<_> = fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    let mut wrong = Vec::new();
    let (mut clusters, mut paths, mut decoys) = (0, 0, 0);
    for cluster in entries.iter().filter(|p| p.is_dir()) {
        clusters += 1;
        let readme = fs::read_to_string(cluster.join("README.md")).unwrap();
        let name = cluster.file_name().unwrap().to_str().unwrap();
        let ways =
            [("", None), ("-enforced", Some(Enforces::Yes)), ("-unenforced", Some(Enforces::No))];
        for (way, enforces) in ways {
            let here = lines(&readme, &format!("paths{way}"));
            let not_here = lines(&readme, &format!("no-paths{way}"));
            if here.is_empty() && not_here.is_empty() {
                continue;
            }
            let graph = graph(cluster, enforces);
            paths += here.len();
            decoys += not_here.len();
            for line in here.iter().filter(|line| !leads(&graph, line)) {
                wrong.push(format!("{name}: missing{way} `{line}`"));
            }
            for line in not_here.iter().filter(|line| leads(&graph, line)) {
                wrong.push(format!("{name}: invented{way} `{line}`"));
            }
        }
    }
    assert!(clusters >= 4 && paths >= 80 && decoys >= 60, "{clusters} {paths} {decoys}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
