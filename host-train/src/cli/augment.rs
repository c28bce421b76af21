//! `undertone-train augment preview`: hear and see what training does to a clip.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{ArgGroup, Args, Subcommand};
use rand::SeedableRng;
use rand::rngs::StdRng;
use undertone_dsp::{Feature, FrontendConfig};
use undertone_train::evaluation::condition::Condition;
use undertone_train::features::{ClipFeatures, extract_samples, spoken_samples};
use undertone_train::report::gallery::{Change, gallery};
use undertone_train::sound::RATE;
use undertone_train::training::wave::WaveAugmentation;

use super::{output, picture};

/// Look at what training changes.
#[derive(Debug, Args)]
pub(crate) struct AugmentArgs {
    #[command(subcommand)]
    command: AugmentCommand,
}

#[derive(Debug, Subcommand)]
enum AugmentCommand {
    /// Write audible examples of one clip and their spectrograms.
    Preview(PreviewArgs),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("written").args(["output", "page"]).required(true).multiple(true))]
struct PreviewArgs {
    /// An audio file with a voice.
    clip: PathBuf,
    /// Another voice, for babble; may be given again [default: the clip itself].
    #[arg(long = "voice", value_name = "FILE")]
    voices: Vec<PathBuf>,
    /// Folder to write sounds and spectrograms into, a file each.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write all of it as one HTML page, each change beside the clip as it was. It holds the clip.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Seed of what is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl AugmentArgs {
    pub(crate) fn run(self) -> Result<()> {
        let AugmentCommand::Preview(args) = self.command;
        args.run()
    }
}

/// Every part by itself, at the strong end of what is drawn, and all together.
fn parts() -> Vec<(&'static str, WaveAugmentation)> {
    let nothing = WaveAugmentation::nothing;
    let usual = WaveAugmentation::default();
    let noise = |snr: f32| WaveAugmentation {
        noise: 1.0,
        noise_snr_db: [snr, snr],
        ..nothing()
    };
    vec![
        (
            "speed",
            WaveAugmentation {
                speed: usual.speed,
                ..nothing()
            },
        ),
        (
            "stretch",
            WaveAugmentation {
                stretch: usual.stretch,
                ..nothing()
            },
        ),
        (
            "pitch",
            WaveAugmentation {
                pitch: usual.pitch,
                ..nothing()
            },
        ),
        (
            "shift",
            WaveAugmentation {
                shift_ms: usual.shift_ms,
                ..nothing()
            },
        ),
        (
            "gain",
            WaveAugmentation {
                gain_db: usual.gain_db,
                ..nothing()
            },
        ),
        ("noise", noise(usual.noise_snr_db[0])),
        (
            "room",
            WaveAugmentation {
                room: 1.0,
                ..nothing()
            },
        ),
        (
            "telephone",
            WaveAugmentation {
                telephone: 1.0,
                ..nothing()
            },
        ),
        (
            "codec",
            WaveAugmentation {
                codec: 1.0,
                ..nothing()
            },
        ),
        ("all", usual),
    ]
}

impl PreviewArgs {
    fn run(self) -> Result<()> {
        let frontend = FrontendConfig::default();
        let samples = spoken_samples(&self.clip, &frontend)?;
        let voices = if self.voices.is_empty() {
            vec![samples.clone()]
        } else {
            let voices = self
                .voices
                .iter()
                .map(|file| spoken_samples(file, &frontend));
            voices.collect::<Result<Vec<_>, _>>()?
        };
        let mut changes = Vec::new();
        for (name, part) in parts() {
            let mut rng = StdRng::seed_from_u64(self.seed);
            let other = |rng: &mut StdRng| {
                let index = rand::RngExt::random_range(rng, 0..voices.len());
                voices[index].clone()
            };
            changes.push(Change {
                name: name.to_owned(),
                what: what(name, &part),
                samples: part.apply(&samples, other, &mut rng)?,
            });
        }
        for condition in &Condition::ALL[1..] {
            changes.push(Change {
                name: format!("evaluation-{}", condition.to_string().replace(':', "-")),
                what: "Not from training: one of the harder conditions that models are evaluated in, and that no training clip has met.".to_owned(),
                samples: condition.apply(samples.clone(), self.seed)?,
            });
        }
        if let Some(page) = &self.page {
            let name = self.clip.display().to_string();
            output::page(page, &gallery(&name, &samples, &changes, RATE)?)?;
        }
        let Some(folder) = &self.output else {
            return Ok(());
        };
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut written = Vec::new();
        let all = changes
            .iter()
            .map(|change| (change.name.as_str(), change.samples.as_slice()));
        for (name, samples) in std::iter::once(("original", samples.as_slice())).chain(all) {
            let file = folder.join(format!("{name}.wav"));
            wav(&file, samples).with_context(|| format!("cannot write {}", file.display()))?;
            let (_, frames) = extract_samples(&frontend, &[Feature::LogMel], samples)?;
            let picture = folder.join(format!("{name}.png"));
            spectrogram(&picture, &frames)
                .with_context(|| format!("cannot write {}", picture.display()))?;
            written.push(format!("{}\n{}\n", file.display(), picture.display()));
        }
        output::text(&written.concat())
    }
}

/// What a part does, for people, and how far it may go.
fn what(name: &str, part: &WaveAugmentation) -> String {
    match name {
        "speed" => format!(
            "Played faster or slower, pitch and all, by up to {:.0} %.",
            100.0 * part.speed
        ),
        "stretch" => format!(
            "Spoken faster or slower at the same pitch, by up to {:.0} %.",
            100.0 * part.stretch
        ),
        "pitch" => format!(
            "A higher or lower voice at the same speed, by up to {} semitones.",
            part.pitch
        ),
        "shift" => format!(
            "Begins up to {} ms later, so that it is cut into other frames.",
            part.shift_ms
        ),
        "gain" => format!("Louder or softer by up to {} dB.", part.gain_db),
        "noise" => format!(
            "White or pink noise, or the babble of other voices, at {} dB, the strongest that is drawn.",
            part.noise_snr_db[0]
        ),
        "room" => "Heard in a room that is drawn, with its echoes.".to_owned(),
        "telephone" => "Through a telephone: its band and its codec.".to_owned(),
        "codec" => "Through a voice codec of few bits.".to_owned(),
        _ => "All of it by chance, as training draws it.".to_owned(),
    }
}

fn wav(file: &Path, samples: &[f32]) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec)?;
    for sample in samples {
        writer.write_sample((sample.clamp(-1.0, 1.0) * 32767.0).round() as i16)?;
    }
    Ok(writer.finalize()?)
}

/// Log-mel frames as a grey picture, time to the right, low bands below, 70 dB from black to white.
fn spectrogram(file: &Path, frames: &ClipFeatures) -> Result<()> {
    const ZOOM: usize = 3;
    const RANGE_DB: f32 = 70.0;
    let loud = frames.values.iter().copied().fold(f32::MIN, f32::max);
    let (width, height) = (frames.frames() * ZOOM, frames.rows * ZOOM);
    let grey = (0..width * height).map(|place| {
        let (x, y) = (place % width / ZOOM, place / width / ZOOM);
        let db = frames.values[x * frames.rows + frames.rows - 1 - y];
        (255.0 * (1.0 + (db - loud) / RANGE_DB).clamp(0.0, 1.0)) as u8
    });
    fs::write(file, picture::png(width, height, &grey.collect::<Vec<_>>()))?;
    Ok(())
}
