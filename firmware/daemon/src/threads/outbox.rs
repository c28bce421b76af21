//! The way from analysis to the output: a bounded queue that never slows the analysis of a device.

use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use undertone_events::EventKind;

use crate::output::Message;
use crate::stop::Stop;
use crate::talk::say;
use undertone_analysis::Told;

/// A sleep while the queue is full and nothing may be lost.
const NAP: Duration = Duration::from_millis(1);
/// How long a full queue is waited for once the end was asked for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Numbers events and puts them into the queue.
pub(super) struct Outbox {
    queue: SyncSender<Message>,
    live: bool,
    seq: u64,
    utterances: u64,
    lost: u64,
    open: bool,
    stop: Stop,
}

impl Outbox {
    /// An outbox that waits for room, except where the audio is live.
    pub(super) fn new(queue: SyncSender<Message>, live: bool, stop: Stop) -> Self {
        Outbox {
            queue,
            live,
            seq: 0,
            utterances: 0,
            lost: 0,
            open: true,
            stop,
        }
    }

    /// False once nobody takes what is put in.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// How many messages were lost because the output was too slow. Their numbers are missing on the output.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// How many utterances began so far.
    pub(super) fn utterances(&self) -> u64 {
        self.utterances
    }

    /// Puts in what is told about a channel.
    pub(super) fn put(&mut self, channel: usize, told: Told) {
        if let Told::Event(event) = &told {
            self.seq += 1;
            self.utterances += u64::from(event.kind == EventKind::Start);
        }
        let mut message = Message {
            channel,
            seq: self.seq,
            told,
        };
        let mut asked: Option<Instant> = None;
        if !self.open {
            return;
        }
        loop {
            match self.queue.try_send(message) {
                Ok(()) => return,
                Err(TrySendError::Disconnected(_)) => {
                    self.open = false;
                    return;
                }
                Err(TrySendError::Full(back)) => {
                    let since = self
                        .stop
                        .requested()
                        .then(|| *asked.get_or_insert_with(Instant::now));
                    let given_up = since.is_some_and(|since| since.elapsed() > PATIENCE);
                    if self.live && !self.stop.requested() || given_up {
                        if self.lost == 0 {
                            say!("the output is too slow; events are lost");
                        }
                        self.lost += 1;
                        return;
                    }
                    message = back;
                    std::thread::sleep(NAP);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;
    use undertone_analysis::{Level, Signal};
    use undertone_events::{Event, Label, Scores};

    fn event() -> Told {
        Told::Event(Event {
            id: 1,
            kind: EventKind::Start,
            label: Label::Unknown,
            scores: Scores::new(),
            confidence: 0.0,
            start_sample: 0,
            at_sample: 0,
            reason: None,
        })
    }

    #[test]
    fn a_slow_output_of_live_audio_loses_events_and_their_numbers_tell() {
        let (sender, receiver) = sync_channel(1);
        let mut outbox = Outbox::new(sender, true, Stop::default());
        outbox.put(0, event());
        outbox.put(0, event());
        assert_eq!(receiver.recv().unwrap().seq, 1);
        outbox.put(0, event());
        assert_eq!(receiver.recv().unwrap().seq, 3);
        assert_eq!(outbox.lost(), 1);
    }

    #[test]
    fn a_slow_output_of_a_recording_loses_nothing() {
        let (sender, receiver) = sync_channel(1);
        let mut outbox = Outbox::new(sender, false, Stop::default());
        let reader = std::thread::spawn(move || {
            receiver
                .iter()
                .map(|message| message.seq)
                .collect::<Vec<_>>()
        });
        (0..100).for_each(|_| outbox.put(0, event()));
        assert_eq!((outbox.lost(), outbox.utterances()), (0, 100));
        drop(outbox);
        assert_eq!(reader.join().unwrap(), (1..=100).collect::<Vec<_>>());
    }

    #[test]
    fn levels_have_no_numbers_of_their_own_and_a_closed_output_is_noticed() {
        let (sender, receiver) = sync_channel(8);
        let mut outbox = Outbox::new(sender, false, Stop::default());
        let level = Level {
            at_frame: 0,
            rms_dbfs: -120.0,
            peak_dbfs: -120.0,
            signal: Signal::None,
        };
        outbox.put(0, Told::Level(level));
        outbox.put(0, event());
        assert_eq!(
            receiver.iter().take(2).map(|m| m.seq).collect::<Vec<_>>(),
            [0, 1]
        );
        drop(receiver);
        outbox.put(0, event());
        assert!(!outbox.is_open());
    }
}
