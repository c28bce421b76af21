//! What of the outbox is on the disk: segments with records, of which the newest is written and the oldest goes when
//! nothing in it is needed any more.
//!
//! Each record is given to the system at once, so that it survives the end of the process. It is made to survive the end
//! of the power (`fdatasync`) at most once per interval, or each time when that is zero. A segment whose end is torn is
//! read up to there and never written again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use super::disk::Disk;
use super::notice::Notices;
use super::record::{self, MAGIC, Record, Stored};

/// A new segment begins when one has grown to this.
pub(crate) const SEGMENT_BYTES: u64 = 256 * 1024;

/// What the disk held.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    /// Not acknowledged, in order.
    pub(super) events: Vec<Stored>,
    pub(super) notices: Notices,
    /// The next position.
    pub(super) next: u64,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    /// Positions of events in it that are still needed.
    needed: BTreeSet<u64>,
}

/// The journal.
#[derive(Debug)]
pub(crate) struct Journal {
    disk: Box<dyn Disk>,
    interval: Duration,
    segment_bytes: u64,
    segments: VecDeque<Segment>,
    /// Bytes in the newest segment, as far as they are whole records; `None`: it must not be written any more.
    length: Option<u64>,
    /// The last thing that was said about notices; a new segment begins with it.
    state: Vec<u8>,
    through: u64,
    unsynced_since: Option<Instant>,
    recovered: Recovered,
    damaged: usize,
}

impl Journal {
    /// Reads what is there and begins a new segment.
    ///
    /// # Errors
    /// When the segments cannot be read.
    pub(crate) fn open(
        disk: Box<dyn Disk>,
        interval: Duration,
        segment_bytes: u64,
    ) -> io::Result<Self> {
        let mut journal = Journal {
            disk,
            interval,
            segment_bytes,
            segments: VecDeque::new(),
            length: None,
            state: Vec::new(),
            through: 0,
            unsynced_since: None,
            recovered: Recovered::default(),
            damaged: 0,
        };
        journal.recover()?;
        // A disk that is full now is tried again with the first event; what was recovered is there all the same.
        let _ = journal.begin();
        Ok(journal)
    }

    /// Bytes that could not be read at the start: torn ends, or damage.
    pub(crate) fn damaged(&self) -> usize {
        self.damaged
    }

    pub(super) fn take_recovered(&mut self) -> Recovered {
        std::mem::take(&mut self.recovered)
    }

    fn recover(&mut self) -> io::Result<()> {
        let mut events = BTreeMap::new();
        let (mut acknowledged, mut notices, mut last) = (BTreeSet::new(), Vec::new(), 0);
        for number in self.disk.list()? {
            let (records, damaged) = record::read(&self.disk.read(number)?);
            self.damaged += damaged;
            let mut needed = BTreeSet::new();
            for record in records {
                match record {
                    Record::Event(stored) => {
                        last = last.max(stored.position);
                        needed.insert(stored.position);
                        events.insert(stored.position, stored);
                    }
                    Record::Acknowledged(position) => {
                        last = last.max(position);
                        acknowledged.insert(position);
                    }
                    Record::GivenUp(through, runs) => {
                        self.through = self.through.max(through);
                        notices = runs;
                    }
                }
            }
            self.segments.push_back(Segment { number, needed });
        }
        last = last.max(self.through);
        events.retain(|position, _| *position > self.through && !acknowledged.contains(position));
        for segment in &mut self.segments {
            segment
                .needed
                .retain(|position| events.contains_key(position));
        }
        self.state = record::given_up(self.through, &notices);
        self.recovered = Recovered {
            events: events.into_values().collect(),
            notices: Notices::from_runs(notices),
            next: last + 1,
        };
        Ok(())
    }

    /// Begins a new segment; then what is before it and not needed any more can go.
    fn begin(&mut self) -> io::Result<()> {
        let number = self.segments.back().map_or(1, |last| last.number + 1);
        self.length = None;
        self.segments.push_back(Segment {
            number,
            needed: BTreeSet::new(),
        });
        let first = [&MAGIC[..], &self.state].concat();
        let disk = &mut self.disk;
        let begun = disk.create(number).and_then(|()| disk.append(&first));
        if let Err(error) = begun.and_then(|()| disk.sync()) {
            // A name that stays is not used again.
            if disk.remove(number).is_ok() {
                self.segments.pop_back();
            }
            return Err(error);
        }
        self.length = Some(first.len() as u64);
        self.unsynced_since = None;
        self.tidy();
        Ok(())
    }

    /// Removes segments from the oldest on: a later one may hold the acknowledgements of an earlier one.
    fn tidy(&mut self) {
        while self.segments.len() > 1
            && let Some(first) = self.segments.front()
            && first.needed.is_empty()
        {
            // One that cannot be removed is tried again at the next start.
            let _ = self.disk.remove(first.number);
            self.segments.pop_front();
        }
    }

    pub(super) fn event(&mut self, stored: &Stored) -> io::Result<()> {
        self.append(&record::event(stored))?;
        if let Some(segment) = self.segments.back_mut() {
            segment.needed.insert(stored.position);
        }
        if self.interval.is_zero() {
            return self.sync();
        }
        Ok(())
    }

    pub(super) fn acknowledged(&mut self, position: u64) -> io::Result<()> {
        let written = self.append(&record::acknowledged(position));
        self.gone(position);
        written
    }

    /// This event is not needed any more.
    pub(super) fn gone(&mut self, position: u64) {
        let mut segments = self.segments.iter_mut();
        if segments.any(|segment| segment.needed.remove(&position)) {
            self.tidy();
        }
    }

    pub(super) fn notices(&mut self, through: u64, notices: &Notices) -> io::Result<()> {
        self.through = self.through.max(through);
        self.state = record::given_up(self.through, notices.runs());
        let state = self.state.clone();
        self.append(&state)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self
            .length
            .is_none_or(|length| length >= self.segment_bytes)
        {
            if self.length.is_some() {
                self.sync()?;
            }
            self.begin()?;
        }
        let length = self.length.unwrap_or(0);
        match self.disk.append(bytes) {
            Ok(()) => {
                self.length = Some(length + bytes.len() as u64);
                self.unsynced_since.get_or_insert_with(Instant::now);
                Ok(())
            }
            Err(error) => {
                // A part of the record may be there, and what comes behind it could not be read.
                let cut = self.disk.truncate(length);
                self.length = cut.is_ok().then_some(length);
                Err(error)
            }
        }
    }

    pub(super) fn next_sync(&self) -> Option<Instant> {
        self.unsynced_since.map(|since| since + self.interval)
    }

    pub(super) fn sync_if_due(&mut self, now: Instant) -> io::Result<()> {
        if self.next_sync().is_some_and(|due| due <= now) {
            return self.sync();
        }
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.unsynced_since.take().is_none() {
            return Ok(());
        }
        self.disk.sync()
    }
}
