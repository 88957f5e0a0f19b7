//! Keys in, screens out, without a terminal and without a thread: what tests and documents use.

use super::key::Key;
use super::loaded::Loaded;
use super::message::{Effect, Found};
use super::model::Model;
use super::mouse;
use super::screens::cuts;
use super::theme::Theme;
use super::update::press;
use super::view::view;
use super::worker;
use super::worker::Stop;
use crate::query::Asked;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// Somebody at the keys.
pub struct Pilot {
    /// The state.
    pub model: Model,
    /// What was copied, the last text last.
    pub copied: Vec<String>,
    /// The files that were written, with their content.
    pub written: Vec<(String, Vec<u8>)>,
    /// Whether the program has been left.
    pub left: bool,
}

impl Pilot {
    /// Sits down before a terminal of a size.
    #[must_use]
    pub fn new(size: (u16, u16), theme: Theme) -> Self {
        let model = Model::new(size, theme);
        Self { model, copied: Vec::new(), written: Vec::new(), left: false }
    }

    /// The snapshot has been read, and everything is asked of it.
    pub fn load(&mut self, loaded: Arc<Loaded>) {
        let effects = opened(&mut self.model, loaded);
        self.run(effects);
    }

    /// The snapshot has been read, and what would be asked of it is known.
    pub fn load_asked(&mut self, loaded: Arc<Loaded>, asked: Arc<Asked>) {
        // What it asks for is known.
        let _ = opened(&mut self.model, loaded);
        let effects = cuts::answered(&mut self.model, asked);
        self.run(effects);
    }

    /// Presses keys, as [`Key::parse_all`] reads them.
    pub fn press(&mut self, keys: &str) {
        for key in Key::parse_all(keys) {
            let table = self.model.keys.clone();
            let effects = press(&mut self.model, &table, key);
            self.run(effects);
        }
    }

    /// Clicks at a column and a row.
    pub fn click(&mut self, x: u16, y: u16) {
        let effects = mouse::click(&mut self.model, x, y);
        self.run(effects);
    }

    /// Turns the wheel at a column and a row.
    pub fn wheel(&mut self, at: (u16, u16), down: bool) {
        let effects = mouse::wheel(&mut self.model, at, down);
        self.run(effects);
    }

    /// The screen's cells.
    #[must_use]
    pub fn cells(&self) -> Buffer {
        let (width, height) = self.model.size;
        let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width, height });
        view(&self.model, &mut buffer);
        buffer
    }

    /// The screen as text, without spaces at the ends of its lines.
    #[must_use]
    pub fn screen(&self) -> String {
        let cells = self.cells();
        let mut text = String::new();
        for y in 0..cells.area.height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..cells.area.width {
                let Some(cell) = cells.cell((x, y)) else { continue };
                // The second half of a wide character is no character.
                if skip == 0 {
                    line.push_str(cell.symbol());
                    skip = canvas_width(cell.symbol());
                }
                skip = skip.saturating_sub(1);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn run(&mut self, effects: Vec<Effect>) {
        let mut todo = effects;
        while !todo.is_empty() {
            let mut next = Vec::new();
            for effect in todo {
                match effect {
                    Effect::Work(job) => next.extend(self.work(job)),
                    Effect::Copy(text) => self.copied.push(text),
                    Effect::Write { name, bytes } => self.written.push((name, bytes)),
                    Effect::Quit => self.left = true,
                    Effect::Stop | Effect::Mouse(_) | Effect::Suspend => {}
                }
            }
            todo = next;
        }
    }

    fn work(&mut self, job: worker::Job) -> Vec<Effect> {
        let Some(loaded) = self.model.loaded.clone() else { return Vec::new() };
        let found: Found = (job.run)(&loaded, &Stop::default());
        found(&mut self.model)
    }
}

fn canvas_width(symbol: &str) -> usize {
    ratatui::text::Span::raw(symbol.to_owned()).width().max(1)
}

/// What happens once a snapshot has been read: everything is asked of it.
pub(super) fn opened(model: &mut Model, loaded: Arc<Loaded>) -> Vec<Effect> {
    model.loaded = Some(loaded);
    let mut effects = vec![Effect::Work(cuts::ask(model))];
    effects.extend((model.screen.room().refresh)(model));
    effects
}
