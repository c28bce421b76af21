//! What looks like a secret, whosever it is.

use super::GONE;
use super::names::names_secret;

/// How a key begins and ends (RFC 7468).
const BEGIN: &str = "-----BEGIN";
const END: &str = "-----END";
const DASHES: &str = "-----";
/// Characters of a line of code, at least, other than the last.
const CODE: usize = 16;
/// No key is longer.
const LONGEST_KEY: usize = 64 * 1024;
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

/// A text without what looks like a secret; puts what is taken out behind `gone`.
pub(super) fn without(text: &str, gone: &mut Vec<String>) -> String {
    let text = without_keys(text, gone);
    let lines = text.split_inclusive('\n').map(|line| {
        let ended = line.strip_suffix('\n');
        let clean = without_users(ended.unwrap_or(line), gone);
        let clean = without_tokens(&without_named(&clean, gone), gone);
        clean + if ended.is_some() { "\n" } else { "" }
    });
    lines.collect()
}

/// Without keys in PEM, on several lines or with `\n` on one, and without what is left of one that was cut.
fn without_keys(text: &str, gone: &mut Vec<String>) -> String {
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

/// `scheme://user:password@host` without what stands before the `@`.
fn without_users(line: &str, gone: &mut Vec<String>) -> String {
    let mut out = String::new();
    let mut rest = line;
    // Some writers of JSON escape a stroke.
    while let Some((at, stroke)) = [("//", 2), ("\\/\\/", 4)]
        .iter()
        .filter_map(|(text, length)| Some((rest.find(text)?, *length)))
        .min()
    {
        let (before, after) = rest.split_at(at + stroke);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "/\"'<>".contains(c));
        let host = &after[..end.unwrap_or(after.len())];
        rest = match host.rfind('@') {
            Some(sign) => {
                let user = &host[..sign];
                gone.push(
                    user.split_once(':')
                        .map_or(user, |(_, password)| password)
                        .to_owned(),
                );
                out.push_str(GONE);
                &after[sign..]
            }
            None => after,
        };
    }
    out + rest
}

/// Without the values that follow a name such as `password`: `password=x`, `"token": "x"`, `--password x`.
fn without_named(line: &str, gone: &mut Vec<String>) -> String {
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

/// Without hashes of passwords and tokens, which need no name.
fn without_tokens(line: &str, gone: &mut Vec<String>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        without(text, &mut Vec::new())
    }

    #[test]
    fn what_follows_a_telltale_name_goes_and_what_is_around_it_stays() {
        for (line, left) in [
            (
                "UNDERTONE_MQTT_PASSWORD=abc def",
                "UNDERTONE_MQTT_PASSWORD=(redacted)",
            ),
            (
                "{\"api_key\": \"abc\", \"x\": 1}",
                "{\"api_key\": \"(redacted)\", \"x\": 1}",
            ),
            (
                "{\"api_key\": 12, \"x\": 1}",
                "{\"api_key\": \"(redacted)\", \"x\": 1}",
            ),
            (
                "{\"psk\":\"a\\\"b\\\\\",\"x\":1}",
                "{\"psk\":\"(redacted)\",\"x\":1}",
            ),
            (
                "{\\\"psk\\\":\\\"a\\\\\\\"b\\\",\\\"x\\\":1}",
                "{\\\"psk\\\":\\\"(redacted)\\\",\\\"x\\\":1}",
            ),
            ("run --password abc -v", "run --password (redacted) -v"),
            ("run --password 'a b' -v", "run --password '(redacted)' -v"),
            ("Authorization: Bearer abc", "Authorization: (redacted)"),
            ("psk=\"my wifi\"", "psk=\"(redacted)\""),
            (
                "ssid=a psk=my wifi key_mgmt=WPA-PSK",
                "ssid=a psk=(redacted) key_mgmt=WPA-PSK",
            ),
            (
                "Environment=\"X_TOKEN=a b\" \"Y=1\"",
                "Environment=\"X_TOKEN=(redacted)\" \"Y=1\"",
            ),
            (
                "level=info token=abc msg=\"all ok\"",
                "level=info token=(redacted) msg=\"all ok\"",
            ),
            ("PrivateKey = aGVsbG8=", "PrivateKey = (redacted)"),
        ] {
            assert_eq!(clean(line), left);
            assert_eq!(clean(left), left, "again");
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_stays() {
        for line in [
            "password_file = \"/etc/undertone/password\"",
            "mqtt.password_file not usable: /nowhere cannot be read",
            "check mqtt.user and the password, and the rights",
            "# UNDERTONE_MQTT_PASSWORD=..., mode 600",
            "the purpose: evaluation",
            "https://host/path@1 stays",
            "secret-exposed",
            "key_mgmt=WPA-PSK",
            "$HOME$PATH costs $5 or $6$",
            "eyJ is how they begin",
        ] {
            assert_eq!(clean(line), line);
        }
    }

    #[test]
    fn users_of_addresses_go() {
        let mut gone = Vec::new();
        let text = without(
            "mqtt://u:p@host:1 and //x@y {\"a\":\"http:\\/\\/u:q@h\\/\"}",
            &mut gone,
        );
        let left =
            "mqtt://(redacted)@host:1 and //(redacted)@y {\"a\":\"http:\\/\\/(redacted)@h\\/\"}";
        assert_eq!(text, left);
        assert_eq!(gone, ["p", "x", "q"]);
    }

    #[test]
    fn hashes_and_tokens_go_without_a_name() {
        for secret in [
            "$6$rounds=5000$saltsalt$abcdefghijklmnopqrstuvwx./",
            "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b9dWRJJTmaaJObG",
            "$7$101$aaaaaaaaaaaaaaaa$bbbbbbbbbbbbbbbbbbbbbbbb==",
            "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r",
        ] {
            let text = clean(&format!("a:{secret}:1 \"{secret}\""));
            assert_eq!(text, "a:(redacted):1 \"(redacted)\"", "{secret}");
        }
    }

    #[test]
    fn keys_go_whole_cut_or_on_one_line() {
        let code = "MIIBVgIBADANBgkqhkiG";
        for (text, left) in [
            (
                format!("a\n-----BEGIN X-----\n{code}\nAA==\n-----END X-----\nb\n"),
                "a\n(redacted)\nb\n",
            ),
            (format!("a\n-----BEGIN X-----\n{code}\n"), "a\n(redacted)\n"),
            (
                format!("-----BEGIN X-----\n{code}\n{code}\nall is well\n"),
                "(redacted)\nall is well\n",
            ),
            (
                format!("all is well\n{code}\n{code}\nAA==\n-----END X-----\nb"),
                "all is well\n(redacted)\nb",
            ),
            (
                format!("{{\"k\":\"-----BEGIN X-----\\n{code}\\n-----END X-----\\n\"}}"),
                "{\"k\":\"(redacted)\\n\"}",
            ),
            (
                format!("{{\"k\":\"-----BEGIN X-----\\n{code}\"}}"),
                "{\"k\":\"(redacted)\"}",
            ),
        ] {
            assert_eq!(clean(&text), left, "{text}");
        }
    }
}
