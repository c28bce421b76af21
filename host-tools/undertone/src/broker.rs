//! A broker as it is named on the command line, and waiting for what it says.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use undertone_mqtt::{
    Doubt, Failure as MqttFailure, Link, Password, Secret, Settings, TlsFiles, Wake,
};

use crate::failure::Failure;

/// The longest wait between two tries to connect.
const RETRY: Duration = Duration::from_secs(30);

/// Who we are to a broker, and whom we trust.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Access {
    /// A file whose first line is the password [default: $UNDERTONE_MQTT_PASSWORD holds the password]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Who may sign the broker's certificate, PEM [default: whom the system trusts]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Our own certificate, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

/// A broker's address: `mqtt://[USER@]HOST[:PORT]`, or `mqtts://` for TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) tls: bool,
    pub(crate) user: Option<String>,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl std::str::FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (tls, rest) = match text.split_once("://") {
            Some(("mqtt" | "tcp", rest)) => (false, rest),
            Some(("mqtts" | "ssl", rest)) => (true, rest),
            Some((scheme, _)) => {
                return Err(format!("{scheme}:// is neither mqtt:// nor mqtts://"));
            }
            None => (false, text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => {
                return Err("other users of this machine could read a password in it; give it in --password-file or UNDERTONE_MQTT_PASSWORD".into());
            }
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, rest),
        };
        let usual = if tls { 8883 } else { 1883 };
        // An address of IPv6 stands in brackets.
        let (host, port) = match place
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = match port {
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| format!("{port:?} is not a port from 1 to 65535"))?,
            None => usual,
        };
        let good = !host.is_empty()
            && !host.contains(|letter: char| {
                letter.is_whitespace() || letter.is_control() || "/[]".contains(letter)
            });
        if !good {
            return Err("give mqtt://HOST, mqtt://USER@HOST:PORT or mqtts://HOST".into());
        }
        Ok(Url {
            tls,
            user,
            host: host.to_owned(),
            port,
        })
    }
}

impl Access {
    /// The settings of a client with this name.
    pub(crate) fn settings(&self, url: &Url, client_id: &str) -> Result<Settings> {
        if !url.tls && (self.ca.is_some() || self.certificate.is_some()) {
            return Err(Failure::error(
                "broker-tls",
                "certificates are of no use for mqtt://",
                "write mqtts://, or leave --ca and --certificate out",
            ));
        }
        let given = std::env::var("UNDERTONE_MQTT_PASSWORD").ok();
        let password = match (&self.password_file, given) {
            (Some(path), _) => Password::File(path.clone()),
            // A password without a user is none (MQTT 3.1.1, 3.1.2.9).
            (None, Some(text)) if url.user.is_some() => Password::Given(Secret::new(text)),
            (None, _) => Password::None,
        };
        if password != Password::None && url.user.is_none() {
            return Err(Failure::error(
                "broker-user",
                "a password is given, but no user",
                "write mqtt://USER@HOST",
            ));
        }
        Ok(Settings {
            host: url.host.clone(),
            port: url.port,
            tls: url.tls.then(|| TlsFiles {
                ca: self.ca.clone(),
                certificate: self.certificate.clone(),
                key: self.key.clone(),
            }),
            client_id: client_id.to_owned(),
            user: url.user.clone(),
            password,
            keep_alive_s: 30,
            retry_max: RETRY,
            will: None,
        })
    }
}

/// Why there is no connection, with a code and what to do.
pub(crate) fn refused(place: &str, failure: &MqttFailure) -> anyhow::Error {
    let next = match failure {
        MqttFailure::Network(_) => "check host, port and firewall: nc -vz HOST PORT",
        MqttFailure::Authentication(_) => {
            "check the user in the URL, --password-file or UNDERTONE_MQTT_PASSWORD, and that user's rights at the broker"
        }
        MqttFailure::Certificate(doubt, _) => match doubt {
            Doubt::Issuer => {
                "give --ca the certificate of the authority that signed the broker's: openssl s_client -connect HOST:PORT -showcerts"
            }
            Doubt::Date => {
                "compare `date` with openssl s_client -connect HOST:PORT </dev/null | openssl x509 -noout -dates; set the clock, or have the certificate renewed"
            }
            Doubt::Name => {
                "connect by a name that it is for: openssl s_client -connect HOST:PORT </dev/null | openssl x509 -noout -ext subjectAltName"
            }
            Doubt::Broken => {
                "look at it: openssl s_client -connect HOST:PORT </dev/null | openssl x509 -noout -text"
            }
            Doubt::Own => "give --certificate and --key that an authority of the broker has signed",
            Doubt::File => "give --ca, --certificate and --key files in PEM that can be read",
        },
        MqttFailure::Protocol(_) => {
            "check that this port is one of an MQTT 3.1.1 broker; mqtts:// is for one with TLS (often 8883), mqtt:// for one without (often 1883)"
        }
    };
    Failure::error(
        format!("broker-{}", failure.kind()),
        format!("{place}: {failure}"),
        next.replace("HOST:PORT", place),
    )
}

/// A name for a client that no other has.
pub(crate) fn client_id(what: &str) -> String {
    let number = (undertone_mqtt::random() * f64::from(u32::MAX)) as u32;
    format!("undertone-{what}-{}-{number:08x}", std::process::id())
}

/// Where one waits for a broker: a connection that is being made in another thread rings.
pub(crate) struct Bell(UnixStream);

impl Bell {
    /// A bell that `link` rings.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub(crate) fn of(link: &mut Link) -> Result<Self> {
        let (rings, rung) = UnixStream::pair().context("no descriptor is left")?;
        rings.set_nonblocking(true)?;
        link.wakes(Wake::new(move || {
            let _ = (&rung).write(&[1]);
        }));
        Ok(Bell(rings))
    }

    /// Waits until the broker says something, it rings, or the link has to be turned again, but no longer than `longest`.
    pub(crate) fn wait(&mut self, link: &Link, longest: Duration) {
        let due = link.due().unwrap_or(Instant::now() + longest);
        let left = due.saturating_duration_since(Instant::now()).min(longest);
        let timeout = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        {
            let rung = PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN);
            // An interrupted wait is an early end of it.
            let _ = match link.interest() {
                Some((broker, flags)) => poll(
                    &mut [rung, PollFd::from_borrowed_fd(broker, flags)],
                    Some(&timeout),
                ),
                None => poll(&mut [rung], Some(&timeout)),
            };
        }
        let mut bytes = [0; 64];
        while matches!(self.0.read(&mut bytes), Ok(64)) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_a_password_in_it_refused() {
        let read = |text: &str| text.parse::<Url>();
        let url = read("mqtts://ann@broker.example").unwrap();
        assert_eq!(
            (url.tls, url.user.as_deref(), url.port),
            (true, Some("ann"), 8883)
        );
        let url = read("mqtt://[::1]:1884/").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.tls), ("::1", 1884, false));
        assert_eq!(read("localhost").unwrap().port, 1883);
        for wrong in [
            "",
            "http://x",
            "mqtt://",
            "mqtt://a:b@c",
            "mqtt://h:0",
            "mqtt://h:x",
            "mqtt://a b",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_needs_a_user_and_certificates_need_tls() {
        let access = Access {
            password_file: Some("p".into()),
            ..Access::default()
        };
        let url: Url = "mqtt://h".parse().unwrap();
        assert!(access.settings(&url, "x").is_err());
        let access = Access {
            ca: Some("ca.pem".into()),
            ..Access::default()
        };
        assert!(access.settings(&url, "x").is_err());
    }
}
