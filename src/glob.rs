//! Patterns of names, as selectors, policies and controllers use them.

/// A pattern with `*` and `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob(String);

impl Glob {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether the whole text fits.
    pub(crate) fn fits(&self, text: &str) -> bool {
        fits(&self.0, text)
    }

    /// Whether everything fits, so that nobody need spell the text.
    pub(crate) fn is_any(&self) -> bool {
        self.0 == "*"
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// Whether the whole of a text fits a pattern with `*` and `?`. O(text × pattern) at worst, without backtracking further than
/// to the last `*`.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => {
                // `?` takes a whole character.
                t += 1;
                while *c == b'?' && text.get(t).is_some_and(|b| b & 0xC0 == 0x80) {
                    t += 1;
                }
                p += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|c| *c == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_fit() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("web-*", "web-0", true),
            ("*-web", "a-web-web", true),
            ("w?b", "wäb", true),
            ("w?b", "wb", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXc", false),
            ("kube-*", "kube-system", true),
            ("*-system", "kube-system", true),
            ("k?be", "kube", true),
            ("*a*b", "xaab", true),
            ("kube", "kube-system", false),
            ("kube-?", "kube-", false),
        ] {
            assert_eq!(Glob::new(pattern).fits(text), fits, "{pattern} {text}");
        }
    }
}
