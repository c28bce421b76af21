//! What differs between two configurations, by the part of the daemon that has to act on it.

use toml::{Table, Value};

use super::Configuration;

/// What a reload changes. Nothing but that is touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Sources that are new, by their place in the new configuration.
    pub opened: Vec<usize>,
    /// Sources that are no longer wanted, by their place in the old configuration.
    pub closed: Vec<usize>,
    /// Sources that stay as they are: place in the old and in the new configuration.
    pub kept: Vec<(usize, usize)>,
    /// The model, when speech begins and ends, or how decisions are told: every analysis begins anew.
    pub analysis: bool,
    /// Where to and in which form it is told: the sinks begin anew.
    pub sinks: bool,
    /// Where metrics can be fetched.
    pub metrics: bool,
    /// Where commands are taken.
    pub control: bool,
    /// What is told on standard error.
    pub log: bool,
    /// How health is told.
    pub health: bool,
    /// What the box is used for.
    pub deployment: bool,
    /// The fields that differ, as `section.field`, in the order of the alphabet.
    pub fields: Vec<String>,
}

impl Change {
    /// What leads from one configuration to the other.
    pub fn between(old: &Configuration, new: &Configuration) -> Self {
        let (before, after) = (&old.settings, &new.settings);
        let mut kept = Vec::new();
        let mut opened = Vec::new();
        for (place, source) in after.sources.iter().enumerate() {
            match before.sources.iter().position(|other| other == source) {
                Some(was) => kept.push((was, place)),
                None => opened.push(place),
            }
        }
        let closed = (0..before.sources.len())
            .filter(|place| !kept.iter().any(|(was, _)| was == place))
            .collect();
        let mut change = Change {
            opened,
            closed,
            kept,
            analysis: before.model != after.model
                || before.segments != after.segments
                || before.events != after.events
                || before.thresholds != after.thresholds
                || before.output.level_interval_ms != after.output.level_interval_ms,
            sinks: before.output != after.output
                || before.mqtt != after.mqtt
                || before.serial != after.serial,
            metrics: before.metrics != after.metrics,
            control: before.control != after.control,
            log: before.log != after.log,
            health: before.health != after.health,
            deployment: before.deployment != after.deployment,
            fields: Vec::new(),
        };
        let mut fields = differing(&old.written, &new.written);
        fields.retain(|field| change.concerns(field));
        change.fields = fields;
        change
    }

    /// True when nothing differs.
    pub fn is_empty(&self) -> bool {
        let Change {
            opened,
            closed,
            kept: _,
            analysis,
            sinks,
            metrics,
            control,
            log,
            health,
            deployment,
            fields: _,
        } = self;
        let parts = [analysis, sinks, metrics, control, log, health, deployment];
        opened.is_empty() && closed.is_empty() && !parts.into_iter().any(|part| *part)
    }

    /// True when a field belongs to a part that differs. A default that is spelled out is no difference.
    fn concerns(&self, field: &str) -> bool {
        match field.split('.').next().unwrap_or_default() {
            "source" => !self.opened.is_empty() || !self.closed.is_empty(),
            "model" | "segments" | "events" | "thresholds" => self.analysis,
            "output" | "mqtt" | "serial" => self.sinks,
            "metrics" => self.metrics,
            "control" => self.control,
            "log" => self.log,
            "health" => self.health,
            "deployment" => self.deployment,
            _ => true,
        }
    }
}

fn differing(old: &Table, new: &Table) -> Vec<String> {
    let mut fields = Vec::new();
    let names = old.keys().chain(new.keys());
    for section in names {
        match (old.get(section), new.get(section)) {
            (before, after) if before == after => {}
            (before @ (None | Some(Value::Table(_))), after @ (None | Some(Value::Table(_)))) => {
                let empty = Table::new();
                let before = before.and_then(Value::as_table).unwrap_or(&empty);
                let after = after.and_then(Value::as_table).unwrap_or(&empty);
                let names = before.keys().chain(after.keys());
                let differ = names.filter(|name| before.get(*name) != after.get(*name));
                fields.extend(differ.map(|name| format!("{section}.{name}")));
            }
            _ => fields.push(section.clone()),
        }
    }
    fields.sort();
    fields.dedup();
    fields
}
