//! Values that follow a telltale name.

use super::super::names::names_secret;
use super::GONE;

/// Without the values that follow a name such as `password`: `password=x`, `"token": "x"`, `--password x`.
pub(super) fn without_named(line: &str, gone: &mut Vec<String>) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(begin) = line[at..].find(is_name).map(|begin| at + begin) {
        let length = line[begin..].find(|c| !is_name(c));
        let end = length.map_or(line.len(), |length| begin + length);
        let name = &line[begin..end];
        out.push_str(&line[at..end]);
        at = end;
        if !names_secret(name) {
            continue;
        }
        let Some(value) = Value::behind(line, begin, end) else {
            continue;
        };
        gone.push(line[value.begin..value.end].to_owned());
        out.push_str(&line[end..value.begin]);
        out.push_str(value.open);
        out.push_str(GONE);
        out.push_str(value.close);
        at = value.end;
    }
    out + &line[at..]
}

/// A value that is to go, and the quotes to be put around what stands for it.
struct Value<'a> {
    begin: usize,
    end: usize,
    open: &'a str,
    close: &'a str,
}

impl<'a> Value<'a> {
    /// The value of the name that stands from `begin` to `end`.
    fn behind(line: &'a str, begin: usize, end: usize) -> Option<Self> {
        let name_quote = quote(&line[end..]);
        let mut at = end + name_quote.len();
        let skip_space = |at: usize| line.len() - line[at..].trim_start_matches([' ', '\t']).len();
        let assigned = skip_space(at);
        let sign =
            line[assigned..].len() - line[assigned..].trim_start_matches([':', '=', '>']).len();
        let option = line[begin..].starts_with("--");
        if sign > 0 && !line[assigned..].starts_with('>') {
            at = skip_space(assigned + sign);
        } else if option && assigned > at && name_quote.is_empty() {
            at = assigned;
        } else {
            return None;
        }
        let rest = &line[at..];
        if rest.is_empty() || rest.starts_with(GONE) || is_placeholder(rest) {
            return None;
        }
        let open = quote(rest);
        if !open.is_empty() {
            let begin = at + open.len();
            let end = closing(&line[begin..], open).map(|length| begin + length);
            let close = if end.is_some() { "" } else { open };
            let end = end.unwrap_or(line.len());
            let known = line[begin..end].starts_with(GONE) && line[begin..end].len() == GONE.len();
            return (end > begin && !known).then_some(Value {
                begin,
                end,
                open: "",
                close,
            });
        }
        let length = if name_quote.is_empty() {
            unquoted(rest, quote_before(&line[..begin]), option && sign == 0)
        } else {
            // As in JSON: a number, or what was cut.
            rest.find([',', '}', ']', ' ']).unwrap_or(rest.len())
        };
        (length > 0).then_some(Value {
            begin: at,
            end: at + length,
            open: name_quote,
            close: name_quote,
        })
    }
}

/// What stands for a value in an instruction.
fn is_placeholder(text: &str) -> bool {
    let behind = text.strip_prefix("...").map(|rest| rest.chars().next());
    behind.is_some_and(|next| next.is_none_or(|next| !next.is_alphanumeric()))
}

/// How long a value without quotes is: up to the next `name=`, or the end of the line, or the quote that was opened before the
/// name; of an option, a word.
fn unquoted(text: &str, quote: Option<&str>, word: bool) -> usize {
    let mut length = quote
        .and_then(|quote| closing(text, quote))
        .unwrap_or(text.len());
    if word {
        length = length.min(text.find([' ', '\t']).unwrap_or(text.len()));
    }
    let mut at = 0;
    while let Some(space) = text[at..length].find([' ', '\t']) {
        at += space + 1;
        let next = text[at..length].trim_start_matches(is_name);
        let name = text[at..length].len() - next.len();
        if name > 0 && next.starts_with('=') {
            return text[..at].trim_end().len();
        }
    }
    text[..length].trim_end().len()
}

/// The quote that a text begins with, and its escapes.
fn quote(text: &str) -> &str {
    let escapes = text.len() - text.trim_start_matches('\\').len();
    let quoted = text[escapes..].starts_with(['"', '\'']);
    if quoted { &text[..=escapes] } else { "" }
}

fn quote_before(text: &str) -> Option<&str> {
    let inner = text.strip_suffix(['"', '\''])?;
    Some(&text[inner.trim_end_matches('\\').len()..])
}

/// Where the quote is that closes `open`; deeper ones have more escapes.
fn closing(text: &str, open: &str) -> Option<usize> {
    let depth = open.len() - 1;
    let mark = open.chars().next_back()?;
    let mut found = text.match_indices(mark).filter_map(|(at, _)| {
        let escapes = text[..at].len() - text[..at].trim_end_matches('\\').len();
        let closes = escapes >= depth && (escapes - depth).is_multiple_of(2 * (depth + 1));
        closes.then_some(at - depth)
    });
    found.next()
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.".contains(c)
}
