//! Reach for a terminal: the plugin, what isolates what, then one connection a line.

use super::{Reach, word};
use crate::query::reach::doors::Exposed;
use crate::query::reach::explain::{Part, Said};
use crate::query::reach::{Range, Side, ports};
use crate::report::escape::{columns, shorten_middle, terminal};
use crate::report::write_hanging;
use crate::sym::Sym;
use crate::world::exposure::Scope;
use crate::world::network::{Direction, PortSpec, Protocol, Span, State};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Where clouds hand out the credentials of a machine.
const METADATA: ([u8; 4], u16) = ([169, 254, 169, 254], 80);

/// Writes the answer: with both ends given the verdict and its reasons, otherwise the overview.
///
/// # Errors
/// When the output cannot be written.
pub fn write(reach: &Reach<'_>, out: &mut dyn Write) -> io::Result<()> {
    let world = reach.ground.world;
    let policies = world.policies.len() + world.network.others.len();
    let of = match policies {
        // What coverage says then.
        0 => "",
        1 => "; 1 policy",
        n => &format!("; {n} policies"),
    };
    let topic = reach.coverage.iter().find(|topic| topic.topic == "network-policies");
    let says = topic.map_or("", |topic| &topic.reason);
    write_hanging("network  ", &terminal(&format!("{says}{of}")), reach.width, out)?;
    if reach.is_pair() {
        writeln!(out)?;
        return pairs(reach, Changes::All, out);
    }
    if reach.from.all && reach.to.all {
        isolation(reach, out)?;
    }
    doors(reach, out)?;
    connections(reach, out)?;
    if reach.from.all && reach.to.all {
        outside(reach, out)?;
    }
    Ok(())
}

/// A list in few words.
fn few<'t>(names: impl IntoIterator<Item = &'t str>, most: usize) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let mut text = names.iter().take(most).copied().collect::<Vec<_>>().join(", ");
    if names.len() > most {
        text = format!("{text} and {} more", names.len() - most);
    }
    terminal(&text).into_owned()
}

/// Which policies isolate how much of each namespace.
fn isolation(reach: &Reach<'_>, out: &mut dyn Write) -> io::Result<()> {
    let ground = reach.ground;
    let (one, many) = ground.level.names();
    let directions = [Direction::Ingress, Direction::Egress];
    let isolating = |group: u32, direction| {
        let classes = ground.group(group).classes.iter();
        classes.flat_map(move |c| ground.network.isolation(*c, direction)).collect::<BTreeSet<_>>()
    };
    let mut totals = [0_usize; 2];
    let mut spaces: BTreeMap<Sym, (usize, [usize; 2], [BTreeSet<_>; 2])> = BTreeMap::new();
    for group in ground.numbers() {
        let (count, isolated, by) = spaces.entry(ground.group(group).ns).or_default();
        *count += 1;
        for (i, direction) in directions.into_iter().enumerate() {
            let policies = isolating(group, direction);
            isolated[i] += usize::from(!policies.is_empty());
            totals[i] += usize::from(!policies.is_empty());
            by[i].extend(policies);
        }
    }
    let all = ground.groups.len();
    let what = if all == 1 { one } else { many };
    let rest = match totals {
        [0, 0] => "",
        _ => ": they take or send only what a rule allows",
    };
    let [takes, sends] = totals;
    writeln!(out, "isolated {takes} of {all} {what} for ingress, {sends} for egress{rest}")?;
    let (held, open): (Vec<_>, Vec<_>) =
        spaces.iter().partition(|(_, (_, isolated, _))| isolated.iter().any(|n| *n > 0));
    let name = |ns: &Sym| terminal(ground.world.text(*ns)).into_owned();
    let width = held.iter().map(|(ns, _)| columns(&name(ns))).max().unwrap_or(0).min(40);
    for (ns, (count, isolated, by)) in held.iter().take(reach.top) {
        for (i, direction) in directions.into_iter().enumerate() {
            if isolated[i] == 0 {
                continue;
            }
            let names: Vec<String> = by[i].iter().map(|p| ground.policy(*p)).collect();
            let by = few(names.iter().map(String::as_str), 4);
            let ns = shorten_middle(&name(ns), 40).into_owned();
            let fill = " ".repeat(width.saturating_sub(columns(&ns)));
            let head = format!("  {ns}{fill}  {:<7}  {} of {count}", direction.name(), isolated[i]);
            write_hanging(&format!("{head}  by "), &by, reach.width, out)?;
        }
    }
    if held.len() > reach.top {
        writeln!(out, "  and {} namespaces more (--top N prints more)", held.len() - reach.top)?;
    }
    if !open.is_empty() {
        let names: Vec<String> = open.iter().map(|(ns, _)| name(ns)).collect();
        let text = few(names.iter().map(String::as_str), 12);
        write_hanging("  no policy isolates anything in ", &text, reach.width, out)?;
    }
    Ok(())
}

