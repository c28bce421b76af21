//! What the service would run with: its configuration, its environment, its model, its socket.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use undertone_slots::{Settings as SlotSettings, Slots, own_board};

use super::Place;
use super::environment::variables;
use crate::config::{self, ConfigError, EVALUATION, Layers, Overrides, Settings};

/// Where the package's unit has its environment.
pub(crate) const ENVIRONMENT: &str = "/etc/undertone/undertoned.env";
/// Where a service of the system has its socket.
const SYSTEM_SOCKET: &str = "/run/undertone/control.sock";
/// An environment file is not longer.
const MAX_BYTES: u64 = 64 * 1024;

/// What the service would run with.
pub(crate) struct Setup {
    /// The configuration file, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// The service's environment: from its file, then from ours.
    pub(crate) environment: Vec<(String, String)>,
    /// Why the configuration cannot be used.
    pub(crate) refusal: Option<ConfigError>,
    /// What it says, as far as it can be read; the defaults otherwise.
    pub(crate) settings: Option<Settings>,
    /// The model that is used; the embedded one when `None`.
    pub(crate) model: Option<PathBuf>,
    /// Where the daemon takes commands.
    pub(crate) socket: PathBuf,
    /// Settings of the slots.
    pub(crate) slots: SlotSettings,
    /// Why those cannot be used.
    pub(crate) slots_refusal: Option<String>,
    /// Why the current slot cannot be run, so that the packaged program is.
    pub(crate) slot_refusal: Option<String>,
    /// The board's name, `pc`, or `unknown`.
    pub(crate) board: String,
}

impl Setup {
    /// Finds what the service would use, as `undertoned slot exec` does.
    pub(crate) fn find(place: &Place) -> Self {
        let (slots, slots_refusal) = match SlotSettings::read(place.slots.as_deref()) {
            Ok(slots) => (slots, None),
            Err(error) => (SlotSettings::default(), Some(error.to_string())),
        };
        let (slot, slot_refusal) = match Slots::contents(&slots.root) {
            Ok(slot) => (slot, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let of_slot = slot.as_ref().and_then(|slot| slot.configuration.clone());
        let configured = || {
            let path = of_slot.unwrap_or(slots.configuration.clone());
            // One that may not be looked at is there all the same, and that is worth telling.
            std::fs::symlink_metadata(&path)
                .map_or_else(
                    |error| error.kind() != std::io::ErrorKind::NotFound,
                    |_| true,
                )
                .then_some(path)
        };
        let file = place.config.clone().or_else(configured);
        let mut environment = variables(&read_short(&place.env_file).unwrap_or_default());
        environment.extend(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }));
        let (settings, refusal) = load(file.clone(), environment.clone());
        let model = slot.and_then(|slot| slot.model).or_else(|| {
            settings
                .as_ref()
                .and_then(|settings| settings.model.clone())
        });
        let socket = place
            .socket
            .clone()
            .or_else(|| {
                settings
                    .as_ref()
                    .and_then(|settings| settings.control.clone())
            })
            .or_else(|| std::env::var_os("UNDERTONE_SOCKET").map(PathBuf::from))
            .unwrap_or_else(|| SYSTEM_SOCKET.into());
        let board = slots.board.clone();
        Setup {
            file,
            environment,
            refusal,
            settings,
            model,
            socket,
            slots_refusal,
            slot_refusal,
            board: board
                .or_else(|| own_board().ok().map(str::to_owned))
                .unwrap_or_else(|| "unknown".into()),
            slots,
        }
    }
}

/// The settings, and why the daemon would refuse them. Without a lawful purpose the daemon does not start, but whether the
/// microphone is plugged in can be found out all the same.
fn load(
    file: Option<PathBuf>,
    environment: Vec<(String, String)>,
) -> (Option<Settings>, Option<ConfigError>) {
    let mut layers = Layers {
        file,
        environment,
        overrides: Overrides::default(),
    };
    let refusal = match config::load(&layers) {
        Ok(configuration) => return (Some(configuration.settings), None),
        Err(refusal) => refusal,
    };
    if !matches!(refusal, ConfigError::Deployment(_)) {
        return (None, Some(refusal));
    }
    let text = |text: &str| Value::String(text.into());
    let deployment = Table::from_iter([
        ("purpose".to_owned(), text(EVALUATION)),
        ("subjects".to_owned(), text("public")),
    ]);
    layers
        .overrides
        .sections
        .insert("deployment".into(), Value::Table(deployment));
    let settings = config::load(&layers).ok();
    (settings.map(|loaded| loaded.settings), Some(refusal))
}

/// A short text file; what is longer is cut.
pub(crate) fn read_short(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(MAX_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_without_a_purpose_still_names_its_microphone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("undertoned.toml");
        std::fs::write(&file, "[source]\nname = \"alsa:mine\"\n").unwrap();
        let (settings, refusal) = load(Some(file), Vec::new());
        assert!(matches!(refusal, Some(ConfigError::Deployment(_))));
        assert_eq!(settings.unwrap().sources[0].spec.to_string(), "alsa:mine");
    }

    #[test]
    fn the_model_and_configuration_of_the_current_slot_are_those_that_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("slots/a")).unwrap();
        std::os::unix::fs::symlink("a", at("slots/current")).unwrap();
        std::fs::write(at("slots/a/undertoned"), "").unwrap();
        std::fs::write(at("slots/a/model.onnx"), "").unwrap();
        std::fs::write(
            at("slots/a/undertoned.toml"),
            "[deployment]\npurpose = \"evaluation\"\n[control]\nsocket = \"/tmp/x.sock\"\n",
        )
        .unwrap();
        let settings = format!("root = \"{}\"\nboard = \"rpi-4\"\n", at("slots").display());
        std::fs::write(at("slots.toml"), settings).unwrap();
        let find = || {
            Setup::find(&Place {
                slots: Some(at("slots.toml")),
                ..Place::default()
            })
        };
        let setup = find();
        assert!(setup.refusal.is_none(), "{:?}", setup.refusal);
        assert_eq!(setup.file, Some(at("slots/a/undertoned.toml")));
        assert_eq!(setup.model, Some(at("slots/a/model.onnx")));
        assert_eq!(setup.socket, PathBuf::from("/tmp/x.sock"));
        assert_eq!(setup.board, "rpi-4");
        assert_eq!(setup.slot_refusal, None);

        // Without its program the slot is not run, nor looked at.
        std::fs::remove_file(at("slots/a/undertoned")).unwrap();
        let setup = find();
        assert_eq!(setup.model, None);
        assert_ne!(setup.file, Some(at("slots/a/undertoned.toml")));
        assert!(setup.slot_refusal.unwrap().contains("slot a is damaged"));
    }
}
