//! Text from a cluster, made safe for where it is shown.
//!
//! Whoever may create an object chooses its name, and so what a terminal, a picture or a
//! spreadsheet is given. What cannot be seen or changes how its neighbours are seen (control
//! characters, escape sequences, direction marks, zero-width and filler characters) is written out
//! as `\u{202e}` everywhere; each format then quotes what is special to it.

use std::borrow::Cow;
use std::iter;

/// Characters that are not seen, or that change how others are seen, besides the control ones.
/// Sorted; both ends belong to the range.
const HIDDEN: &[(u32, u32)] = &[
    (0xA0, 0xA0),        // no-break space: looks like a space and is none
    (0xAD, 0xAD),        // soft hyphen
    (0x034F, 0x034F),    // grapheme joiner
    (0x0600, 0x0605),    // signs that stand around their neighbours
    (0x061C, 0x061C),    // Arabic letter mark
    (0x06DD, 0x06DD),    //
    (0x070F, 0x070F),    //
    (0x0890, 0x0891),    //
    (0x08E2, 0x08E2),    //
    (0x115F, 0x1160),    // Hangul fillers
    (0x1680, 0x1680),    // a space of Ogham
    (0x17B4, 0x17B5),    // Khmer vowels that are not shown
    (0x180B, 0x180F),    // Mongolian selectors
    (0x2000, 0x200F),    // spaces, zero-width characters, direction marks
    (0x2028, 0x202F),    // line and paragraph separators, embeddings and overrides
    (0x205F, 0x206F),    // word joiner, invisible operators, isolates
    (0x2800, 0x2800),    // the empty Braille pattern
    (0x3000, 0x3000),    // the wide space
    (0x3164, 0x3164),    // Hangul filler
    (0xFE00, 0xFE0F),    // variation selectors
    (0xFEFF, 0xFEFF),    // byte order mark
    (0xFFA0, 0xFFA0),    // half-width Hangul filler
    (0xFFF0, 0xFFFB),    // interlinear annotation
    (0xFFFE, 0xFFFF),    // no characters; XML forbids them
    (0x110BD, 0x110BD),  //
    (0x110CD, 0x110CD),  //
    (0x13430, 0x1343F),  // joiners of hieroglyphs
    (0x1BCA0, 0x1BCA3),  // shorthand format controls
    (0x1D173, 0x1D17A),  // musical format controls
    (0xE0000, 0xE0FFF),  // tags and more selectors
    (0xF0000, 0x10FFFF), // private planes: no font knows them
];

/// Whether a character is written out rather than shown.
fn is_hidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || (code >= 0xA0
            && HIDDEN
                .binary_search_by(|(from, to)| {
                    if *to < code {
                        std::cmp::Ordering::Less
                    } else if *from > code {
                        std::cmp::Ordering::Greater
                    } else {
                        std::cmp::Ordering::Equal
                    }
                })
                .is_ok())
}

/// Writes `text` with some characters replaced.
fn replace<'a>(text: &'a str, by: impl Fn(char) -> Option<&'static str>) -> Cow<'a, str> {
    if !text.chars().any(|c| is_hidden(c) || by(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else if let Some(other) = by(c) {
            out.push_str(other);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// For a terminal, and the first step everywhere else: one line, every character of it visible.
#[must_use]
pub fn terminal(text: &str) -> Cow<'_, str> {
    replace(text, |_| None)
}

/// For the inside of a quoted string in DOT. A backslash begins an escape there (`\N` is the
/// node's name), so it is doubled; readers differ on one before the closing quote, so none is last.
#[must_use]
pub fn dot(text: &str) -> Cow<'_, str> {
    let mut safe = replace(text, |c| match c {
        '\\' => Some("\\\\"),
        '"' => Some("\\\""),
        // Graphviz reads entities in plain labels too.
        '&' => Some("&amp;"),
        _ => None,
    });
    if safe.ends_with('\\') {
        safe.to_mut().push(' ');
    }
    safe
}

/// For text and quoted attributes in XML and HTML.
#[must_use]
pub fn xml(text: &str) -> Cow<'_, str> {
    replace(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    })
}

/// For running text and table cells in Markdown: no markup, no HTML, no link and no mention.
#[must_use]
pub fn markdown(text: &str) -> Cow<'_, str> {
    let mut safe = replace(text, |c| match c {
        '\\' => Some("\\\\"),
        '`' => Some("\\`"),
        '*' => Some("\\*"),
        '_' => Some("\\_"),
        '[' => Some("\\["),
        ']' => Some("\\]"),
        '|' => Some("\\|"),
        '~' => Some("\\~"),
        '#' => Some("\\#"),
        '!' => Some("\\!"),
        '$' => Some("\\$"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '&' => Some("&amp;"),
        '@' => Some("&#64;"),
        _ => None,
    });
    // What becomes a link by itself.
    for (link, broken) in [("://", "&#58;//"), ("www.", "www&#46;")] {
        if safe.contains(link) {
            safe = Cow::Owned(safe.replace(link, broken));
        }
    }
    // What begins a list, a rule or a heading's underline at the head of a line.
    let digits = safe.bytes().take_while(u8::is_ascii_digit).count();
    let mark = match safe.as_bytes().get(digits) {
        Some(b'-' | b'+' | b'=') if digits == 0 => Some(0),
        Some(b'.' | b')') if digits > 0 => Some(digits),
        _ => None,
    };
    if let Some(at) = mark {
        safe.to_mut().insert(at, '\\');
    }
    safe
}

