//! What a key does: the model before, the model after, and what has to be done outside.
//!
//! What is the same on every screen stands here; the rest is asked of the screen.

use super::commands;
use super::copied;
use super::export;
use super::key::{Code, Key};
use super::keymap::Keys;
use super::loaded::Changes;
use super::message::{Edit, Effect, Export, Msg};
use super::model::{Model, Place};
use super::mouse;
use super::prompt::{Prompt, Purpose};
use super::screens::{Screen, Under, access, cuts, evidence, network, paths};
use crate::graph::{NodeId, NodeKind};
use crate::report::named;

/// How many changes can be taken back.
const UNDO: usize = 100;

/// How many places Back remembers.
const TRAIL: usize = 200;

/// A key was pressed.
pub fn press(model: &mut Model, keys: &Keys, key: Key) -> Vec<Effect> {
    model.status.clear();
    if let Some(row) = keys.row(key, model) {
        return update(model, row.msg);
    }
    match (&mut model.prompt, key.code) {
        (Some(prompt), Code::Char(c)) if !key.ctrl => {
            prompt.insert(c);
            typed(model)
        }
        _ => {
            model.status = format!("`{key}` does nothing here; ? shows the keys");
            Vec::new()
        }
    }
}

/// Something is wanted.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Quit => vec![Effect::Quit],
        Msg::Suspend => vec![Effect::Suspend],
        Msg::Theme => {
            model.theme = model.theme.next();
            model.status = format!("theme {}", model.theme.name());
            Vec::new()
        }
        Msg::Ascii => {
            model.theme.ascii = !model.theme.ascii;
            Vec::new()
        }
        Msg::Mouse => {
            model.mouse = !model.mouse;
            model.status = match model.mouse {
                true => format!("mouse on: {}", mouse::SAID),
                false => "mouse off".to_owned(),
            };
            vec![Effect::Mouse(model.mouse)]
        }
        _ if model.loaded.is_none() => Vec::new(),
        _ if model.prompt.is_some() => in_prompt(model, msg),
        _ if model.page.is_some() => on_page(model, msg),
        _ => on_screen(model, msg),
    }
}

fn on_screen(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Show(screen) => show(model, screen),
        Msg::Back => back(model),
        Msg::Pane(forward) => pane(model, forward),
        Msg::Enlarge => {
            model.enlarged = !model.enlarged;
            Vec::new()
        }
        Msg::Filter => {
            model.prompt = Some(Prompt::new(Purpose::Filter, model.filter()));
            Vec::new()
        }
        Msg::Palette => {
            model.prompt = Some(Prompt::new(Purpose::Palette, ""));
            Vec::new()
        }
        Msg::Mark => mark(model),
        Msg::Exclude { attack } => exclude(model, attack),
        Msg::ExcludeNode => exclude_node(model),
        Msg::Restore => restore(model),
        Msg::Undo => undo(model),
        Msg::Set { end } => set_end(model, end),
        Msg::Find => find(model),
        Msg::Reverse => reverse(model),
        Msg::Owner => owner(model),
        Msg::Evidence => evidence::open(model),
        Msg::CopyName => copy_name(model),
        Msg::CopyCommand => copied::command(model),
        Msg::Export(form) => export::view(model, form),
        Msg::System => {
            model.system = !model.system;
            let all = &model.all[1].answers;
            let count = all.iter().filter(|a| a.system).count();
            let now = if model.system { "shown" } else { "hidden" };
            model.status = format!("{count} answers begin at Kubernetes' own components: {now}");
            cuts::shown(model)
        }
        Msg::Stop => {
            model.status = "stopped".to_owned();
            vec![Effect::Stop]
        }
        _ => (model.screen.room().update)(model, msg),
    }
}

/// What is under the cursor.
fn under(model: &Model) -> Under {
    (model.screen.room().under)(model)
}

