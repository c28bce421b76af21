//! A reload: from the typed difference of two configurations to the parts that begin anew. Whatever can fail is tried before
//! anything is changed.

use std::sync::Arc;

use undertone_analysis::{Channels, Format};
use undertone_model::Model;

use super::Supervisor;
use super::message::Order;
use super::plan::Plan;
use super::source::Running;
use super::start::{info, open_control, open_metrics, start_sinks};
use crate::config::{self, Change, Configuration};
use crate::control::CommandError;
use crate::error::DaemonError;
use crate::model_file;
use crate::status::Report;
use crate::talk;

/// The parts that a reload exchanges, made and not yet in use.
struct Prepared {
    plan: Option<Plan>,
    sinks: Option<(crate::sinks::Sinks, crate::sinks::FanOut)>,
}

impl Supervisor {
    /// Reads the configuration again, and changes what differs; the names of the fields that do.
    pub(super) fn reload(&mut self) -> Result<Vec<String>, CommandError> {
        self.notifier.reloading();
        let outcome = self.try_reload();
        if self.ready {
            self.notifier.ready();
        }
        outcome.map_err(|error| CommandError::Configuration(error.to_string()))
    }

    fn try_reload(&mut self) -> Result<Vec<String>, DaemonError> {
        let new = config::load(&self.layers)?;
        let change = Change::between(&self.configuration, &new);
        if change.is_empty() {
            return Ok(Vec::new());
        }
        let prepared = self.prepare(&new, &change)?;
        self.exchange_servers(&new, &change)?;
        self.configuration = new;
        if change.log {
            talk::configure(self.configuration.settings.log);
        }
        if change.health {
            self.next_health = std::time::Instant::now();
        }
        self.exchange_sinks(prepared.sinks);
        self.exchange_plan(prepared.plan);
        self.exchange_sources(&change)?;
        self.tell_info();
        Ok(change.fields)
    }

    fn prepare(&self, new: &Configuration, change: &Change) -> Result<Prepared, DaemonError> {
        let settings = &new.settings;
        let plan = if change.analysis {
            let same = settings.model == self.configuration.settings.model;
            let model: Arc<Model> = if same {
                Arc::clone(&self.plan.model)
            } else {
                Arc::new(model_file::load(settings.model.as_deref())?)
            };
            let counters = &self.gatherer.counters;
            let plan = Plan::new(
                model,
                settings,
                self.gatherer.timings.clone(),
                counters.answers.clone(),
            )?;
            // A model that cannot be run live shows itself here.
            let format = Format {
                rate: 48_000,
                channels: 1,
            };
            drop(plan.analyser(format, Channels::Mix)?);
            Some(plan)
        } else {
            None
        };
        let sinks = if change.sinks {
            Some(start_sinks(
                settings,
                &self.handle,
                &self.watchers,
                self.info.live,
                (&self.ending, &self.hub.progress),
            )?)
        } else {
            None
        };
        Ok(Prepared { plan, sinks })
    }

    /// Another place for commands or metrics; the old one stays where the new one cannot be had.
    fn exchange_servers(
        &mut self,
        new: &Configuration,
        change: &Change,
    ) -> Result<(), DaemonError> {
        let settings = &new.settings;
        if change.metrics {
            let same =
                self.metrics.as_ref().map(|server| server.address()) == settings.metrics.listen;
            if !same {
                self.metrics = open_metrics(settings, &self.gatherer, &self.shown)?;
            }
        }
        if change.control {
            self.control = open_control(settings, &self.handle, &self.watchers)?;
        }
        Ok(())
    }

    fn exchange_sinks(&mut self, sinks: Option<(crate::sinks::Sinks, crate::sinks::FanOut)>) {
        let Some((sinks, fan_out)) = sinks else {
            return;
        };
        fan_out.report(&Report::Info(Arc::clone(&self.info)));
        fan_out.report(&Report::Status(self.shown_status()));
        let before = std::mem::replace(&mut self.sinks, sinks);
        self.fan_out = fan_out.clone();
        self.gatherer.set_sinks(Some(fan_out.clone()));
        self.slow_sinks.clear();
        self.hub.order(Order::Sinks(fan_out));
        // They end once the analysis has let go of them; nobody waits for that here.
        let _ = std::thread::Builder::new()
            .name("old sinks".into())
            .spawn(move || before.join());
    }

    fn exchange_plan(&mut self, plan: Option<Plan>) {
        if let Some(plan) = plan {
            self.plan = plan.clone();
            self.hub.order(Order::Plan(plan));
        }
    }

    fn exchange_sources(&mut self, change: &Change) -> Result<(), DaemonError> {
        let mut before: Vec<Option<Running>> = self.sources.drain(..).map(Some).collect();
        for place in &change.closed {
            if let Some(source) = before.get_mut(*place).and_then(Option::take) {
                source.stop();
                self.closing.push(source);
            }
        }
        let settings = self.configuration.settings.sources.clone();
        for (place, settings) in settings.iter().enumerate() {
            let kept = change.kept.iter().find(|(_, now)| *now == place);
            let source = match kept.and_then(|(was, _)| before.get_mut(*was)?.take()) {
                Some(source) => source,
                None => {
                    self.next_source += 1;
                    let id = self.next_source;
                    Running::start(id, settings, None, (&self.plan, self.muted), &self.hub)?
                }
            };
            self.sources.push(source);
        }
        Ok(())
    }

    fn tell_info(&mut self) {
        let settings = &self.configuration.settings;
        let now = info(settings, &self.plan.model, &self.boot_id, self.info.live);
        if now == *self.info {
            return;
        }
        self.info = Arc::new(now);
        self.shown
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .0 = Arc::clone(&self.info);
        self.fan_out.report(&Report::Info(Arc::clone(&self.info)));
    }
}
