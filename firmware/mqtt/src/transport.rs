//! Bytes to and from a broker, plain or through TLS, without ever waiting.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::PollFlags;
use rustls::ClientConnection;

use crate::Failure;

/// Bytes that wait to be written, at most; more is written only after these.
const OUTGOING: usize = 256 * 1024;
/// What may wait beside them, acknowledgements for instance, before the other side counts as one that takes nothing.
const OVERFLOW: usize = 4 * OUTGOING;
/// Bytes that are read in one turn, at most, so that an endless stream neither fills the memory nor holds the thread.
const INCOMING: usize = 64 * 1024;

/// What a record of TLS begins with: an alert, a handshake (RFC 8446, 5.1). No packet of a broker does.
const TLS_RECORDS: [u8; 2] = [21, 22];

/// A connection.
#[derive(Debug)]
pub(crate) struct Transport {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// Plain bytes that are to be sent.
    out: Vec<u8>,
    /// Whether the other side has said anything.
    heard: bool,
}

impl Transport {
    pub(crate) fn new(stream: TcpStream, tls: Option<ClientConnection>) -> Self {
        Transport {
            stream,
            tls: tls.map(Box::new),
            out: Vec::new(),
            heard: false,
        }
    }

    /// What is written here goes out at the next [`Transport::turn`].
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// True when so much waits that nothing should be added that can wait elsewhere.
    pub(crate) fn is_congested(&self) -> bool {
        self.out.len() > OUTGOING
    }

    /// True when so much waits that the other side evidently takes nothing.
    pub(crate) fn is_overflowing(&self) -> bool {
        self.out.len() > OVERFLOW
    }

    /// True when nothing waits to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.out.is_empty() && self.tls.as_ref().is_none_or(|tls| !tls.wants_write())
    }

    /// The certificate of the other side (DER), once the handshake is done.
    pub(crate) fn peer_certificate(&self) -> Option<Vec<u8>> {
        let chain = self.tls.as_ref()?.peer_certificates()?;
        Some(chain.first()?.to_vec())
    }

    /// The descriptor, and what is waited for.
    pub(crate) fn interest(&self) -> (BorrowedFd<'_>, PollFlags) {
        let mut flags = PollFlags::IN;
        let handshaking = self.tls.as_ref().is_some_and(|tls| tls.is_handshaking());
        let plain = !self.out.is_empty() && !handshaking;
        if plain || self.tls.as_ref().is_some_and(|tls| tls.wants_write()) {
            flags |= PollFlags::OUT;
        }
        (self.stream.as_fd(), flags)
    }

    /// Writes and reads what goes without waiting, but not without limit; what was read is put behind `input`. What is
    /// left makes the descriptor ready again.
    ///
    /// # Errors
    /// When the connection is at its end.
    pub(crate) fn turn(&mut self, input: &mut Vec<u8>) -> Result<(), Failure> {
        // What the other side said last explains a failure to write better than the failure does.
        let read = self.read(input);
        let written = if read.is_ok() { self.write() } else { Ok(()) };
        read.and(written).map_err(|error| self.failure(error))
    }

    /// What an error means. A side that ends a connection without a word does not speak what it is spoken to in, but may also be
    /// one that takes no more clients.
    fn failure(&self, error: io::Error) -> Failure {
        match &self.tls {
            _ if self.heard || !is_end(&error) => error.into(),
            Some(_) => Failure::Protocol(
                "what answers breaks the connection off instead of speaking TLS; is it a port without TLS?".into(),
            ),
            None => Failure::Protocol(
                "the broker closes the connection before it greets; it may expect TLS, or take no more clients".into(),
            ),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return drain(&mut self.out, &mut self.stream);
        };
        if !tls.is_handshaking() {
            drain(&mut self.out, &mut tls.writer())?;
        }
        while tls.wants_write() {
            match tls.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if waits(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read(&mut self, input: &mut Vec<u8>) -> io::Result<()> {
        let mut bytes = [0; 4096];
        let most = input.len() + INCOMING;
        let Some(tls) = &mut self.tls else {
            while input.len() < most {
                match self.stream.read(&mut bytes) {
                    Ok(0) => return Err(closed()),
                    Ok(count) => {
                        if !self.heard && TLS_RECORDS.contains(&bytes[0]) {
                            return Err(io::Error::other(Failure::Protocol(
                                "what answers speaks TLS, and was spoken to without".into(),
                            )));
                        }
                        self.heard = true;
                        input.extend(&bytes[..count]);
                    }
                    Err(error) if waits(&error) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            return Ok(());
        };
        // Between two turns nothing that was decrypted stays in there, so that the descriptor tells of all that waits.
        while input.len() < most {
            match tls.read_tls(&mut self.stream) {
                Ok(0) => return Err(closed()),
                Ok(_) => self.heard = true,
                Err(error) if waits(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
            if let Err(error) = tls.process_new_packets() {
                // The other side is told why, if it still listens.
                let _ = tls.write_tls(&mut self.stream);
                return Err(io::Error::other(error));
            }
            loop {
                match tls.reader().read(&mut bytes) {
                    Ok(0) => return Err(closed()),
                    Ok(count) => input.extend(&bytes[..count]),
                    Err(error) if waits(&error) => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Writes from the front of `bytes` what `to` takes.
fn drain(bytes: &mut Vec<u8>, to: &mut impl Write) -> io::Result<()> {
    let mut written = 0;
    let outcome = loop {
        if written == bytes.len() {
            break Ok(());
        }
        match to.write(&bytes[written..]) {
            Ok(0) => break Ok(()),
            Ok(count) => written += count,
            Err(error) if waits(&error) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    bytes.drain(..written);
    outcome
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// True when the other side has ended the connection.
fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
    )
}

fn closed() -> io::Error {
    io::Error::new(
        ErrorKind::UnexpectedEof,
        "the broker has closed the connection",
    )
}
