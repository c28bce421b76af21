//! How the box announces itself to Home Assistant: one message for the device with all that it has.
//!
//! The format is "device discovery" of Home Assistant's MQTT integration, since its release 2024.11.

use serde_json::{Value, json};

use crate::status::{Info, State, Topics};

/// Topic and payload of the announcement.
pub(super) fn announcement(
    prefix: &str,
    device: &str,
    topics: &Topics,
    info: &Info,
) -> (String, String) {
    let topic = format!("{prefix}/device/{device}/config");
    (topic, payload(device, topics, info).to_string())
}

/// The topic on which Home Assistant says that it has started.
pub(super) fn birth(prefix: &str) -> String {
    format!("{prefix}/status")
}

fn payload(device: &str, topics: &Topics, info: &Info) -> Value {
    let labels: Vec<_> = info.labels.iter().map(String::as_str).collect();
    let moods = [&labels[..], &["unknown", "none"]].concat();
    let states = State::ALL.map(State::name);
    json!({
        "device": {
            "identifiers": [format!("undertone_{device}")],
            "name": device,
            "manufacturer": "Undertone",
            "model": format!("undertoned, model {}", info.model_hash.get(..12).unwrap_or_default()),
            "sw_version": info.version,
        },
        "origin": { "name": "undertoned", "sw_version": info.version },
        "availability": [{
            "topic": topics.availability,
            "payload_available": "online",
            // Both `stopped` and `offline` are not available: the template makes them one.
            "value_template": "{{ 'online' if value == 'online' else 'offline' }}",
            "payload_not_available": "offline",
        }],
        "components": {
            "emotion": component(device, "emotion", "sensor", json!({
                "name": "Voice",
                "state_topic": topics.state,
                "value_template": "{{ value_json.label or 'none' }}",
                "device_class": "enum",
                "options": moods,
                "icon": "mdi:account-voice",
            })),
            "confidence": component(device, "confidence", "sensor", json!({
                "name": "Confidence",
                "state_topic": topics.state,
                "value_template": "{{ ((value_json.confidence or 0) * 100) | round(0) }}",
                "unit_of_measurement": "%",
                "state_class": "measurement",
                "icon": "mdi:percent",
            })),
            "speech": component(device, "speech", "binary_sensor", json!({
                "name": "Speech",
                "state_topic": topics.state,
                "value_template": "{{ 'ON' if value_json.state == 'speech' else 'OFF' }}",
                "device_class": "sound",
            })),
            "state": component(device, "state", "sensor", json!({
                "name": "State",
                "state_topic": topics.state,
                "value_template": "{{ value_json.state }}",
                "device_class": "enum",
                "options": states,
                "entity_category": "diagnostic",
            })),
            "microphone": component(device, "microphone", "binary_sensor", json!({
                "name": "Microphone problem",
                "state_topic": topics.state,
                "value_template":
                    "{{ 'ON' if value_json.state in ['mic-lost', 'stalled', 'degraded'] else 'OFF' }}",
                "device_class": "problem",
                "entity_category": "diagnostic",
            })),
            "temperature": component(device, "temperature", "sensor", json!({
                "name": "Processor temperature",
                "state_topic": topics.health,
                "value_template": "{{ value_json.temperature_c }}",
                "device_class": "temperature",
                "unit_of_measurement": "°C",
                "state_class": "measurement",
                "entity_category": "diagnostic",
            })),
            "event": component(device, "event", "event", json!({
                "name": "Utterance",
                "state_topic": topics.event,
                "event_types": ["start", "update", "end", "aggregate", "dropped"],
                // An event of Home Assistant names its kind `event_type`, and takes whatever else there is as attributes.
                "value_template":
                    "{{ dict(value_json, event_type=value_json.kind) | tojson }}",
                "icon": "mdi:waveform",
            })),
            "mute": component(device, "mute", "switch", json!({
                "name": "Mute",
                "command_topic": topics.command("mute"),
                "payload_on": "on",
                "payload_off": "off",
                "state_topic": topics.state,
                "value_template": "{{ 'on' if value_json.state == 'muted' else 'off' }}",
                "state_on": "on",
                "state_off": "off",
                "icon": "mdi:microphone-off",
            })),
            "identify": component(device, "identify", "button", json!({
                "name": "Identify",
                "command_topic": topics.command("identify"),
                "payload_press": "{}",
                "device_class": "identify",
                "entity_category": "diagnostic",
            })),
        },
        "qos": 1,
    })
}

fn component(device: &str, name: &str, platform: &str, mut fields: Value) -> Value {
    fields["platform"] = platform.into();
    fields["unique_id"] = format!("undertone_{device}_{name}").into();
    fields
}
