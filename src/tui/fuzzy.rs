//! Matches what is typed against names: all its letters, in order, wherever they stand.

/// How well a pattern fits a text, the higher the better; none if a letter is missing. Letters in
/// a row and at the start of a word count more. Case counts only where the pattern has a capital.
#[must_use]
pub(super) fn score(pattern: &str, text: &str) -> Option<u32> {
    let exact = pattern.chars().any(char::is_uppercase);
    let same =
        |a: char, b: char| if exact { a == b } else { a.to_lowercase().eq(b.to_lowercase()) };
    let mut wanted = pattern.chars().filter(|c| !c.is_whitespace()).peekable();
    let (mut total, mut run, mut before) = (0, 0, ' ');
    for c in text.chars() {
        match wanted.peek() {
            Some(next) if same(*next, c) => {
                wanted.next();
                run += 1;
                total += run + if before.is_alphanumeric() { 0 } else { 4 };
            }
            Some(_) => run = 0,
            None => break,
        }
        before = c;
    }
    wanted.peek().is_none().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_fit_and_those_in_a_row_fit_better() {
        assert_eq!(score("xyz", "explain yourself"), None, "no z");
        assert_eq!(score("sa web", "web sa"), None, "the wrong order");
        assert!(score("", "anything").is_some());
        assert!(score("cad", "cluster-admin") > score("cad", "coloured band"));
        assert!(score("admin", "cluster-admin") > score("admin", "a dim inn"));
        assert_eq!(score("A", "cluster-admin"), None);
    }
}
