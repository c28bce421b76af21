//! What is known of the boxes, and what of it is looked at. Changed by messages, keys and the time alone.

mod device;
mod health;
mod read;

use std::collections::BTreeMap;
use std::time::Duration;

use super::message::Message;

pub(crate) use device::{Device, Presence};

/// Boxes that are kept at most; of more, only the number of messages is known.
const BOXES: usize = 20_000;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Open,
    Back,
}

/// How the connection of this program is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Connection {
    Connecting,
    Up,
    Down(String),
}

/// Everything that the picture shows.
#[derive(Debug)]
pub(crate) struct Model {
    /// What is watched.
    pub(crate) place: String,
    pub(crate) connection: Connection,
    /// By name.
    pub(crate) boxes: BTreeMap<String, Device>,
    /// The box under the cursor.
    pub(crate) cursor: usize,
    /// One box is shown instead of the table.
    pub(crate) open: bool,
    /// There may be many boxes.
    pub(crate) many: bool,
    /// Messages that came.
    pub(crate) messages: u64,
    /// Messages that found no room on their way here.
    pub(crate) missed: u64,
    /// Messages of boxes beyond those that are kept.
    pub(crate) beyond: u64,
    /// Since the start of this program.
    pub(crate) now: Duration,
}

impl Model {
    /// Nothing is known yet.
    pub(crate) fn new(place: &str, many: bool) -> Self {
        Model {
            place: crate::clean::short(place, 200),
            connection: Connection::Connecting,
            boxes: BTreeMap::new(),
            cursor: 0,
            open: !many,
            many,
            messages: 0,
            missed: 0,
            beyond: 0,
            now: Duration::ZERO,
        }
    }

    /// Takes a message that came now.
    pub(crate) fn take(&mut self, message: &Message) {
        self.messages += 1;
        let name = crate::clean::short(&message.device, 64);
        let known = self.boxes.contains_key(&name);
        if !known && self.boxes.len() >= BOXES {
            self.beyond += 1;
            return;
        }
        if !known {
            // The cursor stays on its box, though one may come in before it.
            let before = self
                .selected()
                .is_some_and(|(selected, _)| name.as_str() < selected);
            self.cursor += usize::from(before);
        }
        let device = self.boxes.entry(name).or_default();
        device.take(message, self.now);
    }

    /// The box under the cursor, and its name.
    pub(crate) fn selected(&self) -> Option<(&str, &Device)> {
        let (name, device) = self.boxes.iter().nth(self.cursor)?;
        Some((name, device))
    }

    /// Follows a key; `page` is how many rows a page has.
    pub(crate) fn key(&mut self, key: Key, page: usize) {
        let last = self.boxes.len().saturating_sub(1);
        match key {
            Key::Open => self.open = !self.boxes.is_empty() || !self.many,
            Key::Back => self.open = !self.many,
            Key::Up => self.cursor = self.cursor.saturating_sub(1),
            Key::Down => self.cursor += 1,
            Key::PageUp => self.cursor = self.cursor.saturating_sub(page.max(1)),
            Key::PageDown => self.cursor += page.max(1),
            Key::First => self.cursor = 0,
            Key::Last => self.cursor = last,
        }
        self.cursor = self.cursor.min(last);
    }

    /// How many boxes are there, stopped, gone, and of unknown presence.
    pub(crate) fn presences(&self) -> [usize; 4] {
        let count = |presence| {
            self.boxes
                .values()
                .filter(|device| device.presence == presence)
                .count()
        };
        [
            Presence::Online,
            Presence::Stopped,
            Presence::Offline,
            Presence::Unknown,
        ]
        .map(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::message::Topic;
    use serde_json::json;

    fn online(name: &str) -> Message {
        Message::new(name, Topic::Availability, json!("online"))
    }

    #[test]
    fn the_cursor_stays_on_its_box_when_others_come() {
        let mut model = Model::new("broker", true);
        model.take(&online("m"));
        model.take(&online("z"));
        model.key(Key::Down, 10);
        assert_eq!(model.selected().unwrap().0, "z");
        model.take(&online("a"));
        assert_eq!(model.selected().unwrap().0, "z");
        model.key(Key::PageDown, 10);
        model.key(Key::Open, 10);
        assert!(model.open && model.selected().unwrap().0 == "z");
        model.key(Key::First, 10);
        assert_eq!(model.selected().unwrap().0, "a");
        model.key(Key::Back, 10);
        assert!(!model.open);
    }

    #[test]
    fn a_flood_of_names_takes_bounded_memory() {
        let mut model = Model::new("broker", true);
        for number in 0..BOXES + 100 {
            model.take(&online(&format!("box-{number}")));
        }
        assert_eq!((model.boxes.len(), model.beyond), (BOXES, 100));
        assert_eq!(model.presences(), [BOXES, 0, 0, 0]);
    }
}
