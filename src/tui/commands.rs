//! The palette: what can be typed after `:`. Every action of the key table is a command by its
//! name, and these take something more.

use super::canvas::{Canvas, column, fit, put, safe, span};
use super::fuzzy;
use super::keymap::{KEYMAP, On};
use super::message::{Effect, Motion};
use super::model::Model;
use super::prompt::Prompt;
use super::screens::{Screen, access};
use super::theme::{PALETTES, Theme};
use super::update::{explore, find, show, update};
use crate::graph::NodeId;
use crate::query::gate;
use crate::query::selector::Selector;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// A command that takes arguments.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) takes: &'static str,
    pub(super) about: &'static str,
    run: fn(&mut Model, &str) -> Result<Vec<Effect>, String>,
}

/// Every command with arguments: those of the command line that ask about a cluster, and a few of
/// this screen's own.
pub(super) const COMMANDS: &[Command] = &[
    Command { name: "go", takes: "SELECTOR", about: "show a node in Explorer", run: go },
    Command {
        name: "blast",
        takes: "SELECTOR",
        about: "what can be reached from there",
        run: |m, t| look(m, t, Screen::Blast),
    },
    Command {
        name: "reach",
        takes: "SELECTOR",
        about: "who reaches it over the network, and whom it reaches",
        run: |m, t| look(m, t, Screen::Network),
    },
    Command {
        name: "paths",
        takes: "FROM TO",
        about: "the best paths between two nodes",
        run: paths,
    },
    Command {
        name: "why",
        takes: "FROM TO",
        about: "the same: every step has its evidence",
        run: paths,
    },
    Command {
        name: "who-can",
        takes: "VERB RESOURCE [NAME] [-n NS]",
        about: "who holds a permission",
        run: access::who_can,
    },
    Command {
        name: "can-i",
        takes: "--as WHO VERB RESOURCE [NAME] [-n NS]",
        about: "what an API server would answer",
        run: access::can_i,
    },
    Command {
        name: "rights",
        takes: "SELECTOR",
        about: "what it may do, and who can do what to it",
        run: |m, t| look(m, t, Screen::Access),
    },
    Command { name: "query", takes: "NAME", about: "the answers to one query", run: query },
    Command {
        name: "fail-on",
        takes: "EXPR...",
        about: "whether a build would pass: a severity, query:NAME, or none",
        run: fail_on,
    },
    Command { name: "theme", takes: "NAME", about: "terminal, colour-blind or none", run: theme },
    Command { name: "analyze", takes: "", about: "every answer", run: |m, _| query(m, "") },
];

/// A line that is offered.
struct Offer {
    text: String,
    takes: &'static str,
    about: &'static str,
}

/// What fits what was typed, the best first.
fn offers(typed: &str) -> Vec<Offer> {
    let word = typed.split_whitespace().next().unwrap_or_default();
    let whole = typed.trim_end() != typed || typed.split_whitespace().count() > 1;
    let own = COMMANDS.iter().map(|c| (c.name, c.takes, c.about));
    let rows = KEYMAP.iter().filter(|row| row.on != On::Prompt).map(|r| (r.name, "", r.help));
    let mut fitting: Vec<(u32, Offer)> = own
        .chain(rows)
        .filter_map(|(name, takes, about)| {
            let score = if whole {
                (name == word).then_some(1)
            } else {
                fuzzy::score(word, name).map(|s| s + if name.starts_with(word) { 100 } else { 0 })
            };
            Some((score?, Offer { text: name.to_owned(), takes, about }))
        })
        .collect();
    fitting.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    fitting.into_iter().map(|(_, offer)| offer).collect()
}

/// Chooses the next of what is offered, or the one before; with nothing typed, the last command
/// comes back.
pub(super) fn offer(model: &mut Model, forward: bool) {
    let last = model.typed.last().cloned();
    let Some(prompt) = &mut model.prompt else { return };
    if prompt.text.is_empty() && !forward {
        if let Some(last) = last {
            prompt.text = last;
            prompt.at = prompt.text.len();
        }
        return;
    }
    let count = offers(&prompt.text).len();
    let mut list = super::list::List { selected: prompt.chosen };
    list.go(if forward { Motion::Down } else { Motion::Up }, count, 1);
    prompt.chosen = list.selected;
}

/// Runs what was typed.
pub(super) fn run(model: &mut Model, prompt: &Prompt) -> Vec<Effect> {
    let typed = prompt.text.trim();
    if typed.is_empty() && prompt.chosen == 0 {
        return Vec::new();
    }
    let (word, rest) = typed.split_once(' ').unwrap_or((typed, ""));
    let offered = offers(&prompt.text);
    let known = |name: &str| {
        COMMANDS.iter().any(|c| c.name == name) || KEYMAP.iter().any(|r| r.name == name)
    };
    let exact = known(word) && prompt.chosen == 0;
    let name = if exact {
        Some(word.to_owned())
    } else {
        offered.into_iter().nth(prompt.chosen).map(|o| o.text)
    };
    let Some(name) = name else {
        model.status = format!("there is no command `{word}`; ? lists what there is");
        return Vec::new();
    };
    let line = if rest.is_empty() { name.clone() } else { format!("{name} {rest}") };
    model.typed.push(line);
    if let Some(command) = COMMANDS.iter().find(|c| c.name == name) {
        if rest.trim().is_empty() && !command.takes.is_empty() {
            // It wants more: what was chosen is written out for that.
            let mut prompt = prompt.clone();
            prompt.text = format!("{name} ");
            (prompt.at, prompt.chosen) = (prompt.text.len(), 0);
            model.typed.pop();
            model.status = format!("{name} takes {}", command.takes);
            model.prompt = Some(prompt);
            return Vec::new();
        }
        return (command.run)(model, rest.trim()).unwrap_or_else(|error| {
            model.status = error.replace('\n', "; ");
            Vec::new()
        });
    }
    match KEYMAP.iter().find(|row| row.name == name) {
        Some(row) => update(model, row.msg),
        None => Vec::new(),
    }
}

