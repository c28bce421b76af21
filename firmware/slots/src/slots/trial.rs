//! Committing a slot, or going back.

use super::{Ending, Fs, Last, Moment, Slot, Slots, State, Trial};
use crate::error::SlotsError;

/// What a trial may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How often the slot may be started.
    pub max_starts: u32,
    /// Seconds until it must have been committed.
    pub deadline_s: u32,
}

/// What [`Slots::starting`] and [`Slots::overdue`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// No slot is on trial.
    Settled,
    /// The slot is on trial still.
    Trying(Slot),
    /// The trial failed just now; this runs again (none: the packaged program).
    WentBack(Option<Slot>),
}

impl<F: Fs> Slots<F> {
    /// Counts a start of the daemon, and goes back when there were too many.
    ///
    /// # Errors
    /// [`SlotsError::Io`].
    pub fn starting(&mut self, bounds: Bounds, now: &Moment) -> Result<Decision, SlotsError> {
        let decision = self.overdue(bounds, now)?;
        let (Decision::Trying(slot), Some(trial)) = (decision, self.view.state.trial.clone())
        else {
            return Ok(decision);
        };
        if trial.starts >= bounds.max_starts {
            return self.fail(&trial);
        }
        self.remember(State {
            trial: Some(Trial {
                starts: trial.starts + 1,
                ..trial
            }),
            ..self.view.state.clone()
        })?;
        Ok(Decision::Trying(slot))
    }

    /// Goes back when the deadline of a trial is over. After a restart of the machine the deadline counts anew; then the
    /// number of starts is what ends the trial.
    ///
    /// # Errors
    /// [`SlotsError::Io`].
    pub fn overdue(&mut self, bounds: Bounds, now: &Moment) -> Result<Decision, SlotsError> {
        let Some(trial) = self.view.state.trial.clone() else {
            return Ok(Decision::Settled);
        };
        if trial.since.boot != now.boot {
            let slot = trial.slot;
            self.remember(State {
                trial: Some(Trial {
                    since: now.clone(),
                    ..trial
                }),
                ..self.view.state.clone()
            })?;
            return Ok(Decision::Trying(slot));
        }
        if now.uptime_s - trial.since.uptime_s > f64::from(bounds.deadline_s) {
            return self.fail(&trial);
        }
        Ok(Decision::Trying(trial.slot))
    }

    /// Ends the trial well: the slot stays, and the box takes nothing below its minimum version from now on.
    ///
    /// # Errors
    /// [`SlotsError::NoTrial`], or the slot's manifest cannot be read.
    pub fn commit(&mut self) -> Result<Slot, SlotsError> {
        let trial = self.view.state.trial.clone().ok_or(SlotsError::NoTrial)?;
        let manifest = self.view.manifest(trial.slot)?;
        self.remember(State {
            floor: self.view.state.floor.max(manifest.minimum_version),
            trial: None,
            previous: trial.previous,
            last: Some(Last {
                slot: trial.slot,
                version: manifest.version,
                ending: Ending::Committed,
            }),
        })?;
        Ok(trial.slot)
    }

    /// Goes back by hand: from a trial to what ran before it, from a committed slot to the one before it. `packaged`
    /// goes back to the program that the system's package installed.
    ///
    /// # Errors
    /// [`SlotsError::NothingBefore`], [`SlotsError::DamagedSlot`], [`SlotsError::TooOld`].
    pub fn rollback(&mut self, packaged: bool) -> Result<Option<Slot>, SlotsError> {
        let trial = self.view.state.trial.clone();
        let target = match (&trial, packaged) {
            (_, true) => None,
            (Some(trial), false) => trial.previous,
            (None, false) => Some(self.view.state.previous.ok_or(SlotsError::NothingBefore)?),
        };
        let current = self.current().ok_or(SlotsError::NothingBefore)?;
        if let Some(slot) = target {
            let version = self.view.intact(slot)?.version;
            if version < self.view.state.floor {
                return Err(SlotsError::TooOld {
                    version,
                    floor: self.view.state.floor,
                });
            }
        }
        self.go_back(current, target, Ending::RolledBackByHand)?;
        Ok(target)
    }

    /// The trial failed. What ran before is taken back if it is what was signed, else the packaged program.
    fn fail(&mut self, trial: &Trial) -> Result<Decision, SlotsError> {
        let target = trial
            .previous
            .filter(|slot| self.view.intact(*slot).is_ok());
        self.go_back(trial.slot, target, Ending::RolledBack)?;
        Ok(Decision::WentBack(target))
    }

    /// First the switch, then the state: a trial whose slot is not current is void.
    fn go_back(
        &mut self,
        from: Slot,
        target: Option<Slot>,
        ending: Ending,
    ) -> Result<(), SlotsError> {
        let version = self.view.version(from);
        self.switch(target)?;
        self.remember(State {
            trial: None,
            previous: None,
            last: Some(Last {
                slot: from,
                version,
                ending,
            }),
            ..self.view.state.clone()
        })
    }
}
