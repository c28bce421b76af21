//! The rows of `[mqtt]` in the table of fields.

use super::names::NAME;
use crate::field::{Field, field};

pub(crate) const FIELDS: &[Field] = &[
    field(
        "mqtt.host",
        "none",
        "a name or an address",
        "The broker. Without it nothing is sent over MQTT.",
    ),
    field(
        "mqtt.port",
        "1883, with TLS 8883",
        "1 to 65535",
        "The broker's port.",
    ),
    field(
        "mqtt.device",
        "the name of the host",
        NAME,
        "The box's name in topics and in Home Assistant.",
    ),
    field(
        "mqtt.client_id",
        "undertone-DEVICE",
        "1 to 128 bytes",
        "The box's name at the broker; two clients with the same one disconnect each other.",
    ),
    field("mqtt.user", "none", "text", "The user at the broker."),
    field(
        "mqtt.password",
        "none",
        "text",
        "The password; better in the environment (UNDERTONE_MQTT_PASSWORD) or in a file.",
    ),
    field(
        "mqtt.password_file",
        "none",
        "a path",
        "A file whose first line is the password; read for every connection.",
    ),
    field(
        "mqtt.topic_prefix",
        "\"undertone/v1\"",
        "a topic without + and #",
        "What every topic begins with.",
    ),
    field(
        "mqtt.keep_alive_s",
        "30",
        "5 to 3600",
        "After so many seconds of silence the broker is asked whether it is there.",
    ),
    field(
        "mqtt.retry_max_s",
        "60",
        "1 to 3600",
        "The longest wait between two tries to connect.",
    ),
    field(
        "mqtt.discovery",
        "true",
        "true, false",
        "Announce the box to Home Assistant.",
    ),
    field(
        "mqtt.discovery_prefix",
        "\"homeassistant\"",
        "a topic without + and #",
        "Where Home Assistant looks for announcements.",
    ),
    field("mqtt.levels", "false", "true, false", "Send levels."),
    field(
        "mqtt.level_interval_ms",
        "1000",
        "100 to 600000",
        "The least time between two levels of a channel.",
    ),
    field(
        "mqtt.tls.enabled",
        "true when mqtt.tls.ca or a certificate is given",
        "true, false",
        "Speak TLS.",
    ),
    field(
        "mqtt.tls.ca",
        "what the system trusts",
        "a PEM file",
        "The authorities that may sign the broker's certificate.",
    ),
    field(
        "mqtt.tls.certificate",
        "none",
        "a PEM file",
        "The box's own certificate, with whatever leads to its authority.",
    ),
    field(
        "mqtt.tls.key",
        "none",
        "a PEM file",
        "The key of the box's certificate.",
    ),
    field(
        "mqtt.outbox.path",
        "none: in memory",
        "a folder",
        "Where events wait for the broker across restarts.",
    ),
    field(
        "mqtt.outbox.max_events",
        "10000",
        "1 to 1000000",
        "Events that wait at most; then the oldest is given up.",
    ),
    field(
        "mqtt.outbox.max_bytes",
        "8388608",
        "65536 to 1073741824",
        "Bytes that they take at most.",
    ),
    field(
        "mqtt.outbox.max_age_s",
        "604800",
        "1 to 31536000",
        "How old they become at most.",
    ),
    field(
        "mqtt.outbox.sync_ms",
        "1000",
        "0 to 60000",
        "How much time the end of the power may take with it; 0: none, each event is forced onto the disk.",
    ),
];
