//! Access: who can, and can it.

use super::super::canvas::pane;
use super::super::message::Effect;
use super::super::model::Model;
use super::{Room, Under};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The screen.
pub static ROOM: Room = Room {
    title: "Access",
    panes: 1,
    view,
    update: |_, _| Vec::new(),
    refresh: |_| Vec::new(),
    under: |_| Under::default(),
    command: |model| format!("who-can {} get secrets", model.inputs()),
    markdown: |_| String::new(),
};

/// What the screen keeps.
#[derive(Default)]
pub struct State {}

pub fn who_can(_: &mut Model, _: &str) -> Result<Vec<Effect>, String> {
    Ok(Vec::new())
}

pub fn can_i(_: &mut Model, _: &str) -> Result<Vec<Effect>, String> {
    Ok(Vec::new())
}

fn view(model: &Model, buf: &mut Buffer, area: Rect) {
    pane(buf, area, "Access", true, model.theme);
}
