//! The page about corpora: who speaks, how much of what, how it sounds, and what is odd.

mod balance;
mod clips;
mod corpora;
mod effects;
mod features;
mod map;
mod measure;
mod oddities;
mod quality;
mod survey;

use std::path::{Path, PathBuf};

use undertone_page::{Html, Page};

use super::ReportError;
use survey::Survey;

/// What a data report is to show besides the corpora themselves.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A model whose view of the clips is mapped.
    pub model: Option<PathBuf>,
    /// Clips to show besides the typical ones, as `id` or `corpus/id`.
    pub clips: Vec<String>,
    /// Leave the sound out.
    pub silent: bool,
}

/// The page about all corpora below `folders`, as HTML. Decodes every clip once, behind a progress bar.
///
/// # Errors
/// [`ReportError`]: folders without a corpus, a clip asked for that is not there, a model that is none.
pub fn report<P: AsRef<Path>>(folders: &[P], options: &Options) -> Result<String, ReportError> {
    let survey = Survey::of(folders)?;
    let chosen = clips::chosen(&survey, &options.clips)?;
    let names: Vec<String> = folders
        .iter()
        .map(|folder| folder.as_ref().display().to_string())
        .collect();
    let mut page = Page::new(
        "What the corpora hold",
        Html::text("Recordings below ").and(Html::code(&names.join(", "))),
    );
    let hours = survey
        .audio
        .corpora
        .iter()
        .map(|corpus| corpus.seconds)
        .sum::<f64>()
        / 3600.0;
    page.fact("corpora", survey.scan.corpora.len().to_string());
    page.fact("clips", grouped(survey.scan.clips));
    page.fact("speakers", survey.scan.speakers.to_string());
    page.fact("hours of sound", format!("{hours:.1}"));
    page.fact(
        "median clip",
        format!("{:.1} s", median(survey.heard().map(|(_, m)| m.seconds))),
    );
    for (mood, text) in oddities::findings(&survey)
        .into_iter()
        .chain(balance::finding(&survey))
        .chain(effects::finding(&survey))
    {
        page.finding(mood, text);
    }
    page.section(corpora::section(&survey)?);
    page.section(balance::section(&survey)?);
    page.section(quality::section(&survey)?);
    page.section(clips::section(&survey, &chosen, !options.silent)?);
    page.section(features::section(&survey)?);
    page.section(effects::section(&survey)?);
    page.section(map::section(&survey, options.model.as_deref())?);
    page.section(oddities::section(&survey));
    page.footer(if options.silent {
        "Made by undertone-train data report. It holds pictures of recordings; treat them under the corpora's licences."
    } else {
        "Made by undertone-train data report. It holds excerpts of recordings, so that it must stay where the corpora may be; --silent leaves them out."
    });
    Ok(page.html())
}

/// `12,162`.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
