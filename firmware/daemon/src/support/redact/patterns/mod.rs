//! What looks like a secret, whosever it is.

mod keys;
mod named;
mod tokens;

use super::GONE;
use keys::without_keys;
use named::without_named;
use tokens::without_tokens;

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
