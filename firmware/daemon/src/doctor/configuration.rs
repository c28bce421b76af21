//! Whether the configuration can be used.

use super::check::Check;
use super::setup::Setup;
use crate::config::{self, ConfigError, Layers, Overrides};

const NAME: &str = "configuration";

pub(super) fn check(setup: &Setup) -> Vec<Check> {
    let mut checks = vec![of_daemon(setup)];
    if let Some(reason) = &setup.slots_refusal {
        let next = "sudo editor /etc/undertone/slots.toml; sudo undertoned slot status";
        checks.push(Check::fail(NAME, "slots-settings", reason, next).about("slots.toml"));
    }
    if let Some(reason) = &setup.slot_refusal {
        let cause = format!("{reason}; the packaged program runs instead");
        let next = "sudo undertoned slot status; sudo undertoned slot rollback --packaged";
        let root = setup.slots.root.display();
        checks.push(Check::warn(NAME, "slot-damaged", cause, next).about(root));
    }
    checks
}

fn of_daemon(setup: &Setup) -> Check {
    let Some(file) = &setup.file else {
        let wanted = setup.slots.configuration.display();
        return Check::fail(
            NAME,
            "configuration-missing",
            format!("{wanted} does not exist, so the daemon does not know what it is used for"),
            format!("sudo editor {wanted}   # at least [deployment] with purpose and subjects"),
        );
    };
    let shown = file.display();
    let check = match &setup.refusal {
        None => {
            let layers = Layers {
                file: setup.file.clone(),
                environment: setup.environment.clone(),
                overrides: Overrides::default(),
            };
            let written = config::load(&layers).map_or(0, |loaded| loaded.written.len());
            Check::ok(NAME, format!("usable; {written} section(s) are given"))
        }
        Some(refusal @ ConfigError::Unreadable { reason, .. }) => {
            let (code, next) = match reason.kind() {
                std::io::ErrorKind::PermissionDenied => (
                    "configuration-denied",
                    format!("sudo undertoned doctor; ls -l {shown}"),
                ),
                _ => (
                    "configuration-unreadable",
                    format!("ls -l {shown}; sudo editor {shown}"),
                ),
            };
            Check::fail(NAME, code, refusal.to_string(), next)
        }
        Some(refusal) => {
            let code = match refusal {
                ConfigError::Deployment(_) => "deployment",
                _ => "configuration-invalid",
            };
            let next = format!("sudo editor {shown}; undertoned --config {shown} --check");
            Check::fail(NAME, code, harmless(refusal), next)
        }
    };
    check.about(shown)
}

/// What is wrong, without what stands in the file: a line that is quoted may hold a password.
fn harmless(refusal: &ConfigError) -> String {
    match refusal {
        ConfigError::Syntax { path, reason } => {
            format!("{} is not TOML: {reason}", path.display())
        }
        ConfigError::Field(error) if error.allowed.is_none() => {
            let mut error = error.clone();
            error.value = None;
            error.to_string()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("undertoned.toml");
        std::fs::write(&file, text).unwrap();
        let layers = Layers {
            file: Some(file),
            ..Layers::default()
        };
        harmless(&config::load(&layers).unwrap_err())
    }

    #[test]
    fn what_is_wrong_is_told_without_what_stands_beside_it() {
        for text in [
            "[mqtt]\npassword = \"hunter2\" broken\n",
            "[mqtt]\npassword = hunter2\n",
            "[mqtt]\npasswort = \"hunter2\"\n",
            "[mqtt\npassword = \"hunter2\"\n",
            "[mqtt]\npassword = [\"hunter2\"]\n",
            "x = \"hunter2\"\n",
        ] {
            let told = refusal(text);
            assert!(!told.contains("hunter2"), "{told}");
            assert!(told.contains("undertoned.toml"), "{told}");
        }
        let told =
            refusal("[serial]\nport = \"x\"\nbaud = 1\n[deployment]\npurpose = \"evaluation\"\n");
        assert!(told.contains("serial.baud is 1"), "{told}");
    }
}
