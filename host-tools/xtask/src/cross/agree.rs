//! Whether two daemons say the same of a recording.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value};

/// How far a probability may lie from the other daemon's. Processors add up in different orders; events round to 0.0001.
pub(crate) const TOLERANCE: f64 = 0.001;

/// What was compared.
#[derive(Debug, PartialEq)]
pub(crate) struct Agreement {
    /// Events of each.
    pub(crate) events: usize,
    /// The farthest that two probabilities lie apart.
    pub(crate) apart: f64,
}

/// Compares JSON lines: everything must be equal but the run's own identity, and probabilities near.
///
/// # Errors
/// The first difference, or that there are no events at all.
pub(crate) fn agree(ours: &str, theirs: &str) -> Result<Agreement> {
    let (ours, theirs) = (events(ours)?, events(theirs)?);
    ensure!(!ours.is_empty(), "there are no events to compare");
    let mut apart = 0.0_f64;
    for (one, other) in ours.iter().zip(&theirs) {
        let said = || format!("{}\n  and here {}", shown(other), shown(one));
        let (mut one, mut other) = (one.clone(), other.clone());
        for probability in differences(&mut one, &mut other).with_context(said)? {
            apart = apart.max(probability);
        }
        ensure!(one == other, "the events are not the same: {}", said());
    }
    if ours.len() != theirs.len() {
        bail!("{} events, and here {}", theirs.len(), ours.len());
    }
    ensure!(
        apart <= TOLERANCE,
        "probabilities lie {apart:.4} apart, more than {TOLERANCE}"
    );
    Ok(Agreement {
        events: ours.len(),
        apart,
    })
}

fn events(lines: &str) -> Result<Vec<Map<String, Value>>> {
    let parse = |line: &str| {
        let mut event: Map<String, Value> =
            serde_json::from_str(line).with_context(|| format!("no event: {line}"))?;
        event.remove("boot_id");
        Ok(event)
    };
    lines.lines().map(parse).collect()
}

/// Takes the probabilities out of two events; how far they lie apart.
fn differences(one: &mut Map<String, Value>, other: &mut Map<String, Value>) -> Result<Vec<f64>> {
    let number = |value: Option<Value>| value.and_then(|value| value.as_f64());
    let mut found = Vec::new();
    let mut compare = |name: &str, one: Option<Value>, other: Option<Value>| -> Result<()> {
        let (Some(one), Some(other)) = (number(one), number(other)) else {
            bail!("{name} is not a number in both events");
        };
        found.push((one - other).abs());
        Ok(())
    };
    compare(
        "confidence",
        one.remove("confidence"),
        other.remove("confidence"),
    )?;
    let (Some(Value::Object(one)), Some(Value::Object(mut other))) =
        (one.remove("scores"), other.remove("scores"))
    else {
        bail!("scores are not there in both events");
    };
    ensure!(one.len() == other.len(), "the labels are not the same");
    for (label, score) in one {
        let same = other.remove(&label);
        compare(&label, Some(score), same)?;
    }
    Ok(found)
}

fn shown(event: &Map<String, Value>) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"kind":"update","id":1,"label":"sad","confidence":0.61,"scores":{"sad":0.61,"happy":0.39},"at_ms":1845,"boot_id":"a"}"#;

    fn against(other: &str) -> Result<Agreement> {
        agree(LINE, other)
    }

    #[test]
    fn another_run_with_nearly_the_same_probabilities_agrees() {
        let found = against(&LINE.replace("\"a\"", "\"b\"").replace("0.39", "0.3905")).unwrap();
        assert_eq!(found.events, 1);
        assert!((found.apart - 0.0005).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn anything_else_that_differs_is_told() {
        for (from, to, told) in [
            ("\"label\":\"sad\"", "\"label\":\"happy\"", "not the same"),
            ("1845", "1855", "not the same"),
            ("0.61,\"scores\"", "0.62,\"scores\"", "apart"),
            ("\"happy\":0.39", "\"happy\":0.42", "apart"),
            (
                "\"happy\":0.39",
                "\"fear\":0.39",
                "happy is not a number in both",
            ),
            (",\"happy\":0.39", "", "labels are not the same"),
            ("\"id\":1,", "", "not the same"),
        ] {
            let other = LINE.replace(from, to);
            assert_ne!(other, LINE, "{from}");
            let error = format!("{:#}", against(&other).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
        assert!(
            against("")
                .unwrap_err()
                .to_string()
                .contains("0 events, and here 1")
        );
        assert!(against(&format!("{LINE}\n{LINE}")).is_err());
        assert!(against("hello").is_err());
        assert!(agree("", "").is_err());
    }
}