/// Shows a screen. Those that look at a node take the one under the cursor; of Explorer, which
/// looks at one itself, they take that.
pub fn show(model: &mut Model, screen: Screen) -> Vec<Effect> {
    let here = model.place();
    let looks =
        matches!(screen, Screen::Explorer | Screen::Blast | Screen::Network | Screen::Access);
    let same = here.screen == Screen::Explorer && screen != Screen::Access;
    let node = under(model).node.filter(|_| looks && !same);
    go(model, here, screen, node.or(model.node))
}

/// Shows a node in Explorer.
pub fn explore(model: &mut Model, node: NodeId) -> Vec<Effect> {
    let here = model.place();
    go(model, here, Screen::Explorer, Some(node))
}

fn go(model: &mut Model, here: Place, screen: Screen, node: Option<NodeId>) -> Vec<Effect> {
    if (screen, node) != (here.screen, here.node) {
        model.trail.push(here);
        let old = model.trail.len().saturating_sub(TRAIL);
        model.trail.drain(..old);
        model.pane = 0;
        model.enlarged = false;
        if node != here.node {
            model.on.explorer.lists = Default::default();
        }
    }
    model.screen = screen;
    model.node = node;
    (screen.room().refresh)(model)
}

/// Leaves one thing: the filter, else the enlarged pane, else what the screen has open, else the
/// screen.
fn back(model: &mut Model) -> Vec<Effect> {
    let place = model.screen as usize;
    if let Some(filter) = model.filters.get_mut(place).filter(|f| !f.is_empty()) {
        filter.clear();
        return (model.screen.room().refresh)(model);
    }
    if model.enlarged {
        model.enlarged = false;
        return Vec::new();
    }
    if model.screen == Screen::Paths && paths::leave(model) {
        return Vec::new();
    }
    if model.screen == Screen::Access
        && let Some(effects) = access::leave(model)
    {
        return effects;
    }
    let Some(to) = model.trail.pop() else {
        model.status = "this is the first view; q leaves".to_owned();
        return Vec::new();
    };
    model.screen = to.screen;
    model.node = to.node;
    model.pane = to.pane;
    model.on.explorer.lists = to.lists;
    (model.screen.room().refresh)(model)
}

fn pane(model: &mut Model, forward: bool) -> Vec<Effect> {
    let panes = model.screen.room().panes.max(1);
    model.pane = if forward { model.pane + 1 } else { model.pane + panes - 1 } % panes;
    Vec::new()
}

/// Pretends that the fact under the cursor is gone.
fn mark(model: &mut Model) -> Vec<Effect> {
    // Every row of that list can be pretended, facts and others.
    if model.screen == Screen::Cuts {
        return (model.screen.room().update)(model, Msg::Open);
    }
    if model.screen == Screen::Network {
        return network::mark(model);
    }
    let Some(fact) = under(model).fact else {
        model.status =
            "no fact under the cursor: move to a line of evidence, or to a cut".to_owned();
        return Vec::new();
    };
    change(model, |changes| changes.toggle_fact(fact))
}

fn exclude(model: &mut Model, attack: bool) -> Vec<Effect> {
    let edge = under(model).edge;
    let named = edge.zip(model.graph()).map(|(edge, graph)| graph.attack(edge));
    let (Some(edge), Some(named)) = (edge, named) else {
        model.status = "no step under the cursor".to_owned();
        return Vec::new();
    };
    if attack {
        change(model, |changes| changes.toggle_attack(named))
    } else {
        change(model, |changes| changes.toggle_edge(edge))
    }
}

/// Leaves the node under the cursor out of all paths.
fn exclude_node(model: &mut Model) -> Vec<Effect> {
    let node = match model.screen {
        Screen::Paths => paths::passed(model),
        _ => under(model).node,
    };
    let (Some(node), Some(loaded)) = (node, model.loaded.clone()) else {
        model.status = "no node under the cursor".to_owned();
        return Vec::new();
    };
    let effects = change(model, |changes| changes.toggle_node(&loaded.graph, node));
    let name = named(&loaded.graph, loaded.graph.fold(node));
    let out = model.changes.has_node(&loaded.graph, node);
    let now = if out { "left out of all paths" } else { "no longer left out" };
    model.status = format!("{now}: {name}; u takes it back");
    effects
}

