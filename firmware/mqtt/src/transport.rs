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

/// A connection.
#[derive(Debug)]
pub(crate) struct Transport {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// Plain bytes that are to be sent.
    out: Vec<u8>,
}

impl Transport {
    pub(crate) fn new(stream: TcpStream, tls: Option<ClientConnection>) -> Self {
        Transport {
            stream,
            tls: tls.map(Box::new),
            out: Vec::new(),
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
        read.and(written)
    }

    fn write(&mut self) -> Result<(), Failure> {
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
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn read(&mut self, input: &mut Vec<u8>) -> Result<(), Failure> {
        let mut bytes = [0; 4096];
        let most = input.len() + INCOMING;
        let Some(tls) = &mut self.tls else {
            while input.len() < most {
                match self.stream.read(&mut bytes) {
                    Ok(0) => return Err(closed()),
                    Ok(count) => input.extend(&bytes[..count]),
                    Err(error) if waits(&error) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
            }
            return Ok(());
        };
        // Between two turns nothing that was decrypted stays in there, so that the descriptor tells of all that waits.
        while input.len() < most {
            match tls.read_tls(&mut self.stream) {
                Ok(0) => return Err(closed()),
                Ok(_) => {}
                Err(error) if waits(&error) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            if let Err(error) = tls.process_new_packets() {
                // The other side is told why, if it still listens.
                let _ = tls.write_tls(&mut self.stream);
                return Err(error.into());
            }
            loop {
                match tls.reader().read(&mut bytes) {
                    Ok(0) => return Err(closed()),
                    Ok(count) => input.extend(&bytes[..count]),
                    Err(error) if waits(&error) => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}

/// Writes from the front of `bytes` what `to` takes.
fn drain(bytes: &mut Vec<u8>, to: &mut impl Write) -> Result<(), Failure> {
    let mut written = 0;
    let outcome = loop {
        if written == bytes.len() {
            break Ok(());
        }
        match to.write(&bytes[written..]) {
            Ok(0) => break Ok(()),
            Ok(count) => written += count,
            Err(error) if waits(&error) => break Ok(()),
            Err(error) => break Err(error.into()),
        }
    };
    bytes.drain(..written);
    outcome
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn closed() -> Failure {
    Failure::Network("the broker has closed the connection".into())
}
