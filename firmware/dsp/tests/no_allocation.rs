//! After construction nothing is allocated, whatever is pushed. This file counts every allocation of its process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// A global allocator cannot be written without it.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use undertone_dsp::{Feature, Frontend, FrontendConfig, Resampler};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that is ending has no counter any more, and is none of those that are watched.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

fn noise(samples: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..samples)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32 - 0.5
        })
        .collect()
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(vec![1u8; 100]))), 1);
}

#[test]
fn a_front_end_allocates_nothing_per_push_from_the_first_on() {
    let samples = noise(50_000);
    let odd = FrontendConfig {
        frame_length: 401,
        hop_length: 977,
        fft_size: 501,
        ..FrontendConfig::default()
    };
    for config in [FrontendConfig::default(), odd] {
        let mut frontend = Frontend::new(&config).unwrap();
        let mut rows =
            vec![0.0; config.rows(&[Feature::Zcr, Feature::Rms, Feature::Mfcc, Feature::LogMel])];
        for block in [1, 160, 4_095, samples.len()] {
            let mut frames = 0;
            let count = allocations(|| {
                for block in samples.chunks(block) {
                    frontend.push(block, |frame| {
                        frames += 1;
                        frame.write_rows(
                            &[Feature::Zcr, Feature::Rms, Feature::Mfcc, Feature::LogMel],
                            &mut rows,
                        );
                    });
                }
                frontend.reset();
            });
            assert!(frames > 40);
            assert_eq!(count, 0, "blocks of {block}");
        }
    }
}

#[test]
fn a_resampler_allocates_nothing_per_push_flush_or_reset_from_the_first_on() {
    let samples = noise(100_000);
    for from in [16_000, 48_000, 44_100, 8_000, 24_414] {
        let mut resampler = Resampler::new(from, 16_000).unwrap();
        for block in [1, 480, 4_095, samples.len()] {
            let mut given = 0;
            let count = allocations(|| {
                for block in samples.chunks(block) {
                    resampler.push(block, |ready| given += ready.len());
                }
                resampler.flush(|ready| given += ready.len());
                resampler.reset();
            });
            assert!(given > 30_000);
            assert_eq!(count, 0, "{from} Hz in blocks of {block}");
        }
    }
}
