//! Paths that need two things at once.

use super::{ask, forward, toy};
use kspm_graph::query::filter::Filter;
use kspm_graph::query::search::Search;
use kspm_graph::query::steps::steps;
use kspm_graph::query::why;

#[test]
fn a_gate_makes_a_tree() {
    // 0 holds 1; 0 takes 2; both open the gate 3, which leads to 4.
    let edges = [(0, 1, 90), (0, 2, 80), (1, 3, 100), (2, 3, 100), (3, 4, 50)];
    let (graph, nodes) = toy(&[0, 1, 0, 2, 0], &edges);
    let search = forward(&graph, &nodes[..1]);
    let proof = search.proof(&Filter::default(), nodes[4]).unwrap();
    let steps = steps(&graph, &proof);
    let read: Vec<_> = steps.iter().map(|s| (s.from, s.to, s.needs.as_slice())).collect();
    assert_eq!(
        read,
        [
            (nodes[0], nodes[2], &[][..]),
            (nodes[0], nodes[3], &[][..]),
            (nodes[2], nodes[4], &[1][..]),
        ]
    );
    // A source with a gate on its way is searched exactly; one that opens half of it has no path.
    let answers = ask(&graph, "cloud/p000, cloud/p002", "cloud/p004");
    assert_eq!(answers.len(), 1);
    assert!((answers[0].likelihood - 0.9 * 0.8 * 0.5).abs() < 1e-3);
    let not = why::why_not(
        &graph,
        &mut Search::new(&graph),
        &nodes[2..3],
        &nodes[4..],
        &Filter::default(),
    );
    assert!(!not.reachable);
    assert_eq!(not.half_open.len(), 1);
    assert_eq!(
        (&not.half_open[0].held[..], &not.half_open[0].missing[..]),
        (&nodes[2..3], &nodes[1..2])
    );
}
