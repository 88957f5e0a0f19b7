//! `--fail-on`: which answers fail a build.

use super::{Answer, Finding, Severity};
use crate::graph::Confidence;

/// One `--fail-on`: a severity or a query, and how sure an answer must be to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    what: What,
    /// Answers less sure than this do not count.
    least: Confidence,
    /// As it was typed.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// This severity or a worse one.
    Severity(Severity),
    /// Any answer of this query.
    Query(String),
}

/// Why a gate fails; nothing where it passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The first finding that fails it, by its place.
    pub finding: Option<usize>,
    /// The answers that fail it, by their places.
    pub answers: Vec<usize>,
    /// Of how many.
    pub of: usize,
}

impl Verdict {
    /// Whether nothing fails the gate.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.finding.is_none() && self.answers.is_empty()
    }
}

/// Reads `high`, `query:NAME`, either with `@likely` and its like behind.
///
/// # Errors
/// What is no severity, and what is no confidence.
pub fn parse(text: &str) -> Result<Gate, String> {
    let (what, least) = match text.rsplit_once('@') {
        Some((what, least)) => {
            let least = Confidence::named(least).ok_or_else(|| {
                format!("`{least}` is no confidence: choose certain, likely, possible or unknown")
            })?;
            (what, least)
        }
        None => (text, Confidence::Unknown),
    };
    let what = match what.strip_prefix("query:") {
        Some(query) => What::Query(query.to_owned()),
        None => What::Severity(Severity::named(what).ok_or_else(|| {
            format!(
                "`{what}` is no severity: choose critical, high, medium, low, info, or query:NAME"
            )
        })?),
    };
    Ok(Gate { what, least, text: text.to_owned() })
}

impl Gate {
    /// Whether it lets answers and findings pass, and if not, which ones hold it.
    #[must_use]
    pub fn judge(&self, answers: &[Answer], findings: &[Finding]) -> Verdict {
        let fail = answers.iter().enumerate().filter(|(_, answer)| self.fails(answer));
        Verdict {
            finding: findings.iter().position(|finding| self.fails_by(finding)),
            answers: fail.map(|(place, _)| place).collect(),
            of: answers.len(),
        }
    }

    /// Whether an answer fails the gate.
    fn fails(&self, answer: &Answer) -> bool {
        let counts = match &self.what {
            What::Severity(least) => answer.severity >= *least,
            What::Query(query) => answer.query == *query,
        };
        counts && answer.confidence <= self.least
    }

    /// Whether a finding about the network fails the gate. Severities are of paths: what a packet
    /// reaches fails a build only where somebody asks for it by name.
    fn fails_by(&self, finding: &Finding) -> bool {
        self.query() == Some(finding.query.as_str()) && finding.confidence() <= self.least
    }

    /// The query that the gate names, to check that there is one.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        match &self.what {
            What::Query(query) => Some(query),
            What::Severity(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        assert_eq!(parse("high").unwrap().what, What::Severity(Severity::High));
        let gate = parse("query:internet-to-cluster-admin@likely").unwrap();
        assert_eq!(gate.what, What::Query("internet-to-cluster-admin".to_owned()));
        assert_eq!(gate.least, Confidence::Likely);
        assert!(parse("severe").unwrap_err().contains("`severe`"));
        assert!(parse("high@sure").unwrap_err().contains("`sure`"));
    }
}
