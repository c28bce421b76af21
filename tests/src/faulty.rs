//! A microphone whose faults can be ordered: the real alsa-lib with the capture plugin of `rig/faulty_mic.c`, for what a
//! sound server never does to its clients. It hears `speech.wav` over and over, from its beginning at every start.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// The device's name in ALSA: `alsa:faulty`.
pub const DEVICE: &str = "faulty";

/// All that a microphone offers.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// As ALSA calls it, for instance `S24_3LE`.
    pub format: &'static str,
    /// In Hz, a multiple of 16000.
    pub rate: usize,
    /// How many channels.
    pub channels: usize,
    /// The one that carries the clip.
    pub voice: usize,
    /// Whether the driver can resume after a suspend.
    pub resume: bool,
    /// Whether it stops while its buffer is full, instead of losing samples: no machine is too busy for it.
    pub waits: bool,
}

impl Default for Offer {
    fn default() -> Self {
        Offer {
            format: "S16_LE",
            rate: 16_000,
            channels: 1,
            voice: 0,
            resume: true,
            waits: false,
        }
    }
}

/// A microphone, plugged in.
pub struct FaultyMic {
    folder: TempDir,
}

impl FaultyMic {
    /// Builds it.
    ///
    /// # Panics
    /// When the C compiler or the headers of ALSA are missing, which building the daemon needs as well.
    pub fn new(offer: &Offer) -> Self {
        let folder =
            TempDir::with_prefix("undertone-mic-").unwrap_or_else(|error| panic!("{error}"));
        let mic = FaultyMic { folder };
        let source = super::root().join("tests/rig/faulty_mic.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-DPIC", "-O1", "-o"])
            .arg(mic.at("faulty.so"))
            .arg(source)
            .arg("-lasound")
            .output()
            .unwrap_or_else(|error| panic!("cc: {error}"));
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        let Offer {
            format,
            rate,
            channels,
            voice,
            resume,
            waits,
        } = *offer;
        let config = format!(
            "</usr/share/alsa/alsa.conf>\npcm_type.undertone_fault {{ lib \"{so}\" }}\n\
             pcm.{DEVICE} {{ type undertone_fault folder \"{folder}\" clip \"{clip}\" format \"{format}\" rate {rate} \
             channels {channels} voice {voice} resume {resume} waits {waits} }}\n",
            so = mic.at("faulty.so").display(),
            folder = mic.folder.path().display(),
            clip = mic.at("clip.raw").display(),
            resume = u8::from(resume),
            waits = u8::from(waits),
        );
        mic.write("asound.conf", config.as_bytes());
        mic.write("clip.raw", &clip(rate / 16_000));
        mic.order("run");
        mic.plug();
        mic
    }

    /// `run`, `stall` (nothing comes) or `suspend` (the machine sleeps).
    pub fn order(&self, order: &str) {
        // In one step, so that the plugin never reads half of it.
        self.write("order.new", order.as_bytes());
        fs::rename(self.at("order.new"), self.at("order"))
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// Plugs it in.
    pub fn plug(&self) {
        self.write("plugged", b"");
    }

    /// Pulls it out.
    ///
    /// # Panics
    /// When it is not plugged in.
    pub fn unplug(&self) {
        fs::remove_file(self.at("plugged")).unwrap_or_else(|error| panic!("{error}"));
    }

    /// What a process needs in its environment to see this microphone.
    pub fn env(&self) -> Vec<(&'static str, PathBuf)> {
        vec![("ALSA_CONFIG_PATH", self.at("asound.conf"))]
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.at(name), bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The samples of the clip, each so many times: another rate, whose images the daemon's own filter removes.
fn clip(times: usize) -> Vec<u8> {
    /// Bytes before the samples of the clip.
    const HEADER: usize = 44;
    let bytes = super::daemon::bytes_of(&super::speech());
    let samples = bytes.get(HEADER..).unwrap_or_default().chunks_exact(2);
    samples.flat_map(|sample| sample.repeat(times)).collect()
}
