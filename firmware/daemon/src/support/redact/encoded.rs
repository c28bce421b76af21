//! Reading a text as whoever encoded it may have meant it.
//!
//! A secret that stands in a text may have gone through JSON, a URL, a shell or a debugger on its way, some of its characters
//! changed and others not, and through two of them. So it is not encoded in every way and searched for, but read in every way.

/// Escaping can be escaped again; so deep that the text of a JSON text in a JSON text is still read.
const ESCAPES: [usize; 6] = [1, 2, 3, 4, 7, 8];
/// So often may a text have been percent-encoded.
const PERCENTS: usize = 3;
const NAMED: [(&str, char); 6] = [
    ("&quot;", '"'),
    ("&amp;", '&'),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&apos;", '\''),
    ("&#39;", '\''),
];

/// Every character that a text may begin with, and the bytes that it takes.
pub(super) fn readings(text: &str) -> Vec<(char, usize)> {
    let Some(first) = text.chars().next() else {
        return Vec::new();
    };
    let mut all = vec![(first, first.len_utf8())];
    match first {
        '\\' => escaped(text, &mut all),
        '%' => (0..PERCENTS).for_each(|again| all.extend(bytes(text, |text| percent(text, again)))),
        '+' => all.push((' ', 1)),
        '&' => {
            let named = NAMED.iter().find(|(name, _)| text.starts_with(name));
            all.extend(named.map(|(name, c)| (*c, name.len())));
        }
        // A quote between two texts in quotes, as a shell wants it.
        '\'' if text.starts_with("'\\''") => all.push(('\'', 4)),
        _ => {}
    }
    all
}

fn escaped(text: &str, all: &mut Vec<(char, usize)>) {
    let run = text.len() - text.trim_start_matches('\\').len();
    let halves = [2, 4, 8].into_iter().filter(|count| *count <= run);
    all.extend(halves.map(|count| ('\\', count)));
    if !ESCAPES.contains(&run) {
        return;
    }
    let rest = &text[run..];
    let meant = match rest.chars().next() {
        Some('n') => Some(('\n', 1)),
        Some('t') => Some(('\t', 1)),
        Some('r') => Some(('\r', 1)),
        Some('b') => Some(('\u{8}', 1)),
        Some('f') => Some(('\u{c}', 1)),
        Some('0') => Some(('\0', 1)),
        Some('u' | 'U') => unicode(rest),
        Some('x') => None,
        Some(c) if !c.is_alphanumeric() => Some((c, c.len_utf8())),
        _ => None,
    };
    all.extend(meant.map(|(c, length)| (c, run + length)));
    all.extend(bytes(text, |text| hex_escape(text, run)));
}

/// `u00e4`, `ud83dude00` with a backslash between the two, `u{e4}`, `U000000e4`.
fn unicode(text: &str) -> Option<(char, usize)> {
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    if let Some(rest) = text.strip_prefix("u{") {
        let (digits, _) = rest.split_once('}')?;
        return Some((char::from_u32(number(digits)?)?, digits.len() + 3));
    }
    if text.starts_with('U') {
        return Some((char::from_u32(number(text.get(1..9)?)?)?, 9));
    }
    let first = number(text.get(1..5)?)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, 5));
    }
    let behind = text.get(5..)?.trim_start_matches('\\');
    let second = number(behind.strip_prefix('u')?.get(..4)?)?;
    let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let c = char::decode_utf16(pair).next()?.ok()?;
    Some((c, text.len() - behind.len() + 5))
}

/// `%C3`, and `%25C3` where it was encoded once again.
fn percent(text: &str, again: usize) -> Option<(u8, usize)> {
    let digits = (0..again).try_fold(text.strip_prefix('%')?, |text, _| text.strip_prefix("25"))?;
    let byte = u8::from_str_radix(digits.get(..2)?, 16).ok()?;
    Some((byte, 3 + 2 * again))
}

/// `xc3` behind so many backslashes.
fn hex_escape(text: &str, backslashes: usize) -> Option<(u8, usize)> {
    let run = text.len() - text.trim_start_matches('\\').len();
    let digits = text[run..].strip_prefix('x')?.get(..2)?;
    let byte = u8::from_str_radix(digits, 16).ok()?;
    (run == backslashes).then_some((byte, run + 3))
}

/// A character of which every byte is encoded: in UTF-8, and where that may be, in Latin-1.
fn bytes(text: &str, byte: impl Fn(&str) -> Option<(u8, usize)>) -> Vec<(char, usize)> {
    let Some((first, mut length)) = byte(text) else {
        return Vec::new();
    };
    let mut all = vec![(char::from(first), length)];
    let mut whole = vec![first];
    while first >= 0x80 && whole.len() < 4 {
        let Some((more, further)) = byte(&text[length..]) else {
            break;
        };
        whole.push(more);
        length += further;
        if let Some(c) = std::str::from_utf8(&whole)
            .ok()
            .and_then(|text| text.chars().next())
        {
            all.push((c, length));
            break;
        }
    }
    all
}

/// Where a text that begins with `needle`, read in one way or another, goes on; the furthest place of several.
pub(super) fn end_of(needle: &[char], text: &str) -> Option<usize> {
    let mut ends = vec![0];
    for wanted in needle {
        let mut next: Vec<usize> = Vec::new();
        for end in ends {
            for (c, length) in readings(&text[end..]) {
                if same(c, *wanted) && !next.contains(&(end + length)) {
                    next.push(end + length);
                }
            }
        }
        if next.is_empty() {
            return None;
        }
        ends = next;
    }
    ends.into_iter().max()
}

/// A line break may have become a space on its way.
pub(super) fn same(read: char, wanted: char) -> bool {
    read == wanted || (read.is_whitespace() && wanted.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_recognised_however_it_was_encoded() {
        let needle: Vec<char> = "a\"b\\c ä%😀\n'".chars().collect();
        for text in [
            "a\"b\\c ä%😀\n'",
            r#"a\"b\\c ä%😀\n'"#,
            r#"a\\\"b\\\\c ä%😀\\n'"#,
            r#"a\\\\\\\"b\\\\\\\\c ä%😀\\\\n'"#,
            r#"a\u0022b\u005cc\u0020\u00e4\u0025\ud83d\ude00\u000a\u0027"#,
            r#"a\"b\\c \u{e4}%\u{1f600}\n\'"#,
            "a%22b%5Cc%20%C3%A4%25%F0%9F%98%80%0A%27",
            "a%22b%5cc+%c3%a4%25%f0%9f%98%80%0a'",
            "a%2522b%255Cc%2520%25C3%25A4%2525%25F0%259F%2598%2580%250A%2527",
            r"a\x22b\x5cc\x20\xc3\xa4\x25\xf0\x9f\x98\x80\x0a\x27",
            "a&quot;b\\c ä%😀 &#39;",
            r#"a"b\c ä%😀 '\''"#,
        ] {
            assert_eq!(
                end_of(&needle, &format!("{text}x")),
                Some(text.len()),
                "{text}"
            );
        }
        assert_eq!(end_of(&needle, "a\"b\\d"), None);
    }

    #[test]
    fn any_text_has_readings() {
        for text in [
            "", "\\", "\\u", "\\ud83d", "%", "%C3", "%2", "\\x", "\\u{", "&", "\\😀", "%😀a",
        ] {
            for (_, length) in readings(text) {
                assert!(text.is_char_boundary(length), "{text}");
            }
        }
    }
}
