//! From the ring behind capture to the feature ring, and on through segments and events, nothing allocates after start.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// A counting allocator is the only proof, and an allocator is unsafe by its trait.
#![allow(unsafe_code)]

#[path = "../../analysis/tests/common/mod.rs"]
mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use undertone_analysis::Told;
use undertoned::Stop;
use undertoned::capture::{Found, Mute, Selection, WhenFull, ring};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

// One test only: another one would allocate at the same time.
#[test]
fn speech_and_gaps_pass_from_the_ring_to_events_without_an_allocation() {
    let clip = common::speech_at(48_000);
    let stereo: Vec<f32> = clip.iter().flat_map(|sample| [*sample, *sample]).collect();
    let (all, mute) = (Selection::all(2), Mute::default());
    let (mut writer, mut reader) = ring(4800, all, WhenFull::Drop, mute, Stop::default());
    let mut analyser = common::analyser(48_000, 2, false);
    let mut buffer = [0.0; 2048];
    let (mut events, mut levels) = (0, 0);

    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for round in 0..2 {
        for part in stereo.chunks(1920) {
            writer.write(part).unwrap();
            let mut tell = |_, told| match told {
                Told::Event(_) => events += 1,
                Told::Level(_) => levels += 1,
                Told::Aggregate(_) => {}
            };
            loop {
                match reader.next(&mut buffer) {
                    Found::Samples(count) => analyser.push(&buffer[..count], &mut tell).unwrap(),
                    Found::Mark(_) => analyser.gap(480, &mut tell).unwrap(),
                    Found::Nothing | Found::Abandoned => break,
                }
            }
        }
        writer.gap(480 * (round + 1));
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;

    assert!(
        events >= 8 && levels > 20,
        "{events} events, {levels} levels"
    );
    assert_eq!(allocations, 0);
}
