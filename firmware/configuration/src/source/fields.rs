//! The rows of `[source]` in the table of fields.

use crate::field::{Field, field};

pub(crate) const FIELDS: &[Field] = &[
    field(
        "source.name",
        "\"alsa:default\"",
        "file:PATH, stdin, alsa:NAME, cpal:NAME, cpal:default",
        "The source; `undertoned --list-devices` shows the devices that there are.",
    ),
    field(
        "source.wait",
        "true",
        "true, false",
        "Start without a device that is not there yet, as `mic-lost`, and wait for it. A source that the command line names is not waited for.",
    ),
    field(
        "source.channels",
        "\"mix\"",
        "\"mix\", \"each\"",
        "What is analysed: the mean of the picked channels, or each of them by itself.",
    ),
    field(
        "source.pick",
        "none: all channels",
        "a list of channels, 0 to 31, each once",
        "The channels that are heard, in the order in which they are analysed; the others are dropped at once.",
    ),
    field(
        "source.roles",
        "none",
        "a list of what deployment.subjects may be, or \"nobody\"; one for each picked channel",
        "Who speaks on each channel. A channel that is not that of deployment.subjects is dropped at once.",
    ),
    field(
        "source.device_rate",
        "none",
        "1000 to 768000",
        "The rate to ask a device for, in Hz; without it, what suits the analysis best.",
    ),
    field(
        "source.device_channels",
        "none",
        "1 to 32",
        "The channels to ask a device for; without it, as few as it offers and pick needs.",
    ),
    field(
        "source.device_format",
        "none",
        "\"s16\", \"s24\", \"s24_3\", \"s32\", \"f32\"",
        "The encoding to ask an ALSA device for; without it, the first of these that it offers.",
    ),
    field(
        "source.period_ms",
        "20",
        "1 to 1000",
        "How often an ALSA device wakes the daemon; a wish.",
    ),
    field(
        "source.buffer_ms",
        "500",
        "2 x period_ms to 10000",
        "How late the daemon may be before an ALSA device loses samples; a wish.",
    ),
    field(
        "source.mute_switch",
        "\"auto\"",
        "\"auto\", \"off\", the name of a capture switch",
        "The capture switch in ALSA's mixer that mutes the microphone; auto: Capture, Mic, or the only one.",
    ),
    field(
        "source.mixer",
        "none",
        "1 to 150 characters",
        "The ALSA mixer that has the switch; without it, that of the device's card.",
    ),
    field(
        "source.stdin_rate",
        "16000",
        "1000 to 768000",
        "The rate of headerless 16-bit standard input, in Hz.",
    ),
    field(
        "source.stdin_channels",
        "1",
        "1 to 32",
        "The channels of headerless standard input.",
    ),
    field(
        "source.fast",
        "false",
        "true, false",
        "Analyse files as fast as possible instead of at real-time pace.",
    ),
];
