//! One connection to the broker, to see whether it takes us: what the sink does, without a subscription or a message.

use std::time::{Duration, Instant};

use undertone_mqtt::{Happened, Link, Will, packet};

use crate::config::MqttSettings;
use crate::status::Topics;

/// A client id has at most so many bytes.
const MAX_CLIENT_ID: usize = 128;
/// How long the good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(2);

/// A broker that has taken us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// From the first look at its name to its greeting.
    pub(crate) took: Duration,
    /// Its certificate (DER), where it speaks TLS.
    pub(crate) certificate: Option<Vec<u8>>,
}

/// One that has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// `network`, `authentication`, `certificate` or `protocol`.
    pub(crate) kind: &'static str,
    /// What happened.
    pub(crate) cause: String,
}

/// Connects as the sink would, but under a name of its own, so that a daemon that is connected stays so.
///
/// # Errors
/// Why the broker does not take us, or that it does not answer in time.
pub(crate) fn probe(settings: &MqttSettings, patience: Duration) -> Result<Taken, Refused> {
    // A broker may ask for the right to publish a will; this one is never published after a good-bye.
    let topic = Topics::new(&settings.topic_prefix, &settings.device).result("doctor");
    let mut client = settings.client(&topic);
    client.client_id += "-doctor";
    while client.client_id.len() > MAX_CLIENT_ID {
        client.client_id.remove(0);
    }
    client.will = Some(Will {
        topic,
        payload: "broke off".into(),
    });
    let mut link = Link::new(client);
    let began = Instant::now();
    while began.elapsed() < patience {
        for happened in link.turn(Instant::now()) {
            match happened {
                Happened::Up => {
                    let taken = Taken {
                        took: began.elapsed(),
                        certificate: link.peer_certificate(),
                    };
                    leave(&mut link);
                    return Ok(taken);
                }
                Happened::Down(failure, _) => {
                    return Err(Refused {
                        kind: failure.kind(),
                        cause: failure.to_string(),
                    });
                }
                Happened::Packet(_) => {}
            }
        }
        link.wait(patience.saturating_sub(began.elapsed()));
    }
    Err(Refused {
        kind: "network",
        cause: format!("network: no answer within {} s", patience.as_secs()),
    })
}

fn leave(link: &mut Link) {
    if let Some(out) = link.out() {
        out.extend(packet::DISCONNECT);
    }
    let until = Instant::now() + GOOD_BYE;
    loop {
        let _ = link.turn(Instant::now());
        if link.is_flushed() || Instant::now() >= until {
            return;
        }
        link.wait(until.saturating_duration_since(Instant::now()));
    }
}
