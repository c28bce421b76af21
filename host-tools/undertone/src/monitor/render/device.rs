//! One box.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::parts::{ago, bar, coloured, presence};
use crate::monitor::model::{Device, Presence};

/// Below this width, parts stand below and not beside each other.
const NARROW: u16 = 60;

/// Draws it.
pub(crate) fn draw(frame: &mut Frame<'_>, area: Rect, name: &str, device: &Device, now: Duration) {
    let levels = device.levels.len().clamp(1, 4) as u16;
    let [top, meters, rest] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(levels),
        Constraint::Min(0),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(head(name, device, now)), top);
    frame.render_widget(Paragraph::new(meter(device, meters.width)), meters);
    let scores = device.heard.scores.len().max(3) as u16 + 3;
    if rest.width < NARROW {
        let [upper, lower] =
            Layout::vertical([Constraint::Length(scores), Constraint::Min(0)]).areas(rest);
        voice(frame, upper, device);
        history(frame, lower, device, now);
        return;
    }
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(rest);
    let [upper, lower] =
        Layout::vertical([Constraint::Length(scores), Constraint::Min(0)]).areas(left);
    voice(frame, upper, device);
    health(frame, lower, device);
    history(frame, right, device, now);
}

fn head<'a>(name: &'a str, device: &'a Device, now: Duration) -> Vec<Line<'a>> {
    let mut first = vec![
        Span::styled(name, Style::new().add_modifier(Modifier::BOLD)),
        Span::raw("  "),
    ];
    if device.presence != Presence::Unknown {
        first.extend([presence(device.presence), Span::raw("  ")]);
    }
    first.extend([
        coloured(&device.state),
        Span::raw("  signal "),
        coloured(&device.signal),
    ]);
    for trouble in &device.troubles {
        first.push(Span::styled(
            format!("  {trouble}"),
            Style::new().fg(Color::Red),
        ));
    }
    let mut second = format!("seen {}  {} events", ago(device.seen, now), device.events);
    if device.missing > 0 {
        second += &format!(", {} missing", device.missing);
    }
    for (word, text) in [
        ("version", &device.version),
        ("model", &device.model),
        ("purpose", &device.purpose),
    ] {
        if !text.is_empty() {
            second += &format!("  {word} {text}");
        }
    }
    vec![
        Line::from(first),
        Line::styled(second, Style::new().fg(Color::DarkGray)),
    ]
}

/// From -80 dBFS to full scale.
fn meter(device: &Device, width: u16) -> Vec<Line<'_>> {
    if device.levels.is_empty() {
        let text = "no levels; over MQTT they are off unless the box has mqtt.levels = true";
        return vec![Line::styled(text, Style::new().fg(Color::DarkGray))];
    }
    let lines = device.levels.iter().take(4).map(|(channel, level)| {
        let colour = match level.signal.as_str() {
            "clipping" => Color::Red,
            "ok" => Color::Green,
            _ => Color::Yellow,
        };
        let mut spans = vec![
            Span::raw(format!("{channel:>2} ")),
            Span::styled(
                bar(
                    (level.rms_dbfs + 80.0) / 80.0,
                    width.saturating_sub(50).clamp(8, 60),
                ),
                Style::new().fg(colour),
            ),
            Span::raw(format!(
                " {:6.1} dBFS  peak {:6.1}  ",
                level.rms_dbfs, level.peak_dbfs
            )),
            coloured(&level.signal),
        ];
        if level.dead {
            spans.push(Span::styled(" dead", Style::new().fg(Color::Red)));
        }
        if level.raised {
            spans.push(Span::raw(" raised voice"));
        }
        Line::from(spans)
    });
    lines.collect()
}

fn voice(frame: &mut Frame<'_>, area: Rect, device: &Device) {
    let heard = &device.heard;
    let block = Block::bordered().title("how the voice sounds");
    let width = area.width.saturating_sub(2);
    let mut lines = Vec::new();
    if heard.label.is_empty() {
        lines.push(Line::from("nothing was heard yet"));
    } else {
        let length = heard
            .length_ms
            .map(|length| format!(", {:.1} s", length as f64 / 1000.0))
            .unwrap_or_default();
        let how = if heard.open { "speaking" } else { "ended" };
        lines.push(Line::from(vec![
            Span::styled(
                format!("{} {:.0} %", heard.label, heard.confidence * 100.0),
                Style::new().add_modifier(Modifier::BOLD),
            ),
            Span::raw(format!(
                "  #{} channel {} {how}{length}",
                heard.id, heard.channel
            )),
        ]));
    }
    for (name, share) in &heard.scores {
        let style = if *name == heard.label {
            Style::new().fg(Color::Cyan)
        } else {
            Style::new()
        };
        let letters: String = name.chars().take(10).collect();
        let text = format!(
            "{letters:<10} {:>4.0} % {}",
            share * 100.0,
            bar(*share, width.saturating_sub(20))
        );
        lines.push(Line::styled(text, style));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn health(frame: &mut Frame<'_>, area: Rect, device: &Device) {
    let lines: Vec<Line<'_>> = device
        .health
        .iter()
        .map(|(name, value, good)| {
            let style = if *good {
                Style::new()
            } else {
                Style::new().fg(Color::Red)
            };
            Line::from(vec![
                Span::raw(format!("{name:<15}")),
                Span::styled(value.as_str(), style),
            ])
        })
        .collect();
    frame.render_widget(
        Paragraph::new(lines).block(Block::bordered().title("health")),
        area,
    );
}

fn history(frame: &mut Frame<'_>, area: Rect, device: &Device, now: Duration) {
    let room = usize::from(area.height.saturating_sub(2));
    let lines: Vec<Line<'_>> = device
        .history
        .iter()
        .take(room)
        .map(|line| {
            let style = if line.bad {
                Style::new().fg(Color::Red)
            } else {
                Style::new()
            };
            Line::styled(
                format!("{:>7}  {}", ago(Some(line.at), now), line.text),
                style,
            )
        })
        .collect();
    frame.render_widget(
        Paragraph::new(lines).block(Block::bordered().title("history")),
        area,
    );
}
