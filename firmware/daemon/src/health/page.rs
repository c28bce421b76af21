//! The text of the metrics, in Prometheus' exposition format 0.0.4.

use std::fmt::{Display, Write};

use super::Counters;
use crate::status::{Health, Info, State, Status};

/// What the metrics say: counters, gauges, and the state as one gauge for each name.
pub fn page(info: &Info, status: &Status, health: &Health, counters: &Counters) -> String {
    let mut page = Page(String::new());
    let labels = [
        ("version", info.version),
        ("model", &info.model_hash),
        ("licence", info.licence),
    ];
    page.family("info", "gauge", "What is running; always 1.");
    page.value("info", &labels, 1);
    page.family("state", "gauge", "1 for the state that the box is in.");
    for state in State::ALL {
        let is = u8::from(state == status.state);
        page.value("state", &[("state", state.name())], is);
    }
    page.family(
        "source_state",
        "gauge",
        "1 for the state that a source is in.",
    );
    for source in &status.sources {
        let labels = [("source", &*source.name), ("state", source.state.name())];
        page.value("source_state", &labels, 1);
    }
    page.family(
        "source_dead",
        "gauge",
        "1 for a device that delivers one and the same value.",
    );
    for source in &status.sources {
        let labels = [("source", &*source.name)];
        page.value("source_dead", &labels, u8::from(source.dead));
    }
    let counted = [
        (
            "xruns",
            "Times a sound device lost samples.",
            &counters.xruns,
        ),
        (
            "gaps",
            "Gaps in the samples, from whatever cause.",
            &counters.gaps,
        ),
        (
            "missing_frames",
            "Frames missing in the gaps.",
            &counters.missing_frames,
        ),
        (
            "dropped_frames",
            "Frames dropped because analysis was too slow.",
            &counters.dropped_frames,
        ),
        (
            "heard_milliseconds",
            "Audio analysed, all sources together.",
            &counters.heard_ms,
        ),
        (
            "microphone_losses",
            "Times a microphone was lost.",
            &counters.losses,
        ),
        ("utterances", "Utterances that began.", &counters.utterances),
        ("events", "Events that were told.", &counters.events),
        ("inferences", "Answers of the network.", &counters.answers),
    ];
    for (name, help, counter) in counted {
        let name = format!("{name}_total");
        page.family(&name, "counter", help);
        page.value(&name, &[], counter.get());
    }
    page.family(
        "lost_events_total",
        "counter",
        "Events that a sink did not take.",
    );
    for queue in &health.queues {
        page.value("lost_events_total", &[("sink", queue.sink)], queue.lost);
    }
    page.family("queue_depth", "gauge", "Reports that wait for a sink.");
    for queue in &health.queues {
        page.value("queue_depth", &[("sink", queue.sink)], queue.depth);
    }
    page.family(
        "inference_seconds",
        "summary",
        "Time of an answer of the network, of the latest few thousand.",
    );
    let quantiles = [
        ("0.5", health.inference_p50_us),
        ("0.95", health.inference_p95_us),
        ("0.99", health.inference_p99_us),
    ];
    for (quantile, microseconds) in quantiles {
        let seconds = f64::from(microseconds) / 1e6;
        page.value("inference_seconds", &[("quantile", quantile)], seconds);
    }
    page.gauge("uptime_seconds", "Since the start.", Some(health.uptime_s));
    page.gauge(
        "resident_bytes",
        "Memory of the process.",
        health.resident_bytes,
    );
    page.gauge(
        "temperature_celsius",
        "Of the processor.",
        health.temperature_c,
    );
    page.gauge(
        "throttled",
        "1 while the processor runs slower than it could.",
        health.throttled.map(u8::from),
    );
    page.0
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP undertone_{name} {help}");
        let _ = writeln!(self.0, "# TYPE undertone_{name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.0, "undertone_{name}");
        for (number, (label, text)) in labels.iter().enumerate() {
            let open = if number == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{open}{label}=\"{}\"", escaped(text));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{close} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.family(name, "gauge", help);
            self.value(name, &[], value);
        }
    }
}

/// The text of a label, as the format wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{QueueHealth, SourceStatus};
    use undertone_analysis::Signal;

    #[test]
    fn the_page_is_what_prometheus_reads() {
        let info = Info {
            version: "0.1.0",
            boot_id: "b00t".into(),
            model_hash: "ab".into(),
            licence: "open",
            labels: Vec::new(),
            purpose: "evaluation".into(),
            subjects: undertone_deployment::Subjects::Volunteers,
            legal_basis: None,
            live: true,
        };
        let status = Status {
            state: State::MicLost,
            since_ms: 0,
            signal: Signal::None,
            label: None,
            confidence: None,
            sources: vec![SourceStatus {
                name: "alsa:\"x\\y\"\n".into(),
                state: State::MicLost,
                signal: Signal::None,
                dead: true,
            }],
            troubles: Vec::new(),
        };
        let health = Health {
            queues: vec![QueueHealth {
                sink: "stdout",
                depth: 3,
                capacity: 8,
                lost: 2,
                link: None,
            }],
            inference_p50_us: 1500,
            ..Health::default()
        };
        let counters = Counters::default();
        counters.gaps.add(7);
        let text = page(&info, &status, &health, &counters);
        for line in [
            "undertone_info{version=\"0.1.0\",model=\"ab\",licence=\"open\"} 1",
            "undertone_state{state=\"mic-lost\"} 1",
            "undertone_state{state=\"listening\"} 0",
            "undertone_source_dead{source=\"alsa:\\\"x\\\\y\\\"\\n\"} 1",
            "undertone_source_state{source=\"alsa:\\\"x\\\\y\\\"\\n\",state=\"mic-lost\"} 1",
            "undertone_gaps_total 7",
            "undertone_lost_events_total{sink=\"stdout\"} 2",
            "undertone_inference_seconds{quantile=\"0.5\"} 0.0015",
        ] {
            assert!(
                text.lines().any(|told| told == line),
                "{line} is not in:\n{text}"
            );
        }
        assert!(!text.contains("temperature"));
        // Every sample belongs to a family that was declared before it.
        let mut families = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("# TYPE ") {
                Some(rest) => families.push(rest.split(' ').next().unwrap()),
                None if line.starts_with('#') => {}
                None => {
                    let name = line.split(['{', ' ']).next().unwrap();
                    assert_eq!(families.last(), Some(&name), "{line}");
                }
            }
        }
    }
}
