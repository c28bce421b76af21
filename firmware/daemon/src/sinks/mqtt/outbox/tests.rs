//! A disk that fails at will, and the outbox on it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;

use super::disk::Disk;
use super::take_over::CLOCK_IS_SET;
use super::*;

#[derive(Debug, Default)]
struct State {
    segments: BTreeMap<u64, Vec<u8>>,
    current: u64,
    /// Bytes that are left; what does not fit is written as far as it does.
    room: Option<usize>,
}

/// A disk in memory; clones are the same disk.
#[derive(Debug, Clone, Default)]
struct Fake(Arc<Mutex<State>>);

impl Fake {
    fn set_room(&self, room: Option<usize>) {
        self.0.lock().unwrap().room = room;
    }

    fn newest(&self) -> Vec<u8> {
        let state = self.0.lock().unwrap();
        state.segments.values().next_back().unwrap().clone()
    }

    /// The disk as it is, with the newest segment cut: what is left when the power went.
    fn torn(&self, length: usize) -> Fake {
        let state = self.0.lock().unwrap();
        let mut segments = state.segments.clone();
        segments.values_mut().next_back().unwrap().truncate(length);
        Fake(Arc::new(Mutex::new(State {
            segments,
            ..State::default()
        })))
    }

    fn bytes(&self) -> usize {
        self.0.lock().unwrap().segments.values().map(Vec::len).sum()
    }
}

impl Disk for Fake {
    fn list(&self) -> io::Result<Vec<u64>> {
        Ok(self.0.lock().unwrap().segments.keys().copied().collect())
    }

    fn read(&self, number: u64) -> io::Result<Vec<u8>> {
        Ok(self.0.lock().unwrap().segments[&number].clone())
    }

    fn create(&mut self, number: u64) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        assert!(!state.segments.contains_key(&number));
        state.segments.insert(number, Vec::new());
        state.current = number;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let fits = state.room.map_or(bytes.len(), |room| room.min(bytes.len()));
        state.room = state.room.map(|room| room - fits);
        let current = state.current;
        let segment = state.segments.get_mut(&current).unwrap();
        segment.extend(&bytes[..fits]);
        if fits < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let current = state.current;
        let segment = state.segments.get_mut(&current).unwrap();
        segment.truncate(length as usize);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn remove(&mut self, number: u64) -> io::Result<()> {
        self.0.lock().unwrap().segments.remove(&number);
        Ok(())
    }
}

const BOOT: &str = "b00t";
const WIDE: Limits = Limits {
    events: 1000,
    bytes: 1 << 20,
    age: Duration::from_secs(3600),
};

fn at(seconds: u64) -> Now {
    thread_local!(static START: Instant = Instant::now());
    Now {
        instant: START.with(|start| *start) + Duration::from_secs(seconds),
        wall_ms: CLOCK_IS_SET + seconds * 1000,
    }
}

fn open(limits: Limits, disk: &Fake, segment_bytes: u64, now: Now) -> Outbox {
    let disk = Box::new(disk.clone());
    let journal = Journal::open(disk, Duration::ZERO, segment_bytes).unwrap();
    Outbox::new(limits, Some(journal), now)
}

fn push(outbox: &mut Outbox, seq: u64) {
    let payload = format!("{{\"seq\":{seq}}}");
    outbox.push((BOOT, seq), payload, false, at(0));
}

/// Everything that is to be sent: position, number, and whether it is of before.
fn sent(outbox: &mut Outbox) -> Vec<(u64, u64, bool)> {
    let mut all = Vec::new();
    while let Some(next) = outbox.next() {
        if let Next::Event {
            position,
            payload,
            historical,
        } = next
        {
            let value: serde_json::Value = serde_json::from_str(&payload).unwrap();
            all.push((position, value["seq"].as_u64().unwrap(), historical));
        }
    }
    all
}

