//! Lines of reach as a picture in the DOT language: what is reached by whom, by which ports.

use super::Reach;
use crate::query::reach::ports;
use crate::report::dot::{id, plain, quoted, text};
use crate::report::escape;
use crate::world::network::State;
use graphviz_rust::dot_structures::{
    Edge, EdgeTy, Graph, GraphAttributes, Id, Node, NodeId, Stmt, Vertex,
};
use graphviz_rust::printer::{DotPrinter, PrinterContext};
use std::collections::BTreeMap;
use std::io::{self, Write};

const FONT: &str = "Helvetica,Arial,DejaVu Sans,sans-serif";

/// Writes the picture.
///
/// # Errors
/// When the output cannot be written.
pub fn write(reach: &Reach<'_>, out: &mut dyn Write) -> io::Result<()> {
    let found = reach.ground.lines(reach.from, reach.to, reach.port, reach.all, reach.top);
    let mut caption = "lines: solid is allowed, dashed unknown, dotted denied".to_owned();
    if found.left > 0 {
        caption = format!("{caption}; {} destinations are not drawn", found.left);
    }
    let mut stmts = vec![
        Stmt::GAttribute(GraphAttributes::Graph(vec![
            plain("rankdir", "LR"),
            text("label", &caption),
            plain("labelloc", "b"),
            text("fontname", FONT),
            text("bgcolor", "white"),
        ])),
        Stmt::GAttribute(GraphAttributes::Node(vec![
            text("fontname", FONT),
            plain("shape", "box"),
            text("style", "filled,rounded"),
            text("fillcolor", "#eef3fa"),
        ])),
        Stmt::GAttribute(GraphAttributes::Edge(vec![
            text("fontname", FONT),
            plain("fontsize", "10"),
        ])),
    ];
    let names = found.lines.iter().flat_map(|l| [&l.from, &l.to]);
    let mut nodes: BTreeMap<&str, usize> = names.map(|n| (n.as_str(), 0)).collect();
    for (number, (name, place)) in nodes.iter_mut().enumerate() {
        *place = number;
        let label = vec![quoted("label", &escape::dot(name))];
        stmts.push(Stmt::Node(Node::new(node(number), label)));
    }
    for line in &found.lines {
        let of = |name: &str| Vertex::N(node(nodes.get(name).copied().unwrap_or(0)));
        let style = match line.state {
            State::Allowed => "solid",
            State::Unknown => "dashed",
            State::Denied => "dotted",
        };
        let attributes = vec![text("label", &ports::text(&line.ports)), plain("style", style)];
        let ty = EdgeTy::Pair(of(&line.from), of(&line.to));
        stmts.push(Stmt::Edge(Edge { ty, attributes }));
    }
    let graph = Graph::DiGraph { id: Id::Plain("reach".to_owned()), strict: false, stmts };
    let mut context = PrinterContext::default();
    context.with_semi();
    writeln!(out, "{}", graph.print(&mut context))
}

fn node(number: usize) -> NodeId {
    NodeId(id(&format!("n{number}")), None)
}
