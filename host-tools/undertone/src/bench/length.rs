//! From seconds to hours of audio through one channel: cost and memory stay flat.

use std::hint::black_box;

use anyhow::Result;
use undertone_analysis::analyser;
use undertone_model::Model;

use super::figure::{Figure, cpu_time};
use super::memory::resident;
use super::parts::PERIOD;
use super::sound::{Speech, settings};

pub(super) fn measure(model: &Model, speech: &Speech, lengths: &[u64]) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for &seconds in lengths {
        let mut analyser = analyser(model, &settings(speech.rate))?;
        let (mut place, mut block) = (0, [0.0; PERIOD]);
        let time = cpu_time(|| {
            for _ in 0..seconds * u64::from(speech.rate) / PERIOD as u64 {
                speech.fill(&mut place, &mut block);
                analyser.push(&block, &mut |_, told| drop(black_box(told)))?;
            }
            Ok(())
        })?;
        let length = name(seconds);
        figures.push(Figure::one(
            format!("length_{seconds}s_time"),
            format!("{length} through one channel, per second of audio"),
            "ms",
            time * 1e3 / seconds as f64,
        ));
        figures.extend(resident().map(|bytes| {
            let what = format!("{length} through one channel, resident memory after it");
            Figure::one(format!("length_{seconds}s_memory"), what, "MB", bytes / 1e6)
        }));
    }
    Ok(figures)
}

fn name(seconds: u64) -> String {
    match seconds {
        hours if hours % 3600 == 0 => format!("{} h", hours / 3600),
        minutes if minutes % 60 == 0 => format!("{} min", minutes / 60),
        seconds => format!("{seconds} s"),
    }
}
