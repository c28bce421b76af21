//! Any JSON value as aligned lines of text, one per leaf, with the path to it in front.

use std::fmt::Write;

use serde_json::Value;

use crate::clean::clean;

/// The lines; lists of plain values stay on one line, lists of objects are numbered from 0.
pub(crate) fn lines(value: &Value) -> String {
    let mut rows = Vec::new();
    collect(String::new(), value, &mut rows);
    let width = rows
        .iter()
        .map(|(path, _)| path.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (path, leaf) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{path:<width$}  {leaf}");
    }
    text
}

fn collect(path: String, value: &Value, rows: &mut Vec<(String, String)>) {
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, field) in fields {
                collect(below(&clean(key)), field, rows);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (index, item) in items.iter().enumerate() {
                collect(below(&index.to_string()), item, rows);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(leaf).collect();
            rows.push((
                path,
                if items.is_empty() {
                    "none".into()
                } else {
                    items.join(", ")
                },
            ));
        }
        _ => rows.push((path, leaf(value))),
    }
}

fn leaf(value: &Value) -> String {
    match value {
        Value::String(text) => clean(text),
        Value::Null => "none".into(),
        Value::Object(_) => "none".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_leaf_has_its_line() {
        let value = json!({
            "labels": ["neutral", "happy"], "empty": [], "frontend": {"sample_rate": 16000},
            "folds": [{"ua": 0.5}, {"ua": 0.75}], "licence": null,
        });
        let text = lines(&value);
        for line in [
            "labels                neutral, happy",
            "empty                 none",
            "frontend.sample_rate  16000",
            "folds.0.ua            0.5",
            "folds.1.ua            0.75",
            "licence               none",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line:?} is not in\n{text}"
            );
        }
    }

    #[test]
    fn control_characters_of_a_file_do_not_reach_the_terminal() {
        assert_eq!(
            lines(&json!({"na\u{9b}me": "a\u{1b}[2Jb"})),
            "na\u{fffd}me  a\u{fffd}[2Jb\n"
        );
    }
}
