//! The start: opens what must be there, then starts every thread.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use undertone_analysis::{Load, Signal};
use undertone_model::{Licence, Model};

use super::analysis::Analysis;
use super::message::{Input, Order};
use super::numbers::Numbers;
use super::plan::Plan;
use super::reporter::{Latest, Reporter};
use super::source::{Hub, Running, is_waited_for};
use super::thread::spawn;
use super::{Shown, Supervisor, signals};
use crate::capture::{self, Source, SourceSpec};
use crate::config::{Configuration, Layers, Settings, SourceSettings};
use crate::control::{ControlSocket, Watchers, requests_that_wake};
use crate::error::DaemonError;
use crate::health::{Gatherer, MetricsServer, Progress, page};
use crate::notify::Notifier;
use crate::sinks::{self, FanOut, Sinks};
use crate::status::{Info, Report, State, Status};
use crate::stop::Stop;
use crate::talk::say;

impl Supervisor {
    pub(super) fn start(
        layers: Layers,
        configuration: Configuration,
        model: Arc<Model>,
        boot_id: &str,
    ) -> Result<Self, DaemonError> {
        let started = Instant::now();
        let settings = &configuration.settings;
        // While sources are being opened, the default action of a signal is the right one.
        let opened = settings
            .sources
            .iter()
            .map(open)
            .collect::<Result<Vec<_>, _>>()?;
        let live = settings.sources.iter().all(|source| source.spec.is_live());
        let (sender, inputs) = channel();
        signals::listen(&sender)?;
        let wake = sender.clone();
        let (handle, requests) = requests_that_wake(move || {
            let _ = wake.send(Input::Requested);
        });
        let gatherer = Gatherer::new(started);
        let ending = Stop::default();
        let boot_id: Arc<str> = boot_id.into();
        let info = Arc::new(info(settings, &model, &boot_id, live));

        let progress = Progress::default();
        let watchers = Watchers::default();
        let (sinks, fan_out) =
            start_sinks(settings, &handle, &watchers, live, (&ending, &progress))?;
        gatherer.set_sinks(Some(fan_out.clone()));
        fan_out.report(&Report::Info(Arc::clone(&info)));

        let plan = Plan::new(
            model,
            settings,
            gatherer.timings.clone(),
            gatherer.counters.answers.clone(),
        )?;
        let latest = Latest::default();
        let (orders, ordered) = channel();
        let analysis = start_analysis(
            (&plan, ordered),
            &sender,
            (&fan_out, &latest, started),
            (&gatherer, &progress, &ending),
        )?;
        let hub = Hub {
            inputs: sender,
            orders,
            analysis: analysis.thread().clone(),
            progress,
            numbers: Numbers::default(),
        };
        let mut sources = Vec::new();
        for (id, (settings, source)) in settings.sources.iter().zip(opened).enumerate() {
            let id = id as u64;
            sources.push(Running::start(id, settings, source, (&plan, false), &hub)?);
        }
        let status = Arc::new(Status {
            state: State::Starting,
            since_ms: 0,
            signal: Signal::None,
            label: None,
            confidence: None,
            sources: sources.iter().filter_map(Running::status).collect(),
            troubles: Vec::new(),
        });
        let shown: Shown = Arc::new(Mutex::new((Arc::clone(&info), Arc::clone(&status))));
        fan_out.report(&Report::Status(status));
        let control = open_control(settings, &handle, &watchers)?;
        let metrics = open_metrics(settings, &gatherer, &shown)?;
        Ok(Supervisor {
            next_source: sources.len() as u64,
            layers,
            boot_id,
            started,
            hub,
            inputs,
            requests,
            handle,
            plan,
            sources,
            closing: Vec::new(),
            analysis,
            sinks,
            fan_out,
            watchers,
            control,
            metrics,
            gatherer,
            latest,
            notifier: Notifier::from_environment(),
            ending,
            info,
            shown,
            load: Load::InTime,
            warm: false,
            heard: false,
            ready: false,
            muted: false,
            waiting: None,
            stuck: Vec::new(),
            next_health: started,
            hot: false,
            throttled: false,
            slow_sinks: Default::default(),
            failed_recording: None,
            outcome: None,
            configuration,
        })
    }
}

