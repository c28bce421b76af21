//! Whether the broker takes this box, and how long its certificates hold.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::certificate::{date, valid_until};
use super::check::Check;
use super::setup::Setup;
use crate::config::MqttSettings;
use crate::sinks::{BrokerRefused, probe_broker};

const PATIENCE: Duration = Duration::from_secs(25);
/// A certificate that ends within so many days should be renewed.
const RENEW_DAYS: i64 = 30;
const DAY: i64 = 24 * 3600;

pub(super) fn check(setup: &Setup) -> Vec<Check> {
    let Some(settings) = &setup.settings else {
        let cause = "the configuration cannot be used, and so does not say which";
        return vec![Check::skipped("broker", "no-configuration", cause)];
    };
    let Some(mqtt) = &settings.mqtt else {
        return vec![Check::skipped("broker", "no-mqtt", "mqtt.host is not set")];
    };
    let address = format!("{}:{}", mqtt.host, mqtt.port);
    let mut checks = Vec::new();
    match probe_broker(mqtt, PATIENCE) {
        Ok(taken) => {
            let who = match &mqtt.user {
                Some(user) => format!("user {user:?}"),
                None => "without a user".to_owned(),
            };
            let tls = if mqtt.tls.is_some() { ", by TLS" } else { "" };
            let took = u64::try_from(taken.took.as_millis()).unwrap_or(u64::MAX);
            let told = format!("takes this box ({who}{tls}) within {took} ms");
            checks.push(
                Check::ok("broker", told)
                    .about(&address)
                    .figure("took_ms", took),
            );
            if let Some(der) = taken.certificate {
                checks.push(until(valid_until(&der), "its certificate").about(&address));
            }
        }
        Err(refused) => checks.push(of_refusal(&refused, mqtt).about(&address)),
    }
    if let Some(tls) = &mqtt.tls {
        for (what, path) in [
            ("this box's certificate", &tls.certificate),
            ("the authority's certificate", &tls.ca),
        ] {
            if let Some(path) = path {
                checks.push(of_file(path, what).about(path.display()));
            }
        }
    }
    checks
}

fn of_refusal(refused: &BrokerRefused, mqtt: &MqttSettings) -> Check {
    let MqttSettings { host, port, .. } = mqtt;
    let (code, next) = match refused.kind {
        "authentication" => (
            "broker-refuses",
            format!(
                "mosquitto_pub -h {host} -p {port} -u USER -P PASSWORD -t test -m x   # then set mqtt.user and its password"
            ),
        ),
        "certificate" => (
            "broker-certificate",
            format!(
                "openssl s_client -connect {host}:{port} </dev/null | openssl x509 -noout -subject -dates; date"
            ),
        ),
        "protocol" => (
            "broker-protocol",
            format!(
                "mosquitto_pub -d -h {host} -p {port} -t test -m x   # does an MQTT broker listen there, with or without TLS?"
            ),
        ),
        _ => (
            "broker-unreachable",
            format!("getent hosts {host}; nc -vz {host} {port}"),
        ),
    };
    Check::fail("broker", code, refused.cause.clone(), next)
}

/// The certificate of a file that ends first.
fn of_file(path: &Path, what: &str) -> Check {
    let certificates = CertificateDer::pem_file_iter(path).into_iter().flatten();
    let dates = certificates
        .filter_map(Result::ok)
        .map(|certificate| valid_until(&certificate));
    until(dates.min().flatten(), what)
}

fn until(end: Option<i64>, what: &str) -> Check {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        });
    judged(end, now, what)
}

fn judged(end: Option<i64>, now: i64, what: &str) -> Check {
    const NAME: &str = "certificate";
    let Some(end) = end else {
        let next = "openssl x509 -noout -dates -in FILE";
        return Check::warn(
            NAME,
            "certificate-unreadable",
            format!("{what} names no end"),
            next,
        );
    };
    let days = (end - now).div_euclid(DAY);
    let check = if end <= now {
        let cause = format!("{what} has ended on {}", date(end));
        Check::fail(
            NAME,
            "certificate-expired",
            cause,
            "date; then have it renewed where it was signed",
        )
    } else if days < RENEW_DAYS {
        let cause = format!("{what} ends in {days} days, on {}", date(end));
        Check::warn(
            NAME,
            "certificate-ending",
            cause,
            "have it renewed where it was signed",
        )
    } else {
        Check::ok(
            NAME,
            format!("{what} holds until {} ({days} days)", date(end)),
        )
    };
    check.figure("days", days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_before_it_ends() {
        let now = 1_764_000_000;
        for (end, code) in [
            (Some(now - 1), "certificate-expired"),
            (Some(now + 29 * DAY), "certificate-ending"),
            (Some(now + 31 * DAY), "ok"),
            (None, "certificate-unreadable"),
        ] {
            assert_eq!(judged(end, now, "it").code, code);
        }
    }
}
