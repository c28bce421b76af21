//! Where the boot partition of an image is: MBR, or GPT (UEFI specification 2.10, chapter 5).

use std::io::{self, Read, Seek, SeekFrom, Write};

use anyhow::Result;

use crate::failure::Failure;

const SECTOR: u64 = 512;

/// FAT in its variants, and the EFI system partition.
const FAT_TYPES: [u8; 7] = [0x01, 0x04, 0x06, 0x0b, 0x0c, 0x0e, 0xef];

/// Entries of a GPT that are looked at.
const MAX_ENTRIES: u32 = 256;

/// A part of a disk, from its first byte on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) bytes: u64,
}

fn refuse(cause: impl Into<String>) -> anyhow::Error {
    Failure::error(
        "not-an-image",
        cause,
        "take an image of Raspberry Pi OS: raspberrypi.com/software/operating-systems",
    )
}

/// The first FAT partition of a disk of this length.
pub(super) fn boot(disk: &mut (impl Read + Seek), length: u64) -> Result<Span> {
    let mut sector = [0u8; SECTOR as usize];
    read_at(disk, 0, &mut sector)?;
    if sector[510..] != [0x55, 0xaa] {
        return Err(refuse("there is no partition table at its beginning"));
    }
    let entries = || sector[446..510].chunks_exact(16);
    let spans: Vec<Span> = if entries().any(|entry| entry[4] == 0xee) {
        of_gpt(disk)?
    } else {
        entries()
            .filter(|entry| FAT_TYPES.contains(&entry[4]))
            .map(|entry| Span {
                start: u64::from(le32(&entry[8..])) * SECTOR,
                bytes: u64::from(le32(&entry[12..])) * SECTOR,
            })
            .collect()
    };
    for span in spans {
        let end = span.start.checked_add(span.bytes);
        if span.start == 0 || span.bytes == 0 || end.is_none_or(|end| end > length) {
            return Err(refuse(
                "a partition of it reaches beyond its end: it is cut short",
            ));
        }
        read_at(disk, span.start, &mut sector)?;
        if sector[510..] == [0x55, 0xaa] && (&sector[54..57] == b"FAT" || &sector[82..85] == b"FAT")
        {
            return Ok(span);
        }
    }
    Err(refuse("it has no boot partition (FAT)"))
}

fn of_gpt(disk: &mut (impl Read + Seek)) -> Result<Vec<Span>> {
    let mut header = [0u8; SECTOR as usize];
    read_at(disk, SECTOR, &mut header)?;
    let damaged = || refuse("its partition table (GPT) is damaged");
    let size = le32(&header[12..]) as usize;
    if &header[..8] != b"EFI PART" || !(92..=SECTOR as usize).contains(&size) {
        return Err(damaged());
    }
    let sum = le32(&header[16..]);
    header[16..20].fill(0);
    if crc32(&header[..size]) != sum {
        return Err(damaged());
    }
    let (first, count, width) = (
        le64(&header[72..]),
        le32(&header[80..]),
        le32(&header[84..]),
    );
    if count > MAX_ENTRIES || width != 128 {
        return Err(damaged());
    }
    let mut entries = vec![0u8; (count * width) as usize];
    let start = first.checked_mul(SECTOR).ok_or_else(damaged)?;
    read_at(disk, start, &mut entries)?;
    if crc32(&entries) != le32(&header[88..]) {
        return Err(damaged());
    }
    let span = |entry: &[u8]| -> Option<Span> {
        let (first, last) = (le64(&entry[32..]), le64(&entry[40..]));
        let used = entry[..16].iter().any(|byte| *byte != 0);
        let sectors = last.checked_sub(first)?.checked_add(1)?;
        used.then_some(())?;
        Some(Span {
            start: first.checked_mul(SECTOR)?,
            bytes: sectors.checked_mul(SECTOR)?,
        })
    };
    Ok(entries.chunks_exact(128).filter_map(span).collect())
}

fn crc32(bytes: &[u8]) -> u32 {
    crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(bytes)
}

fn read_at(disk: &mut (impl Read + Seek), at: u64, buffer: &mut [u8]) -> Result<()> {
    let read = disk
        .seek(SeekFrom::Start(at))
        .and_then(|_| disk.read_exact(buffer));
    read.map_err(|_| refuse("the image is too short"))
}

fn le32(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .take(4)
        .rev()
        .fold(0, |value, byte| value << 8 | u32::from(*byte))
}

fn le64(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// A part of a disk as if it were a disk: nothing outside of it can be read or written.
#[derive(Debug)]
pub(super) struct Slice<D> {
    disk: D,
    span: Span,
    at: u64,
}

impl<D> Slice<D> {
    pub(super) fn new(disk: D, span: Span) -> Self {
        Slice { disk, span, at: 0 }
    }

    fn room(&self, wanted: usize) -> usize {
        let left = self.span.bytes.saturating_sub(self.at);
        usize::try_from(left).unwrap_or(usize::MAX).min(wanted)
    }
}

impl<D: Read + Seek> Read for Slice<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = self.room(buffer.len());
        self.disk.seek(SeekFrom::Start(self.span.start + self.at))?;
        let count = self.disk.read(&mut buffer[..room])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl<D: Write + Seek> Write for Slice<D> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let room = self.room(buffer.len());
        self.disk.seek(SeekFrom::Start(self.span.start + self.at))?;
        let count = self.disk.write(&buffer[..room])?;
        self.at += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.disk.flush()
    }
}

impl<D> Seek for Slice<D> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.span.bytes.checked_add_signed(by),
        };
        self.at = target
            .filter(|at| *at <= self.span.bytes)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
