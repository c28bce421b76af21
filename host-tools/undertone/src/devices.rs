//! `undertone devices`: microphones and serial ports of a box, and what blocks them. The box looks (`undertoned devices`).

use anyhow::Result;
use serde_json::Value;

use crate::clean::clean;
use crate::on_box::OnBox;
use crate::print;

/// List the microphones and serial ports of a box, here or over ssh, what they offer, and what blocks them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    on_box: OnBox,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let (report, _) = self.on_box.ask("devices")?;
        if self.on_box.connection.json {
            print::report(&report, true)
        } else {
            print::text(&sections(&report))
        }
    }
}

/// A section for each kind of device; the name to configure begins a line, and what is known of it stands below.
fn sections(report: &Value) -> String {
    let list = |name: &str| report[name].as_array().map_or(&[][..], Vec::as_slice);
    let mut out = String::from("Microphones\n");
    for microphone in list("microphones") {
        out += &entry(
            &microphone["source"],
            [
                ("title", shown(&microphone["title"])),
                ("now", shown(&microphone["now"])),
                ("usb", shown(&microphone["usb"])),
                ("offers", offers(&microphone["offers"])),
                ("blocked", shown(&microphone["blocked"])),
            ],
        );
    }
    if list("microphones").is_empty() {
        out += "  none: no sound card that can capture\n";
    }
    out += "\nSerial ports\n";
    for port in list("serial_ports") {
        let moved = port["file"] != port["port"];
        let now = if moved {
            shown(&port["file"])
        } else {
            String::new()
        };
        out += &entry(
            &port["port"],
            [("now", now), ("blocked", shown(&port["blocked"]))],
        );
    }
    if list("serial_ports").is_empty() {
        out += "  none\n";
    }
    if !list("other_sources").is_empty() {
        out += "\nOther sources\n";
        for name in list("other_sources") {
            out += &format!("  {}\n", shown(name));
        }
    }
    if report["holders_complete"] == false {
        out += "\nWhat holds a device is shown of your own programs only; sudo shows all.\n";
    }
    out
}

/// The lines of a device; one that nothing blocks says so.
fn entry<const N: usize>(name: &Value, facts: [(&str, String); N]) -> String {
    let mut out = format!("  {}\n", shown(name));
    for (what, fact) in facts {
        match (what, fact.as_str()) {
            ("blocked", "") => out += &format!("    {:<8} yes\n", "free"),
            (_, "") => {}
            (what, fact) => out += &format!("    {what:<8} {fact}\n"),
        }
    }
    out
}

/// What an ALSA device delivers.
fn offers(offers: &Value) -> String {
    if !offers.is_object() {
        return String::new();
    }
    let words = |name: &str, between: &str| {
        let list = offers[name].as_array().map_or(&[][..], Vec::as_slice);
        list.iter().map(shown).collect::<Vec<_>>().join(between)
    };
    format!(
        "{}; {} channels; {} Hz",
        words("formats", " "),
        words("channels", " to "),
        words("rates_hz", " ")
    )
}

/// A text of another machine; nothing for null.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => clean(text),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn devices_stand_in_sections_with_what_blocks_them_and_no_key_of_the_report() {
        let report = json!({
            "ok": true,
            "microphones": [
                {"source": "alsa:by-id/usb-Mic", "now": "alsa:hw:1,0", "title": "Mic\u{1b}[2J", "usb": null, "offers": {"formats": ["s16", "s32"], "channels": [1, 2], "rates_hz": [16000, 48000]}, "blocked": null},
                {"source": "alsa:x", "now": null, "title": null, "usb": null, "offers": null, "blocked": "held by arecord (process 12)"},
            ],
            "serial_ports": [{"port": "/dev/serial/by-id/a", "file": "/dev/ttyUSB0", "blocked": null}],
            "other_sources": ["cpal:default"],
            "holders_complete": false,
        });
        assert_eq!(
            sections(&report),
            "Microphones\n  alsa:by-id/usb-Mic\n    title    Mic\u{fffd}[2J\n    now      alsa:hw:1,0\n    offers   s16 s32; 1 to 2 channels; 16000 48000 Hz\n    free     yes\n\
             \u{20} alsa:x\n    blocked  held by arecord (process 12)\n\nSerial ports\n  /dev/serial/by-id/a\n    now      /dev/ttyUSB0\n    free     yes\n\n\
             Other sources\n  cpal:default\n\nWhat holds a device is shown of your own programs only; sudo shows all.\n"
        );
        let nothing = sections(&json!({"ok": true}));
        assert_eq!(
            nothing,
            "Microphones\n  none: no sound card that can capture\n\nSerial ports\n  none\n"
        );
    }
}