/// Forgets all that is pretended. What was stopped before there was an answer is asked again.
fn restore(model: &mut Model) -> Vec<Effect> {
    if model.changes.is_empty() && !cuts::is_current(model) {
        return changed(model);
    }
    change(model, |changes| *changes = Changes::default())
}

/// Changes what is pretended, and has everything asked again.
pub fn change(model: &mut Model, by: impl FnOnce(&mut Changes)) -> Vec<Effect> {
    let before = model.changes.clone();
    by(&mut model.changes);
    if model.changes == before {
        return Vec::new();
    }
    model.undo.push(before);
    let old = model.undo.len().saturating_sub(UNDO);
    model.undo.drain(..old);
    changed(model)
}

fn undo(model: &mut Model) -> Vec<Effect> {
    let Some(before) = model.undo.pop() else {
        model.status = "nothing to take back".to_owned();
        return Vec::new();
    };
    model.changes = before;
    changed(model)
}

fn changed(model: &mut Model) -> Vec<Effect> {
    let count = model.changes.count();
    model.status = match count {
        0 => "nothing is pretended any more".to_owned(),
        1 => "1 change is pretended; u takes it back".to_owned(),
        count => format!("{count} changes are pretended; u takes the last back"),
    };
    let mut effects = cuts::asked_anew(model);
    effects.extend(paths::asked_anew(model));
    effects.extend((model.screen.room().refresh)(model));
    effects
}

fn set_end(model: &mut Model, end: bool) -> Vec<Effect> {
    let Some(node) = under(model).node else {
        model.status = "no node under the cursor".to_owned();
        return Vec::new();
    };
    if end {
        model.ends.1 = Some(node);
    } else {
        model.ends.0 = Some(node);
    }
    let name = model.spelled(node);
    let other = if end { model.ends.0 } else { model.ends.1 };
    let next = match other {
        Some(_) => "p finds the paths",
        None if end => "f sets where they start",
        None => "t sets where they end",
    };
    model.status = format!("paths {} at {name}; {next}", if end { "end" } else { "start" });
    Vec::new()
}

/// Looks for paths between the ends that were set: from the internet where no start is, to
/// cluster-admin where no end is.
pub fn find(model: &mut Model) -> Vec<Effect> {
    let only = |kind| model.graph().and_then(|graph| graph.nodes_of(|k| k == kind).next());
    let (internet, admin) = (only(NodeKind::Internet), only(NodeKind::ClusterAdmin));
    let unset = match model.ends {
        (None, None) => {
            model.status = "f sets where paths start, t where they end".to_owned();
            return Vec::new();
        }
        (None, Some(_)) => "no start is set: from the internet (f sets one)",
        (Some(_), None) => "no end is set: to cluster-admin (t sets one)",
        (Some(_), Some(_)) => "",
    };
    let (Some(from), Some(to)) = (model.ends.0.or(internet), model.ends.1.or(admin)) else {
        return Vec::new();
    };
    if !unset.is_empty() {
        model.status = unset.to_owned();
    }
    let here = model.place();
    if here.screen != Screen::Paths {
        model.trail.push(here);
        model.screen = Screen::Paths;
    }
    model.pane = 0;
    paths::between(model, from, to)
}

/// Looks the other way round: from where the paths on the screen end to where they start, or where
/// none are shown, from the end that was set to the start.
fn reverse(model: &mut Model) -> Vec<Effect> {
    let shown = if model.screen == Screen::Paths { paths::shown_ends(model) } else { None };
    let (from, to) = match shown {
        Some((from, to)) => (Some(from), Some(to)),
        None => model.ends,
    };
    if (from, to) == (None, None) {
        model.status =
            "nothing to turn around: f sets where paths start, t where they end".to_owned();
        return Vec::new();
    }
    model.ends = (to, from);
    let effects = find(model);
    if model.status.is_empty()
        && let (Some(from), Some(to)) = model.ends
    {
        let (from, to) = (model.spelled(from), model.spelled(to));
        model.status = format!("the other way round: from {from} to {to}");
    }
    effects
}

