//! From 1 to 1000 channels on one core: what one more costs in time and memory.

use std::hint::black_box;

use anyhow::Result;
use undertone_analysis::analysers;
use undertone_model::Model;

use super::figure::{Figure, cpu_time};
use super::memory::resident;
use super::parts::PERIOD;
use super::sound::{Speech, settings};

/// Seconds of audio for every channel, each measured by itself.
const SECONDS: usize = 5;
/// Seconds before, in which speech begins everywhere.
const WARM_UP: usize = 2;
/// From one channel's place in the speech to the next one's, in samples; a prime, so that channels say different things.
const STAGGER: usize = 7919;

/// All channels take turns every 20 ms, as those of devices do.
pub(super) fn measure(model: &Model, speech: &Speech, counts: &[usize]) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for &count in counts {
        let before = resident();
        let mut channels = analysers(model, &vec![settings(speech.rate); count])?;
        let mut places: Vec<usize> = (0..count)
            .map(|number| number * STAGGER % speech.len())
            .collect();
        let mut block = [0.0; PERIOD];
        let mut second = || -> Result<()> {
            for _ in 0..speech.rate as usize / PERIOD {
                for (channel, place) in channels.iter_mut().zip(&mut places) {
                    speech.fill(place, &mut block);
                    channel.push(&block, &mut |_, told| drop(black_box(told)))?;
                }
            }
            Ok(())
        };
        for _ in 0..WARM_UP {
            second()?;
        }
        let per_channel = 1e3 / count as f64;
        let times: Vec<f64> = (0..SECONDS)
            .map(|_| Ok(cpu_time(&mut second)? * per_channel))
            .collect::<Result<_>>()?;
        figures.push(Figure::of(
            format!("channels_{count}_time"),
            format!("{count} channel(s), per channel and second of audio"),
            "ms",
            &times,
        ));
        // Few channels fit into what was freed before, and would seem to cost nothing.
        if let (Some(before), Some(after), true) = (before, resident(), count >= 100) {
            figures.push(Figure::one(
                format!("channels_{count}_memory"),
                format!("{count} channels, resident memory per channel"),
                "kB",
                (after - before) / 1e3 / count as f64,
            ));
        }
    }
    Ok(figures)
}
