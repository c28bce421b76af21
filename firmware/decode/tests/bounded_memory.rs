//! Whatever a header claims, memory stays small. This file measures the heap of its own threads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// A global allocator cannot be written without it.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use undertone_decode::{Limits, read_bytes};

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Measuring;

fn change(bytes: isize) {
    let _ = NOW.try_with(|now| {
        now.set(now.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now.get())));
    });
}

// SAFETY: every call is handed to the system's allocator unchanged; the default `realloc` and `alloc_zeroed` build on these two.
unsafe impl GlobalAlloc for Measuring {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        change(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        change(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

fn peak_of(work: impl FnOnce()) -> isize {
    PEAK.set(NOW.get());
    let before = NOW.get();
    work();
    PEAK.get() - before
}

const HUGE: [u8; 4] = 0xf000_0000u32.to_le_bytes();

fn wav_chunks(chunks: &[(&[u8; 4], [u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes =
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x02\0\x80\xbb\0\0\0\xee\x02\0\x04\0\x10\0"
            .to_vec();
    for (tag, size, body) in chunks {
        bytes.extend(*tag);
        bytes.extend(size);
        bytes.extend(*body);
    }
    bytes
}

fn flac_block(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        b"fLaC\0\0\0\x22\x10\0\x10\0\0\0\0\0\0\0\x0a\xc4\x42\xff\xff\xff\xff\xff".to_vec();
    bytes.extend([0; 16]);
    bytes.extend([0x80 | kind, 0xff, 0xff, 0xff]);
    bytes.extend(body);
    bytes
}

#[test]
fn sizes_that_a_header_invents_are_not_allocated() {
    let mut info = b"INFOINAM".to_vec();
    info.extend(HUGE);
    let mut id3 = b"ID3\x04\0\0\x7f\x7f\x7f\x7f".to_vec();
    id3.extend(b"APIC\x7f\x7f\x7f\x00\0\0");
    for (name, bytes) in [
        (
            "a data chunk of 4 GiB",
            wav_chunks(&[(b"data", HUGE, &[1; 400])]),
        ),
        ("a list of 4 GiB", wav_chunks(&[(b"LIST", HUGE, &info)])),
        (
            "an unknown chunk of 4 GiB",
            wav_chunks(&[(b"junk", HUGE, &[0; 40])]),
        ),
        (
            "a FLAC of 2^36 samples with a picture of 16 MiB",
            flac_block(6, &[0; 40]),
        ),
        (
            "a FLAC with comments of 16 MiB",
            flac_block(4, b"\xff\xff\xff\x7f"),
        ),
        (
            "a FLAC with a seek table of 16 MiB",
            flac_block(3, &[0; 40]),
        ),
        ("an ID3 tag of 256 MiB", id3),
    ] {
        let peak = peak_of(|| drop(read_bytes(name, bytes, &Limits::default())));
        assert!(peak > 1_000, "{name}: the measurement works");
        assert!(peak < 20 << 20, "{name}: {peak} bytes");
    }
}

#[test]
fn decoding_stops_at_the_limit_of_memory() {
    let long = wav_chunks(&[(b"data", 16_000_000u32.to_le_bytes(), &vec![1; 16_000_000])]);
    let limits = Limits {
        max_bytes: 1 << 20,
        ..Limits::default()
    };
    let peak = peak_of(|| assert!(read_bytes("long.wav", long, &limits).is_err()));
    assert!(peak < 3 << 20, "{peak} bytes");
}
