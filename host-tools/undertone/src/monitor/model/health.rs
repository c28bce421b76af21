//! How a box is, in lines for people.

use serde_json::Value;

use super::read::{count, number, text, truth};

/// Names and values, and whether they are as they should be.
pub(crate) type Health = Vec<(&'static str, String, bool)>;

/// The lines of a health message; what it does not say has none.
pub(super) fn health(body: &Value) -> Health {
    let mut lines: Health = Vec::new();
    if let Some(celsius) = number(body, "temperature_c", -100.0, 1000.0) {
        lines.push(("temperature", format!("{celsius:.1} °C"), celsius < 80.0));
    }
    if truth(body, "throttled") {
        lines.push(("throttled", "yes".to_owned(), false));
    }
    for (name, field) in [
        ("xruns", "xruns"),
        ("gaps", "gaps"),
        ("dropped frames", "dropped_frames"),
        ("lost events", "lost_events"),
    ] {
        if let Some(number) = count(body, field) {
            lines.push((name, number.to_string(), number == 0));
        }
    }
    if let (Some(half), Some(most)) = (
        count(body, "inference_p50_us"),
        count(body, "inference_p99_us"),
    ) {
        lines.push(("inference", format!("{half} µs, 99 % {most} µs"), true));
    }
    if let Some(bytes) = count(body, "resident_bytes") {
        lines.push(("memory", format!("{:.1} MB", bytes as f64 / 1e6), true));
    }
    if let Some(seconds) = count(body, "uptime_s") {
        lines.push((
            "up",
            format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
            true,
        ));
    }
    for queue in body["queues"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .take(4)
    {
        let link = &queue["link"];
        if link.is_object() {
            let up = truth(link, "up");
            let waiting = count(link, "waiting").unwrap_or(0);
            let failure = text(link, "failure");
            let how = if up {
                "up".to_owned()
            } else {
                format!("down {failure}")
            };
            lines.push((
                "way out",
                format!("{} {how}, {waiting} wait", text(queue, "sink")),
                up,
            ));
        }
    }
    lines
}
