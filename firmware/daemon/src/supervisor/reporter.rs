//! From what analysis tells to reports: numbers that are unique in the run, positions in milliseconds, the time of day;
//! and the ledger of open utterances, so that none stays without its end, whatever happens to the analysis.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use undertone_analysis::Told;
use undertone_events::{EndReason, EventKind, Label};

use crate::health::{Counters, Sensors};
use crate::sinks::FanOut;
use crate::status::{Aggregate, EventReport, LevelReport, Report, Stamp};

/// How often the system is asked whether its clock follows a reference.
const SYNC_LOOK: Duration = Duration::from_secs(10);

/// Where something was told.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The channel, counted through all sources.
    pub(super) channel: usize,
    /// Its role.
    pub(super) role: Option<Arc<str>>,
    /// Its audio is of now.
    pub(super) live: bool,
    /// Frames per second of its source, in Hz.
    pub(super) rate: u32,
}

/// The latest decision; for the status. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Latest(Arc<Mutex<Option<(Label, f32)>>>);

impl Latest {
    pub(super) fn get(&self) -> Option<(Label, f32)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, decision: Option<(Label, f32)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = decision;
    }
}

/// Numbers events and gives them to the sinks. When it is dropped, every open utterance gets its end.
pub(super) struct Reporter {
    fan_out: FanOut,
    /// Samples per second of the positions in events, in Hz.
    event_rate: u32,
    started: Instant,
    sensors: Sensors,
    synced: (bool, Option<Instant>),
    counters: Counters,
    latest: Latest,
    seq: u64,
    next_id: u64,
    /// The last event of the open utterance of each channel.
    open: Vec<Option<EventReport>>,
}

impl Reporter {
    pub(super) fn new(
        fan_out: FanOut,
        event_rate: u32,
        started: Instant,
        counters: Counters,
        latest: Latest,
    ) -> Self {
        Reporter {
            fan_out,
            event_rate,
            started,
            sensors: Sensors::default(),
            synced: (false, None),
            counters,
            latest,
            seq: 0,
            next_id: 1,
            open: Vec::new(),
        }
    }

    /// False once nobody takes what is reported.
    pub(super) fn is_open(&self) -> bool {
        self.fan_out.is_open()
    }

    /// Tells others from here on.
    pub(super) fn redirect(&mut self, fan_out: FanOut) {
        self.fan_out = fan_out;
    }

    /// Positions in events are at another rate from here on.
    pub(super) fn set_event_rate(&mut self, rate: u32) {
        self.event_rate = rate;
    }

    /// Reports what is told about a channel.
    pub(super) fn put(&mut self, place: &Place, told: Told) {
        match told {
            Told::Event(mut event) => {
                if self.open.len() <= place.channel {
                    self.open.resize(place.channel + 1, None);
                }
                // An analysis that begins anew begins its own numbers anew.
                event.id = match (&self.open[place.channel], event.kind) {
                    (_, EventKind::Start) => {
                        self.next_id += 1;
                        self.next_id - 1
                    }
                    (Some(before), _) => before.event.id,
                    // Its end was told already.
                    (None, _) => return,
                };
                let report = EventReport {
                    channel: place.channel,
                    role: place.role.clone(),
                    seq: 0,
                    stamp: self.stamp(place.live),
                    start_ms: milliseconds(event.start_sample, self.event_rate),
                    at_ms: milliseconds(event.at_sample, self.event_rate),
                    event,
                };
                self.tell(report);
            }
            Told::Aggregate(aggregate) => {
                self.seq += 1;
                let stamp = self.stamp(place.live);
                self.fan_out.report(&Report::Aggregate(Aggregate {
                    channel: place.channel,
                    role: place.role.clone(),
                    seq: self.seq,
                    stamp,
                    interval_ms: milliseconds(aggregate.interval, self.event_rate),
                    speech_ms: milliseconds(aggregate.speech, self.event_rate),
                    utterances: aggregate.utterances,
                    histogram: aggregate.histogram,
                }));
            }
            Told::Level(level) => self.fan_out.report(&Report::Level(LevelReport {
                channel: place.channel,
                role: place.role.clone(),
                at_ms: milliseconds(level.at_frame, place.rate),
                level,
            })),
        }
    }

    /// Ends every utterance that is open.
    pub(super) fn end_all(&mut self, reason: EndReason) {
        for channel in 0..self.open.len() {
            if let Some(mut last) = self.open[channel].take() {
                last.event.kind = EventKind::End;
                last.event.reason = Some(reason);
                last.stamp = self.stamp(last.stamp.wall_ms.is_some());
                self.tell(last);
            }
        }
    }

    fn tell(&mut self, mut report: EventReport) {
        self.seq += 1;
        report.seq = self.seq;
        let event = &report.event;
        self.counters.events.add(1);
        if event.kind == EventKind::Start {
            self.counters.utterances.add(1);
        }
        let over = event.kind == EventKind::End;
        self.fan_out.report(&Report::Event(report.clone()));
        let channel = report.channel;
        self.open[channel] = (!over).then_some(report);
        let open = self.open.iter().flatten();
        let newest = open.max_by_key(|report| report.seq);
        self.latest
            .set(newest.map(|report| (report.event.label, report.event.confidence)));
    }

