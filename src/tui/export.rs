//! Writes the view that is shown: its picture as DOT or SVG, or everything as Markdown.
//!
//! The picture is that of the screen: the path that is chosen, the node with its neighbours, what
//! is reached, whom a change closes off, who connects. What is too much to be drawn is counted in it.

use super::loaded::Loaded;
use super::message::{Effect, Export, Found};
use super::model::Model;
use super::screens::{Screen, blast, cuts, explorer, network, paths};
use super::worker::{Job, Topic};
use crate::query::Answer;
use crate::report::dot::dot;
use crate::report::picture::Picture;
use crate::report::svg::{Engine, svg};
use std::sync::Arc;

/// How many answers a picture shows where no single one is looked at.
pub(super) const MOST: usize = 8;

/// Draws a view, on the worker's thread.
pub(super) type Drawing = Box<dyn FnOnce(&Loaded) -> Picture + Send>;

/// Writes what is shown, in a form, into a file of the folder that the program runs in.
pub(super) fn view(model: &mut Model, form: Export) -> Vec<Effect> {
    let title = model.screen.room().title.to_lowercase();
    if form == Export::Markdown {
        let text = (model.screen.room().markdown)(model);
        let name = format!("kspm-graph-{title}.md");
        model.status = format!("written: {name}");
        return vec![Effect::Write { name, bytes: text.into_bytes() }];
    }
    let draw = match drawing(model) {
        Ok(draw) => draw,
        Err(why) => {
            model.status = why.to_owned();
            return Vec::new();
        }
    };
    let ending = if form == Export::Dot { "dot" } else { "svg" };
    let name = format!("kspm-graph-{title}.{ending}");
    let run = move |loaded: &Arc<Loaded>, _: &_| -> Found {
        let picture = draw(loaded);
        let text = if form == Export::Dot { dot(&picture) } else { svg(&picture, Engine::Auto) };
        Box::new(move |model| {
            model.status = format!("written: {name}: {}", picture.title);
            vec![Effect::Write { name, bytes: text.into_bytes() }]
        })
    };
    vec![Effect::Work(Job { topic: Topic::Export, doing: "drawing", run: Box::new(run) })]
}

/// What draws the screen, or why nothing does.
fn drawing(model: &Model) -> Result<Drawing, &'static str> {
    match model.screen {
        Screen::Overview => {
            let worst: Vec<Answer> = model.asked.answers.iter().take(MOST).cloned().collect();
            of_answers(worst, None)
        }
        Screen::Paths => of_answers(paths::way(model).into_iter().cloned().collect(), None),
        Screen::Explorer => explorer::drawing(model),
        Screen::Blast => blast::drawing(model),
        Screen::Cuts => cuts::drawing(model),
        Screen::Network => network::drawing(model),
        Screen::Access | Screen::Coverage | Screen::Help => {
            Err("there is nothing to draw here; M writes the view as Markdown")
        }
    }
}

/// The picture of some paths, under a title of its own if it has one.
pub(super) fn of_answers(
    answers: Vec<Answer>,
    title: Option<String>,
) -> Result<Drawing, &'static str> {
    if answers.is_empty() {
        return Err("there is no path to draw");
    }
    Ok(Box::new(move |loaded| {
        let mut picture = Picture::of_answers(&loaded.graph, &answers);
        if let Some(title) = title {
            picture.title = title;
        }
        picture
    }))
}
