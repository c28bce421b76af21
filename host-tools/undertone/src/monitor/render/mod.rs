//! The picture: made of the model alone, for an area of whatever size.

mod device;
mod fleet;
mod parts;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::model::{Connection, Model};

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model) {
    let area = frame.area();
    if area.width < 20 || area.height < 4 {
        frame.render_widget(Line::from("too small"), area);
        return;
    }
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(head(model), top);
    match (model.open, model.selected()) {
        (true, Some((name, device))) => device::draw(frame, middle, name, device, model.now),
        (true, None) => frame.render_widget(Line::from("nothing was heard yet"), middle),
        (false, _) => fleet::draw(frame, middle, model),
    }
    frame.render_widget(foot(model), bottom);
}

fn head(model: &Model) -> Line<'_> {
    let connection = match &model.connection {
        Connection::Connecting => Span::styled("connecting", Style::new().fg(Color::Yellow)),
        Connection::Up => Span::styled("connected", Style::new().fg(Color::Green)),
        Connection::Down(why) => {
            Span::styled(format!("no connection: {why}"), Style::new().fg(Color::Red))
        }
    };
    Line::from(vec![
        Span::styled(
            "undertone monitor ",
            Style::new().add_modifier(Modifier::BOLD),
        ),
        Span::raw(format!("{}  ", model.place)),
        connection,
    ])
}

fn foot(model: &Model) -> Line<'_> {
    let keys = match (model.open, model.many) {
        (false, _) => "q quit  ↑↓ select  Enter open",
        (true, true) => "q quit  ↑↓ other box  Esc all boxes",
        (true, false) => "q quit",
    };
    let mut text = format!("{keys}   {} messages", model.messages);
    if model.missed > 0 {
        text += &format!(", {} missed", model.missed);
    }
    if model.beyond > 0 {
        text += &format!(", {} of boxes beyond the first 20000", model.beyond);
    }
    Line::styled(text, Style::new().fg(Color::DarkGray))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use serde_json::{Value, json};

    use super::*;
    use crate::monitor::message::{Message, Topic};
    use crate::monitor::model::Key;

    fn picture(model: &Model, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, model)).unwrap();
        terminal.backend().to_string()
    }

    fn tell(model: &mut Model, device: &str, topic: Topic, body: Value) {
        model.take(&Message::new(device, topic, body));
    }

    fn fleet() -> Model {
        let mut model = Model::new("broker:1883", true);
        model.connection = Connection::Up;
        for (name, presence) in [
            ("kitchen", "online"),
            ("porch", "offline"),
            ("shed", "stopped"),
        ] {
            tell(&mut model, name, Topic::Availability, json!(presence));
        }
        tell(
            &mut model,
            "kitchen",
            Topic::Info,
            json!({"version": "0.1.0", "labels": ["neutral", "happy"]}),
        );
        tell(
            &mut model,
            "kitchen",
            Topic::State,
            json!({"state": "speech", "signal": "ok"}),
        );
        let event = json!({"kind": "update", "id": 7, "channel": 0, "label": "happy", "confidence": 0.8, "seq": 1,
            "scores": {"happy": 0.8, "neutral": 0.2}, "start_ms": 0, "at_ms": 1500});
        tell(&mut model, "kitchen", Topic::Event, event);
        tell(
            &mut model,
            "kitchen",
            Topic::Level,
            json!({"channel": 0, "rms_dbfs": -30.0, "peak_dbfs": -12.0, "signal": "ok"}),
        );
        tell(
            &mut model,
            "kitchen",
            Topic::Health,
            json!({"temperature_c": 85.5, "xruns": 3, "gaps": 0}),
        );
        model.now = Duration::from_secs(12);
        model
    }

    #[test]
    fn the_table_shows_who_is_there_and_what_was_heard_last() {
        let text = picture(&fleet(), 100, 12);
        for part in [
            "connected",
            "3 boxes",
            "kitchen",
            "online",
            "speech",
            "happy 80 %",
            "12 s",
            "porch",
            "offline",
            "stopped",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn one_box_shows_level_signal_probabilities_history_and_health() {
        let mut model = fleet();
        model.key(Key::Open, 10);
        let text = picture(&model, 100, 30);
        for part in [
            "kitchen",
            "-30.0 dBFS",
            "signal ok",
            "speech",
            "#7",
            "neutral",
            "20 %",
            "happy",
            "80 %",
            "85.5 °C",
            "xruns",
            "update",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn no_size_and_no_text_breaks_the_picture() {
        let mut model = fleet();
        let hostile = "\u{1b}[2J\u{9b}31m漢字\u{202e}e\u{301}\n".repeat(30);
        for topic in [
            Topic::State,
            Topic::Event,
            Topic::Info,
            Topic::Level,
            Topic::Health,
        ] {
            let body = json!({"state": hostile, "signal": hostile, "label": hostile, "kind": "end", "version": hostile,
                "scores": {hostile.clone(): 0.5}, "labels": [hostile], "reason": hostile, "confidence": 2});
            tell(&mut model, &hostile, topic, body);
        }
        model.connection = Connection::Down(crate::clean::short(&hostile, 80));
        for open in [false, true] {
            model.open = open;
            for cursor in 0..model.boxes.len() {
                model.cursor = cursor;
                for (width, height) in [
                    (1, 1),
                    (3, 40),
                    (19, 3),
                    (20, 4),
                    (21, 5),
                    (40, 8),
                    (80, 24),
                    (81, 9),
                    (250, 80),
                    (200, 4),
                ] {
                    let text = picture(&model, width, height);
                    let acts = |letter: char| {
                        letter != '\n' && (letter.is_control() || letter == '\u{202e}')
                    };
                    assert!(!text.contains(acts), "{text:?}");
                }
            }
        }
    }
}
