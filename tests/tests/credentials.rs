//! Who is let in by a real broker and who is not, with TLS and a password: `undertone monitor` and `undertone fleet simulate`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use undertone_tests::answer::Answer;
use undertone_tests::broker::{Authority, Broker, available};
use undertone_tests::tool;

const PASSWORD: &str = "r1ght one";
const LISTENING: &str = "{\"state\":\"listening\"}";

/// A broker that takes the user `box` alone, through TLS when a certificate `name` is to be used.
fn broker(name: Option<&str>) -> Broker {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca");
    authority.sign("ca", "server", 2);
    authority.sign("ca", "over", 0);
    Authority::new(folder.path(), "other");
    let made = Command::new("mosquitto_passwd")
        .args(["-b", "-c", "passwords", "box", PASSWORD])
        .current_dir(folder.path())
        .status();
    assert!(made.unwrap().success(), "mosquitto_passwd");
    let mut config = "allow_anonymous false\npassword_file FOLDER/passwords\n".to_owned();
    let mut client = vec!["-u", "box", "-P", PASSWORD];
    if let Some(name) = name {
        config += &format!("certfile FOLDER/{name}.pem\nkeyfile FOLDER/{name}.key\n");
        client.extend(["--cafile", "FOLDER/ca.pem"]);
    }
    Broker::start_in(folder, &config, &client)
}

/// Runs the tool with the URL's user and this password.
fn undertone(words: &[&str], url: &str, ca: Option<&Path>, password: &str) -> Answer {
    let mut command = Command::new(tool());
    command.args(words).args(["--broker", url]);
    command.env("UNDERTONE_MQTT_PASSWORD", password);
    if let Some(ca) = ca {
        command.arg("--ca").arg(ca);
    }
    Answer::of(&mut command)
}

const MONITOR: &[&str] = &["monitor", "--json", "--count", "1"];
const FLEET: &[&str] = &[
    "fleet",
    "simulate",
    "--json",
    "--boxes",
    "3",
    "--rate",
    "20",
    "--duration",
    "2",
];

/// Both tools are refused with this code, cause and next step.
fn refused(url: &str, ca: Option<&Path>, password: &str, told: [&str; 3]) {
    for words in [MONITOR, FLEET] {
        let began = Instant::now();
        let talk = {
            let run = undertone(words, url, ca, password);
            run.refused(told[0]);
            run.talk
        };
        let [code, cause, next] = told;
        let first = format!("error[{code}]: ");
        let error = talk.lines().find(|line| line.starts_with(&first));
        let error = error.unwrap_or_else(|| panic!("no {first} for {url}: {talk}"));
        assert!(error.contains(cause), "{cause:?} is not in {talk}");
        let step = talk.lines().find(|line| line.starts_with("next: "));
        assert!(step.unwrap().contains(next), "{next:?} is not in {talk}");
        assert!(!talk.contains(password), "{talk}");
        assert!(began.elapsed() < Duration::from_secs(50), "it hung");
    }
}

/// Both tools are let in.
fn taken(broker: &Broker, url: &str, ca: Option<&Path>) {
    broker.publish("undertone/v1/shed/state", LISTENING, true);
    let line = undertone(MONITOR, url, ca, PASSWORD).report();
    assert_eq!(line["device"], "shed");
    assert_eq!(line["message"]["state"], "listening");
    let report = undertone(FLEET, url, ca, PASSWORD).report();
    assert_eq!(report["events"]["lost"], 0, "{report}");
    assert_eq!(report["connections"]["refused"], 0, "{report}");
}

#[test]
fn the_right_password_through_tls_is_taken_and_every_wrong_thing_has_its_own_next_step() {
    if !available() {
        return;
    }
    let broker = broker(Some("server"));
    let (ca, other) = (broker.path("ca.pem"), broker.path("other.pem"));
    let port = broker.port();
    let url = format!("mqtts://box@localhost:{port}");
    taken(&broker, &url, Some(&ca));
    let password = [
        "broker-authentication",
        "refuses user or password",
        "--password-file",
    ];
    let password = match undertone(MONITOR, &url, Some(&ca), "wrong one") {
        // Which of its two codes says so differs between versions of mosquitto.
        run if run.talk.contains("not authorise") => [
            "broker-authentication",
            "does not authorise",
            "--password-file",
        ],
        _ => password,
    };
    refused(&url, Some(&ca), "wrong one", password);
    let unknown = [
        "broker-certificate",
        "not signed by a known authority",
        "--ca",
    ];
    refused(&url, Some(&other), PASSWORD, unknown);
    let missing = ["broker-certificate", "none.pem cannot be used", "PEM"];
    refused(&url, Some(Path::new("/none.pem")), PASSWORD, missing);
    let plain = format!("mqtt://box@localhost:{port}");
    let spoken = ["broker-protocol", "TLS", "mqtts://"];
    refused(&plain, None, PASSWORD, spoken);
}

#[test]
fn a_port_without_tls_is_told_from_one_that_is_not_there() {
    if !available() {
        return;
    }
    let broker = broker(None);
    let port = broker.port();
    taken(&broker, &format!("mqtt://box@localhost:{port}"), None);
    let ca = broker.path("ca.pem");
    let secure = format!("mqtts://box@localhost:{port}");
    let told = [
        "broker-protocol",
        "instead of speaking TLS",
        "mqtt:// for one without",
    ];
    refused(&secure, Some(&ca), PASSWORD, told);
    drop(broker);
    let gone = ["broker-network", "refused", "nc -vz"];
    refused(&secure, None, PASSWORD, gone);
}

#[test]
fn a_certificate_that_has_expired_points_to_the_date_and_the_clock() {
    if !available() {
        return;
    }
    let broker = broker(Some("over"));
    let ended = || {
        let run = Command::new("openssl")
            .args(["x509", "-noout", "-checkend", "0", "-in"])
            .arg(broker.path("over.pem"))
            .output();
        !run.unwrap().status.success()
    };
    let until = Instant::now() + Duration::from_secs(30);
    while !ended() {
        assert!(Instant::now() < until, "the certificate does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
    // The clock that the tool reads may still be within the last second.
    std::thread::sleep(Duration::from_millis(1100));
    let url = format!("mqtts://box@localhost:{}", broker.port());
    let told = ["broker-certificate", "has expired", "date"];
    refused(&url, Some(&broker.path("ca.pem")), PASSWORD, told);
}
