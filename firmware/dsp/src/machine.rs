//! The vector registers of the machine, for loops that the compiler turns into vector code by itself.
//!
//! The same operations in the same order, only more of them at a time: nothing is fused or reordered, so the level changes
//! no bit of a result.

// A function that is compiled for instructions that not every machine has cannot be called without it.
#![allow(unsafe_code)]

/// Work that is compiled once for every level. All that it calls must be `inline(always)` to be compiled so as well.
pub trait Work {
    /// What comes of it.
    type Output;
    /// Does it; to be marked `inline(always)`.
    fn run(self) -> Self::Output;
}

/// What the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Registers of 512 bits.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Registers of 256 bits.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What every machine of the architecture has; on 64-bit Arm this is NEON.
    Plain,
}

impl Level {
    /// All levels that this machine has, the best first.
    pub fn all() -> impl Iterator<Item = Self> {
        let found = [
            #[cfg(target_arch = "x86_64")]
            (is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl"))
            .then_some(Level::Avx512),
            #[cfg(target_arch = "x86_64")]
            is_x86_feature_detected!("avx2").then_some(Level::Avx2),
            Some(Level::Plain),
        ];
        found.into_iter().flatten()
    }

    /// The best of this machine.
    pub fn best() -> Self {
        Self::all().next().unwrap_or(Level::Plain)
    }

    /// Does the work with what the level has.
    #[inline]
    pub fn run<W: Work>(self, work: W) -> W::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a level is only made by `all`, which has asked the machine.
            Level::Avx512 => unsafe { avx512(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx2 => unsafe { avx2(work) },
            Level::Plain => work.run(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn avx512<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<W: Work>(work: W) -> W::Output {
    work.run()
}
