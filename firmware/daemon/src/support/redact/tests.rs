//! The three ways together, on configurations, texts and JSON.

use proptest::prelude::*;
use serde_json::json;
use toml::Table;

use super::*;

fn kept(redacted: Redacted) -> Table {
    let text = redacted.text(&Scrubber::default());
    toml::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn what_is_documented_and_not_secret_stays() {
    let text = "[deployment]\npurpose = \"evaluation\"\n[[source]]\nname = \"alsa:a\"\n[[source]]\nname = \"alsa:b\"\n\
                pick = [0, 1]\n[thresholds]\nsad = 0.5\n[mqtt]\npassword_file = \"/etc/undertone/password\"\n\
                [mqtt.outbox]\nmax_events = 5\n[mqtt.tls]\nkey = \"/etc/x.key\"\n";
    let redacted = configuration(text);
    assert!(redacted.secrets.is_empty(), "{:?}", redacted.secrets);
    assert_eq!(kept(redacted), toml::from_str::<Table>(text).unwrap());
}

#[test]
fn a_file_that_is_no_toml_is_left_out_and_its_secrets_are_known() {
    let redacted = configuration("password = hunter2\n");
    assert_eq!(redacted.secrets, ["hunter2"]);
    let text = redacted.text(&Scrubber::default());
    assert_eq!(text, "# It is not TOML (1 lines), and is left out.\n");
}

#[test]
fn values_of_unknown_fields_are_secrets_wherever_they_stand() {
    let redacted = configuration(
        "[mqtt]\nhost = \"mqtt://u:in-addr3ss@b\"\npass = \"s3cr3t\"\nnumber = 123456\n[x.y]\nz = [\"deep-one\"]\n",
    );
    let scrubber = Scrubber::new(&redacted.secrets);
    let text = scrubber.text("a s3cr3t b\n123456 deep-one in-addr3ss\n");
    assert_eq!(text, "a (redacted) b\n(redacted) (redacted) (redacted)\n");
    assert_eq!(
        kept(redacted)["mqtt"]["host"].as_str(),
        Some("mqtt://(redacted)@b")
    );
}

#[test]
fn a_common_or_short_value_takes_nothing_else_with_it() {
    let redacted = configuration(
        "[deployment]\npurpose = \"evaluation\"\n[x]\na = \"on\"\nb = \"evaluation\"\nc = 1883\nd = \"purpose\"\n[mqtt]\nport = 1883\npassword = \"a\"\n",
    );
    let scrubber = Scrubber::new(&redacted.secrets);
    let line = "a purpose of evaluation on port 1883: deployment.purpose is unknown\n";
    assert_eq!(scrubber.text(line), line);
    let table = kept(redacted);
    assert_eq!(table["deployment"]["purpose"].as_str(), Some("evaluation"));
    assert_eq!(table["mqtt"]["port"].as_integer(), Some(1883));
    assert_eq!(table["mqtt"]["password"].as_str(), Some(GONE));
}

#[test]
fn json_stays_json_and_its_secrets_go_by_name_and_by_value() {
    let scrubber = Scrubber::new(&["s3cr3t\"x".into(), "98765432".into()]);
    let value = json!({
        "cause": "says s3cr3t\"x, s3cr3t\\\"x", "pin": 98765432, "n": 5, "api_token": [1, 2], "key_file": "/etc/x", "ok": true,
    });
    let clean = json!({
        "cause": "says (redacted), (redacted)", "pin": GONE, "n": 5, "api_token": GONE, "key_file": "/etc/x", "ok": true,
    });
    assert_eq!(scrubber.value(value.clone()), clean);
    let log = format!(
        "before\n2026-11-24 box[1]: {value}\n{{\"kind\":\"end\",  \"id\":1}}\nafter s3cr3t\"x"
    );
    let text = scrubber.text(&log);
    let lines: Vec<_> = text.split('\n').collect();
    assert_eq!(lines[0], "before");
    assert_eq!(lines[1], format!("2026-11-24 box[1]: {clean}"));
    assert_eq!(
        lines[2], "{\"kind\":\"end\",  \"id\":1}",
        "untouched where nothing goes"
    );
    assert_eq!(lines[3], "after (redacted)");
}

#[test]
fn a_field_that_comes_twice_hides_nothing() {
    let text = Scrubber::default().text("{\"token\":\"first-one\",\"token\":null}\n");
    assert!(!text.contains("first-one"), "{text}");
}

proptest! {
    #[test]
    fn any_text_can_be_scrubbed(text in "[\\\\\"'{}:=$@/ \n%+&a-zA-Z0-9(password)äß-]{0,200}") {
        let scrubber = Scrubber::new(&["abcd".into(), "pässwörd\\\"".into()]);
        let once = scrubber.text(&text);
        prop_assert_eq!(once.lines().count(), text.lines().count());
        let _ = configuration(&text);
    }

    #[test]
    fn a_json_value_stays_one(words in prop::collection::vec("[\\\\\"': =a-z$@/-]{0,20}(password=|psk: \"|//u:p@h)?[\\PC]{0,8}", 1..6)) {
        let scrubber = Scrubber::new(&[words[0].clone()]);
        let line = format!("x {}\n", json!({"a": words, "b": {"c": 1}}));
        let text = scrubber.text(&line);
        let parsed: serde_json::Value = serde_json::from_str(text.trim_end().split_once('{').map(|(_, tail)| format!("{{{tail}")).unwrap().as_str()).unwrap();
        prop_assert_eq!(parsed["a"].as_array().map(Vec::len), Some(words.len()));
    }
}
