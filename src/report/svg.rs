//! A picture as SVG: by Graphviz where it is installed, else drawn here.
//!
//! Our own drawing needs nothing but this program and gives the same bytes everywhere. It has no
//! scripts, no references and no ids, so that several can stand in one HTML page.

use super::dot::dot;
use super::escape::{columns, xml};
use super::layout::{Layout, Line, Point, Route, lay_out};
use super::outline;
use super::picture::{Edge, LEGEND, Node, Picture, Shape};
use crate::graph::Confidence;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What lays the picture out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// Graphviz where it is installed and works, else our own.
    #[default]
    Auto,
    /// As `Auto`, with more patience.
    Dot,
    /// Our own, the same on every machine.
    Embedded,
}

/// The picture as SVG text.
#[must_use]
pub fn svg(picture: &Picture, engine: Engine) -> String {
    let picture = picture.tidy();
    let patience = match engine {
        Engine::Auto => Some(Duration::from_secs(15)),
        Engine::Dot => Some(Duration::from_secs(120)),
        Engine::Embedded => None,
    };
    patience.and_then(|patience| by_graphviz(&picture, patience)).unwrap_or_else(|| draw(&picture))
}

/// Graphviz' drawing, or nothing where it is missing, fails, or takes too long.
fn by_graphviz(picture: &Picture, patience: Duration) -> Option<String> {
    let mut child = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let (mut input, mut output) = (child.stdin.take()?, child.stdout.take()?);
    let source = dot(picture);
    // Both pipes at once: either may fill up while the other is waited for.
    let writer = thread::spawn(move || input.write_all(source.as_bytes()));
    let reader = thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text)
    });
    let deadline = Instant::now() + patience;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => {
                // A child that is gone already cannot be killed, which is as well.
                let _gone = child.kill();
                let _status = child.wait();
                break None;
            }
        }
    };
    let written = writer.join().ok()?.is_ok();
    let text = reader.join().ok()?.ok()?;
    if !(status?.success() && written) {
        return None;
    }
    // The prolog names a document type on the net; an SVG needs none.
    let (_, body) = text.split_once("<svg")?;
    let (attributes, rest) = body.split_once('>')?;
    let whole = rest.trim_end().ends_with("</svg>") && attributes.contains("viewBox=");
    let title = xml(&picture.title);
    whole.then(|| {
        format!("<svg role=\"img\"{attributes}>\n<title>{title}</title>{}\n", rest.trim_end())
    })
}

const NAME_SIZE: f64 = 13.0;
const KIND_SIZE: f64 = 9.5;
const LABEL_SIZE: f64 = 11.0;
const NOTE_SIZE: f64 = 9.5;
/// The width of a column of text in parts of its size: that of wide fonts, so that names fit their
/// outlines whichever font is there.
const COLUMN: f64 = 0.6;
const MARGIN: f64 = 24.0;
/// Between the ends of two lines at one node.
const PORT: f64 = 9.0;
const FONT: &str = "Helvetica, Arial, 'DejaVu Sans', sans-serif";

