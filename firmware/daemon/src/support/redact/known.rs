//! Secrets that are known, taken out of texts however they are encoded there.
//!
//! A value is searched for if it has [`SHORTEST`] characters or more, is no word that a report is made of (`names`) and, if it
//! is a number, has [`DIGITS`] digits or more; anything else would take half of the text with it and thereby tell what it is. One
//! below [`ANYWHERE`] characters is taken out where it stands as a word, a longer one within words too.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::GONE;
use super::encoded::{end_of, readings};
use super::names::is_common;

const SHORTEST: usize = 4;
const DIGITS: usize = 6;
const ANYWHERE: usize = 8;

/// What is searched for.
#[derive(Debug)]
struct Needle {
    text: Vec<char>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Wherever it stands.
    Anywhere,
    /// Where no letter or digit continues it.
    Word,
    /// As part of something in base64, which goes with it.
    Base64,
}

/// Secrets that are known.
#[derive(Debug, Default)]
pub(super) struct Known {
    needles: Vec<Needle>,
    /// Which needles begin with a character; white space is one.
    by_first: HashMap<char, Vec<usize>>,
}

impl Known {
    pub(super) fn new(secrets: &[String]) -> Self {
        let mut known = Known::default();
        for secret in secrets {
            let secret = secret.trim();
            if secret == GONE || !is_searched_for(secret) {
                continue;
            }
            let kind = match secret.chars().count() {
                ANYWHERE.. => Kind::Anywhere,
                _ => Kind::Word,
            };
            known.add(secret, kind);
            for form in forms(secret) {
                cores(form.as_bytes()).for_each(|core| known.add(&core, Kind::Base64));
                let hex: String = form.bytes().map(|byte| format!("{byte:02x}")).collect();
                known.add(&hex.to_uppercase(), Kind::Anywhere);
                known.add(&hex, Kind::Anywhere);
            }
        }
        known
    }

    fn add(&mut self, text: &str, kind: Kind) {
        let needle = Needle {
            text: text.chars().collect(),
            kind,
        };
        if let Some(first) = needle.text.first() {
            let listed = self.by_first.entry(index(*first)).or_default();
            let there = |at: &usize| self.needles[*at].text == needle.text;
            if !listed.iter().any(there) {
                listed.push(self.needles.len());
                self.needles.push(needle);
            }
        }
    }

    /// A text without them.
    pub(super) fn without(&self, text: &str) -> String {
        if self.needles.is_empty() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            match self.longest(text, at) {
                Some((end, kind)) => {
                    at = end;
                    if kind == Kind::Base64 {
                        out.truncate(out.trim_end_matches(is_base64).len());
                        at += text[at..].len() - text[at..].trim_start_matches(is_base64).len();
                    }
                    out.push_str(GONE);
                }
                None => {
                    out.push(c);
                    at += c.len_utf8();
                }
            }
        }
        out
    }

    /// Where the longest secret that begins here ends.
    fn longest(&self, text: &str, at: usize) -> Option<(usize, Kind)> {
        let rest = &text[at..];
        let begins = |needle: &Needle| {
            let end = at + end_of(&needle.text, rest)?;
            let whole = needle.kind != Kind::Word || is_word(text, at, end, &needle.text);
            whole.then_some((end, needle.kind))
        };
        readings(rest)
            .into_iter()
            .filter_map(|(first, _)| self.by_first.get(&index(first)))
            .flatten()
            .filter_map(|place| begins(&self.needles[*place]))
            .max_by_key(|(end, _)| *end)
    }
}

fn is_searched_for(secret: &str) -> bool {
    let length = secret.chars().count();
    let number = secret.chars().all(|c| c.is_ascii_digit());
    length >= if number { DIGITS } else { SHORTEST } && !is_common(secret)
}

fn index(c: char) -> char {
    if c.is_whitespace() { ' ' } else { c }
}

