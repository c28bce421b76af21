//! `undertone-train augment preview`: hear and see what training does to a clip.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use rand::SeedableRng;
use rand::rngs::StdRng;
use undertone_dsp::{Feature, FrontendConfig};
use undertone_train::evaluation::condition::Condition;
use undertone_train::features::{ClipFeatures, extract_samples, spoken_samples};
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
struct PreviewArgs {
    /// An audio file with a voice.
    clip: PathBuf,
    /// Another voice, for babble; may be given again [default: the clip itself].
    #[arg(long = "voice", value_name = "FILE")]
    voices: Vec<PathBuf>,
    /// Folder to write into.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
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
        fs::create_dir_all(&self.output)
            .with_context(|| format!("cannot make {}", self.output.display()))?;
        let mut written = Vec::new();
        let mut write = |name: &str, samples: &[f32]| -> Result<()> {
            let file = self.output.join(format!("{name}.wav"));
            wav(&file, samples).with_context(|| format!("cannot write {}", file.display()))?;
            let (_, frames) = extract_samples(&frontend, &[Feature::LogMel], samples)?;
            let picture = self.output.join(format!("{name}.png"));
            spectrogram(&picture, &frames)
                .with_context(|| format!("cannot write {}", picture.display()))?;
            written.push(format!("{}\n{}\n", file.display(), picture.display()));
            Ok(())
        };
        write("original", &samples)?;
        for (name, part) in parts() {
            let mut rng = StdRng::seed_from_u64(self.seed);
            let other = |rng: &mut StdRng| {
                let index = rand::RngExt::random_range(rng, 0..voices.len());
                voices[index].clone()
            };
            write(name, &part.apply(&samples, other, &mut rng)?)?;
        }
        for condition in &Condition::ALL[1..] {
            let name = format!("evaluation-{}", condition.to_string().replace(':', "-"));
            write(&name, &condition.apply(samples.clone(), self.seed)?)?;
        }
        output::text(&written.concat())
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