/// Opens a source; `None` for one that is not there and is waited for. What standard input is, only its first bytes say, and
/// those may come late.
fn open(settings: &SourceSettings) -> Result<Option<Box<dyn Source>>, DaemonError> {
    if settings.spec == SourceSpec::Stdin {
        return Ok(None);
    }
    match capture::open(&settings.spec, &settings.capture) {
        Ok(source) => Ok(Some(source)),
        Err(error) if settings.wait && is_waited_for(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Everything that is fixed while a configuration is in use.
pub(super) fn info(settings: &Settings, model: &Model, boot_id: &Arc<str>, live: bool) -> Info {
    let metadata = model.metadata();
    Info {
        version: env!("CARGO_PKG_VERSION"),
        boot_id: Arc::clone(boot_id),
        model_hash: metadata.content_hash.to_string(),
        licence: match metadata.provenance.licence {
            Licence::Open => "open",
            Licence::Research => "research",
        },
        labels: metadata.labels.clone(),
        purpose: settings.deployment.purpose.clone(),
        subjects: settings.deployment.subjects,
        legal_basis: settings.deployment.legal_basis,
        live,
    }
}

pub(super) fn start_sinks(
    settings: &Settings,
    handle: &crate::control::Handle,
    watchers: &Watchers,
    live: bool,
    (ending, progress): (&Stop, &Progress),
) -> Result<(Sinks, FanOut), DaemonError> {
    let mut configured = sinks::configured(settings, Some(handle))?;
    configured.push(Box::new(watchers.sink()));
    Sinks::start(configured, live, ending, progress)
}

fn start_analysis(
    (plan, orders): (&Plan, std::sync::mpsc::Receiver<Order>),
    inputs: &std::sync::mpsc::Sender<Input>,
    (fan_out, latest, started): (&FanOut, &Latest, Instant),
    (gatherer, progress, ending): (&Gatherer, &Progress, &Stop),
) -> Result<std::thread::JoinHandle<()>, DaemonError> {
    let told = inputs.clone();
    let analysis = Analysis {
        orders,
        reporter: Reporter::new(
            fan_out.clone(),
            plan.model.metadata().frontend.sample_rate,
            started,
            gatherer.counters.clone(),
            latest.clone(),
        ),
        counters: gatherer.counters.clone(),
        stage: progress.stage("analysis"),
        ending: ending.clone(),
        notify: move |notice| {
            let _ = told.send(Input::Notice(notice));
        },
    };
    let plan = plan.clone();
    spawn("analysis", inputs.clone(), move || analysis.run(&plan))
}

pub(super) fn open_control(
    settings: &Settings,
    handle: &crate::control::Handle,
    watchers: &Watchers,
) -> Result<Option<ControlSocket>, DaemonError> {
    let open = |path: &std::path::PathBuf| {
        ControlSocket::open(path, handle.clone(), watchers.clone()).map_err(|reason| {
            DaemonError::Control(format!(
                "cannot take commands at {}: {reason}",
                path.display()
            ))
        })
    };
    settings.control.as_ref().map(open).transpose()
}

pub(super) fn open_metrics(
    settings: &Settings,
    gatherer: &Gatherer,
    shown: &Shown,
) -> Result<Option<MetricsServer>, DaemonError> {
    let Some(address) = settings.metrics.listen else {
        return Ok(None);
    };
    let (gatherer, shown) = (gatherer.clone(), Arc::clone(shown));
    let server = MetricsServer::open(address, move || {
        let (info, status) = shown
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        page(&info, &status, &gatherer.health(), &gatherer.counters)
    });
    let server = server.inspect(|server| say!("metrics at http://{}/metrics", server.address()));
    server.map(Some).map_err(|reason| {
        DaemonError::Control(format!("cannot serve metrics at {address}: {reason}"))
    })
}
