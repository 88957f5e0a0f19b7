//! How long questions take on a big graph.

#![expect(clippy::print_stderr, reason = "a measurement tells")]

use super::{EXPLOIT_APP, MADE_UP, POD, POINTS, with};
use crate::fixtures::world;
use kspm_graph::graph::{SetKey, Thing};
use kspm_graph::query::selector::Selector;
use kspm_graph::query::{Asker, Query, library};
use kspm_graph::sym::Sym;

/// `cargo test --release -- --ignored --nocapture at_scale` tells the times.
#[test]
#[ignore = "a measurement"]
fn at_scale() {
    const ACCOUNTS: usize = 20_000;
    const SETS: usize = 2_000;
    const CONTAINERS: usize = 300_000;
    const NODES: usize = 5_000;
    const SECRETS: usize = 100_000;
    let text = |letter: char, i: usize| format!("{letter}{i:06}");
    let graph = with(world(POD), |world, sink| {
        let key =
            |i: usize| SetKey { kind: &POINTS, ns: Sym::EMPTY, of: u32::try_from(i).unwrap() };
        let (set, gate) = (|i: usize| Thing::Set(key(i)), |i: usize| Thing::Gate(key(i)));
        let object = world.pods[0].object;
        for i in 0..CONTAINERS {
            let fact = sink.fact(object, ".spec.a", &format!("{}", i % 50_000));
            let me = text('c', i);
            let account = text('a', i % ACCOUNTS);
            let node = text('n', i % NODES);
            let secret = text('x', i % SECRETS);
            sink.edge(set(i % SETS), Thing::Cloud(&me), &MADE_UP, &[fact]);
            sink.edge(Thing::Cloud(&me), Thing::Cloud(&account), &MADE_UP, &[fact]);
            sink.edge(Thing::Cloud(&me), Thing::Cloud(&secret), &MADE_UP, &[fact]);
            sink.edge(Thing::Cloud(&node), Thing::Cloud(&me), &MADE_UP, &[fact]);
            if i % 3 == 0 {
                sink.edge(Thing::Cloud(&me), Thing::Cloud(&node), &MADE_UP, &[fact]);
            }
            sink.edge(Thing::Cloud(&me), set(SETS), &EXPLOIT_APP, &[fact]);
        }
        for i in 0..SETS {
            let fact = sink.fact(object, ".spec.b", &format!("{i}"));
            sink.edge(set(SETS), set(i), &MADE_UP, &[fact]);
        }
        for i in 0..ACCOUNTS {
            let fact = sink.fact(object, ".subjects[0]", &format!("{i}"));
            let me = text('a', i);
            for k in 0..10 {
                sink.edge(Thing::Cloud(&me), set((i * 7 + k) % SETS), &MADE_UP, &[fact]);
            }
            sink.edge(Thing::Cloud(&me), gate(i % 2), &MADE_UP, &[fact]);
            if i % 1000 == 0 {
                sink.edge(Thing::Cloud(&me), Thing::ClusterAdmin, &MADE_UP, &[fact]);
            }
        }
        let fact = sink.fact(object, ".spec.c", "c");
        sink.edge(gate(0), gate(2), &MADE_UP, &[fact]);
        sink.edge(gate(1), gate(2), &MADE_UP, &[fact]);
        sink.edge(gate(2), Thing::ClusterAdmin, &MADE_UP, &[fact]);
        for i in 0..40 {
            sink.edge(Thing::Internet, set(i * 3), &EXPLOIT_APP, &[fact]);
        }
    });
    eprintln!("{} nodes, {} edges", graph.node_count(), graph.edge_count());
    let mut asker = Asker::new(&graph);
    for (from, to, pairs) in [
        ("internet", "cluster-admin", library::Pairs::All),
        ("internet", "cloud/n*", library::Pairs::All),
        ("internet", "cloud/x*", library::Pairs::All),
        ("cloud/a*", "cluster-admin", library::Pairs::All),
        ("cloud/n*", "cluster-admin", library::Pairs::All),
        ("cloud/c*", "cloud/n*", library::Pairs::Nearest),
        ("cloud/a*", "cloud/x0000*", library::Pairs::Nearest),
        ("cloud/a00*", "cloud/x0000*", library::Pairs::All),
    ] {
        let parse = |text| Selector::parse(text).unwrap();
        let mut query = Query::between(parse(from), parse(to));
        query.id = "scale".to_owned();
        query.pairs = pairs;
        let start = std::time::Instant::now();
        let outcome = asker.ask(&query);
        let cut = outcome.answers.iter().filter(|a| a.cut.is_some()).count();
        eprintln!(
            "{from} -> {to}: {:?}, {} answers, {} left out, {} undecided, partial {}, {cut} cut",
            start.elapsed(),
            outcome.answers.len(),
            outcome.left_out,
            outcome.undecided,
            outcome.partial,
        );
    }
}
