//! Why there is no connection, told apart by what somebody has to do about it.

use std::io;

use rustls::{AlertDescription, CertificateError};

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Heals by itself, or by repairing the network.
    #[error("network: {0}")]
    Network(String),
    /// Needs another user or password, or a right for them at the broker.
    #[error("authentication: {0}")]
    Authentication(String),
    /// Needs another certificate, here or there, or a clock that is right.
    #[error("certificate: {1}")]
    Certificate(Doubt, String),
    /// What answers is no MQTT 3.1.1 broker, or does not take us for a client, or expects TLS and gets none or the reverse.
    #[error("protocol: {0}")]
    Protocol(String),
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Whoever signed the broker's is not trusted here.
    Issuer,
    /// The broker's has expired or does not hold yet, by the clock of this machine.
    Date,
    /// The broker's is for another name.
    Name,
    /// The broker's cannot be right.
    Broken,
    /// The broker does not accept ours, or wants one and gets none.
    Own,
    /// A file of ours cannot be used.
    File,
}

impl Failure {
    /// A word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Failure::Network(_) => "network",
            Failure::Authentication(_) => "authentication",
            Failure::Certificate(..) => "certificate",
            Failure::Protocol(_) => "protocol",
        }
    }

    /// What is wrong, without the word in front of it.
    pub fn cause(&self) -> &str {
        match self {
            Failure::Network(cause)
            | Failure::Authentication(cause)
            | Failure::Certificate(_, cause)
            | Failure::Protocol(cause) => cause,
        }
    }

    /// The refusal of a broker by its return code (MQTT 3.1.1, 3.2.2.3).
    pub(crate) fn refused(code: u8) -> Self {
        match code {
            3 => Failure::Network("the broker says that it is not available".into()),
            4 => Failure::Authentication("the broker refuses user or password".into()),
            5 => Failure::Authentication("the broker does not authorise this client".into()),
            1 => Failure::Protocol("the broker does not speak MQTT 3.1.1".into()),
            2 => Failure::Protocol("the broker refuses the client id".into()),
            _ => Failure::Protocol(format!("the broker refuses with the unknown code {code}")),
        }
    }
}

impl From<rustls::Error> for Failure {
    fn from(error: rustls::Error) -> Self {
        use AlertDescription as Alert;
        match &error {
            rustls::Error::InvalidCertificate(reason) => {
                let (doubt, text) = match reason {
                    CertificateError::UnknownIssuer => (
                        Doubt::Issuer,
                        "the broker's is not signed by a known authority".into(),
                    ),
                    CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                        (Doubt::Date, "the broker's has expired".into())
                    }
                    CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                        (Doubt::Date, "the broker's does not hold yet".into())
                    }
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. } => (
                        Doubt::Name,
                        "the broker's is not for the host name that was given".into(),
                    ),
                    other => (
                        Doubt::Broken,
                        format!("the broker's is not valid ({other})"),
                    ),
                };
                Failure::Certificate(doubt, text)
            }
            rustls::Error::AlertReceived(
                alert @ (Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::NoCertificate
                | Alert::CertificateRequired),
            ) => Failure::Certificate(
                Doubt::Own,
                format!("the broker refuses the client's ({alert:?})"),
            ),
            // What a broker answers that wants a certificate and got none, before TLS 1.3.
            rustls::Error::AlertReceived(Alert::HandshakeFailure) => Failure::Certificate(
                Doubt::Own,
                "the broker breaks the handshake off; it may want a client certificate".into(),
            ),
            rustls::Error::InvalidMessage(_) => {
                Failure::Protocol("what answers does not speak TLS; is the port right?".into())
            }
            other => Failure::Network(format!("TLS: {other}")),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let Some(inner) = error.get_ref() else {
            return Failure::Network(error.to_string());
        };
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return tls.clone().into();
        }
        let failure = inner.downcast_ref::<Failure>();
        failure.map_or_else(|| Failure::Network(error.to_string()), Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart_by_what_has_to_be_done() {
        let kinds: Vec<_> = (1..=6).map(|code| Failure::refused(code).kind()).collect();
        assert_eq!(
            kinds,
            [
                "protocol",
                "protocol",
                "network",
                "authentication",
                "authentication",
                "protocol"
            ]
        );
        let expired = rustls::Error::AlertReceived(AlertDescription::CertificateExpired);
        assert_eq!(Failure::from(expired.clone()).kind(), "certificate");
        assert_eq!(
            Failure::from(io::Error::other(expired)).kind(),
            "certificate"
        );
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(Failure::from(reset).kind(), "network");
    }
}
