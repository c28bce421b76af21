//! The wireless network.

use anyhow::Result;
use serde::Deserialize;

use super::{country, refuse};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::flash::provision) struct Wifi {
    pub(in crate::flash::provision) ssid: String,
    pub(in crate::flash::provision) passphrase: String,
    /// Two letters; the law decides the channels.
    pub(in crate::flash::provision) country: String,
}

impl Wifi {
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=32).contains(&self.ssid.len()) || self.ssid.chars().any(char::is_control) {
            return Err(refuse("wifi.ssid", "1 to 32 bytes are expected"));
        }
        let length = self.passphrase.len();
        let ascii = self
            .passphrase
            .bytes()
            .all(|byte| (32..127).contains(&byte));
        // IEEE 802.11-2020, annex J.4.
        if !(8..=63).contains(&length) || !ascii {
            return Err(refuse(
                "wifi.passphrase",
                format!("it has {length} characters; 8 to 63 of printable ASCII are expected"),
            ));
        }
        if !country::is_known(&self.country) {
            return Err(refuse(
                "wifi.country",
                format!(
                    "{:?} is not a country of ISO 3166; use two capitals, such as DE, GB or US",
                    self.country
                ),
            ));
        }
        Ok(())
    }

    /// The key that the passphrase stands for, in 64 hexadecimal digits; the passphrase itself is not written to the
    /// card. IEEE 802.11-2020, annex J.4: PBKDF2-HMAC-SHA1, 4096 rounds, the SSID as salt.
    pub(in crate::flash::provision) fn psk(&self) -> String {
        let mut key = [0u8; 32];
        pbkdf2::pbkdf2_hmac::<sha1::Sha1>(
            self.passphrase.as_bytes(),
            self.ssid.as_bytes(),
            4096,
            &mut key,
        );
        crate::text::hex(&key)
    }
}
