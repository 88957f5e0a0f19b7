//! A picture in the DOT language of Graphviz, from left to right.
//!
//! graphviz-rust gives the syntax as types and prints it; it quotes nothing, so every string here
//! is quoted and escaped before it becomes an identifier.

use super::escape;
use super::picture::{Edge, Node, Picture, Shape};
use crate::graph::Confidence;
use graphviz_rust::dot_structures::{
    Attribute, Edge as DotEdge, EdgeTy, Graph, GraphAttributes, Id, Node as DotNode, NodeId, Stmt,
    Vertex,
};
use graphviz_rust::printer::{DotPrinter, PrinterContext};

const FONT: &str = "Helvetica,Arial,DejaVu Sans,sans-serif";

/// The picture as DOT text.
#[must_use]
pub fn dot(picture: &Picture) -> String {
    let mut stmts = vec![
        Stmt::GAttribute(GraphAttributes::Graph(vec![
            plain("rankdir", "LR"),
            quoted("label", &caption(picture)),
            plain("labelloc", "b"),
            plain("labeljust", "l"),
            text("fontname", FONT),
            plain("fontsize", "11"),
            plain("nodesep", "0.35"),
            plain("ranksep", "0.6"),
            text("bgcolor", "white"),
            text("tooltip", &picture.title),
        ])),
        Stmt::GAttribute(GraphAttributes::Node(vec![
            text("fontname", FONT),
            plain("fontsize", "12"),
            text("style", "filled"),
            text("margin", "0.12,0.06"),
        ])),
        Stmt::GAttribute(GraphAttributes::Edge(vec![
            text("fontname", FONT),
            plain("fontsize", "10"),
        ])),
    ];
    stmts.extend(picture.nodes.iter().map(|node| Stmt::Node(draw_node(node))));
    stmts.extend(picture.edges.iter().map(|edge| Stmt::Edge(draw_edge(picture, edge))));
    let graph = Graph::DiGraph { id: Id::Plain("kspm_graph".to_owned()), strict: false, stmts };
    let mut context = PrinterContext::default();
    context.with_semi();
    let mut printed = graph.print(&mut context);
    printed.push('\n');
    printed
}

/// What stands below the picture. No nodes of its own: readers count those.
fn caption(picture: &Picture) -> String {
    let mut lines = vec![escape::dot(&picture.title).into_owned()];
    if picture.left_out > 0 {
        lines.push(format!("{} nodes without edges are not drawn", picture.left_out));
    }
    lines.push(
        "lines: solid thick is certain, solid thin likely, dashed possible, dotted unknown; \
         grey is structure"
            .to_owned(),
    );
    lines.iter().map(|line| format!("{line}\\l")).collect()
}

fn draw_node(node: &Node) -> DotNode {
    let look = node.look();
    let lines = std::iter::once(&node.heading).chain(&node.lines);
    let label: Vec<_> = lines.map(|line| escape::dot(line)).collect();
    let mut attributes = vec![
        quoted("label", &label.join("\\n")),
        text("tooltip", &node.title),
        plain("shape", shape(look.shape)),
        text("fillcolor", look.fill),
        text("color", look.line),
    ];
    // Of a cloud DOT knows nothing: it is drawn as a double ellipse.
    if look.double || look.shape == Shape::Cloud {
        attributes.push(plain("peripheries", "2"));
    }
    let dashes = if look.dashed { ",dashed" } else { "" };
    let corners = if look.shape == Shape::Round { ",rounded" } else { "" };
    if !dashes.is_empty() || !corners.is_empty() {
        attributes.push(text("style", &format!("filled{corners}{dashes}")));
    }
    if node.start || node.goal {
        attributes.push(plain("penwidth", "2.5"));
    }
    if look.shape == Shape::Diamond {
        // Wide enough as it is.
        attributes.push(text("margin", "0.02,0.02"));
    }
    DotNode::new(name(node), attributes)
}

fn draw_edge(picture: &Picture, edge: &Edge) -> DotEdge {
    let (style, width) = match edge.confidence {
        Confidence::Certain => ("solid", "2"),
        Confidence::Likely => ("solid", "1"),
        Confidence::Possible => ("dashed", "1.4"),
        Confidence::Unknown => ("dotted", "1.4"),
    };
    let label: Vec<_> = [&edge.label, &edge.note]
        .into_iter()
        .filter(|l| !l.is_empty())
        .map(|l| escape::dot(l))
        .collect();
    let colour = if edge.structure { "#7a7a7a" } else { "#222222" };
    let attributes = vec![
        quoted("label", &label.join("\\n")),
        text("tooltip", &edge.title),
        plain("style", style),
        plain("penwidth", width),
        text("color", colour),
        text("fontcolor", colour),
        plain("arrowhead", if edge.structure { "vee" } else { "normal" }),
    ];
    let end = |place: usize| {
        let node = picture.nodes.get(place).map_or_else(|| NodeId(id("missing"), None), name);
        Vertex::N(node)
    };
    DotEdge { ty: EdgeTy::Pair(end(edge.from), end(edge.to)), attributes }
}

const fn shape(shape: Shape) -> &'static str {
    match shape {
        Shape::Cloud | Shape::Ellipse => "ellipse",
        Shape::Octagon => "octagon",
        Shape::Folder => "folder",
        Shape::Cube => "box3d",
        Shape::Pill => "egg",
        Shape::Hexagon => "hexagon",
        Shape::Component => "component",
        Shape::Round => "box",
        Shape::Trapezium => "trapezium",
        Shape::Slanted => "parallelogram",
        Shape::Note => "note",
        Shape::Sheet => "tab",
        Shape::Drum => "cylinder",
        Shape::Arrow => "cds",
        Shape::Diamond => "diamond",
    }
}

/// A node's name in DOT: the graph's number for it.
fn name(node: &Node) -> NodeId {
    NodeId(id(&format!("n{}", node.id.0)), None)
}

pub(super) fn id(plain: &str) -> Id {
    Id::Plain(plain.to_owned())
}

/// An attribute whose value is a word or number of ours.
pub(super) fn plain(key: &str, value: &str) -> Attribute {
    Attribute(id(key), id(value))
}

/// An attribute whose value is any text.
pub(super) fn text(key: &str, value: &str) -> Attribute {
    quoted(key, &escape::dot(value))
}

/// An attribute whose value is escaped already.
pub(super) fn quoted(key: &str, value: &str) -> Attribute {
    Attribute(id(key), Id::Escaped(format!("\"{value}\"")))
}