fn text_width(text: &str, size: f64) -> f64 {
    f64::from(u32::try_from(columns(text)).unwrap_or(u32::MAX)) * size * COLUMN
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Our own drawing.
fn draw(picture: &Picture) -> String {
    let mut ports = vec![[0_usize; 2]; picture.nodes.len()];
    for edge in &picture.edges {
        ports[edge.from][0] += 1;
        ports[edge.to][1] += 1;
    }
    let size = |(node, ports): (&Node, &[usize; 2])| node_size(node, ports[0].max(ports[1]));
    let sizes: Vec<Point> = picture.nodes.iter().zip(&ports).map(size).collect();
    let line = |edge: &Edge| Line { from: edge.from, to: edge.to, label: label_size(edge) };
    let lines: Vec<Line> = picture.edges.iter().map(line).collect();
    let layout = lay_out(&sizes, &lines);
    let mut canvas = Canvas::default();
    let ends = ends(picture, &layout, &sizes);
    for ((edge, route), ends) in picture.edges.iter().zip(&layout.routes).zip(&ends) {
        canvas.edge(edge, route, *ends);
    }
    for ((node, middle), size) in picture.nodes.iter().zip(&layout.nodes).zip(&sizes) {
        canvas.node(node, *middle, *size);
    }
    canvas.finish(picture, layout.size)
}

/// How large a node is: its text, what its outline needs around it, and room for its lines' ends.
fn node_size(node: &Node, ports: usize) -> Point {
    let kind = text_width(&node.heading, KIND_SIZE);
    let wide = node.lines.iter().map(|l| text_width(l, NAME_SIZE)).fold(kind, f64::max);
    let high = KIND_SIZE + 5.0 + real(node.lines.len()) * (NAME_SIZE + 3.0);
    let pad = outline::padding(node.look().shape);
    let size = Point { x: wide + pad.x, y: high + pad.y };
    let ports = real(ports.saturating_sub(1)) * PORT + 20.0;
    Point { x: size.x.max(84.0).round(), y: size.y.max(ports.min(900.0)).round() }
}

/// Structure speaks more softly.
fn label_font(edge: &Edge) -> f64 {
    if edge.structure { NOTE_SIZE } else { LABEL_SIZE }
}

fn label_size(edge: &Edge) -> Point {
    let label = text_width(&edge.label, label_font(edge));
    let wide = label.max(text_width(&edge.note, NOTE_SIZE));
    let note = if edge.note.is_empty() { 3.0 } else { NOTE_SIZE + 3.0 };
    // The line runs through the middle, the label above it and the note below.
    if edge.label.is_empty() {
        Point { x: 8.0, y: 4.0 }
    } else {
        Point { x: wide.round() + 10.0, y: 2.0 * (LABEL_SIZE + 3.0).max(note) }
    }
}

/// Where each line leaves its left node and enters its right one: spread over the nodes' sides in
/// the order in which the lines go on, so that they do not cross at the node.
fn ends(picture: &Picture, layout: &Layout, sizes: &[Point]) -> Vec<(Point, Point)> {
    let mut ends = vec![(Point::default(), Point::default()); picture.edges.len()];
    for right in [false, true] {
        // The lines at this side of each node, by the height at which they come or go.
        let mut sides: Vec<Vec<(f64, usize)>> = vec![Vec::new(); picture.nodes.len()];
        for (i, (edge, route)) in picture.edges.iter().zip(&layout.routes).enumerate() {
            let (left, onto) =
                if route.reversed { (edge.to, edge.from) } else { (edge.from, edge.to) };
            let node = if right { left } else { onto };
            let flat = if right { route.flats.first() } else { route.flats.last() };
            sides[node].push((flat.map_or(0.0, |f| f.2), i));
        }
        for (node, mut side) in sides.into_iter().enumerate() {
            side.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let (middle, size) = (layout.nodes[node], sizes[node]);
            let room = (size.y - 16.0).max(0.0);
            let step = PORT.min(room / real(side.len().saturating_sub(1)).max(1.0));
            let first = -step * real(side.len().saturating_sub(1)) / 2.0;
            for (k, (_, line)) in side.into_iter().enumerate() {
                let dy = first + step * real(k);
                let dx = outline::reach(picture.nodes[node].look().shape, size, dy, right);
                if right {
                    ends[line].0 = Point { x: middle.x + dx, y: middle.y + dy };
                } else {
                    ends[line].1 = Point { x: middle.x - dx, y: middle.y + dy };
                }
            }
        }
    }
    ends
}

/// The drawing so far.
#[derive(Default)]
struct Canvas {
    out: String,
}

/// Writes into a string, which cannot fail.
macro_rules! put {
    ($canvas:expr, $($argument:tt)*) => {{
        let _ok = writeln!($canvas.out, $($argument)*);
    }};
}

impl Canvas {
    fn text(&mut self, at: Point, size: f64, colour: &str, more: &str, text: &str) {
        put!(
            self,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{size}\" fill=\"{colour}\"{more}>{}</text>",
            at.x,
            at.y,
            xml(text)
        );
    }

    fn node(&mut self, node: &Node, middle: Point, size: Point) {
        let look = node.look();
        put!(self, "<g><title>{}</title>", xml(&node.title));
        let width = if node.start || node.goal || look.shape == Shape::Diamond { 2.6 } else { 1.3 };
        let dashes = if look.dashed { " stroke-dasharray=\"5 3\"" } else { "" };
        let stroke = format!("stroke=\"{}\" stroke-width=\"{width}\"{dashes}", look.line);
        put!(
            self,
            "<path d=\"{}\" fill=\"{}\" {stroke}/>",
            outline::path(look.shape, middle, size),
            look.fill
        );
        if look.double {
            let inner = Point { x: size.x - 8.0, y: size.y - 8.0 };
            put!(
                self,
                "<path d=\"{}\" fill=\"none\" {stroke}/>",
                outline::path(look.shape, middle, inner)
            );
        }
        let high = KIND_SIZE + 5.0 + real(node.lines.len()) * (NAME_SIZE + 3.0);
        let shift = outline::shift(look.shape);
        let x = middle.x + shift.x;
        let mut y = middle.y + shift.y - high / 2.0 + KIND_SIZE;
        self.text(Point { x, y }, KIND_SIZE, "#333333", "", &node.heading);
        y += 3.0;
        for line in &node.lines {
            y += NAME_SIZE + 2.5;
            self.text(Point { x, y }, NAME_SIZE, "#000000", " font-weight=\"600\"", line);
        }
        put!(self, "</g>");
    }

    fn edge(&mut self, edge: &Edge, route: &Route, (left, right): (Point, Point)) {
        let colour = if edge.structure { "#767676" } else { "#1d1d1d" };
        // The line stops inside its arrow, whose point touches the node.
        let stop = if edge.structure { 1.0 } else { 6.0 };
        let (mut start, mut end) = (left, right);
        if route.reversed {
            start.x += stop;
        } else {
            end.x -= stop;
        }
        let mut path = format!("M{:.1} {:.1}", start.x, start.y);
        let mut at = Point { x: route.leaves.max(start.x), y: start.y };
        let _ok = write!(path, "H{:.1}", at.x);
        let arrival = (route.arrives.min(end.x), end.x, end.y);
        for (from, to, y) in route.flats.iter().chain([&arrival]) {
            if (y - at.y).abs() > 0.05 {
                let middle = f64::midpoint(at.x, *from);
                let _ok =
                    write!(path, "C{middle:.1} {:.1} {middle:.1} {y:.1} {from:.1} {y:.1}", at.y);
            }
            let _ok = write!(path, "H{to:.1}");
            at = Point { x: *to, y: *y };
        }
        put!(self, "<g><title>{}</title>", xml(&edge.title));
        put!(
            self,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" {}/>",
            stroke_of(edge.confidence)
        );
        let (tip, back) = if route.reversed { (left, 9.0) } else { (right, -9.0) };
        let (x, y) = (tip.x + back, tip.y);
        let (tail, fill) = if edge.structure { ("", "none") } else { ("Z", colour) };
        put!(
            self,
            "<path d=\"M{x:.1} {:.1}L{:.1} {y:.1}L{x:.1} {:.1}{tail}\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1\"/>",
            y - 4.0,
            tip.x,
            y + 4.0
        );
        let Point { x, y } = route.label;
        if !edge.label.is_empty() {
            let slant = if edge.structure { " font-style=\"italic\"" } else { "" };
            self.text(Point { x, y: y - 4.0 }, label_font(edge), colour, slant, &edge.label);
        }
        if !edge.note.is_empty() {
            self.text(Point { x, y: y + NOTE_SIZE + 2.0 }, NOTE_SIZE, "#444444", "", &edge.note);
        }
        put!(self, "</g>");
    }

    /// What the lines mean, from `top` on; gives its size.
    fn legend(&mut self, picture: &Picture, top: f64) -> Point {
        let mut at = Point { x: 0.0, y: top + 12.0 };
        let mut wide = 0.0_f64;
        let left = " text-anchor=\"start\"";
        let mut caption = picture.title.clone();
        if picture.left_out > 0 {
            caption = format!("{caption}; {} nodes without edges are not drawn", picture.left_out);
        }
        self.text(at, LABEL_SIZE, "#000000", left, &caption);
        wide = wide.max(text_width(&caption, LABEL_SIZE));
        let lines = LEGEND.iter().map(|(c, words)| (stroke_of(*c), "#1d1d1d", *words));
        let structure = (stroke_of(Confidence::Certain), "#767676", "grey: structure, no attack");
        for (stroke, colour, words) in lines.chain([structure]) {
            at.y += 16.0;
            put!(
                self,
                "<path d=\"M0 {:.1}H40\" fill=\"none\" stroke=\"{colour}\" {stroke}/>",
                at.y - 3.5
            );
            self.text(Point { x: 50.0, y: at.y }, NOTE_SIZE, "#333333", left, words);
            wide = wide.max(50.0 + text_width(words, NOTE_SIZE));
        }
        Point { x: wide, y: at.y + 4.0 }
    }

    fn finish(mut self, picture: &Picture, size: Point) -> String {
        let legend = self.legend(picture, size.y + MARGIN);
        let (width, height) = (size.x.max(legend.x) + 2.0 * MARGIN, legend.y + 2.0 * MARGIN);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width:.0}\" \
             height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             font-family=\"{FONT}\" text-anchor=\"middle\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <g transform=\"translate({MARGIN} {MARGIN})\">\n{}</g>\n</svg>\n",
            xml(&picture.title),
            self.out
        )
    }
}

/// How a line shows how sure it is.
const fn stroke_of(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Certain => "stroke-width=\"2\"",
        Confidence::Likely => "stroke-width=\"1\"",
        Confidence::Possible => "stroke-width=\"1.5\" stroke-dasharray=\"7 4\"",
        Confidence::Unknown => "stroke-width=\"1.8\" stroke-dasharray=\"1.5 4\"",
    }
}
