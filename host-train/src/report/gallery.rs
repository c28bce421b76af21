//! The page about augmentation: what training does to a clip, to see and to hear beside the clip itself.

use undertone_page::chart::Ink;
use undertone_page::{Html, Mood, Page, Section};

use super::{ReportError, sound};

/// A changed clip.
#[derive(Clone, Debug)]
pub struct Change {
    /// What it is called.
    pub name: String,
    /// What was done, for people.
    pub what: String,
    /// What came out, mono.
    pub samples: Vec<f32>,
}

/// The page about `changes` to the clip at `name`, all of them at `rate` Hz, as HTML.
///
/// # Errors
/// [`ReportError::Page`] if a spectrogram cannot be drawn.
pub fn gallery(
    name: &str,
    original: &[f32],
    changes: &[Change],
    rate: u32,
) -> Result<String, ReportError> {
    let mut page = Page::new(
        "What training does to a clip",
        Html::text("Changes to ").and(Html::code(name)),
    );
    page.finding(
        Mood::Note,
        "Every change keeps what makes an emotion audible and varies what belongs to the speaker, the room, the microphone or the line. If a change sounds like another emotion, it is too strong.",
    );
    for change in changes {
        let mut section = Section::new(&change.name);
        section.text(change.what.as_str());
        let figure = |title: &str, caption: String, samples: &[f32], ink| {
            sound::figure(title, caption, samples, rate, ink, true)
        };
        section.figures(&[
            figure("As it was", describe(original, rate), original, Ink::Muted)?,
            figure(
                "Changed",
                describe(&change.samples, rate),
                &change.samples,
                Ink::Accent,
            )?,
        ]);
        page.section(section);
    }
    page.footer("It holds the clip itself, so that it must stay where the clip may be.");
    Ok(page.html())
}

/// Length and level.
fn describe(samples: &[f32], rate: u32) -> String {
    let power = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    let rms = (power / samples.len().max(1) as f64).sqrt();
    format!(
        "{:.2} s, {:.1} dBFS",
        samples.len() as f64 / f64::from(rate.max(1)),
        undertone_dsp::dbfs(rms as f32)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_stands_beside_the_clip_as_it_was() {
        let clip: Vec<f32> = (0..16_000).map(|i| 0.3 * (i as f32 * 0.3).sin()).collect();
        let change = |name: &str, samples: Vec<f32>| Change {
            name: name.to_owned(),
            what: "<b>".to_owned(),
            samples,
        };
        let changes = [
            change("half", clip[..8_000].to_vec()),
            change("louder", clip.iter().map(|s| 2.0 * s).collect()),
        ];
        let html = gallery("a<b>.wav", &clip, &changes, 16_000).unwrap();
        assert_eq!(html.matches("<figure>").count(), 4);
        assert_eq!(html.matches("<audio").count(), 4);
        assert!(html.contains("0.50 s, -13.5 dBFS") && html.contains("1.00 s, -7.4 dBFS"));
        assert!(!html.contains("<b>"));
    }
}
