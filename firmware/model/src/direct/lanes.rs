//! The vector registers of the machine: as many `f32` at once as it has, chosen when a network is loaded.
//!
//! A [`Lanes`] is proof that the machine has the instructions: only [`Level::run`] makes one, after asking the
//! machine, and only inside a function that is compiled for them.

// Instructions that not every machine has cannot be used without it.
#![allow(unsafe_code)]

/// Operations on vectors of [`Lanes::COUNT`] numbers.
pub(super) trait Lanes: Copy {
    /// Numbers in a vector.
    const COUNT: usize;
    /// Whether there are 32 registers, and not 16.
    const MANY: bool;
    /// A vector in memory.
    type Block: Copy;
    /// A vector in a register.
    type Vector: Copy;

    /// Cuts into vectors; a rest is left out.
    fn blocks(values: &[f32]) -> &[Self::Block];
    fn load(self, block: &Self::Block) -> Self::Vector;
    /// Writes the vector's numbers as far as there is room.
    fn store(self, vector: Self::Vector, out: &mut [f32]);
    fn splat(self, value: f32) -> Self::Vector;
    /// `a * b + sum`.
    fn multiply_add(self, a: Self::Vector, b: Self::Vector, sum: Self::Vector) -> Self::Vector;
}

/// Work that is compiled once for every kind of machine.
pub(super) trait Work {
    fn run<L: Lanes>(self, lanes: L);
}

/// What the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Plain,
}

impl Level {
    /// Numbers in the longest vector of any machine.
    pub(super) const MOST: usize = 16;

    /// All levels that this machine has, the best first.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let found = [
            #[cfg(target_arch = "x86_64")]
            is_x86_feature_detected!("avx512f").then_some(Level::Avx512),
            #[cfg(target_arch = "x86_64")]
            (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"))
                .then_some(Level::Avx2),
            #[cfg(target_arch = "aarch64")]
            std::arch::is_aarch64_feature_detected!("neon").then_some(Level::Neon),
            Some(Level::Plain),
        ];
        found.into_iter().flatten()
    }

    /// The best of this machine.
    pub(super) fn best() -> Self {
        Self::all().next().unwrap_or(Level::Plain)
    }

    /// Numbers in a vector.
    pub(super) fn count(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => 16,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => 8,
            #[cfg(target_arch = "aarch64")]
            Level::Neon => 4,
            Level::Plain => Plain::COUNT,
        }
    }

    /// Does the work with what the level has; with plain arithmetic should the machine lack it.
    pub(super) fn run(self, work: impl Work) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a level is only made by `all`, which has asked the machine.
            Level::Avx512 => unsafe { x86::avx512(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx2 => unsafe { x86::avx2(work) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Level::Neon => unsafe { arm::neon(work) },
            Level::Plain => work.run(Plain),
        }
    }
}

/// What every machine has; the compiler makes of it what it can.
#[derive(Clone, Copy)]
struct Plain;

impl Lanes for Plain {
    const COUNT: usize = 4;
    const MANY: bool = false;
    type Block = [f32; 4];
    type Vector = [f32; 4];

    fn blocks(values: &[f32]) -> &[[f32; 4]] {
        values.as_chunks().0
    }

    #[inline(always)]
    fn load(self, block: &[f32; 4]) -> [f32; 4] {
        *block
    }

    #[inline(always)]
    fn store(self, vector: [f32; 4], out: &mut [f32]) {
        out.iter_mut().zip(vector).for_each(|(out, one)| *out = one);
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 4] {
        [value; 4]
    }

    #[inline(always)]
    fn multiply_add(self, a: [f32; 4], b: [f32; 4], sum: [f32; 4]) -> [f32; 4] {
        [
            a[0] * b[0] + sum[0],
            a[1] * b[1] + sum[1],
            a[2] * b[2] + sum[2],
            a[3] * b[3] + sum[3],
        ]
    }
}

/// A kind of machine: its name here, its instructions, and the names of their operations.
macro_rules! machine {
    ($name:ident, $enter:ident, $features:literal, $count:literal, $many:literal, $vector:ty,
     $load:ident, $store:ident, $splat:ident, |$a:ident, $b:ident, $sum:ident| $multiply_add:expr) => {
        /// Proof that the machine has these instructions.
        #[derive(Clone, Copy)]
        struct $name(());

        /// Does work with them.
        #[target_feature(enable = $features)]
        pub(super) fn $enter(work: impl Work) {
            work.run($name(()));
        }

        // SAFETY, of every block below: a value of the type exists only inside `$enter`, whose caller has asked the
        // machine. Loads and stores are of whole arrays and need no alignment.
        impl Lanes for $name {
            const COUNT: usize = $count;
            const MANY: bool = $many;
            type Block = [f32; $count];
            type Vector = $vector;

            #[inline(always)]
            fn blocks(values: &[f32]) -> &[[f32; $count]] {
                values.as_chunks().0
            }

            #[inline(always)]
            fn load(self, block: &[f32; $count]) -> $vector {
                unsafe { $load(block.as_ptr()) }
            }

            #[inline(always)]
            fn store(self, vector: $vector, out: &mut [f32]) {
                if let Some(out) = out.first_chunk_mut::<$count>() {
                    unsafe { $store(out.as_mut_ptr(), vector) }
                    return;
                }
                let mut whole = [0.0; $count];
                unsafe { $store(whole.as_mut_ptr(), vector) }
                out.copy_from_slice(&whole[..out.len()]);
            }

            #[inline(always)]
            fn splat(self, value: f32) -> $vector {
                unsafe { $splat(value) }
            }

            #[inline(always)]
            fn multiply_add(self, $a: $vector, $b: $vector, $sum: $vector) -> $vector {
                unsafe { $multiply_add }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Lanes, Work};

    machine!(
        Avx512,
        avx512,
        "avx512f",
        16,
        true,
        __m512,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_set1_ps,
        |a, b, sum| _mm512_fmadd_ps(a, b, sum)
    );
    machine!(
        Avx2,
        avx2,
        "avx2,fma",
        8,
        false,
        __m256,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_set1_ps,
        |a, b, sum| _mm256_fmadd_ps(a, b, sum)
    );
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::*;

    use super::{Lanes, Work};

    machine!(
        Neon,
        neon,
        "neon",
        4,
        true,
        float32x4_t,
        vld1q_f32,
        vst1q_f32,
        vdupq_n_f32,
        |a, b, sum| vfmaq_f32(sum, a, b)
    );
}
