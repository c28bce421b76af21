//! How much is spoken, and whether a voice is raised: properties of the sound, found without any model of emotion.

use undertone_dsp::dbfs;

/// Hops of speech that must be known before any counts as raised: about two seconds.
const KNOWN: u32 = 128;
/// Weight of one hop in the level of the voice right now: about a quarter of a second.
const RECENT: f32 = 1.0 / 16.0;
/// Least weight of one hop in the usual level: about half a minute of speech.
const USUAL: f32 = 1.0 / 2048.0;

/// Follows the voice of one channel, hop by hop. A voice is raised from `raised_db` above its usual level on until it is
/// back within half of that.
#[derive(Debug)]
pub struct VoiceMeter {
    raised_db: f32,
    recent: f32,
    usual: f32,
    known: u32,
    raised: bool,
    interval: Interval,
}

/// What was heard since the last [`VoiceMeter::take`].
#[derive(Debug, Default, Clone, Copy)]
struct Interval {
    hops: u32,
    speech: u32,
    raised: bool,
}

impl VoiceMeter {
    /// A meter that knows nothing yet; `raised_db` is the difference that counts as raised, in decibels.
    pub fn new(raised_db: f32) -> Self {
        VoiceMeter {
            raised_db,
            recent: 0.0,
            usual: 0.0,
            known: 0,
            raised: false,
            interval: Interval::default(),
        }
    }

    /// Takes a hop of the voice detector, and whether speech is heard in it.
    pub fn hop(&mut self, samples: &[f32], speech: bool) {
        self.interval.hops += 1;
        if !speech {
            return;
        }
        self.interval.speech += 1;
        let squares: f32 = samples.iter().map(|sample| sample * sample).sum();
        let level = dbfs((squares / samples.len().max(1) as f32).sqrt());
        if self.known == 0 {
            (self.recent, self.usual) = (level, level);
        }
        self.known = self.known.saturating_add(1);
        let weight = (1.0 / self.known as f32).max(USUAL);
        self.recent += RECENT * (level - self.recent);
        self.usual += weight * (level - self.usual);
        let above = self.recent - self.usual;
        let enough = if self.raised {
            self.raised_db / 2.0
        } else {
            self.raised_db
        };
        self.raised = self.known >= KNOWN && above >= enough;
        self.interval.raised |= self.raised;
    }

    /// The share of speech (0 to 1) since the last call, and whether a voice was raised.
    pub fn take(&mut self) -> (f32, bool) {
        let Interval {
            hops,
            speech,
            raised,
        } = std::mem::take(&mut self.interval);
        (speech as f32 / hops.max(1) as f32, raised)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speak(meter: &mut VoiceMeter, loudness: f32, hops: usize) -> (f32, bool) {
        for _ in 0..hops {
            meter.hop(&[loudness, -loudness], true);
        }
        meter.take()
    }

    #[test]
    fn the_share_of_speech_is_that_of_the_hops_since_the_last_time() {
        let mut meter = VoiceMeter::new(6.0);
        (0..4).for_each(|n| meter.hop(&[0.1], n == 0));
        assert_eq!(meter.take(), (0.25, false));
        assert_eq!(meter.take(), (0.0, false));
    }

    #[test]
    fn a_voice_is_raised_when_it_is_louder_than_usual_and_not_when_it_always_is() {
        let mut meter = VoiceMeter::new(6.0);
        assert_eq!(
            speak(&mut meter, 0.9, 500),
            (1.0, false),
            "loud from the beginning"
        );
        let mut meter = VoiceMeter::new(6.0);
        speak(&mut meter, 0.05, 500);
        assert_eq!(speak(&mut meter, 0.07, 60), (1.0, false), "3 dB more");
        assert_eq!(speak(&mut meter, 0.2, 60), (1.0, true), "12 dB more");
        speak(&mut meter, 0.05, 120);
        assert_eq!(speak(&mut meter, 0.05, 60), (1.0, false), "as usual again");
    }

    #[test]
    fn what_is_no_speech_does_not_count_however_loud() {
        let mut meter = VoiceMeter::new(6.0);
        speak(&mut meter, 0.05, 500);
        (0..100).for_each(|_| meter.hop(&[0.9], false));
        assert_eq!(meter.take(), (0.0, false));
    }

    #[test]
    fn nothing_is_raised_before_the_usual_level_is_known() {
        let mut meter = VoiceMeter::new(6.0);
        speak(&mut meter, 0.01, 60);
        assert!(!speak(&mut meter, 0.5, 60).1);
    }
}
