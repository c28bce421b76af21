//! `[source]`, or a list of `[[source]]`: where the audio comes from.

mod capture;
mod fields;
mod section;
mod spec;

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use undertone_deployment::Deployment;

pub use capture::{CaptureOptions, Encoding, MuteSwitch, Pick};
pub(crate) use fields::FIELDS;
pub use section::{SourceSection, SourceSettings};
pub use spec::SourceSpec;

use crate::error::{ConfigError, within};

/// The most sources.
const MAX_SOURCES: usize = 64;

/// `[source]` or `[[source]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(pub Vec<SourceSection>);

impl Default for Sources {
    fn default() -> Self {
        Sources(vec![SourceSection::default()])
    }
}

impl Sources {
    /// Checks every source.
    pub(crate) fn settle(
        self,
        deployment: &Deployment,
    ) -> Result<Vec<SourceSettings>, ConfigError> {
        within("number of sources", self.0.len(), 1..=MAX_SOURCES)?;
        let settled: Vec<_> = self
            .0
            .into_iter()
            .map(|section| section.settle(deployment))
            .collect::<Result<_, _>>()?;
        for (number, source) in settled.iter().enumerate() {
            if settled[..number]
                .iter()
                .any(|other| other.spec == source.spec)
            {
                return Err(ConfigError::Value {
                    field: "source.name",
                    value: source.spec.to_string(),
                    remedy: "it is named twice; name every source once".into(),
                });
            }
        }
        Ok(settled)
    }
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Sources;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a section [source] or a list of [[source]]")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Sources, A::Error> {
                let one = SourceSection::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Sources(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Sources, A::Error> {
                let mut sections = Vec::new();
                while let Some(section) = list.next_element()? {
                    sections.push(section);
                }
                Ok(Sources(sections))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}