    fn stamp(&mut self, live: bool) -> Stamp {
        let since = self.started.elapsed().as_millis();
        let wall_ms = if live { now_ms() } else { None };
        Stamp {
            monotonic_ms: u64::try_from(since).unwrap_or(u64::MAX),
            wall_ms,
            clock_synced: wall_ms.is_some() && self.clock_synced(),
        }
    }

    fn clock_synced(&mut self) -> bool {
        let now = Instant::now();
        if self.synced.1.is_none_or(|at| now - at >= SYNC_LOOK) {
            self.synced = (self.sensors.clock_synced(), Some(now));
        }
        self.synced.0
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.end_all(EndReason::Shutdown);
    }
}

/// A position in samples as milliseconds, rounded to the nearest.
fn milliseconds(position: u64, rate: u32) -> u64 {
    let rate = u128::from(rate.max(1));
    u64::try_from((u128::from(position) * 1000 + rate / 2) / rate).unwrap_or(u64::MAX)
}

fn now_ms() -> Option<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Progress;
    use crate::sinks::{Sink, SinkError, Sinks};
    use crate::stop::Stop;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use undertone_events::{Event, Scores};

    struct Collector(Sender<Report>);

    impl Sink for Collector {
        fn name(&self) -> &'static str {
            "test"
        }

        fn take(&mut self, report: &Report) -> Result<(), SinkError> {
            let _ = self.0.send(report.clone());
            Ok(())
        }
    }

    fn reporter() -> (Reporter, Receiver<Report>, Sinks) {
        let (sender, reports) = channel();
        let sink = Box::new(Collector(sender));
        let started = Sinks::start(vec![sink], false, &Stop::default(), &Progress::default());
        let (sinks, fan_out) = started.unwrap();
        let counters = Counters::default();
        let now = Instant::now();
        let reporter = Reporter::new(fan_out, 16_000, now, counters, Latest::default());
        (reporter, reports, sinks)
    }

    fn place(channel: usize) -> Place {
        Place {
            channel,
            role: None,
            live: true,
            rate: 48_000,
        }
    }

    fn event(id: u64, kind: EventKind) -> Told {
        Told::Event(Event {
            id,
            kind,
            label: Label::Known(0),
            scores: Scores::new(),
            confidence: 0.5,
            start_sample: 16_000,
            at_sample: 32_000,
            reason: None,
        })
    }

    /// Channel, id, kind and number of every event, after the end of the reporter.
    fn told(reports: &Receiver<Report>, sinks: Sinks) -> Vec<(usize, u64, EventKind, u64)> {
        sinks.join().unwrap();
        let events = reports.try_iter().filter_map(|report| match report {
            Report::Event(event) => Some(event),
            _ => None,
        });
        events
            .map(|event| (event.channel, event.event.id, event.event.kind, event.seq))
            .collect()
    }

    #[test]
    fn every_open_utterance_gets_its_end_whatever_ends_the_analysis() {
        let (mut reporter, reports, sinks) = reporter();
        reporter.put(&place(0), event(1, EventKind::Start));
        reporter.put(&place(2), event(1, EventKind::Start));
        reporter.put(&place(2), event(1, EventKind::Update));
        let died = std::thread::spawn(move || {
            let _owned = reporter;
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        assert!(died.join().is_err());
        use EventKind::*;
        assert_eq!(
            told(&reports, sinks),
            [
                (0, 1, Start, 1),
                (2, 2, Start, 2),
                (2, 2, Update, 3),
                (0, 1, End, 4),
                (2, 2, End, 5)
            ]
        );
    }

    #[test]
    fn an_analysis_that_begins_anew_repeats_no_id_and_ends_nothing_twice() {
        let (mut reporter, reports, sinks) = reporter();
        for id in [1, 2] {
            reporter.put(&place(0), event(id, EventKind::Start));
            reporter.put(&place(0), event(id, EventKind::End));
        }
        reporter.put(&place(0), event(2, EventKind::End));
        reporter.put(&place(0), event(1, EventKind::Start));
        reporter.end_all(EndReason::Shutdown);
        reporter.put(&place(0), event(1, EventKind::End));
        drop(reporter);
        let ids: Vec<u64> = told(&reports, sinks).iter().map(|event| event.1).collect();
        assert_eq!(ids, [1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn the_latest_decision_is_known_while_its_utterance_is_open() {
        let (mut reporter, _reports, _sinks) = reporter();
        let latest = reporter.latest.clone();
        assert_eq!(latest.get(), None);
        reporter.put(&place(0), event(1, EventKind::Start));
        assert_eq!(latest.get(), Some((Label::Known(0), 0.5)));
        reporter.put(&place(1), event(1, EventKind::Start));
        reporter.put(&place(1), event(1, EventKind::End));
        assert_eq!(latest.get(), Some((Label::Known(0), 0.5)));
        reporter.put(&place(0), event(1, EventKind::End));
        assert_eq!(latest.get(), None);
    }
}
