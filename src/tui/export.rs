//! Writes the view that is shown: a picture of the path, or everything as Markdown.

use super::loaded::Loaded;
use super::message::{Effect, Export, Found};
use super::model::Model;
use super::screens::{Screen, paths};
use super::worker::{Job, Topic};
use crate::query::Answer;
use crate::report::dot::dot;
use crate::report::picture::Picture;
use crate::report::svg::{Engine, svg};
use std::sync::Arc;

/// How many answers a picture shows where no single one is looked at.
const MOST: usize = 8;

/// Writes what is shown, in a form, into a file of the folder that the program runs in.
pub(super) fn view(model: &mut Model, form: Export) -> Vec<Effect> {
    let title = model.screen.room().title.to_lowercase();
    if form == Export::Markdown {
        let text = (model.screen.room().markdown)(model);
        let name = format!("kspm-graph-{title}.md");
        model.status = format!("written: {name}");
        return vec![Effect::Write { name, bytes: text.into_bytes() }];
    }
    let shown: Vec<Answer> = match model.screen {
        Screen::Paths => paths::way(model).into_iter().cloned().collect(),
        _ => model.asked.answers.iter().take(MOST).cloned().collect(),
    };
    if shown.is_empty() {
        model.status = "there is no path to draw".to_owned();
        return Vec::new();
    }
    let ending = if form == Export::Dot { "dot" } else { "svg" };
    let name = format!("kspm-graph-{title}.{ending}");
    let run = move |loaded: &Arc<Loaded>, _: &_| -> Found {
        let picture = Picture::of_answers(&loaded.graph, &shown);
        let text = if form == Export::Dot { dot(&picture) } else { svg(&picture, Engine::Auto) };
        Box::new(move |model| {
            model.status = format!("written: {name}");
            vec![Effect::Write { name, bytes: text.into_bytes() }]
        })
    };
    vec![Effect::Work(Job { topic: Topic::Export, doing: "drawing", run: Box::new(run) })]
}
