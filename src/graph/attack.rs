//! What an attack is, as data. The instances live in `attacks`.

use std::fmt;

/// One way from one thing to another, with its documentation.
#[derive(Debug)]
pub struct Attack {
    /// The catalogue's name in kebab-case.
    pub id: &'static str,
    /// A few words for a person, as the head of a step.
    pub title: &'static str,
    /// ATT&CK techniques and those of Microsoft's matrix (`MS-TA…`).
    pub mitre: &'static [&'static str],
    /// How likely the step works as a rule.
    pub odds: Odds,
    /// Whether the edge is structure (membership, bindings, containment) rather than an action.
    pub structure: bool,
    /// Whether it takes a credential of the edge's start, and gives one of its end.
    pub identity: Identity,
    /// The page: Markdown with the sections Needs, Abuse, Stopped by, Fix, Detect and References.
    pub doc: &'static str,
    /// The file that declares it.
    pub file: &'static str,
}

impl PartialEq for Attack {
    /// Every attack is one static: its place tells it from the others, without a look at the text.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Attack {
    /// The first paragraph of the page, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let lines = self.doc.lines().map(str::trim);
        let first: Vec<&str> =
            lines.skip_while(|l| l.is_empty()).take_while(|l| !l.is_empty()).collect();
        first.join(" ")
    }

    /// The text of one `##` section of the page.
    #[must_use]
    pub fn section(&self, heading: &str) -> Option<String> {
        let mut lines = self.doc.lines().map(|l| l.strip_prefix(' ').unwrap_or(l));
        lines.find(|l| l.strip_prefix("## ").is_some_and(|h| h.trim() == heading))?;
        let body: Vec<&str> = lines.take_while(|l| !l.starts_with("## ")).collect();
        Some(body.join("\n").trim().to_owned())
    }
}

/// How an edge deals with identities. Who acts as somebody by impersonation is authorized as that
/// one, but holds no credential of his, and the API server takes one set of headers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Whoever is authorized as the edge's start can do it.
    Any,
    /// It takes a credential of the edge's start.
    Credential,
    /// It takes a credential of the edge's start, and makes one act as its end without one.
    Impersonation,
}

impl Identity {
    /// The other one, to be written behind a default.
    #[must_use]
    pub const fn but(self, other: Self) -> Self {
        other
    }
}

/// How sure an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It follows from the objects.
    Certain,
    /// It needs a usual condition that the snapshot does not show.
    Likely,
    /// It needs a flaw, an unusual condition or luck.
    Possible,
    /// It lacks evidence.
    Unknown,
}

impl Confidence {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
            Self::Unknown => "unknown",
        }
    }

    /// The confidence that a word names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Certain, Self::Likely, Self::Possible, Self::Unknown]
            .into_iter()
            .find(|c| c.name() == name)
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How likely a step works, and how sure that it exists at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Odds {
    /// Between 0 and 1. A step that works as a rule has 0.5 or more.
    pub likelihood: f64,
    /// How sure it is that the step exists.
    pub confidence: Confidence,
}

impl Odds {
    /// A step that follows from the objects.
    #[must_use]
    pub const fn certain(likelihood: f64) -> Self {
        Self { likelihood, confidence: Confidence::Certain }
    }

    /// A step that needs a usual condition.
    #[must_use]
    pub const fn likely(likelihood: f64) -> Self {
        Self { likelihood, confidence: Confidence::Likely }
    }

    /// A step that needs a flaw or luck.
    #[must_use]
    pub const fn possible(likelihood: f64) -> Self {
        Self { likelihood, confidence: Confidence::Possible }
    }

    /// A step that lacks evidence.
    #[must_use]
    pub const fn unknown(likelihood: f64) -> Self {
        Self { likelihood, confidence: Confidence::Unknown }
    }

    /// The same step under a circumstance that makes it less likely, and at best this sure.
    #[must_use]
    pub fn but(self, factor: f64, confidence: Confidence) -> Self {
        Self { likelihood: self.likelihood * factor, confidence: self.confidence.max(confidence) }
    }
}

/// Costs are `-ln(likelihood)` in this many parts of one.
const SCALE: f64 = 5000.0;

/// The cost of a step: a likelihood below 2e-6 costs as much as that one. Of two steps that are as
/// likely the surer one costs less, by a difference that no printed likelihood shows.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to u16")]
pub(super) fn cost_of(odds: Odds) -> u16 {
    let unsure = f64::from(odds.confidence as u8) * 4.0;
    (-odds.likelihood.clamp(1e-9, 1.0).ln() * SCALE + unsure)
        .round()
        .clamp(0.0, f64::from(u16::MAX)) as u16
}

/// The likelihood of a sum of costs.
#[must_use]
pub fn likelihood_of(cost: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a path's cost is far below 2^53")]
    let cost = cost as f64;
    (-cost / SCALE).exp()
}
