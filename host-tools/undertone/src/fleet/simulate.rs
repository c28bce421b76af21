//! `undertone fleet simulate`: many boxes, one broker, one subscriber.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use signal_hook::consts::{SIGINT, SIGTERM};
use undertone_mqtt::{Failure as MqttFailure, tls};

use super::counts::{Counts, Phase, Times};
use super::course::Course;
use super::histogram::Histogram;
use super::limits;
use super::listener::{self, Listener};
use super::process;
use super::report::{Latency, Report};
use super::slot::Way;
use super::swarm::{self, Plan};
use crate::broker::{Access, Url, client_id, refused};
use crate::failure::Failure;
use crate::print;

/// Load a real broker with virtual boxes, and measure what arrives, when, and at what cost
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The broker: mqtt://HOST or mqtt://USER@HOST:PORT, with mqtts:// for TLS
    #[arg(long, value_name = "URL")]
    broker: Url,
    /// Virtual boxes, each with a connection of its own
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(super) boxes: u32,
    /// Utterances for each box and minute, on average
    #[arg(long, default_value_t = 3.0)]
    pub(super) rate: f64,
    /// Seconds during which people speak and figures are taken
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) duration: u64,
    /// Connections that are made in a second
    #[arg(long, value_name = "N", default_value_t = 500.0)]
    pub(super) connect_rate: f64,
    /// Drop every Nth box without a disconnect at the end; 0: none
    #[arg(long, value_name = "N", default_value_t = 100)]
    lose_every: usize,
    /// What topics begin with; not that of real boxes, unless dashboards are to see these
    #[arg(long, value_name = "TOPIC", default_value = "undertone-sim/v1")]
    prefix: String,
    /// The same seed gives the same boxes
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// The broker's process, to measure it [default: who listens on the port, if that is on this machine]
    #[arg(long, value_name = "PID")]
    broker_pid: Option<u32>,
    /// Leave what is retained at the broker
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    access: Access,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<()> {
        for (name, number, least, most) in [
            ("--rate", self.rate, 0.01, 20.0),
            ("--connect-rate", self.connect_rate, 1.0, 100_000.0),
        ] {
            if !(least..=most).contains(&number) {
                let cause = format!("{name} is {number}, but must lie between {least} and {most}");
                return Err(Failure::error(
                    "fleet-range",
                    cause,
                    "undertone fleet simulate --help",
                ));
            }
        }
        if !crate::monitor::is_topic(&self.prefix) {
            let cause = format!("--prefix is {:?}, which is not a valid topic", self.prefix);
            return Err(Failure::error(
                "fleet-topic",
                cause,
                "give 1 to 128 letters without +, # and empty levels",
            ));
        }
        limits::raise(self.boxes.into())?;
        let settings = self.access.settings(&self.broker, &client_id("fleet"))?;
        let place = format!("{}:{}", settings.host, settings.port);
        let password = settings
            .password
            .read()
            .map_err(|failure| refused(&place, &failure))?;
        let secure = match &settings.tls {
            Some(files) => Some(Arc::new(
                tls::config(files).map_err(|failure| refused(&place, &failure))?,
            )),
            None => None,
        };
        let address = reachable(&settings.host, settings.port)
            .map_err(|error| refused(&place, &MqttFailure::Network(error.to_string())))?;
        let pid = self.broker_pid.or_else(|| {
            address
                .ip()
                .is_loopback()
                .then(|| process::listening(address.port()))
                .flatten()
        });
        if let Some(pid) = self.broker_pid
            && process::taken(pid).is_none()
        {
            let cause = format!("there is no process {pid}, or it cannot be looked at");
            return Err(Failure::error(
                "fleet-pid",
                cause,
                "pidof mosquitto, or leave --broker-pid out",
            ));
        }
        let way = Way {
            address,
            tls: secure,
            password: password.map(|secret| secret.reveal().to_owned()),
            // Another run with the same names must not be taken for this one.
            run: (undertone_mqtt::random() * f64::from(u32::MAX)) as u32,
            settings,
        };
        let report = self.simulate(&way, pid)?;
        print::report(&serde_json::to_value(&report)?, self.json)?;
        let lost = report.events.lost;
        if lost > 0 {
            eprintln!(
                "fleet: {lost} events did not arrive; mosquitto drops what a subscriber's queue cannot hold (max_queued_messages)"
            );
        }
        Ok(())
    }

    fn simulate(&self, way: &Way, pid: Option<u32>) -> Result<Report> {
        let end = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&end))
                .context("signals cannot be taken")?;
        }
        let boxes = self.boxes as usize;
        let (counts, times) = (Counts::default(), Times::new(boxes));
        let plan = Plan {
            boxes,
            prefix: self.prefix.clone(),
            seed: self.seed,
            rate: self.rate,
            connect_rate: self.connect_rate,
            lose_every: self.lose_every,
        };
        std::thread::scope(|scope| {
            let (ready, is_ready) = channel();
            let what = Listener {
                settings: way.settings.clone(),
                prefix: self.prefix.clone(),
                boxes,
                run: way.run,
                counts: &counts,
                times: &times,
            };
            let listening = scope.spawn(move || {
                listener::run(what, self.keep, move || {
                    let _ = ready.send(());
                })
            });
            // An error closes the channel, and is told by the thread.
            if is_ready.recv().is_err() {
                counts.enter(Phase::Over);
                return Err(joined(listening.join())?
                    .err()
                    .unwrap_or_else(|| anyhow!("the subscriber has ended")));
            }
            let speaking = scope.spawn(|| swarm::run(&plan, way, &counts, &times, &end));
            let course = Course {
                args: self,
                counts: &counts,
                end: &end,
                pid,
            };
            let outcome = course.run(|| speaking.is_finished() || listening.is_finished());
            counts.enter(Phase::Over);
            let late = joined(speaking.join())?;
            let delays = joined(listening.join())?;
            // Why the boxes gave up explains why the course did.
            let (late, delays) = (late?, delays?);
            let mut report = outcome?;
            report.broker = way.address.to_string();
            report.late_p99_ms = late.at_most_ms(0.99);
            report.latency_ms = Latency {
                p50: delays.at_most_ms(0.5),
                p99: delays.at_most_ms(0.99),
                most: delays.most_ms(),
            };
            Ok(report)
        })
    }
}

fn joined(outcome: std::thread::Result<Result<Histogram>>) -> Result<Result<Histogram>> {
    outcome.map_err(|_| anyhow!("a thread of the simulation has panicked"))
}

fn reachable(host: &str, port: u16) -> std::io::Result<SocketAddr> {
    let mut outcome = Err(std::io::Error::other(format!("{host} has no address")));
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(10)) {
            Ok(_) => return Ok(address),
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}