/// For a field in CSV, quoted where it must be. A spreadsheet takes a field that begins like a
/// formula for one, so such a field gets an apostrophe in front.
#[must_use]
pub fn csv(text: &str) -> Cow<'_, str> {
    let mut safe = terminal(text);
    let first = safe.trim_start().chars().next();
    if first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')) {
        safe.to_mut().insert(0, '\'');
    }
    let blank = |c: Option<char>| c.is_some_and(char::is_whitespace);
    let quote = safe.contains(['"', ',', ';'])
        || blank(safe.chars().next())
        || blank(safe.chars().next_back());
    if quote { Cow::Owned(format!("\"{}\"", safe.replace('"', "\"\""))) } else { safe }
}

/// How many columns a character takes: none for marks that stand on another, two for the wide
/// letters of East Asia and for pictures.
const fn width(c: char) -> usize {
    match c as u32 {
        0x0300..=0x036F
        | 0x0483..=0x0489
        | 0x0591..=0x05BD
        | 0x064B..=0x065F
        | 0x1AB0..=0x1AFF
        | 0x1DC0..=0x1DFF
        | 0x20D0..=0x20FF
        | 0xFE20..=0xFE2F => 0,
        0x1100..=0x115E
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xA960..=0xA97C
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF01..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// How many columns of a terminal a text takes, once it has been made safe.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// The text in at most `limit` columns, with its middle left out if need be: both ends of a name
/// tell it from others, the namespace or the Deployment in front, the pod's own letters behind.
#[must_use]
pub fn shorten_middle(text: &str, limit: usize) -> Cow<'_, str> {
    if columns(text) <= limit {
        return Cow::Borrowed(text);
    }
    if limit == 0 {
        return Cow::Borrowed("");
    }
    // One column for the ellipsis; the odd one goes to the front.
    let front = limit / 2;
    let back = limit - 1 - front;
    let take = |chars: &mut dyn Iterator<Item = char>, room: usize| {
        let mut used = 0;
        let fits = move |c: &char| {
            used += width(*c);
            used <= room
        };
        chars.take_while(fits).collect::<Vec<char>>()
    };
    let head = take(&mut text.chars(), front);
    let tail = take(&mut text.chars().rev(), back);
    Cow::Owned(head.into_iter().chain(iter::once('…')).chain(tail.into_iter().rev()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What somebody might call a thing: none of it may reach an output as it is.
    const HOSTILE: &str = "a\u{1b}[2J\u{202e}b\u{200b}\u{85}\n\t\u{2028}\u{7f}\u{e0041}\u{0}";

    #[test]
    fn nothing_hidden_is_left() {
        for safe in [terminal(HOSTILE), dot(HOSTILE), xml(HOSTILE), markdown(HOSTILE), csv(HOSTILE)]
        {
            assert!(!safe.chars().any(is_hidden), "{safe:?}");
        }
        assert_eq!(terminal("a\u{202e}b\n"), "a\\u{202e}b\\u{a}");
    }

    #[test]
    fn plain_names_are_left_alone() {
        for name in ["shop/web-0", "system:serviceaccount:shop:web", "jürgen@ops", "李雷"] {
            assert!(matches!(terminal(name), Cow::Borrowed(same) if same == name));
            assert!(matches!(xml(name), Cow::Borrowed(same) if same == name));
            assert!(matches!(dot(name), Cow::Borrowed(same) if same == name));
            assert!(matches!(csv(name), Cow::Borrowed(same) if same == name));
        }
    }

    #[test]
    fn ranges_are_sorted() {
        assert!(HIDDEN.windows(2).all(|w| w[0].1 < w[1].0));
    }

    #[test]
    fn dot_strings_stay_closed() {
        assert_eq!(dot(r#"a"]; evil ["#), r#"a\"]; evil ["#);
        assert_eq!(dot(r"\N"), r"\\N");
        assert_eq!(dot(r"end\"), r"end\\ ");
        assert_eq!(dot("&lt;"), "&amp;lt;");
    }

    #[test]
    fn xml_holds_no_markup() {
        assert_eq!(xml("<b a='1' c=\"2\">&"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
    }

    #[test]
    fn markdown_holds_no_markup() {
        assert_eq!(markdown("a|b"), r"a\|b");
        assert_eq!(markdown("[x](http://e)"), r"\[x\](http&#58;//e)");
        assert_eq!(markdown("<img src=x>"), "&lt;img src=x&gt;");
        assert_eq!(markdown("- item"), r"\- item");
        assert_eq!(markdown("1. item"), r"1\. item");
        assert_eq!(markdown("@team"), "&#64;team");
        assert_eq!(markdown("web-0"), "web-0");
    }

    #[test]
    fn csv_holds_no_formula() {
        assert_eq!(csv("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(csv(" +1"), "' +1");
        assert_eq!(csv("@SUM(A1,B1)"), "\"'@SUM(A1,B1)\"");
        assert_eq!(csv("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(csv("\t=1"), "\\u{9}=1");
    }

    #[test]
    fn both_ends_of_a_long_name_stay() {
        assert_eq!(shorten_middle("short", 5), "short");
        assert_eq!(shorten_middle("abcdefghij", 7), "abc…hij");
        assert_eq!(shorten_middle("abcdefghij", 6), "abc…ij");
        assert_eq!(shorten_middle("abcdefghij", 1), "…");
        assert_eq!(shorten_middle("abcdefghij", 0), "");
        for limit in 0..12 {
            assert!(columns(&shorten_middle("李雷和韩梅梅", limit)) <= limit);
        }
    }
}
