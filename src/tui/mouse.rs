//! The mouse: what a click and the wheel do. Nothing needs it, and it does nothing that keys do not.

use super::canvas::Spot;
use super::message::{Effect, Motion, Msg};
use super::model::Model;
use super::update::update;
use super::view::seen_at;

/// What is said when it is listened to.
pub(super) const SAID: &str = "a click selects, one more opens, the wheel moves the cursor";

/// A click selects the row under it, and opens the row that is selected already: a double click
/// does both. On the title of a screen it goes there.
pub fn click(model: &mut Model, x: u16, y: u16) -> Vec<Effect> {
    model.status.clear();
    // What is offered while a line is typed lies over the screen.
    if model.prompt.is_some() {
        return Vec::new();
    }
    match seen_at(model, x, y) {
        Some(Spot::Screen(screen)) => update(model, Msg::Show(screen)),
        Some(Spot::Row { pane, here: true, .. }) if pane == model.pane => update(model, Msg::Open),
        Some(Spot::Row { pane, row, .. }) => {
            model.pane = pane;
            update(model, Msg::Move(Motion::Row(row)))
        }
        Some(Spot::Pane(pane)) => {
            model.pane = pane;
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// The wheel moves the cursor of the pane that it is over.
pub fn wheel(model: &mut Model, (x, y): (u16, u16), down: bool) -> Vec<Effect> {
    let over = seen_at(model, x, y).filter(|_| model.prompt.is_none());
    if let Some(Spot::Row { pane, .. } | Spot::Pane(pane)) = over {
        model.pane = pane;
    }
    update(model, Msg::Move(if down { Motion::Down } else { Motion::Up }))
}