fn owner(model: &mut Model) -> Vec<Effect> {
    let (Some(node), Some(graph)) = (under(model).node.or(model.node), model.graph()) else {
        return Vec::new();
    };
    let folded = graph.fold(node);
    let owner = if folded == node {
        // The namespace of what is in one.
        graph.namespace(node).and_then(|ns| {
            graph.nodes().find(|n| {
                graph.kind(*n) == NodeKind::Namespace && graph.name(*n) == ns && *n != node
            })
        })
    } else {
        Some(folded)
    };
    match owner {
        Some(owner) => explore(model, owner),
        None => {
            model.status = "nothing owns it".to_owned();
            Vec::new()
        }
    }
}

fn copy_name(model: &mut Model) -> Vec<Effect> {
    let Some(node) = under(model).node else {
        model.status = "no node under the cursor".to_owned();
        return Vec::new();
    };
    let name = model.spelled(node);
    model.status = format!("copied: {name}");
    vec![Effect::Copy(name)]
}

fn on_page(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Move(motion) => {
            let rows = model.page_rows();
            if let Some(page) = &mut model.page {
                page.go(motion, rows);
            }
            Vec::new()
        }
        Msg::Pane(forward) | Msg::Way(forward) => {
            let rows = model.page_rows();
            if let Some(page) = &mut model.page {
                page.turn(forward, rows);
            }
            Vec::new()
        }
        Msg::Export(Export::Markdown) => evidence::export(model),
        Msg::Back | Msg::Open | Msg::Evidence => {
            model.page = None;
            Vec::new()
        }
        Msg::Mark => match model.page.as_ref().and_then(evidence::Page::fact) {
            Some(fact) => change(model, |changes| changes.toggle_fact(fact)),
            None => Vec::new(),
        },
        Msg::Undo | Msg::Restore | Msg::Stop => on_screen(model, msg),
        Msg::Show(_) => {
            model.page = None;
            on_screen(model, msg)
        }
        _ => {
            model.status = "this works on the screen beneath: Esc closes the evidence".to_owned();
            Vec::new()
        }
    }
}

fn in_prompt(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let Some(prompt) = &mut model.prompt else { return Vec::new() };
    match msg {
        Msg::Edit(edit) => {
            // To erase what is empty leaves it, as in most programs.
            if edit == Edit::Backspace && prompt.text.is_empty() {
                return in_prompt(model, Msg::Back);
            }
            prompt.edit(edit);
            typed(model)
        }
        Msg::Offer(forward) => {
            if prompt.purpose == Purpose::Palette {
                commands::offer(model, forward);
            }
            Vec::new()
        }
        Msg::Back => {
            let before = prompt.before.clone();
            let purpose = prompt.purpose;
            model.prompt = None;
            if purpose == Purpose::Filter { filter(model, &before) } else { Vec::new() }
        }
        Msg::Accept => {
            let prompt = model.prompt.take();
            match prompt {
                Some(p) if p.purpose == Purpose::Palette => commands::run(model, &p),
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// The line changed: a filter works while it is typed.
fn typed(model: &mut Model) -> Vec<Effect> {
    match &model.prompt {
        Some(prompt) if prompt.purpose == Purpose::Filter => {
            let text = prompt.text.clone();
            filter(model, &text)
        }
        _ => Vec::new(),
    }
}

fn filter(model: &mut Model, text: &str) -> Vec<Effect> {
    let place = model.screen as usize;
    if let Some(filter) = model.filters.get_mut(place) {
        text.clone_into(filter);
    }
    (model.screen.room().refresh)(model)
}