fn numbers(outbox: &mut Outbox) -> Vec<u64> {
    sent(outbox).into_iter().map(|(_, seq, _)| seq).collect()
}

#[test]
fn an_event_is_forgotten_on_its_acknowledgement_and_sent_again_in_order_until_then() {
    let mut outbox = Outbox::new(WIDE, None, at(0));
    (1..=3).for_each(|seq| push(&mut outbox, seq));
    assert_eq!(
        sent(&mut outbox),
        [(1, 1, false), (2, 2, false), (3, 3, false)]
    );
    assert_eq!(outbox.next(), None);
    outbox.acknowledge(2);
    outbox.rewind();
    push(&mut outbox, 4);
    assert_eq!(
        sent(&mut outbox),
        [(1, 1, true), (3, 3, true), (4, 4, false)]
    );
    for position in [1, 3, 4, 4, 9] {
        outbox.acknowledge(position);
    }
    assert_eq!((outbox.waiting(), outbox.bytes), (0, 0));
}

#[test]
fn at_each_limit_the_oldest_goes_and_a_notice_says_which() {
    let limits = [
        Limits { events: 2, ..WIDE },
        Limits {
            bytes: 2 * (OVERHEAD + 9),
            ..WIDE
        },
        Limits {
            age: Duration::from_secs(10),
            ..WIDE
        },
    ];
    for limits in limits {
        let mut outbox = Outbox::new(limits, None, at(0));
        (1..=3).for_each(|seq| push(&mut outbox, seq));
        let payload = "{\"seq\":4}".to_owned();
        outbox.push((BOOT, 4), payload, false, at(5));
        let due = outbox.turn(at(5));
        if limits.age < WIDE.age {
            assert_eq!(due, Some(at(10).instant));
            outbox.turn(at(11));
            assert_eq!((outbox.waiting(), outbox.given_up()), (1, 3));
        } else {
            assert_eq!((outbox.waiting(), outbox.given_up()), (2, 2));
        }
        let Some(Next::Notice(notice)) = outbox.next() else {
            panic!("no notice")
        };
        assert_eq!((notice.first_seq, notice.count), (1, outbox.given_up()));
        outbox.rewind();
        assert_eq!(outbox.next(), Some(Next::Notice(notice.clone())));
        outbox.acknowledge_notice(&notice);
        assert_eq!(outbox.given_up(), 0);
        outbox.rewind();
        assert_eq!(numbers(&mut outbox).last(), Some(&4));
    }
}

#[test]
fn a_notice_on_its_way_is_not_changed() {
    let mut outbox = Outbox::new(Limits { events: 1, ..WIDE }, None, at(0));
    (1..=2).for_each(|seq| push(&mut outbox, seq));
    let Some(Next::Notice(first)) = outbox.next() else {
        panic!("no notice")
    };
    push(&mut outbox, 3);
    outbox.acknowledge_notice(&first);
    let Some(Next::Notice(second)) = outbox.next() else {
        panic!("no second notice")
    };
    assert_eq!((first.last_seq, second.first_seq), (1, 2));
}

#[test]
fn torn_at_any_byte_every_whole_record_counts_and_nothing_else() {
    let disk = Fake::default();
    let mut outbox = open(WIDE, &disk, 1 << 20, at(0));
    // The length after each step, and what waits then.
    let mut steps = vec![(disk.newest().len(), Vec::new())];
    let mut waiting = Vec::new();
    for seq in 1..=6 {
        push(&mut outbox, seq);
        waiting.push(seq);
        steps.push((disk.newest().len(), waiting.clone()));
        if seq % 2 == 0 {
            outbox.acknowledge(seq - 1);
            waiting.retain(|waits| *waits != seq - 1);
            steps.push((disk.newest().len(), waiting.clone()));
        }
    }
    for length in 0..=disk.newest().len() {
        let step = steps.iter().rev().find(|(end, _)| *end <= length);
        let expected = step.map_or(Vec::new(), |(_, waiting)| waiting.clone());
        let torn = disk.torn(length);
        let mut outbox = open(WIDE, &torn, 1 << 20, at(1));
        assert_eq!(numbers(&mut outbox), expected, "cut at {length}");
        // And it can be written again.
        push(&mut outbox, 100);
        let again = numbers(&mut open(WIDE, &torn, 1 << 20, at(1)));
        assert_eq!(again, [expected, vec![100]].concat());
    }
}

