//! Augmentation of samples while training: what a strange speaker, room, microphone or line would change.
//!
//! Each part is drawn for itself; 0 switches it off. The same sound moved by a few milliseconds is cut into other
//! frames, which alone moves answers. SpecAugment and the rest, on features: [`super::augment`].

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use undertone_dsp::DspError;

use super::TrainingError;
use crate::sound::{RATE, amplitude, line, noise, room, scale, stretch};

/// What is drawn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaveAugmentation {
    /// Share of clips that are changed at all; 0 leaves the samples alone.
    pub share: f32,
    /// Epochs that a changed clip is kept for before it is changed anew: features of samples cost more than a step on a GPU.
    pub every: usize,
    /// Speed and pitch together, plus or minus this share.
    pub speed: f32,
    /// Speed alone, plus or minus this share.
    pub stretch: f32,
    /// Pitch alone, plus or minus semitones.
    pub pitch: f32,
    /// Samples cut off at the start, up to this many milliseconds.
    pub shift_ms: f32,
    /// Level, plus or minus dB.
    pub gain_db: f32,
    /// Share of changed clips that get white, pink or other speakers' noise.
    pub noise: f32,
    /// Least and greatest signal-to-noise ratio, in dB.
    pub noise_snr_db: [f32; 2],
    /// Share of changed clips that are heard in a room.
    pub room: f32,
    /// Least and greatest reverberation time, in seconds.
    pub room_rt60: [f32; 2],
    /// Share of changed clips that come over a telephone line.
    pub telephone: f32,
    /// Share of changed clips that went through a coder.
    pub codec: f32,
}

impl Default for WaveAugmentation {
    fn default() -> Self {
        Self {
            share: 0.7,
            every: 2,
            speed: 0.1,
            stretch: 0.1,
            pitch: 1.5,
            shift_ms: 10.0,
            gain_db: 10.0,
            noise: 0.5,
            noise_snr_db: [3.0, 30.0],
            room: 0.3,
            room_rt60: [0.15, 1.0],
            telephone: 0.1,
            codec: 0.1,
        }
    }
}

/// Voices that babble is made of.
const VOICES: usize = 4;

impl WaveAugmentation {
    /// Leaves the samples alone, until `share` is set; then everything else is as by default.
    #[must_use]
    pub fn none() -> Self {
        Self {
            share: 0.0,
            ..Self::default()
        }
    }

    /// Every part switched off.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            share: 1.0,
            speed: 0.0,
            stretch: 0.0,
            pitch: 0.0,
            shift_ms: 0.0,
            gain_db: 0.0,
            noise: 0.0,
            room: 0.0,
            telephone: 0.0,
            codec: 0.0,
            ..Self::default()
        }
    }

    /// Whether samples are changed at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.share > 0.0
    }

    /// Refuses ranges that nothing can be drawn from.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`], the first field that is out of its range.
    pub fn check(&self) -> Result<(), TrainingError> {
        TrainingError::up_to([
            ("wave.speed", self.speed, 0.5, "0 to 0.5"),
            ("wave.stretch", self.stretch, 0.5, "0 to 0.5"),
            ("wave.pitch", self.pitch, 12.0, "0 to 12"),
            ("wave.shift_ms", self.shift_ms, 100.0, "0 to 100"),
            ("wave.gain_db", self.gain_db, 60.0, "0 to 60"),
            ("wave.noise", self.noise, 1.0, "0 to 1"),
            ("wave.room", self.room, 1.0, "0 to 1"),
            ("wave.telephone", self.telephone, 1.0, "0 to 1"),
            ("wave.codec", self.codec, 1.0, "0 to 1"),
        ])?;
        for (field, values, range) in [
            ("wave.noise_snr_db", self.noise_snr_db, [-20.0, 100.0]),
            ("wave.room_rt60", self.room_rt60, [0.01, 5.0]),
        ] {
            let allowed = "the least first, -20 to 100 dB or 0.01 to 5 s";
            TrainingError::rising(field, values, range, allowed)?;
        }
        if self.every == 0 {
            return TrainingError::refuse("wave.every", "0".into(), "1 or more epochs");
        }
        Ok(())
    }

    /// A changed copy of `samples` (16 kHz); `other` gives some other training clip, for babble.
    ///
    /// # Errors
    /// [`DspError`] if a drawn rate cannot be converted.
    pub fn apply<R: Rng>(
        &self,
        samples: &[f32],
        other: impl Fn(&mut R) -> Vec<f32>,
        rng: &mut R,
    ) -> Result<Vec<f32>, DspError> {
        let mut out = samples.to_vec();
        if self.speed > 0.0 {
            out = stretch::speed(out, 1.0 + spread(self.speed, rng))?;
        }
        if self.stretch > 0.0 {
            out = stretch::stretch(&out, 1.0 + spread(self.stretch, rng));
        }
        if self.pitch > 0.0 {
            out = stretch::pitch(&out, spread(self.pitch, rng))?;
        }
        let late = rng.random_range(0.0..=self.shift_ms) * RATE as f32 / 1000.0;
        out.drain(..(late as usize).min(out.len() / 2));
        if rng.random::<f32>() < self.room {
            let [least, most] = self.room_rt60;
            let (rt60, ratio) = (rng.random_range(least..=most), rng.random_range(-6.0..12.0));
            out = room::hear(&out, &room::shaped(rt60, ratio, rng));
        }
        if rng.random::<f32>() < self.noise {
            let [least, most] = self.noise_snr_db;
            let snr = rng.random_range(least..=most);
            let noise = match rng.random_range(0..3) {
                0 => noise::white(out.len(), rng),
                1 => noise::pink(out.len(), rng),
                _ => {
                    let voices: Vec<Vec<f32>> = (0..VOICES).map(|_| other(rng)).collect();
                    noise::babble(&voices, out.len(), rng)
                }
            };
            noise::mix(&mut out, &noise, snr, rng);
        }
        scale(&mut out, amplitude(spread(self.gain_db, rng)));
        if rng.random::<f32>() < self.codec {
            let high = rng.random_range(3500.0..7500.0);
            line::codec(&mut out, high);
        }
        if rng.random::<f32>() < self.telephone {
            let (low, high) = (
                rng.random_range(200.0..400.0),
                rng.random_range(3000.0..3700.0),
            );
            out = line::telephone(out, low, high)?;
        }
        Ok(out)
    }
}

