//! Every field of the configuration: the one table behind error messages, environment variables and the documentation.

use super::{
    control, deployment, health, log, metrics, model, mqtt, output, serial, source, thresholds,
};

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its section and name, as in `source.stdin_rate`.
    pub name: &'static str,
    /// Its default, or `none`.
    pub default: &'static str,
    /// The values that are allowed.
    pub allowed: &'static str,
    /// What it is for.
    pub about: &'static str,
}

/// A field by its four texts.
pub(super) const fn field(
    name: &'static str,
    default: &'static str,
    allowed: &'static str,
    about: &'static str,
) -> Field {
    Field {
        name,
        default,
        allowed,
        about,
    }
}

/// The fields of every section, in the order of the documentation.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    [
        deployment::FIELDS,
        source::FIELDS,
        model::FIELDS,
        SEGMENTS,
        EVENTS,
        thresholds::FIELDS,
        output::FIELDS,
        mqtt::FIELDS,
        serial::FIELDS,
        health::FIELDS,
        control::FIELDS,
        metrics::FIELDS,
        log::FIELDS,
    ]
    .into_iter()
    .flatten()
}

/// A field by its name.
pub(super) fn find(name: &str) -> Option<&'static Field> {
    let any = name.starts_with("thresholds.").then_some(thresholds::ANY);
    fields().find(|field| field.name == any.unwrap_or(name))
}

/// The fields of `[segments]`; their types are in `undertone-events`.
const SEGMENTS: &[Field] = &[
    field(
        "segments.onset_threshold",
        "0.5",
        "0 to 1",
        "Probability of the voice detector from which on speech begins.",
    ),
    field(
        "segments.release_threshold",
        "0.35",
        "0 to onset_threshold",
        "Probability of the voice detector below which speech pauses.",
    ),
    field(
        "segments.onset_ms",
        "64",
        "0 to 2000",
        "How long speech must last to count.",
    ),
    field(
        "segments.pre_roll_ms",
        "300",
        "0 to 2000",
        "How much audio before the onset belongs to an utterance.",
    ),
    field(
        "segments.post_roll_ms",
        "300",
        "0 to hangover_ms",
        "How much audio after the last speech belongs to an utterance.",
    ),
    field(
        "segments.hangover_ms",
        "700",
        "20 to 10000",
        "How long a pause must be to end an utterance.",
    ),
    field(
        "segments.min_segment_ms",
        "300",
        "0 to max_segment_ms",
        "An utterance does not end before it is this long.",
    ),
    field(
        "segments.max_segment_ms",
        "30000",
        "1000 to 600000",
        "An utterance is cut when it is this long.",
    ),
    field(
        "segments.refractory_ms",
        "0",
        "0 to 600000",
        "After an utterance that ended in silence, none begins for this long.",
    ),
];

/// The fields of `[events]`; their types are in `undertone-events`.
const EVENTS: &[Field] = &[
    field(
        "events.smoothing",
        "0.3",
        "0 to 0.99",
        "Weight of the past in the scores of start and update.",
    ),
    field(
        "events.margin",
        "0.05",
        "0 to 1",
        "By how much another label must lead to challenge the current one.",
    ),
    field(
        "events.challenge_updates",
        "2",
        "1 to 1000",
        "For how many answers of the model in a row it must lead.",
    ),
    field(
        "events.update_interval_ms",
        "1000",
        "0 to 600000",
        "An update is told at least so often while speech goes on; 0: only on a change.",
    ),
    field(
        "events.mode",
        "\"events\"",
        "\"events\", \"aggregate\", \"acoustic\"",
        "What is told: every utterance; histograms over intervals and no single utterance; or nothing, and no model runs.",
    ),
    field(
        "events.aggregate_interval_s",
        "900",
        "60 to 86400",
        "The interval of the mode aggregate, in seconds of audio.",
    ),
    field(
        "events.aggregate_min_utterances",
        "5",
        "1 to 1000",
        "An interval with fewer utterances goes on until it has as many.",
    ),
    field(
        "events.raised_voice_db",
        "6",
        "1 to 40",
        "By how many decibels a voice must be louder than usual to count as raised, in levels.",
    ),
];
