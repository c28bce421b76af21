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
    #[error("certificate: {0}")]
    Certificate(String),
    /// What answers is no MQTT 3.1.1 broker, or does not take us for a client.
    #[error("protocol: {0}")]
    Protocol(String),
}

impl Failure {
    /// A word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Failure::Network(_) => "network",
            Failure::Authentication(_) => "authentication",
            Failure::Certificate(_) => "certificate",
            Failure::Protocol(_) => "protocol",
        }
    }

    /// What is wrong, without the word in front of it.
    pub fn cause(&self) -> &str {
        match self {
            Failure::Network(cause)
            | Failure::Authentication(cause)
            | Failure::Certificate(cause)
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
                let text = match reason {
                    CertificateError::UnknownIssuer => {
                        "the broker's is not signed by a known authority".into()
                    }
                    CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                        "the broker's has expired".into()
                    }
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. } => {
                        "the broker's is not for the host name that was given".into()
                    }
                    other => format!("the broker's is not valid ({other})"),
                };
                Failure::Certificate(text)
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
            ) => Failure::Certificate(format!("the broker refuses the client's ({alert:?})")),
            // What a broker answers that wants a certificate and got none, before TLS 1.3.
            rustls::Error::AlertReceived(Alert::HandshakeFailure) => Failure::Certificate(
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
        let inner = error.get_ref();
        match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(tls) => tls.clone().into(),
            None => Failure::Network(error.to_string()),
        }
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
