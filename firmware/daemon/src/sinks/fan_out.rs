//! One report to every sink, and the account of what a sink could not take.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::queue::{Gone, Sender};
use crate::status::{Dropped, LinkHealth, QueueHealth, Report};
use crate::stop::Stop;
use crate::talk::say;

/// A sleep while a queue is full and nothing may be lost.
const NAP: Duration = Duration::from_millis(1);
/// How long a full queue is waited for once the end was asked for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The queue of a sink, before it is used.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) sink: &'static str,
    pub(super) capacity: usize,
    pub(super) queue: Sender,
    pub(super) link: Option<Arc<Mutex<LinkHealth>>>,
}

/// Gives reports to every sink. Clones share the queues.
#[derive(Debug, Clone)]
pub struct FanOut {
    outlets: Arc<[Mutex<Outlet>]>,
    live: bool,
    stop: Stop,
}

impl FanOut {
    /// To these sinks. `live`: rather lose reports than wait.
    pub(super) fn new(sinks: Vec<Outgoing>, live: bool, stop: Stop) -> Self {
        let outlets = sinks.into_iter().map(|outgoing| {
            Mutex::new(Outlet {
                sink: outgoing.sink,
                capacity: outgoing.capacity,
                queue: Some(outgoing.queue),
                link: outgoing.link,
                late: Default::default(),
                dropped: None,
                lost: 0,
                asked: None,
            })
        });
        FanOut {
            outlets: outlets.collect(),
            live,
            stop,
        }
    }

    /// Gives a report to every sink. Of live audio this returns at once.
    pub fn report(&self, report: &Report) {
        for outlet in self.outlets.iter() {
            let mut report = report.clone();
            // Who waits does so without the lock: what only holds until the next change never waits.
            loop {
                let mut locked = outlet.lock().unwrap_or_else(PoisonError::into_inner);
                let back = locked.put(report, self.live, &self.stop);
                drop(locked);
                let Some(back) = back else { break };
                report = back;
                std::thread::sleep(NAP);
            }
        }
    }

    /// False once no sink takes anything any more.
    pub fn is_open(&self) -> bool {
        self.each(|outlet| outlet.queue.is_some()).any(|open| open)
    }

    /// How many events were lost because a sink was too slow. Their numbers are missing there.
    pub fn lost(&self) -> u64 {
        self.each(|outlet| outlet.lost).sum()
    }

    /// How full each queue is.
    pub fn queues(&self) -> Vec<QueueHealth> {
        self.each(|outlet| QueueHealth {
            sink: outlet.sink,
            depth: outlet.queue.as_ref().map_or(0, Sender::depth),
            capacity: outlet.capacity,
            lost: outlet.lost,
            link: outlet.link.as_ref().map(|link| {
                let link = link.lock();
                link.unwrap_or_else(PoisonError::into_inner).clone()
            }),
        })
        .collect()
    }

