use crate::probe::Kind;
use symphonia::core::io::{MediaSourceStream, ReadBytes, SeekBuffered};

/// Enough for the magic number of a container and the name of an Ogg codec.
const START: usize = 64;

/// The first bytes of the source, which stays where it was.
pub(crate) fn peek(source: &mut MediaSourceStream<'_>) -> std::io::Result<Vec<u8>> {
    let mut start = [0; START];
    let mut length = 0;
    while length < start.len() {
        match source.read_buf(&mut start[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    source.seek_buffered_rev(length);
    Ok(start[..length].to_vec())
}

/// Whether a file may be one of those read here. The library searches further for an MPEG frame, and would find some in any large
/// binary; here a file must begin with one, or with a tag or zeros before it.
pub(crate) fn known_start(start: &[u8]) -> bool {
    let magic = [&b"RIFF"[..], b"fLaC", b"OggS", b"ID3"]
        .iter()
        .any(|magic| start.starts_with(magic));
    let mpeg = start.len() > 1 && start[0] == 0xff && start[1] & 0xe0 == 0xe0;
    magic || mpeg || start.iter().all(|&byte| byte == 0)
}

/// Names a codec that a known container can carry and that is not read.
pub(crate) fn foreign_codec(kind: Kind, start: &[u8]) -> Option<&'static str> {
    let holds = |magic: &[u8]| start.windows(magic.len()).any(|window| window == magic);
    match kind {
        Kind::Ogg if holds(b"OpusHead") => Some("Opus"),
        Kind::Ogg if holds(b"Speex   ") => Some("Speex"),
        Kind::Mp3 => Some("MPEG audio layer 1 or 2"),
        _ => None,
    }
}

/// Names common files that are not read, so that the message can say what was given.
pub(crate) fn looks_like(start: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, magic: &[u8]| {
        start
            .get(offset..)
            .is_some_and(|rest| rest.starts_with(magic))
    };
    let kinds: [(bool, &'static str); 10] = [
        (at(4, b"ftyp"), "MP4 or M4A"),
        (at(0, b"\x1a\x45\xdf\xa3"), "Matroska or WebM"),
        (at(0, b"FORM"), "AIFF"),
        (at(0, b"caff"), "CAF"),
        (at(0, b"#!AMR"), "AMR"),
        (at(0, b"wvpk"), "WavPack"),
        (at(0, b"MThd"), "MIDI"),
        (
            at(0, b"RF64") || at(0, b"RIFX"),
            "a rare kind of WAV, RF64 or RIFX",
        ),
        (at(0, b"PK\x03\x04"), "a ZIP archive"),
        (
            start
                .iter()
                .all(|&byte| byte >= 0x20 || b"\t\r\n".contains(&byte))
                && std::str::from_utf8(start).is_ok(),
            "text",
        ),
    ];
    kinds
        .iter()
        .find(|(matches, _)| *matches)
        .map(|(_, kind)| *kind)
}
