//! Small parts of the picture.

use std::time::Duration;

use ratatui::style::{Color, Style};
use ratatui::text::Span;

use crate::monitor::model::Presence;

/// A bar of `width` characters, filled from 0 to 1 in eighths of a character.
pub(crate) fn bar(share: f64, width: u16) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (share.clamp(0.0, 1.0) * f64::from(width) * 8.0).round() as usize;
    let (full, rest) = (eighths / 8, eighths % 8);
    let mut bar = "█".repeat(full);
    if rest > 0 {
        bar.push(EIGHTHS[rest]);
    }
    let drawn = full + usize::from(rest > 0);
    bar + &" ".repeat(usize::from(width).saturating_sub(drawn))
}

/// How long ago, as a person would say.
pub(crate) fn ago(seen: Option<Duration>, now: Duration) -> String {
    let Some(seen) = seen else {
        return "-".to_owned();
    };
    match now.saturating_sub(seen).as_secs() {
        0 => "now".to_owned(),
        seconds @ 1..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// A state or a signal in the colour of what it means.
pub(crate) fn coloured(word: &str) -> Span<'static> {
    let colour = match word {
        "speech" | "ok" => Color::Green,
        "low" | "muted" | "starting" => Color::Yellow,
        "stalled" | "mic-lost" | "degraded" | "clipping" | "none" => Color::Red,
        _ => Color::Reset,
    };
    Span::styled(word.to_owned(), Style::new().fg(colour))
}

/// Whether a box is there.
pub(crate) fn presence(presence: Presence) -> Span<'static> {
    let (word, colour) = match presence {
        Presence::Online => ("online", Color::Green),
        Presence::Stopped => ("stopped", Color::Yellow),
        Presence::Offline => ("offline", Color::Red),
        Presence::Unknown => ("-", Color::DarkGray),
    };
    Span::styled(word, Style::new().fg(colour))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_its_width_whatever_its_share() {
        for share in [-1.0, 0.0, 0.013, 0.5, 0.999, 1.0, 7.0, f64::NAN] {
            for width in [0, 1, 7, 40] {
                assert_eq!(
                    bar(share, width).chars().count(),
                    usize::from(width),
                    "{share}"
                );
            }
        }
        assert_eq!(bar(0.5, 4), "██  ");
        assert_eq!(
            ago(Some(Duration::from_secs(1)), Duration::from_secs(181)),
            "3 min"
        );
    }
}