#[test]
fn a_flipped_bit_costs_what_is_behind_it_in_its_segment_and_never_makes_an_event() {
    let disk = Fake::default();
    let mut outbox = open(WIDE, &disk, 1 << 20, at(0));
    (1..=3).for_each(|seq| push(&mut outbox, seq));
    let length = disk.newest().len();
    for bit in 0..length * 8 {
        let torn = disk.torn(length);
        let mut state = torn.0.lock().unwrap();
        state.segments.values_mut().next_back().unwrap()[bit / 8] ^= 1 << (bit % 8);
        drop(state);
        let left = numbers(&mut open(WIDE, &torn, 1 << 20, at(1)));
        assert_eq!(left, (1..=left.len() as u64).collect::<Vec<_>>());
        assert!(left.len() < 3, "bit {bit} was not noticed");
    }
}

#[test]
fn a_full_disk_keeps_events_in_memory_and_writes_them_when_there_is_room() {
    let disk = Fake::default();
    let mut outbox = open(WIDE, &disk, 1 << 20, at(0));
    push(&mut outbox, 1);
    // The record of such an event takes 47 bytes or more.
    for room in 0..47 {
        disk.set_room(Some(room));
        push(&mut outbox, 2 + room as u64);
        let written = numbers(&mut open(WIDE, &disk.torn(usize::MAX), 1 << 20, at(0)));
        assert_eq!(written, [1], "a part of a record counts");
    }
    assert!(outbox.fault().is_some());
    disk.set_room(None);
    outbox.turn(at(60));
    assert_eq!(outbox.fault(), None);
    let all: Vec<_> = (1..49).collect();
    let mut again = open(WIDE, &disk.torn(usize::MAX), 1 << 20, at(60));
    assert_eq!(numbers(&mut again), all);
    assert_eq!(numbers(&mut outbox), all);
}

#[test]
fn the_disk_is_given_back_when_events_are_acknowledged() {
    let disk = Fake::default();
    let mut outbox = open(WIDE, &disk, 500, at(0));
    for seq in 1..=1000 {
        push(&mut outbox, seq);
        outbox.acknowledge(seq);
    }
    assert!(disk.bytes() < 1500, "{}", disk.bytes());
}

#[test]
fn the_age_of_an_event_counts_across_a_restart_unless_the_clock_was_not_set() {
    let limits = Limits {
        age: Duration::from_secs(100),
        ..WIDE
    };
    let disk = Fake::default();
    push(&mut open(limits, &disk, 1 << 20, at(0)), 1);
    assert_eq!(open(limits, &disk, 1 << 20, at(99)).waiting(), 1);
    let outbox = open(limits, &disk, 1 << 20, at(200));
    assert_eq!((outbox.waiting(), outbox.given_up()), (0, 1));

    let disk = Fake::default();
    let unset = Now {
        wall_ms: 5,
        ..at(0)
    };
    let mut outbox = open(limits, &disk, 1 << 20, unset);
    outbox.push((BOOT, 1), "{\"seq\":1}".into(), false, unset);
    assert_eq!(open(limits, &disk, 1 << 20, at(200)).waiting(), 1);
}

