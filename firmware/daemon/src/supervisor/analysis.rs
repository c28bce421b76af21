//! The analysis thread: serves every source in turn, and gives way under load.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use undertone_analysis::{Overload, OverloadSettings, ScorerError, Turns};
use undertone_events::EndReason;

use super::lane::{Lane, Turn};
use super::message::{Notice, Order};
use super::plan::Plan;
use super::reporter::Reporter;
use crate::health::{Counters, Stage};
use crate::stop::Stop;

/// How long an idle analysis sleeps when nobody wakes it.
const IDLE: Duration = Duration::from_millis(20);
/// How often it is looked whether analysis keeps up.
const LOAD_LOOK: Duration = Duration::from_millis(100);

/// What the thread works with.
pub(super) struct Analysis<N> {
    pub(super) orders: Receiver<Order>,
    pub(super) reporter: Reporter,
    pub(super) counters: Counters,
    pub(super) stage: Stage,
    /// The end has begun: a source that is stuck in the system is not waited for.
    pub(super) ending: Stop,
    pub(super) notify: N,
}

impl<N: FnMut(Notice)> Analysis<N> {
    /// Warms the model, then analyses until it is told to finish and every source has ended. Whatever ends it, no
    /// utterance stays open: the reporter sees to that when it is dropped.
    pub(super) fn run(mut self, plan: &Plan) {
        let outcome = plan.warm().and_then(|()| {
            (self.notify)(Notice::Warm);
            self.serve()
        });
        if let Err(error) = outcome {
            self.reporter.end_all(EndReason::Shutdown);
            (self.notify)(Notice::ModelFailed(error.to_string()));
        }
    }

    fn serve(&mut self) -> Result<(), ScorerError> {
        let mut lanes: Vec<Box<Lane>> = Vec::new();
        let mut turns = Turns::default();
        let mut overload = Overload::new(OverloadSettings::default());
        let mut looked = Instant::now();
        let mut lost_before = 0;
        let mut finishing = false;
        // Those that a command has set, for sources that come later.
        let mut thresholds: Vec<(Option<usize>, f32)> = Vec::new();
        // What a reload has brought; a source that was waited for meanwhile knows the plan before.
        let mut latest: Option<Plan> = None;
        loop {
            self.stage.mark();
            while let Ok(order) = self.orders.try_recv() {
                match order {
                    Order::Attach(mut lane) => {
                        if let Some(plan) = &latest {
                            lane.rebuild(plan, &mut self.reporter, &mut self.notify)?;
                        }
                        lane.widen(overload.load().widening());
                        for (label, value) in &thresholds {
                            lane.threshold(*label, *value);
                        }
                        lanes.push(lane);
                        turns.restart();
                    }
                    Order::Plan(plan) => {
                        thresholds.clear();
                        self.replan(&plan, &mut lanes)?;
                        latest = Some(plan);
                    }
                    Order::Sinks(fan_out) => self.reporter.redirect(fan_out),
                    Order::Threshold(label, value) => {
                        // One for all replaces those before it, and one for a label that for the same label.
                        thresholds.retain(|(of, _)| label.is_some() && *of != label);
                        thresholds.push((label, value));
                        lanes
                            .iter_mut()
                            .for_each(|lane| lane.threshold(label, value));
                    }
                    Order::Finish => finishing = true,
                }
            }
            if finishing && (lanes.is_empty() || !self.reporter.is_open()) {
                return Ok(());
            }
            let served = turns.next(lanes.len(), |number| lanes[number].waiting());
            match served {
                Some(number) => {
                    let lane = &mut lanes[number];
                    let turn = lane.turn(&mut self.reporter, &self.counters, &mut self.notify)?;
                    if turn == Turn::Ended {
                        lost_before += lane.dropped();
                        (self.notify)(Notice::Drained(lane.id));
                        lanes.remove(number);
                        turns.restart();
                    }
                }
                // What was captured before the end was asked for still counted; what is stuck does not.
                None if self.ending.requested() && finishing => {
                    for mut lane in lanes.drain(..) {
                        lane.close(EndReason::Shutdown, &mut self.reporter, &mut self.notify)?;
                        (self.notify)(Notice::Drained(lane.id));
                    }
                }
                None => std::thread::park_timeout(IDLE),
            }
            let elapsed = looked.elapsed();
            if elapsed >= LOAD_LOOK {
                looked = Instant::now();
                let live = || lanes.iter().filter(|lane| lane.live);
                let late = live().map(|lane| lane.late()).max().unwrap_or_default();
                let lost = lost_before + live().map(|lane| lane.dropped()).sum::<u64>();
                if let Some(load) = overload.observe(elapsed, late, lost) {
                    lanes
                        .iter_mut()
                        .for_each(|lane| lane.widen(load.widening()));
                    (self.notify)(Notice::Load(load));
                }
            }
        }
    }

    fn replan(&mut self, plan: &Plan, lanes: &mut [Box<Lane>]) -> Result<(), ScorerError> {
        self.reporter
            .set_event_rate(plan.model.metadata().frontend.sample_rate);
        for lane in lanes {
            lane.rebuild(plan, &mut self.reporter, &mut self.notify)?;
        }
        Ok(())
    }
}