fn spread(range: f32, rng: &mut impl Rng) -> f32 {
    range * rng.random_range(-1.0..=1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn voice() -> Vec<f32> {
        (0..16_000).map(|i| 0.3 * (i as f32 * 0.08).sin()).collect()
    }

    fn changed(augmentation: &WaveAugmentation, seed: u64) -> Vec<f32> {
        let other = |_: &mut StdRng| vec![0.1; 800];
        let mut rng = StdRng::seed_from_u64(seed);
        augmentation.apply(&voice(), other, &mut rng).unwrap()
    }

    #[test]
    fn switched_off_it_changes_nothing_and_every_part_alone_changes_something() {
        let nothing = WaveAugmentation::nothing();
        assert_eq!(changed(&nothing, 1), voice());
        type Change = fn(&mut WaveAugmentation);
        let parts: [Change; 9] = [
            |a| a.speed = 0.1,
            |a| a.stretch = 0.1,
            |a| a.pitch = 2.0,
            |a| a.shift_ms = 10.0,
            |a| a.gain_db = 10.0,
            |a| a.noise = 1.0,
            |a| a.room = 1.0,
            |a| a.telephone = 1.0,
            |a| a.codec = 1.0,
        ];
        for (index, part) in parts.into_iter().enumerate() {
            let mut augmentation = nothing.clone();
            part(&mut augmentation);
            assert!(augmentation.check().is_ok());
            let out = changed(&augmentation, 1);
            assert_ne!(out, voice(), "part {index}");
            assert!(
                out.len() > 12_000 && out.iter().all(|value| value.is_finite()),
                "part {index}"
            );
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_samples_and_another_seed_others() {
        let all = WaveAugmentation::default();
        assert_eq!(changed(&all, 3), changed(&all, 3));
        assert_ne!(changed(&all, 3), changed(&all, 4));
    }

    #[test]
    fn ranges_that_cannot_be_drawn_from_are_refused_by_name() {
        for change in [
            "wave.speed=0.9",
            "wave.noise_snr_db=[10,0]",
            "wave.room_rt60=[0,1]",
            "wave.every=0",
            "wave.codec=-1",
        ] {
            let recipe = super::super::recipe::Recipe::default()
                .changed(&[change.to_owned()])
                .unwrap();
            let error = recipe.check().unwrap_err().to_string();
            assert!(
                change.starts_with(error.split(' ').next().unwrap()),
                "{error}"
            );
        }
    }
}
