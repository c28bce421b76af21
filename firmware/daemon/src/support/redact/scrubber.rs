//! What takes secrets out of a text, of JSON and of TOML, each of which stays what it is.

use serde_json::Value as Json;
use toml::{Table, Value as Toml};

use super::known::Known;
use super::names::names_secret;
use super::{GONE, patterns};

/// Takes known secrets, and what looks like one, out of texts.
#[derive(Debug, Default)]
pub(crate) struct Scrubber(Known);

impl Scrubber {
    pub(crate) fn new(secrets: &[String]) -> Self {
        Scrubber(Known::new(secrets))
    }

    /// A text. A line of it that ends in a JSON object still does.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        // Other lines stay together: a key in PEM, or a secret with a line break, goes over several.
        let (mut begun, mut at) = (0, 0);
        for line in text.split_inclusive('\n') {
            if let Some((head, clean)) = self.object(line) {
                out += &self.plain(&text[begun..at + head]);
                out += &clean;
                begun = at + line.trim_end().len();
            }
            at += line.len();
        }
        out + &self.plain(&text[begun..])
    }

    /// Where in a line its JSON object begins, and what is left of it.
    fn object(&self, line: &str) -> Option<(usize, String)> {
        let head = line.find('{')?;
        let text = line[head..].trim_end();
        let object: Json = serde_json::from_str(text).ok()?;
        let clean = self.value(object.clone());
        // Two fields of one name are one as a value.
        let same = clean == object && self.plain(text) == text;
        let kept = if same {
            text.to_owned()
        } else {
            clean.to_string()
        };
        Some((head, kept))
    }

    fn plain(&self, text: &str) -> String {
        patterns::without(&self.0.without(text), &mut Vec::new())
    }

    /// Every text in a value, names included, and whatever a name says is a secret.
    pub(crate) fn value(&self, value: Json) -> Json {
        match value {
            Json::String(text) => Json::String(self.text(&text)),
            Json::Array(list) => list.into_iter().map(|value| self.value(value)).collect(),
            Json::Object(fields) => Json::Object(
                fields
                    .into_iter()
                    .map(|(name, value)| {
                        let value = match value {
                            Json::String(_) | Json::Number(_) | Json::Array(_)
                                if names_secret(&name) =>
                            {
                                GONE.into()
                            }
                            other => self.value(other),
                        };
                        (self.plain(&name), value)
                    })
                    .collect(),
            ),
            // A number that is one of the secrets.
            Json::Number(number) if self.plain(&number.to_string()) == GONE => GONE.into(),
            other => other,
        }
    }

    /// Every text in a table.
    pub(super) fn table(&self, table: Table) -> Table {
        table
            .into_iter()
            .map(|(name, value)| (name, self.toml(value)))
            .collect()
    }

    fn toml(&self, value: Toml) -> Toml {
        match value {
            Toml::String(text) => Toml::String(self.plain(&text)),
            Toml::Array(list) => {
                Toml::Array(list.into_iter().map(|value| self.toml(value)).collect())
            }
            Toml::Table(table) => Toml::Table(self.table(table)),
            other => other,
        }
    }
}