/// Draws what is offered, above the line that is typed.
pub(super) fn view(model: &Model, prompt: &Prompt, buf: &mut Canvas<'_>, foot: Rect) {
    const MOST: usize = 8;
    let theme = model.theme;
    let offers = offers(&prompt.text);
    let list = super::list::List { selected: prompt.chosen };
    let seen = list.seen(offers.len(), MOST.min(usize::from(foot.y)));
    let width = usize::from(foot.width);
    let status = span(fit(&safe(&model.status), width, theme), theme.warn());
    put(buf, foot.x, foot.y, foot.width, &Line::from(status));
    let Ok(count) = u16::try_from(seen.len()) else { return };
    for (y, place) in (foot.y.saturating_sub(count)..foot.y).zip(seen) {
        let Some(offer) = offers.get(place) else { continue };
        let here = list.at(offers.len()) == Some(place);
        let area = Rect { y, height: 1, ..foot };
        buf.set_style(area, ratatui::style::Style::reset());
        let name = format!(
            "{} {} {}",
            if here { theme.glyphs().cursor } else { " " },
            offer.text,
            offer.takes
        );
        let text = format!("{} {}", column(&name, 34.min(width / 2), theme), offer.about);
        let style = if here { theme.selected(true) } else { theme.text() };
        put(buf, area.x, y, area.width, &Line::from(span(column(&text, width, theme), style)));
    }
}

/// The node that a selector means: the first of several.
fn node(model: &mut Model, text: &str) -> Result<NodeId, String> {
    let Some(graph) = model.graph() else { return Err("nothing has been read yet".to_owned()) };
    let selector = Selector::parse(text).map_err(|e| e.to_string())?;
    let found = selector.select(graph).map_err(|e| e.to_string())?;
    let Some(first) = found.first().copied() else {
        return Err(format!("`{text}` selects nothing"));
    };
    if found.len() > 1 {
        model.status = format!("the first of {} that `{text}` selects", found.len());
    }
    Ok(first)
}

fn go(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    let node = node(model, text)?;
    Ok(explore(model, node))
}

fn look(model: &mut Model, text: &str, screen: Screen) -> Result<Vec<Effect>, String> {
    let node = node(model, text)?;
    let effects = explore(model, node);
    model.on.explorer.clear();
    Ok(effects.into_iter().chain(show(model, screen)).collect())
}

fn paths(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let ([from, to] | ["--from", from, "--to", to]) = words[..] else {
        return Err("paths takes FROM TO, such as `paths internet cluster-admin`".to_owned());
    };
    model.ends = (Some(node(model, from)?), Some(node(model, to)?));
    Ok(find(model))
}

fn query(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    let id = text.trim();
    let known = model.loaded.as_ref().is_some_and(|l| l.queries.iter().any(|q| q.id == id));
    if !known && !id.is_empty() {
        return Err(format!("there is no query `{id}`; `kspm-graph query list` shows them"));
    }
    let filter = if id.is_empty() { String::new() } else { format!("query:{id}") };
    if let Some(place) = model.filters.get_mut(Screen::Paths as usize) {
        *place = filter;
    }
    Ok(show(model, Screen::Paths))
}

/// Sets the gate, in place of those there are.
fn fail_on(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    let gates = match text {
        "none" => Vec::new(),
        text => text.split_whitespace().map(gate::parse).collect::<Result<Vec<_>, _>>()?,
    };
    let queries = model.loaded.as_ref().map_or(&[][..], |loaded| &loaded.queries);
    let known = |name: &&str| queries.iter().any(|query| query.id == *name);
    if let Some(name) = gates.iter().filter_map(gate::Gate::query).find(|name| !known(name)) {
        return Err(format!("there is no query `{name}`; `kspm-graph query list` shows them"));
    }
    model.gates = gates;
    Ok(show(model, Screen::Overview))
}

fn theme(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    let names: Vec<&str> = PALETTES.iter().map(|p| p.name).collect();
    let help = || format!("there is no theme `{text}`: choose from {}", names.join(", "));
    model.theme = Theme::named(text, model.theme.ascii).ok_or_else(help)?;
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_name_means_one_thing() {
        let rows = KEYMAP.iter().filter(|row| row.on != On::Prompt);
        let names: Vec<&str> =
            COMMANDS.iter().map(|c| c.name).chain(rows.map(|r| r.name)).collect();
        let unique: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(unique.len(), names.len());
    }

    #[test]
    fn what_begins_as_typed_is_offered_first() {
        assert_eq!(offers("who")[0].text, "who-can");
        assert_eq!(offers("bl")[0].text, "blast");
        assert_eq!(offers("who-can get")[0].text, "who-can");
        assert!(offers("zzzz").is_empty());
    }
}
