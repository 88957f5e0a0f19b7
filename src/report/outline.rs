//! The outlines of nodes in our own SVG: one for each shape, with the room that a text needs in it
//! and the points where lines touch it.

use super::layout::Point;
use super::picture::Shape;
use std::fmt::Write as _;

/// How far slanted sides lean.
const LEAN: f64 = 14.0;
/// How deep notches, folds and tabs are.
const DEPTH: f64 = 8.0;

/// How much larger than its text a shape must be.
pub(super) const fn padding(shape: Shape) -> Point {
    let (x, y) = match shape {
        Shape::Cloud => (62.0, 34.0),
        Shape::Ellipse => (48.0, 24.0),
        Shape::Pill => (38.0, 16.0),
        Shape::Octagon => (36.0, 22.0),
        Shape::Hexagon | Shape::Trapezium | Shape::Slanted => (2.0 * LEAN + 14.0, 16.0),
        Shape::Diamond => (52.0, 14.0),
        Shape::Arrow => (LEAN + 24.0, 18.0),
        Shape::Drum | Shape::Sheet => (24.0, 28.0),
        Shape::Cube => (20.0 + DEPTH, 16.0 + DEPTH),
        Shape::Folder => (24.0, 16.0 + DEPTH),
        Shape::Component => (24.0 + DEPTH, 16.0),
        Shape::Round | Shape::Note => (28.0, 18.0),
    };
    Point { x, y }
}

/// Where the text's middle lies, from the shape's middle.
pub(super) const fn shift(shape: Shape) -> Point {
    let (x, y) = match shape {
        Shape::Cube => (-DEPTH / 2.0, DEPTH / 2.0),
        Shape::Folder => (0.0, DEPTH / 2.0),
        Shape::Component => (DEPTH / 2.0, 0.0),
        Shape::Arrow => (-LEAN / 3.0, 0.0),
        Shape::Drum => (0.0, 4.0),
        Shape::Sheet => (0.0, -4.0),
        _ => (0.0, 0.0),
    };
    Point { x, y }
}

/// How far the outline is from the middle, `dy` below it, to the right or to the left.
pub(super) fn reach(shape: Shape, size: Point, dy: f64, right: bool) -> f64 {
    let (w, h) = (size.x / 2.0, size.y / 2.0);
    // From 0 at the middle to 1 at the top or bottom, and from 0 at the top to 1 at the bottom.
    let (off, down) = ((dy.abs() / h).min(1.0), ((dy + h) / size.y).clamp(0.0, 1.0));
    match shape {
        Shape::Cloud | Shape::Ellipse => w * (1.0 - off * off).sqrt(),
        Shape::Pill => w - h + h * (1.0 - off * off).sqrt(),
        Shape::Hexagon => w - LEAN * off,
        Shape::Diamond => w - h.min(w * 0.4) * off,
        Shape::Octagon => w - (dy.abs() - (h - LEAN)).max(0.0),
        Shape::Trapezium => w - LEAN * (1.0 - down),
        Shape::Slanted if right => w - LEAN * down,
        Shape::Slanted => w - LEAN * (1.0 - down),
        Shape::Arrow if right => w - LEAN * off,
        Shape::Component if !right => w - DEPTH,
        _ => w,
    }
}

