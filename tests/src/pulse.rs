//! A microphone without a sound card: a private PulseAudio server with a null sink, whose monitor ALSA captures at
//! real-time pace. What is played into the sink is what the microphone hears.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The device's name in ALSA: `alsa:undertone_mic`.
pub const DEVICE: &str = "undertone_mic";

const PROGRAMS: [&str; 3] = ["pulseaudio", "paplay", "pactl"];
const DAEMON_CONF: &str = "default-sample-format = s16le\ndefault-sample-rate = 16000\nalternate-sample-rate = 16000\n\
                           default-sample-channels = 1\nexit-idle-time = -1\nrealtime-scheduling = no\nhigh-priority = no\n";

/// A running server; it ends with this value.
pub struct Rig {
    folder: TempDir,
    server: Option<Child>,
}

impl Rig {
    /// Starts a server; `None`, with a line that says so, when PulseAudio is not installed.
    ///
    /// # Panics
    /// When it is not installed and `UNDERTONE_REQUIRE_RIG` is set, or does not start.
    pub fn start() -> Option<Self> {
        let missing: Vec<_> = PROGRAMS
            .into_iter()
            .filter(|name| !installed(name))
            .collect();
        if !missing.is_empty() {
            let hint = "apt-get install pulseaudio pulseaudio-utils libasound2-plugins";
            assert!(
                std::env::var_os("UNDERTONE_REQUIRE_RIG").is_none(),
                "{missing:?} not installed: {hint}"
            );
            eprintln!("skipped: {missing:?} not installed; {hint}");
            return None;
        }
        let folder =
            TempDir::with_prefix("undertone-rig-").unwrap_or_else(|error| panic!("{error}"));
        let at = |name: &str| folder.path().join(name);
        let socket = at("native");
        let script = format!(
            "load-module module-native-protocol-unix auth-anonymous=1 socket={}\n\
             load-module module-null-sink sink_name=mic rate=16000 channels=1 format=s16le\n",
            socket.display()
        );
        let alsa = format!(
            "</usr/share/alsa/alsa.conf>\npcm.{DEVICE} {{ type pulse device \"mic.monitor\" server \"unix:{0}\" }}\n\
             ctl.{DEVICE} {{ type pulse source \"mic.monitor\" server \"unix:{0}\" }}\n",
            socket.display()
        );
        let config = fs::create_dir(at("run"))
            .and_then(|()| fs::write(at("daemon.conf"), DAEMON_CONF))
            .and_then(|()| fs::write(at("rig.pa"), script))
            .and_then(|()| fs::write(at("asound.conf"), alsa));
        config.unwrap_or_else(|error| panic!("{error}"));
        let mut rig = Rig {
            folder,
            server: None,
        };
        rig.plug();
        Some(rig)
    }

    /// Starts the server again after [`Rig::unplug`].
    ///
    /// # Panics
    /// When it does not start.
    pub fn plug(&mut self) {
        let mut command = self.command("pulseaudio");
        command
            .args([
                "-n",
                "--daemonize=no",
                "--use-pid-file=no",
                "--disallow-exit",
                "-F",
            ])
            .arg(self.at("rig.pa"));
        let server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.server = Some(server.unwrap_or_else(|error| panic!("pulseaudio: {error}")));
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let mut ask = self.command("pactl");
            ask.args(["list", "short", "sources"]).stderr(Stdio::null());
            let sources = ask.output().map(|output| output.stdout).unwrap_or_default();
            if String::from_utf8_lossy(&sources).contains("mic.monitor") {
                return;
            }
            assert!(Instant::now() < until, "pulseaudio does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the server: to its clients, the microphone is unplugged.
    pub fn unplug(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
            let _ = fs::remove_file(self.at("native"));
        }
    }

    /// Plays a file into the microphone, in real time; returns at its end.
    ///
    /// # Panics
    /// When it cannot be played.
    pub fn play(&self, clip: &Path) {
        let played = self.player(clip).status();
        assert!(
            played.is_ok_and(|status| status.success()),
            "{} cannot be played",
            clip.display()
        );
    }

    /// Begins to play a file into the microphone.
    ///
    /// # Panics
    /// When it cannot be played.
    pub fn begin_to_play(&self, clip: &Path) -> Child {
        self.player(clip)
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("paplay: {error}"))
    }

    /// Turns the microphone's own switch on or off.
    ///
    /// # Panics
    /// When that is refused.
    pub fn switch(&self, on: bool) {
        let mut command = self.command("pactl");
        command.args(["set-source-mute", "mic.monitor", if on { "0" } else { "1" }]);
        let switched = command.status().is_ok_and(|status| status.success());
        assert!(switched, "the microphone cannot be switched");
    }

    /// How many streams record from the microphone.
    ///
    /// # Panics
    /// When the server does not say.
    pub fn listeners(&self) -> usize {
        let mut command = self.command("pactl");
        let listed = command.args(["list", "short", "source-outputs"]).output();
        let listed = listed.unwrap_or_else(|error| panic!("pactl: {error}"));
        String::from_utf8_lossy(&listed.stdout).lines().count()
    }

    /// What a process needs in its environment to see this microphone and no other.
    pub fn env(&self) -> Vec<(&'static str, PathBuf)> {
        let server = PathBuf::from(format!("unix:{}", self.at("native").display()));
        vec![
            ("XDG_RUNTIME_DIR", self.at("run")),
            ("HOME", self.folder.path().to_owned()),
            ("PULSE_CONFIG", self.at("daemon.conf")),
            ("PULSE_SERVER", server),
            ("ALSA_CONFIG_PATH", self.at("asound.conf")),
        ]
    }

    fn player(&self, clip: &Path) -> Command {
        let mut command = self.command("paplay");
        command
            .args(["--latency-msec=200", "--device=mic"])
            .arg(clip);
        command
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(self.env()).stdin(Stdio::null());
        command
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.unplug();
    }
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