fn doors(reach: &Reach<'_>, out: &mut dyn Write) -> io::Result<()> {
    if reach.from.ranges.iter().all(|r| !r.is_public()) {
        return Ok(());
    }
    let ground = reach.ground;
    let found: Vec<_> = ground
        .exposed(true)
        .into_iter()
        .filter(|e| reach.to.groups.binary_search(&e.group).is_ok())
        .collect();
    let (internet, private): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|e| e.scope == Scope::Internet);
    writeln!(out, "\nfaces the internet ({}):", internet.len())?;
    door_rows(reach, &internet, out)?;
    if !private.is_empty() {
        writeln!(out, "\nfaces networks around the cluster ({}):", private.len())?;
        door_rows(reach, &private, out)?;
    }
    Ok(())
}

fn door_rows(reach: &Reach<'_>, found: &[Exposed], out: &mut dyn Write) -> io::Result<()> {
    let ground = reach.ground;
    let rows = found.iter().take(reach.top).map(|e| {
        let mut said = format!("{}, the door {}", word(e.state), e.confidence);
        if let Some(reason) = &e.reason {
            said = format!("{said}: {reason}");
        }
        [e.entry.clone(), ground.group(e.group).name.clone(), ports::text(&e.ports), said]
    });
    table(&rows.collect::<Vec<_>>(), reach.width, out)?;
    if found.len() > reach.top {
        writeln!(out, "  and {} more (--top N prints more)", found.len() - reach.top)?;
    }
    Ok(())
}

fn connections(reach: &Reach<'_>, out: &mut dyn Write) -> io::Result<()> {
    let ground = reach.ground;
    let found = ground.lines(reach.from, reach.to, reach.port, reach.all, reach.top);
    let whole = reach.from.all && reach.to.all && !reach.all;
    let note = if whole { " where a policy has a say" } else { "" };
    writeln!(out, "\nwho reaches whom{note}:")?;
    let rows = found.lines.iter().take(reach.top).map(|l| {
        let why = if l.reason.is_empty() { "" } else { ": " };
        let said = format!("{}{why}{}", word(l.state), l.reason);
        [l.from.clone(), l.to.clone(), ports::text(&l.ports), said]
    });
    table(&rows.collect::<Vec<_>>(), reach.width, out)?;
    if found.lines.is_empty() {
        writeln!(out, "  nobody, or no policy has a say")?;
    }
    let lines = found.lines.len().saturating_sub(reach.top);
    if lines + found.left > 0 {
        let left = match found.left {
            0 => String::new(),
            n => format!(" and {n} destinations not looked at"),
        };
        writeln!(out, "  and {lines} lines more{left} (--top N, -o json has all)")?;
    }
    if whole {
        let free = |direction| -> Vec<u32> {
            ground.numbers().filter(|g| !ground.is_judged(*g, direction)).collect()
        };
        let machines: Vec<u32> = ground.numbers().filter(|g| ground.is_machine(*g)).collect();
        let (takes, sends) = (free(Direction::Ingress), free(Direction::Egress));
        for (list, text) in [
            (takes, "nothing is held back that comes in to"),
            (sends, "nothing is held back that goes out of"),
            (machines, "on the network of a machine, which reaches every pod that runs on it"),
        ] {
            if !list.is_empty() {
                let names = ground.called(&list, None, true);
                let names = few(names.iter().map(String::as_str), 8);
                write_hanging("  ", &format!("{text}: {names}"), reach.width, out)?;
            }
        }
    }
    Ok(())
}

/// Who gets out: to the internet, and to where clouds hand out credentials.
fn outside(reach: &Reach<'_>, out: &mut dyn Write) -> io::Result<()> {
    let ground = reach.ground;
    let all = ground.groups.len();
    writeln!(out, "\nto the outside:")?;
    let ([a, b, c, d], port) = METADATA;
    let metadata = ipnet::IpNet::from(std::net::IpAddr::from([a, b, c, d]));
    let whole = ground.borders.outside();
    let asked = [
        ("internet", whole, None),
        ("metadata service 169.254.169.254:80", vec![Range::of(&metadata)], Some(port)),
    ];
    for (name, ranges, port) in asked {
        let port = port.map(|port| PortSpec { protocol: Protocol::Tcp, port });
        let mut counts =
            BTreeMap::from([(State::Allowed, Vec::new()), (State::Unknown, Vec::new())]);
        for group in ground.numbers() {
            let spans: Vec<Span> = if ground.is_judged(group, Direction::Egress) {
                let found = ground.outside(group, Direction::Egress, &ranges, port);
                let found = found.into_iter().filter(|(r, _)| port.is_some() || r.is_public());
                found.flat_map(|(_, spans)| spans).collect()
            } else {
                vec![ports::one(PortSpec::tcp(1), State::Allowed)]
            };
            if let Some(best) = spans.iter().map(|s| s.state).max() {
                counts.entry(best).or_default().push(group);
            }
        }
        for (state, groups) in counts.iter().rev() {
            if groups.is_empty() && *state == State::Unknown {
                continue;
            }
            let names = ground.called(groups, None, true);
            let names = few(names.iter().map(String::as_str), 6);
            let head = format!("  {name}  {}: {} of {all}  ", word(*state), groups.len());
            write_hanging(&head, &names, reach.width, out)?;
        }
    }
    Ok(())
}

