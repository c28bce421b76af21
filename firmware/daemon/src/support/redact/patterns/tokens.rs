//! Hashes of passwords, and tokens that are known by how they begin.

use super::GONE;

/// What tokens of well-known services begin with, and the secret key of a signer (minisign).
const TOKENS: [&str; 14] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "ASIA",
    "AIza",
    "eyJ",
    "RWRTY0Iy",
];
/// A token goes on for so many characters at least.
const TOKEN: usize = 16;
/// Salt and hash of a password (crypt(5)) together have so many characters at least.
const HASH: usize = 13;

/// Without hashes of passwords and tokens, which need no name.
pub(super) fn without_tokens(line: &str, gone: &mut Vec<String>) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let begins = line[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric());
        let length = match c {
            '$' => hash(&line[at..]),
            c if begins && c.is_ascii_alphanumeric() => token(&line[at..]),
            _ => None,
        };
        match length {
            Some(length) => {
                gone.push(line[at..at + length].to_owned());
                out.push_str(GONE);
                at += length;
            }
            None => {
                out.push(c);
                at += c.len_utf8();
            }
        }
    }
    out
}

/// The length of `$6$salt$hash` or another of its kind (crypt(5), PHC string format).
fn hash(text: &str) -> Option<usize> {
    let (id, rest) = text.strip_prefix('$')?.split_once('$')?;
    let named = (1..=16).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let long = run(rest, "./+=,$-_*");
    (named && long >= HASH).then_some(id.len() + 2 + long)
}

fn token(text: &str) -> Option<usize> {
    let known = TOKENS.iter().find(|known| text.starts_with(*known))?;
    // A JSON Web Token has points in it (RFC 7519).
    let long = run(text, if *known == "eyJ" { "._-" } else { "+/=_-" });
    (long >= known.len().max(TOKEN)).then_some(long)
}

fn run(text: &str, more: &str) -> usize {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || more.contains(c)));
    end.unwrap_or(text.len())
}
