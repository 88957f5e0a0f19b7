//! Network.

use super::super::canvas::pane;
use super::super::model::Model;
use super::{Room, Under};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The screen.
pub static ROOM: Room = Room {
    title: "Network",
    panes: 1,
    view,
    update: |_, _| Vec::new(),
    refresh: |_| Vec::new(),
    under: |_| Under::default(),
    command: |model| format!("reach {}", model.inputs()),
    markdown: |_| String::new(),
};

/// What the screen keeps.
#[derive(Default)]
pub struct State {}

fn view(model: &Model, buf: &mut Buffer, area: Rect) {
    pane(buf, area, "Network", true, model.theme);
}
