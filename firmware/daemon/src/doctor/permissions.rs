//! Whether the service may use what it needs, and others may not read what they should not.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::check::Check;
use super::setup::Setup;
use crate::inventory::{access, group_name};

const NAME: &str = "permissions";
/// Groups that the unit gives to the service.
const SERVICE: [&str; 2] = ["audio", "dialout"];

pub(super) fn check(setup: &Setup) -> Vec<Check> {
    let mut checks = vec![sound(Path::new("/dev/snd"), user_id())];
    checks.extend(secrets(setup));
    checks
}

/// The devices of the sound cards.
fn sound(folder: &Path, user: u32) -> Check {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut devices: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.starts_with("pcmC") && name.ends_with('c')
        })
        .collect();
    devices.sort();
    if devices.is_empty() {
        let cause = "no sound card has a device that captures";
        return Check::skipped(NAME, "no-sound-card", cause);
    }
    for device in &devices {
        if let Err(why) = usable(device, user) {
            let shown = device.display();
            let next =
                "sudo usermod -aG audio \"$USER\"; sudo udevadm trigger -s sound; ls -l /dev/snd";
            return Check::fail(NAME, "sound-denied", why, next).about(shown);
        }
    }
    let cause = format!("the service may open all {} device(s)", devices.len());
    Check::ok(NAME, cause).about(folder.display())
}

/// Whether this user, or for root the service, may open a device.
pub(super) fn usable(device: &Path, user: u32) -> Result<(), String> {
    if user != 0 {
        return access(device);
    }
    // Root may open everything; the service has only its groups.
    let about = fs::metadata(device).map_err(|error| error.to_string())?;
    let group = group_name(about.gid());
    let by_group = about.mode() & 0o060 == 0o060 && SERVICE.contains(&group.as_str());
    if by_group || about.mode() & 0o006 == 0o006 {
        return Ok(());
    }
    Err(format!(
        "the service is in the groups {}, but the device is of group {group}, mode {:o}",
        SERVICE.join(" and "),
        about.mode() & 0o777
    ))
}

/// Files with secrets that everybody can read.
fn secrets(setup: &Setup) -> Vec<Check> {
    let mut files = Vec::new();
    let written = |file: &PathBuf| {
        let text = super::setup::read_short(file).unwrap_or_default();
        let table: toml::Table = toml::from_str(&text).unwrap_or_default();
        table.get("mqtt")?.get("password")?;
        Some(file.clone())
    };
    files.extend(
        setup
            .file
            .as_ref()
            .and_then(written)
            .map(|file| (file, "mqtt.password")),
    );
    let mqtt = setup
        .settings
        .as_ref()
        .and_then(|settings| settings.mqtt.as_ref());
    if let Some(mqtt) = mqtt {
        if let undertone_mqtt::Password::File(file) = &mqtt.password {
            files.push((file.clone(), "mqtt.password_file"));
        }
        let key = mqtt.tls.as_ref().and_then(|tls| tls.key.clone());
        files.extend(key.map(|file| (file, "mqtt.tls.key")));
    }
    files
        .into_iter()
        .map(|(file, what)| secret(&file, what))
        .collect()
}

fn secret(file: &Path, what: &str) -> Check {
    let shown = file.display();
    let check = match fs::metadata(file) {
        Err(error) => Check::fail(
            NAME,
            "secret-unreadable",
            format!("{what} cannot be read: {error}"),
            format!("sudo ls -l {shown}"),
        ),
        Ok(about) if about.mode() & 0o004 != 0 => Check::warn(
            NAME,
            "secret-exposed",
            format!(
                "{what} stands in a file that everybody on this box can read (mode {:o})",
                about.mode() & 0o777
            ),
            "sudo editor /etc/undertone/undertoned.env   # UNDERTONE_MQTT_PASSWORD=..., mode 600; or chmod 600, owned by the service's user",
        ),
        Ok(_) => Check::ok(NAME, format!("{what} is not readable for everybody")),
    };
    check.about(shown)
}

/// The effective user of this process.
pub(super) fn user_id() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let effective = line.and_then(|ids| ids.split_whitespace().nth(1)?.parse().ok());
    effective.unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_device_that_only_its_owner_may_open_is_none_for_the_service() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("pcmC0D0c");
        fs::write(&device, "").unwrap();
        fs::write(folder.path().join("controlC0"), "").unwrap();
        let mode = |mode| fs::set_permissions(&device, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o600);
        let check = sound(folder.path(), 0);
        assert_eq!((check.verdict, check.code), (Verdict::Fail, "sound-denied"));
        assert!(check.cause.contains("mode 600"), "{}", check.cause);
        mode(0o666);
        assert_eq!(sound(folder.path(), 0).verdict, Verdict::Ok);
        assert_eq!(sound(Path::new("/nowhere"), 0).verdict, Verdict::Skipped);
    }

    #[test]
    fn a_password_that_everybody_can_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        fs::write(&file, "x").unwrap();
        let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        assert_eq!(secret(&file, "mqtt.password_file").code, "secret-exposed");
        mode(0o640);
        assert_eq!(secret(&file, "mqtt.password_file").verdict, Verdict::Ok);
        assert_eq!(secret(Path::new("/nowhere"), "x").code, "secret-unreadable");
    }
}
