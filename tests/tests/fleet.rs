//! `undertone fleet simulate` and a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use undertone_tests::broker::{Broker, available};
use undertone_tests::tool;

fn simulate(port: u16, more: &[&str]) -> Output {
    let url = format!("mqtt://127.0.0.1:{port}");
    Command::new(tool())
        .args(["fleet", "simulate", "--json", "--broker", &url])
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn two_hundred_boxes_lose_nothing_and_leave_nothing() {
    if !available() {
        return;
    }
    let broker = Broker::start("allow_anonymous true\nmax_queued_messages 100000\n", &[]);
    let run = simulate(
        broker.port(),
        &[
            "--boxes",
            "200",
            "--rate",
            "15",
            "--duration",
            "6",
            "--lose-every",
            "20",
        ],
    );
    let talk = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{talk}");
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let number = |path: &str| report.pointer(path).and_then(Value::as_f64).unwrap_or(-1.0);
    assert_eq!(number("/boxes"), 200.0);
    assert!(number("/events/sent") > 500.0, "{report}");
    assert_eq!(number("/events/lost"), 0.0, "{report}");
    assert_eq!(
        number("/events/acknowledged"),
        number("/events/sent"),
        "{report}"
    );
    assert!(number("/latency_ms/p50") > 0.0, "{report}");
    assert!(
        number("/latency_ms/p99") >= number("/latency_ms/p50"),
        "{report}"
    );
    assert_eq!(number("/connections/lost"), 10.0, "{report}");
    assert_eq!(number("/connections/wills"), 10.0, "{report}");
    assert_eq!(number("/connections/stopped"), 190.0, "{report}");
    assert_eq!(number("/connections/broken"), 0.0, "{report}");
    assert_eq!(report["broker_process"]["name"], "mosquitto", "{report}");
    assert!(number("/broker_process/resident_mb") > 0.1, "{report}");
    // What it said is removed, but for the last words of nobody.
    let subscriber = broker.subscribe();
    std::thread::sleep(Duration::from_millis(500));
    let left: Vec<_> = subscriber
        .all()
        .into_iter()
        .filter(|seen| seen.retained)
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn its_boxes_say_what_the_daemon_says() {
    if !available() {
        return;
    }
    let broker = Broker::open();
    let subscriber = broker.subscribe();
    let run = simulate(
        broker.port(),
        &[
            "--boxes",
            "3",
            "--rate",
            "20",
            "--duration",
            "5",
            "--lose-every",
            "0",
            "--prefix",
            "site/v1",
        ],
    );
    assert!(run.status.success());
    let events = subscriber.wait("/event", "an end", |seen| {
        seen.iter().any(|seen| seen.json()["kind"] == "end")
    });
    for seen in &events {
        let event = seen.json();
        assert!(seen.topic.starts_with("site/v1/sim-0000"), "{seen:?}");
        for field in [
            "id",
            "channel",
            "label",
            "confidence",
            "scores",
            "start_ms",
            "at_ms",
            "wall_ms",
            "seq",
            "boot_id",
            "historical",
        ] {
            assert!(!event[field].is_null(), "{field} in {event}");
        }
    }
    let info = subscriber.wait("/info", "info", |seen| !seen.is_empty())[0].json();
    assert_eq!(info["purpose"], "evaluation");
}

#[test]
fn what_cannot_be_done_is_told_with_its_remedy() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let run = simulate(nobody, &["--boxes", "1"]);
    let talk = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(!run.status.success());
    assert!(
        talk.contains("error[broker-network]: ") && talk.contains("\nnext: "),
        "{talk}"
    );
    for (more, code) in [
        (["--rate", "0"], "error[fleet-range]: --rate is 0"),
        (
            ["--prefix", "a/#"],
            "error[fleet-topic]: --prefix is \"a/#\"",
        ),
    ] {
        let run = simulate(nobody, &more);
        let talk = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(talk.contains(code), "{talk}");
    }
}

/// The sections of `inputs.mqtt_consumer` in the example of docs/fleet.md.
fn telegraf() -> Vec<toml::Value> {
    let text = std::fs::read_to_string(undertone_tests::root().join("docs/fleet.md")).unwrap();
    let (_, example) = text.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let example: toml::Table = toml::from_str(example).unwrap();
    let inputs = example["inputs"]["mqtt_consumer"].as_array().unwrap();
    inputs.clone()
}

fn list<'a>(table: &'a toml::Value, name: &str) -> &'a [toml::Value] {
    let list = table.get(name).and_then(toml::Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// Whether a topic is one of a pattern, as brokers and Telegraf's `topic_parsing` compare them.
fn is_like(topic: &str, pattern: &str) -> bool {
    let same = |(level, pattern): (&str, &str)| pattern == "+" || level == pattern;
    topic.split('/').count() == pattern.split('/').count()
        && topic.split('/').zip(pattern.split('/')).all(same)
}

/// Reads a message by the rules of Telegraf's parser: what is not optional is there, and what has a type is of it.
fn read_as_json_v2(rules: &toml::Value, message: &Value) {
    assert_eq!(rules["timestamp_format"].as_str(), Some("unix_ms"));
    let stamp = &message[rules["timestamp_path"].as_str().unwrap()];
    assert!(stamp.is_u64(), "{stamp} in {message}");
    for (kind, plain) in [("tag", true), ("field", false)] {
        assert!(!list(rules, kind).is_empty());
        for wanted in list(rules, kind) {
            let path = wanted["path"].as_str().unwrap();
            let optional = wanted.get("optional").and_then(toml::Value::as_bool);
            let value = &message[path];
            if value.is_null() {
                assert_eq!(optional, Some(true), "{path} is not in {message}");
                continue;
            }
            let fits = match wanted.get("type").and_then(toml::Value::as_str) {
                Some("float") => value.is_number(),
                Some("int") => value.is_i64(),
                Some("string") => value.is_string(),
                None => plain && value.is_string(),
                other => panic!("{other:?}"),
            };
            assert!(fits, "{path} in {message}");
        }
    }
}

#[test]
fn the_example_for_telegraf_fits_what_boxes_publish() {
    if !available() {
        return;
    }
    let broker = Broker::open();
    let subscriber = broker.subscribe();
    let more = [
        "--boxes",
        "3",
        "--rate",
        "20",
        "--duration",
        "5",
        "--prefix",
        "undertone/v1",
    ];
    assert!(simulate(broker.port(), &more).status.success());
    subscriber.wait("/event", "an end", |seen| {
        seen.iter().any(|seen| seen.json()["kind"] == "end")
    });
    let inputs = telegraf();
    assert_eq!(inputs.len(), 2);
    for input in &inputs {
        // Messages wait for a client that is known again by its name.
        assert!(input["client_id"].is_str());
        let topics = list(input, "topics");
        let parsing = &list(input, "topic_parsing")[0];
        let (pattern, tags) = (
            parsing["topic"].as_str().unwrap(),
            parsing["tags"].as_str().unwrap(),
        );
        assert!(topics.iter().all(|topic| topic.as_str() == Some(pattern)));
        let device = tags.split('/').position(|tag| tag == "device").unwrap();
        assert_eq!(tags.split('/').count(), pattern.split('/').count());
        let all = subscriber.all();
        let taken = all
            .iter()
            .filter(|seen| is_like(&seen.topic, pattern) && !seen.payload.is_empty());
        let mut count = 0;
        for seen in taken {
            count += 1;
            assert!(
                seen.topic
                    .split('/')
                    .nth(device)
                    .unwrap()
                    .starts_with("sim-")
            );
            let message = seen.json();
            match input["data_format"].as_str().unwrap() {
                "json_v2" => read_as_json_v2(&list(input, "json_v2")[0], &message),
                // Every number is a field.
                "json" => assert!(message.as_object().unwrap().values().any(Value::is_number)),
                other => panic!("{other}"),
            }
        }
        assert!(count > 0, "nothing is published on {pattern}");
    }
}