/// What may have been encoded as bytes: the secret, or a text that it was escaped in before.
fn forms(secret: &str) -> Vec<String> {
    let quoted = serde_json::to_string(secret).unwrap_or_default();
    let escaped = quoted.trim_matches('"').to_owned();
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let percent = secret
        .bytes()
        .map(|byte| match byte {
            byte if keep(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    vec![secret.to_owned(), escaped, percent]
}

/// The part of a text in base64 that depends on these bytes alone, for each of the three places that they can begin at and
/// for both alphabets.
fn cores(bytes: &[u8]) -> impl Iterator<Item = String> {
    (0..3).flat_map(move |before| {
        let mut padded = vec![0; before];
        padded.extend(bytes);
        let first = (before * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        [STANDARD_NO_PAD, URL_SAFE_NO_PAD]
            .map(|alphabet| alphabet.encode(&padded)[first..last].to_owned())
    })
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=_-".contains(c)
}

/// Whether what stands from `at` to `end` is no part of a longer word.
fn is_word(text: &str, at: usize, end: usize, needle: &[char]) -> bool {
    let part = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let before = text[..at].chars().next_back();
    let after = text[end..].chars().next();
    let continued = part(needle.first()) && part(before.as_ref()) && !ends_escape(&text[..at]);
    let goes_on = part(needle.last()) && part(after.as_ref());
    !continued && !goes_on
}

/// Whether the last letter or digit belongs to an escape, as in `\n` or `%20`.
fn ends_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |back: usize, with: &[u8]| {
        bytes
            .len()
            .checked_sub(back)
            .is_some_and(|from| bytes[from..].starts_with(with))
    };
    let percent = begins(3, b"%") || begins(5, b"%25") || begins(7, b"%2525");
    let slash = begins(2, b"\\") || begins(4, b"\\x") || begins(6, b"\\u") || begins(10, b"\\U");
    percent || slash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(secret: &str, text: &str) -> String {
        Known::new(&[secret.to_owned()]).without(text)
    }

    #[test]
    fn a_long_secret_goes_wherever_it_stands_and_a_short_one_where_it_is_a_word() {
        assert_eq!(
            without("hunter2hunter2", "xhunter2hunter2x"),
            "x(redacted)x"
        );
        assert_eq!(
            without(
                "tiger",
                "tiger tigers \"tiger\" \\ntiger %20tiger%20 tiger_x"
            ),
            "(redacted) tigers \"(redacted)\" \\n(redacted) %20(redacted)%20 tiger_x"
        );
    }

    #[test]
    fn what_is_short_or_everybodys_word_is_left_alone() {
        for secret in [
            "a",
            "on",
            "",
            "abc",
            "1883",
            "purpose",
            "microphone",
            "True",
        ] {
            let text = format!("a on abc 1883 purpose microphone true {secret}");
            assert_eq!(without(secret, &text), text, "{secret}");
        }
    }

    #[test]
    fn base64_goes_as_a_whole_wherever_in_it_the_secret_is() {
        for before in ["", "u", "us", "user:", "{\"p\": "] {
            for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let code = alphabet.encode(format!("{before}s3cr3t??>>{before}"));
                let text = without("s3cr3t??>>", &format!("Basic {code}== x"));
                assert_eq!(text, "Basic (redacted) x", "{code}");
            }
        }
    }

    #[test]
    fn hexadecimal_goes_too() {
        assert_eq!(
            without("tiger!", "x=746967657221 74696765"),
            "x=(redacted) 74696765"
        );
        assert_eq!(without("jäger", "6AC3A4676572"), "(redacted)");
    }

    #[test]
    fn of_two_secrets_that_begin_alike_the_longer_goes() {
        let known = Known::new(&["s3cr3t-a".into(), "s3cr3t-a-and-b".into()]);
        assert_eq!(known.without("s3cr3t-a-and-b"), "(redacted)");
    }
}
