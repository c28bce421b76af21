//! Bytes to and from a broker, plain or through TLS, without ever waiting.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use rustix::event::PollFlags;
use rustls::ClientConnection;

use super::failure::Failure;
use crate::sinks::Waker;

/// How long one address of a broker may take to answer.
const DIAL: Duration = Duration::from_secs(10);
/// Bytes that wait to be written, at most; more is written only after these.
const OUTGOING: usize = 256 * 1024;
/// What may wait beside them, acknowledgements for instance, before the other side counts as one that takes nothing.
const OVERFLOW: usize = 4 * OUTGOING;
/// Bytes that are read in one turn, at most, so that an endless stream neither fills the memory nor holds the thread.
const INCOMING: usize = 64 * 1024;

/// A connection on its way: looking a name up and connecting wait, and do so on a thread of their own.
#[derive(Debug)]
pub(super) struct Dialing(Receiver<io::Result<TcpStream>>);

impl Dialing {
    /// Begins to connect, and wakes at the end.
    pub(super) fn begin(host: &str, port: u16, waker: Option<Waker>) -> io::Result<Self> {
        let (sender, receiver) = channel();
        let host = host.to_owned();
        std::thread::Builder::new()
            .name("mqtt-dial".into())
            .spawn(move || {
                // Nobody waiting any more is no failure.
                let _ = sender.send(dial(&host, port));
                if let Some(waker) = waker {
                    waker.wake();
                }
            })?;
        Ok(Dialing(receiver))
    }

    /// The outcome, once there is one.
    pub(super) fn outcome(&self) -> Option<io::Result<TcpStream>> {
        match self.0.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(io::Error::other("connecting broke off"))),
        }
    }
}

fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut outcome = Err(io::Error::other(format!("{host} has no address")));
    for address in (host, port).to_socket_addrs()? {
        outcome = TcpStream::connect_timeout(&address, DIAL);
        if outcome.is_ok() {
            break;
        }
    }
    let stream = outcome?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// A connection.
#[derive(Debug)]
pub(super) struct Transport {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// Plain bytes that are to be sent.
    out: Vec<u8>,
}

impl Transport {
    pub(super) fn new(stream: TcpStream, tls: Option<ClientConnection>) -> Self {
        Transport {
            stream,
            tls: tls.map(Box::new),
            out: Vec::new(),
        }
    }

    /// What is written here goes out at the next [`Transport::turn`].
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// True when so much waits that nothing should be added that can wait elsewhere.
    pub(super) fn is_congested(&self) -> bool {
        self.out.len() > OUTGOING
    }

    /// True when so much waits that the other side evidently takes nothing.
    pub(super) fn is_overflowing(&self) -> bool {
        self.out.len() > OVERFLOW
    }

    /// True when nothing waits to be written.
    pub(super) fn is_flushed(&self) -> bool {
        self.out.is_empty() && self.tls.as_ref().is_none_or(|tls| !tls.wants_write())
    }

    /// The descriptor, and what is waited for.
    pub(super) fn interest(&self) -> (BorrowedFd<'_>, PollFlags) {
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
    pub(super) fn turn(&mut self, input: &mut Vec<u8>) -> Result<(), Failure> {
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
