//! Fields of untrusted JSON.

use serde_json::Value;

use crate::clean::short;

/// Letters of a name at most.
const NAME: usize = 40;

/// A text, fit for a terminal; empty when there is none.
pub(crate) fn text(body: &Value, field: &str) -> String {
    body[field]
        .as_str()
        .map(|text| short(text, NAME))
        .unwrap_or_default()
}

/// A number that is finite, within bounds.
pub(crate) fn number(body: &Value, field: &str, least: f64, most: f64) -> Option<f64> {
    body[field]
        .as_f64()
        .filter(|number| number.is_finite())
        .map(|number| number.clamp(least, most))
}

/// A whole number.
pub(crate) fn count(body: &Value, field: &str) -> Option<u64> {
    body[field].as_u64()
}

/// A truth.
pub(crate) fn truth(body: &Value, field: &str) -> bool {
    body[field] == true
}

/// The first of the texts of a list.
pub(crate) fn texts(body: &Value, field: &str, most: usize) -> Vec<String> {
    let items = body[field]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_str)
        .take(most)
        .map(|text| short(text, NAME))
        .collect()
}

/// The first of the shares, from 0 to 1, of an object, by their names.
pub(crate) fn shares(body: &Value, field: &str, most: usize) -> Vec<(String, f64)> {
    let Some(fields) = body[field].as_object() else {
        return Vec::new();
    };
    let shares = fields.iter().take(most);
    shares
        .map(|(name, share)| {
            (
                short(name, NAME),
                share.as_f64().unwrap_or(0.0).clamp(0.0, 1.0),
            )
        })
        .collect()
}
