//! The table of all boxes.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Row, Table};

use super::parts::{ago, coloured, presence};
use crate::monitor::model::{Device, Model};

/// Draws it. Only the rows that can be seen are made, however many boxes there are.
pub(crate) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let [top, rest] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let [online, stopped, offline, _] = model.presences();
    let summary = format!(
        "{} boxes: {online} online, {stopped} stopped, {offline} offline",
        model.boxes.len()
    );
    frame.render_widget(Line::from(summary), top);
    let room = usize::from(rest.height.saturating_sub(1)).max(1);
    let first = model
        .cursor
        .saturating_sub(room / 2)
        .min(model.boxes.len().saturating_sub(room));
    let rows =
        model
            .boxes
            .iter()
            .enumerate()
            .skip(first)
            .take(room)
            .map(|(place, (name, device))| {
                let row = row(name, device, model);
                if place == model.cursor {
                    row.style(Style::new().add_modifier(Modifier::REVERSED))
                } else {
                    row
                }
            });
    let widths = [
        Constraint::Fill(2),
        Constraint::Length(8),
        Constraint::Length(10),
        Constraint::Length(9),
        Constraint::Fill(2),
        Constraint::Length(8),
        Constraint::Length(8),
    ];
    let head = Row::new([
        "box", "presence", "state", "signal", "heard", "seen", "missing",
    ])
    .style(Style::new().add_modifier(Modifier::BOLD));
    frame.render_widget(Table::new(rows, widths).header(head), rest);
}

fn row<'a>(name: &'a str, device: &'a Device, model: &Model) -> Row<'a> {
    let heard = if device.heard.label.is_empty() {
        String::new()
    } else {
        format!(
            "{} {:.0} %",
            device.heard.label,
            device.heard.confidence * 100.0
        )
    };
    Row::new([
        Cell::new(name),
        Cell::new(presence(device.presence)),
        Cell::new(coloured(&device.state)),
        Cell::new(coloured(&device.signal)),
        Cell::new(Text::from(heard)),
        Cell::new(ago(device.seen, model.now)),
        Cell::new(if device.missing == 0 {
            String::new()
        } else {
            device.missing.to_string()
        }),
    ])
}
