//! What to do about a connection that is not made, in words of the configuration.

use undertone_mqtt::{Failure, tls};

use crate::config::MqttTlsSection;

/// Whether every file that TLS needs can be used.
///
/// # Errors
/// Why not, and what to do.
pub(crate) fn check(section: &MqttTlsSection) -> Result<(), String> {
    tls::config(&section.files())
        .map(drop)
        .map_err(|failure| advised(&failure))
}

/// The failure, and which fields to look at.
pub(super) fn advised(failure: &Failure) -> String {
    let advice = match failure {
        Failure::Authentication(_) => {
            "; check mqtt.user and the password, and the rights of that user at the broker"
        }
        Failure::Certificate(..) => {
            "; check mqtt.tls, the certificates' dates and names, and the clock"
        }
        Failure::Protocol(_) => "; check mqtt.port, and whether it is one for TLS (mqtt.tls)",
        Failure::Network(_) => "",
    };
    format!("{failure}{advice}")
}
