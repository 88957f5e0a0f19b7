//! Ports as ranges, each with what becomes of a connection to it.

use crate::world::network::{PortSpec, Protocol, Span, State};

/// Every protocol, in the order of output.
const PROTOCOLS: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

/// All ports of all protocols.
#[must_use]
pub fn every(state: State) -> Vec<Span> {
    PROTOCOLS.map(|protocol| Span { protocol, first: 1, last: u16::MAX, state }).to_vec()
}

/// One port.
#[must_use]
pub fn one(port: PortSpec, state: State) -> Span {
    Span { protocol: port.protocol, first: port.port, last: port.port, state }
}

/// Whether nothing more can be allowed.
#[must_use]
pub fn is_full(spans: &[Span]) -> bool {
    let full = |s: &Span| s.first == 1 && s.last == u16::MAX && s.state == State::Allowed;
    spans.len() == PROTOCOLS.len() && spans.iter().all(full)
}

/// What either of two connections allows: the better answer for each port.
#[must_use]
pub fn union(a: Vec<Span>, b: &[Span]) -> Vec<Span> {
    if b.is_empty() || a == b {
        return a;
    }
    let mut joined: Vec<Span> = Vec::new();
    for protocol in PROTOCOLS {
        let of = |spans: &[Span]| -> Vec<Span> {
            spans.iter().filter(|s| s.protocol == protocol).copied().collect()
        };
        let both = [of(&a), of(b)].concat();
        let mut borders: Vec<u32> =
            both.iter().flat_map(|s| [u32::from(s.first), u32::from(s.last) + 1]).collect();
        borders.sort_unstable();
        borders.dedup();
        for pair in borders.windows(2) {
            let holds = |s: &&Span| (u32::from(s.first)..=u32::from(s.last)).contains(&pair[0]);
            let Some(state) = both.iter().filter(holds).map(|s| s.state).max() else { continue };
            let port = |at: u32| u16::try_from(at).unwrap_or(u16::MAX);
            let (first, last) = (port(pair[0]), port(pair[1] - 1));
            match joined.last_mut() {
                Some(known)
                    if known.protocol == protocol
                        && known.state == state
                        && known.last.checked_add(1) == Some(first) =>
                {
                    known.last = last;
                }
                _ => joined.push(Span { protocol, first, last, state }),
            }
        }
    }
    joined
}

/// The ports that are not among them: those are denied.
#[must_use]
pub fn rest(spans: &[Span]) -> Vec<Span> {
    let mut rest = Vec::new();
    for protocol in PROTOCOLS {
        let mut next = Some(1_u16);
        for span in spans.iter().filter(|s| s.protocol == protocol) {
            if let Some(first) = next.filter(|n| *n < span.first) {
                rest.push(Span { protocol, first, last: span.first - 1, state: State::Denied });
            }
            next = span.last.checked_add(1);
        }
        if let Some(first) = next {
            rest.push(Span { protocol, first, last: u16::MAX, state: State::Denied });
        }
    }
    rest
}

/// Those of one port, or all.
#[must_use]
pub fn only(spans: Vec<Span>, port: Option<PortSpec>) -> Vec<Span> {
    let Some(port) = port else { return spans };
    let holds = |s: &&Span| s.protocol == port.protocol && (s.first..=s.last).contains(&port.port);
    spans.iter().find(holds).map(|s| one(port, s.state)).into_iter().collect()
}

/// Those with one answer.
#[must_use]
pub fn with(spans: &[Span], state: State) -> Vec<Span> {
    spans.iter().filter(|s| s.state == state).copied().collect()
}

/// In words: `TCP 80, 443, 8000-8080; UDP 53`.
#[must_use]
pub fn text(spans: &[Span]) -> String {
    let whole = |s: &Span| s.first <= 1 && s.last == u16::MAX;
    if spans.len() == PROTOCOLS.len() && spans.iter().all(whole) {
        return "all ports".to_owned();
    }
    let mut parts = Vec::new();
    for protocol in PROTOCOLS {
        let of: Vec<String> = spans
            .iter()
            .filter(|s| s.protocol == protocol)
            .map(|s| match (s.first, s.last) {
                _ if whole(s) => "all".to_owned(),
                (first, last) if first == last => first.to_string(),
                (first, last) => format!("{first}-{last}"),
            })
            .collect();
        if !of.is_empty() {
            parts.push(format!("{} {}", protocol.name(), of.join(", ")));
        }
    }
    parts.join("; ")
}

/// Reads `PORT` or `PORT/PROTOCOL`.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub fn parse(text: &str) -> Result<PortSpec, String> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "TCP"));
    let protocol = Protocol::of(protocol)
        .ok_or_else(|| format!("`{protocol}` is no protocol: write tcp, udp or sctp"))?;
    match number.parse::<u16>() {
        Ok(port) if port > 0 => Ok(PortSpec { protocol, port }),
        _ => Err(format!("`{number}` is no port: write a number such as 5432 or 53/udp")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(first: u16, last: u16, state: State) -> Span {
        Span { protocol: Protocol::Tcp, first, last, state }
    }

    #[test]
    fn the_better_answer_counts() {
        let a = vec![tcp(1, 100, State::Unknown)];
        let b = [tcp(50, 60, State::Allowed), tcp(101, 101, State::Unknown)];
        let joined = union(a, &b);
        let expected =
            [tcp(1, 49, State::Unknown), tcp(50, 60, State::Allowed), tcp(61, 101, State::Unknown)];
        assert_eq!(joined, expected);
        assert_eq!(union(every(State::Allowed), &expected), every(State::Allowed));
    }

    #[test]
    fn what_is_left_is_denied() {
        assert_eq!(text(&rest(&[])), "all ports");
        assert_eq!(rest(&every(State::Allowed)), []);
        let some = [tcp(80, 80, State::Allowed), tcp(443, u16::MAX, State::Allowed)];
        assert_eq!(text(&rest(&some)), "TCP 1-79, 81-442; UDP all; SCTP all");
    }

    #[test]
    fn ports_are_read() {
        assert_eq!(parse("5432"), Ok(PortSpec::tcp(5432)));
        assert_eq!(parse("53/udp"), Ok(PortSpec { protocol: Protocol::Udp, port: 53 }));
        for wrong in ["0", "70000", "http", "80/icmp", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