    fn each<T>(&self, tell: impl Fn(&Outlet) -> T) -> impl Iterator<Item = T> {
        self.outlets
            .iter()
            .map(move |outlet| tell(&outlet.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The way to one sink.
#[derive(Debug)]
struct Outlet {
    sink: &'static str,
    capacity: usize,
    /// `None` once the sink has ended.
    queue: Option<Sender>,
    link: Option<Arc<Mutex<LinkHealth>>>,
    /// The latest info, status and health that found no room, in this order.
    late: [Option<Report>; 3],
    /// Events that found no room and have not been told as lost yet.
    dropped: Option<Dropped>,
    lost: u64,
    /// When a wait after the request to stop began.
    asked: Option<Instant>,
}

impl Outlet {
    /// Takes a report, or gives it back to be tried again.
    fn put(&mut self, mut report: Report, live: bool, stop: &Stop) -> Option<Report> {
        let place = place(&report);
        if let Some(place) = place {
            // What it says is superseded.
            self.late[place] = None;
        }
        if self.catch_up() {
            match self.send(report) {
                None => return None,
                Some(back) => report = back,
            }
        }
        if let Some(place) = place {
            self.late[place] = Some(report);
            return None;
        }
        if !self.gives_up(live, stop) {
            return Some(report);
        }
        self.lose(&report);
        None
    }

    /// Sends what is owed; false while there is no room for it.
    fn catch_up(&mut self) -> bool {
        for place in 0..self.late.len() {
            if let Some(report) = self.late[place].take()
                && let Some(report) = self.send(report)
            {
                self.late[place] = Some(report);
                return false;
            }
        }
        if let Some(dropped) = self.dropped {
            if self.send(Report::Dropped(dropped)).is_some() {
                return false;
            }
            self.dropped = None;
        }
        true
    }

    /// Gives the report back when there is no room. A sink that has ended takes everything.
    fn send(&mut self, report: Report) -> Option<Report> {
        let queue = self.queue.as_ref()?;
        queue.try_send(report).unwrap_or_else(|Gone| {
            self.queue = None;
            None
        })
    }

    /// Notes what is lost.
    fn lose(&mut self, report: &Report) {
        let Some(seq) = seq(report) else {
            return;
        };
        if self.lost == 0 {
            say!("{} is too slow; events are lost", self.sink);
        }
        self.lost += 1;
        let dropped = self.dropped.get_or_insert(Dropped {
            count: 0,
            first_seq: seq,
            last_seq: seq,
        });
        dropped.count += 1;
        dropped.last_seq = seq;
    }

    fn gives_up(&mut self, live: bool, stop: &Stop) -> bool {
        if !stop.requested() {
            return live;
        }
        self.asked.get_or_insert_with(Instant::now).elapsed() > PATIENCE
    }
}

/// The place of a report of which only the latest counts.
fn place(report: &Report) -> Option<usize> {
    match report {
        Report::Info(_) => Some(0),
        Report::Status(_) => Some(1),
        Report::Health(_) => Some(2),
        _ => None,
    }
}

/// The number of a report whose loss is counted.
fn seq(report: &Report) -> Option<u64> {
    match report {
        Report::Event(event) => Some(event.seq),
        Report::Aggregate(aggregate) => Some(aggregate.seq),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::queue::{Found, Inbox, queue};
    use crate::status::{EventReport, Stamp};
    use undertone_events::{Event, EventKind, Label, Scores};

    fn fan_out(capacity: usize, live: bool) -> (FanOut, Inbox, Stop) {
        let (sender, inbox, _) = queue(capacity).unwrap();
        let stop = Stop::default();
        let outgoing = Outgoing {
            sink: "test",
            capacity,
            queue: sender,
            link: None,
        };
        let fan_out = FanOut::new(vec![outgoing], live, stop.clone());
        (fan_out, inbox, stop)
    }

    fn event(seq: u64) -> Report {
        Report::Event(EventReport {
            channel: 0,
            role: None,
            seq,
            stamp: Stamp::default(),
            start_ms: 0,
            at_ms: 0,
            event: Event {
                id: 1,
                kind: EventKind::Start,
                label: Label::Unknown,
                scores: Scores::new(),
                confidence: 0.0,
                start_sample: 0,
                at_sample: 0,
                reason: None,
            },
        })
    }

    fn health(xruns: u64) -> Report {
        Report::Health(Arc::new(crate::status::Health {
            xruns,
            ..Default::default()
        }))
    }

    fn next(inbox: &Inbox) -> Report {
        match inbox.look() {
            Found::Report(report) => report,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_slow_sink_of_live_audio_loses_events_and_is_told_which_in_their_place() {
        let (fan_out, inbox, _) = fan_out(2, true);
        (1..=5).for_each(|seq| fan_out.report(&event(seq)));
        assert_eq!(fan_out.lost(), 3);
        assert_eq!((next(&inbox), next(&inbox)), (event(1), event(2)));
        fan_out.report(&event(6));
        let dropped = Dropped {
            count: 3,
            first_seq: 3,
            last_seq: 5,
        };
        assert_eq!(
            (next(&inbox), next(&inbox)),
            (Report::Dropped(dropped), event(6))
        );
        let queues = fan_out.queues();
        assert_eq!((queues[0].depth, queues[0].lost), (0, 3));
    }

    #[test]
    fn the_latest_health_comes_through_a_full_queue() {
        let (fan_out, inbox, _) = fan_out(1, true);
        fan_out.report(&event(1));
        (1..=3).for_each(|xruns| fan_out.report(&health(xruns)));
        assert_eq!(next(&inbox), event(1));
        fan_out.report(&event(2));
        assert_eq!(next(&inbox), health(3));
        assert_eq!(fan_out.lost(), 1);
    }

    #[test]
    fn a_slow_sink_of_a_recording_loses_nothing() {
        let (fan_out, inbox, _) = fan_out(1, false);
        let reader = std::thread::spawn(move || {
            let mut seen = Vec::new();
            loop {
                match inbox.look() {
                    Found::Report(report) => seen.push(report),
                    Found::Nothing => std::thread::yield_now(),
                    Found::Closed => return seen,
                }
            }
        });
        (1..=100).for_each(|seq| fan_out.report(&event(seq)));
        assert_eq!(fan_out.lost(), 0);
        drop(fan_out);
        assert_eq!(
            reader.join().unwrap(),
            (1..=100).map(event).collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_end_does_not_wait_for_a_sink_that_is_stuck() {
        let (fan_out, _inbox, stop) = fan_out(1, false);
        fan_out.report(&event(1));
        stop.request();
        let begun = Instant::now();
        (2..=10).for_each(|seq| fan_out.report(&event(seq)));
        assert!(begun.elapsed() < 3 * PATIENCE, "{:?}", begun.elapsed());
        assert_eq!(fan_out.lost(), 9);
    }

    #[test]
    fn a_sink_that_has_ended_holds_nobody_up() {
        let (fan_out, inbox, _) = fan_out(1, false);
        drop(inbox);
        (1..=10).for_each(|seq| fan_out.report(&event(seq)));
        assert!(!fan_out.is_open());
        assert_eq!(fan_out.lost(), 0);
    }
}