/// The outline as the data of an SVG path.
pub(super) fn path(shape: Shape, middle: Point, size: Point) -> String {
    let (w, h) = (size.x / 2.0, size.y / 2.0);
    let (l, r, t, b) = (middle.x - w, middle.x + w, middle.y - h, middle.y + h);
    let (x, y) = (middle.x, middle.y);
    match shape {
        Shape::Cloud => cloud(middle, size),
        Shape::Ellipse => format!(
            "M{l:.1} {y:.1}a{w:.1} {h:.1} 0 1 0 {0:.1} 0a{w:.1} {h:.1} 0 1 0 -{0:.1} 0Z",
            size.x
        ),
        Shape::Pill => rounded(l, t, size, h),
        Shape::Round => rounded(l, t, size, 9.0),
        Shape::Octagon => polygon(&[
            (l + LEAN, t),
            (r - LEAN, t),
            (r, t + LEAN),
            (r, b - LEAN),
            (r - LEAN, b),
            (l + LEAN, b),
            (l, b - LEAN),
            (l, t + LEAN),
        ]),
        Shape::Hexagon => {
            polygon(&[(l, y), (l + LEAN, t), (r - LEAN, t), (r, y), (r - LEAN, b), (l + LEAN, b)])
        }
        Shape::Diamond => {
            let lean = h.min(w * 0.4);
            polygon(&[(l, y), (l + lean, t), (r - lean, t), (r, y), (r - lean, b), (l + lean, b)])
        }
        Shape::Trapezium => polygon(&[(l + LEAN, t), (r - LEAN, t), (r, b), (l, b)]),
        Shape::Slanted => polygon(&[(l + LEAN, t), (r, t), (r - LEAN, b), (l, b)]),
        Shape::Arrow => polygon(&[(l, t), (r - LEAN, t), (r, y), (r - LEAN, b), (l, b)]),
        Shape::Folder => polygon(&[
            (l, t),
            (l + w * 0.7, t),
            (l + w * 0.7 + DEPTH, t + DEPTH),
            (r, t + DEPTH),
            (r, b),
            (l, b),
        ]),
        Shape::Cube => {
            let (front, top) = (r - DEPTH, t + DEPTH);
            let edges = [(l, top), (l + DEPTH, t), (r, t), (r, b - DEPTH), (front, b), (l, b)];
            format!(
                "{}M{l:.1} {top:.1}H{front:.1}V{b:.1}M{front:.1} {top:.1}L{r:.1} {t:.1}",
                polygon(&edges)
            )
        }
        Shape::Note => {
            let (fold, under) = (r - DEPTH * 1.5, t + DEPTH * 1.5);
            let edges = [(l, t), (fold, t), (r, under), (r, b), (l, b)];
            format!("{}M{fold:.1} {t:.1}V{under:.1}H{r:.1}", polygon(&edges))
        }
        Shape::Component => {
            let (l, tooth) = (l + DEPTH, DEPTH * 0.7);
            let mut path = polygon(&[(l, t), (r, t), (r, b), (l, b)]);
            for top in [y - h * 0.5 - tooth / 2.0, y + h * 0.5 - tooth / 2.0] {
                path.push_str(&polygon(&[
                    (l - DEPTH, top),
                    (l + DEPTH, top),
                    (l + DEPTH, top + tooth),
                    (l - DEPTH, top + tooth),
                ]));
            }
            path
        }
        Shape::Sheet => {
            // A sheet of paper that is torn off below.
            let low = b - 5.0;
            format!(
                "M{l:.1} {t:.1}H{r:.1}V{low:.1}C{:.1} {:.1} {:.1} {:.1} {x:.1} {low:.1}S{:.1} {:.1} {l:.1} {low:.1}Z",
                r - w * 0.35,
                low - 9.0,
                r - w * 0.65,
                low - 9.0,
                l + w * 0.35,
                low + 9.0,
            )
        }
        Shape::Drum => {
            let lid = 7.0;
            format!(
                "M{l:.1} {0:.1}a{w:.1} {lid} 0 0 1 {1:.1} 0V{2:.1}a{w:.1} {lid} 0 0 1 -{1:.1} 0Z\
                 M{l:.1} {0:.1}a{w:.1} {lid} 0 0 0 {1:.1} 0",
                t + lid,
                size.x,
                b - lid,
            )
        }
    }
}

fn polygon(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        let step = if i == 0 { 'M' } else { 'L' };
        let _ok = write!(path, "{step}{x:.1} {y:.1}");
    }
    path.push('Z');
    path
}

fn rounded(l: f64, t: f64, size: Point, radius: f64) -> String {
    let radius = radius.min(size.x / 2.0).min(size.y / 2.0);
    let (wide, high) = (size.x - 2.0 * radius, size.y - 2.0 * radius);
    let arc = |x: f64, y: f64| format!("a{radius:.1} {radius:.1} 0 0 1 {x:.1} {y:.1}");
    format!(
        "M{:.1} {t:.1}h{wide:.1}{}v{high:.1}{}h-{wide:.1}{}v-{high:.1}{}Z",
        l + radius,
        arc(radius, radius),
        arc(-radius, radius),
        arc(-radius, -radius),
        arc(radius, -radius),
    )
}

/// A ring of bows.
fn cloud(middle: Point, size: Point) -> String {
    const BOWS: u8 = 11;
    let (w, h) = (size.x / 2.0 - 5.0, size.y / 2.0 - 5.0);
    let point = |i: u8| {
        let angle = std::f64::consts::TAU * f64::from(i % BOWS) / f64::from(BOWS);
        (middle.x + w * angle.cos(), middle.y + h * angle.sin())
    };
    let (mut x, mut y) = point(0);
    let mut path = format!("M{x:.1} {y:.1}");
    for i in 1..=BOWS {
        let next = point(i);
        let radius = (next.0 - x).hypot(next.1 - y) * 0.58;
        let _ok = write!(path, "A{radius:.1} {radius:.1} 0 0 1 {:.1} {:.1}", next.0, next.1);
        (x, y) = next;
    }
    path.push('Z');
    path
}
