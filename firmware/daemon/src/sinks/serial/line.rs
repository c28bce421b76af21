//! What goes onto the line, in which order: frames that wait, and what is given up when it is full.

use std::collections::VecDeque;

use undertone_wire::{Dropped, Encoder, Event, MAX_FRAME, Message};

/// Events that wait at most; then the oldest is given up and told as dropped.
const EVENTS: usize = 64;

/// The line's queue. Frames are numbered as they leave it, so that a number that is missing is damage on the line.
#[derive(Debug, Default)]
pub(super) struct Line {
    encoder: Encoder,
    /// Hello and labels; they go first.
    greeting: VecDeque<Message>,
    events: VecDeque<Event>,
    /// Events that were given up; told before the next one.
    dropped: Option<Dropped>,
    /// The latest of these.
    heartbeat: Option<Message>,
    health: Option<Message>,
    /// The frame that is being written.
    frame: Vec<u8>,
    given_up: u64,
}

impl Line {
    /// Says who is talking, before everything else. One that still waits is replaced.
    pub(super) fn greet(&mut self, greeting: impl Iterator<Item = Message>) {
        self.greeting = greeting.collect();
    }

    pub(super) fn event(&mut self, event: Event) {
        if self.events.len() >= EVENTS
            && let Some(oldest) = self.events.pop_front()
        {
            self.drop(Dropped {
                count: 1,
                first_seq: oldest.seq,
                last_seq: oldest.seq,
            });
        }
        self.events.push_back(event);
    }

    /// Tells that events are missing.
    pub(super) fn drop(&mut self, more: Dropped) {
        self.given_up += u64::from(more.count);
        let all = self.dropped.get_or_insert(more);
        if *all != more {
            all.count = all.count.saturating_add(more.count);
            all.first_seq = all.first_seq.min(more.first_seq);
            all.last_seq = all.last_seq.max(more.last_seq);
        }
    }

    pub(super) fn heartbeat(&mut self, message: Message) {
        self.heartbeat = Some(message);
    }

    pub(super) fn health(&mut self, message: Message) {
        self.health = Some(message);
    }

    /// Events that wait.
    pub(super) fn waiting(&self) -> usize {
        self.events.len()
    }

    /// Events that were given up.
    pub(super) fn given_up(&self) -> u64 {
        self.given_up
    }

    /// True when nothing is to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.frame.is_empty()
            && self.greeting.is_empty()
            && self.events.is_empty()
            && self.dropped.is_none()
            && self.heartbeat.is_none()
            && self.health.is_none()
    }

    /// The bytes to write next; empty when there are none.
    pub(super) fn bytes(&mut self) -> &[u8] {
        while self.frame.is_empty()
            && let Some(message) = self.next()
        {
            let mut room = [0; MAX_FRAME];
            // What cannot be a frame is not sent; of our own messages every one can.
            if let Ok(frame) = self.encoder.encode(&message, &mut room) {
                self.frame.extend_from_slice(frame);
            }
        }
        &self.frame
    }

    /// So many of the bytes are written.
    pub(super) fn written(&mut self, count: usize) {
        self.frame.drain(..count.min(self.frame.len()));
    }

    /// The port is gone, and with it the rest of the frame. What the other side missed of it shows in the numbers.
    pub(super) fn cut(&mut self) {
        self.frame.clear();
        self.heartbeat = None;
    }

    fn next(&mut self) -> Option<Message> {
        if let Some(message) = self.greeting.pop_front() {
            return Some(message);
        }
        self.dropped
            .take()
            .map(Message::Dropped)
            .or_else(|| self.heartbeat.take())
            .or_else(|| self.events.pop_front().map(Message::Event))
            .or_else(|| self.health.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_wire::{BoxState, Decoder, Heartbeat, Hello, Phase, Signal};

    fn event(seq: u64) -> Event {
        Event {
            phase: Phase::Update,
            id: 1,
            channel: 0,
            label: None,
            confidence: 0,
            scores: Default::default(),
            seq,
            monotonic_ms: 0,
        }
    }

    /// Everything that waits, as the other side reads it.
    fn read(line: &mut Line, decoder: &mut Decoder) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let bytes = line.bytes().to_vec();
            if bytes.is_empty() {
                return messages;
            }
            // In pieces, as a line takes them.
            let piece = bytes.len().min(7);
            for byte in &bytes[..piece] {
                let frame = decoder.feed(*byte);
                messages.extend(frame.map(|frame| frame.message().unwrap()));
            }
            line.written(piece);
        }
    }

    #[test]
    fn hello_comes_first_and_a_full_line_gives_the_oldest_events_up_and_says_so() {
        let (mut line, mut decoder) = (Line::default(), Decoder::new());
        (1..=70).for_each(|seq| line.event(event(seq)));
        let heartbeat = Message::Heartbeat(Heartbeat {
            uptime_ms: 1,
            state: BoxState::Listening,
            signal: Signal::Ok,
        });
        line.heartbeat(heartbeat.clone());
        let hello = Message::Hello(Hello::new("undertone", "0.1.0", [0; 32], [1; 16]));
        line.greet([hello.clone()].into_iter());
        let messages = read(&mut line, &mut decoder);
        let dropped = Dropped {
            count: 6,
            first_seq: 1,
            last_seq: 6,
        };
        assert_eq!(
            messages[..4],
            [
                hello,
                Message::Dropped(dropped),
                heartbeat,
                Message::Event(event(7))
            ]
        );
        assert_eq!((messages.len(), line.given_up()), (67, 6));
        assert!(line.is_empty());
        assert_eq!(decoder.counters().lost, 0);
    }

    #[test]
    fn a_frame_that_was_cut_is_seen_as_lost_and_nothing_else_is() {
        let (mut line, mut decoder) = (Line::default(), Decoder::new());
        line.event(event(1));
        read(&mut line, &mut decoder);
        line.event(event(2));
        let half = line.bytes().len() / 2;
        line.bytes()[..half].iter().for_each(|byte| {
            assert!(decoder.feed(*byte).is_none());
        });
        line.cut();
        line.event(event(3));
        assert_eq!(read(&mut line, &mut decoder), [Message::Event(event(3))]);
        assert_eq!(decoder.counters().lost, 1);
    }
}