/// Rows of who, whom, by which ports, and what becomes of it.
fn table(rows: &[[String; 4]], width: usize, out: &mut dyn Write) -> io::Result<()> {
    let safe: Vec<[String; 4]> =
        rows.iter().map(|row| row.each_ref().map(|cell| terminal(cell).into_owned())).collect();
    let limit = (width.saturating_sub(40) / 2).max(20);
    let column = |i: usize| safe.iter().map(|row| columns(&row[i])).max().unwrap_or(0).min(limit);
    let (first, second, third) = (column(0), column(1), column(2).min(28));
    for [from, to, ports, said] in &safe {
        let fit = |text: &str, width: usize| {
            let text = shorten_middle(text, limit).into_owned();
            let fill = " ".repeat(width.saturating_sub(columns(&text)));
            format!("{text}{fill}")
        };
        let (from, to, ports) = (fit(from, first), fit(to, second), fit(ports, third));
        match said.split_once(": ") {
            Some((word, why)) => {
                writeln!(out, "  {from} -> {to}  {ports}  {word}")?;
                write_hanging("      ", why, width, out)?;
            }
            None => writeln!(out, "  {from} -> {to}  {ports}  {said}")?,
        }
    }
    Ok(())
}

/// What would turn a verdict around is told of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changes {
    /// Every one.
    All,
    /// Those that hold something back.
    Opening,
    /// None.
    None,
}

pub(super) fn pairs(reach: &Reach<'_>, told: Changes, out: &mut dyn Write) -> io::Result<()> {
    let ground = reach.ground;
    let all: Vec<(Side, Side)> = split(reach);
    for (from, to) in all.iter().take(reach.top) {
        let named = |side: Side| terminal(&ground.words_of(side)).into_owned();
        writeln!(out, "{} -> {}", named(*from), named(*to))?;
        let parts = ground.explain(*from, *to, reach.port);
        let mut places = reach.places(&parts).into_iter();
        for part in &parts {
            explained(part, told, &mut places, reach.width, out)?;
        }
    }
    if all.is_empty() {
        writeln!(out, "both ends are the same, or both are outside: nothing to tell")?;
    }
    if all.len() > reach.top {
        writeln!(out, "and {} pairs more (--top N, -o json has all)", all.len() - reach.top)?;
    }
    Ok(())
}

/// The pairs that were asked about, the outside in parts that policies treat alike.
pub(super) fn split(reach: &Reach<'_>) -> Vec<(Side, Side)> {
    let mut all = Vec::new();
    for (from, to) in reach.pairs() {
        let (group, direction, range) = match (from, to) {
            (Side::Range(range), Side::Group(group)) => (group, Direction::Ingress, range),
            (Side::Group(group), Side::Range(range)) => (group, Direction::Egress, range),
            pair => {
                all.push(pair);
                continue;
            }
        };
        for (range, _) in reach.ground.outside(group, direction, &[range], reach.port) {
            all.push(match direction {
                Direction::Ingress => (Side::Range(range), to),
                Direction::Egress => (from, Side::Range(range)),
            });
        }
    }
    all
}

pub(super) fn explained(
    part: &Part,
    told: Changes,
    places: &mut impl Iterator<Item = String>,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "  {}: {}", ports::text(&part.ports), word(part.state))?;
    sentences(&part.egress, &part.ingress, places, width, out)?;
    let (head, told) = match part.state {
        State::Allowed => ("    to close it  ", told == Changes::All),
        _ => ("    to open it   ", told != Changes::None),
    };
    for change in part.change.iter().filter(|_| told) {
        write_hanging(head, &terminal(change), width, out)?;
    }
    Ok(())
}

/// What both ends say, each sentence with its place.
pub(super) fn sentences(
    egress: &[Said],
    ingress: &[Said],
    places: &mut impl Iterator<Item = String>,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (name, list) in [("egress", egress), ("ingress", ingress)] {
        for Said { text, .. } in list {
            let place = places.next().unwrap_or_default();
            let text = if place.is_empty() { text.clone() } else { format!("{text} ({place})") };
            write_hanging(&format!("    {name:<7}  "), &terminal(&text), width, out)?;
        }
    }
    Ok(())
}
