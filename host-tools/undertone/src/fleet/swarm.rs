//! All virtual boxes on one thread.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use mio::{Events, Poll, Token};
use undertone_mqtt::Failure as MqttFailure;

use super::counts::{Counts, Phase, Times, of};
use super::histogram::Histogram;
use super::slot::{Slot, Way};
use super::speaker::Speaker;
use crate::broker::refused;
use crate::failure::Failure;

/// The longest wait; changes of the phase are seen then.
const LOOK: Duration = Duration::from_millis(20);
/// Boxes that leave in one round, so that the broker is not flooded in another way than boxes do.
const LEAVING: usize = 100;

/// What makes the boxes.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) boxes: usize,
    pub(crate) prefix: String,
    pub(crate) seed: u64,
    /// Utterances a minute.
    pub(crate) rate: f64,
    /// Connections a second.
    pub(crate) connect_rate: f64,
    /// Every so many boxes, one is lost without a word at the end; 0: none.
    pub(crate) lose_every: usize,
}

/// Runs until the phase is over; gives by how much boxes spoke later than they wanted to.
///
/// # Errors
/// When no box can connect at first, or the machine refuses what it takes.
pub(crate) fn run(
    plan: &Plan,
    way: &Way,
    counts: &Counts,
    times: &Times,
    end: &Arc<AtomicBool>,
) -> Result<Histogram> {
    let mut swarm = Swarm::new(plan, way, counts, times)?;
    let mut events = Events::with_capacity(4096);
    while counts.phase() != Phase::Over && !end.load(std::sync::atomic::Ordering::Relaxed) {
        swarm.enter(counts.phase())?;
        let timeout = swarm.timeout();
        match swarm.poll.poll(&mut events, Some(timeout)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            outcome => outcome.context("waiting for connections fails")?,
        }
        for event in &events {
            let Token(number) = event.token();
            swarm.turn(number)?;
        }
        swarm.timers()?;
        if swarm.phase == Phase::Leaving {
            swarm.leave();
        }
    }
    Ok(swarm.late)
}

struct Swarm<'a> {
    plan: &'a Plan,
    way: &'a Way,
    counts: &'a Counts,
    times: &'a Times,
    poll: Poll,
    slots: Vec<Slot>,
    /// When a box is to be looked at, and the same by box: an entry that differs is an old one.
    timers: BinaryHeap<Reverse<(Instant, usize)>>,
    due: Vec<Option<Instant>>,
    start: Instant,
    phase: Phase,
    next_to_leave: usize,
    late: Histogram,
}

impl<'a> Swarm<'a> {
    fn new(plan: &'a Plan, way: &'a Way, counts: &'a Counts, times: &'a Times) -> Result<Self> {
        let start = Instant::now();
        let mut slots = Vec::with_capacity(plan.boxes);
        for number in 0..plan.boxes {
            let speaker = Speaker::new(&plan.prefix, number, way.run, plan.seed, plan.rate)?;
            let first = start + Duration::from_secs_f64(number as f64 / plan.connect_rate);
            slots.push(Slot::new(number, speaker, first));
        }
        let mut swarm = Swarm {
            plan,
            way,
            counts,
            times,
            poll: Poll::new().context("connections cannot be waited for")?,
            due: vec![None; slots.len()],
            slots,
            timers: BinaryHeap::new(),
            start,
            phase: Phase::Connecting,
            next_to_leave: 0,
            late: Histogram::default(),
        };
        (0..plan.boxes).for_each(|number| swarm.schedule(number));
        Ok(swarm)
    }

    fn timeout(&self) -> Duration {
        let next = self.timers.peek().map(|Reverse((due, _))| *due);
        next.map_or(LOOK, |due| {
            due.saturating_duration_since(Instant::now()).min(LOOK)
        })
    }

    fn schedule(&mut self, number: usize) {
        let due = self.slots[number].due(self.start);
        if self.due[number] != due {
            self.due[number] = due;
            self.timers.extend(due.map(|due| Reverse((due, number))));
        }
    }

    fn enter(&mut self, phase: Phase) -> Result<()> {
        if phase == self.phase {
            return Ok(());
        }
        self.phase = phase;
        let now = self.start.elapsed();
        for number in 0..self.slots.len() {
            match phase {
                Phase::Speaking => self.slots[number].speaker.begin(now),
                Phase::Quiet => {
                    let said = self.slots[number].speaker.stop(now, wall_ms())?;
                    self.slots[number].say(said, self.counts);
                    self.turn(number)?;
                }
                Phase::Connecting | Phase::Leaving | Phase::Over => {}
            }
            self.schedule(number);
        }
        self.counts.reach(phase);
        Ok(())
    }

    /// Goes on with a box after something has come, or is due.
    fn turn(&mut self, number: usize) -> Result<()> {
        let (now, since) = (Instant::now(), self.start.elapsed());
        let Some(slot) = self.slots.get_mut(number) else {
            return Ok(());
        };
        let outcome = slot
            .connect(self.way, self.poll.registry(), now)
            .and_then(|()| slot.turn(now, since, self.counts, self.times));
        if let Err(failure) = outcome {
            slot.down(now, self.counts);
            self.judge(&failure)?;
        }
        self.schedule(number);
        Ok(())
    }

    /// A failure that no waiting heals ends the simulation.
    fn judge(&self, failure: &MqttFailure) -> Result<()> {
        // A broker that has taken others and breaks off is one that is full.
        let hopeless = matches!(
            failure,
            MqttFailure::Authentication(_) | MqttFailure::Certificate(..)
        );
        let never = of(&self.counts.up) == 0 && self.phase == Phase::Connecting;
        let text = failure.to_string();
        for (part, next) in [
            (
                "Too many open files",
                "raise the limit of the system (sysctl fs.file-max, fs.nr_open), or take fewer --boxes",
            ),
            (
                "Cannot assign requested address",
                "sysctl -w net.ipv4.ip_local_port_range='1024 65535', or take fewer --boxes",
            ),
        ] {
            if text.contains(part) {
                return Err(Failure::error("fleet-machine", text, next));
            }
        }
        if hopeless || never {
            return Err(refused(&self.way.address.to_string(), failure));
        }
        Ok(())
    }

    /// Does what is due.
    fn timers(&mut self) -> Result<()> {
        let now = Instant::now();
        while let Some(Reverse((due, number))) = self.timers.peek().copied()
            && due <= now
        {
            self.timers.pop();
            if self.due[number] != Some(due) {
                continue;
            }
            self.due[number] = None;
            let since = self.start.elapsed();
            let wanted = self.slots[number].speaker.due();
            if wanted <= since {
                self.late.add((since - wanted).as_micros() as u64);
                let said = self.slots[number].speaker.speak(since, wall_ms())?;
                self.slots[number].say(said, self.counts);
            }
            self.turn(number)?;
        }
        Ok(())
    }

    fn leave(&mut self) {
        let now = Instant::now();
        for _ in 0..LEAVING {
            let number = self.next_to_leave % self.slots.len();
            let round = self.next_to_leave / self.slots.len();
            self.next_to_leave += 1;
            let without_a_word =
                self.plan.lose_every > 0 && number.is_multiple_of(self.plan.lose_every);
            let since = self.start.elapsed();
            let slot = &mut self.slots[number];
            if round == 0 && !without_a_word {
                slot.say(vec![slot.speaker.good_bye()], self.counts);
            }
            // A connection that breaks now is one less to close.
            let _ = slot.turn(now, since, self.counts, self.times);
            if round > 0 || without_a_word {
                slot.leave(without_a_word, now, self.counts);
            }
        }
    }
}

fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
