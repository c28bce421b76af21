//! Keys in PEM, whole or cut.

use super::GONE;

/// How a key begins and ends (RFC 7468).
const BEGIN: &str = "-----BEGIN";
const END: &str = "-----END";
const DASHES: &str = "-----";
/// Characters of a line of code, at least, other than the last.
const CODE: usize = 16;
/// No key is longer.
const LONGEST_KEY: usize = 64 * 1024;

/// Without keys in PEM, on several lines or with `\n` on one, and without what is left of one that was cut.
pub(super) fn without_keys(text: &str, gone: &mut Vec<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let begin = rest.find(BEGIN);
        // The end of one that has no beginning.
        if let Some(end) = rest
            .find(END)
            .filter(|end| begin.is_none_or(|begin| *end < begin))
        {
            let from = code_before(&rest[..end]);
            out.push_str(&rest[..from]);
            rest = take(
                &rest[from..],
                end - from + after_end(&rest[end..]),
                &mut out,
                gone,
            );
            continue;
        }
        let Some(begin) = begin else {
            out.push_str(rest);
            return out;
        };
        out.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let end = rest
            .find(END)
            .filter(|end| *end <= LONGEST_KEY && !rest[BEGIN.len()..*end].contains(BEGIN));
        let length = match end {
            Some(end) => end + after_end(&rest[end..]),
            None => unended(rest),
        };
        rest = take(rest, length, &mut out, gone);
    }
}

fn take<'a>(text: &'a str, length: usize, out: &mut String, gone: &mut Vec<String>) -> &'a str {
    let (key, rest) = text.split_at(length);
    gone.extend(
        key.lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.contains(DASHES)),
    );
    out.push_str(GONE);
    rest
}

/// The length of `-----END ...-----`.
fn after_end(text: &str) -> usize {
    let label = &text[END.len()..];
    let line = &label[..label.find('\n').unwrap_or(label.len())];
    END.len() + line.find(DASHES).map_or(0, |at| at + DASHES.len())
}

/// Where the lines of code before the end of a text begin; the last of them is shorter.
fn code_before(text: &str) -> usize {
    let mut from = text.rfind('\n').map_or(text.len(), |at| at + 1);
    let mut least = 1;
    while let Some(before) = text[..from].strip_suffix('\n') {
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        if !is_code(&before[begin..], least) {
            break;
        }
        (from, least) = (begin, CODE);
    }
    from
}

/// The length of a key that has no end: its line up to a quote, and lines of code below it.
fn unended(text: &str) -> usize {
    let line = text.find('\n').unwrap_or(text.len());
    if let Some(quote) = text[..line].find('"') {
        return quote;
    }
    let mut end = line;
    while let Some(below) = text[end..].strip_prefix('\n') {
        let length = below.find('\n').unwrap_or(below.len());
        if !is_code(&below[..length], CODE) {
            break;
        }
        end += 1 + length;
    }
    end
}

/// A line that is base64 and at least so long.
fn is_code(line: &str, least: usize) -> bool {
    let line = line.trim();
    line.len() >= least
        && line
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c))
}
