//! `undertone monitor`: what boxes hear and how they are, live, in the terminal or as lines of JSON.
//!
//! ```text
//! source threads (serial | MQTT | control socket) --bounded channel--> lines of JSON
//!                                                                  \-> model --> picture (ratatui)
//! ```
//!
//! The model is changed by messages and the time alone, and the picture is made of the model alone. All that comes from
//! boxes is untrusted: its size is bounded, and of its text nothing but printable characters reaches a terminal.

mod feed;
mod lines;
mod message;
mod model;
mod render;
mod screen;
mod source;

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::Result;

pub(crate) use source::mqtt::is_topic;

use crate::broker::{Access, Url};
use crate::failure::Failure;

/// Show what boxes hear and how they are, live
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Boxes at a broker: mqtt://HOST or mqtt://USER@HOST:PORT, with mqtts:// for TLS
    #[arg(long, value_name = "URL", conflicts_with_all = ["serial", "socket"])]
    broker: Option<Url>,
    /// A box at the other end of a serial line
    #[arg(long, value_name = "PORT", conflicts_with = "socket")]
    serial: Option<PathBuf>,
    /// The daemon on this machine, by its control socket [default: $UNDERTONE_SOCKET, or /run/undertone/control.sock]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Bits per second of the serial line
    #[arg(long, default_value_t = 115_200, requires = "serial")]
    baud: u32,
    /// Only this box at the broker
    #[arg(long, value_name = "NAME", requires = "broker")]
    device: Option<String>,
    /// What the topics of the boxes begin with
    #[arg(long, value_name = "TOPIC", default_value = "undertone/v1")]
    prefix: String,
    #[command(flatten)]
    access: Access,
    /// Keep trying when there is no connection at first
    #[arg(long)]
    wait: bool,
    /// One line of JSON for each message, as when standard output is not a terminal
    #[arg(long)]
    json: bool,
    /// End after so many messages of boxes
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

impl Args {
    pub(crate) fn run(self) -> Result<()> {
        let json = self.json || !std::io::stdout().is_terminal() || self.count.is_some();
        let (feed, messages) = feed::feed(!json);
        let wait = self.wait;
        let many = self.broker.is_some() && self.device.is_none();
        let place = self.start(feed)?;
        if json {
            lines::run(&messages, wait, self.count)
        } else {
            screen::run(&messages, wait, &place, many)
        }
    }

    /// Starts the threads of the source; gives what is watched, for people.
    fn start(&self, feed: feed::Feed) -> Result<String> {
        if let Some(url) = &self.broker {
            for (name, text) in [
                ("--prefix", Some(&self.prefix)),
                ("--device", self.device.as_ref()),
            ] {
                let good = text.is_none_or(|text| is_topic(text));
                if !good {
                    return Err(Failure::error(
                        "monitor-topic",
                        format!(
                            "{name} is {:?}, which is not a valid topic",
                            text.map_or("", String::as_str)
                        ),
                        "give 1 to 128 letters without +, #, and empty levels, as in undertone/v1",
                    ));
                }
            }
            let settings = self
                .access
                .settings(url, &crate::broker::client_id("monitor"))?;
            let place = format!("{}:{}", url.host, url.port);
            source::mqtt::start(settings, &self.prefix, self.device.as_deref(), feed)?;
            return Ok(place);
        }
        if let Some(port) = &self.serial {
            source::serial::start(port.clone(), self.baud, feed)?;
            return Ok(port.display().to_string());
        }
        let path = self.socket.clone();
        let path = path
            .or_else(|| std::env::var_os("UNDERTONE_SOCKET").map(PathBuf::from))
            .unwrap_or_else(|| "/run/undertone/control.sock".into());
        source::socket::start(path.clone(), feed)?;
        Ok(path.display().to_string())
    }
}
