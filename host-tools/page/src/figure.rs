//! Charts under a title.

use std::fmt::Write;

use crate::chart::Chart;
use crate::markup::{Html, escape};

/// A chart, a title for it and what it shows; perhaps with sound.
#[derive(Clone, Debug)]
pub struct Figure {
    title: String,
    caption: Html,
    charts: Vec<Chart>,
    sound: Option<String>,
}

impl Figure {
    /// A chart under a title, with a caption that says how to read it.
    #[must_use]
    pub fn new(title: &str, chart: Chart, caption: impl Into<Html>) -> Self {
        Self {
            title: title.to_owned(),
            caption: caption.into(),
            charts: vec![chart],
            sound: None,
        }
    }

    /// Another chart below the first.
    #[must_use]
    pub fn above(mut self, chart: Chart) -> Self {
        self.charts.push(chart);
        self
    }

    /// Mono sound to play with it, at `rate` Hz.
    #[must_use]
    pub fn with_sound(mut self, samples: &[f32], rate: u32) -> Self {
        self.sound = Some(crate::media::wav_uri(samples, rate));
        self
    }

    pub(crate) fn html(&self) -> String {
        let mut out = format!(
            "<figure><figcaption><span class=\"ft\">{}</span> <span class=\"fc\">{}</span></figcaption>",
            escape(&self.title),
            self.caption
        );
        for chart in &self.charts {
            out.push_str(&chart.inline(&self.title));
        }
        if let Some(uri) = &self.sound {
            let _ = write!(
                out,
                "<audio controls preload=\"none\" src=\"{uri}\" aria-label=\"{}\"></audio>",
                escape(&format!("Play {}", self.title))
            );
        }
        out.push_str("</figure>");
        out
    }
}