#[test]
fn a_real_folder_holds_events_and_is_used_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/for/it");
    let open = || {
        let disk = Box::new(Folder::open(&path)?);
        Journal::open(disk, Duration::ZERO, 300)
            .map(|journal| Outbox::new(WIDE, Some(journal), at(0)))
    };
    let mut outbox = open().unwrap();
    (1..=20).for_each(|seq| push(&mut outbox, seq));
    (1..=15).for_each(|position| outbox.acknowledge(position));
    assert_eq!(open().unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    drop(outbox);
    let mut outbox = open().unwrap();
    assert_eq!(numbers(&mut outbox), (16..=20).collect::<Vec<_>>());
    (16..=20).for_each(|position| outbox.acknowledge(position));
    assert_eq!(outbox.fault(), None);
}

/// What happens to an outbox.
#[derive(Debug, Clone)]
enum Step {
    Push,
    Send(usize),
    /// Acknowledge the so-manieth of those on their way.
    Acknowledge(usize),
    Disconnect,
    /// Killed, with so many bytes of the newest segment lost.
    Crash(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Push),
        3 => (1usize..5).prop_map(Step::Send),
        4 => (0usize..5).prop_map(Step::Acknowledge),
        1 => Just(Step::Disconnect),
        1 => prop_oneof![Just(0usize), 0usize..40].prop_map(Step::Crash),
    ]
}

proptest! {
    /// Killed without loss of bytes: every event arrives or is told as given up, in order, except that an
    /// acknowledged one may come again.
    #[test]
    fn no_event_is_lost_without_a_word(steps in proptest::collection::vec(step(), 1..120), events in 3usize..40) {
        let limits = Limits { events, ..WIDE };
        let disk = Fake::default();
        let mut outbox = open(limits, &disk, 400, at(0));
        let (mut seq, mut flying, mut arrived) = (0, Vec::new(), Vec::new());
        let mut given_up = 0;
        let mut take = |outbox: &mut Outbox, flying: &mut Vec<_>, most: usize| {
            let mut last = 0;
            for _ in 0..most {
                match outbox.next() {
                    Some(Next::Event { position, payload, .. }) => {
                        let value: serde_json::Value = serde_json::from_str(&payload).unwrap();
                        let seq = value["seq"].as_u64().unwrap();
                        assert!(seq > last, "out of order");
                        last = seq;
                        arrived.push(seq);
                        flying.push(position);
                    }
                    Some(Next::Notice(notice)) => {
                        given_up += notice.count;
                        outbox.acknowledge_notice(&notice);
                    }
                    None => break,
                }
            }
        };
        for step in steps {
            match step {
                Step::Push => {
                    seq += 1;
                    push(&mut outbox, seq);
                }
                Step::Send(most) => take(&mut outbox, &mut flying, most),
                Step::Acknowledge(which) if which < flying.len() => {
                    outbox.acknowledge(flying.remove(which));
                }
                Step::Acknowledge(_) => {}
                Step::Disconnect => {
                    flying.clear();
                    outbox.rewind();
                }
                Step::Crash(lost) => {
                    flying.clear();
                    if lost == 0 {
                        outbox = open(limits, &disk, 400, at(0));
                    }
                }
            }
            prop_assert!(outbox.waiting() <= events);
        }
        outbox.rewind();
        take(&mut outbox, &mut flying, usize::MAX);
        arrived.sort_unstable();
        arrived.dedup();
        prop_assert!(arrived.len() as u64 <= seq);
        prop_assert!(arrived.len() as u64 + given_up >= seq, "{} arrived, {given_up} given up, of {seq}", arrived.len());
    }

    #[test]
    fn no_bytes_on_the_disk_make_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300), with_magic: bool) {
        let disk = Fake::default();
        let mut segment = if with_magic { record::MAGIC.to_vec() } else { Vec::new() };
        segment.extend(bytes);
        disk.0.lock().unwrap().segments.insert(7, segment);
        let mut outbox = open(WIDE, &disk, 400, at(0));
        push(&mut outbox, 1);
        let left = numbers(&mut outbox);
        prop_assert_eq!(left.last(), Some(&1));
    }
}
