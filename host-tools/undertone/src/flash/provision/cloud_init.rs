//! cloud-init: `user-data`, `network-config`, `meta-data`. JSON is YAML, and needs no care with blanks and quotes.

use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::payload::{SERVICE, unit};
use super::setup::Setup;
use crate::text::hex;

/// Where these images mount their boot partition.
const BOOT: &str = "/boot/firmware";

pub(super) fn files(setup: &Setup) -> Result<Vec<(String, Vec<u8>)>> {
    let user_data = format!("#cloud-config\n{:#}\n", user_data(setup));
    let network = format!("{:#}\n", network(setup));
    // Another content is another instance; otherwise a card that was set up before would take nothing anew.
    let digest = Sha256::digest(format!("{user_data}{network}"));
    let id = hex(&digest[..8]);
    let meta_data = format!("{:#}\n", json!({"instance-id": format!("undertone-{id}")}));
    Ok(vec![
        ("user-data".into(), user_data.into_bytes()),
        ("network-config".into(), network.into_bytes()),
        ("meta-data".into(), meta_data.into_bytes()),
    ])
}

fn user_data(setup: &Setup) -> Value {
    let user = &setup.user;
    let mut account = json!({
        "name": user.name,
        "groups": "users,adm,dialout,audio,netdev,video,plugdev,gpio,i2c,spi,sudo",
        "shell": "/bin/bash",
        "lock_passwd": user.password_hash.is_none(),
        "ssh_authorized_keys": user.ssh_keys,
    });
    match &user.password_hash {
        Some(hash) => account["passwd"] = hash.as_str().into(),
        // Whoever has no password cannot be asked for it.
        None => account["sudo"] = "ALL=(ALL) NOPASSWD:ALL".into(),
    }
    let mut data = json!({
        "hostname": setup.hostname,
        "manage_etc_hosts": true,
        "users": [account],
        "ssh_pwauth": user.ssh_keys.is_empty(),
        "enable_ssh": true,
        "runcmd": [
            ["systemctl", "enable", "--now", "ssh"],
            // Not the script itself: this list is run once, and the service until it succeeds.
            ["systemctl", "enable", "--now", SERVICE],
        ],
        "write_files": [{
            "path": format!("/etc/systemd/system/{SERVICE}"),
            "content": unit(BOOT),
        }],
    });
    if let Some(zone) = &setup.timezone {
        data["timezone"] = zone.as_str().into();
    }
    data
}

/// netplan's format, version 2.
fn network(setup: &Setup) -> Value {
    let mut network = json!({
        "version": 2,
        "ethernets": {"eth0": {"dhcp4": true, "dhcp6": true, "optional": true}},
    });
    if let Some(wifi) = &setup.wifi {
        network["wifis"] = json!({"wlan0": {
            "dhcp4": true,
            "regulatory-domain": wifi.country,
            "access-points": {wifi.ssid.as_str(): {"password": wifi.psk()}},
            "optional": true,
        }});
    }
    json!({"network": network})
}

#[cfg(test)]
mod tests {
    use super::super::setup::tests::GOOD;
    use super::*;

    #[test]
    fn what_is_asked_for_is_in_the_files_and_the_passphrase_is_not() {
        let files = files(&Setup::parse(GOOD).unwrap()).unwrap();
        let text = |name: &str| {
            let (_, content) = files.iter().find(|(own, _)| own == name).unwrap();
            String::from_utf8(content.clone()).unwrap()
        };
        let user = text("user-data");
        let user: Value =
            serde_json::from_str(user.strip_prefix("#cloud-config\n").unwrap()).unwrap();
        assert_eq!(user["hostname"], "undertone-1");
        assert_eq!(user["users"][0]["lock_passwd"], false);
        assert_eq!(user["ssh_pwauth"], false);
        let network: Value = serde_json::from_str(&text("network-config")).unwrap();
        let wlan = &network["network"]["wifis"]["wlan0"];
        assert_eq!(
            wlan["access-points"]["IEEE"]["password"]
                .as_str()
                .unwrap()
                .len(),
            64
        );
        assert!(!text("network-config").contains("\"password\": \"password\""));
        assert!(text("meta-data").contains("undertone-"));
    }
}
